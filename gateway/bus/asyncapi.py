"""The AsyncAPI 3 document of the event topics, made from ``contracts.events``: what is published where, under which key."""

from __future__ import annotations

from typing import Any, cast

from contracts.events import EVENT_NOUNS, EVENT_TYPES, WITHOUT_CURSOR, envelope_schema
from contracts.status import Noun

Json = dict[str, Any]

_TYPE = "application/cloudevents+json"


def document(
    *,
    site: str,
    public_base: str,
    prefix: str,
    partitions: int,
    servers: str | None = None,
    tls: bool = False,
    intake: bool = False,
) -> Json:
    """The whole document. ``servers`` are the broker's addresses, ``None`` where there is none: the topics are then what they
    would be. ``intake``: cases may be written to a topic."""
    schemas: Json = {}
    types = sorted(kind for kind in EVENT_TYPES if kind not in WITHOUT_CURSOR)
    messages = {kind: _message(kind, schemas) for kind in types}
    channels = {noun: _channel(noun, prefix, partitions, types) for noun in sorted(EVENT_NOUNS)}
    operations: Json = {f"publish.{noun}": _sends(noun) for noun in sorted(EVENT_NOUNS)}
    made: Json = {
        "asyncapi": "3.0.0",
        "id": f"urn:mediation-gateway:{site}",
        "info": {
            "title": "劳动争议调解对接网关：事件 Mediation gateway: events",
            "version": "1",
            "description": (
                "Thin CloudEvents 1.0 in structured mode: ids, states, clocks and links, never personal data. "
                "Events of one case share a key and keep their order within a topic; `sequence` orders them over all topics. "
                "Delivery is at least once: `id` is the key against repeats."
            ),
        },
        "defaultContentType": _TYPE,
    }
    if servers is not None:
        protocol = "kafka-secure" if tls else "kafka"
        made["servers"] = {
            f"broker{place}": {"host": host, "protocol": protocol} for place, host in enumerate(servers.split(","), 1)
        }
    if intake:
        _add_intake(prefix, public_base, channels, operations, messages)
    return made | {
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def _message(kind: str, schemas: Json) -> Json:
    described = EVENT_TYPES[kind]
    schema = cast("Json", envelope_schema(kind))
    schema.pop("$schema")
    for name, definition in cast("Json", schema.pop("$defs", {})).items():
        known = schemas.setdefault(name, _moved(definition))
        if known != _moved(definition):
            raise ValueError(f"two schemas are called {name}")
    return {
        "name": kind,
        "title": described.en,
        "summary": described.zh,
        "contentType": _TYPE,
        "payload": _moved(schema),
        "bindings": {
            "kafka": {"key": {"type": "string", "description": "the case's id; without a case the subject's"}}
        },
    }


def _moved(schema: Any) -> Any:
    """The schema with its definitions among the document's own."""
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/")
            if key == "$ref" and isinstance(value, str)
            else _moved(value)
            for key, value in schema.items()
        }
    return [_moved(part) for part in schema] if isinstance(schema, list) else schema


def _channel(noun: str, prefix: str, partitions: int, types: list[str]) -> Json:
    named = Noun(noun)
    return {
        "address": f"{prefix}.{noun}",
        "title": named.en,
        "description": named.zh,
        "messages": {
            kind: {"$ref": f"#/components/messages/{kind}"} for kind in types if kind.partition(".")[0] == noun
        },
        "bindings": {"kafka": {"topic": f"{prefix}.{noun}", "partitions": partitions}},
    }


def _sends(channel: str) -> Json:
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}}


def _add_intake(prefix: str, public_base: str, channels: Json, operations: Json, messages: Json) -> None:
    """The topics that bring cases in: the case as posted over HTTP, a receipt for each, and word of the refused ones."""
    problem: Json = {
        "type": "object",
        "required": ["topic", "partition", "offset", "status", "at"],
        "properties": {
            "topic": {"type": "string"},
            "partition": {"type": "integer"},
            "offset": {"type": "integer"},
            "status": {"type": "integer", "description": "as over HTTP: 202 taken, 4xx refused"},
            "at": {"type": "string", "format": "date-time"},
            "replayed": {"type": "boolean"},
            "result": {"type": "object", "description": "the body of the 202"},
            "code": {"type": "string"},
            "errors": {"type": "array", "items": {"type": "object"}},
            "warnings": {"type": "array", "items": {"type": "object"}},
            "link": {"type": "string"},
        },
    }
    lies = {
        "bytes": {"type": "integer", "description": "length of the record"},
        "sha256": {"type": "string", "description": "of the record, as hexadecimal digits"},
    }
    dead = {**problem, "required": [*problem["required"], *lies], "properties": {**problem["properties"], **lies}}
    for name, topic, title, payload in (
        ("case", "intake", "案件报送 A case to be taken", {"$ref": f"{public_base}/v1/schemas/Case"}),
        ("receipt", "receipts", "回执 What became of a record", problem),
        ("dead", "intake.dead", "退件 A refused record: where it lies and why, never its content", dead),
    ):
        messages[f"intake.{name}"] = {
            "name": f"intake.{name}",
            "title": title,
            "contentType": "application/json",
            "payload": payload,
        }
        channels[f"intake.{name}"] = {
            "address": f"{prefix}.{topic}",
            "title": title,
            "messages": {name: {"$ref": f"#/components/messages/intake.{name}"}},
            "bindings": {"kafka": {"topic": f"{prefix}.{topic}"}},
        }
    operations["intake.take"] = {"action": "receive", "channel": {"$ref": "#/channels/intake.case"}}
    operations["intake.answer"] = _sends("intake.receipt")
    operations["intake.refuse"] = _sends("intake.dead")
