"""The clocks: when a statutory period ends, how long it is safe to wait, and which event starts or ends it.

Everything here is pure and takes plain values. Days are Beijing's; the day of the start is not counted; a last day on a
day off rolls on (民事诉讼法 art. 85; arbitration borrows it by 办案规则 art. 19); a due day ends at 24:00 Beijing.
Rules come from ``contracts/statutes.py``, days off from ``contracts/chinese_calendar.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from contracts.chinese_calendar import Calendar, Roll, beijing_day, end_of_day, packaged_calendar
from contracts.status import CLOCK, ClockState
from contracts.statutes import Rule, Rulebook, Unit, holds, packaged_rulebook

SAFE_MARGIN = timedelta(hours=4)
"""Default of the setting ``safe_margin``: what is kept free before a deadline's last moment."""

ALARM_PERCENTS = (50, 75, 90)

CONFIRMATION_RULES: Mapping[str, str] = {"arbitration_review": "D04", "judicial_confirmation": "D07"}
"""Which rule shuts the window of which confirmation route."""

Fact = datetime | date | str
"""What an event tells: a moment, a day, or a code. Moments and days may also come as ISO 8601 text."""

_DAY = timedelta(days=1)
_EARLIEST, _LATEST = date(2008, 1, 1), date(2149, 12, 31)


class OutsideCalendar(ValueError):
    """The start is no day from 2008 to 2149: older than the law, or so far off that it is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Law:
    """What deadlines are computed from: the rules, the days off with the mode of rolling, and the safe margin.

    Without arguments: the packaged data and the defaults. ``optional`` names the rules beside the statutory ones that run
    here too.
    """

    rulebook: Rulebook = field(default_factory=packaged_rulebook)
    calendar: Calendar = field(default_factory=packaged_calendar)
    safe_margin: timedelta = SAFE_MARGIN
    optional: frozenset[str] = frozenset()
    _fresh: dict[tuple[str, date, date], Clock] = field(default_factory=dict, init=False, repr=False, compare=False)

    def fresh_clock(self, rule: Rule, first: date) -> Clock:
        """The clock that a rule starts on a day, where nobody has set its end. All cases of one day share it."""
        place = (rule.id, rule.effective_from, first)
        found = self._fresh.get(place)
        if found is None:
            if len(self._fresh) >= _MOST_FRESH:
                self._fresh.clear()
            found = self._fresh[place] = _clock(rule, first, self, ClockState.RUNNING, None)
        return found


_MOST_FRESH = 10_000
"""Clocks that are remembered: those of about a year's days."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Days that are not counted (中止, 鉴定, 补正): from ``start`` on, up to ``until`` excluded.

    A pause without ``until`` is still open and changes no date yet: how long it will last is not known.
    """

    start: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day is one of those not counted."""
        return self.until is not None and self.start <= day < self.until


@dataclass(frozen=True, slots=True)
class Deadline:
    """One computed period: ``start`` (not counted), ``nominal`` end before rolling, ``due`` last day (counted).

    ``article`` and ``article_en`` cite the law. ``provisional``: a day that decided the result lies in a year whose
    calendar is not published.
    """

    rule: str
    article: str
    article_en: str
    start: date
    nominal: date
    due: date
    provisional: bool
    calendar_version: str

    @property
    def ends_at(self) -> datetime:
        """The last moment: 24:00 Beijing of the due day."""
        return end_of_day(self.due)


@dataclass(frozen=True, slots=True)
class Clock:
    """A statutory deadline attached to a matter (法定期限).

    ``due`` is the last day, ``ends_at`` its last moment, ``latest_safe_time`` that less the safe margin. ``given`` is
    the end that a platform or letter set instead of a computed one. ``extended_by`` counts in the rule's own unit, of a
    given end in days.
    """

    rule: str
    article: str
    start: date
    due: date
    ends_at: datetime
    latest_safe_time: datetime
    state: ClockState
    provisional: bool
    calendar_version: str
    given: datetime | None = None
    extended_by: int = 0
    pauses: tuple[Pause, ...] = ()


