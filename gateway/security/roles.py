"""Roles of the console and what each may do, as data (``roles.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_TABLES = {"simple": "roles", "sanyuan": "sanyuan"}


@dataclass(frozen=True, slots=True)
class Titles:
    """A name for people in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """The name in ``zh`` or ``en``."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Role:
    """A role (角色): its name, its titles and its permissions."""

    name: str
    titles: Titles
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class RoleBook:
    """All roles and all permissions."""

    roles: Mapping[str, Role]
    permissions: Mapping[str, Titles]

    def may(self, role: str, permission: str) -> bool:
        """Whether a role holds a permission. A role that is not of the table holds none.

        Raises:
            LookupError: there is no such permission.
        """
        if permission not in self.permissions:
            raise LookupError(f"no permission {permission!r}")
        found = self.roles.get(role)
        return found is not None and permission in found.may


@cache
def role_book(mode: str = "simple") -> RoleBook:
    """The table, read once: ``simple``, or ``sanyuan`` (三员分立: system, security and audit administrators apart).

    Raises:
        ValueError: a role names a permission that is not of the table.
        KeyError: there is no such mode.
    """
    table = tomllib.loads(files("gateway.security").joinpath("roles.toml").read_text("utf-8"))
    permissions = {name: Titles(row["zh"], row["en"]) for name, row in table["permissions"].items()}
    roles = {
        name: Role(name, Titles(row["zh"], row["en"]), frozenset(row["may"]))
        for name, row in table[_TABLES[mode]].items()
    }
    for role in roles.values():
        unknown = role.may - permissions.keys()
        if unknown:
            raise ValueError(f"role {role.name} names no permissions: {sorted(unknown)}")
    return RoleBook(roles, permissions)
