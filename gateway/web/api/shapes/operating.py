"""What operators read (运维): endpoints, the flow, tasks, unmatched calls, reports."""

from __future__ import annotations

from typing import Annotated, Literal

from contracts.adapter import DeliveryClass
from contracts.messages import MessageType
from contracts.statistics import StatisticalReport
from contracts.status import CallbackState, TaskKind
from gateway.flow.reconciling.comparing import Method
from gateway.web.api.shapes.deliveries import Delivery
from gateway.web.api.shapes.parts import (
    CODE,
    ENDPOINT,
    CallbackId,
    Count,
    DeliveryId,
    Listing,
    Moment,
    OrganizationRef,
    Page,
    ReportId,
    Shown,
    Standing,
    TaskId,
    Version,
    absent,
    one_of,
    told,
)


class EndpointView(Shown):
    """An endpoint and how it stands (平台端点)."""

    name: Annotated[str, ENDPOINT]
    adapter: Annotated[str, told("适配器", "its adapter")]
    connected: Annotated[bool, told("是否已在配置中接通", "whether the configuration connects it")]
    paused: Annotated[bool, told("是否暂停", "whether it is paused")]
    paused_by: Annotated[str, told("由谁暂停", "who paused it")] = absent()
    reason: Annotated[str, told("暂停理由", "why it is paused")] = absent()
    quiet_until: Annotated[Moment, told("平台要求至此时勿扰", "until when it is left alone")] = absent()
    breaker: Annotated[Literal["closed", "open"], told("熔断状态", "how its breaker stands")]
    failures: Annotated[Count, told("连续失败次数", "failures in a row")]
    slots: Annotated[Count, told("同时投递数", "deliveries at the same time")]
    title_zh: Annotated[str, told("名称（中文）", "its name in Chinese")] = absent()
    title_en: Annotated[str, told("名称（英文）", "its name in English")] = absent()
    delivery_class: Annotated[DeliveryClass, told("重发安全类别", "what it offers against a lost answer")] = absent()
    reconciles_by: Annotated[str, one_of(Method), told("对账方式", "how it can be compared with")] = absent()
    takes: Annotated[list[MessageType], told("接收的消息类型", "the types of messages that it takes")] = absent()


class Endpoints(Listing[EndpointView]):
    """Every endpoint (平台列表)."""


class Held(Standing):
    """How pausing or resuming an endpoint ended (暂停或恢复的结果)."""

    state: Annotated[Literal["paused", "open"], told("端点状态", "its state now")]


class EndpointFlow(Shown):
    """What stands at one endpoint (一个平台的流量)."""

    endpoint: Annotated[str, told("平台（端点）名称；订阅合为一项", "the endpoint's name; webhooks are one")]
    deliveries: Annotated[dict[str, int], told("各状态的投递数", "deliveries by state")]
    oldest_pending_at: Annotated[Moment, told("最早的排队自何时起", "since when the oldest waits")] = absent()
    callbacks: Annotated[dict[str, int], told("各状态的回调数", "calls by state")] = absent()


class Flow(Listing[EndpointFlow]):
    """What stands by endpoint and state (流量)."""


class Task(Shown):
    """What a person is asked to do (待办)."""

    id: Annotated[TaskId, told("待办编号", "the task's id")]
    kind: Annotated[TaskKind, told("为何需要人办", "why a person is asked")]
    about: Annotated[str, told("所涉事项", "what it is about")]
    case: Annotated[str, told("所属案件；没有案件的为委派委托、调解员等", "its case; else its referral, mediator …")]
    endpoint: Annotated[str, ENDPOINT] = absent()
    state: Annotated[Literal["open", "resolved"], told("待办状态", "the task's state")]
    assignee: Annotated[str, told("指派给谁", "whose it is")] = absent()
    code: Annotated[str, CODE] = absent()
    due_at: Annotated[Moment, told("期限", "when it is due")] = absent()
    created_at: Annotated[Moment, told("生成时间", "when it was made")]
    resolved_at: Annotated[Moment, told("办结时间", "when it was resolved")] = absent()
    resolution: Annotated[str, told("办结说明", "by whom, and why")] = absent()


class TaskPage(Page[Task]):
    """One page of tasks (待办列表)."""


class TaskStanding(Standing):
    """How an act on a task ended (待办操作结果)."""

    state: Annotated[Literal["open", "resolved"], told("待办状态", "the task's state now")]


class PaperStanding(Standing):
    """A decision document that is fetched again (重新下载的结果文书)."""

    state: Annotated[Literal["pending"], told("下载状态", "how the download stands now")]


class Callback(Shown):
    """A platform's call as it was kept (平台回调)."""

    id: Annotated[CallbackId, told("回调编号", "the call's id")]
    endpoint: Annotated[str, ENDPOINT]
    state: Annotated[CallbackState, told("处理状态", "what became of it")]
    tries: Annotated[Count, told("处理次数", "how often it was tried")]
    code: Annotated[str | None, told("原因代码", "the code of why")]
    received_at: Annotated[Moment, told("收到时间", "when it came")]


class CallbackPage(Page[Callback]):
    """One page of calls, by default those that nothing is known of (未匹配回调列表)."""


class ReportDelivery(Shown):
    """To whom a report is owed (上报投递)."""

    id: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    endpoint: Annotated[str, ENDPOINT]


class MadeReport(Shown):
    """A statistical report that was made, or found unchanged (统计上报)."""

    id: Annotated[ReportId, told("报表编号", "the report's id")]
    version: Annotated[Version, told("版本", "its version")]
    unchanged: Annotated[bool, told("数字未变，没有新版本", "whether the figures are those of the version before")]
    document: Annotated[StatisticalReport, told("报表", "the report")]
    deliveries: Annotated[list[ReportDelivery], told("应投递", "what is owed to whom")]


class ReportView(Shown):
    """A statistical report as it is read (统计报表)."""

    id: Annotated[ReportId, told("报表编号", "the report's id")]
    version: Annotated[Version, told("版本", "its version")]
    organization: Annotated[OrganizationRef, told("调解组织", "the organisation")]
    document: Annotated[StatisticalReport, told("报表", "the report")]
    deliveries: Annotated[list[Delivery], told("投递", "its deliveries")]
