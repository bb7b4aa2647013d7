"""A row of the store, read by column name: what a column holds, whichever statement brought it.

A name means one thing in all tables, so its type stands here once, and a name that no table and no statement has is found
before anything runs. At run time a row is what the driver made of it: nothing is wrapped, copied or checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol, overload

TextColumn = Literal[
    "act",
    "actor",
    "adapter",
    "alert",
    "backwards",
    "blind",
    "breaker",
    "business_key",
    "calendar",
    "channel",
    "class",
    "client",
    "consumer",
    "correlation",
    "data",
    "decided_by",
    "due_on",
    "event_id",
    "events",
    "figure",
    "filing",
    "filter",
    "first_id",
    "folded",
    "group_key",
    "handshake",
    "head",
    "job",
    "key",
    "kind",
    "media_type",
    "message",
    "method",
    "nonce",
    "note",
    "oldest_reader",
    "one",
    "other",
    "owner",
    "password",
    "pauses",
    "phase",
    "prefix",
    "query",
    "reconciliation",
    "ref",
    "revision",
    "role",
    "rule",
    "sample",
    "schema",
    "scope",
    "scopes",
    "series",
    "sha256",
    "signing",
    "source",
    "started_on",
    "state",
    "status",
    "subject",
    "target",
    "task",
    "thing",
    "title",
    "token_hash",
    "told",
    "traceparent",
    "trigger",
    "type",
    "user_name",
    "value",
    "verdict",
]
OptionalTextColumn = Literal[
    "approver",
    "assignee",
    "attachment",
    "cursor",
    "day",
    "delivery_code",
    "delivery_endpoint",
    "delivery_source",
    "end_reason",
    "ended_by",
    "facet",
    "given_end",
    "healer",
    "kinds",
    "last_failure_code",
    "later",
    "made",
    "mapping",
    "matched",
    "message_source",
    "message_type",
    "newer",
    "newest",
    "operation",
    "ours",
    "parent",
    "pause_reason",
    "paused_by",
    "reference",
    "requires",
    "resolution",
    "seen_by",
    "theirs",
]
NumberColumn = Literal[
    "at",
    "attempts",
    "canary",
    "changed_at",
    "compared",
    "crashes",
    "created_at",
    "decided_at",
    "died",
    "duration_ms",
    "exchanges",
    "extended_by",
    "failures",
    "first",
    "found",
    "live",
    "made_at",
    "many",
    "next_at",
    "now",
    "number",
    "opened_at",
    "poll_at",
    "probe_at",
    "quiet_until",
    "received_at",
    "recent",
    "seen_at",
    "sequence",
    "size",
    "slots",
    "starts_at",
    "step",
    "stop_percent",
    "total",
    "tries",
    "unasked",
    "updated_at",
    "version",
    "waiting",
    "waits_until",
]
"""Times are milliseconds since 1970 UTC."""

OptionalNumberColumn = Literal[
    "alarm_at",
    "alive_at",
    "began_at",
    "closed_at",
    "delivery_created",
    "doubt_at",
    "expires_at",
    "failed_at",
    "failing_since",
    "finished_at",
    "first_at",
    "last_at",
    "last_failure_at",
    "last_success_at",
    "lease_until",
    "mark",
    "mended_at",
    "old_until",
    "resolved_at",
    "sent_at",
    "signed_in_at",
    "suspect_at",
    "token",
    "totp_step",
    "word_due_at",
]
FlagColumn = Literal[
    "active",
    "enabled",
    "in_flight",
    "must_change",
    "needs_second",
    "overtaken",
    "paused",
    "planned",
    "provisional",
    "quiet",
    "second",
]
"""0 or 1 from SQLite, a ``bool`` from PostgreSQL: whoever hands one on says ``bool(…)``."""

BytesColumn = Literal[
    "address_sealed",
    "answer",
    "call_sealed",
    "changes_sealed",
    "document_sealed",
    "hash",
    "keys_sealed",
    "link_sealed",
    "name_sealed",
    "previous",
    "secret_hash",
    "value_sealed",
]
OptionalBytesColumn = Literal[
    "detail_sealed",
    "old_keys_sealed",
    "reasons_sealed",
    "steps_sealed",
    "totp_sealed",
    "wire_sealed",
]
VaryingColumn = Literal[
    "about",
    "code",
    "delivery",
    "digest",
    "due_at",
    "ended_at",
    "endpoint",
    "ends_at",
    "held",
    "id",
    "name",
    "oldest",
    "organization",
    "organizations",
    "outcome",
    "per_minute",
    "place",
    "position",
    "reason",
    "safe_at",
    "since",
    "suspect",
    "until",
]
"""What these hold, or whether they may be absent, depends on the statement: its reader knows."""


class Row(Protocol):
    """What one statement answers once: ``sqlite3.Row``, asyncpg's ``Record``, in a test a ``dict``."""

    @overload
    def __getitem__(self, column: TextColumn, /) -> str: ...
    @overload
    def __getitem__(self, column: NumberColumn | FlagColumn, /) -> int: ...
    @overload
    def __getitem__(self, column: OptionalTextColumn, /) -> str | None: ...
    @overload
    def __getitem__(self, column: OptionalNumberColumn, /) -> int | None: ...
    @overload
    def __getitem__(self, column: BytesColumn, /) -> bytes: ...
    @overload
    def __getitem__(self, column: OptionalBytesColumn, /) -> bytes | None: ...
    @overload
    def __getitem__(self, column: VaryingColumn, /) -> Any: ...

    def keys(self) -> Iterable[Any]:
        """The names of its columns."""
        ...
