"""The tables, once, as SQLAlchemy Core metadata: Alembic migrates from it and both engines get their DDL from it.

Times are milliseconds since 1970 UTC. Columns named ``…_sealed`` hold what ``security.fields`` sealed.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger as Ms
from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, Text, text
from sqlalchemy.sql.type_api import TypeEngine

from contracts.deliveries import DeliveryState

metadata = sa.MetaData()

BYTES = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by code points on both engines: a range of texts is all that begin alike."""


def _need(name: str, kind: type[TypeEngine[Any]] = Text, default: str | None = None) -> Column[Any]:
    return Column(name, kind, nullable=False, server_default=None if default is None else text(default))


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


_HOT: dict[str, Any] = {
    "postgresql_with": {
        "fillfactor": "70",
        "autovacuum_vacuum_scale_factor": "0.02",
        "autovacuum_vacuum_cost_delay": "0",
    }
}

# What every message is about. Its row holds the sequence of its events and is the lock of all that is written about it.
subjects = sa.Table(
    "subjects",
    metadata,
    Column("id", Text, primary_key=True),
    _need("kind"),
    _need("sequence", Ms),
    postgresql_with={"fillfactor": "70"},
)

# The things with a status of their own: case, agreement, confirmation, transfer, referral, fulfilment term, mediator (事项).
# `facet` is what their events say beside the status: a confirmation's route, a transfer's `to`, a referral's kind, a case's
# number at its organisation. `since` is when the status came to hold, as its source told.
matters = sa.Table(
    "matters",
    metadata,
    Column("id", Text, primary_key=True),
    _need("kind"),
    _need("subject"),
    Column("parent", Text),
    _need("organization"),
    _need("business_key"),
    Column("facet", Text),
    _need("status"),
    Column("since", Ms),
    _need("version", Integer),
    _need("message"),
    _need("active", Boolean),
    _need("created_at", Ms),
    _need("updated_at", Ms),
    Index("matters_business_key", "kind", "business_key", unique=True, **_where("active")),
    Index("matters_subject", "subject"),
    # An organisation's own number where the platform does not say whose it is.
    Index("matters_source_no", "facet", **_where("kind = 'case'")),
    Index("matters_listed", "organization", "kind", "id"),
    Index("matters_changed", "organization", "kind", "updated_at", "id"),
)

# The endpoints that a case was routed to; later messages follow it there.
holders = sa.Table(
    "holders",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
)

messages = sa.Table(
    "messages",
    metadata,
    Column("id", BYTES, primary_key=True),
    _need("subject"),
    _need("sequence", Ms),
    _need("type"),
    _need("about"),
    _need("version", Integer),
    _need("source"),
    _need("correlation"),
    _need("schema"),
    _need("document_sealed", LargeBinary),
    _need("created_at", Ms),
    Index("messages_subject", "subject", "sequence"),
    postgresql_partition_by="RANGE (id)",
)

# One message owed to one endpoint. `attempts` is the highest claim number that is known to be over, `step` the place in the
# retry schedule, `doubt_at` the end of the exchange whose answer was lost.
deliveries = sa.Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    _need("message"),
    _need("type"),
    _need("about"),
    _need("endpoint"),
    _need("subject"),
    _need("sequence", Ms),
    _need("first", Integer, "0"),
    _need("class"),
    Column("requires", Text),
    _need("state"),
    _need("next_at", Ms),
    Column("safe_at", Ms),
    _need("attempts", Integer, "0"),
    _need("crashes", Integer, "0"),
    _need("step", Integer, "0"),
    Column("doubt_at", Ms),
    Column("code", Text),
    Column("reasons_sealed", LargeBinary),
    Column("reference", Text),
    Column("operation", Text),
    Column("mapping", Text),
    Column("wire_sealed", LargeBinary),
    Column("word_due_at", Ms),
    _need("created_at", Ms),
    Column("finished_at", Ms),
    CheckConstraint("state IN (" + ", ".join(f"'{state}'" for state in DeliveryState) + ")", name="state_known"),
    Index("deliveries_once", "message", "endpoint", unique=True),
    Index("deliveries_open", "endpoint", "subject", "first", "sequence", **_where("state IN ('pending', 'in_doubt')")),
    Index("deliveries_safe", "endpoint", "subject", "safe_at", **_where("state = 'pending' AND safe_at IS NOT NULL")),
    Index("deliveries_subject", "subject", "sequence"),
    Index(
        "deliveries_alerts",
        "created_at",
        **_where("type = 'case.alerted' AND state NOT IN ('delivered', 'cancelled', 'superseded')"),
    ),
    Index("deliveries_waiting", "requires", **_where("requires IS NOT NULL")),
    Index("deliveries_word", "state", "word_due_at", **_where("state = 'relayed' AND word_due_at IS NOT NULL")),
    Index("deliveries_state", "state", "endpoint", "id", "class"),
    Index("deliveries_reference", "endpoint", "reference", **_where("reference IS NOT NULL")),
    # The console's groups of failures: only what failed has a row in them.
    Index(
        "deliveries_failed",
        "endpoint",
        "code",
        "type",
        "state",
        "finished_at",
        "id",
        **_where("state IN ('rejected', 'dead', 'expired', 'in_doubt')"),
    ),
    Index("deliveries_retrying", "endpoint", "code", "type", "id", **_where("state = 'pending' AND code IS NOT NULL")),
    # Its wire is frozen into the row a moment later: there is room for it beside the first version, and no index hears of it.
    postgresql_with={"fillfactor": "50"},
)

