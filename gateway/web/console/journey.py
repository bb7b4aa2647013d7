"""The case journey's geometry: who told whom what, in order, over all platforms, up to the deadlines that run (案件全程)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from gateway.store.casefile import CaseFile, DeliveryRow
from gateway.store.engine import Row
from gateway.web.console import words
from gateway.web.console.desk import Visit
from gateway.web.console.risks import rule_of

_LEFT: Final = 150
_TOP: Final = 64
_LANE: Final = 58
_WIDE: Final = 1290
_STEPS: Final = 60
_DEADLINES: Final = 3
_TIME_GAP: Final = 92
_COLUMN: Final = 40
_LOOSE: Final = 128
"""The least room of a column, and what it has on average where there is room enough."""

_ASIDE: Final = 7
"""How far beside its arrow a label begins."""

_CLEAR: Final = 12
"""What stays free behind a text, whatever the reader's fonts."""

_AT_ONCE_MS: Final = 60_000

ORGANIZATION: Final = "organization"
GATEWAY: Final = "gateway"


@dataclass(frozen=True, slots=True)
class Lane:
    """One party of the journey: a horizontal line."""

    key: str
    name: str
    y: float
    place: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """One message between two lanes. ``sign`` and ``tone`` say how it went; ``open`` ones are awaited."""

    x: float
    y0: float
    y1: float
    label: str
    label_y: float
    sign: str
    tone: str
    open: bool
    link: str
    said: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """A vertical line: a clock that runs."""

    x: float
    label: str
    day: str


@dataclass(slots=True)
class Journey:
    """The whole picture; ``folded`` steps before the first one are in the table alone."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    arrows: list[Arrow] = field(default_factory=list)
    times: list[tuple[float, str]] = field(default_factory=list)
    deadlines: list[Deadline] = field(default_factory=list)
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """One step before it has a place: from lane to lane at a time (ms)."""

    at: int
    order: int
    source: str
    target: str
    label: str
    sign: str
    tone: str
    open: bool
    link: str
    said: str
    fan: str = ""


def moves(visit: Visit, file: CaseFile, events: Sequence[Row], messages: Sequence[Row]) -> list[Move]:
    """Every step in order: what the organisation sent, what each platform was sent, what it said."""
    by_sequence = {row["sequence"]: row for row in messages}
    owed: dict[str, list[DeliveryRow]] = {}
    for delivery in file.deliveries:
        owed.setdefault(delivery.message, []).append(delivery)
    found: list[Move] = []
    for row in events:
        facts: dict[str, Any] = orjson.loads(row["data"])
        noun, _, word = row["type"].partition(".")
        message = by_sequence.get(row["sequence"])
        endpoint = facts.get("endpoint")
        if endpoint is not None and noun not in ("delivery", "clock", "task", "endpoint"):
            found.append(_word(visit, row, noun, word, endpoint))
        elif message is not None and noun != "delivery" and message["source"] not in visit.desk.house.endpoints:
            found.append(_sent(visit, row, message))
        if message is not None:
            found += [_told(visit, delivery, row["at"]) for delivery in owed.pop(message["id"], [])]
    for rest in owed.values():
        found += [_told(visit, delivery, delivery.created_at) for delivery in rest]
    return sorted(found, key=lambda move: (move.at, move.order, move.target))


def _sent(visit: Visit, row: Row, message: Row) -> Move:
    label = visit.say("short", message["type"])
    said = visit.t("journey.sent", what=visit.type_title(message["type"]))
    return Move(row["at"], 0, ORGANIZATION, GATEWAY, label, "✓", "good", False, f"messages/{message['id']}", said)


def _word(visit: Visit, row: Row, noun: str, word: str, endpoint: str) -> Move:
    known = word not in ("unknown_status", "noted")
    status = visit.title(noun, word) if known else visit.t(f"journey.{word}")
    tone = "good" if word not in _BAD else "bad"
    if not known or word == "correction_required":
        tone = "warn"
    sign = {"good": "✓", "bad": "✕", "warn": "!"}[tone]
    said = visit.t("journey.said", who=visit.platform(endpoint), what=f"{visit.title('noun', noun)} {status}")
    return Move(row["at"], 2, endpoint, GATEWAY, status, sign, tone, False, "", said)


_BAD: Final = frozenset(
    {"rejected", "not_accepted", "declined", "refused", "recalled", "expired", "breached", "deemed_withdrawn"}
)


def _told(visit: Visit, delivery: DeliveryRow, at: int) -> Move:
    state = "retrying" if delivery.state == "pending" and delivery.code else delivery.state
    sign, tone = words.SIGNS[state]
    label = visit.say("short", delivery.type)
    if delivery.attempts > 1:
        label += " " + visit.t("journey.retries", n=delivery.attempts - 1)
    word = visit.say("state", state)
    said = visit.t(
        "journey.told", who=visit.platform(delivery.endpoint), what=visit.type_title(delivery.type), state=word
    )
    ended = delivery.finished_at or (delivery.created_at if state == "relayed" else visit.now)
    waiting = delivery.state in ("pending", "relayed", "in_doubt")
    # What went out at once stands in one column with its message; what took longer, at its own end.
    soon = ended - at < _AT_ONCE_MS
    link = f"deliveries/{delivery.id}"
    return Move(
        at if soon else max(ended, at),
        3,
        GATEWAY,
        delivery.endpoint,
        label,
        sign,
        tone,
        waiting,
        link,
        said,
        delivery.message,
    )


def held(visit: Visit, found: Iterable[dict[str, Any]]) -> list[Move]:
    """Holds of platforms that the case met, as steps on the platform's line: their begin, and their end once past."""
    steps = []
    for one in found:
        who = visit.platform(one["endpoint"])
        kind = visit.t("hold.window") if one["planned"] else visit.t("hold.pause")
        said = visit.t("journey.held", who=who, kind=kind, by=one["who"], reason=one["reason"])
        steps.append(_stand(one["starts"], one["endpoint"], kind, "‖", "warn", said))
        if one["word"] == "over":
            why = f"{one['ended_by']} {one['end_reason']}".strip() or visit.t("hold.by_itself")
            said = visit.t("journey.freed", who=who, why=why)
            steps.append(_stand(one["ends"], one["endpoint"], visit.t("hold.resumed"), "▸", "good", said))
    return steps