# ------------------------------------------------------------------------------------------------------------- counting


def due(
    rule: Rule, start: datetime | date, calendar: Calendar, *, extended_by: int = 0, pauses: Collection[Pause] = ()
) -> Deadline:
    """Compute the last day of a period.

    ``start`` is the day (or an aware moment in it) that sets the period off and is itself not counted. ``extended_by``
    lengthens it in the rule's own unit; ``pauses`` are days not counted. Raises ``ValueError`` for a naive moment, for
    a rule to which the law gives no length, and for months or years prolonged; ``OutsideCalendar`` for a start that no
    period can have.
    """
    first = beijing_day(start)
    if not _EARLIEST <= first <= _LATEST:
        raise OutsideCalendar("the start lies outside 2008 to 2149")
    if rule.length is None:
        raise ValueError(f"{rule.id}: the law names no length")
    if extended_by < 0 or (extended_by and rule.unit in (Unit.MONTH, Unit.YEAR)):
        raise ValueError(f"{rule.id}: cannot be prolonged by {extended_by} {rule.unit.en}")
    nominal = _nominal_end(rule, first, rule.length + extended_by, calendar, pauses)
    last = calendar.rolled(nominal, back=rule.before)
    if rule.unit is Unit.WORKING:
        deciding = _days(first + _DAY, last)
    else:
        deciding = _days(nominal, last) if calendar.roll is not Roll.NONE else ()
    return Deadline(
        rule=rule.id,
        article=rule.citation,
        article_en=rule.citation_en,
        start=first,
        nominal=nominal,
        due=last,
        provisional=not all(calendar.is_certain(day) for day in deciding),
        calendar_version=calendar.version,
    )


def _nominal_end(rule: Rule, start: date, length: int, calendar: Calendar, pauses: Collection[Pause]) -> date:
    def counts(day: date) -> bool:
        return not any(pause.covers(day) for pause in pauses)

    def counts_and_works(day: date) -> bool:
        return counts(day) and calendar.is_working_day(day)

    if rule.before:
        return start - length * _DAY
    if rule.unit is Unit.WORKING:
        return _count(start, length, counts_and_works)
    if rule.unit is Unit.CALENDAR:
        return _count(start, length, counts) if pauses else start + length * _DAY
    end = _months_later(start, length * (12 if rule.unit is Unit.YEAR else 1))
    return _count(end, sum(not counts(day) for day in _days(start + _DAY, end)), counts) if pauses else end


def _count(day: date, number: int, counts: Callable[[date], bool]) -> date:
    while number > 0:
        day += _DAY
        number -= counts(day)
    return day


def _days(one: date, other: date) -> Iterable[date]:
    first, last = min(one, other), max(one, other)
    return (first + n * _DAY for n in range((last - first).days + 1))


