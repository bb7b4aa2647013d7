"""What a refused call is told helps: how many things are wrong, where the first stands, and what to do, in both languages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from contracts.messages import HR
from tests.flow import papers
from tests.flow.handed_over import referral
from tests.flow.stage import at
from tests.web.site import Site, accepted

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROKEN: dict[str, Any] = {"/facts": "", "/parties/0/phone": "１３８５３１００００１", "/amount": 1}


async def test_the_detail_counts_the_findings_and_names_the_first(shared: Site) -> None:
    for language, counted, first in (
        ("zh-CN", "共 3 处问题", "第一处：/facts：内容不能为空。"),
        ("en", "3 problems", "the first: /facts: It must not be empty."),
    ):
        told = (
            await shared.post("/v1/cases", papers.body("wages", BROKEN), headers={"Accept-Language": language})
        ).json()
        assert len(told["errors"]) == 3
        assert counted in told["detail"]
        assert first in told["detail"]
    one = (await shared.post("/v1/cases", papers.body("wages", {"/facts": ""}))).json()
    assert one["detail"] == "/facts：内容不能为空。填写内容；选填字段没有内容时应省略。"


async def test_each_finding_has_its_cure_in_both_languages(shared: Site) -> None:
    told = (await shared.post("/v1/cases", papers.body("wages", BROKEN))).json()
    for one in told["errors"]:
        assert re.search(r"[\u4e00-\u9fff]", one["cure_zh"])
        assert re.search(r"[a-z]{3}", one["cure"])
    phone = next(one for one in told["errors"] if one["code"] == "phone_format")
    assert "全角" in phone["cure_zh"]
    assert "full-width" in phone["cure"]


async def test_an_unknown_fields_name_stands_in_its_pointer_alone(shared: Site) -> None:
    told = (await shared.post("/v1/cases", papers.body("wages", {"/parties/0/Zebra": 1}))).json()
    assert [one["pointer"] for one in told["errors"]] == ["/parties/0/Zebra"]
    assert "Zebra" not in told["detail"]
    assert told["detail"].startswith("/parties/0：")


async def test_null_is_told_to_be_left_out(shared: Site) -> None:
    told = (
        await shared.post("/v1/cases", papers.body("wages", {"/attachments": None, "/parties/0/kind": None}))
    ).json()
    assert {one["pointer"] for one in told["errors"]} == {"/attachments", "/parties/0/kind"}
    for one in told["errors"]:
        assert "null" in one["message_zh"]
        assert "省略" in one["cure_zh"]
    assert (await shared.post("/v1/cases?dry_run=true", papers.body("wages", {"/collective": None}))).status_code == 200


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"\xef\xbb\xbf{}", "BOM"),
        ('{"facts":"拖欠工资"}'.encode("gb18030"), "GB18030"),
        (b'{"a":1,"a":2}', "重复的键名"),
    ],
)
async def test_why_a_body_is_no_json(shared: Site, raw: bytes, word: str) -> None:
    for path, caller in (
        ("/v1/cases", shared.up),
        ("/v1/ops/reports", shared.op),
        ("/v1/clocks/clk_x/extend", shared.up),
    ):
        answer = await shared.post(path, raw, by=caller)
        told = answer.json()
        assert (answer.status_code, told["code"]) == (400, "json_invalid"), path
        assert word in told["errors"][0]["message_zh"]
        assert "UTF-8" in told["errors"][0]["cure"]


async def test_a_media_type_is_answered_with_those_that_are_taken(shared: Site) -> None:
    for path, taken in (
        ("/v1/cases", ["application/json"]),
        ("/v1/cases:batch", ["application/x-ndjson", "application/ndjson"]),
        ("/v1/attachments", ["multipart/form-data"]),
    ):
        answer = await shared.up.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
        assert (answer.status_code, answer.json()["accepts"]) == (415, taken)
    packed = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    assert (await shared.up.post("/v1/cases:batch", content=b"{}", headers=packed)).status_code == 415


async def test_a_body_without_a_media_type_is_not_left_unread(shared: Site) -> None:
    path = "/v1/ops/deliveries/dlv_01M7Q5CQG057N683VPG2HEWAGG/cancel"
    answer = await shared.op.post(path, content=b'{"reason":"x"}')
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type")
    assert (await shared.op.post(path)).json()["code"] == "reason_missing"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, {"/arrived": "missing", "/evidence": "missing"}),
        ({"arrived": True}, {"/evidence": "missing"}),
        ({"arrived": "yes", "evidence": " "}, {"/arrived": "wrong_type", "/evidence": "empty"}),
        ({"arrived": False, "evidence": "x" * 501}, {"/evidence": "too_long"}),
    ],
)
async def test_what_a_decision_lacks_is_told(shared: Site, body: dict[str, Any], found: dict[str, str]) -> None:
    path = "/v1/ops/deliveries/dlv_01M7Q5CQG057N683VPG2HEWAGG/resolve"
    answer = await shared.post(path, body, by=shared.op)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "resolve_form")
    assert {one["pointer"]: one["code"] for one in told["errors"]} == found
    assert "arrived" in told["detail"]
    assert "evidence" in told["detail"]


async def test_every_fault_of_an_acts_body_comes_at_once(shared: Site) -> None:
    body = {"on": "soon", "article": "x", "until": 1, "extended_by": 0}
    told = (await shared.post("/v1/clocks/clk_x/extend", body)).json()
    assert told["code"] == "body_field"
    assert {one["pointer"] for one in told["errors"]} == {"/on", "/article", "/until", "/extended_by", "/reason"}


async def test_a_foreign_organisation_is_told_with_its_place(shared: Site) -> None:
    answer = await shared.post("/v1/cases", papers.body("wages", {"/organization/code": "SD-QD-SN-002"}))
    told = answer.json()
    assert (answer.status_code, told["code"]) == (403, "organization_foreign")
    assert [(one["pointer"], one["code"]) for one in told["errors"]] == [("/organization/code", "organization_foreign")]
    assert "SD-QD" not in json.dumps(told)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/cases", {"GET", "POST"}),
        ("POST", "/v1/cases/case_x", {"GET", "PUT"}),
        ("PATCH", "/v1/mediators/a%2Fb", {"GET", "PUT"}),
        ("PUT", "/v1/webhook-endpoints/whe_x", {"GET", "PATCH", "DELETE"}),
        ("GET", "/v1/cases/case_x/progress", {"POST"}),
        ("DELETE", "/v1/cases:batch", {"POST"}),
        ("DELETE", "/callbacks/nobody/x", {"GET", "POST"}),
    ],
)
async def test_all_methods_of_an_address_are_told(shared: Site, method: str, path: str, allowed: set[str]) -> None:
    answer = await shared.up.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


async def test_a_stale_version_is_told_with_the_rest(shared: Site) -> None:
    body = shared.case_body()
    case = accepted(await shared.post("/v1/cases", body))
    stale = {"If-Match": '"7"'}
    both = await shared.put(f"/v1/cases/{case}", body | {"facts": ""}, headers=stale)
    assert (both.status_code, both.json()["code"]) == (422, "empty")
    assert {(one["pointer"], one["code"]) for one in both.json()["errors"]} == {
        ("/facts", "empty"),
        ("", "version_stale"),
    }
    alone = await shared.put(f"/v1/cases/{case}", body, headers=stale)
    assert (alone.status_code, alone.json()["code"]) == (412, "version_stale")
    assert [one["code"] for one in alone.json()["errors"]] == ["version_stale"]


async def test_the_id_of_what_hangs_on_a_case_is_no_case(shared: Site) -> None:
    case = await shared.case()
    agreement = await shared.agreement(case)
    for part in ("", "/timeline", "/platforms"):
        assert (await shared.up.get(f"/v1/cases/{case}{part}")).status_code == 200
        assert (await shared.up.get(f"/v1/cases/{agreement}{part}")).status_code == 404


@pytest.mark.asyncio(loop_scope="function")  # the house at work has its own loop
async def test_a_result_before_the_acceptance_is_told_so(busy: Site) -> None:
    await busy.stage.tell({"event": "offer", "at": at(1), "referral": referral("task-1")})
    row = await busy.house.store.row("find_matter", "referral", f"{HR}|task-1")
    assert row is not None
    body = {
        "schema_version": "1.0",
        "outcome": "failed",
        "at": at(2),
        "reason_code": "large_divergence",
        "report": "双方分歧较大。",
    }
    early = await busy.post(f"/v1/referrals/{row['id']}/result", body)
    told = early.json()
    assert (early.status_code, told["code"]) == (422, "referral_not_accepted")
    assert "接受" in told["errors"][0]["cure_zh"]
    declined = {"schema_version": "1.0", "answer": "decline", "at": at(2), "reason": "不属于受理范围"}
    assert (await busy.post(f"/v1/referrals/{row['id']}/answer", declined)).status_code == 202
    late = await busy.post(f"/v1/referrals/{row['id']}/result", body)
    assert (late.status_code, late.json()["code"]) == (409, "referral_closed")
