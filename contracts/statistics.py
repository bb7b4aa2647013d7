"""The statistical report (统计报表) that the gateway makes from its own store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from contracts.document import Document, Part, named, rule
from contracts.findings import Code, Finding
from contracts.values import LIST_LIMIT, Count, Day, Figure, Name, OrganizationCode, ShortText


class Period(Part):
    """The days that a report covers, both included (统计期间)."""

    from_: Annotated[Day, named("起始日期", "From", alias="from")]
    to: Annotated[Day, named("截止日期", "To")]


class StatisticalItem(Part):
    """One figure (统计项): a count, or an amount in yuan."""

    code: Annotated[Name, named("统计项代码", "Code")]
    value: Annotated[Figure, named("数值", "Value")]


class StatisticalReport(Document):
    """The figures of one organisation and period (统计报表). ``version`` counts the reports of that period from 1;
    ``definition_version`` names the definition of the items."""

    organization_code: Annotated[OrganizationCode, named("调解组织代码", "Code of the organisation")]
    period: Annotated[Period, named("统计期间", "Period")]
    version: Annotated[Count, named("版本", "Version")]
    definition_version: Annotated[ShortText, named("统计口径版本", "Version of the definitions")]
    items: Annotated[tuple[StatisticalItem, ...], named("统计项", "Items", max_length=LIST_LIMIT)]


@rule(Period)
def _ends_after_it_begins(period: Period, at: str, _: datetime) -> Iterator[Finding]:
    if period.to < period.from_:
        yield Finding.of(f"{at}/to", Code.TIME_ORDER, earlier="from")
