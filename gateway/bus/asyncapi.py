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


_TAKEN = (
    "每条消息一个案件，检查与 HTTP 报送相同；头 idempotency-key 可选，缺省按内容去重。读不出来的消息（批次损坏、压缩方式未知）"
    "以 record_unreadable 回执并退件，随后继续读取：同一批次的消息可能一起退回，请改正后重发。"
    "One case a record, by the same checks as over HTTP; the header idempotency-key is optional, without it the content "
    "tells a repeat. Records of one key are taken in their order; gzip, snappy, lz4 and zstd are read. A record that cannot be "
    "read (a broken batch, an unknown compression) is answered and dead-lettered by its place as record_unreadable; reading "
    "goes on behind it: all that came in one batch with it may be refused alike. Correct the producer and send them again."
)
_ANSWERED = (
    "主题、分区、偏移量指明所答的消息；每条消息至少一个回执，可能重复；键超过 4096 字节则以 SHA-256 代替（见头 x-key-bytes）。"
    "Topic, partition and offset name the record that is answered. Every record gets one receipt at least, perhaps twice. "
    "The key is the record's; of more than 4,096 bytes its SHA-256 (sha256:…), which the header x-key-bytes then says."
)
_KEY_MARK: Json = {
    "x-key-bytes": {"type": "string", "description": "length of the record's key, where a digest stands for it"}
}
_MARKS: dict[str, Json] = {
    "receipt": _KEY_MARK,
    "dead": {
        **_KEY_MARK,
        "x-dead-code": {"type": "string", "description": "the code of the refusal"},
        "x-dead-origin": {"type": "string", "description": "topic/partition/offset of the record"},
    },
}


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
            "fault": {"type": "string", "description": "with record_unreadable: what the reader failed at"},
            "shortened": {
                "const": True,
                "description": "findings are left out: with them it was too large for the broker",
            },
            "errors": {"type": "array", "items": {"type": "object"}},
            "warnings": {"type": "array", "items": {"type": "object"}},
            "link": {"type": "string"},
        },
    }
    lies = {
        "bytes": {"type": "integer", "description": "length of the record; absent where it cannot be read"},
        "sha256": {
            "type": "string",
            "description": "of the record, as hexadecimal digits; absent where it cannot be read",
        },
    }
    dead = {**problem, "required": [*problem["required"], "code"], "properties": {**problem["properties"], **lies}}
    for name, topic, title, payload, told in (
        ("case", "intake", "案件报送 A case to be taken", {"$ref": f"{public_base}/v1/schemas/Case"}, _TAKEN),
        ("receipt", "receipts", "回执 What became of a record", problem, _ANSWERED),
        ("dead", "intake.dead", "退件 A refused record: where it lies and why, never its content", dead, _ANSWERED),
    ):
        messages[f"intake.{name}"] = {
            "name": f"intake.{name}",
            "title": title,
            "description": told,
            "contentType": "application/json",
            "payload": payload,
        }
        if name != "case":
            messages[f"intake.{name}"]["headers"] = {"type": "object", "properties": _MARKS[name]}
        channels[f"intake.{name}"] = {
            "address": f"{prefix}.{topic}",
            "title": title,
            "messages": {name: {"$ref": f"#/components/messages/intake.{name}"}},
            "bindings": {"kafka": {"topic": f"{prefix}.{topic}"}},
        }
    operations["intake.take"] = {"action": "receive", "channel": {"$ref": "#/channels/intake.case"}}
    operations["intake.answer"] = _sends("intake.receipt")
    operations["intake.refuse"] = _sends("intake.dead")
