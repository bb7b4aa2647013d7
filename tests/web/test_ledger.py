"""Ledger, statistics and indicators as callers get them: own organisations alone, masked, audited, in three forms."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import httpx
import openpyxl
import pytest

from gateway.report import sheets
from gateway.report.definitions import indicators
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES
from tests.flow import papers
from tests.flow.stage import until
from tests.web.site import Site

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PERIOD = "from=2026-01-01&to=2026-12-31"
PERSONS = ("王建国", "370102199003071238", "13853100001", "赵敏", "周芳", "0531-86000001", "李明")
CALLS = ("/v1/ledger", "/v1/statistics", "/v1/indicators")


def leaked(text: str) -> list[str]:
    return [value for value in PERSONS if value in text]


async def got(client: httpx.AsyncClient, path: str, accept: str = "application/json") -> httpx.Response:
    return await client.get(path, headers={"Accept": accept})


@pytest.fixture
async def full(site: Site) -> Site:
    """A house with cases of two organisations: agreed, failed, new; and one of an organisation apart."""
    agreed = await site.case()
    await site.agreement(agreed)
    failed = await site.case()
    assert (await site.post(f"/v1/cases/{failed}/progress", papers.raw("failed"))).status_code == 202
    await site.case(name="collective")
    other = {"/organization/code": "SD-QD-SN-002", "/source_case_no": "QD-1"}
    assert (await site.post("/v1/cases", site.case_body(other), by=site.stranger)).status_code == 202
    return site


async def audited(site: Site) -> list[tuple[str, str | None, dict[str, Any]]]:
    rows = await site.house.store.rows("newest_audit", 2**62, 20)
    return [(row["act"], row["reason"], json.loads(row["data"])) for row in rows]


async def test_an_upstream_reads_its_own_organisations_alone(full: Site) -> None:
    mine = (await full.up.get(f"/v1/ledger?{PERIOD}")).json()
    assert {item["organization_code"] for item in mine["items"]} == {"SD-JN-LX-001", "SD-LY-LS-007"}
    assert len(mine["items"]) == 3
    theirs = (await full.stranger.get(f"/v1/ledger?{PERIOD}")).json()
    assert [item["organization_code"] for item in theirs["items"]] == ["SD-QD-SN-002"]
    everybody = (await full.op.get(f"/v1/ledger?{PERIOD}")).json()
    assert len(everybody["items"]) == 4
    one = (await full.up.get(f"/v1/ledger?{PERIOD}&organization=SD-LY-LS-007")).json()
    assert [item["organization_code"] for item in one["items"]] == ["SD-LY-LS-007"]


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("accept", ["application/json", "text/csv", XLSX])
async def test_another_organisation_is_the_404_of_nothing(full: Site, path: str, accept: str) -> None:
    answers = [
        await got(full.stranger, f"{path}?{PERIOD}&organization={code}", accept)
        for code in ("SD-JN-LX-001", "SD-NO-NO-999")
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    none = await full.caller("none", UPSTREAM_SCOPES, ())
    for form in ("application/json", "text/csv"):
        assert "SD-" not in (await got(none, f"{path}?{PERIOD}", form)).text


@pytest.mark.parametrize("path", CALLS)
async def test_figures_of_two_callers_do_not_mix(full: Site, path: str) -> None:
    mine, theirs, all_ = [
        {item.get("code", item.get("id")): item for item in (await who.get(f"{path}?{PERIOD}")).json()["items"]}
        for who in (full.up, full.stranger, full.op)
    ]
    if path == "/v1/statistics":
        assert (mine["A01"]["value"], theirs["A01"]["value"], all_["A01"]["value"]) == (3, 1, 4)
    assert set(mine) | set(theirs) == set(all_)


async def test_everybody_is_shown_masked_lines(full: Site) -> None:
    for who in (full.up, full.op):
        for accept in ("application/json", "text/csv"):
            answer = await got(who, f"/v1/ledger?{PERIOD}", accept)
            assert leaked(answer.text) == [], accept
            assert "王**" in answer.text
            assert answer.headers["cache-control"] == "no-store"


async def test_an_upstream_takes_its_own_lines_plain_with_a_reason(full: Site) -> None:
    without = await full.up.get(f"/v1/ledger?{PERIOD}&plain=true")
    assert (without.status_code, without.json()["code"]) == (422, "reason_missing")
    why = {"X-Reason": quote("年度核对")}
    plain = await full.up.get("/v1/ledger", params={"from": "2026-01-01", "plain": "true"}, headers=why)
    assert leaked(plain.text)
    assert plain.json()["masked"] is False
    assert (await audited(full))[0][:2] == ("ledger.plain", "年度核对")
    assert leaked(json.dumps([entry[2] for entry in await audited(full)])) == []


async def test_who_may_not_take_plain_lines(full: Site) -> None:
    query, why = {"plain": "true"}, {"X-Reason": "x"}
    assert (await full.op.get("/v1/ledger", params=query, headers=why)).json()["code"] == "plain_refused"
    narrow = await full.caller("narrow", ("ledger:read",))
    refused = await narrow.get("/v1/ledger", params=query, headers=why)
    assert (refused.status_code, refused.json()["scope"]) == (403, "cases:read")
    assert (await full.up.get("/v1/ledger", params={"plain": "perhaps"})).status_code == 400


async def test_an_operator_narrowed_to_organisations_is_an_operator_still(full: Site) -> None:
    """Whoever acts for everybody is masked, whichever organisation he names."""
    answer = await full.op.get("/v1/ledger", params={"organization": "SD-JN-LX-001", "plain": "true"})
    assert (answer.status_code, answer.json()["code"]) == (403, "plain_refused")


async def test_a_line_holds_what_the_notice_asks_for(full: Site) -> None:
    items = (await full.up.get(f"/v1/ledger?{PERIOD}&basis=ended")).json()["items"]
    agreed, failed = items
    assert agreed["result"] == "达成协议"
    assert agreed["cause"] == "追索劳动报酬纠纷"
    assert agreed["amount"] == "18600.00"
    assert agreed["classes"] == ["D3", "O3", "R1"]
    assert agreed["agreements"].startswith("历下劳人调")
    assert agreed["missing"] == []
    assert failed["classes"][-1] == "R3"
    assert failed["reason"]
    english = await full.up.get(f"/v1/ledger?{PERIOD}&basis=ended", headers={"Accept-Language": "en"})
    assert english.json()["items"][0]["result"] == "Agreed"


async def test_pages_follow_each_other(full: Site) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await full.up.get(f"/v1/ledger?{PERIOD}&limit=1{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = f"&cursor={page['cursor']}" if "cursor" in page else ""
    assert cursor == ""
    assert len(set(seen)) == 3
    assert seen == sorted(seen)


async def test_csv_opens_in_a_spreadsheet_and_is_audited(full: Site) -> None:
    answer = await got(full.up, f"/v1/ledger?{PERIOD}", "text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert b"sep=" not in answer.content
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert 'attachment; filename="ledger-2026-01-01-2026-12-31.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == "案号"
    assert len(rows) == 4
    act, _, data = (await audited(full))[0]
    assert (act, data["kind"], data["from"]) == ("ledger.export", "csv", "2026-01-01")


async def test_xlsx_has_text_cells_and_says_who_took_it(full: Site) -> None:
    answer = await got(full.up, f"/v1/ledger?{PERIOD}", XLSX)
    assert answer.headers["content-type"] == XLSX
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet, notes = book.worksheets
    assert sheet.max_row == 4
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert leaked("\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row)) == []
    assert "up" in [cell.value for row in notes.iter_rows() for cell in row]


async def test_an_xlsx_file_that_would_be_too_long_is_refused(full: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    answer = await got(full.up, f"/v1/ledger?{PERIOD}", XLSX)
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (422, "ledger_too_long", 2)
    assert (await got(full.up, f"/v1/ledger?{PERIOD}", "text/csv")).status_code == 200


async def test_a_value_that_looks_like_a_formula_is_defused(site: Site) -> None:
    await site.case({"/parties/1/name": "=HYPERLINK(1)有限公司"})
    rows = list(csv.reader(io.StringIO((await got(site.up, "/v1/ledger", "text/csv")).content.decode("utf-8-sig"))))
    assert "'=HYPERLINK(1)有限公司" in rows[1]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/csv;q=0.9, application/json;q=0.1", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/json;q=0, text/csv", "text/csv; charset=utf-8"),
    ],
)
async def test_the_caller_chooses_the_form(site: Site, accept: str, kind: str) -> None:
    answer = await got(site.up, "/v1/statistics", accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("path", CALLS)
async def test_what_there_is_not_is_406(site: Site, path: str) -> None:
    for accept in ("application/pdf", "application/json;q=0", "image/*"):
        answer = await got(site.up, path, accept)
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable"), accept


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("from=2026-13-01", "from"),
        ("from=x", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-05-02&to=2026-05-01", "to"),
        ("from=2000-01-01&to=2026-01-01", "to"),
        ("period=2026Q5", "period"),
        ("period=2026Q1&from=2026-01-01", "period"),
        ("organization=" + "x" * 33, "organization"),
    ],
)
async def test_a_parameter_that_is_none(shared: Site, path: str, query: str, parameter: str) -> None:
    answer = await shared.up.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("query", ["basis=x", "limit=0", "cursor=x", "cursor=WzFd", "plain=1"])
async def test_a_parameter_of_the_ledger_that_is_none(shared: Site, query: str) -> None:
    assert (await shared.up.get(f"/v1/ledger?{query}")).status_code == 400


async def test_every_figure_leads_to_as_many_lines(full: Site) -> None:
    """Each figure's own link gives the cases behind it."""
    told = (await full.up.get(f"/v1/statistics?{PERIOD}")).json()
    assert told["definition_version"]
    figures = {item["code"]: item for item in told["items"]}
    assert figures["A01"]["value"] == 3
    for code, item in figures.items():
        path = item["ledger"].partition("/v1/")[2]
        lines = (await full.up.get(f"/v1/{path}")).json()["items"]
        if code in ("A01", "R0", "N01", "U1"):
            assert item["value"] == len(lines), code
        elif code[0] in "DOR":
            assert item["value"] == sum(code in line["classes"] for line in lines), code
        elif code == "M1":
            total = sum(round(100 * float(line["amount"])) for line in lines)
            assert item["value"] == f"{total / 100:.2f}"


