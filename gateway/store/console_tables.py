"""The console's tables on the engine's metadata: accounts, sessions, figures, search numbers, bulk jobs, alerts.

Times are milliseconds since 1970 UTC, as in ``tables``.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger as Ms
from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, Text, text

from gateway.store.tables import BYTES, metadata

# Who may sign in (用户). `password` is an argon2id hash; `failures` in a row since the last sign-in;
# `totp_step` is the last step of the second factor that was used. `scope` (数据范围): "*", or names of organisations and
# beginnings of area codes ("area:3702"), apart by spaces; whatever else it says means nothing at all.
users = sa.Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failed_at", Ms),
    Column("signed_in_at", Ms),
    Column("created_at", Ms, nullable=False),
    Column("totp_sealed", sa.LargeBinary),
    Column("totp_step", Ms),
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
    Column("folded", BYTES, primary_key=True),
    Column("about", Text, primary_key=True),
    Column("backwards", BYTES, nullable=False),
    Column("subject", Text, nullable=False),
    Index("numbers_backwards", "backwards"),
)

JOB_STATES = ("asked", "running", "paused", "stopped", "cancelled", "done")

# Bulk redrives (批量作业) over a frozen list of deliveries; they go on after a restart. `kind` is that of the replay,
# `overtaken` the second word: also what something newer has overtaken.
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
    Column("kind", Text, nullable=False),
    Column("overtaken", Boolean, nullable=False),
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

NOTICE_STATES = ("waiting", "sent", "dropped")

# What is owed to alert channels (告警外发): a row for each transition of an alert and channel, made in the transition's own
# transaction. `held`: it waits for the end of a mute.
alert_notices = sa.Table(
    "alert_notices",
    metadata,
    Column("alert", Text, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Ms, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("code", Text),
    Column("made_at", Ms, nullable=False),
    Column("sent_at", Ms),
    CheckConstraint("state IN (" + ", ".join(f"'{state}'" for state in NOTICE_STATES) + ")", name="notice_state_known"),
    Index(
        "alert_notices_due",
        "channel",
        "due_at",
        postgresql_where=text("state = 'waiting'"),
        sqlite_where=text("state = 'waiting'"),
    ),
    Index("alert_notices_made", "made_at"),
)

# Alerts that people do not want to be told of until a time (静默).
alert_mutes = sa.Table(
    "alert_mutes",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("about", Text, primary_key=True),
    Column("ends_at", Ms, nullable=False),
    Column("actor", Text, nullable=False),
    Index("alert_mutes_end", "ends_at"),
)

# Filters of the list of messages that somebody keeps under a name (保存的视图); whoever has the address may look through one.
views = sa.Table(
    "views",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", Ms, nullable=False),
    Index("views_user", "user_name", "name", unique=True),
)

# Times in which an endpoint is held: pauses by hand (`planned` false), and maintenance windows (维护时段) that begin and end by
# themselves. `began_at` and `ended_at` are what came of it; a window that never began and has an end was taken back or missed.
holds = sa.Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("endpoint", Text, nullable=False),
    Column("planned", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("per_minute", Integer),
    Column("starts_at", Ms, nullable=False),
    Column("ends_at", Ms),
    Column("began_at", Ms),
    Column("ended_at", Ms),
    Column("ended_by", Text),
    Column("end_reason", Text),
    Index("holds_endpoint", "endpoint", "id"),
    Index("holds_open", "endpoint", postgresql_where=text("ended_at IS NULL"), sqlite_where=text("ended_at IS NULL")),
)

CORRECTION_STATES = ("asked", "done", "refused")

# Other codes for what a platform refused, where the gateway itself chose them (更正代码): asked by one person, done by another.
# `changes_sealed` is the JSON object pointer → code.
corrections = sa.Table(
    "corrections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("delivery", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes_sealed", sa.LargeBinary, nullable=False),
    Column("approver", Text),
    Column("made", Text),
    Column("created_at", Ms, nullable=False),
    Column("ended_at", Ms),
    CheckConstraint(
        "state IN (" + ", ".join(f"'{state}'" for state in CORRECTION_STATES) + ")", name="correction_state_known"
    ),
    Index("corrections_delivery", "delivery", "id"),
    Index(
        "corrections_asked",
        "delivery",
        unique=True,
        postgresql_where=text("state = 'asked'"),
        sqlite_where=text("state = 'asked'"),
    ),
)

RECONCILIATION_STATES = ("running", "healing", "done", "stopped")

# Comparisons of our deliveries with what a platform holds (对账). `day` is the daily job's own; `phase` and `place` are where
# it goes on after a page or a restart, `cursor` where its listing ended; `held` and `compared` count their rows and ours.
reconciliations = sa.Table(
    "reconciliations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("endpoint", Text, nullable=False),
    Column("day", Text),
    Column("method", Text, nullable=False),
    Column("since", Ms, nullable=False),
    Column("until", Ms, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("place", Text),
    Column("cursor", Text),
    Column("held", Integer, nullable=False),
    Column("compared", Integer, nullable=False),
    Column("unasked", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("code", Text),
    Column("healer", Text),
    Column("reason", Text),
    Column("kinds", Text),
    Column("created_at", Ms, nullable=False),
    Column("due_at", Ms, nullable=False),
    Column("finished_at", Ms),
    CheckConstraint(
        "state IN (" + ", ".join(f"'{state}'" for state in RECONCILIATION_STATES) + ")",
        name="reconciliation_state_known",
    ),
    Index("reconciliations_once", "endpoint", "day", unique=True),
    Index("reconciliations_endpoint", "endpoint", "id"),
    Index(
        "reconciliations_due",
        "due_at",
        postgresql_where=text("state IN ('running', 'healing')"),
        sqlite_where=text("state IN ('running', 'healing')"),
    ),
)

# Ids that a listing named, until ours were held against them.
reconciliation_seen = sa.Table(
    "reconciliation_seen",
    metadata,
    Column("reconciliation", Text, primary_key=True),
    Column("filing", Text, primary_key=True),
)

DIFFERENCE_KINDS = ("missing", "foreign", "differing", "undecided")
DIFFERENCE_STATES = ("open", "hearing", "healed", "person", "moot", "failed")

# What was found: numbers, ids and codes, nobody's document. `name` is the platform's own name of its row.
differences = sa.Table(
    "differences",
    metadata,
    Column("reconciliation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("delivery", Text),
    Column("about", Text),
    Column("name", Text),
    Column("reference", Text),
    Column("ours", Text),
    Column("theirs", Text),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("mended_at", Ms),
    CheckConstraint("kind IN (" + ", ".join(f"'{kind}'" for kind in DIFFERENCE_KINDS) + ")", name="difference_known"),
    CheckConstraint(
        "state IN (" + ", ".join(f"'{state}'" for state in DIFFERENCE_STATES) + ")", name="difference_state_known"
    ),
    Index("differences_state", "reconciliation", "state", "kind"),
)

# The traceparent (W3C Trace Context) under which a thing came to be: messages, events, calls, and of each delivery its last
# attempt. Written only where traces are recorded, and kept as long as a delivery may be tried.
traces = sa.Table(
    "traces",
    metadata,
    Column("thing", Text, primary_key=True),
    Column("traceparent", Text, nullable=False),
    Column("at", Ms, nullable=False),
    Index("traces_at", "at"),
)

__all__ = [
    "alert_mutes",
    "alert_notices",
    "alerts",
    "corrections",
    "differences",
    "group_notes",
    "holds",
    "job_items",
    "jobs",
    "metadata",
    "numbers",
    "reconciliation_seen",
    "reconciliations",
    "sessions",
    "tallies",
    "traces",
    "users",
    "views",
]
