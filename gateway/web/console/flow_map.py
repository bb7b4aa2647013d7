"""The flow map's geometry: organisations → gateway → platforms, heights by count, the failing share apart (消息流向)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.deliveries import FAILED_STATES
from gateway.store.console import Figures
from gateway.store.pauses import WINDOW

WIDTH: Final = 1240
_TOP: Final = 44
_NODE: Final = 34
_GAP: Final = 14
_LARGE: Final = 300
_LEFT, _BOX, _RIGHT = (12, 256), (492, 748), (976, 1228)
_NODES: Final = 8


@dataclass(frozen=True, slots=True)
class Node:
    """One organisation or platform. ``key`` filters the list behind it, empty for the folded rest."""

    key: str
    name: str
    count: int
    top: float
    height: float
    failing: int = 0
    standing: str = "normal"

    @property
    def middle(self) -> float:
        """Where its text stands."""
        return self.top + self.height / 2

    @property
    def percent(self) -> int:
        """The failing share."""
        return round(100 * self.failing / self.count) if self.count else 0


@dataclass(frozen=True, slots=True)
class Ribbon:
    """One flow as an SVG path, and the failing part of it as another."""

    path: str
    failing: str
    place: int


@dataclass(frozen=True, slots=True)
class FlowMap:
    """The whole picture."""

    width: int
    height: int
    left: tuple[Node, ...]
    right: tuple[Node, ...]
    inward: tuple[Ribbon, ...]
    outward: tuple[Ribbon, ...]
    box_top: float
    box_height: float


def draw(figures: Figures, organizations: Mapping[str, str], platforms: Mapping[str, str]) -> FlowMap:
    """The picture of these figures; names by code."""
    came = {
        series.partition("|")[2]: many for series, many in figures.series.items() if series.startswith("in|") and many
    }
    sources = sorted(came.items(), key=lambda item: (-item[1], item[0]))
    shown = [(code, organizations.get(code, code), many) for code, many in sources]
    if len(shown) > _NODES:
        rest = shown[_NODES - 1 :]
        shown = [*shown[: _NODES - 1], ("", "", sum(many for *_, many in rest))]
    left = _stack([(key, name, many, 0, "normal") for key, name, many in shown])
    right = _stack([(name, platforms.get(name, name), *_platform(figures, name)) for name in sorted(platforms)])
    height = max((node.top + node.height for node in (*left, *right)), default=_TOP + 260.0)
    box_height = max(height - _TOP, 252.0)
    inward = _ribbons(left, _LEFT[1], _BOX[0], _TOP, box_height, to_box=True)
    outward = _ribbons(right, _BOX[1], _RIGHT[0], _TOP, box_height, to_box=False)
    return FlowMap(WIDTH, round(_TOP + box_height + 8), left, right, inward, outward, _TOP, box_height)


def _platform(figures: Figures, name: str) -> tuple[int, int, str]:
    standing = figures.standing[name]
    ended = {
        series.rpartition("|")[2]: many for series, many in figures.series.items() if series.startswith(f"out|{name}|")
    }
    failing = sum(ended.get(state, 0) for state in FAILED_STATES) + standing["retrying"] + standing["in_doubt"]
    open_now = standing["pending"] + standing["retrying"] + standing["in_doubt"]
    open_now += standing["relayed"]  # as it stands: in the window the same delivery was relayed and then delivered
    count = ended.get("delivered", 0) + sum(ended.get(state, 0) for state in FAILED_STATES) + open_now
    row = next((row for row in figures.endpoints if row["name"] == name), None)
    if row is not None and row["paused"]:
        word = "window" if (row["paused_by"] or "").startswith(WINDOW) else "paused"
    elif row is not None and row["breaker"] != "closed":
        word = "open"
    else:
        word = "troubled" if count and failing / count > 0.1 else "normal"
    return count, failing, word


def _stack(entries: list[tuple[str, str, int, int, str]]) -> tuple[Node, ...]:
    total = sum(entry[2] for entry in entries)
    nodes, top = [], float(_TOP)
    for key, name, count, failing, standing in entries:
        least = _NODE if standing == "normal" and not failing else 46
        height = max(least, 46 if len(entries) < 6 else _NODE, _LARGE * count / total if total else 0)
        nodes.append(Node(key, name, count, top, height, failing, standing))
        top += height + _GAP
    return tuple(nodes)


def _ribbons(
    nodes: tuple[Node, ...], x0: float, x1: float, top: float, height: float, *, to_box: bool
) -> tuple[Ribbon, ...]:
    total = sum(node.height for node in nodes if node.count)
    at, made = top, []
    for place, node in enumerate(nodes):
        if not node.count:
            continue
        share = height * node.height / total
        bad = node.failing / node.count
        inner, outer = (at, share), (node.top, node.height)
        first, second = (outer, inner) if to_box else (inner, outer)
        path = _band(x0, first[0], first[1] * (1 - bad), x1, second[0], second[1] * (1 - bad))
        failing = ""
        if bad:
            low0, low1 = first[0] + first[1] * (1 - bad), second[0] + second[1] * (1 - bad)
            failing = _band(x0, low0, max(first[1] * bad, 2), x1, low1, max(second[1] * bad, 2))
        made.append(Ribbon(path, failing, place))
        at += share
    return tuple(made)


def _band(x0: float, y0: float, h0: float, x1: float, y1: float, h1: float) -> str:
    half = (x0 + x1) / 2
    return (
        f"M{x0:.0f} {y0:.1f}C{half:.0f} {y0:.1f} {half:.0f} {y1:.1f} {x1:.0f} {y1:.1f}"
        f"V{y1 + h1:.1f}C{half:.0f} {y1 + h1:.1f} {half:.0f} {y0 + h0:.1f} {x0:.0f} {y0 + h0:.1f}Z"
    )
