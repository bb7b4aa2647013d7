"""Which of our things a platform's word is about: our own ids first, then the numbers that the platform gave."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.status import is_final
from contracts.update import About, Key, KeyKind
from gateway.store.store import Store

_OWN_IDS = frozenset({KeyKind.CONFIRMATION, KeyKind.TRANSFER, KeyKind.REFERRAL})
_KINDS = {
    About.CASE: "case",
    About.CONFIRMATION: "confirmation",
    About.TRANSFER: "transfer",
    About.REFERRAL: "referral",
    About.FULFILMENT: "agreement",
    About.REPORT: "statistics",
}


@dataclass(frozen=True, slots=True)
class Found:
    """The thing: its subject and id."""

    subject: str
    about: str


class Contradicting(Exception):
    """Two keys of one word name two things."""


async def find(store: Store, endpoint: str, about: About, keys: tuple[Key, ...]) -> Found | None:
    """The one thing that the keys name, or ``None``.

    Every key is asked; the first that finds something decides.

    Raises:
        Contradicting: another key names another thing.
    """
    first: Found | None = None
    for key in keys:
        found = await _by_key(store, endpoint, about, key)
        if found is None:
            continue
        if first is not None and found != first:
            raise Contradicting
        first = first or found
    return first


async def _by_key(store: Store, endpoint: str, about: About, key: Key) -> Found | None:
    if key.kind is KeyKind.DELIVERY:
        return await _by_delivery(store, endpoint, about, key.value)
    if key.kind is KeyKind.MESSAGE:
        row = await store.row("delivery_of_message", key.value, endpoint)
        return None if row is None else await _by_delivery(store, endpoint, about, row["id"])
    if key.kind in _OWN_IDS:
        return await _matter(store, endpoint, key.value, about)
    if key.kind is KeyKind.CASE_NO_OF_SOURCE:
        return await _by_case_no(store, endpoint, about, key)
    if key.kind is KeyKind.AGREEMENT_NO:
        row = await store.row("find_matter", "agreement", f"{key.scope}|{key.value}")
        return None if row is None else await _matter(store, endpoint, row["id"], about)
    if about is About.DELIVERY:
        named = await store.rows("deliveries_by_reference", endpoint, key.value)
        return Found(named[0]["subject"], named[0]["id"]) if len(named) == 1 else None
    for row in await store.rows("find_reference", endpoint, key.scope, key.value):
        found = await _matter(store, endpoint, row["about"], about)
        if found is not None:
            return found
    return None


async def _by_case_no(store: Store, endpoint: str, about: About, key: Key) -> Found | None:
    """By the organisation's own number; where the platform does not say whose it is, among the cases that it holds."""
    if key.scope:
        row = await store.row("find_matter", "case", f"{key.scope}|{key.value}")
        return None if row is None else await _matter(store, endpoint, row["id"], about)
    held = await store.rows("find_held_case", endpoint, key.value)
    return await _matter(store, endpoint, held[0]["id"], about) if len(held) == 1 else None


async def _by_delivery(store: Store, endpoint: str, about: About, identifier: str) -> Found | None:
    row = await store.row("delivery", identifier)
    if row is None or row["endpoint"] != endpoint:
        return None
    if about is About.DELIVERY:
        return Found(row["subject"], row["id"])
    return await _matter(store, endpoint, row["about"], about)


async def _matter(store: Store, endpoint: str, identifier: str, about: About) -> Found | None:
    """The matter itself where it is of the kind that the word is about; a case where it lies in one."""
    row = await store.row("matter", identifier)
    if row is None:
        return None
    if row["kind"] == _KINDS.get(about):
        return Found(row["subject"], row["id"])
    if about is About.CASE and row["subject"].startswith("case_"):
        return Found(row["subject"], row["subject"])
    if row["kind"] == "case":
        return await _only_one(store, endpoint, row["subject"], _KINDS.get(about, ""))
    return None


async def _only_one(store: Store, endpoint: str, subject: str, kind: str) -> Found | None:
    """The one matter of a kind in a case, where a platform names the case alone: of those that it was sent the one that is
    open, else the one that is over (its word comes late, or another platform's came first). Two are no answer."""
    rows = [row for row in await store.rows("matters_of", subject) if row["kind"] == kind]
    sent = {row["about"] for row in await store.rows("deliveries_of", subject) if row["endpoint"] == endpoint}
    rows = [row for row in rows if row["id"] in sent] or rows
    opened = [row for row in rows if row["active"] and (kind == "agreement" or not is_final(kind, row["status"]))]
    found = opened or rows
    return Found(subject, found[0]["id"]) if len(found) == 1 else None
