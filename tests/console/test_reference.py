"""What people look up: code tables both ways, the API in plain pages, a client's errors by cause, a party by telephone."""

from __future__ import annotations

import json
import re

import pytest

from adapters.hr_arbitration import codes as hr_codes
from adapters.tables import tables_of
from contracts.code_table import CodeTable
from contracts.errors import PermanentError
from contracts.messages import HR
from contracts.schemas import DOCUMENTS
from gateway.web.console import api, clients
from gateway.web.console.codes import shown
from gateway.web.description import described
from tests.console.counter import Counter
from tests.flow import papers
from tests.flow.stage import until

SEX = CodeTable("性别", {"male": "1", "female": "2"}, "9", {"0": "male"})


def test_a_table_is_shown_both_ways_and_with_its_titles() -> None:
    found = shown(SEX, "", chinese=True)
    assert [(row.value, row.title, row.code, row.way) for row in found.rows] == [
        ("male", "男", "1", "both"),
        ("female", "女", "2", "both"),
        ("male", "男", "0", "in"),
        ("", "", "9", "other"),
    ]
    assert [row.code for row in shown(SEX, "女", chinese=True).rows] == ["2"]
    assert len(shown(SEX, "性别", chinese=True).rows) == 4
    assert shown(SEX, "none such", chinese=True).rows == []


async def test_the_tables_of_a_platform_are_read_and_searched(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "适配器没有码表" in (await counter.viewer.get("codes")).text
    puppet = counter.site.stage.puppet(HR)
    tables = tables_of(vars(hr_codes))
    assert len(tables) > 20
    monkeypatch.setattr(puppet, "code_tables", lambda: tables)
    page = (await counter.viewer.get("codes")).text
    assert "居民身份证" in page
    one = (await counter.viewer.get(f"codes?platform={HR}&q=resident_id")).text
    assert page.count("<table>") > one.count("<table>") >= 1
    assert (await counter.viewer.get("codes?platform=nobody")).status_code == 404


async def test_a_code_without_a_row_leads_to_its_task_and_back(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter.site.stage.puppet(HR), "code_tables", lambda: (SEX,))
    case, stage = await counter.site.case(), counter.site.stage
    matter = await counter.site.house.store.row("matter", case)
    assert matter is not None
    number = matter["business_key"].partition("|")[2]
    await stage.say(stage.word("case", "unknown", ("source_case_no", number, "SD-JN-LX-001"), raw="ZZ9"), HR)

    async def before_a_person() -> bool:
        return bool(await counter.site.house.store.rows("open_tasks_with", "unmapped_code", 9))

    await until(before_a_person, "the code is before a person")
    task = (await counter.site.house.store.rows("open_tasks_with", "unmapped_code", 9))[0]
    page = (await counter.viewer.get(f"codes?platform={HR}")).text
    assert task["id"] in page
    assert task["code"] in page
    assert f"codes?platform={HR}&amp;q={task['code']}" in (await counter.viewer.get(f"tasks/{task['id']}")).text


async def test_every_call_and_every_schema_has_a_page_in_both_languages(counter: Counter) -> None:
    index = (await counter.viewer.get("api")).text
    found = set(re.findall(r'href="/console/(api\?[^"]*)"', index))
    assert len([one for one in found if "call=" in one]) > 40
    assert len([one for one in found if "schema=" in one]) > 60
    for address in sorted(found):
        answer = await counter.viewer.get(address.replace("&amp;", "&"), **{"Accept-Language": "en"})
        assert answer.status_code == 200, address
    case = (await counter.viewer.get("api?call=post+/v1/cases")).text
    for word in ("报送案件", "Idempotency-Key", "curl -sS -X POST", "urllib.request", "source_case_no", "来源案号"):
        assert word in case
    assert (await counter.viewer.get("api?call=post+/v1/nothing")).status_code == 404
    assert (await counter.viewer.get("api?schema=Nothing")).status_code == 404
    errors = (await counter.viewer.get("api?errors=all")).text
    for word in ("idempotency_key_reused", "attachment_unknown", "未认证", "Not authenticated"):
        assert word in errors


async def test_an_answers_form_is_a_page_whose_fields_are_told(counter: Counter) -> None:
    call = (await counter.viewer.get("api?call=get+/v1/ops/tasks")).text
    assert 'href="/console/api?schema=TaskPage">TaskPage</a>' in call
    assert "Successful" not in call
    assert 'href="/console/api?schema=Task">Task</a>[]' in (await counter.viewer.get("api?schema=TaskPage")).text
    for words, language in (("为何需要人办", "zh"), ("why a person is asked", "en")):
        page = await counter.viewer.get("api?schema=Task", **{"Accept-Language": language})
        assert words in page.text


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_skeleton_has_all_that_must_be_there(name: str, counter: Counter) -> None:
    application = counter.site.application.framework
    drawn = described(application.openapi())
    model = DOCUMENTS[name].__name__
    made = api.example(drawn, {"$ref": f"#/components/schemas/{model}"})
    assert made.keys() == set(drawn["components"]["schemas"][model].get("required", []))
    json.dumps(made)


async def test_a_clients_errors_are_told_by_cause(counter: Counter) -> None:
    counter.site.stage.puppet(HR).acts["case.submitted"].append(PermanentError("E1001"))
    await counter.site.case()
    broken = await counter.site.up.post("/v1/cases", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    figures = counter.site.application.framework.state.desk.pulse

    async def told() -> bool:
        figures.forget()
        day = await figures.look("24h")
        return bool(day.series["refused|up|json_invalid"] and day.series["bad|up|E1001"] and day.series["good|up"])

    await until(told, "both are counted")
    page = (await counter.viewer.get("clients")).text
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if ">up<" in row or "up</span>" in row)
    assert clients.code_title("json_invalid", chinese=True) in row
    assert "平台返回 E1001" in row
    assert "50.0 %" in row


async def test_a_party_is_found_by_telephone_and_no_address_holds_it(counter: Counter) -> None:
    case = await counter.site.case()
    body = papers.body("wages")
    phones = [party.get("phone") or party.get("contact", {}).get("phone") for party in body["parties"]]
    for phone in filter(None, phones):
        for typed in (phone, f"+86-{phone}" if phone.startswith("1") else phone):
            asked = await counter.operator.post("search", {"q": typed})
            assert asked.status_code == 303, typed
            assert phone not in asked.headers["location"]
            assert case in (await counter.operator.http.get(asked.headers["location"])).text
    assert any(phones)
    mobile = next(phone for phone in phones if phone)
    assert (await counter.viewer.post("search", {"q": mobile})).status_code == 403
    assert (await counter.operator.get(f"search?q={mobile}")).status_code == 400
    rows = await counter.site.house.store.rows("newest_audit", 2**62, 3)
    assert rows[0]["act"] == "person.search"