def _stand(at: int, endpoint: str, label: str, sign: str, tone: str, said: str) -> Move:
    return Move(at, 1, endpoint, endpoint, label, sign, tone, False, f"platforms/{endpoint}", said)


def draw(visit: Visit, steps: Sequence[Move], clocks: Iterable[Row]) -> Journey:
    """The picture of these steps. No text of it touches another, or a line that is not its own."""
    shown = list(steps)[-_STEPS:]
    columns = _columns(shown)
    platforms = list(dict.fromkeys(key for step in shown for key in (step.source, step.target)))
    names = [ORGANIZATION, GATEWAY, *sorted(key for key in platforms if key not in (ORGANIZATION, GATEWAY))]
    lanes = tuple(
        Lane(key, visit.t(f"journey.{key}") if place < 2 else visit.platform(key), _TOP + place * _LANE, place)
        for place, key in enumerate(names)
    )
    at = {lane.key: lane.y for lane in lanes}
    dues = [_due(visit, row) for row in clocks if row["state"] == "running"][:_DEADLINES]
    room = sum(max(_wide(label), _wide(day)) + _CLEAR for label, day in dues)
    first = _LEFT + 30
    places, behind = _spread(shown, columns, {lane.key: lane.place for lane in lanes}, _WIDE - first - room)
    right = first + max(behind, (places[-1] if places else 0) + _TIME_GAP)
    made = Journey(0, round(_TOP + (len(names) - 1) * _LANE + 62), lanes, folded=len(steps) - len(shown))
    last = ""
    free = 0.0
    for step, column in zip(shown, columns, strict=True):
        x = first + places[column]
        y0, y1 = at[step.source], at[step.target]
        label_y = _label_y(y0, y1)
        made.arrows.append(Arrow(x, y0, y1, step.label, label_y, step.sign, step.tone, step.open, step.link, step.said))
        stamp = words.short_time(step.at)[:11]
        if stamp != last and x >= free:
            made.times.append((x, stamp if stamp[:5] != last[:5] else stamp[6:]))
            last, free = stamp, x + _TIME_GAP
    edge = 0.0
    for label, day in dues:
        half = (max(_wide(label), _wide(day)) + _CLEAR) / 2
        x = max(edge + half, first + behind)
        made.deadlines.append(Deadline(x, label, day))
        edge = x + half
    made.width = max(round(max(right, edge) + 16), 700)
    return made


