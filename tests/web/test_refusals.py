"""Broken documents are refused whole: every finding with pointer and code in both languages, nothing echoed, nothing stored."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import pytest

from contracts.messages import HR
from tests.flow import papers
from tests.flow.handed_over import ACCEPT, referral
from tests.flow.papers import DROP
from tests.flow.stage import at
from tests.web.site import Site, accepted

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON, UNIT = "/parties/0", "/parties/1"
MARK = "Zebra-7731"
UNKNOWN_FILE = {"id": "att_01M7Q5CQG057N683VPG2HEWAGG", "kind": "evidence", "name": "证据"}

LATE = "2026-10-20T10:00:00+08:00"

BROKEN: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    # sample, changes, findings (pointer, code)
    ("wages", {"/source_case_no": DROP}, [("/source_case_no", "missing")]),
    ("wages", {"/schema_version": DROP}, [("/schema_version", "missing")]),
    ("wages", {"/schema_version": "2.0"}, [("/schema_version", "not_in_list")]),
    ("wages", {f"{PERSON}/phone": DROP}, [(f"{PERSON}/phone", "missing")]),
    ("wages", {f"/{MARK}": MARK}, [(f"/{MARK}", "unknown_field")]),
    ("wages", {f"{UNIT}/id_number": MARK}, [(f"{UNIT}/id_number", "unknown_field")]),
    ("wages", {"/channel": MARK}, [("/channel", "not_in_list")]),
    ("wages", {"/channel": None}, [("/channel", "wrong_type")]),
    ("wages", {"/facts": [MARK]}, [("/facts", "wrong_type")]),
    ("wages", {"/facts": ""}, [("/facts", "empty")]),
    ("wages", {"/facts": " \u3000\n"}, [("/facts", "empty")]),
    ("wages", {"/facts": f"{MARK}\u0000"}, [("/facts", "control_character")]),
    ("wages", {"/facts": MARK * 2001}, [("/facts", "too_long")]),
    ("wages", {"/claims": []}, [("/claims", "empty")]),
    ("wages", {"/parties": {"0": MARK}}, [("/parties", "wrong_type")]),
    ("wages", {"/organization/name": "斑" * 101}, [("/organization/name", "too_long")]),
    ("wages", {"/organization/code": "Z" * 33}, [("/organization/code", "too_long")]),
    ("wages", {"/received_at": "2026-09-16T09:30:00"}, [("/received_at", "naive_time")]),
    ("wages", {"/received_at": "16.9.2026"}, [("/received_at", "wrong_type")]),
    ("wages", {"/accepted_at": "2031-01-01T00:00:00Z"}, [("/accepted_at", "time_in_future")]),
    ("wages", {"/accepted_at": "2026-09-16T09:29:59+08:00"}, [("/accepted_at", "time_order")]),
    ("wages", {"/amount": 18600.55}, [("/amount", "money_format")]),
    ("wages", {"/amount": "18,600.00"}, [("/amount", "money_format")]),
    ("wages", {"/amount": "-18600.00"}, [("/amount", "money_format")]),
    ("wages", {f"{PERSON}/id_number": "370102199003071237"}, [(f"{PERSON}/id_number", "resident_id_checksum")]),
    ("wages", {f"{PERSON}/id_number": "370102199002301230"}, [(f"{PERSON}/id_number", "resident_id_date")]),
    ("wages", {f"{PERSON}/id_type": "taiwan_permit"}, [(f"{PERSON}/id_number", "id_format")]),
    ("wages", {f"{UNIT}/credit_code": "91370102MA0DEM013X"}, [(f"{UNIT}/credit_code", "credit_code_checksum")]),
    ("wages", {"/organization/region_code": "3701"}, [("/organization/region_code", "region_format")]),
    ("wages", {f"{PERSON}/phone": "1385310000"}, [(f"{PERSON}/phone", "phone_format")]),
    ("wages", {"/cause/path/2": MARK}, [("/cause/path", "cause_unknown")]),
    ("wages", {"/cause/table": "2011"}, [("/cause/table", "not_in_list")]),
    ("wages", {f"{UNIT}/role": "applicant"}, [("/parties", "side_missing")]),
    ("wages", {"/consents/1/party": 7}, [("/consents/1/party", "party_index")]),
    ("wages", {"/referral": MARK}, [("/referral", "id_shape")]),
    ("wages", {"/referral": "ref_01M7Q5CQG057N683VPG2HEWAGG"}, [("/referral", "referral_not_accepted")]),
    (
        "wages",
        {"/attachments/-": {"id": "att_01M7Q5CQG057N683VPG2HEWAGG", "kind": "evidence", "name": "证据"}},
        [("/attachments/0/id", "attachment_unknown")],
    ),
    ("collective", {"/collective/worker_count": 0}, [("/collective/worker_count", "wrong_type")]),
    ("failed", {"/reason_code": DROP}, [("/reason_code", "missing")]),
    ("failed", {"/status": "unknown"}, [("/status", "not_in_list")]),
    ("failed", {"/session/to": "2026-09-30T13:00:00+08:00"}, [("/session/to", "time_order")]),
    ("alert", {"/worker_count": "23"}, [("/worker_count", "wrong_type")]),
    ("alert", {"/contact/phone": MARK}, [("/contact/phone", "phone_format")]),
    ("transfer", {"/to": "police"}, [("/to", "not_in_list")]),
    ("transfer", {"/authority/name": DROP}, [("/authority/name", "missing")]),
    ("agreement", {"/document": MARK}, [("/document", "id_shape")]),
    ("agreement", {"/signatures/0": DROP}, [("/signatures", "signature_missing")]),
    ("agreement", {"/signatures/2": DROP}, [("/signatures", "signature_missing")]),
    ("agreement", {"/organization_seal": DROP}, [("", "signature_missing")]),
    ("agreement", {"/agreement_no": "Z" * 51}, [("/agreement_no", "too_long")]),
    ("agreement", {"/terms/0/payee/party": 9}, [("/terms/0/payee/party", "party_index")]),
    ("performed", {"/at": "2026-10-09T10:00:00+08:00", "/status": "performing"}, [("/status", "not_in_list")]),
    ("performed", {"/at": "2026-09-01T10:00:00+08:00"}, [("/at", "time_order")]),
    ("arbitration", {"/applicants": [0]}, [("/applicants", "one_side_only")]),
    ("arbitration", {"/applicants": [0, 9]}, [("/applicants/1", "party_index"), ("/applicants", "one_side_only")]),
    ("judicial", {"/applied_at": "2026-09-20T10:00:00+08:00"}, [("/applied_at", "agreement_not_effective")]),
    (
        "arbitration",
        {"/applied_at": "2026-10-20T10:00:00+08:00"},
        [("/applied_at", "time_in_future"), ("/applied_at", "deadline_passed")],
    ),
]
CALLS = {
    "wages": "/v1/cases",
    "collective": "/v1/cases",
    "failed": "/v1/cases/{case}/progress",
    "alert": "/v1/cases/{case}/alerts",
    "transfer": "/v1/cases/{case}/transfers",
    "agreement": "/v1/cases/{free}/agreements",
    "performed": "/v1/agreements/{agreement}/performances",
    "arbitration": "/v1/agreements/{agreement}/confirmations",
    "judicial": "/v1/agreements/{agreement}/confirmations",
}


@pytest.fixture(scope="module")
def ground() -> dict[str, str]:
    return {}


async def path_of(shared: Site, ground: dict[str, str], name: str) -> str:
    """The address of a sample's call, over things that are made once."""
    if not ground:
        ground["case"] = await shared.case()
        ground["free"] = await shared.case()
        ground["agreement"] = await shared.agreement(await shared.case())
        ground["upload"] = await shared.upload()
    return CALLS[name].format(**ground)


