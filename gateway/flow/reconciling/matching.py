"""Holds what a platform says that it holds against what stands here (对账): finds the thing of ours that a row is about."""

from __future__ import annotations

from contracts.adapter import InboundCall, Origin
from contracts.errors import UnreadableCallback
from contracts.holdings import Holding, reference_of
from contracts.moments import from_ms
from contracts.update import About, ReferralOffered, StatusUpdate
from gateway.flow.applying.correlate import Contradicting, find
from gateway.flow.reconciling.comparing import Difference, Kind, of_delivery, of_word
from gateway.flow.reconciling.questions import Run
from gateway.store.engine import Row
from gateway.store.ids import kind_of
from gateway.store.store import Store


class Matcher:
    """Compares one row at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def filed(self, run: Run, item: Holding) -> Row | None:
        """Our delivery that was filed under the id of a row."""
        if not item.filing:
            return None
        row = await self._store.row("delivery", item.filing)
        if row is None:
            row = await self._store.row("delivery_of_message", item.filing, run.endpoint)
        return row if row is not None and row["endpoint"] == run.endpoint else None

    async def of_filing(self, run: Run, item: Holding, row: Row | None) -> Difference | None:
        """One row of a list of filings against our delivery of that id (``None``: there is none)."""
        if row is None:
            if item.at is not None and item.at < from_ms(run.since):
                return None
            return Difference(
                Kind.FOREIGN, "not_ours", None, None, item.name, item.reference or item.name, None, "found"
            )
        return await self.of_row(run, row, item) if run.holds(row) else None

    async def of_item(self, run: Run, item: Holding) -> Difference | None:
        """One word of the platform against what was heard of it."""
        if item.item is None:
            return None
        if await self._store.row("find_callback", run.endpoint, item.name) is not None:
            return None
        if await self._store.row("was_applied", run.endpoint, item.name) is not None:
            return None
        call = InboundCall("", "", (), item.item.body, from_ms(self._store.now_ms()), origin=Origin.POLL)
        try:
            words = run.line.endpoint.adapter.parse_callback(call)
        except UnreadableCallback as error:
            return Difference(Kind.FOREIGN, "unreadable", None, None, item.name, None, None, error.code)
        for word in words:
            if isinstance(word, ReferralOffered):
                found = await self._of_offer(run, word, item)
            else:
                found = await self._of_said(run, word, item)
            if found is not None:
                return found
        return None

    async def _of_offer(self, run: Run, word: ReferralOffered, item: Holding) -> Difference | None:
        task_no = word.referral.task_no
        if await self._store.row("find_matter", "referral", f"{run.endpoint}|{task_no}") is not None:
            return None
        return Difference(Kind.FOREIGN, "offered", None, None, item.name, task_no, None, "offered")

    async def _of_said(self, run: Run, word: StatusUpdate, item: Holding) -> Difference | None:
        theirs = _standing(word)
        try:
            found = await find(self._store, run.endpoint, word.about, word.keys)
        except Contradicting:
            return Difference(Kind.FOREIGN, "keys_disagree", None, None, item.name, reference_of(word), None, theirs)
        if found is None:
            return Difference(Kind.FOREIGN, "not_ours", None, None, item.name, reference_of(word), None, theirs)
        status = await self.status(found.about)
        if of_word(word, status) is None:
            return None
        return Difference(Kind.DIFFERING, "unheard", None, found.about, item.name, reference_of(word), status, theirs)

    async def differs(self, endpoint: str, word: StatusUpdate) -> bool:
        """Whether a word still differs from the status of what it is about."""
        found = await find(self._store, endpoint, word.about, word.keys)
        return found is not None and of_word(word, await self.status(found.about)) is not None

    async def status(self, about: str) -> str:
        """How a thing of ours stands: a matter, or a delivery."""
        if kind_of(about) == "delivery":
            delivery = await self._store.row("delivery", about)
            return "" if delivery is None else str(delivery["state"])
        row = await self._store.row("matter", about)
        return "" if row is None else row["status"]

    async def of_row(self, run: Run, row: Row, held: Holding | None) -> Difference | None:
        """One of our deliveries against what the platform holds of it, and how its matter stands there."""
        version = None
        if held is not None and held.version is not None:
            message = await self._store.row("message_version", row["message"])
            version = None if message is None else message["version"]
        found = of_delivery(row, held, version)
        if found is not None and found.code == "reference" and held is not None and held.reference is not None:
            known = await self._store.rows("find_reference", run.endpoint, "platform_no", held.reference)
            found = None if any(one["about"] == row["about"] for one in known) else found
        if found is not None or held is None or held.word is None:
            return found
        return await self._of_standing(run, row, held, held.word)

    async def _of_standing(self, run: Run, row: Row, held: Holding, word: StatusUpdate) -> Difference | None:
        about: str = row["about"]
        status = row["state"]
        if word.about is not About.DELIVERY:
            try:
                found = await find(self._store, run.endpoint, word.about, word.keys)
            except Contradicting:
                return Difference(
                    Kind.DIFFERING, "keys_disagree", row["id"], about, held.name, held.reference, None, _standing(word)
                )
            if found is None:
                return None
            about, status = found.about, await self.status(found.about)
        code = of_word(word, status)
        if code is None or await self._store.row("was_applied", run.endpoint, word.event_id) is not None:
            return None
        return Difference(Kind.DIFFERING, code, row["id"], about, held.name, held.reference, status, _standing(word))


def _standing(word: StatusUpdate) -> str:
    """A word for people: its canonical status, the platform's own where there is none."""
    return word.raw_status if word.status in ("", "unknown") else word.status
