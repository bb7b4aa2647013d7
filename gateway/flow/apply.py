"""Step 5, apply: parse the stored bytes, find the thing, move its status; message, deliveries and event in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import structlog

from contracts.adapter import Adapter, InboundCall
from contracts.deadlines import Law
from contracts.errors import UnreadableCallback
from contracts.update import About, Inbound, Key, KeyKind, ReferralOffered, StatusUpdate
from gateway.flow.applying.correlate import Contradicting, find
from gateway.flow.applying.matter_words import Background
from gateway.flow.applying.offers import offer
from gateway.flow.applying.tracks import commit_traced, tell_delivered
from gateway.flow.applying.words import Words
from gateway.flow.clock import Clockwork
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.flow.moving.rounds import Round, decided, unlikely
from gateway.flow.moving.speaker import Speaker
from gateway.flow.receive import unpack_call
from gateway.flow.retry import next_look_ms
from gateway.registry import Endpoint
from gateway.settings import RetrySettings
from gateway.store import inbox
from gateway.store.casefile import CaseFile, Matter
from gateway.store.engine import Operation
from gateway.store.inbox import DueCallback
from gateway.store.places import of_call
from gateway.store.store import Store
from gateway.store.unit import (
    AlreadyApplied,
    Committed,
    InFlight,
    MatterConflict,
    Moved,
    NewTask,
    Unit,
)

log = structlog.get_logger("gateway.apply")

_LEASE_MS = 30_000
_AGAIN = 8
_BUSY_MS = 300
_FAR_MS = 365 * 86_400_000
_LONG = 16 * 1024


class Applier:
    """Applies stored calls, at most once each, in whatever order and number they came."""

    def __init__(
        self,
        store: Store,
        endpoints: dict[str, Endpoint],
        contexts: Contexts,
        words: Words,
        settings: RetrySettings,
        changed: Callable[[], None] = lambda: None,
        reach: Reach = nowhere,
        law: Law | None = None,
    ) -> None:
        self._store = store
        self._reach = reach
        self._endpoints = endpoints
        self._contexts = contexts
        self._words = words
        self._settings = settings
        self._changed = changed
        self._clockwork = Clockwork(store, law)

    async def turn(self, batch: int = 32) -> int:
        """Apply what is due; returns how many calls were looked at."""
        due = await self._store.run(inbox.take_due, batch, _LEASE_MS)
        await asyncio.gather(*(self._one(call) for call in due))
        if due:
            self._changed()
        return len(due)

    async def hear(self, endpoint: str, word: StatusUpdate) -> str:
        """A word that a reconciliation brought, as if it had been called in: ``applied``, ``duplicate``, ``orphan``, ``busy``.

        Raises:
            LookupError: no such endpoint.
        """
        outcome = await self._apply(Speaker(endpoint, self._endpoints[endpoint].adapter.info.name), word)
        self._changed()
        return outcome

    async def _one(self, due: DueCallback) -> None:
        endpoint = self._endpoints.get(due.endpoint)
        if endpoint is None:
            await self._put_before_person(due, "unreadable", "unreadable_callback", "endpoint_gone")
            return
        if "#" in due.event_id and due.event_id.endswith(due.digest[:16]):
            await self._put_before_person(due, "duplicate", "contradiction", "other_content")
            return
        try:
            call = unpack_call(self._store.unseal(due.call_sealed, of_call(due.id)))
            inbound = [_matched(word, due.matched) for word in await _parsed(endpoint.adapter, call)]
        except UnreadableCallback as error:
            await self._put_before_person(due, "unreadable", "unreadable_callback", error.code)
            return
        except Exception as error:  # hostile bytes must not stop the loop; they are kept for a person
            log.error("parse_failed", endpoint=due.endpoint, callback=due.id, error=type(error).__name__)
            await self._put_before_person(due, "unreadable", "unreadable_callback", type(error).__name__)
            return
        speaker = Speaker(due.endpoint, endpoint.adapter.info.name)
        await self._reach("parsed")
        try:
            outcomes = [await self._apply(speaker, word, due.id) for word in inbound]
        except Exception as error:  # one call that cannot be applied must not hold up the others
            log.error(
                "apply_failed", endpoint=due.endpoint, callback=due.id, error=type(error).__name__, tries=due.tries
            )
            await self._later(due, due.state, type(error).__name__)
            return
        await self._finish(due, outcomes)

    async def _finish(self, due: DueCallback, outcomes: list[str]) -> None:
        await self._reach("moved")
        if "busy" in outcomes:
            await self._store.write("give_back_callback", (due.id, _BUSY_MS))
        elif "orphan" in outcomes:
            await self._later(due, "orphan", "not_known")
        else:
            fresh = not outcomes or "applied" in outcomes or due.tries > 1
            await self._store.run(_found, due, "applied" if fresh else "duplicate")
            seconds = (self._store.now_ms() - due.received_at) / 1000
            self._store.watch.applied(due.endpoint, "applied" if fresh else "duplicate", seconds)
        log.info("applied", endpoint=due.endpoint, callback=due.id, outcomes=sorted(set(outcomes)), tries=due.tries)

    async def _later(self, due: DueCallback, state: str, code: str) -> None:
        """Try the call again after the next wait; when the waits are over, a person looks. It rests then, until something of
        its platform gets a number (``inbox.wake``) or the person has said what it is about."""
        wait_ms = next_look_ms(self._settings.orphan, due.tries, self._store.now_ms() - due.received_at)
        if wait_ms is not None:
            await self._store.write("move_callback", (due.id, state, code, wait_ms))
        else:
            await self._put_before_person(due, "orphan", "orphan_callback", code)

    async def _put_before_person(self, due: DueCallback, state: str, task: str, code: str) -> None:
        look = NewTask(self._store.ids.new("task"), task, due.id, due.endpoint, code[:64])

        def both() -> Operation[bool]:
            yield "move_callback", [(due.id, state, code[:64], _FAR_MS)]
            opened = yield "open_task", [look.row(due.id, "")]
            return bool(opened)

        if not await self._store.run(both):
            return  # it stood before a person already, and was looked at once more
        self._store.watch.applied(due.endpoint, state, (self._store.now_ms() - due.received_at) / 1000)
        log.warning("callback_kept", endpoint=due.endpoint, callback=due.id, state=state, code=code[:64])

    async def _apply(self, speaker: Speaker, word: Inbound, call: str | None = None) -> str:
        """``call``: the stored call that brought the word. What is being sent is not waited for: the call comes back."""
        ended = await decided(
            partial(self._round, speaker, word),
            lambda unit: commit_traced(self._store, unit, speaker.endpoint, call),
            again=lambda outcome: isinstance(outcome, Moved),
            rounds=_AGAIN,
        )
        if ended.unit is None or ended.outcome is None:
            return ended.said
        match ended.outcome:
            case Committed() | MatterConflict():
                await tell_delivered(self._store, ended.unit, ended.outcome)
                return ended.said
            case AlreadyApplied():
                return "duplicate"
            case Moved() | InFlight():
                return "busy"
        raise unlikely("a word", ended.outcome)

    async def _round(self, speaker: Speaker, word: Inbound) -> Round[str]:
        if await self._store.row("was_applied", speaker.endpoint, word.event_id) is not None:
            return Round("duplicate")
        pause: str | None = None
        if isinstance(word, ReferralOffered):
            unit: Unit | None = offer(self._store, speaker, word, self._clockwork)
        else:
            unit, pause = await self._decide(speaker, word)
        if unit is None:
            return Round("orphan")
        if pause is not None:
            unit.pauses = [(speaker.endpoint, "platform", pause)]
        return Round("applied", unit)

    async def _decide(self, speaker: Speaker, word: StatusUpdate) -> tuple[Unit | None, str | None]:
        try:
            found = await find(self._store, speaker.endpoint, word.about, word.keys)
        except Contradicting:
            return self._contradicting(speaker, word), None
        if found is None:
            return None, None
        file = await self._store.load(found.subject)
        if file is None:
            return None, None
        if word.about is About.DELIVERY:
            delivery = next((row for row in file.deliveries if row.id == found.about), None)
            return (None, None) if delivery is None else self._words.about_delivery(file, delivery, speaker, word)
        if word.about is About.REPORT:
            return self._words.about_report(file, found.about, speaker, word), None
        matter = file.matters.get(found.about)
        if matter is None or not _may_speak(file, matter, speaker.endpoint):
            return None, None
        background = Background(
            case=await self._contexts.case_of(file),
            agreement=await self._contexts.agreement_of(file, matter),
            early=await self._early(file, matter),
            clocks=await self._store.rows("clocks_of", file.subject),
        )
        return self._words.about_matter(file, matter, speaker, word, background), None

    async def _early(self, file: CaseFile, matter: Matter) -> tuple[tuple[str, datetime], ...]:
        """Words about the matter that came before their turn, in order of arrival."""
        found = []
        for row in await self._store.rows("events_of", file.subject):
            if row["about"] == matter.id and '"early"' in row["data"]:
                facts = orjson.loads(row["data"])
                found.append((facts["status"], datetime.fromisoformat(facts["at"])))
        return tuple(found)

    def _contradicting(self, speaker: Speaker, word: StatusUpdate) -> Unit:
        """Two keys name two things: nothing moves, a person looks. The task hangs on a subject of its own."""
        identifier = self._store.ids.new("task")
        return Unit(
            subject=identifier,
            organization="",
            subject_kind="task",
            applied=[(speaker.endpoint, word.event_id)],
            tasks=[NewTask(identifier, "contradiction", identifier, speaker.endpoint, "keys_disagree")],
        )


def _found(due: DueCallback, state: str) -> Operation[None]:
    """The call has found its thing; nobody need look for it any more."""
    yield "move_callback", [(due.id, state, None, 0)]
    if due.state == "orphan":
        yield "close_task", [("orphan_callback", due.id, state)]


async def _parsed(adapter: Adapter[Any], call: InboundCall) -> tuple[Inbound, ...]:
    """What the call says. A long one is read off the event loop, which must not wait for it."""
    if len(call.body) <= _LONG:
        return adapter.parse_callback(call)
    words: tuple[Inbound, ...] = await adapter.tools.blocking(adapter.parse_callback, call)
    return words


def _matched(word: Inbound, delivery: str | None) -> Inbound:
    """The word with the delivery that a person named (人工对应) before its own numbers, which found nothing."""
    if delivery is None or isinstance(word, ReferralOffered):
        return word
    return replace(word, keys=(Key(KeyKind.DELIVERY, delivery), *word.keys))


def _may_speak(file: CaseFile, matter: Matter, endpoint: str) -> bool:
    """Whether the platform has anything to do with it: something of the case is or was owed to it, or the referral is its own.

    Another platform's word about it is an orphan, though it knows our number."""
    if matter.kind == "referral" and matter.business_key.startswith(f"{endpoint}|"):
        return True
    return any(delivery.endpoint == endpoint for delivery in file.deliveries)
