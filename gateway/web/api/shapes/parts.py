"""What the forms of the answers are made of: descriptions in both languages, ids, times, days, and one envelope for lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from contracts.lists import AuthorityKind
from gateway.store.ids import PREFIXES

ItemT = TypeVar("ItemT")


class Shown(BaseModel):
    """The form of an answer, or of a piece of one. It describes; no answer is ever made or read by it. Fields may be added
    later: a reader passes over those that it does not know."""

    model_config = ConfigDict(frozen=True, defer_build=True, protected_namespaces=())


def told(zh: str, en: str) -> FieldInfo:
    """What a field is, in both languages. Stands in its ``Annotated``."""
    return cast(FieldInfo, Field(description=f"{zh} {en}"))


def absent(name: str | None = None) -> Any:  # Any: stands for a value of whatever type
    """The default of a field that is left out where there is nothing to say; it is never null."""
    return Field(default_factory=lambda: None, alias=name)


def one_of(words: Iterable[str]) -> FieldInfo:
    """A closed list that the gateway keeps for itself."""
    return cast(FieldInfo, Field(json_schema_extra={"enum": [*map(str, words)]}))


def _format(name: str) -> FieldInfo:
    return cast(FieldInfo, Field(json_schema_extra={"format": name}))


def _id(kind: str) -> FieldInfo:
    return cast(FieldInfo, Field(pattern=rf"^{PREFIXES[kind]}[0-9A-Za-z_-]{{8,35}}$"))


Moment = Annotated[str, _format("date-time")]
"""RFC 3339 with offset."""
Day = Annotated[str, _format("date")]
"""A day in Beijing."""
Address = Annotated[str, _format("uri")]
Count = Annotated[int, Field(ge=0)]
Version = Annotated[int, Field(ge=1)]

CaseId = Annotated[str, _id("case")]
AgreementId = Annotated[str, _id("agreement")]
ConfirmationId = Annotated[str, _id("confirmation")]
TransferId = Annotated[str, _id("transfer")]
ReferralId = Annotated[str, _id("referral")]
MediatorId = Annotated[str, _id("mediator")]
AttachmentId = Annotated[str, _id("attachment")]
MessageId = Annotated[str, _id("message")]
DeliveryId = Annotated[str, _id("delivery")]
EventId = Annotated[str, _id("event")]
ClockId = Annotated[str, _id("clock")]
TaskId = Annotated[str, _id("task")]
CallbackId = Annotated[str, _id("callback")]
JobId = Annotated[str, _id("job")]
ReconciliationId = Annotated[str, _id("reconciliation")]
ReportId = Annotated[str, _id("report")]
WebhookId = Annotated[str, _id("webhook")]

Authority = Annotated[str, one_of([*AuthorityKind, "organization"])]
"""Before whom a step is taken: an authority, or the mediation organisation itself."""

CODE: Final = told("失败代码，网关的或者平台的", "the code of what went wrong, ours or the platform's")
ENDPOINT: Final = told("平台（端点）名称", "the endpoint's name")


class Listing(Shown, Generic[ItemT]):
    """A list that is given whole (列表)."""

    items: Annotated[list[ItemT], told("各项", "the items")]


class Page(Listing[ItemT], Generic[ItemT]):
    """One page of a list (分页列表)."""

    cursor: Annotated[
        str, told("下一页的游标，没有即为末页", "where the next page begins; absent: this is the last")
    ] = absent()


class Finding(Shown):
    """A finding about a document or a body, in both languages (校验意见)."""

    pointer: Annotated[
        str, told("JSON 指针（RFC 6901），空为整个正文", "JSON pointer (RFC 6901), empty: the whole body")
    ]
    code: Annotated[str, told("代码，见控制台的接口页", "code, explained on the console's API page")]
    message: Annotated[str, told("问题（英文）", "what is wrong, in English")] = absent()
    message_zh: Annotated[str, told("问题（中文）", "what is wrong, in Chinese")] = absent()
    cure: Annotated[str, told("处理办法（英文）", "what to do, in English")] = absent()
    cure_zh: Annotated[str, told("处理办法（中文）", "what to do, in Chinese")] = absent()


class OrganizationRef(Shown):
    """The mediation organisation, by its code (调解组织)."""

    code: Annotated[str, told("组织编码", "its code")]


class Links(Shown):
    """Where to read on: absolute addresses with ids alone (链接)."""

    self: Annotated[Address, told("本事项", "the thing itself")] = absent()
    case: Annotated[Address, told("所属案件", "its case")] = absent()
    timeline: Annotated[Address, told("案件全程", "the case's timeline")] = absent()


class Home(Shown):
    """Where it is read (链接)."""

    self: Annotated[Address, told("本事项", "the thing itself")]


class PlatformNumber(Shown):
    """A number that a platform gave (平台编号)."""

    endpoint: Annotated[str, ENDPOINT]
    kind: Annotated[
        str, told("编号类别，平台特有的为其自身名称", "what kind of number; a platform's own ones by its name")
    ]
    value: Annotated[str, told("编号", "the number")]


class Standing(Shown):
    """How an operator's act ended (操作结果)."""

    id: Annotated[str, told("所操作的事项", "what was acted on")]
    state: Annotated[str, told("操作后的状态", "its state now")]
