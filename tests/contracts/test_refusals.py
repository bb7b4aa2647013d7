"""Every way to break a document has its pointer and code, a text in both languages, and quotes nothing of the input."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest

from contracts.document import Document
from contracts.findings import Finding, Language
from contracts.intake import DocumentRefused, read

DROP: Final = object()
"""The member is taken out."""

Body = dict[str, Any]
Change = tuple[str, Any]
"""A JSON pointer and what is put there."""


def put(body: Any, pointer: str, value: Any) -> None:
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in way:
        body = body[int(step)] if isinstance(body, list) else body[step]
    if value is DROP:
        del body[last]
    elif isinstance(body, list):
        body[int(last)] = value
    else:
        body[last] = value


def refusal(kind: type[Document], body: Any, now: datetime) -> tuple[Finding, ...]:
    with pytest.raises(DocumentRefused) as refused:
        read(kind, json.dumps(body, ensure_ascii=False).encode(), now=now)
    return refused.value.findings


PERSON: Final = "/parties/0"
UNIT: Final = "/parties/1"

ONE_BROKEN: Final[list[tuple[str, str, Any, str | None, str]]] = [
    # sample, where, what, pointer of the finding, code
    # --- presence and names
    ("wages", "/schema_version", DROP, "/schema_version", "missing"),
    ("wages", "/source_case_no", DROP, "/source_case_no", "missing"),
    ("wages", "/organization/region_code", DROP, "/organization/region_code", "missing"),
    ("wages", f"{PERSON}/kind", DROP, f"{PERSON}/kind", "missing"),
    ("wages", f"{PERSON}/phone", DROP, f"{PERSON}/phone", "missing"),
    ("wages", f"{UNIT}/credit_code", DROP, f"{UNIT}/credit_code", "missing"),
    ("wages", f"{PERSON}/agents/0/authority", DROP, f"{PERSON}/agents/0/authority", "missing"),
    ("wages", "/parties", DROP, "/parties", "missing"),
    ("failed", "/session/from", DROP, "/session/from", "missing"),
    ("failed", "/reason_code", DROP, "/reason_code", "missing"),
    ("agreement", "/document", DROP, "/document", "missing"),
    ("transfer", "/authority/kind", DROP, "/authority/kind", "missing"),
    ("wages", "/nickname", "Zebra-7731", "/nickname", "unknown_field"),
    ("wages", "/a~0b~1c", "Zebra-7731", "/a~0b~1c", "unknown_field"),
    ("wages", f"{PERSON}/credit_code", "Zebra-7731", f"{PERSON}/credit_code", "unknown_field"),
    ("wages", f"{PERSON}/person", "Zebra-7731", f"{PERSON}/person", "unknown_field"),
    ("wages", f"{UNIT}/id_number", "Zebra-7731", f"{UNIT}/id_number", "unknown_field"),
    ("failed", "/session/from_", "2026-09-30T14:00:00+08:00", "/session/from_", "unknown_field"),
    ("agreement", "/effective_at", "2026-09-30T14:00:00+08:00", "/effective_at", "unknown_field"),
    ("wages", "/" + "n" * 101, "Zebra-7731", "", "unknown_field"),
    ("wages", f"{PERSON}/王建国", "Zebra-7731", PERSON, "unknown_field"),
    ("wages", f"{PERSON}/370102199001011234", "Zebra-7731", PERSON, "unknown_field"),
    ("wages", f"{PERSON}/tel13800138000", "Zebra-7731", PERSON, "unknown_field"),
    # --- types and lists
    ("wages", "/schema_version", "2.0", "/schema_version", "not_in_list"),
    ("wages", "/schema_version", 1.0, "/schema_version", "wrong_type"),
    ("wages", "/channel", "carrier-pigeon", "/channel", "not_in_list"),
    ("wages", "/channel", 3, "/channel", "wrong_type"),
    ("wages", "/channel", None, "/channel", "wrong_type"),
    ("wages", f"{PERSON}/kind", "robot-4471", f"{PERSON}/kind", "not_in_list"),
    ("wages", f"{PERSON}/kind", 1, f"{PERSON}/kind", "wrong_type"),
    ("wages", f"{PERSON}/role", "plaintiff", f"{PERSON}/role", "not_in_list"),
    ("wages", "/claims/0/kind", "pension-9", "/claims/0/kind", "not_in_list"),
    ("failed", "/status", "unknown", "/status", "not_in_list"),
    ("failed", "/reason_code", "weather-12", "/reason_code", "not_in_list"),
    ("performed", "/status", "performing", "/status", "not_in_list"),
    ("wages", "/facts", 12345678, "/facts", "wrong_type"),
    ("wages", "/facts", ["Zebra-7731"], "/facts", "wrong_type"),
    ("wages", "/parties", {"0": "Zebra-7731"}, "/parties", "wrong_type"),
    ("wages", PERSON, "Zebra-7731", PERSON, "wrong_type"),
    ("wages", "/organization", "Zebra-7731", "/organization", "wrong_type"),
    ("wages", f"{PERSON}/service_address/electronic_consent", "yes-7731", None, "wrong_type"),
    ("alert", "/worker_count", "twenty-three", "/worker_count", "wrong_type"),
    ("alert", "/worker_count", 23.0, "/worker_count", "wrong_type"),
    ("alert", "/worker_count", 0, "/worker_count", "wrong_type"),
    ("alert", "/worker_count", 10**9, "/worker_count", "wrong_type"),
    ("agreement", "/copies", True, "/copies", "wrong_type"),
    # --- texts
    ("wages", "/facts", "", "/facts", "empty"),
    ("wages", "/facts", " \n\t\u3000", "/facts", "empty"),
    ("wages", "/claims", [], "/claims", "empty"),
    ("wages", "/cause/path", [], "/cause/path", "empty"),
    ("wages", "/facts", "Zebra\u0000-7731", "/facts", "control_character"),
    ("wages", "/facts", "Zebra\u009f-7731", "/facts", "control_character"),
    ("wages", f"{PERSON}/name", "Zebra\u001b[31m", f"{PERSON}/name", "control_character"),
    ("wages", "/source_case_no", "Z" * 41, "/source_case_no", "too_long"),
    ("wages", "/organization/code", "Z" * 33, "/organization/code", "too_long"),
    ("wages", "/organization/name", "斑" * 101, "/organization/name", "too_long"),
    ("wages", "/mediators/0/certificate_no", "Z" * 41, "/mediators/0/certificate_no", "too_long"),
    ("wages", f"{PERSON}/occupation", "Z" * 501, f"{PERSON}/occupation", "too_long"),
    ("wages", "/facts", "斑" * 20_001, "/facts", "too_long"),
    ("agreement", "/agreement_no", "Z" * 51, "/agreement_no", "too_long"),
    # --- ids
    ("agreement", "/document", "cnf_REPLACE_WITH_UPLOADED", "/document", "id_shape"),
    ("agreement", "/document", "att_../../etc/passwd", "/document", "id_shape"),
    ("agreement", "/document", "att_" + "Z" * 40, "/document", "id_shape"),
    ("wages", "/referral", "REF_01JB2Z9K7Q4N", "/referral", "id_shape"),
    # --- times
    ("wages", "/received_at", "2026-09-16T09:30:00", "/received_at", "naive_time"),
    ("wages", "/received_at", "2026-09-16 09:30", "/received_at", "naive_time"),
    ("wages", "/received_at", "2026-09-16", "/received_at", "naive_time"),
    ("wages", "/received_at", "2026-09-16 09:30:00+08:00", "/received_at", "wrong_type"),
    ("wages", "/received_at", "2026-13-45T09:30:00+08:00", "/received_at", "wrong_type"),
    ("wages", "/received_at", "1790000000", "/received_at", "wrong_type"),
    ("wages", "/received_at", 1790000000, "/received_at", "wrong_type"),
    ("wages", "/accepted_at", "2026-11-23T12:01:01+08:00", "/accepted_at", "time_in_future"),
    ("wages", "/consents/0/at", "2027-01-01T00:00:00+08:00", "/consents/0/at", "time_in_future"),
    ("failed", "/at", "2027-01-01T00:00:00Z", "/at", "time_in_future"),
    ("agreement", "/organization_seal/sealed_at", "2027-01-01T00:00:00Z", None, "time_in_future"),
    ("judicial", "/applied_at", "2027-01-01T00:00:00Z", "/applied_at", "time_in_future"),
    ("wages", f"{PERSON}/birth_date", "2026-11-24", f"{PERSON}/birth_date", "time_in_future"),
    ("wages", f"{PERSON}/birth_date", "1990-02-30", f"{PERSON}/birth_date", "wrong_type"),
    ("wages", f"{PERSON}/birth_date", "1990-03-07T00:00:00+08:00", f"{PERSON}/birth_date", "wrong_type"),
    ("agreement", "/terms/0/due_date", "31.10.2026", "/terms/0/due_date", "wrong_type"),
    ("wages", "/accepted_at", "2026-09-16T09:29:59+08:00", "/accepted_at", "time_order"),
    ("failed", "/session/to", "2026-09-30T13:59:59+08:00", "/session/to", "time_order"),
    # --- money
    ("wages", "/amount", 18600, "/amount", "money_format"),
    ("wages", "/amount", 18600.5, "/amount", "money_format"),
    ("wages", "/amount", "18600.555", "/amount", "money_format"),
    ("wages", "/amount", "-18600.00", "/amount", "money_format"),
    ("wages", "/amount", "18,600.00", "/amount", "money_format"),
    ("wages", "/amount", "１８６００", "/amount", "money_format"),
    ("wages", "/amount", "1.86e4", "/amount", "money_format"),
    ("wages", "/amount", "18600.00\n", "/amount", "money_format"),
    ("wages", "/amount", None, "/amount", "money_format"),
    ("wages", "/claims/0/amount", "￥18600", "/claims/0/amount", "money_format"),
    # --- persons, units, regions
    ("wages", f"{PERSON}/id_number", "370102199003071237", f"{PERSON}/id_number", "resident_id_checksum"),
    ("wages", f"{PERSON}/id_number", "37010219900307123", f"{PERSON}/id_number", "resident_id_checksum"),
    ("wages", f"{PERSON}/id_number", "370102199002301230", f"{PERSON}/id_number", "resident_id_date"),
    ("wages", f"{PERSON}/id_number", "370102202611241215", f"{PERSON}/id_number", "resident_id_date"),
    ("wages", f"{PERSON}/agents/0/id_number", "370213198511200025", None, "resident_id_checksum"),
    ("wages", f"{PERSON}/id_type", "hk_macao_permit", f"{PERSON}/id_number", "id_format"),
    ("wages", f"{PERSON}/id_type", "taiwan_permit", f"{PERSON}/id_number", "id_format"),
    ("wages", f"{PERSON}/id_type", "foreign_permanent_resident_card", f"{PERSON}/id_number", "id_format"),
    ("wages", f"{PERSON}/id_type", "hk_macao_taiwan_residence_permit", f"{PERSON}/id_number", "id_format"),
    ("wages", f"{UNIT}/credit_code", "91370102MA0DEM013X", f"{UNIT}/credit_code", "credit_code_checksum"),
    ("wages", f"{UNIT}/credit_code", "91370102ma0dem013r", f"{UNIT}/credit_code", "credit_code_checksum"),
    ("wages", "/organization/credit_code", "Zebra-7731", "/organization/credit_code", "credit_code_checksum"),
    ("wages", "/organization/region_code", "3701", "/organization/region_code", "region_format"),
    ("wages", f"{PERSON}/address/region_code", "３７０１０２", f"{PERSON}/address/region_code", "region_format"),
    ("wages", f"{PERSON}/phone", "1385310000", f"{PERSON}/phone", "phone_format"),
    ("wages", f"{UNIT}/contact/phone", "86000001", f"{UNIT}/contact/phone", "phone_format"),
    ("alert", "/contact/phone", "+0 532 1", "/contact/phone", "phone_format"),
    # --- cause and parties
    ("wages", "/cause/path/2", "追索劳动报酬", "/cause/path", "cause_unknown"),
    ("wages", "/cause/table", "arbitration", "/cause/path", "cause_unknown"),
    ("wages", "/cause/table", "2011", "/cause/table", "not_in_list"),
    ("wages", f"{UNIT}/role", "applicant", "/parties", "side_missing"),
    ("wages", f"{PERSON}/role", "third_party", "/parties", "side_missing"),
    ("wages", "/consents/1/party", 2, "/consents/1/party", "party_index"),
    ("wages", "/consents/1/party", -1, "/consents/1/party", "party_index"),
    ("wages", "/consents/1/party", 10**30, "/consents/1/party", "party_index"),
    ("wages", "/consents/1/party", "1", "/consents/1/party", "wrong_type"),
]


@pytest.mark.parametrize(
    ("name", "where", "what", "pointer", "code"),
    ONE_BROKEN,
    ids=[f"{row[4]}-{row[0]}{row[1]}"[:60] for row in ONE_BROKEN],
)
def test_one_broken_thing_is_one_finding(
    name: str,
    where: str,
    what: Any,
    pointer: str | None,
    code: str,
    sample: Callable[[str], Body],
    kind_of: Callable[[str], type[Document]],
    now: datetime,
) -> None:
    body = sample(name)
    put(body, where, what)
    findings = [finding for finding in refusal(kind_of(name), body, now) if finding.is_error]
    assert [(finding.pointer, finding.code) for finding in findings] == [(where if pointer is None else pointer, code)]
    for finding in findings:
        assert_readable(finding)
        assert_no_echo(finding, what)


def assert_readable(finding: Finding) -> None:
    chinese, english = finding.message(Language.ZH), finding.message(Language.EN)
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert re.search(r"[a-z]{3}", english)
    assert "{" not in chinese + english


def assert_no_echo(finding: Finding, what: Any) -> None:
    """A value of four or more characters that the closed lists do not hold must not stand in the texts."""
    shown = finding.message(Language.ZH) + finding.message(Language.EN)
    for text in [what] if isinstance(what, str) else [str(what)] if isinstance(what, int | float) else []:
        if len(text) >= 4 and text not in ("2026-09-16",):
            assert text not in shown


def test_all_findings_come_at_once(sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime) -> None:
    body = sample("wages")
    changes: list[Change] = [
        ("/facts", ""),
        ("/amount", 1),
        ("/received_at", "2026-09-16T09:30:00"),
        ("/accepted_at", "2027-09-16T09:30:00Z"),
        ("/parties/0/id_number", "370102199003071237"),
        ("/parties/0/sex", "none"),
        ("/parties/0/extra", 1),
        ("/parties/1/credit_code", "x"),
        ("/consents/1/party", 7),
        ("/consents/0/scope", "all"),
        ("/cause/path", ["劳动争议", "其他"]),
        ("/organization/region_code", "371202"),
    ]
    for where, what in changes:
        put(body, where, what)
    found = {(finding.pointer, str(finding.code)) for finding in refusal(kind_of("wages"), body, now)}
    assert found == {
        ("/facts", "empty"),
        ("/amount", "money_format"),
        ("/received_at", "naive_time"),
        ("/accepted_at", "time_in_future"),
        ("/parties/0/id_number", "resident_id_checksum"),
        ("/parties/0/sex", "not_in_list"),
        ("/parties/0/extra", "unknown_field"),
        ("/parties/1/credit_code", "credit_code_checksum"),
        ("/consents/1/party", "party_index"),
        ("/consents/0/scope", "not_in_list"),
        ("/cause/path", "cause_unknown"),
        ("/organization/region_code", "region_abolished"),
    }


def test_a_rule_runs_although_other_parties_are_broken(
    sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime
) -> None:
    body = sample("wages")
    body["parties"] = [{**body["parties"][0], "phone": "none"} for _ in range(10)]
    found = {(finding.pointer, str(finding.code)) for finding in refusal(kind_of("wages"), body, now)}
    assert {("/parties", "side_missing"), ("/collective", "collective_required")} <= found


def test_a_rule_waits_for_its_fields(
    sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime
) -> None:
    body = sample("wages")
    del body["parties"][1]["role"]
    body["consents"] = "none"
    assert {(finding.pointer, str(finding.code)) for finding in refusal(kind_of("wages"), body, now)} == {
        ("/parties/1/role", "missing"),
        ("/consents", "wrong_type"),
    }


@pytest.mark.parametrize("body", [[], None, "Zebra-7731", 7731, True])
def test_a_body_that_is_no_object(body: Any, kind_of: Callable[[str], Any], now: datetime) -> None:
    assert [(finding.pointer, str(finding.code)) for finding in refusal(kind_of("wages"), body, now)] == [
        ("", "wrong_type")
    ]


def test_lists_hold_a_thousand(sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime) -> None:
    body = sample("wages")
    body["claims"] = body["claims"] * 1000
    read(kind_of("wages"), json.dumps(body).encode(), now=now)
    body["claims"] = [*body["claims"], {"kind": 1}]
    body["facts"] = ""
    assert {(finding.pointer, str(finding.code)) for finding in refusal(kind_of("wages"), body, now)} == {
        ("/claims", "too_long"),
        ("/facts", "empty"),
    }


def test_optional_fields_may_be_null(
    sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime
) -> None:
    body = sample("wages")
    body["accepted_at"] = body["collective"] = body["parties"][0]["occupation"] = None
    assert read(kind_of("wages"), json.dumps(body).encode(), now=now).document.accepted_at is None


def test_sixty_seconds_are_tolerated(
    sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime
) -> None:
    body = sample("wages")
    body["accepted_at"] = "2026-11-23T12:01:00+08:00"
    assert read(kind_of("wages"), json.dumps(body).encode(), now=now).warnings == ()


def test_due_dates_may_lie_ahead(sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime) -> None:
    body = sample("agreement")
    body["terms"][0]["due_date"] = "2031-01-31"
    body["terms"][0]["installments"] = [{"amount": "1", "due_date": "2032-01-31"}]
    assert read(kind_of("agreement"), json.dumps(body).encode(), now=now).warnings == ()


def test_a_refusal_says_codes_alone(
    sample: Callable[[str], Body], kind_of: Callable[[str], Any], now: datetime
) -> None:
    body = sample("wages")
    body["Zebra-7731"] = body["amount"] = "Zebra-7732"
    with pytest.raises(DocumentRefused) as refused:
        read(kind_of("wages"), json.dumps(body).encode(), now=now)
    assert str(refused.value) == "document refused: money_format, unknown_field"
    assert refused.value.__context__ is None
    assert refused.value.__cause__ is None
