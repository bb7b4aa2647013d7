"""Reconciliations with platforms (对账) as they are read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.flow.reconciling.comparing import Kind, Method
from gateway.store.console_tables import DIFFERENCE_STATES, RECONCILIATION_STATES
from gateway.web.api.shapes.parts import (
    CODE,
    ENDPOINT,
    Count,
    Day,
    DeliveryId,
    Moment,
    Page,
    ReconciliationId,
    Shown,
    absent,
    one_of,
    told,
)

_DIFFERENCE = one_of(DIFFERENCE_STATES)
_STATE = one_of(RECONCILIATION_STATES)
_KIND = one_of(Kind)


class DifferenceCounts(Shown):
    """How many differences of each kind are in each state (各类差异数)."""

    missing: Annotated[dict[str, int], told("平台缺少", "we say that they have it, and they do not")]
    foreign: Annotated[dict[str, int], told("我方没有", "they have it, and nothing of ours is known by it")]
    differing: Annotated[dict[str, int], told("内容不一", "both have it, and something differs")]
    undecided: Annotated[dict[str, int], told("我方未定", "in doubt or given up here, and they can say")]


class Reconciliation(Shown):
    """A reconciliation with a platform (对账)."""

    id: Annotated[ReconciliationId, told("对账编号", "the reconciliation's id")]
    endpoint: Annotated[str, ENDPOINT]
    state: Annotated[str, _STATE, told("对账状态", "its state")]
    from_: Annotated[Moment, told("期间起", "its period's beginning")] = Field(alias="from")
    to: Annotated[Moment, told("期间止", "its period's end")]
    method: Annotated[str, one_of(Method), told("对账方式", "how the platform could be compared with")]
    comparable: Annotated[bool, told("是否可以对账", "whether it can be compared with")]
    sees: Annotated[list[Annotated[str, _KIND]], told("此方式能看到的差异种类", "the kinds that this method can tell")]
    asked_by: Annotated[str, told("由谁发起", "who asked for it")]
    daily: Annotated[Day, told("每日对账之日", "of the daily one: its day")] = absent()
    compared: Annotated[Count, told("已比对的投递数", "deliveries that were compared")]
    held: Annotated[Count, told("平台列出的条数", "rows that the platform listed")]
    unasked: Annotated[Count, told("未能询问的投递数", "deliveries that could not be asked about")]
    differences: Annotated[DifferenceCounts, told("各类差异数", "its differences, by kind and state")]
    open: Annotated[Count, told("待处理的差异数", "differences that are open or failed")]
    code: Annotated[str, CODE] = absent()
    healed_by: Annotated[str, told("由谁修复", "who had it mended")] = absent()
    created_at: Annotated[Moment, told("生成时间", "when it was asked for")]
    finished_at: Annotated[Moment, told("完成时间", "when it ended")] = absent()


class Difference(Shown):
    """One difference between our ledger and the platform's (差异)."""

    kind: Annotated[str, _KIND, told("差异种类", "its kind")]
    code: Annotated[str, told("差异代码", "its code")]
    delivery: Annotated[DeliveryId, told("投递编号", "our delivery")] = absent()
    about: Annotated[str, told("所涉事项", "what it is about")] = absent()
    name: Annotated[str, told("平台对其记录的称呼", "the platform's name of its row")] = absent()
    reference: Annotated[str, told("平台编号", "the platform's number")] = absent()
    ours: Annotated[str, told("我方状态", "how it stands here")] = absent()
    theirs: Annotated[str, told("平台状态", "how it stands there")] = absent()
    state: Annotated[str, _DIFFERENCE, told("处理状态", "how its mending stands")]
    outcome: Annotated[str, told("处理结果", "what its mending came to")] = absent()
    mended_at: Annotated[Moment, told("处理时间", "when it was mended")] = absent()


class ReconciliationView(Reconciliation, Page[Difference]):
    """A reconciliation with one page of its differences (对账与差异)."""


class ReconciliationPage(Page[Reconciliation]):
    """One page of reconciliations, newest first (对账列表)."""
