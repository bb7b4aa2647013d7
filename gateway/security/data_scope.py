"""数据范围: whose cases an account may see, as it is kept beside the account; what cannot be read means nobody's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

EVERYTHING: Final = "*"
_AREA: Final = "area:"
_ORGANIZATION: Final = re.compile(r"[\w.\-/]{1,32}")
_REGION: Final = re.compile(r"[0-9]{2,6}")
_MOST: Final = 100
"""Parts of one scope."""


def is_organization_code(text: str) -> bool:
    """Whether it has the form of an organisation's code (组织代码), known or not."""
    return _ORGANIZATION.fullmatch(text) is not None


class ScopeRefused(ValueError):
    """A text that names no data scope."""


@dataclass(frozen=True, slots=True)
class DataScope:
    """These organisations (调解组织), and those whose region code (行政区划代码, GB/T 2260) begins with one of ``regions``;
    ``whole``: everybody's."""

    organizations: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    whole: bool = False

    def covers(self, region: str) -> bool:
        """Whether a region code lies in one of the regions."""
        return any(region.startswith(start) for start in self.regions)


def parse_scope(text: str) -> DataScope:
    """``*``, or codes of organisations and beginnings of region codes (``area:3702``), apart by spaces or commas.

    Raises:
        ScopeRefused: it says something else, or nothing.
    """
    parts = text.replace(",", " ").replace("，", " ").split()
    if parts == [EVERYTHING]:
        return DataScope(whole=True)
    if not 0 < len(parts) <= _MOST:
        raise ScopeRefused("scope")
    regions = [part.removeprefix(_AREA) for part in parts if part.startswith(_AREA)]
    organizations = [part for part in parts if not part.startswith(_AREA)]
    if not all(map(_REGION.fullmatch, regions)) or not all(map(_ORGANIZATION.fullmatch, organizations)):
        raise ScopeRefused("scope")
    return DataScope(frozenset(organizations), tuple(sorted(set(regions))))


def kept_scope(kept: str) -> DataScope:
    """The scope as it was kept with the account; what cannot be read lets nothing be seen."""
    try:
        return parse_scope(kept)
    except ScopeRefused:
        return DataScope()


def scope_text(scope: DataScope) -> str:
    """How it is kept, and shown."""
    if scope.whole:
        return EVERYTHING
    return " ".join([*sorted(scope.organizations), *(f"{_AREA}{region}" for region in scope.regions)])
