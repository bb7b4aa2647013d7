"""Wires as the API tells them (译文): the payload as far as people may see it, with its loss report."""

from __future__ import annotations

from typing import Any

from contracts.adapter import Wire
from contracts.errors import PermanentError
from gateway.flow.examining.rehearsal import Rehearsed, Translated
from gateway.security.disclosure import Redactor


def wire_view(wire: Wire, redactor: Redactor) -> dict[str, Any]:
    """A translated wire."""
    return {
        "operation": wire.operation,
        "payload": redactor.json(wire.payload),
        "losses": [
            {"kind": loss.kind.value, "pointer": loss.pointer, "place": loss.place, "note": loss.note}
            for loss in wire.losses
        ],
    }


def rehearsed_view(found: Rehearsed) -> dict[str, Any]:
    """A dry run's answer: per endpoint the wire, or why it would be refused there."""
    return {
        "dry_run": True,
        "status": found.status,
        "warnings": [finding.as_error() for finding in found.warnings],
        "endpoints": [_translated_view(one, found.redactor) for one in found.endpoints],
    }


def _translated_view(one: Translated, redactor: Redactor) -> dict[str, Any]:
    if isinstance(one.made, PermanentError):
        refused = {"code": one.made.code, "places": [reason.place for reason in one.made.reasons]}
        return {"endpoint": one.endpoint, "refused": refused}
    return {"endpoint": one.endpoint, **wire_view(one.made, redactor)}