async def test_a_quarter_goes_by_its_name(full: Site) -> None:
    told = (await full.up.get("/v1/statistics?period=2026Q3")).json()
    assert (told["period"], told["from"], told["to"]) == ("2026Q3", "2026-07-01", "2026-09-30")
    assert (await full.up.get("/v1/statistics?from=2026-07-01&to=2026-09-30")).json()["period"] == "2026Q3"
    assert "period" not in (await full.up.get("/v1/statistics?from=2026-07-01&to=2026-09-29")).json()


async def test_the_success_rate_prints_its_formula(full: Site) -> None:
    rate = (await full.up.get(f"/v1/statistics?{PERIOD}")).json()["success_rate"]
    assert (rate["numerator"], rate["denominator"], rate["percent"], rate["met"]) == (1, 2, "50.0", False)
    assert (rate["threshold"], rate["items"]) == (65, ["R1", "R2"])
    assert "÷" in rate["formula_zh"]
    empty = (await full.up.get("/v1/statistics?from=2025-01-01&to=2025-02-01")).json()["success_rate"]
    assert (empty["percent"], empty["met"]) == (None, None)


async def test_statistics_as_a_file(full: Site) -> None:
    answer = await got(full.op, "/v1/statistics?period=2026Q3", "text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    figures = {row[0]: row[2] for row in rows}
    assert figures["A01"] == "3"
    assert figures["success_rate"].endswith("%")
    assert "2026Q3" in answer.headers["content-disposition"]


async def test_indicators_say_what_is_proved_and_what_is_not(full: Site) -> None:
    told = (await full.up.get(f"/v1/indicators?{PERIOD}")).json()
    assert [item["code"] for item in told["items"]] == [one.code for one in indicators()[1]]
    found = {item["code"]: item for item in told["items"]}
    assert found["success_rate"]["met"] is False
    assert (found["ledger_complete"]["value"], found["ledger_complete"]["met"]) == ("100.0", True)
    assert (found["arbitration_connected"]["value"], found["arbitration_connected"]["met"]) == (0, False)
    assert found["certificates_valid"]["met"] is None
    assert told["definition_version"] != told["indicator_version"]
    for item in told["items"]:
        assert item["definition_zh"]
        assert item["definition_en"]


async def test_what_platforms_took_is_proof_of_the_connection(busy: Site) -> None:
    case = await busy.case({"/channel": "mini_program"})
    agreement = await busy.agreement(case)
    confirmation = await busy.confirmation(agreement)
    mediator = papers_of_mediator()
    assert (await busy.put("/v1/mediators/LDTJ-3701-2023-0456", mediator)).status_code == 202

    async def delivered() -> bool:
        rows = await busy.house.store.rows("deliveries_of", case)
        return any(row["about"] == confirmation and row["state"] == "delivered" for row in rows)

    await until(delivered, "the request is with arbitration")
    found = {item["code"]: item for item in (await busy.up.get(f"/v1/indicators?{PERIOD}")).json()["items"]}
    assert found["arbitration_connected"]["met"] is True
    assert (found["review_online"]["value"], found["judicial_online"]["value"]) == (1, 0)
    assert found["online_channel"]["value"] == 1
    assert found["platforms_used"]["value"] >= 2
    assert (found["full_time_mediator"]["value"], found["certificates_valid"]["met"]) == (1, True)


def papers_of_mediator() -> dict[str, Any]:
    return {
        "schema_version": "1.0",
        "certificate_no": "LDTJ-3701-2023-0456",
        "certificate_valid_until": "2027-12-31",
        "name": "李明",
        "organization_code": "SD-JN-LX-001",
        "employment": "full_time",
        "specialities": [],
        "active": True,
    }


async def test_late_cases_are_marked(site: Site) -> None:
    await site.case()
    line = (await site.up.get("/v1/ledger")).json()["items"][0]
    assert line["limit"] < "2026-10-10"
    assert line["late"] is True


async def test_reading_needs_its_scope(full: Site) -> None:
    keyed = await full.caller("keyed", tuple(one for one in OPERATOR_SCOPES if one != "ledger:read"), ("*",))
    for path in CALLS:
        refused = await keyed.get(path)
        assert (refused.status_code, refused.json()["scope"]) == (403, "ledger:read")