def _months_later(day: date, months: int) -> date:
    """The day of the same number, or the month's last where it has none (民法典 art. 202)."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(years + 1, 1, 1) if month == 11 else date(years, month + 2, 1)
    return min(date(years, month + 1, 1) + (day.day - 1) * _DAY, following - _DAY)


def latest_safe_time(last: datetime | date, safe_margin: timedelta = SAFE_MARGIN) -> datetime:
    """The last moment less the safe margin.

    A plain date ends at 24:00 Beijing; a moment (``due_at`` of a letter) at itself. Raises ``ValueError`` for a naive
    moment.
    """
    return _last_moment(last) - safe_margin


def alarm_moments(start: date, safe: datetime) -> Mapping[int, datetime]:
    """When 50, 75 and 90 % of the time until the latest safe time are over.

    The time runs from the period's first moment, 24:00 of its start day. Where the latest safe time lies before that,
    all three are the latest safe time.
    """
    begins = min(end_of_day(start), safe)
    return {percent: begins + (safe - begins) * percent / 100 for percent in ALARM_PERCENTS}


# ---------------------------------------------------------------------------------------------------------- the windows


def confirmation_deadline(route: str, effective_at: datetime | date, law: Law | None = None) -> Deadline:
    """The last day for the joint application, counted from the agreement's effect (协议生效).

    ``arbitration_review`` (仲裁审查确认): D04. ``judicial_confirmation`` (司法确认): D07. Raises ``ValueError`` for
    another route or a naive moment, ``NoRuleInForce`` for an agreement older than the rule, ``OutsideCalendar`` for a
    day that no agreement has.
    """
    if route not in CONFIRMATION_RULES:
        raise ValueError("no confirmation route")
    by = law if law is not None else Law()
    return due(by.rulebook.in_force(CONFIRMATION_RULES[route], beijing_day(effective_at)), effective_at, by.calendar)


def deadline_passed(applied_at: datetime | date, deadline: Deadline) -> bool:
    """Whether the parties applied after the last day.

    The day that counts is that of ``applied_at`` in Beijing, not of the posting. Raises ``ValueError`` for a naive
    moment.
    """
    return beijing_day(applied_at) > deadline.due


# ----------------------------------------------------------------------------------------------------------- the clocks


def clocks_started_by(
    event: str, facts: Mapping[str, Fact], law: Law | None = None, *, optional: Collection[str] = ()
) -> tuple[Clock, ...]:
    """The clocks that an event starts, by the rules in force on their start day.

    ``facts`` are what the event and its documents tell: ``received_at``, ``accepted_at``, ``effective_at``,
    ``applied_at``, ``at``, ``due_at``, ``mediation_due_at``, ``performance_until``, ``limitation_from``; ``route``,
    ``kind``, ``procedure``, ``to``, ``referral_kind``. A rule whose start is not told, or lies where no period can start,
    starts nothing. ``optional`` names rules beside the statutory ones, as the law's own. A rule that an event makes run
    anew has its new start here. Raises ``ValueError`` for a naive or unreadable moment.
    """
    by = law if law is not None else Law()
    clocks = []
    for rule in by.rulebook.of_event(event):
        anew = event in rule.restarts_on
        if (rule.starts_on != event and not anew) or (rule.optional and rule.id not in {*optional, *by.optional}):
            continue
        if not holds(rule.start_where, facts) or (rule.start_unless and holds(rule.start_unless, facts)):
            continue
        names = ("at",) if anew else rule.start_facts
        start = next((facts[name] for name in names if name in facts), None)
        if start is None:
            continue
        first = beijing_day(_read(start))
        if not rule.in_force(first) or not _EARLIEST <= first <= _LATEST:
            continue
        given = _given_end(facts.get(rule.given_fact))
        if given is not None:
            clocks.append(_clock(rule, first, by, ClockState.RUNNING, given))
        elif rule.length is not None:
            clocks.append(by.fresh_clock(rule, first))
    return tuple(clocks)


def states_after(event: str, facts: Mapping[str, Fact], law: Law | None = None) -> Mapping[str, ClockState]:
    """What an event makes of the clocks of its matter: rule id → new state.

    The caller has the clocks at hand and moves those for which it is a step of ``status.CLOCK``: an expired clock, for
    one, is not met afterwards. ``facts`` as above, with ``to`` (of a transfer) and ``open_terms`` (how many terms of
    the agreement are still to be performed, as text).
    """
    by = law if law is not None else Law()
    found: dict[str, ClockState] = {}
    for rule in by.rulebook.of_event(event):
        for turn in rule.turn:
            if event in turn.on and holds(turn.where, facts):
                found[rule.id] = turn.state
    return found


def recompute(clock: Clock, law: Law | None = None) -> Clock:
    """The same clock by the data of ``law``, as when a year's calendar has been published.

    The state stays: whether a moved day brings an expired clock back is the caller's to say. Raises ``NoRuleInForce``
    where the rule is gone.
    """
    by = law if law is not None else Law()
    rule = by.rulebook.in_force(clock.rule, clock.start)
    return _clock(rule, clock.start, by, clock.state, clock.given, clock.extended_by, clock.pauses)


def suspend(clock: Clock, on: datetime | date) -> Clock:
    """Stop counting from the day on (中止). Raises ``ValueError`` where the clock does not run."""
    if ClockState.SUSPENDED not in CLOCK.legal_steps(clock.state):
        raise ValueError(f"{clock.rule}: {clock.state} cannot be suspended")
    return replace(clock, state=ClockState.SUSPENDED, pauses=(*clock.pauses, Pause(beijing_day(on))))


def resume(clock: Clock, on: datetime | date, law: Law | None = None) -> Clock:
    """Count again from the day on, which counts; the days between are added to the period.

    Raises ``ValueError`` where the clock is not suspended or the day lies before the suspension.
    """
    if clock.state is not ClockState.SUSPENDED or not clock.pauses:
        raise ValueError(f"{clock.rule}: not suspended")
    opened, until = clock.pauses[-1], beijing_day(on)
    if not opened.start <= until <= _LATEST:
        raise ValueError(f"{clock.rule}: resumed before it was suspended")
    pauses = (*clock.pauses[:-1], replace(opened, until=until))
    return recompute(replace(clock, state=ClockState.RUNNING, pauses=pauses), law)


def extend(clock: Clock, by: int, law: Law | None = None) -> Clock:
    """Prolong a running or suspended clock by so many of its rule's units (延长).

    Raises ``ValueError`` where the law allows no extension or not so long a one, counting those made before.
    """
    rulebook = (law if law is not None else Law()).rulebook
    allowed = rulebook.in_force(clock.rule, clock.start).extension
    total = clock.extended_by + by
    if by < 1 or clock.state not in (ClockState.RUNNING, ClockState.SUSPENDED):
        raise ValueError(f"{clock.rule}: nothing to prolong")
    if allowed is None or total > (allowed.length if allowed.length is not None else _LONGEST_CONSENT):
        raise ValueError(f"{clock.rule}: no such extension")
    return recompute(replace(clock, extended_by=total), law)


_LONGEST_CONSENT = 1000
"""Where the law leaves the length to consent, more than this is a slip of the pen."""


def _clock(
    rule: Rule,
    start: date,
    law: Law,
    state: ClockState,
    given: datetime | None,
    extended_by: int = 0,
    pauses: tuple[Pause, ...] = (),
) -> Clock:
    if given is None:
        deadline = due(rule, start, law.calendar, extended_by=extended_by, pauses=pauses)
        last_day, ends_at, provisional = deadline.due, deadline.ends_at, deadline.provisional
    else:
        # What a platform or letter fixed by date does not roll; only what is granted later moves it.
        paused = sum((pause.until - pause.start for pause in pauses if pause.until is not None), timedelta())
        ends_at, provisional = given + extended_by * _DAY + paused, False
        last_day = beijing_day(ends_at - timedelta(microseconds=1))
    return Clock(
        rule=rule.id,
        article=rule.citation,
        start=start,
        due=last_day,
        ends_at=ends_at,
        latest_safe_time=ends_at - law.safe_margin,
        state=state,
        provisional=provisional,
        calendar_version=law.calendar.version,
        given=given,
        extended_by=extended_by,
        pauses=pauses,
    )


def _read(fact: Fact) -> datetime | date:
    if not isinstance(fact, str):
        return fact
    return date.fromisoformat(fact) if len(fact) == len("2026-01-01") else datetime.fromisoformat(fact)


def _last_moment(last: datetime | date) -> datetime:
    if not isinstance(last, datetime):
        return end_of_day(last)
    if last.utcoffset() is None:
        raise ValueError("naive time")
    return last


def _given_end(fact: Fact | None) -> datetime | None:
    """The end that was set; platforms write 9999-12-31 for "none", which is no end."""
    if fact is None or (last := _read(fact)).year > _LATEST.year:
        return None
    return _last_moment(last)
