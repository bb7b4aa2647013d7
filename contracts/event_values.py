"""What may stand in the ``data`` of an event: every key with its titles and form, and the keys that never may.

Source: ``platforms/webhook.md`` §3, §4, §8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt
from pydantic.fields import FieldInfo

from contracts.identifiers import IdPrefix, id_pattern
from contracts.lists import (
    AlertLevel,
    ConfirmationRoute,
    EffectRule,
    EndReason,
    ReferralKind,
    SettledClaims,
    TransferTo,
)
from contracts.status import ClockState, ReferenceKind, TaskKind

FORBIDDEN_KEYS = frozenset(
    {
        "account_name",
        "account_no",
        "address",
        "amount",
        "bank",
        "birth_date",
        "contact",
        "credit_code",
        "detail",
        "ethnic_group",
        "facts",
        "id_number",
        "id_type",
        "late_reason",
        "legal_representative",
        "measures",
        "name",
        "note",
        "occupation",
        "parties",
        "payee",
        "phone",
        "report",
        "service_address",
        "sex",
        "situation",
        "text",
        "visitor",
    }
)
"""Keys of the documents that hold personal data, sums or free text. They stand in no event, however deep."""


def forbidden_keys(value: JsonValue) -> Iterator[str]:
    """Each forbidden key in a piece of data, at every depth. Works without recursion: depth is the sender's choice."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield from sorted(FORBIDDEN_KEYS.intersection(found))
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _real_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _real_day(text: str) -> str:
    date.fromisoformat(text)
    return text


Moment = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$",
        json_schema_extra={"format": "date-time"},
    ),
    AfterValidator(_real_moment),
]
"""RFC 3339 with offset, kept as text: the bytes that were signed are the bytes that are sent."""

Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}),
    AfterValidator(_real_day),
]

_Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2048)]
_Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
"""Name of an endpoint, id of a task or webhook endpoint."""
_Short = Annotated[str, Field(min_length=1, max_length=64)]
_Number = Annotated[str, Field(min_length=1, max_length=100)]


def titles(zh: str, en: str) -> FieldInfo:
    """The titles of a field in the JSON Schema: ``title`` in English, ``x-title-zh`` in Chinese. For ``Annotated``."""
    return cast("FieldInfo", Field(title=en, json_schema_extra={"x-title-zh": zh}))


def _id(prefix: IdPrefix) -> Any:  # Any: a form made at run time, used in annotations alone
    return Annotated[str, Field(pattern=id_pattern(prefix))]


class EventObject(BaseModel):
    """An object inside an event. Unknown keys may be added later and are let pass; forbidden ones are not."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        hide_input_in_errors=True,
        json_schema_extra={"propertyNames": {"not": {"enum": [*sorted(FORBIDDEN_KEYS)]}}},
    )


class OrganizationCode(EventObject):
    """The mediation organisation (调解组织), by its code alone."""

    code: Annotated[str, Field(min_length=1, max_length=32), titles("组织编码", "Code")]


class EventLinks(EventObject):
    """Absolute addresses of the gateway, with ids only; they are read with the receiver's own credential."""

    self: Annotated[_Url, titles("本业务", "The thing itself")]
    case: Annotated[_Url, titles("案件", "Its case")] = Field(default_factory=str)
    timeline: Annotated[_Url, titles("案件时间线", "The case's timeline")] = Field(default_factory=str)


class ClockLine(EventObject):
    """A clock (法定期限) in one line."""

    rule: Annotated[_Short, titles("规则", "Rule")]
    due: Annotated[Day, titles("截止日", "Last day")]
    state: Annotated[ClockState, titles("状态", "State")]


class ClockView(ClockLine):
    """A clock as its own events show it. ``start`` and ``due`` are days in Beijing."""

    start: Annotated[Day, titles("起算日", "Start day")]
    latest_safe_time: Annotated[Moment, titles("最迟安全时间", "Latest safe time")]
    provisional: Annotated[StrictBool, titles("暂定", "Provisional")]


