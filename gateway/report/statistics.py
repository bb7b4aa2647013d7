"""Statistics (统计): the ledger's entries folded into figures. Every figure counts lines of a ledger, so they add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.report.definitions import Basis, Item, definitions
from gateway.report.entry import Entry
from gateway.report.line import missing
from gateway.report.period import Period

Figure = int | Decimal
"""A count, or an amount in yuan."""


def counted(entry: Entry, period: Period) -> dict[str, Figure]:
    """What one case adds to each figure of a period; a figure that it adds nothing to is absent."""
    found: dict[str, Figure] = {}
    if entry.within(period, Basis.RECEIVED):
        found["N01"] = 1
        found["N02"] = int(entry.declined)
        found["Q1"] = int(not missing(entry))
    if entry.within(period, Basis.ACCEPTED):
        found |= {"A01": 1, entry.dispute: 1, entry.organization_class: 1, "M1": entry.amount}
        found |= {"C1": int(entry.workers > 0), "C2": entry.workers, "C3": entry.worker_applicants}
    if entry.within(period, Basis.ENDED) and entry.result is not None:
        found |= {"R0": 1, entry.result: 1, "L1": int(entry.late(period.end))}
    if entry.within(period, Basis.OPEN):
        found |= {"U1": 1, "L2": int(entry.late(period.end))}
    return {code: value for code, value in found.items() if value}


@dataclass(slots=True)
class Statistics:
    """The figures of a period, made by adding entries one by one (``add``)."""

    period: Period
    figures: Counter[str] = field(default_factory=Counter)
    amount: Decimal = Decimal(0)

    def add(self, entry: Entry) -> None:
        """Count one case."""
        for code, value in counted(entry, self.period).items():
            if isinstance(value, Decimal):
                self.amount += value
            else:
                self.figures[code] += value

    def value(self, code: str) -> Figure:
        """A figure by its code."""
        return self.amount if code == "M1" else self.figures[code]

    def items(self, *, reported: bool = False) -> list[tuple[Item, Figure]]:
        """Every figure in its order; ``reported``: those alone that platforms take."""
        return [(item, self.value(item.code)) for item in definitions().items if item.reported or not reported]


@dataclass(frozen=True, slots=True)
class Share:
    """A fraction with its verdict: ``percent`` has one decimal; ``met`` is ``None`` where it does not apply."""

    numerator: int
    denominator: int
    threshold: int
    applies: bool = True

    @property
    def percent(self) -> str | None:
        """``81.8``, rounded down (65.0 is 65 or more, never 64.96); ``None`` without a denominator."""
        if not self.denominator:
            return None
        tenths = 1000 * self.numerator // self.denominator
        return f"{tenths // 10}.{tenths % 10}"

    @property
    def met(self) -> bool | None:
        """Whether it reaches the threshold."""
        if not self.applies or not self.denominator:
            return None
        return 100 * self.numerator >= self.threshold * self.denominator


def success(figures: Statistics, codes: tuple[str, ...], threshold: int) -> Share:
    """The success rate (调解成功率): these results over all that were concluded. 鲁人社函〔2024〕98号 asks for 65 %, and only
    where cases were accepted; which results succeed is the installation's setting, by default agreements and
    settlements."""
    return Share(
        sum(figures.figures[code] for code in codes),
        figures.figures["R0"],
        threshold,
        applies=figures.figures["A01"] > 0,
    )
