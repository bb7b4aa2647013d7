"""A person's values never leave by a page, a fragment, a stream, an error or a file: every answer is fetched and searched."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import orjson

from contracts.case import Case
from gateway.security.field_classes import FieldClass, leaves
from tests.console.counter import Counter
from tests.flow import papers

REGIONS = ("flow", "volume", "latency", "groups", "risk", "table", "bar")


def planted() -> Iterator[str]:
    """What is personal in the documents of the journey: names, numbers, telephones, addresses, accounts, facts."""
    for name in ("wages", "collective"):
        for leaf in leaves(Case, papers.body(name)):
            if not leaf.kind.open and leaf.kind is not FieldClass.PERSONAL and len(leaf.text) > 1:
                yield leaf.text
                if leaf.kind is FieldClass.BIRTH:
                    yield leaf.text.replace("-", "")
    agreement: dict[str, Any] = papers.body("agreement")
    yield agreement["facts"]
    for term in agreement["terms"]:
        yield term["text"]
        if "payee" in term:
            yield from (term["payee"]["account_name"], term["payee"]["account_no"])
    for signature in agreement["signatures"]:
        if "公司" not in signature["name"]:
            yield signature["name"]
    for address in papers.body("judicial")["service_addresses"]:
        yield from (address["detail"], address["phone"])
    yield "王建国"
    yield "37010219900307123X"


def leaked(text: str) -> list[str]:
    """Which planted values stand in a text, told without quoting them."""
    plain = text.replace("\\u", "")
    return [f"{value[:1]}… ({len(value)} characters)" for value in set(planted()) if value in plain]


async def test_the_planted_values_are_many_and_real(counter: Counter) -> None:
    values = set(planted())
    assert len(values) > 25
    assert any(re.fullmatch(r"\d{17}[\dX]", value) for value in values)
    await counter.journey()
    row = await counter.site.house.store.row("message", counter.ids["message"])
    assert row is not None


async def test_no_page_shows_a_personal_value_to_anybody_who_did_not_ask(counter: Counter) -> None:
    await counter.journey()
    await counter.tallied()
    for role, visitor in counter.visitors.items():
        for path in counter.addresses():
            for headers in ({}, {"Accept-Language": "en"}, {"X-Fragment": ",".join(REGIONS)}):
                answer = await visitor.get(path, **headers)
                assert answer.status_code < 500, path
                assert leaked(answer.text) == [], (role, path)
                assert leaked(str(answer.headers)) == []


async def test_no_act_of_a_viewer_brings_one_out(counter: Counter) -> None:
    await counter.journey()
    asked = {"side": "canonical", "pointer": "/parties/0/name", "reason": "x"}
    for path in (f"deliveries/{counter.ids['delivered']}/reveal", f"deliveries/{counter.ids['rejected']}/redrive"):
        answer = await counter.viewer.post(path, asked)
        assert answer.status_code == 403
        assert leaked(answer.text) == []


async def test_the_stream_carries_figures_alone(counter: Counter) -> None:
    await counter.journey()
    pulse = counter.site.application.framework.state.desk.pulse

    async def valid() -> bool:
        return True

    heard = b""
    async for part in pulse.stream("view01", "1h", valid):
        heard += part
        if b"versions" in heard:
            break
    assert b'"delivered":' in heard
    assert leaked(heard.decode()) == []
    await asyncio.sleep(0)


async def test_what_a_refusing_platform_quotes_is_masked_for_those_who_act_and_folded_for_the_others(
    counter: Counter,
) -> None:
    await counter.journey()
    path = f"deliveries/{counter.ids['rejected']}"
    acting, looking, auditing = [
        (await counter.visitors[role].get(path)).text for role in ("operator", "viewer", "auditor")
    ]
    assert "已登记" in acting
    assert "已登记" not in looking
    assert all("E2003" in text for text in (acting, looking, auditing))


async def test_one_field_is_revealed_with_a_reason_and_the_audit_row_comes_first(counter: Counter) -> None:
    await counter.journey()
    path = f"deliveries/{counter.ids['delivered']}"
    name = papers.body("collective")["parties"][0]["name"]
    name2 = papers.body("wages")["parties"][0]["name"]
    none = await counter.operator.post(
        f"{path}/reveal", {"side": "canonical", "pointer": "/parties/0/name", "reason": ""}
    )
    assert none.status_code == 422
    assert leaked(none.text) == []
    shown = await counter.operator.post(
        f"{path}/reveal", {"side": "canonical", "pointer": "/parties/0/name", "reason": "核对当事人身份"}
    )
    assert shown.status_code == 200
    assert name in shown.text or name2 in shown.text
    assert 'http-equiv="refresh" content="60' in shown.text
    assert leaked((await counter.operator.get(path)).text) == []
    rows = await counter.site.house.store.rows("newest_audit", 2**62, 5)
    row = next(row for row in rows if row["act"] == "field.reveal")
    assert (row["actor"], row["target"], row["reason"]) == ("user:oper01", counter.ids["delivered"], "核对当事人身份")
    assert orjson.loads(row["data"]) == {"side": "canonical", "pointer": "/parties/0/name"}


async def test_a_partys_whole_name_is_found_and_stands_in_no_address(counter: Counter) -> None:
    await counter.journey()
    parties = papers.body("wages")["parties"]
    worker, employer = parties[0]["name"], parties[1]["name"]
    for typed in (worker, f" {worker[0]} {worker[1:]}", employer):
        asked = await counter.operator.post("search", {"q": typed})
        assert asked.status_code == 303
        assert re.fullmatch(r"/console/search\?b=[0-9a-f]{32}", asked.headers["location"])
        found = await counter.operator.http.get(asked.headers["location"])
        assert counter.ids["case"] in found.text
        assert leaked(found.text) == []
        rows = await counter.site.house.store.rows("newest_audit", 2**62, 1)
        assert rows[0]["act"] == "person.search"
        assert typed not in str(dict(rows[0]))
    asked = await counter.operator.post("search", {"q": worker[:2]})
    nobody = await counter.operator.http.get(asked.headers["location"])
    assert "一字不差" in nobody.text, "a part of a name is not found, and it is said why"
    refused = await counter.viewer.post("search", {"q": worker})
    assert (refused.status_code, "您的角色不能按当事人的姓名" in refused.text) == (403, True)
    assert worker not in refused.text
    assert (await counter.operator.get("search?q=" + worker)).status_code == 400


async def test_a_company_with_digits_in_its_name_is_found(counter: Counter) -> None:
    case = await counter.site.case({"/parties/1/name": "济南历下3号物流（山东）有限公司"})
    asked = await counter.operator.post("search", {"q": "济南历下3号物流(山东)有限公司"})
    assert case in (await counter.operator.http.get(asked.headers["location"])).text
    row = await counter.site.house.store.row("matter", case)
    assert row is not None
    tail = str(row["business_key"])[-4:]
    location = (await counter.operator.post("search", {"q": tail})).headers["location"]
    assert location in (f"/console/search?q={tail}", f"/console/cases/{case}"), "a number is no name"


async def test_a_partys_number_is_found_exactly_and_stands_in_no_address(counter: Counter) -> None:
    await counter.journey()
    number = papers.body("wages")["parties"][0]["id_number"]
    asked = await counter.operator.post("search", {"q": number})
    assert asked.status_code == 303
    assert number not in asked.headers["location"]
    found = await counter.operator.http.get(asked.headers["location"])
    assert counter.ids["case"] in found.text
    assert leaked(found.text) == []
    assert (await counter.viewer.post("search", {"q": number})).status_code == 403
    assert (await counter.operator.get("search?q=" + number)).status_code == 400
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number)
    again = await counter.operator.post("search", {"q": wide})
    assert again.headers["location"] == asked.headers["location"]
    rows = await counter.site.house.store.rows("newest_audit", 2**62, 5)
    assert rows[0]["act"] == "person.search"
    assert number not in rows[0]["target"]
