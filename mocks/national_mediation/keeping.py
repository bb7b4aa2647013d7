"""What is put on disk before anybody is answered (page §9): the entries of the journal, and files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from mocks.clock import Clock
from mocks.journal import Journal
from mocks.national_mediation import moments
from mocks.national_mediation.desk import Desk, Plan
from mocks.national_mediation.files import Shelf
from mocks.national_mediation.ledger import CHANGE, FILE, PAPER, REFERRAL, Ledger
from mocks.national_mediation.memory import Place, Remembered
from mocks.national_mediation.pages import Pages
from mocks.national_mediation.reading import Json
from mocks.national_mediation.receipts import Receipt
from mocks.national_mediation.sample import pdf


class Keeper:
    """Changes the ledger and the two lists, each by an entry: state first and, without a pause, the place in the journal.

    Both have the same order then, and a start from the journal ends in the same state.
    """

    def __init__(
        self, journal: Journal, ledger: Ledger, desk: Desk, shelf: Shelf, clock: Clock, lists: dict[str, Pages]
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._desk = desk
        self._shelf = shelf
        self._clock = clock
        self._lists = lists
        self._changes = 0

    def restore(self, entry: Json) -> tuple[Place, Remembered] | None:
        """Take an entry of an earlier run; what the idempotency memory keeps of it."""
        if entry["effect"] not in ("created", "announced"):
            return None
        self._ledger.apply(entry)
        self._list(entry, shown=True)
        self._changes += entry["kind"] == CHANGE
        return remembered(entry) if "reply" in entry else None

    # --- calls

    async def refused(self, op: str, key: str, body: bytes, seen: Json, code: str, fields: Sequence[str]) -> None:
        """A call that was refused."""
        entry = _entry(op, "refused", digest=hashlib.sha256(body).hexdigest(), message_id=key, payload=seen)
        await self._journal.append(**entry, code=code, fields=list(fields))

    async def repeated(self, op: str, place: Place, known: Remembered, body: Json) -> None:
        """A call that was answered before."""
        entry = _entry(op, "repeated", digest=known.receipt.digest, message_id=place[2], payload=body)
        await self._journal.append(**entry | {"business_key": known.business_key, "ref": known.ref})

    def call(self, op: str, plan: Plan, place: Place, digest: str, body: Json) -> Json:
        """The entry of a call that is taken, for :meth:`take`."""
        return _entry(op, "created", digest=digest, message_id=place[2], payload=body) | {
            "business_key": plan.business_key,
            "ref": plan.ref,
            "organization": plan.organization,
            "case_id": plan.case_id,
            "numbered": True,
            "place": list(place),
            "status": plan.status,
            "reply": plan.reply,
            "receipt": self._desk.number("HZ"),
            "taken_at": moments.write(self._clock.now()),
        }

    async def take(self, entry: Json) -> None:
        """Let an entry happen; it is on disk when this returns."""
        self._ledger.apply(entry)
        listed = self._list(entry)
        await self._journal.append(**entry)
        if listed is not None:
            listed[0].feed.written(listed[1])

    # --- the platform's own words

    async def announce(self, change: Json, docs: list[Json]) -> Json:
        """Put a change into its list."""
        self._changes += 1
        number = self._changes
        row: Json = {"changeId": f"CH{number:014d}", "seq": number, **change, "docs": docs}
        told = {"business_key": change.get("externalNo", ""), "ref": change["caseId"]}
        await self.take(_entry(CHANGE, "announced", message_id=row["changeId"], payload=row) | told)
        return {"ref": change["caseId"], "change": row["changeId"]}

    async def offer(self, referral: Json, region: str, docs: list[Json]) -> Json:
        """Put a case that is handed over into its list."""
        number = f"国调转〔{self._clock.now():%Y}〕第{self._ledger.numbers + 1}号"
        payload: Json = {
            "referralId": self._desk.number("zb"),
            "referralNo": number,
            "caseId": self._desk.number(),
            "caseNo": self._desk.case_no(region),
            **referral,
            "docs": docs,
        }
        told = {"business_key": number, "ref": payload["referralId"], "numbered": True}
        await self.take(_entry(REFERRAL, "announced", message_id=number, payload=payload) | told)
        return {"ref": payload["referralId"], "referralId": payload["referralId"], "referralNo": number}

    def _list(self, entry: Json, *, shown: bool = False) -> tuple[Pages, int] | None:
        pages = self._lists.get(entry["kind"])
        if pages is None:
            return None
        at = moments.known(entry["payload"]["at" if entry["kind"] == CHANGE else "offeredAt"])
        count = pages.feed.add(entry["payload"], at)
        if shown:
            pages.feed.written(count)
        return pages, count

    # --- files

    async def paper(self, kind: str, name: str, lines: Sequence[str], ready_s: float) -> Json:
        """A paper of the clerk's, there in ``ready_s`` seconds; as ``docs`` name it."""
        content = pdf(lines)
        sha256 = await asyncio.to_thread(self._shelf.put, content)
        ready = moments.from_seconds(self._clock.now().timestamp() + ready_s)
        payload = self._file(kind, name, "application/pdf", sha256, len(content))
        payload["readyAt"] = moments.write(ready)
        told = {"ref": payload["fileId"], "numbered": True}
        await self.take(_entry(PAPER, "announced", digest=sha256, payload=payload) | told)
        return self._ledger.files[payload["fileId"]].named()

    async def upload(self, kind: str, name: str, media: str, content: bytes) -> tuple[str, bool]:
        """A file of the client's: its id, and whether the same bytes were here before."""
        sha256 = await asyncio.to_thread(self._shelf.put, content)
        payload = self._file(kind, name, media, sha256, len(content))
        known = self._ledger.same_content(sha256)
        if known is not None:
            payload["fileId"] = known.file_id
            entry = _entry(FILE, "repeated", digest=sha256, payload=payload)
            await self._journal.append(**entry | {"ref": known.file_id})
            return known.file_id, True
        told = {"ref": payload["fileId"], "numbered": True}
        await self.take(_entry(FILE, "created", digest=sha256, payload=payload) | told)
        return payload["fileId"], False

    def _file(self, kind: str, name: str, media: str, sha256: str, size: int) -> Json:
        return {
            "fileId": self._desk.number("wj"),
            "kind": kind,
            "name": name,
            "media": media,
            "sha256": sha256,
            "size": size,
        }


def remembered(entry: Json) -> tuple[Place, Remembered]:
    """What the idempotency memory keeps of a call that was taken."""
    receipt = Receipt(entry["receipt"], entry["kind"], entry["ref"], entry["digest"])
    method, path, key = entry["place"]
    at = moments.known(entry["taken_at"])
    answer = Remembered(entry["status"], entry["reply"], receipt, entry["business_key"], entry["ref"], at)
    return (method, path, key), answer


def _entry(kind: str, effect: str, *, digest: str = "", message_id: str = "", payload: Json) -> Json:
    return {
        "kind": kind,
        "business_key": "",
        "message_id": message_id,
        "digest": digest,
        "effect": effect,
        "ref": "",
        "payload": payload,
    }
