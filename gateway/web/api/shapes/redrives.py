"""Bulk redrives (批量重投) as they are read, and what one would do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.adapter import DeliveryClass
from contracts.deliveries import DeliveryState
from gateway.flow.operating.replay import ReplayKind
from gateway.store.console_tables import JOB_ITEM_STATES, JOB_STATES
from gateway.web.api.shapes.parts import (
    CODE,
    ENDPOINT,
    Count,
    DeliveryId,
    JobId,
    Moment,
    Page,
    Shown,
    absent,
    one_of,
    told,
)

_JOB = one_of(JOB_STATES)
_ITEM = one_of(JOB_ITEM_STATES)


class JobCounts(Shown):
    """How many of a job's deliveries are in each state (各状态的投递数)."""

    waiting: Annotated[Count, told("尚未处理", "not begun")]
    sent: Annotated[Count, told("已重投，结果未定", "sent, not over")]
    ok: Annotated[Count, told("已送达", "arrived")]
    failed: Annotated[Count, told("又失败", "failed again")]
    skipped: Annotated[Count, told("已略过", "passed over")]


class BulkRedrive(Shown):
    """A bulk redrive and how it goes (批量重投)."""

    id: Annotated[JobId, told("作业编号", "the job's id")]
    state: Annotated[str, _JOB, told("作业状态", "its state")]
    kind: Annotated[ReplayKind, told("重投方式", "what is done with each delivery")]
    filter: Annotated[
        dict[str, str | int | list[str]],
        told("筛选条件；逐一选定的为其件数（chosen）", "the filter; of chosen deliveries their number"),
    ]
    reason: Annotated[str, told("理由", "why")]
    asked_by: Annotated[str, told("由谁发起", "who asked for it")]
    approved_by: Annotated[str, told("由谁批准", "who approved it")] = absent()
    needs_second: Annotated[bool, told("须第二人批准", "whether a second person must approve it")]
    overtaken: Annotated[bool, told("已被后来者超过的也重投", "whether what was overtaken goes as well")]
    rate: Annotated[float, told("每秒件数", "deliveries a second")]
    canary: Annotated[Count, told("先行件数", "how many go first")]
    stop_percent: Annotated[Count, told("失败率达此百分比即停", "the share of failures that stops it, in per cent")]
    total: Annotated[Count, told("总件数", "deliveries in all")]
    counts: Annotated[JobCounts, told("各状态的投递数", "its deliveries by state")]
    code: Annotated[str, CODE] = absent()
    created_at: Annotated[Moment, told("生成时间", "when it was asked for")]
    finished_at: Annotated[Moment, told("完成时间", "when it ended")] = absent()


class BulkRedrivePage(Page[BulkRedrive]):
    """One page of bulk redrives, newest first (批量重投列表)."""


class JobItem(Shown):
    """One delivery of a bulk redrive (其中一件投递)."""

    delivery: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    state: Annotated[str, _ITEM, told("处理状态", "its state in the job")]
    code: Annotated[str | None, CODE]


class JobItemPage(Page[JobItem]):
    """One page of a bulk redrive's deliveries (其中的投递)."""


class PreviewEndpoint(Shown):
    """What a bulk redrive would send to one endpoint (各平台件数)."""

    endpoint: Annotated[str, ENDPOINT]
    count: Annotated[Count, told("件数", "how many")]
    delivery_class: Annotated[
        DeliveryClass | None,
        told("重发安全类别；未接通的为 null（无）", "what it offers against a lost answer; null: gone"),
    ]
    paused: Annotated[bool, told("是否暂停", "whether it is paused")]


class PreviewOvertaken(Shown):
    """A delivery that something has overtaken (已被超过的投递)."""

    id: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    why: Annotated[Literal["newer_version", "overtaken"], told("被什么超过", "by what")]
    by: Annotated[str, told("超过它的消息或者投递", "the message or delivery that did")]


class PreviewSample(Shown):
    """A delivery of the list, as a sample (举例)."""

    id: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    endpoint: Annotated[str, ENDPOINT]
    type: Annotated[
        str, told("消息类型；订阅投递为事件类型", "the message's type; of what a webhook is owed, the event's")
    ]
    class_: Annotated[str, told("重试类别", "how long it is tried")] = Field(alias="class")
    state: Annotated[DeliveryState, told("投递状态", "the delivery's state")]
    code: Annotated[str | None, CODE]
    case: Annotated[str, told("所属案件；没有案件的为委派委托、调解员等", "its case; else its referral, mediator …")]


class BulkPreview(Shown):
    """What a bulk redrive would do; nothing has happened (批量重投预览)."""

    preview: Annotated[Literal[True], told("预览", "a preview")]
    kind: Annotated[ReplayKind, told("重投方式", "what would be done with each delivery")]
    count: Annotated[Count, told("件数", "how many deliveries")]
    more: Annotated[bool, told("超出上限，清单有截断", "whether the list was cut at the most")]
    most: Annotated[Count, told("件数上限", "the most that a job takes")]
    bound: Annotated[str, told("清单的上界，开始时带回", "the list's upper bound, to be sent back at the start")]
    needs_second: Annotated[bool, told("须第二人批准", "whether a second person must approve it")]
    statutory: Annotated[Count, told("其中有法定期限的件数", "how many have a statutory term")]
    oldest: Annotated[Moment | None, told("最早的生成时间", "when the oldest was made")]
    newest: Annotated[Moment | None, told("最晚的生成时间", "when the newest was made")]
    by_class: Annotated[dict[str, int], told("各重试类别件数", "how many by class")]
    by_endpoint: Annotated[list[PreviewEndpoint], told("各平台件数", "how many by endpoint")]
    by_type: Annotated[dict[str, int], told("各类型件数", "how many by type")]
    by_code: Annotated[dict[str, int], told("各失败代码件数", "how many by code")]
    left_out: Annotated[dict[str, int], told("不重投的件数及原因", "how many are left out, by why")]
    overtaken: Annotated[
        list[PreviewOvertaken], told("已被超过的（举例）", "those that were overtaken, as far as shown")
    ]
    sample: Annotated[list[PreviewSample], told("举例", "a sample")]
