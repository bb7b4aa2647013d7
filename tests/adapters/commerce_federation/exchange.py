"""The exchange database as these tests make it, from the page alone, and the platform's hand in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.commerce_federation import CommerceFederation, CommerceFederationSettings
from adapters.commerce_federation.wire import digest_of
from contracts.adapter import AttachmentInfo, Tools
from contracts.conformance.stand_ins import MemoryAttachments, MemoryMemory, MemoryNonces, at_once

from . import documents as d

NOW = datetime(2026, 9, 17, 2, 0, 5, tzinfo=UTC)
HERE = "2026-09-17 10:00:05"
"""The same moment in the tables."""

DDL = """
CREATE TABLE TJ_OUT (
  OUT_ID        VARCHAR(64)  NOT NULL PRIMARY KEY,
  BIZ_TYPE      CHAR(2)      NOT NULL CHECK (BIZ_TYPE IN ('01','02','03','04')),
  OPERATE_TYPE  INTEGER      NOT NULL CHECK (OPERATE_TYPE IN (1,2,3)),
  CASE_KEY      VARCHAR(100) NOT NULL,
  SEQ_NO        INTEGER      NOT NULL,
  ORG_CODE      VARCHAR(32)  NOT NULL,
  NR            TEXT         NOT NULL,
  FILE_COUNT    INTEGER      NOT NULL DEFAULT 0,
  DIGEST        CHAR(64)     NOT NULL,
  CREATED_AT    CHAR(19)     NOT NULL,
  UPLOAD_STATUS INTEGER      NOT NULL DEFAULT 0 CHECK (UPLOAD_STATUS IN (0,1,2,3)),
  RESEND_COUNT  INTEGER      NOT NULL DEFAULT 0,
  BATCH_NO      VARCHAR(32), TAKEN_AT CHAR(19), DONE_AT CHAR(19),
  PLAT_NO       VARCHAR(32), FAIL_CODE CHAR(3), FAIL_REASON VARCHAR(200),
  UNIQUE (CASE_KEY, SEQ_NO)
);
CREATE INDEX TJ_OUT_NEW ON TJ_OUT (UPLOAD_STATUS, CREATED_AT);
CREATE TABLE TJ_FILE (
  OUT_ID VARCHAR(64) NOT NULL, FILE_NO INTEGER NOT NULL, CHUNK_NO INTEGER NOT NULL,
  CHUNK_COUNT INTEGER NOT NULL, FILE_KIND CHAR(2) NOT NULL, FILE_NAME VARCHAR(100) NOT NULL,
  FILE_SIZE INTEGER NOT NULL, FILE_SM3 CHAR(64) NOT NULL,
  CHUNK_SM3 CHAR(64) NOT NULL, CHUNK TEXT NOT NULL,
  PRIMARY KEY (OUT_ID, FILE_NO, CHUNK_NO)
);
CREATE TABLE TJ_IN (
  IN_ID INTEGER NOT NULL PRIMARY KEY, KIND CHAR(2) NOT NULL, OUT_ID VARCHAR(64), CASE_KEY VARCHAR(100) NOT NULL,
  PLAT_NO VARCHAR(32), ZT VARCHAR(4), FAIL_CODE CHAR(3), REASON VARCHAR(200), HAPPENED_AT CHAR(19) NOT NULL,
  DIGEST CHAR(64) NOT NULL, CREATED_AT CHAR(19) NOT NULL,
  READ_STATUS INTEGER NOT NULL DEFAULT 0 CHECK (READ_STATUS IN (0,1,2,3)), READ_AT CHAR(19), READ_NOTE VARCHAR(200)
);
CREATE INDEX TJ_IN_NEW ON TJ_IN (READ_STATUS, IN_ID);
CREATE TABLE TJ_HEART (NODE VARCHAR(16) NOT NULL PRIMARY KEY, BEAT_AT CHAR(19) NOT NULL, PERIOD_S INTEGER NOT NULL,
  STATE VARCHAR(8) NOT NULL CHECK (STATE IN ('RUN','MAINT')), UNTIL_AT CHAR(19));
