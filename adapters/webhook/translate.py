"""Event → wire. The canonical event is the dialect: nothing is mapped, coded or lost."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from adapters.webhook.wire import body_of
from contracts.adapter import Json, Wire
from contracts.errors import PermanentError
from contracts.event_values import forbidden_keys
from contracts.events import MAX_BODY_BYTES
from contracts.identifiers import IdPrefix, make_id

MAPPING = "1"
_BEIJING = timezone(timedelta(hours=8))


def announce(event: Json) -> Wire:
    """The wire of one event; the receiver sees the event's id at every attempt.

    Raises:
        PermanentError: a key that may hold personal data or text, or too many bytes: it must not leave the house.
    """
    if found := sorted(set(forbidden_keys(event["data"]))):
        raise PermanentError("event_not_thin", ", ".join(found))
    if len(body_of(event)) > MAX_BODY_BYTES:
        raise PermanentError("event_too_large", f"over {MAX_BODY_BYTES} bytes")
    return Wire(id=event["id"], operation=event["type"], payload=event, mapping=MAPPING)


def test_event(endpoint: str, source: str, schemas: str, now: datetime, entropy: bytes) -> Json:
    """The event ``endpoint.test``: it stands in no feed, so it has no cursor."""
    at = now.astimezone(_BEIJING).isoformat(timespec="milliseconds")
    return {
        "specversion": "1.0",
        "id": make_id(IdPrefix.EVENT, round(now.timestamp() * 1000), entropy),
        "source": source,
        "type": "endpoint.test",
        "subject": endpoint,
        "time": at,
        "datacontenttype": "application/json",
        "dataschema": f"{schemas}/event.endpoint.test",
        "data": {"webhook_endpoint": endpoint, "requested_at": at},
    }