# One row per lane (endpoint, subject) that has something to send: its head, and the lease of the claim in flight. `died`:
# claims of the head that ended without an outcome, one that still holds a lease not counted.
lanes = sa.Table(
    "lanes",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    _need("head"),
    _need("due_at", Ms),
    Column("safe_at", Ms),
    _need("tries", Integer),
    _need("died", Integer, "0"),
    Column("token", Ms),
    Column("lease_until", Ms),
    CheckConstraint("(token IS NULL) = (lease_until IS NULL)", name="lease_whole"),
    Index("lanes_head", "head", unique=True),
    Index("lanes_due", "endpoint", "due_at", **_where("safe_at IS NULL")),
    Index("lanes_safe", "endpoint", "safe_at", "due_at", **_where("safe_at IS NOT NULL")),
    Index("lanes_live", "endpoint", "lease_until", **_where("lease_until IS NOT NULL")),
    Index("lanes_suspect", "endpoint", "died", "due_at", **_where("died > 0")),
    **_HOT,
)

attempts = sa.Table(
    "attempts",
    metadata,
    Column("delivery", BYTES, primary_key=True),
    Column("number", Integer, primary_key=True),
    _need("trigger"),
    _need("outcome"),
    Column("code", Text),
    _need("exchanges", Integer),
    _need("ended_at", Ms),
    _need("duration_ms", Integer),
    Column("steps_sealed", LargeBinary),
    postgresql_partition_by="RANGE (delivery)",
)

events = sa.Table(
    "events",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("sequence", Ms, primary_key=True),
    _need("id"),
    _need("type"),
    _need("about"),
    _need("organization"),
    _need("data"),
    _need("at", Ms),
    Column("position", Ms),
    Index("events_id", "id", unique=True),
    Index("events_position", "position", unique=True, **_where("position IS NOT NULL")),
    Index("events_owned", "organization", "position", **_where("position IS NOT NULL")),
    Index("events_new", "sequence", "subject", **_where("position IS NULL")),
)

# The one row that orders event positions, and the consumers' marks.
log = sa.Table("log", metadata, Column("id", Integer, primary_key=True), _need("position", Ms))
# A mark that is shared by processes is leased to one of them at a time.
marks = sa.Table(
    "marks",
    metadata,
    Column("consumer", Text, primary_key=True),
    _need("position", Ms),
    Column("token", Ms),
    Column("lease_until", Ms),
)

# Packages that know the revision `oldest_reader` may run on the schema as `revision` left it (``migrate``).
schema_floors = sa.Table("schema_floors", metadata, Column("revision", Text, primary_key=True), _need("oldest_reader"))

callbacks = sa.Table(
    "callbacks",
    metadata,
    Column("id", Text, primary_key=True),
    _need("endpoint"),
    _need("event_id"),
    _need("digest"),
    _need("state"),
    _need("tries", Integer, "0"),
    _need("due_at", Ms),
    Column("code", Text),
    Column("matched", Text),
    _need("call_sealed", LargeBinary),
    _need("received_at", Ms),
    Index("callbacks_once", "endpoint", "event_id", unique=True),
    Index("callbacks_due", "state", "due_at", "id"),
    Index("callbacks_state", "state", "id"),
)

# Every platform event that was applied: a callback may carry several, a poll may bring one again.
applied = sa.Table(
    "applied",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    _need("at", Ms),
)

external_references = sa.Table(
    "external_references",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("about", Text, primary_key=True),
    _need("subject"),
    _need("folded"),
    _need("created_at", Ms),
    Index("external_references_folded", "folded"),
    Index("external_references_subject", "subject"),
)

