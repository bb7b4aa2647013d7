"""Mends what a reconciliation found, one difference at a time, by verbs that exist: each is audited under its person's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from contracts.adapter import InboundCall, Origin, PolledItem
from contracts.errors import RetryableError
from contracts.holdings import Holding
from contracts.moments import from_ms
from contracts.update import About, DeliveryWord, Key, KeyKind, Reference, StatusUpdate
from gateway.flow.apply import Applier
from gateway.flow.moving.task_details import seal_detail
from gateway.flow.operating.operate import Operator, Standing
from gateway.flow.receive import pack_call
from gateway.flow.reconciling.matching import Matcher
from gateway.flow.reconciling.questions import Run, Unaskable
from gateway.store import inbox, reconciliations
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.places import of_call
from gateway.store.store import Store
from gateway.store.unit import NewTask


@dataclass(frozen=True, slots=True)
class Mended:
    """A difference's new state and what was done: ``healed``, ``hearing`` (its word is listed again), ``person`` (a task),
    ``moot`` (it is none any more), ``failed``."""

    state: str
    outcome: str


Ask = Callable[[str], Awaitable[Holding | None]]


class Mender:
    """Missing is filed again under its id, in doubt is settled by the platform's answer, differing is heard, foreign goes
    before a person. What can be asked is asked once more before anything is done."""

    def __init__(self, store: Store, operator: Operator, applier: Applier, matcher: Matcher) -> None:
        self._store = store
        self._operator = operator
        self._applier = applier
        self._matcher = matcher

    async def mend(self, run: Run, row: Row, ask: Ask) -> Mended:
        """One difference. ``ask``: what the platform holds of a delivery now; it raises ``Unaskable``.

        Raises:
            AdapterError: the platform cannot be asked now.
        """
        match row["kind"], row["code"]:
            case "missing", _:
                return await self._file_again(run, row, ask)
            case "undecided", _:
                return await self._decide(run, row, ask)
            case "differing", "reference":
                return await self._renumber(run, row)
            case "differing", "status":
                return await self._listen(run, row, ask)
            case ("differing", "unheard") | ("foreign", "offered"):
                return Mended("hearing", "listed_again")
        return await self._before_person(run, row)

    async def _file_again(self, run: Run, row: Row, ask: Ask) -> Mended:
        try:
            if await ask(row["delivery"]) is not None:
                return Mended("moot", "found")
        except Unaskable:
            pass  # a whole list did not name it
        return _done(await self._operator.refile(run.principal, row["delivery"], run.reason), "filed_again")

    async def _decide(self, run: Run, row: Row, ask: Ask) -> Mended:
        try:
            held = await ask(row["delivery"])
        except Unaskable:
            held = Holding(row["name"] or "", reference=_whole(row)) if row["code"] == "found" else None
        if held is not None:
            evidence = f"{run.reason} {held.reference or held.name}"[:500]
            numbers = (held.reference, held.references)
            return _done(await self._operator.found(run.principal, row["delivery"], evidence, *numbers), "delivered")
        if row["code"] == "found":
            return Mended("moot", "absent")
        return _done(await self._operator.resolve(run.principal, row["delivery"], False, run.reason), "sent_again")

    async def _renumber(self, run: Run, row: Row) -> Mended:
        """The platform's other number becomes one of ours too: later words by it find their thing."""
        reference = _whole(row)
        if reference is None:
            return Mended("failed", "masked")
        word = StatusUpdate(
            event_id=f"renumbered-{row['delivery']}-{reference}",
            about=About.DELIVERY,
            keys=(Key(KeyKind.DELIVERY, row["delivery"]),),
            status=DeliveryWord.ACCEPTED,
            raw_status="",
            at=from_ms(self._store.now_ms()),
            references=(Reference("platform_no", reference),),
        )
        return await self.hear(run, row, word)

    async def _listen(self, run: Run, row: Row, ask: Ask) -> Mended:
        try:
            held = await ask(row["delivery"])
        except Unaskable:
            return Mended("hearing", "listed_again")
        if held is None or held.word is None:
            return Mended("moot", "absent")
        return await self.hear(run, row, held.word)

    async def hear(self, run: Run, row: Row, word: StatusUpdate) -> Mended:
        """The platform's word by the ordinary way of words; what it does not change goes before a person.

        Raises:
            RetryableError: its thing is being written to right now.
        """
        outcome = await self._applier.hear(run.endpoint, word)
        if outcome == "busy":
            raise RetryableError("in_flight", "the delivery is being sent right now")
        target = row["delivery"] or row["name"] or row["key"]
        await self._store.audit(AuditEntry(run.healer, "reconciliation.hear", target, run.reason))
        if outcome == "orphan":
            return Mended("failed", "not_known")
        if word.status != "unknown" and await self._matcher.differs(run.endpoint, word):
            return await self._before_person(run, row)
        return Mended("healed", outcome)

    async def keep(self, run: Run, item: PolledItem) -> Mended:
        """A word that was never heard, kept as its poll would have kept it: the ordinary way applies it."""
        call = InboundCall("", "", (), item.body, from_ms(self._store.now_ms()), origin=Origin.POLL)
        identifier = self._store.ids.new("callback")
        sealed = self._store.seal(pack_call(call), of_call(identifier))
        kept = inbox.NewCallback(identifier, run.endpoint, item.event_id, item.digest, sealed)
        await self._store.keep_callback(kept)
        await self._store.audit(AuditEntry(run.healer, "reconciliation.hear", item.event_id[:100], run.reason))
        return Mended("healed", "heard")

    async def _before_person(self, run: Run, row: Row) -> Mended:
        """A task: the platform's number and both standings, and nothing else."""
        identifier = self._store.ids.new("task")
        kind = "filed_twice" if row["code"] == "filed_twice" else "contradiction"
        about = row["delivery"] or f"{run.endpoint}/{row['name']}"
        delivery = None if row["delivery"] is None else await self._store.row("delivery", row["delivery"])
        subject = run.id if delivery is None else delivery["subject"]
        matter = None if delivery is None else await self._store.row("matter", subject)
        organization = "" if matter is None else matter["organization"]
        detail = {"kept": row["ours"], "said": row["theirs"], "number": row["reference"]}
        sealed = seal_detail(self._store, identifier, detail)
        task = NewTask(identifier, kind, about, run.endpoint, row["code"], sealed).row(subject, organization)
        entry = AuditEntry(run.healer, "reconciliation.task", row["delivery"] or identifier, run.reason)
        moved = (run.id, row["key"], "person", "task")
        await self._store.run(reconciliations.put_before_person, task, moved, entry, self._store.now_ms())
        return Mended("person", "task")


def _whole(row: Row) -> str | None:
    """The platform's number of a difference, unless a part of it was masked in the report."""
    found = row["reference"]
    return None if found is None or "*" in found else found


def _done(standing: Standing, outcome: str) -> Mended:
    if standing.refused is None:
        return Mended("healed", outcome)
    state = str(standing.extra.get("state", standing.refused))
    if state == "in_flight" or standing.refused == "words_unread":
        raise RetryableError(
            "in_flight", "the delivery is being sent right now, or the platform's words on it are read"
        )
    return Mended("moot", state)