def values(changes: dict[str, Any]) -> list[str]:
    """What stands in the changes and must not stand in the answer."""
    found = []
    for value in changes.values():
        for text in [value] if isinstance(value, str) else [str(value)] if isinstance(value, float) else []:
            if len(text.strip()) >= 4:
                found.append(text)
    return found


IDS = [f"{place:02}-{found[0][1]}-{name}" for place, (name, _, found) in enumerate(BROKEN)]


@pytest.mark.parametrize(("name", "changes", "expected"), BROKEN, ids=IDS)
async def test_refused_with_its_findings_and_nothing_stored(
    shared: Site, ground: dict[str, str], name: str, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    path = await path_of(shared, ground, name)
    if name == "agreement":
        changes = {"/document": ground["upload"], **changes}
    before = await shared.counts()
    response = await shared.post(path, papers.body(name, changes), headers={"Idempotency-Key": f"broken-{name}"})
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == 422
    assert body["type"] == f"urn:mediation-gateway:problem:{body['code']}"
    assert body["instance"] == path
    assert [(one["pointer"], one["code"]) for one in body["errors"]] == expected
    for one in [*body["errors"], *body["warnings"]]:
        assert re.search(r"[\u4e00-\u9fff]", one["message_zh"])
        assert re.search(r"[a-z]{3}", one["message"])
        assert "{" not in one["message"] + one["message_zh"]
    told = json.dumps({**body, "errors": [{**one, "pointer": ""} for one in body["errors"]]}, ensure_ascii=False)
    for value in values(changes):
        if value != ground["upload"]:
            assert value not in told
    assert await shared.counts() == before


async def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 55
    assert len({code for _, _, found in BROKEN for _, code in found}) >= 27


async def test_all_findings_come_at_once(shared: Site) -> None:
    changes = {
        "/facts": "",
        "/amount": 1,
        "/received_at": "2026-09-16T09:30:00",
        "/accepted_at": "2031-09-16T09:30:00Z",
        f"{PERSON}/id_number": "370102199003071237",
        f"{PERSON}/sex": MARK,
        f"{PERSON}/extra": 1,
        f"{UNIT}/credit_code": MARK,
        "/consents/1/party": 7,
        "/cause/path": ["劳动争议", MARK],
        "/organization/region_code": "371202",
    }
    body = (await shared.post("/v1/cases", papers.body("wages", changes))).json()
    assert {(one["pointer"], one["code"]) for one in body["errors"]} == {
        ("/facts", "empty"),
        ("/amount", "money_format"),
        ("/received_at", "naive_time"),
        ("/accepted_at", "time_in_future"),
        (f"{PERSON}/id_number", "resident_id_checksum"),
        (f"{PERSON}/sex", "not_in_list"),
        (f"{PERSON}/extra", "unknown_field"),
        (f"{UNIT}/credit_code", "credit_code_checksum"),
        ("/consents/1/party", "party_index"),
        ("/cause/path", "cause_unknown"),
    }
    assert [(one["pointer"], one["code"]) for one in body["warnings"]] == [
        ("/organization/region_code", "region_abolished")
    ]


async def test_findings_against_other_documents_come_with_the_rest(shared: Site, ground: dict[str, str]) -> None:
    await path_of(shared, ground, "agreement")
    changes = {"/document": ground["upload"], "/signatures/0": DROP, "/terms/0/payee/party": 9, "/copies": "three"}
    response = await shared.post(CALLS["agreement"].format(**ground), papers.body("agreement", changes))
    assert {(one["pointer"], one["code"]) for one in response.json()["errors"]} == {
        ("/copies", "wrong_type"),
        ("/signatures", "signature_missing"),
        ("/terms/0/payee/party", "party_index"),
    }


async def told_of(shared: Site, path: str, body: dict[str, Any]) -> tuple[int, str, set[tuple[str, str]]]:
    """Status, code and findings of a refusal."""
    answer = await shared.post(path, body)
    problem = answer.json()
    return answer.status_code, problem["code"], {(one["pointer"], one["code"]) for one in problem["errors"]}


async def test_how_things_stand_is_told_with_what_is_wrong_in_the_document(
    shared: Site, ground: dict[str, str]
) -> None:
    """The form, the documents beside it, the attachments and the standing of the case: in one answer."""
    await path_of(shared, ground, "agreement")
    illegal = papers.body("failed", {"/status": "closed", "/session/to": "2026-09-30T13:00:00+08:00"})
    assert await told_of(shared, CALLS["failed"].format(**ground), illegal) == (
        422,
        "time_order",
        {("/session/to", "time_order"), ("/status", "illegal_transition")},
    )
    unknown = papers.body("agreement", {"/document": UNKNOWN_FILE["id"], "/terms/0/payee/party": 9, "/terms/1/no": 1})
    assert await told_of(shared, CALLS["agreement"].format(**ground), unknown) == (
        422,
        "number_repeated",
        {
            ("/terms/1/no", "number_repeated"),
            ("/terms/0/payee/party", "party_index"),
            ("/document", "attachment_unknown"),
        },
    )
    referred = papers.body(
        "wages",
        {
            "/referral": "ref_01M7Q5CQG057N683VPG2HEWAGG",
            "/attachments/-": UNKNOWN_FILE,
            "/consents/1/party": 7,
            "/amount": 1,
        },
    )
    assert await told_of(shared, "/v1/cases", referred) == (
        422,
        "money_format",
        {
            ("/amount", "money_format"),
            ("/consents/1/party", "party_index"),
            ("/attachments/0/id", "attachment_unknown"),
            ("/referral", "referral_not_accepted"),
        },
    )


@pytest.mark.asyncio(loop_scope="function")  # the site of one test has its own loop
async def test_an_active_confirmation_is_told_with_the_rest(site: Site) -> None:
    agreement = await site.agreement(await site.case())
    first = await site.confirmation(agreement)
    path = f"/v1/agreements/{agreement}/confirmations"
    late = papers.body("arbitration", {"/applicants": [0], "/applied_at": LATE})
    assert await told_of(site, path, late) == (
        422,
        "time_in_future",
        {
            ("/applied_at", "time_in_future"),
            ("/applicants", "one_side_only"),
            ("/applied_at", "deadline_passed"),
            ("", "confirmation_active"),
        },
    )
    broken = papers.body("arbitration", {"/applicants": [0], "/applied_at": "soon"})
    assert await told_of(site, path, broken) == (
        422,
        "wrong_type",
        {("/applied_at", "wrong_type"), ("/applicants", "one_side_only"), ("", "confirmation_active")},
    )
    alone = (await site.post(path, papers.raw("judicial"))).json()
    assert (alone["status"], alone["code"], alone["link"].rpartition("/")[2]) == (409, "confirmation_active", first)


@pytest.mark.asyncio(loop_scope="function")  # the house at work has its own loop
async def test_a_foreign_case_is_told_nothing_of_referrals(busy: Site) -> None:
    """Whether another organisation's referral is there, was accepted or has its case: the refusal is the same as for none."""
    foreign = "SD-QD-SN-002"
    referrals = {"none": "ref_01M7Q5CQG057N683VPG2HEWAGG"}
    for task in ("offered", "accepted", "taken"):
        word = {"event": f"offer-{task}", "at": at(1), "referral": referral(task, organization_code=foreign)}
        await busy.stage.tell(word)
        row = await busy.house.store.row("find_matter", "referral", f"{HR}|{task}")
        assert row is not None
        referrals[task] = row["id"]
        if task != "offered":
            told = await busy.post(f"/v1/referrals/{row['id']}/answer", ACCEPT, busy.stranger)
            assert told.status_code == 202, told.text
    bodies = {
        task: busy.case_body({"/organization/code": foreign, "/referral": identifier})
        for task, identifier in referrals.items()
    }
    accepted(await busy.post("/v1/cases", bodies["taken"], busy.stranger))
    problems = []
    for body in bodies.values():
        answer = await busy.post("/v1/cases", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "organization_foreign")
        problems.append({name: value for name, value in answer.json().items() if name != "instance"})
    assert problems == [problems[0]] * 4
    accepted(await busy.post("/v1/cases", bodies["accepted"], busy.stranger))  # it is there for whoever it is for


LANGUAGES = {"zh-CN": True, "en": False, "en-GB,zh;q=0.5": False, "": True, "de": True}


@pytest.mark.parametrize(("language", "chinese"), LANGUAGES.items())
async def test_the_caller_chooses_the_language(shared: Site, language: str, chinese: bool) -> None:
    response = await shared.post(
        "/v1/cases", papers.body("wages", {"/facts": ""}), headers={"Accept-Language": language}
    )
    body = response.json()
    assert bool(re.search(r"[\u4e00-\u9fff]", body["title"] + body["detail"])) == chinese


# ---------------------------------------------------------------------------------------------- what is no document


NOT_JSON: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("half", b'{"facts": "'),
    ("two values", b"{} {}"),
    ("a byte order mark", b"\xef\xbb\xbf{}"),
    ("latin-1", '{"facts":"é"}'.encode("latin-1")),
    ("utf-16", '{"facts":"x"}'.encode("utf-16")),
    ("a doubled key", b'{"facts":"a","facts":"b"}'),
    ("NaN", b'{"amount":NaN}'),
    ("Infinity", b'{"amount":-Infinity}'),
    ("a lone surrogate", b'{"facts":"\\ud800"}'),
    ("65 levels", b'{"a":' + b"[" * 64 + b"]" * 64 + b"}"),
    ("very deep", b"[" * 100_000),
    ("a comment", b"{} // x"),
]


