"""A person's word on a clock (中止, 恢复, 延长): what no document or platform tells, with its reason and its article.

The parties agree to prolong a mediation, an appraisal is made, a president approves more time: an operator or the organisation
itself says so. Every act is audited; the clock, its alarms and the latest safe time of what still waits move with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from contracts.chinese_calendar import beijing_day
from contracts.deadlines import Clock, Law, extend, recompute, resume, suspend
from contracts.findings import Code, Finding
from contracts.moments import from_ms
from contracts.status import ClockState
from contracts.statutes import NoRuleInForce, Rule
from gateway.flow.clock import Clockwork, clock_of, move_safe_times
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Principal, Refused
from gateway.flow.moving.rounds import Round, decided
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.store import Store
from gateway.store.unit import Committed, NewClock, Unit

_ENDED = frozenset({ClockState.MET, ClockState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Act:
    """What is said: ``on`` the day from which it holds (today), why, and the article where the law's data name none or another
    one applies. ``extended_by``: by how much the period is prolonged in all, in the rule's unit."""

    reason: str
    on: date | None = None
    article: str | None = None
    extended_by: int = 0


class ClockActs:
    """Suspends, resumes and prolongs kept clocks."""

    def __init__(self, store: Store, law: Law, changed: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._law = law
        self._changed = changed
        self._clockwork = Clockwork(store, law)

    async def suspend(self, principal: Principal, identifier: str, act: Act) -> Row:
        """Stop counting from a day on; the same day again changes nothing. Returns the clock's row.

        Raises:
            Refused: 404 no such clock of the caller's; 409 ``clock_state`` it does not run, ``no_suspension`` the law knows no
                ground and no article was given; 422 a day that is not the clock's.
        """

        def change(clock: Clock, rule: Rule, day: date) -> Clock:
            if clock.state is ClockState.SUSPENDED and clock.pauses[-1].start == day:
                return clock
            if rule.pause_citation is None and act.article is None:
                raise Refused(409, "no_suspension", extra={"rule": rule.id})
            return suspend(_in(clock, ClockState.RUNNING), day)

        return await self._act(principal, identifier, act, "suspended", change)

    async def resume(self, principal: Principal, identifier: str, act: Act) -> Row:
        """Count again from a day on, which counts. Raises ``Refused`` as ``suspend``."""

        def change(clock: Clock, rule: Rule, day: date) -> Clock:
            return resume(_in(clock, ClockState.SUSPENDED), day, self._law)

        return await self._act(principal, identifier, act, "resumed", change)

    async def extend(self, principal: Principal, identifier: str, act: Act) -> Row:
        """Prolong the period to ``extended_by`` in all; the same again changes nothing. One that has expired runs again where
        its new end lies ahead.

        Raises:
            Refused: as ``suspend``; 409 ``no_extension``: the law allows none, or not so long a one.
        """

        def change(clock: Clock, rule: Rule, day: date) -> Clock:
            more = act.extended_by - clock.extended_by
            if more == 0:
                return clock
            if clock.state in _ENDED:
                raise Refused(409, "clock_state", extra={"state": str(clock.state)})
            over = clock.state is ClockState.EXPIRED
            try:
                longer = extend(replace(clock, state=ClockState.RUNNING) if over else clock, more, self._law)
            except ValueError:
                raise Refused(409, "no_extension", extra=_most(rule)) from None
            ends = longer.ends_at.timestamp() * 1000
            return replace(longer, state=ClockState.EXPIRED) if over and ends <= self._store.now_ms() else longer

        return await self._act(principal, identifier, act, "extended", change)

    async def _act(
        self,
        principal: Principal,
        identifier: str,
        act: Act,
        word: str,
        change: Callable[[Clock, Rule, date], Clock],
    ) -> Row:
        today = beijing_day(from_ms(self._store.now_ms()))
        day = act.on or today

        async def decide() -> Round[tuple[Row, NewClock | None]]:
            row = await self._store.row("clock", identifier)
            if row is None or not principal.acts_for(row["organization"]):
                raise Refused(404, "not_found")
            file = await self._store.load(row["subject"])
            row = await self._store.row("clock", identifier)  # as it stands at that sequence, or later
            if file is None or row is None:
                raise Refused(404, "not_found")
            clock = clock_of(row)
            if not clock.start <= day <= today:
                raise _not_on(clock.start if day < clock.start else None)
            rule = self._rule(clock)
            try:
                changed = change(clock, rule, day)
            except ValueError:
                raise _not_on(clock.pauses[-1].start if clock.pauses else clock.start) from None
            if changed == clock:
                return Round((row, None))
            unit = Unit(file.subject, file.organization, file.sequence, subject_kind=file.kind)
            more: dict[str, Any] = _ground(rule, act, word) | {"at": f"{day.isoformat()}T00:00:00+08:00"}
            if word == "extended":
                more["extended_by"] = changed.extended_by
            made = self._clockwork.put(unit, row["id"], row["about"], changed, word, more)
            told = {"rule": rule.id, "on": day.isoformat(), "due": made.due_on, "extended_by": changed.extended_by}
            entry = AuditEntry(principal.client, f"clock.{word}", row["id"], act.reason, compact(told | _article(act)))
            unit.audited = (entry, self._store.now_ms())
            return Round((row, made), unit)

        ended = await decided(decide, self._store.commit)
        row, made = ended.said
        if made is None:
            return row
        if not isinstance(ended.outcome, Committed):
            raise Refused(409, "busy")
        if made.safe_at != row["safe_at"]:
            await self._store.run(move_safe_times, row["subject"], row["safe_at"], made.safe_at)
        self._changed()
        turned = await self._store.row("clock", identifier)
        return row if turned is None else turned

    def _rule(self, clock: Clock) -> Rule:
        try:
            recompute(clock, self._law)
            return self._law.rulebook.in_force(clock.rule, clock.start)
        except (NoRuleInForce, ValueError):
            raise Refused(409, "clock_state", extra={"state": str(clock.state)}) from None


def _not_on(earliest: date | None) -> Refused:
    """The refusal of a day: one before the clock's own (``earliest``), or one that has not come."""
    if earliest is None:
        told = Finding.of("/on", Code.TIME_IN_FUTURE)
    else:
        told = Finding.of("/on", Code.TIME_ORDER, earlier=earliest.isoformat())
    return Refused(422, "body_field", (told,))


def _in(clock: Clock, state: ClockState) -> Clock:
    if clock.state is not state:
        raise Refused(409, "clock_state", extra={"state": str(clock.state)})
    return clock


def _most(rule: Rule) -> dict[str, Any]:
    most = None if rule.extension is None else rule.extension.length
    return {"rule": rule.id} | ({} if most is None else {"most": most})


def _ground(rule: Rule, act: Act, word: str) -> dict[str, str]:
    """The article that the act stands on: the one that was given, else the law's own."""
    if act.article is not None:
        return _article(act)
    cited = rule.extension_citation if word == "extended" else rule.pause_citation
    return {} if cited is None else {"article": cited[0], "article_en": cited[1]}


def _article(act: Act) -> dict[str, str]:
    return {} if act.article is None else {"article": act.article}
