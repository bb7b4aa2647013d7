"""What is counted, by which rule and from which source: ``figures.toml`` and ``indicators.toml``, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any


class Basis(StrEnum):
    """Which of a case's days puts it into a period (口径)."""

    RECEIVED = "received"
    """The application came in the period (登记)."""
    ACCEPTED = "accepted"
    """It was accepted in the period (受理)."""
    ENDED = "ended"
    """Its mediation ended in the period (结案)."""
    OPEN = "open"
    """Accepted, and not ended at the end of the period (未结)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One figure of the statistics (统计项). ``reported``: it is part of the report that platforms take."""

    code: str
    zh: str
    en: str
    rule_zh: str
    rule_en: str
    basis: Basis
    reported: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """The success rate (调解成功率): the notice sets 65 % and defines neither side of the fraction, so it is printed."""

    zh: str
    en: str
    formula_zh: str
    formula_en: str
    source: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """All items in their order, and the class of each kind of claim and each type of organisation."""

    version: str
    items: tuple[Item, ...]
    rate: Rate
    disputes: Mapping[str, str]
    organizations: Mapping[str, str]

    def dispute(self, claim_kind: str) -> str:
        """The class of a case whose first claim is of this kind (D1 … D9)."""
        return self.disputes.get(claim_kind, "D9")

    def organization(self, organization_type: str) -> str:
        """The class of an organisation's type (O1 … O9)."""
        return self.organizations.get(organization_type, "O9")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of the appraisal (评查指标) that the gateway can prove: ``item`` is the notice's own number or heading."""

    code: str
    group_zh: str
    group_en: str
    zh: str
    en: str
    rule_zh: str
    rule_en: str
    item: str
    unit: str
    threshold: int | None


def _read(name: str) -> dict[str, Any]:  # Any: TOML
    return tomllib.loads(files("gateway.report").joinpath(f"{name}.toml").read_text("utf-8"))


@cache
def definitions() -> Definitions:
    """The figures' definitions."""
    read = _read("figures")
    items = tuple(
        Item(
            code,
            one["zh"],
            one["en"],
            one["rule_zh"],
            one["rule_en"],
            Basis(one["basis"]),
            one["reported"],
        )
        for code, one in read["items"].items()
    )
    return Definitions(
        read["version"], items, Rate(**read["rate"]), _turned(read["disputes"]), _turned(read["organizations"])
    )


def _turned(table: Mapping[str, list[str]]) -> dict[str, str]:
    return {value: code for code, values in table.items() for value in values}


@cache
def indicators() -> tuple[str, tuple[Indicator, ...]]:
    """The indicators' version, and the indicators in their order."""
    read = _read("indicators")
    groups = read["groups"]
    return read["version"], tuple(
        Indicator(
            code,
            groups[one["group"]]["zh"],
            groups[one["group"]]["en"],
            one["zh"],
            one["en"],
            one["rule_zh"],
            one["rule_en"],
            one["item"],
            one["unit"],
            one.get("threshold"),
        )
        for code, one in read["indicators"].items()
    )
