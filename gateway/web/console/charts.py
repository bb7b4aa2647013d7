"""Geometry of the line and bar charts; the templates draw them, with a table of the same numbers beside each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.store.tally import LATENCY_MS
from gateway.web.console import words

WIDTH: Final = 620
_LEFT, _TOP, _RIGHT, _BOTTOM = 46, 14, 470, 164
_LABEL_GAP: Final = 16


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its path, its end label and where that stands, its sum. ``place`` chooses dash and hue."""

    key: str
    name: str
    points: str
    label_y: float
    total: int
    place: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A line chart with its axes."""

    lines: tuple[Line, ...]
    levels: tuple[tuple[float, int], ...]
    ticks: tuple[tuple[float, str], ...]
    most: int


def lines(
    series: Mapping[str, Mapping[int, int]], since: int, until: int, step: int, names: Mapping[str, str]
) -> Chart:
    """Counts per bucket; buckets without a count are zero."""
    buckets = list(range(since, until + 1, step * 1000)) or [since]
    highest = max((many for values in series.values() for many in values.values()), default=0)
    most = _nice(highest)
    wide = (_RIGHT - _LEFT) / max(len(buckets) - 1, 1)
    tall = (_BOTTOM - _TOP) / most
    made = []
    for place, (key, values) in enumerate(series.items()):
        points = " ".join(
            f"{_LEFT + wide * at:.1f},{_BOTTOM - tall * values.get(bucket, 0):.1f}" for at, bucket in enumerate(buckets)
        )
        made.append(
            Line(
                key,
                names.get(key, key),
                points,
                _BOTTOM - tall * values.get(buckets[-1], 0),
                sum(values.values()),
                place,
            )
        )
    levels = tuple((_BOTTOM - (_BOTTOM - _TOP) * part / 4, most * part // 4) for part in range(5))
    thirds = (0, len(buckets) // 2, len(buckets) - 1)
    shown = words.clock_time if step < 3600 else words.day_hour
    ticks = tuple((_LEFT + wide * at, shown(buckets[at])) for at in thirds)
    return Chart(_apart(made), levels, ticks, most)


def _nice(highest: int) -> int:
    for most in (4, 8, 12, 20, 40, 60, 80, 100, 200, 400, 800, 1000, 2000, 4000, 8000, 10_000):
        if highest <= most:
            return most
    return -(-highest // 4000) * 4000


def _apart(made: list[Line]) -> tuple[Line, ...]:
    """End labels that do not lie on each other."""
    placed: list[Line] = []
    low = float(_TOP)
    for line in sorted(made, key=lambda one: one.label_y):
        y = max(line.label_y, low)
        low = y + _LABEL_GAP
        placed.append(Line(line.key, line.name, line.points, y, line.total, line.place))
    over = max(low - _LABEL_GAP - (_BOTTOM - 4), 0.0)
    return tuple(
        Line(line.key, line.name, line.points, line.label_y - over, line.total, line.place)
        for line in sorted(placed, key=lambda one: one.place)
    )


def bars(classes: Counter[int]) -> list[tuple[str, int, float]]:
    """The classes of times: label, count, height as a part of the highest."""
    highest = max(classes.values(), default=0)
    return [
        (_bound(place), classes[place], classes[place] / highest if highest else 0.0)
        for place in range(len(LATENCY_MS) + 1)
    ]


def _bound(place: int) -> str:
    if place >= len(LATENCY_MS):
        return f"> {LATENCY_MS[-1] // 1000} s"
    bound = LATENCY_MS[place]
    return f"≤ {bound} ms" if bound < 1000 else f"≤ {bound / 1000:g} s"
