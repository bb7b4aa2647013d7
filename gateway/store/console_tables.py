"""The console's tables on the engine's metadata: accounts, sessions, figures, search numbers, bulk jobs, alerts.

Times are milliseconds since 1970 UTC, as in ``tables``.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger as Ms
from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, Text, text

from gateway.store.tables import metadata

_BYTES = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by code points on both engines, so that a range of texts is all that begin alike."""

# Who may sign in (用户). `password` is an argon2id hash; `failures` in a row since the last sign-in.
users = sa.Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failed_at", Ms),
    Column("signed_in_at", Ms),
    Column("created_at", Ms, nullable=False),
)

# Server sessions (会话), by the hash of their token.
sessions = sa.Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("created_at", Ms, nullable=False),
    Column("seen_at", Ms, nullable=False),
    Column("ends_at", Ms, nullable=False),
    Index("sessions_user", "user_name"),
    Index("sessions_end", "ends_at"),
)

# Counts per minute (60) and hour (3600) of what went in and out, made from the numbered events: `series` names what.
tallies = sa.Table(
    "tallies",
    metadata,
    Column("step", Integer, primary_key=True),
    Column("at", Ms, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("many", Ms, nullable=False),
)

# Numbers that people search by: an organisation's case and agreement numbers, folded, also backwards (the last digits).
numbers = sa.Table(
    "numbers",
    metadata,
    Column("folded", _BYTES, primary_key=True),
    Column("about", Text, primary_key=True),
    Column("backwards", _BYTES, nullable=False),
    Column("subject", Text, nullable=False),
    Index("numbers_backwards", "backwards"),
)

JOB_STATES = ("asked", "running", "paused", "stopped", "cancelled", "done")

# Bulk redrives (批量作业) over a frozen list of deliveries; they go on after a restart.
jobs = sa.Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text),
    Column("needs_second", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("canary", Integer, nullable=False),
    Column("stop_percent", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("code", Text),
    Column("created_at", Ms, nullable=False),
    Column("due_at", Ms, nullable=False),
    Column("finished_at", Ms),
    CheckConstraint("state IN (" + ", ".join(f"'{state}'" for state in JOB_STATES) + ")", name="job_state_known"),
    Index("jobs_due", "due_at", postgresql_where=text("state = 'running'"), sqlite_where=text("state = 'running'")),
)

JOB_ITEM_STATES = ("waiting", "sent", "ok", "failed", "skipped")

job_items = sa.Table(
    "job_items",
    metadata,
    Column("job", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("delivery", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code", Text),
    CheckConstraint("state IN (" + ", ".join(f"'{state}'" for state in JOB_ITEM_STATES) + ")", name="item_state_known"),
    Index("job_items_state", "job", "state", "place"),
)

# What somebody wrote beside a group of failures (备注).
group_notes = sa.Table(
    "group_notes",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Ms, nullable=False),
)

# Alerts (告警): a row per transition into trouble, closed by the transition out of it.
alerts = sa.Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("figure", Text, nullable=False),
    Column("opened_at", Ms, nullable=False),
    Column("closed_at", Ms),
    Column("seen_by", Text),
    Index(
        "alerts_open_once",
        "rule",
        "about",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
        sqlite_where=text("closed_at IS NULL"),
    ),
)

__all__ = ["alerts", "group_notes", "job_items", "jobs", "metadata", "numbers", "sessions", "tallies", "users"]
