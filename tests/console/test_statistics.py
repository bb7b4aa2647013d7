"""统计与指标: each figure leads to exactly the lines that it counts; periods, organisations, verdicts and files."""

from __future__ import annotations

import io
import re
from html import unescape

import orjson
import pytest
from openpyxl import load_workbook

from gateway.report.definitions import definitions, indicators
from gateway.web.console.statistics import GROUPS
from tests.console.counter import Counter
from tests.console.test_masking import leaked
from tests.flow import papers

YEAR = "from=2026-01-01&to=2026-12-31"


async def several(counter: Counter) -> None:
    """Cases of two organisations; one ends by an agreement."""
    await counter.site.agreement(await counter.site.case())
    await counter.site.case()
    await counter.site.case({"/accepted_at": papers.DROP})
    await counter.site.case(name="collective")


def figures(page: str) -> dict[str, str]:
    """The figures of a page by their code."""
    rows = re.findall(r'<td class="mono">(\w+)</td>.*?<td class="num nowrap">(?:<a[^>]*>)?([\d,.]+)', page)
    return {code: value.replace(",", "") for code, value in rows}


def listed(page: str) -> set[str]:
    """The cases of a page of the ledger."""
    return set(re.findall(r'data-open="/console/cases/(case_\w+)"', page))


def test_the_page_holds_every_figure_once() -> None:
    shown = [code for _, codes in GROUPS for code in codes]
    assert sorted(shown) == sorted(item.code for item in definitions().items)


async def test_every_figure_leads_to_the_lines_that_it_counts(counter: Counter) -> None:
    await several(counter)
    page = (await counter.viewer.get(f"statistics?{YEAR}")).text
    found = figures(page)
    assert found["N01"] == "4"
    assert found["A01"] == "3"
    assert found["R1"] == "1"
    counts = {code: value for code, value in found.items() if code not in ("M1", "C2", "C3")}
    assert counts.keys() | {"M1", "C2", "C3"} == {item.code for item in definitions().items}
    for code, value in counts.items():
        lines = (await counter.viewer.get(f"ledger?figure={code}&{YEAR}")).text
        assert len(listed(lines)) == int(value), code
        assert (f"figure={code}&amp;from=2026-01-01" in page) == (value != "0"), code


async def test_the_success_rate_stands_against_its_threshold(counter: Counter) -> None:
    await several(counter)
    page = (await counter.viewer.get(f"statistics?{YEAR}")).text
    assert "100.0 % = 1 / 1" in page
    assert "达到 65 %" in page
    english = (await counter.viewer.get(f"statistics?{YEAR}", **{"Accept-Language": "en"})).text
    english = unescape(english)
    assert "reaches 65 %" in english
    assert "Version of the definitions: " + definitions().version in english
    for one in indicators()[1]:
        assert one.zh in page
        assert one.rule_en in english


async def test_an_organisation_and_a_period_narrow_it(counter: Counter) -> None:
    await several(counter)
    one = figures((await counter.viewer.get(f"statistics?{YEAR}&org=SD-LY-LS-007")).text)
    other = figures((await counter.viewer.get(f"statistics?{YEAR}&org=SD-JN-LX-001")).text)
    both = figures((await counter.viewer.get(f"statistics?{YEAR}")).text)
    assert int(one["N01"]) + int(other["N01"]) == int(both["N01"]) == 4
    assert one["N01"] != "0" != other["N01"]
    empty = (await counter.viewer.get("statistics?period=1999Q1")).text
    assert "没有可统计的案件" in empty
    assert set(figures(empty).values()) == {"0", "0.00"}


@pytest.mark.parametrize("query", ["period=2026Q9", "from=2026-09-30&to=2026-01-01", "from=yesterday", "to=2020-13-01"])
async def test_a_period_that_cannot_be_is_told_in_both_languages(counter: Counter, query: str) -> None:
    chinese = await counter.viewer.get(f"statistics?{query}")
    english = await counter.viewer.get(f"statistics?{query}", **{"Accept-Language": "en"})
    assert chinese.status_code == english.status_code == 200
    assert "起止日期不对" in chinese.text
    assert "Invalid dates" in english.text


async def test_files_hold_the_same_and_are_audited(counter: Counter) -> None:
    await several(counter)
    assert (await counter.viewer.get(f"statistics/export.csv?{YEAR}")).status_code == 403
    answer = await counter.operator.get(f"statistics/export.csv?{YEAR}&org=SD-JN-LX-001")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert not answer.text.lstrip("\ufeff").startswith("sep=")
    assert "A01" in answer.text
    assert "success_rate" in answer.text
    assert leaked(answer.text) == []
    row = (await counter.site.house.store.rows("newest_audit", 2**62, 1))[0]
    assert (row["actor"], row["act"], row["target"]) == ("user:oper01", "statistics.export", "statistics")
    told = {"kind": "csv", "from": "2026-01-01", "to": "2026-12-31", "org": "SD-JN-LX-001"}
    assert orjson.loads(row["data"]) == told
    book = load_workbook(io.BytesIO((await counter.operator.get(f"statistics/export.xlsx?{YEAR}")).content))
    sheet = book["统计与指标"]
    values = {cells[0]: cells[2] for cells in sheet.iter_rows(min_row=2, values_only=True)}
    assert values["N01"] == "4"
    assert set(values) >= {item.code for item in definitions().items}
    lines = await counter.operator.get(f"ledger/export.csv?figure=R1&{YEAR}")
    assert len(lines.text.strip().splitlines()) == 2
