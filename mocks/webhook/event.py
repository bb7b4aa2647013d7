"""The event inside a request: strict JSON, CloudEvents attributes and data of webhook page §1, §3 and §4."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from mocks.webhook.catalogue import (
    ID_PREFIXES,
    PERCENTS,
    REASONS,
    STATUSES,
    TYPES,
    VERIFICATION,
    WITH_CASE,
    WITHOUT_CURSOR,
    EventType,
)
from mocks.webhook.privacy import personal_data

Json = dict[str, Any]

EVENT_ID = re.compile(r"evt_[A-Za-z0-9_-]{1,128}")
_REQUIRED = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data")
_OPTIONAL = ("sequence", "partitionkey", "cursor", "traceparent")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LINK = re.compile(r"https?://[^/?#@\s]+(?:/[A-Za-z0-9_.-]+)*")
_SCHEMA = re.compile(r"https?://[^?#@\s]+/v1/schemas/event\.([a-z_.]+)")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_DEPTH = 32
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


def read(body: bytes) -> tuple[Json | None, list[str]]:
    """The JSON object, or None, with the breaches of its form (encoding, JSON, doubled keys, blanks between tokens)."""
    if body.startswith(b"\xef\xbb\xbf"):
        return None, ["bom"]
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None, ["utf8"]
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> Json:
        result = dict(items)
        if len(result) != len(items):
            doubled.append("duplicate_key")
        return result

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None, ["json"]
    if not isinstance(value, dict):
        return None, ["json"]
    if _too_deep(value):
        return None, ["depth"]
    if _has(value, lambda inner: isinstance(inner, str) and not _encodable(inner)):
        return None, ["lone_surrogate"]
    breaches = doubled[:1]
    if re.search(rb"\s", _STRING.sub(b"", body)):
        breaches.append("not_compact")
    if _has(value, lambda inner: inner is None):
        breaches.append("null")
    return value, breaches


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _has(value: Any, test: Callable[[Any], bool]) -> bool:
    if isinstance(value, dict):
        return any(test(key) or _has(inner, test) for key, inner in value.items())
    if isinstance(value, list):
        return any(_has(inner, test) for inner in value)
    return test(value)


def breaches(event: Json, webhook_id: str, today: date) -> list[str]:
    """Everything in which the event differs from §3, §4 and §8's privacy rule, as ``<name>`` or ``<name>:<where>``."""
    found = [f"attribute_missing:{name}" for name in _REQUIRED if name not in event]
    found += [f"attribute_unknown:{name[:40]}" for name in event if name not in (*_REQUIRED, *_OPTIONAL)]
    data = event.get("data")
    if isinstance(data, dict):
        found += _attributes(event, webhook_id, data)
        found += [f"personal_data:{what}" for what in personal_data(data, today)]
        kind = _kind(event)
        if kind is not None:
            found += _data(event["type"], kind, event, data)
    elif "data" in event:
        found.append("attribute_form:data")
    if isinstance(event.get("type"), str) and event["type"] not in TYPES:
        found.append("type")
    return found


def _kind(event: Json) -> EventType | None:
    name = event.get("type")
    return TYPES.get(name) if isinstance(name, str) else None


def _attributes(event: Json, webhook_id: str, data: Json) -> list[str]:
    name = event.get("type")
    schema = _SCHEMA.fullmatch(_text(event, "dataschema"))
    right = {
        "specversion": event.get("specversion") == "1.0",
        "id": EVENT_ID.fullmatch(_text(event, "id")) is not None and event["id"] == (webhook_id or event["id"]),
        "source": re.fullmatch(r"urn:mediation-gateway:[a-z0-9-]+", _text(event, "source")) is not None,
        "type": isinstance(name, str),
        "subject": _ID.fullmatch(_text(event, "subject")) is not None,
        "time": is_time(event.get("time")),
        "datacontenttype": event.get("datacontenttype") == "application/json",
        "dataschema": schema is not None and schema[1] == name,
        "sequence": re.fullmatch(r"[0-9]{20}", _text(event, "sequence")) is not None,
        "partitionkey": _text(event, "partitionkey") == data.get("case"),
        "cursor": re.fullmatch(r"[!-~]{1,128}", _text(event, "cursor")) is not None,
    }
    found = [f"attribute_form:{key}" for key, fits in right.items() if key in event and not fits]
    for key in ("sequence", "partitionkey"):
        if (key in event) != ("case" in data):
            found.append(f"attribute_presence:{key}")
    if isinstance(name, str) and name in TYPES and ("cursor" in event) == (name in WITHOUT_CURSOR):
        found.append("attribute_presence:cursor")
    return found


def _text(event: Json, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def is_time(value: object) -> bool:
    """Whether this is RFC 3339 with an offset."""
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _data(name: str, kind: EventType, event: Json, data: Json) -> list[str]:
    required = [*kind.required, *(WITH_CASE if kind.needs_case or "case" in data else ())]
    found = [f"data_missing:{key}" for key in dict.fromkeys(required) if key not in data]
    found += [
        f"data_form:{key}"
        for key, prefix in ID_PREFIXES.items()
        if key in data and not (_ID.fullmatch(_text(data, key)) and data[key].startswith(prefix))
    ]
    found += [f"data_form:{key}" for key, test in _FORMS.items() if key in data and not test(data[key])]
    if "status" in data and kind.noun in STATUSES:
        words = frozenset({"unknown"}) if name.endswith(".unknown_status") else STATUSES[kind.noun]
        if not isinstance(data["status"], str) or data["status"] not in words:
            found.append("data_form:status")
    if name == VERIFICATION and not _CHALLENGE.fullmatch(_text(data, "challenge")):
        found.append("data_form:challenge")
    if kind.about_webhook and "reason" in data and data["reason"] not in REASONS:
        found.append("data_form:reason")
    if event.get("subject") not in [data[key] for key in kind.subject if key in data]:
        found.append("subject")
    return found


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 64


def _is_list_of(*keys: str) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(item, dict) and all(_is_word(item.get(key)) for key in keys) for item in value
        )

    return test


def _is_organization(value: Any) -> bool:
    return isinstance(value, dict) and _is_word(value.get("code"))


def _are_links(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and {"self", "case", "timeline"} <= value.keys()
        and all(isinstance(link, str) and _LINK.fullmatch(link) for link in value.values())
    )


def _is_clock(value: Any) -> bool:
    return isinstance(value, dict) and _is_word(value.get("rule")) and _is_word(value.get("state"))


def _is_percent(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in PERCENTS


_FORMS: dict[str, Callable[[Any], bool]] = {
    "source_case_no": _is_word,
    "organization": _is_organization,
    "links": _are_links,
    "at": is_time,
    "requested_at": is_time,
    "endpoint": _is_word,
    "task_no": _is_word,
    "kind": _is_word,
    "raw_status": _is_short,
    "code": _is_short,
    "clock": _is_clock,
    "clocks": _is_list_of("rule", "due", "state"),
    "external_refs": _is_list_of("endpoint", "kind", "value"),
    "percent": _is_percent,
}
