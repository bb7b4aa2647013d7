"""Which packages may start on which schema: what a revision says of older ones, and what comes of it on a rollback."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.store import migrate
from gateway.store.migrate import SchemaUnknown, floors, migrate_sqlite

REVISION = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "{0}", "{1}", None, None
{2}
def upgrade():
    op.add_column("matters", sa.Column("later_{0}", sa.Text))
"""


FIRST = "from gateway.store.migrations.versions.r0001_first import *"


class Packages:
    """The package at each of its ages: ``at(n)`` is the one that knows n revisions, the first of them the real one."""

    def __init__(self, room: Path, monkeypatch: pytest.MonkeyPatch, *oldest_readers: str | None) -> None:
        self._monkeypatch = monkeypatch
        (room / "r1").mkdir()
        (room / "r1" / "r0001.py").write_text(FIRST, "utf-8")
        self._rooms = [str(room / "r1")]
        for number, oldest in enumerate(oldest_readers, 2):
            folder = room / f"r{number}"
            folder.mkdir()
            floor = "" if oldest is None else f'oldest_reader = "{oldest}"'
            source = REVISION.format(f"{number:04}", f"{number - 1:04}", floor)
            (folder / f"r{number:04}.py").write_text(source, "utf-8")
            self._rooms.append(str(folder))
        self.at(1)

    def at(self, revisions: int) -> None:
        """From here on the package is this one."""
        self._monkeypatch.setattr(migrate, "PLACES", self._rooms[:revisions])


def columns(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[1] for row in connection.execute("PRAGMA table_info(matters)") if row[1].startswith("later")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


def test_an_older_package_starts_where_the_newer_revision_lets_it(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = Packages(tmp_path, monkeypatch, "0001", "0001")
    assert migrate_sqlite(path) == (None, "0001")
    packages.at(3)
    assert migrate_sqlite(path) == ("0001", "0003")
    packages.at(1)
    assert migrate_sqlite(path) == ("0003", "0003"), "and it changes nothing"
    packages.at(2)
    assert migrate_sqlite(path) == ("0003", "0003")
    packages.at(3)
    assert migrate_sqlite(path) == ("0003", "0003")
    assert columns(path) == {"later_0002", "later_0003"}


def test_an_older_package_is_refused_where_the_newer_revision_says_nothing(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = Packages(tmp_path, monkeypatch, None)
    packages.at(2)
    assert migrate_sqlite(path) == (None, "0002")
    packages.at(1)
    with pytest.raises(SchemaUnknown, match="0002"):
        migrate_sqlite(path)


def test_a_later_revision_lets_in_only_whom_all_before_it_did(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = Packages(tmp_path, monkeypatch, None, "0001")
    packages.at(3)
    assert floors() == {"0001": "0001", "0002": "0002", "0003": "0002"}
    migrate_sqlite(path)
    packages.at(2)
    assert migrate_sqlite(path) == ("0003", "0003")
    packages.at(1)
    with pytest.raises(SchemaUnknown, match="0003"):
        migrate_sqlite(path)


@pytest.mark.parametrize("oldest", ["0003", "0000"])
def test_a_floor_that_is_no_revision_before_it_is_told(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, oldest: str
) -> None:
    Packages(tmp_path, monkeypatch, oldest).at(2)
    with pytest.raises(LookupError, match=f"0002: no revision {oldest}"):
        migrate_sqlite(path)
    assert columns(path) == set(), "nothing was done"


def test_the_packages_own_floors_hold() -> None:
    assert next(iter(floors().items())) == ("0001", "0001")
