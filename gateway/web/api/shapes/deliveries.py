"""Deliveries and what is seen of them (投递): attempts, wires, dry runs, plain values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.deliveries import DeliveryState
from contracts.messages import MessageType, RetryClass
from contracts.status import CaseStatus
from contracts.wire import LossKind
from gateway.flow.operating.reveal import Side
from gateway.store.webhooks import CLASSES
from gateway.web.api.shapes.parts import (
    CODE,
    ENDPOINT,
    Count,
    DeliveryId,
    Finding,
    Listing,
    MessageId,
    Moment,
    Page,
    Shown,
    absent,
    one_of,
    told,
)

_CLASSES = one_of([*RetryClass, *sorted(CLASSES - set(RetryClass))])


class Owed(Shown):
    """A delivery that a document has just made (应投递)."""

    id: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    endpoint: Annotated[str, ENDPOINT]
    state: Annotated[DeliveryState, told("投递状态", "the delivery's state")]


class _Delivery(Owed):
    attempts: Annotated[Count, told("尝试次数", "how often it was tried")]
    code: Annotated[str, CODE] = absent()
    reference: Annotated[str, told("平台回执编号", "the number that the platform gave it")] = absent()
    created_at: Annotated[Moment, told("生成时间", "when it was made")]
    next_at: Annotated[Moment, told("下次尝试时间（排队中）", "when it is tried next, while it is queued")] = absent()
    finished_at: Annotated[Moment, told("结束时间", "when it was over")] = absent()
    requires: Annotated[str, told("须先送达的投递", "the delivery that must have arrived before it")] = absent()


class Delivery(_Delivery):
    """A delivery to one platform, as its owner sees it (投递)."""

    type: Annotated[MessageType, told("消息类型", "the message's type")]


class OperatorDelivery(_Delivery):
    """A delivery as an operator sees it (投递·运维)."""

    type: Annotated[
        str, told("消息类型；订阅投递为事件类型", "the message's type; of what a webhook is owed, the event's")
    ]
    about: Annotated[str, told("所涉事项", "what it is about")]
    case: Annotated[
        str, told("所属案件；没有案件的为委派委托、调解员、报表等", "its case; else its referral, mediator …")
    ]
    class_: Annotated[str, _CLASSES, told("重试类别", "how long it is tried")] = Field(alias="class")
    message: Annotated[MessageId, told("消息编号", "the message's id")]


class RefusalReason(Shown):
    """One reason of a platform's refusal (拒绝理由)."""

    code: Annotated[str, told("平台代码", "the platform's code")]
    text: Annotated[str, told("平台原文", "the platform's words")]
    place: Annotated[str, told("平台报文中的位置", "the place in the platform's message")]


class ReasonedDelivery(OperatorDelivery):
    """One delivery, with the reasons that the platform gave (投递及拒绝理由)."""

    reasons: Annotated[list[RefusalReason], told("平台给出的理由", "the platform's reasons")] = absent()


class DeliveryPage(Page[OperatorDelivery]):
    """One page of deliveries, oldest first (投递列表)."""


class Step(Shown):
    """One request of an attempt, without its bodies (一次请求)."""

    step: Annotated[str, told("步骤名称", "the step's name")]
    method: Annotated[str, told("HTTP 方法", "the HTTP method")]
    address: Annotated[str, told("地址，不含查询部分", "the address without its query")]
    filing: Annotated[bool, told("是否可能在平台留痕", "whether it may leave something at the platform")]
    at: Annotated[Moment | None, told("发出时间", "when it left")]
    ms: Annotated[Count, told("用时（毫秒）", "how long it took, in ms")]
    status: Annotated[int | None, told("HTTP 状态，null 为没有答复", "the HTTP status; null: no answer")]
    error: Annotated[str | None, told("错误代码", "the code of the error")]


class Attempt(Shown):
    """One attempt at a delivery (一次尝试)."""

    number: Annotated[int, Field(ge=1), told("第几次", "its number")]
    trigger: Annotated[Literal["schedule", "lookup"], told("发送或者查询", "whether it was sent, or asked after")]
    outcome: Annotated[DeliveryState, told("结果状态", "the state that it led to")]
    code: Annotated[str | None, CODE]
    exchanges: Annotated[Count, told("请求数", "how many requests it took")]
    ended_at: Annotated[Moment, told("结束时间", "when it ended")]
    duration_ms: Annotated[Count, told("用时（毫秒）", "how long it took, in ms")]
    steps: Annotated[list[Step], told("各次请求", "its requests")]


