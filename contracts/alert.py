"""The report of a grave collective dispute (重大集体争议报告)."""

from __future__ import annotations

from typing import Annotated

from contracts.document import Document, named
from contracts.lists import AlertLevel
from contracts.party import Contact
from contracts.values import Count, LongText, Money, PastTime


class CollectiveAlert(Document):
    """A collective dispute that arbitration, the one-stop centre and the union must know of at once
    (重大集体争议预警)."""

    level: Annotated[AlertLevel, named("级别", "Level")]
    worker_count: Annotated[Count, named("涉及人数", "Workers concerned")]
    amount: Annotated[Money, named("涉案金额（元）", "Amount in dispute (yuan)")]
    situation: Annotated[LongText, named("现场情况", "Situation")]
    measures: Annotated[LongText, named("处置措施", "Measures taken")]
    contact: Annotated[Contact, named("联系人", "Contact")]
    at: Annotated[PastTime, named("报告时间", "At")]