def _due(visit: Visit, row: Row) -> tuple[str, str]:
    """What a clock is called, and its day with the time that is left."""
    rule = rule_of(row["rule"], row["due_on"])
    title = (rule.zh if visit.chinese else rule.en) if rule is not None else row["rule"]
    left = visit.t("left", span=words.span(words.day_end(row["due_on"]) - visit.now, visit.chinese))
    if words.day_end(row["due_on"]) < visit.now:
        left = visit.t("over")
    return words.fit(title, 28), f"{words.short_day(row['due_on'], visit.now)} {left}"


def _wide(text: str) -> float:
    """The most pixels that a label's text takes."""
    return sum(7.2 if character < "\u2000" else 12.6 for character in text)


def _spread(
    steps: Sequence[Move], columns: Sequence[int], place: dict[str, int], room: float
) -> tuple[list[float], float]:
    """Where each column stands, and where the last text ends: a text ends before the next thing that stands between the same
    lanes. Wider than that where there is room, never narrower."""
    least: list[float] = []
    ends: dict[int, float] = {}
    texts: list[tuple[int, float]] = []
    for column in range(max(columns, default=-1) + 1):
        there = [step for step, at in zip(steps, columns, strict=True) if at == column]
        crossed = {gap for step in there for gap in _gaps(place[step.source], place[step.target])}
        x = max([least[-1] + _COLUMN if least else 0.0, *(ends.get(gap, 0.0) for gap in crossed)])
        least.append(x)
        for step in there:
            long = _ASIDE + _wide(f"{step.sign} {step.label}") + _CLEAR
            ends[_gap_of_label(place[step.source], place[step.target])] = x + long
            texts.append((column, long))
    slack = min(room - max(ends.values(), default=0.0), _LOOSE * len(least) - (least[-1] if least else 0.0))
    wider = max(slack, 0.0) / max(len(least) - 1, 1)
    places = [x + wider * column for column, x in enumerate(least)]
    return places, max((places[column] + long for column, long in texts), default=0.0)


def _gaps(source: int, target: int) -> range:
    """The gaps between lanes that a step fills: a gap has the number of the lane above it."""
    return range(target - 1, target + 1) if source == target else range(min(source, target), max(source, target))


def _gap_of_label(source: int, target: int) -> int:
    """The gap in which a step's label stands: next to its target, above the line of what stands still."""
    return target - 1 if source <= target else target


def _columns(steps: Sequence[Move]) -> list[int]:
    """The column of each step: deliveries of one message that go out at once share one."""
    columns: list[int] = []
    column = -1
    for place, step in enumerate(steps):
        before = steps[place - 1] if place else None
        taken = {other.target for other, at in zip(steps, columns, strict=False) if at == column}
        together = before is not None and step.fan and step.fan == before.fan and step.target not in taken
        if not together:
            column += 1
        columns.append(column)
    return columns


def _label_y(y0: float, y1: float) -> float:
    """In the gap next to the target, above the line of what stands still."""
    if y0 == y1:
        return y1 - 12
    return y1 - (_LANE / 2) * (1 if y1 > y0 else -1) + 4
