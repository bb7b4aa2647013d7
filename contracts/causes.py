"""Causes (案由): one list of matters, projected into the court's tables of 2025 and 2020 and arbitration's scope.

Courts' internal numeric codes differ from site to site, so a cause is keyed by table and path of names; what an adapter
needs to map it (last name, official number, whether it is of the new forms of employment) is asked here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final, NotRequired, TypedDict, cast

from contracts.lists import CauseTable

Path = tuple[str, ...]

_ENDING: Final = "纠纷"
_NEW_EMPLOYMENT: Final = "新就业形态"
_LABOUR_RELATION: Final = "确认劳动关系"


@dataclass(frozen=True, slots=True)
class CourtNumber:
    """The official number of a cause in its edition: ``number`` of the third level, ``place`` of the fourth (0 =
    none)."""

    number: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class Matter:
    """One matter of the internal list: its id, its titles and its node in each table that has one.

    ``near`` holds the closest node of the tables that have none of their own, ``also`` other spellings of its node.
    """

    id: str
    zh: str
    en: str
    paths: Mapping[CauseTable, Path]
    numbers: Mapping[CauseTable, CourtNumber]
    near: Mapping[CauseTable, Path] = field(default_factory=dict)
    also: tuple[Path, ...] = ()

    def path_in(self, table: CauseTable) -> Path | None:
        """The matter's node in a table, else the closest one there, else ``None``."""
        return self.paths.get(table) or self.near.get(table)


class _Node(TypedDict):
    path: list[str]
    number: NotRequired[int]
    place: NotRequired[int]


class _Row(TypedDict):
    id: str
    zh: str
    en: str
    near: NotRequired[dict[str, list[str]]]
    also: NotRequired[list[list[str]]]


@cache
def matters() -> tuple[Matter, ...]:
    """The whole internal list, in the order of the packaged table."""
    text = (files("contracts") / "codes" / "causes.toml").read_text(encoding="utf-8")
    return tuple(
        _matter(cast(_Row, row), {table: cast(_Node, row[str(table)]) for table in CauseTable if str(table) in row})
        for row in tomllib.loads(text)["matter"]
    )


def _matter(row: _Row, nodes: Mapping[CauseTable, _Node]) -> Matter:
    return Matter(
        id=row["id"],
        zh=row["zh"],
        en=row["en"],
        paths={table: tuple(node["path"]) for table, node in nodes.items()},
        numbers={
            table: CourtNumber(node["number"], node.get("place", 0))
            for table, node in nodes.items()
            if "number" in node
        },
        near={CauseTable(table): tuple(path) for table, path in row.get("near", {}).items()},
        also=tuple(tuple(path) for path in row.get("also", ())),
    )


@cache
def _nodes() -> Mapping[CauseTable, Mapping[Path, Matter | None]]:
    """Per table every path that exists; the levels above a matter exist too, with ``None`` where no matter is
    theirs."""
    nodes: dict[CauseTable, dict[Path, Matter | None]] = {table: {} for table in CauseTable}
    for matter in matters():
        for table, path in matter.paths.items():
            nodes[table][path] = matter
            nodes[table].update((spelling, matter) for spelling in matter.also if spelling[0] == path[0])
    for paths in nodes.values():
        for path in list(paths):
            for depth in range(1, len(path)):
                paths.setdefault(path[:depth], None)
    return nodes


def exists(table: CauseTable, path: Sequence[str]) -> bool:
    """Whether the table has that path of names, at whatever level it ends."""
    return tuple(path) in _nodes()[table]


def matter_of(table: CauseTable, path: Sequence[str]) -> Matter | None:
    """The matter at that node; ``None`` for an unknown path and for a group that is no matter of its own."""
    return _nodes()[table].get(tuple(path))


def project(table: CauseTable, path: Sequence[str], to: CauseTable) -> Path | None:
    """The path of the same matter in another table, or the closest one there; ``None`` where that table has nothing
    near."""
    matter = matter_of(table, path)
    return None if matter is None else matter.path_in(to)


@cache
def _spellings() -> Mapping[Path, Path]:
    """Every other spelling of a node with the node's own path."""
    return {
        spelling: path
        for matter in matters()
        for spelling in matter.also
        for path in matter.paths.values()
        if path[0] == spelling[0]
    }


def last_name(path: Sequence[str]) -> str:
    """The last name of a path without a final 纠纷: what most platforms key their code tables by.

    Other spellings come back as the table's own (订立 as 订立劳动合同).

    Raises:
        IndexError: an empty path.
    """
    return _spellings().get(tuple(path), tuple(path))[-1].removesuffix(_ENDING)


def is_new_employment(path: Sequence[str]) -> bool:
    """Whether 新就业形态 (new forms of employment) stands anywhere on the path."""
    return any(_NEW_EMPLOYMENT in name for name in path)


def is_labour_relation(path: Sequence[str]) -> bool:
    """Whether the path ends in the existence of a labour relation (确认劳动关系), which arbitration review excludes."""
    return last_name(path).removeprefix(_NEW_EMPLOYMENT) == _LABOUR_RELATION