class Attempts(Listing[Attempt]):
    """Every attempt at a delivery (投递的每次尝试)."""


class WireLoss(Shown):
    """What became of a value on its way into the platform's dialect (损失)."""

    kind: Annotated[LossKind, told("损失种类", "what became of it")]
    pointer: Annotated[str, told("文书中的位置（JSON 指针）", "its place in the document, a JSON pointer")]
    place: Annotated[str, told("平台报文中的位置", "its place in the platform's message")]
    note: Annotated[str, told("说明", "a word on it")]


class Translation(Shown):
    """A translated message, masked (译文)."""

    operation: Annotated[str, told("平台的操作", "the platform's operation")]
    payload: Annotated[Any, told("报文，个人信息已遮盖，形式由平台而定", "the payload, masked, in the platform's form")]
    losses: Annotated[list[WireLoss], told("损失报告", "the loss report")]


class Wire(Shown):
    """What a delivery carries, masked, with its loss report; only ``id`` where it is not translated yet (译文与损失报告)."""

    id: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    translated: Annotated[bool, told("是否已经转换", "whether it was translated")]
    mapping: Annotated[str, told("对照表版本", "the version of the mapping")] = absent()
    operation: Annotated[str, told("平台的操作", "the platform's operation")] = absent()
    payload: Annotated[
        Any, told("报文，个人信息已遮盖，形式由平台而定", "the payload, masked, in the platform's form")
    ] = absent()
    losses: Annotated[list[WireLoss], told("损失报告", "the loss report")] = absent()


class Revealed(Shown):
    """One field of a delivery in plain (一个字段的明文)."""

    id: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    side: Annotated[str, one_of(Side), told("原文或者译文", "as it was posted, or as it was translated")]
    pointer: Annotated[str, told("位置（JSON 指针）", "the place, a JSON pointer")]
    value: Annotated[str, told("明文", "the plain value")]
    show_until: Annotated[Moment, told("至何时止可以显示", "until when it may be shown")]


class RehearsedRefusal(Shown):
    """Why a platform could not take it (不能报送的原因)."""

    code: Annotated[str, CODE]
    places: Annotated[list[str], told("有问题的位置", "the places that are wrong")]


class Rehearsal(Shown):
    """What one endpoint would be sent: its translation, or why it would be refused (各平台试转换)."""

    endpoint: Annotated[str, ENDPOINT]
    operation: Annotated[str, told("平台的操作", "the platform's operation")] = absent()
    payload: Annotated[
        Any, told("报文，个人信息已遮盖，形式由平台而定", "the payload, masked, in the platform's form")
    ] = absent()
    losses: Annotated[list[WireLoss], told("损失报告", "the loss report")] = absent()
    refused: Annotated[RehearsedRefusal, told("不能报送的原因", "why it would be refused there")] = absent()


class DryRun(Shown):
    """What would be sent where; nothing is stored (试转换)."""

    dry_run: Annotated[Literal[True], told("试转换", "a dry run")]
    status: Annotated[CaseStatus, told("案件将处的状态", "the status that the case would have")]
    warnings: Annotated[list[Finding], told("提示", "warnings")]
    endpoints: Annotated[list[Rehearsal], told("各平台", "the endpoints")]


class Redriven(Shown):
    """How a redrive or a decision about one delivery ended (重投或裁决的结果)."""

    id: Annotated[
        DeliveryId, told("投递编号；重新转换的为新投递", "the delivery; a new one where it was translated anew")
    ]
    state: Annotated[DeliveryState, told("投递状态", "its state now")]
    replaces: Annotated[DeliveryId, told("所取代的投递", "the delivery that it takes the place of")] = absent()
    found: Annotated[bool, told("查询：平台是否已有", "of a look-up: whether the platform has it")] = absent()
    conclusive: Annotated[bool, told("查询：没有是否可信", "of a look-up: whether that it has not is certain")] = (
        absent()
    )
    reference: Annotated[str | None, told("查询：平台编号", "of a look-up: the platform's number")] = absent()


class Cancelled(Shown):
    """A delivery that is not sent (已取消的投递)."""

    id: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    state: Annotated[DeliveryState, told("投递状态", "its state now")]
