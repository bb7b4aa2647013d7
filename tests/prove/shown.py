"""What every machine hands back: what it tried, what went wrong, how long the gateway needed to stand again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median


class Wrong(StrEnum):
    """The four things that must never be."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    FALSE = "falsely_delivered"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where; never a value out of a document."""

    wrong: Wrong
    what: str

    def __str__(self) -> str:
        return f"{self.wrong}: {self.what}"


@dataclass(slots=True)
class Shown:
    """One machine's row. ``tried`` counts the faults that really came; ``missed`` says what should have been seen and was not,
    as a machine without teeth proves nothing. ``seed``: what its chance came from, where it has any."""

    machine: str
    seed: int | None = None
    tried: int = 0
    faults: list[Fault] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)
    seconds: float = 0.0
    figures: dict[str, float | int | str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether everything was tried and nothing was wrong."""
        return self.tried > 0 and not self.faults and not self.missed

    def count(self, wrong: Wrong) -> int:
        """How many of one kind."""
        return sum(fault.wrong is wrong for fault in self.faults)

    def add(self, faults: Iterable[Fault], where: str = "") -> None:
        """More of what is wrong."""
        self.faults += [Fault(one.wrong, f"{where}: {one.what}" if where else one.what) for one in faults]

    def told(self) -> list[str]:
        """The figures in words, a line for those of each ``line: name``."""
        lines: dict[str, list[str]] = {}
        for name, value in self.figures.items():
            line, _, what = name.rpartition(": ")
            lines.setdefault(line, []).append(f"{what} {value}")
        return [f"{line}: {', '.join(found)}" if line else ", ".join(found) for line, found in lines.items()]

    def recovery(self) -> str:
        """Seconds to stand again, in words."""
        if not self.recovered_s:
            return "–"
        return f"{median(self.recovered_s):.1f} / {max(self.recovered_s):.1f}"
