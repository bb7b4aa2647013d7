"""The events that the gateway publishes: every type with its data, the CloudEvents envelope, and the filters.

Events are thin (``platforms/webhook.md`` §3, §4): ids, states, clocks and links. No name, number of a person, amount,
account or text ever stands in one; whoever needs the rest reads it by the links with a credential of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, create_model, model_validator

from contracts.deliveries import DeliveryState
from contracts.event_values import KEYS, EventObject, Moment, forbidden_keys, titles
from contracts.identifiers import IdPrefix, id_pattern
from contracts.status import (
    CaseStatus,
    ConfirmationStatus,
    FulfilmentStatus,
    Noun,
    ReferralStatus,
    TransferStatus,
)
from contracts.titled import Titled

MAX_BODY_BYTES = 20_480
"""The most that one event may take as compact JSON in UTF-8."""

_CASE_KEYS = ("case", "source_case_no", "organization", "links")


class CaseBound(StrEnum):
    """Whether an event belongs to a case. Then case, source_case_no, organization and links stand in its data."""

    ALWAYS = "always"
    WHERE_KNOWN = "where_known"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class EventKind:
    """One event type: its titles and the keys of its ``data``.

    ``subject`` names the keys of which one holds the CloudEvents subject. ``status`` is the one value of the key
    ``status``, where the type's name says it. ``unfiltered``: goes to a webhook whatever its filters.
    """

    type: str
    noun: Noun
    zh: str
    en: str
    subject: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    case: CaseBound = CaseBound.ALWAYS
    status: str = ""
    unfiltered: bool = False

    @property
    def required_keys(self) -> tuple[str, ...]:
        """All keys that must stand in ``data``, those of the case included where there always is one."""
        return (*_CASE_KEYS, *self.required) if self.case is CaseBound.ALWAYS else self.required


def _kinds(form: EventKind, *names: tuple[str, str, str]) -> tuple[EventKind, ...]:
    """Types of one form: ``(last part of the name, zh, en)`` each."""
    return tuple(replace(form, type=f"{form.noun}.{name}", zh=zh, en=en) for name, zh, en in names)


def _steps(form: EventKind, words: Iterable[Titled]) -> tuple[EventKind, ...]:
    """One type for each word of a lifecycle. The word ``unknown`` becomes ``<noun>.unknown_status``."""
    return tuple(
        replace(
            form,
            type=f"{form.noun}.{'unknown_status' if word == 'unknown' else word}",
            zh=f"{form.noun.zh}：{word.zh}",
            en=f"{form.noun.en}: {word.en}",
            optional=(*form.optional, "raw_status") if word == "unknown" else form.optional,
            status=word.value,
        )
        for word in words
    )


def _form(noun: Noun, subject: tuple[str, ...], required: tuple[str, ...], *optional: str) -> EventKind:
    return EventKind(type="", noun=noun, zh="", en="", subject=subject, required=required, optional=optional)


_CASE = _form(Noun.CASE, ("case",), ("status", "at"), "state_before", "reason_code", "endpoint", "clocks")
_AGREEMENT = _form(
    Noun.AGREEMENT, ("agreement",), ("agreement", "settled_claims", "effect_rule"), "effective_at", "clocks"
)
_CONFIRMATION = _form(
    Noun.CONFIRMATION,
    ("confirmation",),
    ("confirmation", "agreement", "route", "status", "at"),
    "state_before",
    "endpoint",
    "external_refs",
    "clocks",
)
_TRANSFER = _form(
    Noun.TRANSFER,
    ("transfer",),
    ("transfer", "to", "status", "at"),
    "state_before",
    "endpoint",
    "external_refs",
)
_REFERRAL = replace(
    _form(
        Noun.REFERRAL,
        ("referral",),
        ("referral", "kind", "task_no", "status", "at"),
        "state_before",
        "due_at",
        "endpoint",
    ),
    case=CaseBound.WHERE_KNOWN,
)
_FULFILMENT = _form(
    Noun.FULFILMENT, ("agreement",), ("agreement", "term_no", "status", "at"), "state_before", "endpoint"
)
_CLOCK = replace(
    _form(
        Noun.CLOCK,
        ("confirmation", "agreement", "transfer", "referral", "case"),
        ("clock",),
        "agreement",
        "confirmation",
        "transfer",
        "referral",
    ),
    case=CaseBound.WHERE_KNOWN,
)
_DELIVERY = replace(
    _form(Noun.DELIVERY, ("delivery",), ("delivery", "message", "endpoint", "status", "at"), "attempts", "code"),
    case=CaseBound.WHERE_KNOWN,
)
_PLATFORM = replace(_form(Noun.ENDPOINT, ("endpoint",), ("endpoint", "at")), case=CaseBound.NEVER)
_WEBHOOK = replace(
    _form(Noun.ENDPOINT, ("webhook_endpoint",), ("webhook_endpoint", "at", "reason")),
    case=CaseBound.NEVER,
    unfiltered=True,
)
_TASK = replace(
    _form(Noun.TASK, ("task",), ("task", "kind", "at"), "delivery", "confirmation", "due_at"),
    case=CaseBound.WHERE_KNOWN,
)

_ALL: tuple[EventKind, ...] = (
    *_steps(_CASE, CaseStatus),
    *_kinds(_CASE, ("revised", "案件：已更正", "Case: Revised")),
    *_kinds(
        _form(Noun.CASE, ("case",), ("level", "at")),
        ("alerted", "案件：重大集体争议预警", "Case: Collective dispute alert"),
    ),
    *_kinds(_form(Noun.CASE, ("case",), ("at",)), ("followed_up", "案件：已回访", "Case: Followed up")),
    *_kinds(_form(Noun.CASE, ("case",), ("at", "endpoint")), ("noted", "案件：平台批注", "Case: Noted by a platform")),
    *_kinds(
        _AGREEMENT,
        ("concluded", "调解协议：已达成", "Agreement: Concluded"),
        ("effective", "调解协议：已生效", "Agreement: Effective"),
    ),
    *_steps(_CONFIRMATION, ConfirmationStatus),
    *_kinds(
        _CONFIRMATION,
        ("supplemented", "协议确认：已补正材料", "Confirmation: Supplemented"),
        ("withdrawal_requested", "协议确认：申请撤回", "Confirmation: Withdrawal requested"),
    ),
    *_steps(_TRANSFER, TransferStatus),
    *_steps(_REFERRAL, ReferralStatus),
    # The page lists no fulfilment.unknown_status.
    *_steps(_FULFILMENT, (word for word in FulfilmentStatus if word is not FulfilmentStatus.UNKNOWN)),
    *_kinds(
        _CLOCK,
        ("started", "法定期限：开始计算", "Statutory deadline: Started"),
        ("expired", "法定期限：已届满", "Statutory deadline: Expired"),
    ),
    *_kinds(
        replace(_CLOCK, optional=(*_CLOCK.optional, "percent")),
        ("approaching", "法定期限：即将届满", "Statutory deadline: Approaching"),
    ),
    # Beside the page's: a clock that stops, goes on, or is prolonged has other dates, of which ``clock.started`` says nothing.
    *_kinds(
        replace(_CLOCK, optional=(*_CLOCK.optional, "at", "article", "article_en")),
        ("suspended", "法定期限：已中止", "Statutory deadline: Suspended"),
        ("resumed", "法定期限：恢复计算", "Statutory deadline: Resumed"),
    ),
    *_kinds(
        replace(_CLOCK, optional=(*_CLOCK.optional, "at", "article", "article_en", "extended_by")),
        ("extended", "法定期限：已延长", "Statutory deadline: Extended"),
    ),
    *_steps(
        _DELIVERY,
        (word for word in DeliveryState if word not in (DeliveryState.PENDING, DeliveryState.RELAYED)),
    ),
    *_kinds(
        _PLATFORM,
        ("paused", "对接端点：已暂停", "Endpoint: Paused"),
        ("resumed", "对接端点：已恢复", "Endpoint: Resumed"),
    ),
    *_kinds(
        replace(_WEBHOOK, required=("webhook_endpoint", "challenge")),
        ("verification", "订阅端点：地址验证", "Webhook endpoint: Verification"),
    ),
    *_kinds(
        replace(_WEBHOOK, required=("webhook_endpoint", "requested_at")),
        ("test", "订阅端点：测试", "Webhook endpoint: Test"),
    ),
    *_kinds(
        _WEBHOOK,
        ("unhealthy", "订阅端点：异常", "Webhook endpoint: Unhealthy"),
        ("recovered", "订阅端点：已恢复", "Webhook endpoint: Recovered"),
        ("disabled", "订阅端点：已停用", "Webhook endpoint: Disabled"),
        ("secret_rotated", "订阅端点：密钥已轮换", "Webhook endpoint: Secret rotated"),
    ),
    *_kinds(
        _TASK,
        ("opened", "人工任务：已创建", "Task: Opened"),
        ("resolved", "人工任务：已办结", "Task: Resolved"),
    ),
)

EVENT_TYPES: Mapping[str, EventKind] = MappingProxyType({kind.type: kind for kind in _ALL})
"""Every event type by its name."""

EVENT_NOUNS: frozenset[str] = frozenset(kind.noun.value for kind in _ALL)
"""The nouns that a filter ``<noun>.*`` may name."""

WITHOUT_CURSOR = frozenset({"endpoint.verification", "endpoint.test"})
"""Sent to one webhook directly, thus in no feed."""


# -------------------------------------------------------------------------------------------------------------- filters


def is_filter(pattern: str) -> bool:
    """Whether a subscription may name this: ``*``, an exact type, or ``<noun>.*`` of a known noun."""
    noun, dot, rest = pattern.partition(".")
    return pattern == "*" or pattern in EVENT_TYPES or (noun in EVENT_NOUNS and dot + rest == ".*")


def matches(filters: Collection[str], event_type: str) -> bool:
    """Whether a webhook with these filters wants an event of the type. News about webhook endpoints ignore filters.

    Raises ``KeyError`` for a type that is not of the table.
    """
    return EVENT_TYPES[event_type].unfiltered or fits(filters, event_type)


def fits(filters: Collection[str], event_type: str) -> bool:
    """Whether one of the filters names the type. Raises ``KeyError`` for a type that is not of the table."""
    return not {"*", event_type, f"{EVENT_TYPES[event_type].noun}.*"}.isdisjoint(filters)


# ------------------------------------------------------------------------------------------------------------- the data

_ONE_OF: Any = Literal
_ANNOTATED: Any = Annotated
"""Forms made at run time, which the type checker cannot follow."""


@cache
def data_model(event_type: str) -> type[EventObject]:
    """The form of an event's ``data``: required and known optional keys; others may be there and are ignored.

    Raises ``KeyError`` for a type that is not of the table.
    """
    kind = EVENT_TYPES[event_type]
    required = kind.required_keys
    optional = (*kind.optional, *_CASE_KEYS) if kind.case is CaseBound.WHERE_KNOWN else kind.optional
    fields: dict[str, Any] = {}  # Any: pydantic's own form of a field
    for name in dict.fromkeys((*required, *optional)):
        key = KEYS["task_kind" if name == "kind" and kind.noun is Noun.TASK else name]
        form = _ONE_OF[kind.status] if name == "status" and kind.status else key.form
        titled = _ANNOTATED[form, titles(key.zh, key.en)]
        # An absent key has no value, and null is none: a factory keeps a default out of the schema.
        fields[name] = titled if name in required else (titled, Field(default_factory=lambda: None))
    return create_model(f"event.{event_type}", __base__=EventObject, __doc__=kind.en, **fields)


@cache
def _event_schema(event_type: str) -> dict[str, JsonValue]:
    kind = EVENT_TYPES[event_type]
    schema = data_model(event_type).model_json_schema()
    schema |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.en,
        "x-title-zh": kind.zh,
    }
    if kind.case is CaseBound.WHERE_KNOWN:
        schema["dependentRequired"] = {"case": [name for name in _CASE_KEYS if name != "case"]}
    return schema


def event_schema(event_type: str) -> dict[str, JsonValue]:
    """The JSON Schema (2020-12) of the type's ``data``: what ``dataschema`` of an event points to.

    Raises ``KeyError`` for a type that is not of the table.
    """
    return deepcopy(_event_schema(event_type))


def data_problems(event_type: str, data: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """What speaks against sending this data, as ``<problem>:<key>``; empty = nothing.

    ``forbidden`` (a key that holds personal data or text), ``missing``, ``null``, ``form``. No value is ever repeated.
    Raises ``KeyError`` for a type that is not of the table.
    """
    kind = EVENT_TYPES[event_type]
    problems = [f"forbidden:{key}" for key in forbidden_keys(dict(data))]
    needed = [*kind.required_keys, *(_CASE_KEYS if "case" in data and kind.case is CaseBound.WHERE_KNOWN else ())]
    problems += [f"missing:{key}" for key in dict.fromkeys(needed) if key not in data]
    problems += [f"null:{key}" for key, value in data.items() if value is None]
    links = data.get("links")
    if "case" in data and isinstance(links, dict):
        problems += [f"missing:links.{key}" for key in ("case", "timeline") if key not in links]
    present = {key: value for key, value in data.items() if value is not None}
    problems += [f"form:{key}" for key in _misformed(data_model(event_type), present)]
    return tuple(dict.fromkeys(problems))


def _misformed(model: type[EventObject], data: Mapping[str, JsonValue]) -> Iterable[str]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return [str(one["loc"][0]) for one in found if len(one["loc"]) > 1 or one["type"] != "missing"]
    return ()


# --------------------------------------------------------------------------------------------------------- the envelope


class CloudEvent(BaseModel):
    """The CloudEvents 1.0 envelope as it is published (``platforms/webhook.md`` §3). Validates, builds nothing.

    ``sequence`` (20 digits, rising within the case) and ``partitionkey`` (case id) stand where there is a case;
    ``cursor`` in every event that is in the feed; ``traceparent`` (W3C Trace Context, CloudEvents' distributed tracing
    extension) where the gateway records traces. Times stay text. Absent attributes are left out, never null:
    ``model_dump(exclude_none=True)`` is the body.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    specversion: Annotated[Literal["1.0"], titles("规范版本", "Specification version")]
    id: Annotated[str, Field(pattern=id_pattern(IdPrefix.EVENT)), titles("事件标识", "Event id")]
    source: Annotated[str, Field(pattern=r"^urn:mediation-gateway:[a-z0-9-]{1,64}$"), titles("来源", "Source")]
    type: Annotated[str, Field(max_length=64), titles("事件类型", "Type")]
    subject: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$"), titles("对象", "Subject")]
    time: Annotated[Moment, titles("发生时间", "Time of the fact")]
    datacontenttype: Annotated[Literal["application/json"], titles("数据媒体类型", "Media type of the data")]
    dataschema: Annotated[
        str, Field(pattern=r"^https?://[^\s]+$", max_length=2048), titles("数据模式", "Schema of the data")
    ]
    sequence: Annotated[
        Annotated[str, Field(pattern=r"^[0-9]{20}$")] | None, titles("案内序号", "Sequence within the case")
    ] = None
    partitionkey: Annotated[
        Annotated[str, Field(pattern=id_pattern(IdPrefix.CASE))] | None, titles("案件标识", "Case id")
    ] = None
    cursor: Annotated[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None, titles("游标", "Cursor")] = None
    traceparent: Annotated[
        Annotated[str, Field(pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")] | None,
        titles("链路标识", "Trace of the event's making"),
    ] = None
    data: Annotated[dict[str, JsonValue], titles("数据", "Data")]

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, attributes: object) -> object:
        if isinstance(attributes, dict) and any(value is None for value in attributes.values()):
            raise ValueError("an absent attribute is left out, never null")
        return attributes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kind = EVENT_TYPES.get(self.type)
        if kind is None:
            raise ValueError("type: not of the table")
        problems = list(data_problems(self.type, self.data))
        if self.subject not in {self.data.get(key) for key in kind.subject if isinstance(self.data.get(key), str)}:
            problems.append("subject: not the id in data")
        if not self.dataschema.endswith(f"/v1/schemas/event.{self.type}"):
            problems.append("dataschema: of another type")
        if self.partitionkey != self.data.get("case") or (self.sequence is None) != (self.partitionkey is None):
            problems.append("partitionkey, sequence: both where there is a case, else neither")
        if (self.cursor is None) != (self.type in WITHOUT_CURSOR):
            problems.append("cursor: in every event of the feed, and in no other")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def envelope_schema(event_type: str) -> dict[str, JsonValue]:
    """The JSON Schema of a whole event of the type, envelope and data. Raises ``KeyError`` as ``event_schema``."""
    data = event_schema(event_type)
    definitions = data.pop("$defs", {})
    envelope: dict[str, JsonValue] = CloudEvent.model_json_schema()
    properties = cast("dict[str, JsonValue]", envelope["properties"])
    for name in ("sequence", "partitionkey", "cursor", "traceparent"):
        attribute = cast("dict[str, JsonValue]", properties[name])
        attribute |= cast("list[dict[str, JsonValue]]", attribute.pop("anyOf"))[0]
        attribute.pop("default")
    properties["type"] = {**cast("dict[str, JsonValue]", properties["type"]), "const": event_type}
    properties["data"] = {key: value for key, value in data.items() if key != "$schema"}
    required = cast("list[JsonValue]", envelope["required"])
    if event_type not in WITHOUT_CURSOR:
        required.append("cursor")
    if EVENT_TYPES[event_type].case is CaseBound.ALWAYS:
        required += ["sequence", "partitionkey"]
    return {
        **envelope,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": data["title"],
        "x-title-zh": data["x-title-zh"],
        "description": "CloudEvents 1.0, structured mode",
        "$defs": definitions,
    }
