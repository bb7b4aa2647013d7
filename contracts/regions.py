"""Regions (行政区划, GB/T 2260): what a code of 6, 9 or 12 digits names, and what succeeded abolished codes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, TypedDict, cast

from contracts.titled import Titled

REGION_PATTERN: Final = r"^[0-9]{6}(?:[0-9]{3}(?:[0-9]{3})?)?$"
_REGION: Final = re.compile(REGION_PATTERN)
_HOME: Final = "37"
_DISTRICTS_TOGETHER: Final = "市辖区"


class RegionState(Titled):
    """What the table knows of a code."""

    CURRENT = "current", "现行", "In force"
    ABOLISHED = "abolished", "已撤销", "Abolished"
    OUTSIDE = "outside", "外省", "Other province"
    UNKNOWN = "unknown", "未收录", "Not in the table"


@dataclass(frozen=True, slots=True)
class Region:
    """A region by its first six digits (``code``).

    ``name`` is the region's own (历下区), ``full_name`` with what is above it (山东省济南市历下区); both ``""`` where
    unknown. Regions of other provinces are known by their province alone. ``until`` is the last year of an abolished
    code and ``successors`` are the codes in force for its area.
    """

    code: str
    state: RegionState
    name: str = ""
    full_name: str = ""
    until: int | None = None
    successors: tuple[str, ...] = ()


class _Abolished(TypedDict):
    name: str
    until: int
    successors: list[str]


class _Packaged(TypedDict):
    provinces: dict[str, str]
    cities: dict[str, str]
    counties: dict[str, str]
    abolished: dict[str, _Abolished]


@cache
def _packaged() -> _Packaged:
    text = (files("contracts") / "codes" / "regions.toml").read_text(encoding="utf-8")
    return cast(_Packaged, tomllib.loads(text))


@cache
def _table() -> Mapping[str, Region]:
    """Every code of Shandong that the packaged table has."""
    table = _packaged()
    province = table["provinces"][_HOME]
    cities = table["cities"]
    known = {f"{_HOME}0000": Region(f"{_HOME}0000", RegionState.CURRENT, province, province)}
    for city, name in cities.items():
        known[f"{city}00"] = Region(f"{city}00", RegionState.CURRENT, name, f"{province}{name}")
        known[f"{city}01"] = Region(
            f"{city}01", RegionState.CURRENT, _DISTRICTS_TOGETHER, f"{province}{name}{_DISTRICTS_TOGETHER}"
        )
    for code, name in table["counties"].items():
        known[code] = Region(code, RegionState.CURRENT, name, f"{province}{cities[code[:4]]}{name}")
    for code, row in table["abolished"].items():
        known[code] = Region(
            code,
            RegionState.ABOLISHED,
            row["name"],
            f"{province}{row['name']}",
            until=row["until"],
            successors=tuple(row["successors"]),
        )
    return known


def provinces() -> Mapping[str, str]:
    """The first two digits of every province with its name."""
    return _packaged()["provinces"]


def has_region_form(code: str) -> bool:
    """Whether a code has 6, 9 or 12 digits."""
    return bool(_REGION.fullmatch(code))


def look(code: str) -> Region:
    """What a code names, by its first six digits. Never raises: a code that the table does not have is ``UNKNOWN``.

    Town codes (9 and 12 digits) are judged by their county; codes of other provinces by their province.
    """
    six = code[:6]
    known = _table().get(six)
    if known is not None:
        return known
    province = provinces().get(six[:2])
    if province is None or six[:2] == _HOME or not has_region_form(code):
        return Region(six, RegionState.UNKNOWN)
    return Region(six, RegionState.OUTSIDE, province, province)
