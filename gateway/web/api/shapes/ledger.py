"""The ledger, its statistics and the appraisal's indicators as they are read (电子台账、统计、评查指标)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.status import CaseStatus
from gateway.report.definitions import Basis
from gateway.report.line import ASKED
from gateway.web.api.shapes.parts import Address, CaseId, Count, Day, Listing, Moment, Page, Shown, absent, one_of, told

_PERCENT = Field(pattern=r"^[0-9]+\.[0-9]$")
_ASKED = one_of(ASKED)
_BASIS = one_of(Basis)


class LedgerLine(Shown):
    """One case of the ledger, masked unless plain lines were asked for; texts are in the caller's language (台账的一行)."""

    id: Annotated[CaseId, told("案件编号", "the case's id")]
    number: Annotated[str, told("案号", "the case's number")] = absent()
    organization_code: Annotated[str, told("调解组织编码", "the organisation's code")]
    organization: Annotated[str, told("调解组织名称", "the organisation's name")]
    organization_type: Annotated[str, told("组织类型", "what kind of organisation")] = absent()
    received: Annotated[Day, told("收到申请之日", "the day of receipt")]
    accepted: Annotated[Day, told("受理之日", "the day of acceptance")] = absent()
    channel: Annotated[str, told("申请渠道", "by which way it came")] = absent()
    cause: Annotated[str, told("案由", "the cause")] = absent()
    claims: Annotated[str, told("请求事项", "what is claimed")] = absent()
    applicants: Annotated[str, told("申请人", "the applicants")] = absent()
    respondents: Annotated[str, told("被申请人", "the respondents")] = absent()
    identities: Annotated[str, told("证件号码", "their numbers of identity")] = absent()
    contacts: Annotated[str, told("联系方式", "how to reach them")] = absent()
    amount: Annotated[str, told("涉案金额（元）", "the amount in dispute, in yuan")] = absent()
    workers: Annotated[str, told("涉及人数", "workers concerned")] = absent()
    mediators: Annotated[str, told("调解员", "the mediators")] = absent()
    limit: Annotated[Day, told("调解期限届满之日", "the last day of the mediation")] = absent()
    status: Annotated[str, told("状态", "its status in words")]
    result: Annotated[str, told("处理结果", "its result")] = absent()
    reason: Annotated[str, told("结束原因", "the reason of its end")] = absent()
    ended: Annotated[Day, told("结束之日", "the day of its end")] = absent()
    late: Annotated[bool, told("是否超期", "whether it went beyond its limit")]
    agreements: Annotated[str, told("协议编号", "its agreements")] = absent()
    confirmations: Annotated[str, told("协议确认", "their confirmations")] = absent()
    transfers: Annotated[str, told("移送", "its transfers")] = absent()
    performance: Annotated[str, told("履行情况", "how it is performed")] = absent()
    updated: Annotated[Day, told("更新之日", "the day of its last change")]
    status_code: Annotated[CaseStatus, told("状态代码", "its status")]
    classes: Annotated[list[str], told("所属统计类别", "the classes that the statistics count it by")]
    missing: Annotated[list[Annotated[str, _ASKED]], told("所缺的要素", "what it lacks of what is asked for")]


class _Filed(Shown):
    from_: Annotated[Day, told("期间首日", "the period's first day")] = Field(alias="from")
    to: Annotated[Day, told("期间末日", "the period's last day")]
    organization: Annotated[str, told("所限的调解组织", "the organisation that was asked for")] = absent()
    definition_version: Annotated[str, told("统计口径版本", "the version of the definitions")]


class LedgerPage(_Filed, Page[LedgerLine]):
    """One page of the ledger (电子台账)."""

    basis: Annotated[str, _BASIS, told("口径", "by which of a case's days")]
    masked: Annotated[bool, told("个人信息是否遮盖", "whether personal data is masked")]


class StatisticsItem(Shown):
    """One figure of the statistics (统计项)."""

    code: Annotated[str, told("代码", "its code")]
    title_zh: Annotated[str, told("名称（中文）", "what it is, in Chinese")]
    title_en: Annotated[str, told("名称（英文）", "what it is, in English")]
    value: Annotated[int | str, told("数值；金额为两位小数的文本", "its value; an amount is text with two decimals")]
    basis: Annotated[str, _BASIS, told("口径", "by which of a case's days")]
    definition_zh: Annotated[str, told("定义（中文）", "its definition in Chinese")]
    definition_en: Annotated[str, told("定义（英文）", "its definition in English")]
    ledger: Annotated[Address, told("所据的台账", "the ledger that it is counted from")]


class SuccessRate(Shown):
    """The success rate and its fraction (调解成功率)."""

    numerator: Annotated[Count, told("分子", "the numerator")]
    denominator: Annotated[Count, told("分母", "the denominator")]
    percent: Annotated[Annotated[str, _PERCENT] | None, told("百分比，一位小数", "in per cent, one decimal")]
    threshold: Annotated[Count, told("标准（百分比）", "the threshold in per cent")]
    met: Annotated[bool | None, told("是否达标，null 为不适用", "whether it is met; null: does not apply")]
    items: Annotated[list[str], told("计入分子的统计项", "the items of the numerator")]
    formula_zh: Annotated[str, told("公式（中文）", "the formula in Chinese")]
    formula_en: Annotated[str, told("公式（英文）", "the formula in English")]
    source: Annotated[str, told("依据", "where it is asked for")]


class StatisticsView(_Filed, Listing[StatisticsItem]):
    """The statistics of a period (统计)."""

    period: Annotated[str, told("季度（恰为一季时）", "the quarter, where it is one")] = absent()
    generated_at: Annotated[Moment, told("生成时间", "when it was made")]
    success_rate: Annotated[SuccessRate, told("调解成功率", "the success rate")]


class IndicatorItem(Shown):
    """One indicator of the appraisal (评查指标)."""

    code: Annotated[str, told("代码", "its code")]
    group_zh: Annotated[str, told("分组（中文）", "its group in Chinese")]
    group_en: Annotated[str, told("分组（英文）", "its group in English")]
    title_zh: Annotated[str, told("名称（中文）", "what it is, in Chinese")]
    title_en: Annotated[str, told("名称（英文）", "what it is, in English")]
    item: Annotated[str, told("通知中的条目", "the notice's own number or heading")]
    value: Annotated[
        int | str | None, told("数值；比例为一位小数的文本", "its value; a share is text with one decimal")
    ]
    unit: Annotated[
        Literal["cases", "platforms", "requests", "percent", "referrals", "mediators"], told("单位", "its unit")
    ]
    met: Annotated[bool | None, told("是否达标，null 为无可评判", "whether it is met; null: nothing to judge")]
    definition_zh: Annotated[str, told("定义（中文）", "its definition in Chinese")]
    definition_en: Annotated[str, told("定义（英文）", "its definition in English")]
    numerator: Annotated[Count, told("分子", "the numerator")] = absent()
    denominator: Annotated[Count, told("分母", "the denominator")] = absent()
    threshold: Annotated[Count, told("标准，单位同数值", "the threshold, in the value's unit")] = absent()


class IndicatorsView(_Filed, Listing[IndicatorItem]):
    """The indicators of a period (评查指标)."""

    generated_at: Annotated[Moment, told("生成时间", "when it was made")]
    indicator_version: Annotated[str, told("指标版本", "the version of the indicators")]
