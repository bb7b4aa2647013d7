"""Every callback of page §5 in canonical words: golden files, unknown codes, missing numbers, drafts of referrals."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hr_arbitration import HrArbitration, callbacks
from contracts.adapter import InboundCall
from contracts.document import Document
from contracts.errors import UnreadableCallback
from contracts.status import CaseStatus, ConfirmationStatus, ReferenceKind, ReferralStatus, TransferStatus
from contracts.titled import Titled
from contracts.update import About, Inbound, Key, KeyKind, ReferralOffered, StatusUpdate
from tests.adapters.hr_arbitration import documents as docs
from tests.adapters.hr_arbitration import platform
from tests.adapters.hr_arbitration.platform import (
    OLD_SM4_KEY,
    SM4_KEY,
    call_of,
    callback,
    callback_head,
    sealed,
    signed,
)

ADAPTER = HrArbitration("hr", platform.settings(previous=True), platform.tools())
GOLDEN = sorted(path.stem for path in docs.GOLDEN.glob("ZC*.json"))


def _plain(value: Any) -> Any:
    """An update as JSON, what is empty left out."""
    if isinstance(value, Document):
        return json.loads(value.to_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {name: below for name, below in fields.items() if below not in (None, [], "")} | (
            {"status": value.status} if isinstance(value, StatusUpdate) else {}
        )
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime | date) else value


def _parse(service: str, body: dict[str, Any], **changes: Any) -> Inbound:
    (found,) = ADAPTER.parse_callback(callback(service, body, **changes))
    return found


def _update(service: str, body: dict[str, Any], **changes: Any) -> StatusUpdate:
    found = _parse(service, body, **changes)
    assert isinstance(found, StatusUpdate)
    return found


def _offered(body: dict[str, Any]) -> ReferralOffered:
    found = _parse("ZC5001", body)
    assert isinstance(found, ReferralOffered)
    return found


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    golden = json.loads((docs.GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    service = name.split(" ", 1)[0]
    assert _plain(_parse(service, golden["plaintext"])) == golden["inbound"]


def test_every_callback_has_a_golden_file() -> None:
    assert {name.split(" ", 1)[0] for name in GOLDEN} == callbacks.SERVICES.keys()


def test_keys_in_lower_case_say_the_same() -> None:
    golden = json.loads((docs.GOLDEN / "ZC2004 confirmed.json").read_text(encoding="utf-8"))
    lower = {key.lower(): value for key, value in golden["plaintext"].items()}
    assert _plain(_parse("ZC2004", lower)) == golden["inbound"]


def test_a_stored_call_is_read_under_the_previous_key_too() -> None:
    body = {"AAE036": "20261001090000", "BZR001": "1"}
    assert _parse("ZC2001", body, key=OLD_SM4_KEY) == _parse("ZC2001", body)


def test_our_own_number_comes_first() -> None:
    update = _update("ZC2001", {"BZC002": "cnf_1", "BZR001": "90071992547409931234", "AAE036": "20261001090000"})
    assert update.keys == (
        Key(KeyKind.CONFIRMATION, "cnf_1"),
        Key(KeyKind.REFERENCE, "90071992547409931234", "platform_no"),
    )


@pytest.mark.parametrize("service", ["ZC1001", "ZC2001", "ZC2002", "ZC2003", "ZC2004", "ZC3001"])
def test_a_matter_known_by_its_reference_alone(service: str) -> None:
    update = _update(service, {"BZR001": "90071992547409931234", "BZS001": "05", "AAE036": "20261001090000"})
    assert update.keys == (Key(KeyKind.REFERENCE, "90071992547409931234", "platform_no"),)


@pytest.mark.parametrize("service", [*callbacks.SERVICES])
def test_a_matter_that_nobody_named_is_for_a_person(service: str) -> None:
    with pytest.raises(UnreadableCallback):
        _parse(service, {"BZS001": "05", "AAE036": "20261001090000"})


@pytest.mark.parametrize(("service", "field"), [("ZC1001", "BZS001"), ("ZC2004", "BZC010"), ("ZC3001", "BZG005")])
@pytest.mark.parametrize("raw", ["77", "", "0", "０１", "确认"])
def test_an_unknown_code_stays_unknown_with_its_raw_value(service: str, field: str, raw: str) -> None:
    update = _update(service, {"BZR001": "1", field: raw, "AAE013": "说明", "AAE036": "20261001090000"})
    if service == "ZC1001" and not raw:
        assert (update.status, update.note) == ("", "说明")
    else:
        assert (update.status, update.raw_status) == ("unknown", raw or service)


def test_an_unknown_reason_is_kept_raw() -> None:
    update = _update("ZC2002", {"BZR001": "1", "BZC006": "8", "AAE013": "材料不足", "AAE036": "20261001090000"})
    assert update.reason_code is None
    assert [(reason.code, reason.text) for reason in update.reasons] == [("8", "材料不足")]


def test_a_case_word_without_status_and_note_says_nothing() -> None:
    with pytest.raises(UnreadableCallback) as refused:
        _parse("ZC1001", {"BZR001": "1", "AAE036": "20261001090000"})
    assert refused.value.code == "no_status"


def test_a_fact_without_its_time_is_taken_when_it_came() -> None:
    assert _update("ZC2001", {"BZR001": "1"}).at == platform.NOW
    assert _update("ZC2001", {"BZR001": "1", "AAE036": "20261301000000"}).at == platform.NOW
    assert _update("ZC2001", {"BZR001": "1", "AAE036": "00261001000000"}).at == platform.NOW


def test_an_unreadable_date_is_absent() -> None:
    update = _update("ZC2003", {"BZR001": "1", "BZC007": ["a", "", {"x": "y"}], "BZC008": "20261332"})
    assert update.due_at is None
    assert [reason.text for reason in update.reasons] == ["a"]


def test_statuses_are_words_of_the_lists() -> None:
    lists: dict[About, type[Titled]] = {
        About.CASE: CaseStatus,
        About.CONFIRMATION: ConfirmationStatus,
        About.TRANSFER: TransferStatus,
        About.REFERRAL: ReferralStatus,
    }
    for name in GOLDEN:
        inbound = json.loads((docs.GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["inbound"]
        if inbound.get("status"):
            assert inbound["status"] in set(lists[About(inbound["about"])])
            assert {one["kind"] for one in inbound.get("references", [])} <= set(ReferenceKind)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (call_of(b"<html>"), "not_json"),
        (call_of(signed(callback_head("ZC2001"), sealed(bytes(16), b"{}", b"an iv of 16 byte"))), "wrong_padding"),
        (callback("ZC9999", {"BZR001": "1"}), "unknown_service"),
        (
            callback(
                "ZC2002", {"BZR001": "1", "AAE013": "x", "BZX000": [{"BZX001": "AAE013", "BZX002": "3", "BZX003": "y"}]}
            ),
            "long_text_with_gaps",
        ),
    ],
)
def test_what_nobody_can_read(call: InboundCall, code: str) -> None:
    with pytest.raises(UnreadableCallback) as refused:
        ADAPTER.parse_callback(call)
    assert refused.value.code == code


@settings(max_examples=60)
@given(
    service=st.sampled_from([*callbacks.SERVICES]),
    body=st.dictionaries(
        st.sampled_from(["AAE036", "BZR001", "BZS001", "BZC007", "BZC008", "BZX000", "BZP000", "BZA010", "BZJ001"]),
        st.recursive(
            st.text(max_size=6) | st.integers() | st.none(),
            lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=6), below, max_size=3),
            max_leaves=6,
        ),
    ),
)
def test_no_plaintext_breaks_the_reader(service: str, body: dict[str, Any]) -> None:
    try:
        found = ADAPTER.parse_callback(call_of(signed(callback_head(service), sealed(SM4_KEY, platform.plain(body)))))
    except UnreadableCallback:
        return
    assert len(found) == 1


# ----------------------------------------------------------------------------------------------------------- referrals

_TASK: dict[str, Any] = {
    "BZJ001": "WT370102202600017",
    "BZJ002": "历劳人仲委〔2026〕17号",
    "BZJ003": "20261005170000",
    "BZA002": "SD-JN-LX-001",
    "BZA010": "拖欠工资",
    "AAE036": "20261001090000",
}
_OF_PAY = "劳动报酬、工伤医疗费、经济补偿或者赔偿金"
_PERSON = {"BZP001": "0", "BZP002": "1", "BZP003": "1", "AAC003": "王建国"}


def test_what_a_referral_needs() -> None:
    offered = _offered(_TASK)
    assert offered.referral.case.facts == "拖欠工资"
    assert offered.referral.due_at == datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
    for missing in ("BZJ001", "BZJ003", "BZA002", "BZA010"):
        with pytest.raises(UnreadableCallback) as refused:
            _offered({key: value for key, value in _TASK.items() if key != missing})
        assert refused.value.code == "referral_incomplete"


@pytest.mark.parametrize(
    "party",
    [
        _PERSON | {"BZP002": "9"},
        _PERSON | {"BZP003": "9"},
        _PERSON | {"AAC003": ""},
        _PERSON | {"AAC003": "王" * 101},
        {"BZP001": "0"},
    ],
)
def test_a_party_is_never_left_out_of_a_draft(party: dict[str, str]) -> None:
    with pytest.raises(UnreadableCallback):
        _offered(_TASK | {"BZP000": [_PERSON, party]})


def test_what_is_unsound_is_absent_from_the_draft() -> None:
    person = _PERSON | {
        "AAC058": "77",
        "AAC147": " ",
        "AAC004": "7",
        "AAC006": "19901332",
        "AAC005": "77",
        "AAE005": "",
        "BZP004": "\x01",
        "BZP007": "2",
        "BZP100": [
            {"BZP101": "1"},
            {"AAC003": "\x01", "BZP101": "1"},
            {"AAC003": "赵敏", "BZP101": "8", "AAC147": "x" * 200},
        ],
    }
    draft = _offered(
        _TASK
        | {
            "BZA009": "1999:劳动争议",
            "BZA013": "-1.00",
            "BZA020": "soon",
            "BZQ000": [
                {"BZQ002": "77", "BZQ003": "工资", "BZQ004": "1.234"},
                {"BZQ004": "1e5"},
                {"BZQ003": "加班费", "BZQ004": "9" * 40},
                {"BZQ003": "补偿", "BZQ004": "1e30"},
            ],
            "BZP000": [person],
            "BZN000": [{"BZN001": "0", "BZN002": "everything", "BZN003": "20261001090000"}],
            "BZA014": "1",
            "BZA015": "0",
            "BZA016": ["\x01", "刘秀英", "", "\x02", "张国庆"],
        }
    ).referral.case
    kept = json.loads(draft.to_json())
    assert kept == {
        "organization": {"code": "SD-JN-LX-001"},
        "channel": "referral",
        "facts": "拖欠工资",
        "claims": [{"text": "工资"}, {"amount": "100000.00"}, {"text": "加班费"}, {"text": "补偿"}],
        "parties": [
            {"role": "applicant", "kind": "person", "name": "王建国", "agents": [{"name": "赵敏"}]},
        ],
        "collective": {"representatives": ["刘秀英", "张国庆"]},
        "mediators": [],
        "attachments": [],
        "consents": [],
    }


@pytest.mark.parametrize(
    ("written", "code", "expected"),
    [
        (f"arbitration:{_OF_PAY}/劳动报酬", "9900", ("arbitration", [_OF_PAY, "劳动报酬"])),
        ("arbitration:劳动争议/经济补偿", "0503", ("arbitration", [_OF_PAY, "经济补偿"])),
        ("2025:劳动争议/工资", "0501", ("arbitration", [_OF_PAY, "劳动报酬"])),
        ("", "0501", ("arbitration", [_OF_PAY, "劳动报酬"])),
        ("arbitration:劳动争议/竞业限制", "0206", None),
        ("arbitration:劳动争议/其他", "9900", None),
        ("arbitration:劳动争议/其他", "", None),
    ],
)
def test_a_cause_that_no_table_has_gives_way_to_its_code(
    written: str, code: str, expected: tuple[str, list[str]] | None
) -> None:
    """Only a cause of a table can be posted with the case (``contract.md`` §1)."""
    cause = _offered(_TASK | {"BZA008": code, "BZA009": written}).referral.case.cause
    assert (None if cause is None else (str(cause.table), list(cause.path))) == expected


def test_long_facts_of_a_referral_are_joined() -> None:
    facts = "甲" * 2000 + "乙" * 2000 + "丙"
    rows = [
        {"BZX001": "BZA010", "BZX002": "3", "BZX003": "丙"},
        {"BZX001": "BZA010", "BZX002": "2", "BZX003": "乙" * 2000},
    ]
    assert _offered(_TASK | {"BZA010": "甲" * 2000, "BZX000": rows}).referral.case.facts == facts


def test_files_of_a_referral_are_named_by_their_numbers() -> None:
    referral = _offered(
        _TASK | {"BZA001": "历劳人仲案〔2026〕88号", "BZF000": [{"BZF001": "F1", "BZF005": "01"}]}
    ).referral
    assert [(one.kind, one.value) for one in referral.external_refs] == [
        (ReferenceKind.CASE_NO, "历劳人仲案〔2026〕88号"),
        (ReferenceKind.FILE_NO, "F1"),
    ]
    assert referral.case.source_case_no is None
