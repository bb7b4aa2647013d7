"""Tasks that the court hands over, as referrals: drafts, what no field can hold, recalls."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.adapter import Json
from contracts.errors import UnreadableCallback
from contracts.lists import CauseTable
from contracts.referral import Referral
from contracts.status import ReferralStatus
from contracts.update import (
    About,
    Key,
    KeyKind,
    Reference,
    ReferralOffered,
)
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import call_of, push, push_body
from tests.adapters.court_mediation.pushes import read, task, update


def _referral(content: Json, **changes: Any) -> Referral:
    found = read(push("rwxd", content, **changes))
    assert isinstance(found, ReferralOffered)
    assert found.event_id == "TS20261012000001"
    # What is kept must be readable again.
    assert Referral.model_validate_json(found.referral.model_dump_json(exclude_none=True)) == found.referral
    return found.referral


def test_a_task_is_a_referral() -> None:
    found = _referral(task())
    assert (found.kind, found.endpoint, found.task_no) == ("court_delegated", "court", "WP20260928000123")
    assert found.authority is not None
    assert (found.authority.kind, found.authority.code, found.authority.name) == (
        "court",
        "鲁0102",
        "济南市历下区人民法院",
    )
    assert found.organization_code == "SD-JN-LX-001"
    assert found.due_at == datetime(2026, 10, 15, 9, 0, tzinfo=UTC)
    assert found.mediation_due_at == datetime(2026, 11, 11, 15, 59, 59, tzinfo=UTC)
    assert [(number.kind, number.value) for number in found.external_refs] == [
        ("case_no", "（2026）鲁0102诉前调12号"),
        ("document_no", "WS20261012001"),
    ]


def test_the_draft_holds_what_was_sent() -> None:
    draft = _referral(task()).case
    assert draft.source_case_no == "370102-LX001-2026-00123"
    assert draft.channel == "referral"
    assert draft.facts == "拖欠三个月工资"
    assert draft.cause is not None
    assert draft.cause.table is CauseTable.COURT_2025
    assert draft.cause.path == docs.WAGES.cause.path
    assert draft.amount == Decimal("18600.00")
    assert draft.received_at == docs.WAGES.received_at
    assert [(claim.kind, claim.text, claim.amount) for claim in draft.claims] == [
        ("labor_remuneration", "支付2026年6月至8月工资18600元", Decimal("18600.00"))
    ]
    person, unit = draft.parties
    sent_person, sent_unit = (party.model_dump(mode="json", exclude_none=True) for party in docs.WAGES.parties)
    lost_person, lost_unit = {"occupation"}, {"unit_type", "industry", "size"}
    assert person.model_dump(mode="json", exclude_none=True) == _without(sent_person, lost_person)
    assert unit.model_dump(mode="json", exclude_none=True) == _without(sent_unit, lost_unit)


def _without(tree: Json, keys: set[str]) -> Json:
    return {key: value for key, value in tree.items() if key not in keys}


def test_an_entrusted_task_without_documents_calls_its_court_by_its_code() -> None:
    found = _referral(task(wplx="2", wslist=None, ah=None, tjqx=None))
    assert found.kind == "court_entrusted"
    assert found.authority is not None
    assert found.authority.name == "鲁0102"
    assert found.mediation_due_at is None
    assert found.external_refs == ()


def test_a_task_of_a_collective() -> None:
    draft = _referral(task(sjrs="23", dbr=["刘秀英", "", "李春梅"])).case
    assert draft.collective is not None
    assert draft.collective.worker_count == 23
    assert draft.collective.representatives == ("刘秀英", "李春梅")
    assert _referral(task(sjrs="0")).case.collective is None


@pytest.mark.parametrize(
    "changes",
    [
        {"rwbh": None},
        {"jgdm": None},
        {"qrqx": None},
        {"qrqx": "tomorrow"},
        {"wplx": None},
        {"wplx": "3"},
        {"dispute": None},
        {"dispute": " \n"},
        {"jgdm": "x" * 33},
    ],
)
def test_a_task_that_nobody_could_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableCallback) as unreadable:
        read(push("rwxd", task(**changes)))
    assert unreadable.value.code == "referral_incomplete"


def test_what_no_field_can_hold_is_absent() -> None:
    rows = [
        {"applicantType": "0", "applicantName": "甲", "applicantSex": "9", "applicantBirthday": "19901301"},
        {"applicantType": "0", "applicantName": ""},
        {"applicantType": "7", "applicantName": "乙"},
        {"applicantType": "2", "applicantName": "丙社", "credentialsType": "x", "applicantStaticPhone": "0531-1"},
        "noise",
    ]
    content = task(
        applicantPartyList=rows,
        causeCode="2025-999-9",
        money="many",
        mediationCaseNo="长" * 60,
        startTimeStr="x",
        claims=[{"lx": "??", "nr": "", "je": "18600.0"}],
    )
    draft = _referral(content).case
    assert (draft.cause, draft.amount, draft.source_case_no, draft.received_at) == (None, None, None, None)
    assert (draft.claims[0].kind, draft.claims[0].text, draft.claims[0].amount) == (None, None, Decimal("18600.00"))
    first, second = (party for party in draft.parties if party.role == "applicant")
    assert (first.name, first.sex, first.birth_date, first.id_type) == ("甲", None, None, None)
    assert (second.kind, second.name) == ("other_organization", "丙社")
    assert second.contact is not None
    assert second.contact.phone == "0531-1"


def test_agents_and_service_addresses_as_far_as_they_go() -> None:
    row = {
        "applicantType": "0",
        "applicantName": "甲",
        "applicantSddz": "济南市历下区",
        "agentList": [{"dllx": "1"}, {"xm": "乙", "dllx": "9", "dlqx": "2"}],
    }
    party = _referral(task(applicantPartyList=[row])).case.parties[0]
    assert party.service_address is not None
    assert (party.service_address.region_code, party.service_address.detail) == (None, "济南市历下区")
    assert [(agent.name, agent.kind, agent.authority) for agent in party.agents] == [("乙", None, "special")]


def test_a_court_that_does_not_say_which_it_is() -> None:
    body = json.loads(push_body("rwxd", task()))
    for court in ("", " ", "鲁\x00", "鲁" * 101):
        assert _referral(task(), fydm=court).authority is None
    del body["fydm"]
    found = read(call_of(json.dumps(body).encode()))
    assert isinstance(found, ReferralOffered)
    assert found.referral.authority is None


def test_long_facts_and_control_characters() -> None:
    draft = _referral(task(dispute="\x00事" + "长" * 30_000)).case
    assert draft.facts == "事" + "长" * 19_998


def test_documents_of_persons_that_only_callbacks_bring() -> None:
    row = {
        "applicantType": "0",
        "applicantName": "甲",
        "credentialsType": "09_00015-2",
        "credentialsName": "军官证",
        "applicantIDCardNo": "军字第1号",
    }
    party = _referral(task(applicantPartyList=[row])).case.parties[0]
    assert (party.id_type, party.id_number) == ("other", "军字第1号")


def test_a_recalled_task() -> None:
    found = update("rwcx", {"rwbh": "WP20260928000123", "yy": "当事人撤诉"})
    assert found.about is About.REFERRAL
    assert found.status in set(ReferralStatus)
    assert found.status == "recalled"
    assert found.keys == (Key(KeyKind.REFERENCE, "WP20260928000123", "task_no"),)
    assert found.references == (Reference("task_no", "WP20260928000123"),)
    assert found.note == "理由：当事人撤诉"
