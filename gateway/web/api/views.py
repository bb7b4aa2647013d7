"""How a delivery and a clock are shown to those whose they are."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.web.api.answers import iso


def delivery_view(row: Any) -> dict[str, Any]:
    """A delivery as its owner sees it."""
    view = {
        "id": row.id,
        "type": row.type,
        "endpoint": row.endpoint,
        "state": row.state,
        "attempts": row.attempts,
        "code": row.code,
        "reference": row.reference,
        "created_at": iso(row.created_at),
        "next_at": iso(row.next_at) if row.state == "pending" else None,
        "finished_at": iso(row.finished_at),
        "requires": row.requires,
    }
    return {key: value for key, value in view.items() if value is not None}


def clock_view(row: Any) -> dict[str, Any]:
    """A clock as it is read."""
    subject = "case" if row["subject"].startswith("case_") else "referral"
    view = {
        "id": row["id"],
        "about": row["about"],
        subject: row["subject"],
        "rule": row["rule"],
        "start": row["started_on"],
        "due": row["due_on"],
        "latest_safe_time": iso(row["safe_at"]),
        "state": row["state"],
        "provisional": bool(row["provisional"]),
        "calendar_version": row["calendar"],
    }
    if row["extended_by"]:
        view["extended_by"] = row["extended_by"]
    pauses = [{"from": first, "until": until} for first, until in orjson.loads(row["pauses"])]
    return view | ({"pauses": pauses} if pauses else {})