class ExternalReferenceLine(EventObject):
    """A number that a platform gave (案号, 流水号); no personal data."""

    endpoint: Annotated[_Token, titles("对接端点", "Endpoint")]
    kind: Annotated[ReferenceKind, titles("编号类别", "Kind of number")]
    value: Annotated[_Number, titles("编号", "Number")]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of ``data``: titles for people and the form of its value."""

    zh: str
    en: str
    form: Any  # Any: types and annotated forms, as pydantic's create_model takes them


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "case": Key("案件标识", "Case id", _id(IdPrefix.CASE)),
        "source_case_no": Key(
            "来源案件编号", "Number at the source", Annotated[str, Field(min_length=1, max_length=40)]
        ),
        "organization": Key("调解组织", "Organisation", OrganizationCode),
        "links": Key("链接", "Links", EventLinks),
        "agreement": Key("协议标识", "Agreement id", _id(IdPrefix.AGREEMENT)),
        "confirmation": Key("确认申请标识", "Confirmation id", _id(IdPrefix.CONFIRMATION)),
        "transfer": Key("移送标识", "Transfer id", _id(IdPrefix.TRANSFER)),
        "referral": Key("委派委托标识", "Referral id", _id(IdPrefix.REFERRAL)),
        "delivery": Key("投递标识", "Delivery id", _id(IdPrefix.DELIVERY)),
        "message": Key("消息标识", "Message id", _id(IdPrefix.MESSAGE)),
        "task": Key("任务标识", "Task id", _Token),
        "webhook_endpoint": Key("订阅端点标识", "Webhook endpoint id", _Token),
        "endpoint": Key("对接端点", "Endpoint", _Token),
        "status": Key("状态", "Status", _Short),
        "state_before": Key("变更前状态", "State before", _Short),
        "raw_status": Key("平台原始状态", "Status as the platform wrote it", Annotated[str, Field(max_length=64)]),
        "at": Key("发生时间", "Time of the fact", Moment),
        "reason_code": Key("结束原因", "Reason of the end", EndReason),
        "level": Key("预警级别", "Level", AlertLevel),
        "clocks": Key("法定期限", "Clocks", list[ClockLine]),
        "clock": Key("法定期限", "Clock", ClockView),
        "article": Key("法律依据", "Article, in Chinese", Annotated[str, Field(min_length=1, max_length=200)]),
        "article_en": Key(
            "法律依据（英文）", "Article, in English", Annotated[str, Field(min_length=1, max_length=200)]
        ),
        "extended_by": Key("累计延长", "Extended by, in all", Annotated[StrictInt, Field(ge=1)]),
        "percent": Key("已用百分比", "Percent elapsed", Literal[50, 75, 90]),
        "settled_claims": Key("解决范围", "Settled claims", SettledClaims),
        "effect_rule": Key("生效规则", "Rule of effect", EffectRule),
        "effective_at": Key("生效时间", "Effective at", Moment),
        "route": Key("确认方式", "Route", ConfirmationRoute),
        "external_refs": Key("平台编号", "Numbers of platforms", list[ExternalReferenceLine]),
        "to": Key("移送去向", "Transferred to", TransferTo),
        "kind": Key("类别", "Kind", ReferralKind),
        "task_kind": Key("任务类别", "Kind of task", TaskKind),
        "task_no": Key("任务编号", "Task number", _Number),
        "due_at": Key("截止时间", "Due at", Moment | Day),
        "term_no": Key("条款序号", "Number of the term", Annotated[StrictInt, Field(ge=1)]),
        "attempts": Key("尝试次数", "Attempts", Annotated[StrictInt, Field(ge=0)]),
        "code": Key("平台代码", "The platform's code", Annotated[str, Field(max_length=64)]),
        "challenge": Key("验证串", "Challenge", Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]),
        "requested_at": Key("请求时间", "Requested at", Moment),
        "reason": Key("原因", "Reason", Literal["failing", "gone", "operator"]),
    }
)
"""Every key of ``data``, at its top level. ``task_kind`` is the form of ``kind`` in ``task.*``."""
