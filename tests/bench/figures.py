"""A measurement's figures: rates with CPU beside them, and ratios with what they are held against."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Sample:
    """One round of one thing: operations a second, CPU microseconds an operation, further numbers by name."""

    what: str
    rate: float = 0.0
    cpu_us: float = 0.0
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two figures of one run against each other. ``goal``: at least (``at_most``: at most) so much is wanted."""

    what: str
    value: float
    goal: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; ``None`` without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal


@dataclass(slots=True)
class Result:
    """One measurement: its samples and the ratios made of their medians."""

    name: str
    title: str
    samples: list[Sample] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, sample: Sample) -> Sample:
        """Keep a sample, and say it."""
        self.samples.append(sample)
        more = "".join(f"  {name} {value:,.4g}" for name, value in sample.more.items())
        rate = f"{sample.rate:>10,.0f}/s" if sample.rate else " " * 12
        cpu = f"{sample.cpu_us:>8,.0f} µs CPU" if sample.cpu_us else " " * 15
        print(f"  {sample.what:<46}{rate}{cpu}{more}", flush=True)
        return sample

    def median(self, what: str, of: str = "rate") -> float:
        """The median of a thing's samples: ``rate``, ``cpu_us``, or one of its further numbers. NaN where there is none."""
        found = [
            getattr(sample, of) if of in ("rate", "cpu_us") else sample.more[of]
            for sample in self.samples
            if sample.what == what and (of in ("rate", "cpu_us") or of in sample.more)
        ]
        return statistics.median(found) if found else float("nan")

    def compare(self, what: str, one: float, other: float, goal: float | None = None, *, at_most: bool = False) -> None:
        """Keep the ratio of two figures."""
        self.ratios.append(Ratio(what, one / other if other else float("nan"), goal, at_most))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def table(results: Iterable[Result]) -> str:
    """The figures as Markdown, for the README."""
    lines = ["| 测量 measurement | 每秒 per second | CPU µs | |", "| --- | ---: | ---: | --- |"]
    for result in results:
        for what in dict.fromkeys(sample.what for sample in result.samples):
            names = dict.fromkeys(name for one in result.samples if one.what == what for name in one.more)
            more = ", ".join(f"{name} {result.median(what, name):,.4g}" for name in names)
            rate, cpu = result.median(what), result.median(what, "cpu_us")
            lines.append(
                f"| {result.name}: {what} | {f'{rate:,.0f}' if rate else '–'} | {f'{cpu:,.0f}' if cpu else '–'} | {more} |"
            )
    lines += ["", "| 比值 ratio | 测得 measured | 目标 wanted |", "| --- | ---: | ---: |"]
    for result in results:
        for ratio in result.ratios:
            goal = "–" if ratio.goal is None else f"{'≤' if ratio.at_most else '≥'} {ratio.goal:g}"
            mark = {True: " ✓", False: " ✗", None: ""}[ratio.met]
            lines.append(f"| {result.name}: {ratio.what} | {ratio.value:.2f}{mark} | {goal} |")
    return "\n".join(lines) + "\n"


def keep(results: Sequence[Result], about: dict[str, str], directory: Path) -> Path:
    """Write every sample as JSON and the table as Markdown; returns the JSON's path."""
    directory.mkdir(parents=True, exist_ok=True)
    raw = directory / "bench.json"
    kept = {"about": about, "results": [asdict(result) for result in results]}
    raw.write_text(json.dumps(kept, ensure_ascii=False, indent=1), "utf-8")
    (directory / "bench.md").write_text(table(results), "utf-8")
    return raw
