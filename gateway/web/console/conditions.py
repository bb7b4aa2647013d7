"""The conditions of a list of deliveries: fields of the address, and words typed into the search box. What is not understood is
told and matches nothing: a condition that were dropped would widen the list, and a bulk job over it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from contracts.deliveries import FAILED_STATES, DeliveryState
from contracts.messages import MessageType
from gateway.store import console
from gateway.store.console import DeliveryFilter, id_at
from gateway.texts import console_texts
from gateway.web.console import words
from gateway.web.console.desk import Visit

FIELDS: Final = ("state", "platform", "org", "type", "cause", "case", "from", "to", "q")
_TYPED: Final = {
    "platform": "platform",
    "平台": "platform",
    "status": "state",
    "state": "state",
    "状态": "state",
    "case": "case",
    "案号": "case",
    "type": "type",
    "类型": "type",
    "cause": "cause",
    "原因": "cause",
    "org": "org",
    "组织": "org",
}
_PAIR: Final = re.compile(r"(\w+)[:：](\S+)")
_STATES: Final = ("failed", "retrying", "queued", *map(str, DeliveryState))


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the filter, its fields as a form shows them, and what nobody understands: (field or the word that was
    typed before the colon, value)."""

    filter: DeliveryFilter
    fields: dict[str, str]
    unknown: tuple[tuple[str, str], ...] = ()


def read_filter(query: Mapping[str, str], platforms: Mapping[str, str] | None = None) -> Asked:
    """The conditions that an address holds; typed pairs (``platform:court state:dead``, ``状态:重试用尽``) override the fields.
    ``platforms``: every name and title by which a platform may be called; without it any is taken."""
    given = {name: query.get(name, "")[:200] for name in FIELDS}
    called = {name: name for name in FIELDS}
    unknown = []
    for name, value in _PAIR.findall(given["q"]):
        field = _TYPED.get(name.lower())
        if field is None:
            unknown.append((name, value))
        else:
            given[field], called[field] = value, name
    unknown += [("", word) for word in _PAIR.sub(" ", given["q"]).split()]
    given["q"] = ""
    for name, known in (("state", _states()), ("type", _types()), ("platform", platforms)):
        if given[name] and known is not None:
            value = known.get(given[name], known.get(given[name].lower()))
            if value is None:
                unknown.append((called[name], given[name]))
            given[name] = value or ""
    given["cause"] = _causes().get(given["cause"], given["cause"])
    since, until = words.read_local(given["from"]), words.read_local(given["to"])
    for name, moment in (("from", since), ("to", until)):
        if given[name] and moment is None:
            unknown.append((called[name], given[name]))
            given[name] = ""
    state = given["state"]
    made = DeliveryFilter(
        states=_stored(state),
        endpoints=(given["platform"],) if given["platform"] else (),
        types=(given["type"],) if given["type"] else (),
        codes=(given["cause"],) if given["cause"] else (),
        organizations=(given["org"],) if given["org"] else (),
        retrying={"retrying": True, "queued": False}.get(state),
        after=id_at("delivery", since) if since is not None else console.FIRST,
        before=id_at("delivery", until + 60_000) if until is not None else console.LAST,
    )
    return Asked(made, {name: value for name, value in given.items() if value}, tuple(unknown))


async def understood(visit: Visit, query: Mapping[str, str]) -> Asked:
    """The conditions of an address, platforms and organisations by code or by name."""
    names = [row["name"] for row in await visit.desk.store.rows("all_endpoints")]
    asked = read_filter(query, _called(names, (visit.desk.names.platform(name, visit.language) for name in names)))
    given = asked.fields.get("org", "")
    code = await visit.desk.names.code_of(given)
    if code == given:
        return asked
    return replace(asked, filter=replace(asked.filter, organizations=(code,)), fields={**asked.fields, "org": code})


def causes(language: str) -> list[str]:
    """The titles of the causes that we know, to choose from."""
    return sorted(texts[language] for key, texts in console_texts().items() if key.startswith("cause."))


def _called(names: list[str], titles: Iterable[str]) -> dict[str, str]:
    return dict(zip(titles, names, strict=True)) | {name: name for name in names}


def _stored(state: str) -> tuple[str, ...]:
    if state == "failed":
        return FAILED_STATES
    if state in ("retrying", "queued"):
        return ("pending",)
    return (state,) if state else ()


@cache
def _states() -> Mapping[str, str]:
    """States by code and by their titles; the short title of several (``失败``) too."""
    found: dict[str, str] = {}
    for state in reversed(_STATES):
        for title in console_texts()[f"state.{state}"].values():
            found |= {title: state, re.split(r"[（(]", title)[0].strip(): state}
    return found | {state: state for state in _STATES}


@cache
def _types() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for kind in reversed(MessageType):
        found |= {kind.zh: kind.value, kind.en: kind.value}
    return found | {kind.value: kind.value for kind in MessageType}


@cache
def _causes() -> Mapping[str, str]:
    titled = {key.partition(".")[2]: texts for key, texts in console_texts().items() if key.startswith("cause.")}
    return {title: code for code, texts in titled.items() for title in texts.values()}
