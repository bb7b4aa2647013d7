"""Clocks as they are read (法定期限)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.status import ClockState
from gateway.web.api.shapes.parts import CaseId, ClockId, Day, Moment, Page, ReferralId, Shown, absent, told


class Pause(Shown):
    """Days that are not counted (中止期间)."""

    from_: Annotated[Day, told("首日", "the first day")] = Field(alias="from")
    until: Annotated[Day | None, told("恢复之日，null 为仍在中止", "the day it went on; null: it is suspended still")]


class Clock(Shown):
    """A clock that the law runs on a case or referral (法定期限)."""

    id: Annotated[ClockId, told("期限编号", "the clock's id")]
    about: Annotated[str, told("所涉事项", "what it runs for")]
    case: Annotated[CaseId, told("所属案件", "its case")] = absent()
    referral: Annotated[ReferralId, told("所属委派委托（尚无案件时）", "its referral, where there is no case")] = (
        absent()
    )
    rule: Annotated[str, told("期限规则代码（如 D03）", "the rule's code, such as D03")]
    start: Annotated[Day, told("起算日", "the day that it is counted from")]
    due: Annotated[Day, told("截止日", "the last day")]
    latest_safe_time: Annotated[Moment, told("最迟稳妥时间", "the latest time to act without risk")]
    state: Annotated[ClockState, told("期限状态", "the clock's state")]
    provisional: Annotated[
        bool, told("暂定：放假安排尚未公布", "whether a calendar of holidays is missing that may move the day")
    ]
    calendar_version: Annotated[str, told("日历版本", "the version of the calendar")]
    extended_by: Annotated[int, Field(ge=1), told("累计延长多少，单位同规则", "prolonged by so much in all")] = absent()
    pauses: Annotated[list[Pause], told("中止期间", "when it was suspended")] = absent()


class TitledClock(Clock):
    """A clock with what its rule is called and where the law says so, as in force when it began (法定期限及其依据)."""

    title: Annotated[str, told("名称（中文）", "what it is, in Chinese")] = absent()
    title_en: Annotated[str, told("名称（英文）", "what it is, in English")] = absent()
    article: Annotated[str, told("法律依据（中文）", "the article, in Chinese")] = absent()
    article_en: Annotated[str, told("法律依据（英文）", "the article, in English")] = absent()
    verified: Annotated[bool, told("规则已经核对原文", "whether the rule was held against the law's text")] = absent()


class StartedClock(Shown):
    """A clock that a document starts or moves (由此开始的期限)."""

    about: Annotated[str, told("所涉事项", "what it runs for")]
    rule: Annotated[str, told("期限规则代码（如 D03）", "the rule's code, such as D03")]
    article: Annotated[str, told("法律依据", "the article")]
    start: Annotated[Day, told("起算日", "the day that it is counted from")]
    due: Annotated[Day, told("截止日", "the last day")]
    latest_safe_time: Annotated[Moment, told("最迟稳妥时间", "the latest time to act without risk")]
    state: Annotated[ClockState, told("期限状态", "the clock's state")]
    provisional: Annotated[
        bool, told("暂定：放假安排尚未公布", "whether a calendar of holidays is missing that may move the day")
    ]


class ClockPage(Page[TitledClock]):
    """One page of clocks, by their last day (法定期限列表)."""