@pytest.mark.parametrize("raw", [row[1] for row in NOT_JSON], ids=[row[0] for row in NOT_JSON])
async def test_what_is_no_json_is_400(shared: Site, raw: bytes) -> None:
    before = await shared.counts()
    response = await shared.post("/v1/cases", raw)
    assert response.status_code == 400
    body = response.json()
    assert (body["code"], body["errors"][0]["code"]) == ("json_invalid", "json_invalid")
    assert await shared.counts() == before


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"Zebra-7731"', b"7731", b"true"])
async def test_json_that_is_no_object_is_422(shared: Site, raw: bytes) -> None:
    response = await shared.post("/v1/cases", raw)
    assert response.status_code == 422
    assert [(one["pointer"], one["code"]) for one in response.json()["errors"]] == [("", "wrong_type")]
    assert MARK not in response.text


async def test_a_huge_number_of_findings_is_bounded(shared: Site) -> None:
    body = papers.body("wages")
    body["claims"] = [{"kind": MARK, "text": "x"}] * 999
    body["consents"] = [{"party": 99, "scope": MARK, "at": "x"}] * 999
    response = await shared.post("/v1/cases", body)
    assert response.status_code == 422
    assert len(response.json()["errors"]) <= 1000
    assert MARK not in response.text
    assert len(response.content) < 2_000_000


async def test_the_whole_document_is_never_in_a_refusal(shared: Site) -> None:
    """Everything personal of the sample, against the answer to a document with one mistake."""
    response = await shared.post("/v1/cases", papers.body("wages", {"/amount": 1}))
    sample = orjson.dumps(papers.body("wages")).decode()
    for value in re.findall(r'"([^"]*(?:\d{6}|[\u4e00-\u9fff]{2})[^"]*)"', sample):
        assert value not in response.text