endpoints = sa.Table(
    "endpoints",
    metadata,
    Column("name", Text, primary_key=True),
    _need("adapter"),
    _need("paused", Boolean, "false"),
    Column("paused_by", Text),
    Column("reason", Text),
    _need("quiet_until", Ms, "0"),
    _need("slots", Integer),
    _need("failures", Integer, "0"),
    _need("breaker", Text, "'closed'"),
    Column("cursor", Text),
    _need("poll_at", Ms, "0"),
    _need("changed_at", Ms, "0"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    Column("client", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _need("digest", LargeBinary),
    _need("about"),
    _need("answer", LargeBinary),
    _need("created_at", Ms),
)

attachments = sa.Table(
    "attachments",
    metadata,
    Column("id", Text, primary_key=True),
    _need("owner"),
    _need("kind"),
    _need("name_sealed", LargeBinary),
    _need("media_type"),
    _need("size", Ms),
    _need("sha256"),
    _need("created_at", Ms),
)

# Documents that platforms hold for us, until they are downloaded (仲裁调解书, 裁定书).
papers = sa.Table(
    "papers",
    metadata,
    Column("id", Text, primary_key=True),
    _need("endpoint"),
    _need("subject"),
    _need("about"),
    _need("ref"),
    _need("link_sealed", LargeBinary),
    _need("state"),
    _need("tries", Integer, "0"),
    _need("due_at", Ms),
    Column("attachment", Text),
    Column("code", Text),
    Index("papers_once", "endpoint", "about", "ref", unique=True),
    Index("papers_due", "due_at", **_where("state = 'pending'")),
    Index("papers_subject", "subject"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    _need("kind"),
    _need("subject"),
    _need("about"),
    Column("endpoint", Text),
    _need("organization"),
    _need("state"),
    Column("assignee", Text),
    Column("code", Text),
    Column("detail_sealed", LargeBinary),
    Column("due_at", Ms),
    _need("created_at", Ms),
    Column("resolved_at", Ms),
    Column("resolution", Text),
    _need("told", Text, "''"),
    Index("tasks_untold", "id", **_where("told <> state")),
    Index("tasks_open_once", "kind", "about", unique=True, **_where("state = 'open'")),
    Index("tasks_listed", "state", "id"),
    Index("tasks_subject", "subject"),
)

clocks = sa.Table(
    "clocks",
    metadata,
    Column("id", Text, primary_key=True),
    _need("subject"),
    _need("about"),
    _need("rule"),
    _need("organization"),
    _need("started_on"),
    _need("due_on"),
    _need("safe_at", Ms),
    _need("state"),
    _need("provisional", Boolean),
    _need("calendar"),
    Column("alarm_at", Ms),
    Column("given_end", Text),
    _need("extended_by", Integer, "0"),
    _need("pauses", Text, "'[]'"),
    Index("clocks_once", "about", "rule", unique=True),
    Index("clocks_subject", "subject"),
    Index("clocks_due", "state", "due_on", "id"),
    Index("clocks_provisional", "id", **_where("provisional")),
    Index("clocks_alarm", "alarm_at", **_where("state = 'running' AND alarm_at IS NOT NULL")),
)

# Keyed fingerprints of the parties' numbers and names: exact search and recognition of the same dispute, without the values.
people = sa.Table(
    "people",
    metadata,
    Column("blind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    _need("role"),
)

# What a person decided about two cases that may be one dispute; `one` is the smaller id.
case_links = sa.Table(
    "case_links",
    metadata,
    Column("one", Text, primary_key=True),
    Column("other", Text, primary_key=True),
    _need("verdict"),
    _need("task"),
    _need("decided_by"),
    _need("decided_at", Ms),
    Index("case_links_other", "other"),
)

clients = sa.Table(
    "clients",
    metadata,
    Column("prefix", Text, primary_key=True),
    _need("client"),
    _need("name"),
    _need("secret_hash", LargeBinary),
    _need("scopes"),
    _need("organizations"),
    _need("enabled", Boolean),
    _need("created_at", Ms),
    Column("expires_at", Ms),
)

# Where clients are told events (订阅端点). Each is an endpoint under its id. `mark` is the cursor up to which its deliveries
# are made (null: it keeps up), `handshake` the delivery that proves its address.
webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    _need("client"),
    _need("address_sealed", LargeBinary),
    _need("events"),
    Column("organizations", Text),
    _need("signing"),
    _need("keys_sealed", LargeBinary),
    Column("old_keys_sealed", LargeBinary),
    Column("old_until", Ms),
    _need("version", Integer),
    _need("state"),
    Column("reason", Text),
    Column("mark", Ms),
    _need("handshake"),
    _need("probe_at", Ms),
    _need("waits_until", Ms),
    Column("failing_since", Ms),
    Column("last_success_at", Ms),
    Column("last_failure_at", Ms),
    Column("last_failure_code", Text),
    _need("created_at", Ms),
    Index("webhook_endpoints_client", "client"),
)

nonces = sa.Table(
    "nonces",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    _need("until", Ms),
    Index("nonces_until", "until"),
)

memory = sa.Table(
    "memory",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _need("value_sealed", LargeBinary),
    Column("until", Ms),
)

# Append-only; each row holds the hash of the one before (审计).
audit = sa.Table(
    "audit",
    metadata,
    Column("number", Ms, primary_key=True),
    _need("at", Ms),
    _need("actor"),
    _need("act"),
    _need("target"),
    Column("reason", Text),
    _need("data"),
    _need("previous", LargeBinary),
    _need("hash", LargeBinary),
)