CREATE TABLE TJ_DICT (DICT_TYPE VARCHAR(16) NOT NULL, CODE VARCHAR(16) NOT NULL, NAME VARCHAR(100) NOT NULL,
  VALID CHAR(1) NOT NULL DEFAULT '1', PRIMARY KEY (DICT_TYPE, CODE));
"""
"""Section 2 of the page, as it stands there."""
HEARTS = (
    "INSERT INTO TJ_HEART VALUES ('READER', '2026-09-17 10:00:05', 30, 'RUN', NULL),"
    " ('GATEWAY', '2026-09-16 00:00:00', 60, 'RUN', NULL)"
)
IN_ROW = "INSERT INTO TJ_IN VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, NULL)"
ROLE = (
    "DO $$ BEGIN CREATE ROLE tj_gateway LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN"
    " ALTER ROLE tj_gateway LOGIN; END $$"
)
"""Makes our account on a PostgreSQL, or opens it again."""
IN_COLUMNS = ("KIND", "OUT_ID", "CASE_KEY", "PLAT_NO", "ZT", "FAIL_CODE", "REASON", "HAPPENED_AT")


def in_row(in_id: int, kind: str, **columns: str | None) -> tuple[Any, ...]:
    """One row of ``TJ_IN`` with its digest, or the one given."""
    known: dict[str, str | None] = {"OUT_ID": d.MESSAGE, "CASE_KEY": d.CASE_KEY, "HAPPENED_AT": HERE}
    told = known | {"KIND": kind} | columns
    values = tuple(told.get(name) for name in IN_COLUMNS)
    return (in_id, *values, columns.get("DIGEST") or digest_of(in_id, *values), HERE)


@dataclass
class Tables:
    """One SQLite file with the tables of the page, and a clock."""

    path: Path
    now: datetime = NOW

    @classmethod
    def made(cls, folder: Path) -> Tables:
        """Fresh tables, a reader that has just run."""
        found = cls(folder / "tjex.db")
        with closing(sqlite3.connect(found.path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(DDL)
        found.do(HEARTS)
        return found

    def do(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement, committed."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def say(self, in_id: int, kind: str, **columns: str | None) -> None:
        """A row of the platform."""
        self.do(IN_ROW, *in_row(in_id, kind, **columns))

    def out(self, *names: str) -> tuple[Any, ...]:
        """Columns of our row."""
        (row,) = self.do(f"SELECT {', '.join(names)} FROM TJ_OUT WHERE OUT_ID = ?", d.MESSAGE)  # noqa: S608 -- names of the tests
        return row

    def pass_time(self, seconds: float) -> None:
        """Later."""
        self.now += timedelta(seconds=seconds)


def settings(url: str, **changes: Any) -> CommerceFederationSettings:
    """Sound settings."""
    return CommerceFederationSettings.model_validate({"database_url": url, "organizations": ["SD-QD-SH-003"]} | changes)


PDF = b"%PDF-1.7 ok"
FILES: Mapping[str, tuple[AttachmentInfo, bytes]] = {d.PAPER: (d.file(), PDF)}


def tools(now: Callable[[], datetime], files: Mapping[str, tuple[AttachmentInfo, bytes]] = FILES) -> Tools:
    """Working tools on a clock."""
    return Tools(now, bytes, MemoryAttachments(files), MemoryNonces(), MemoryMemory(), at_once)


def adapter(
    tables: Tables, files: Mapping[str, tuple[AttachmentInfo, bytes]] = FILES, **changes: Any
) -> CommerceFederation:
    """The adapter before these tables."""
    made = settings(f"sqlite:///{tables.path}", **changes)
    return CommerceFederation(d.ENDPOINT, made, tools(lambda: tables.now, files))
