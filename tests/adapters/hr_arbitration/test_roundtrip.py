"""Reading the payload back gives what went out, up to the losses that were declared; no text is lost to truncation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hr_arbitration import HrArbitration
from adapters.hr_arbitration.translate import translate
from adapters.tables import Table, pointer_to
from contracts.adapter import LossKind
from contracts.document import Document
from contracts.messages import MessageType
from contracts.referral import Referral
from contracts.update import ReferralOffered
from tests.adapters.hr_arbitration import documents as docs
from tests.adapters.hr_arbitration import page, platform, strategies
from tests.adapters.hr_arbitration.documents import context, message
from tests.adapters.hr_arbitration.page import Rule

# Fields of the document that go over by a rule of their own, and what the service writes beside the document.
_OWN_RULES = {"/cause/table", "/cause/path", "/referral", "/agreement", "/status"}
_BESIDE = {
    "TJ1002": {"BZA008", "BZA009", "BZA014", "BZJ001", "BZQ001", "BZP001", "AAC161"},
    "TJ1003": {"BZA001", "BZA002"},
    "TJ1004": {"BZA001", "BZA002", "BZD004"},
    "TJ1005": {"BZA001", "BZA002", "BZD001"},
    "TJ1006": {"BZA001", "BZA002", "BZS001"},
    "TJ2001": {"BZA001", "BZA002", "BZC002", "BZD001"},
    "TJ2002": {"BZA001", "BZA002", "BZC002"},
    "TJ2003": {"BZA001", "BZA002", "BZC002"},
    "TJ3001": {"BZA001", "BZA002", "BZG001", "BZQ001"},
    "TJ3002": {"BZA001", "BZA002"},
    "TJ4001": set[str](),
    "TJ5001": {"BZJ001", "BZA002"},
    "TJ5002": {"BZJ001", "BZA002", "BZD001"},
}

SERVICES: list[tuple[MessageType, str, dict[str, Rule], st.SearchStrategy[Document]]] = [
    (MessageType.CASE_REVISED, docs.CASE_ID, page.CASE, strategies.CASES),
    (MessageType.CASE_PROGRESSED, docs.CASE_ID, page.PROGRESS, strategies.PROGRESSES),
    (MessageType.AGREEMENT_CONCLUDED, docs.AGREEMENT_ID, page.AGREEMENT, strategies.AGREEMENTS),
    (MessageType.AGREEMENT_PERFORMED, docs.AGREEMENT_ID, page.PERFORMANCE, strategies.PERFORMANCES),
    (MessageType.STATUS_REPORTED, docs.CONFIRMATION_ID, page.REPORT, strategies.REPORTS),
    (MessageType.CONFIRMATION_REQUESTED, docs.CONFIRMATION_ID, page.REQUEST, strategies.REQUESTS),
    (MessageType.CONFIRMATION_SUPPLEMENTED, docs.CONFIRMATION_ID, page.SUPPLEMENT, strategies.SUPPLEMENTS),
    (MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED, docs.CONFIRMATION_ID, page.WITHDRAWAL, strategies.WITHDRAWALS),
    (MessageType.TRANSFER_REQUESTED, docs.TRANSFER_ID, page.TRANSFER, strategies.TRANSFERS),
    (MessageType.CASE_ALERTED, docs.CASE_ID, page.ALERT, strategies.ALERTS),
    (MessageType.MEDIATOR_LISTED, "LDTJ-1", page.MEDIATOR, strategies.MEDIATOR_ROWS),
    (MessageType.REFERRAL_ANSWERED, docs.REFERRAL_ID, page.ANSWER, strategies.ANSWERS),
    (MessageType.REFERRAL_RETURNED, docs.REFERRAL_ID, page.RESULT, strategies.RESULTS),
]


@pytest.mark.parametrize(("kind", "about", "rules", "documents"), SERVICES, ids=[one[0] for one in SERVICES])
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_goes_out_comes_back(
    kind: MessageType, about: str, rules: dict[str, Rule], documents: st.SearchStrategy[Document], data: st.DataObject
) -> None:
    document = data.draw(documents)
    wire = translate(message(kind, document, about), context(referral=docs.REFERRAL, attachments={}))
    losses = {loss.pointer: loss for loss in wire.losses}
    tree = json.loads(document.to_json())
    places = set()
    for pointer, value in _leaves(tree):
        dropped = [at for at, loss in losses.items() if loss.kind is LossKind.DROPPED and _covers(at, pointer)]
        found = page.rule_of(_rules_for(tree, pointer, rules), pointer)
        if found is None:
            # The page has no place: then that is said, once. Or a rule of its own carries it.
            assert len(dropped) == (0 if _own(pointer) else 1), pointer
            continue
        assert dropped == [], pointer
        places.add(found[0])
        _assert_same(wire.operation, wire.payload, pointer, value, found, losses.get(pointer))
    _assert_nothing_else(wire.operation, wire.payload, places)
    assert all(loss.note.isascii() or "族" not in loss.note for loss in wire.losses)


def _assert_same(service: str, payload: Any, pointer: str, value: Any, rule: Rule, loss: Any) -> None:
    place, kind = rule
    sent = page.value_at(payload, place)
    if isinstance(kind, Table):
        plain = value.removesuffix("族") if kind.name.startswith("ethnic") else value
        back = kind.value(sent)
        if loss is None:
            assert back == plain, pointer
        else:
            assert loss.kind in (LossKind.CODED, LossKind.MAPPED)
            assert back != plain, pointer
            assert sent == (kind.other if loss.kind is LossKind.CODED else kind.rows[plain])
        return
    if kind == "T":
        lost = datetime.fromisoformat(value) - page.d14(sent)
        assert timedelta(0) <= lost < timedelta(seconds=1), pointer
        assert (loss is not None) == (lost > timedelta(0)), pointer
        return
    assert loss is None, pointer
    match kind:
        case "S":
            code = place.rsplit("/", 1)[-1]
            limit = page.NOTE_LIMITS[service] if code == "AAE013" else page.LIMITS[code]
            assert page.joined(payload, place, limit) == value
        case "F":
            assert sent == ("1" if value else "0")
        case "D":
            assert f"{sent[:4]}-{sent[4:6]}-{sent[6:]}" == value
        case "A":
            assert sent == {"attachment": value}
        case "N":
            assert sent == value
            assert sent[-3] == "."
        case _:
            assert sent == str(value)


def _assert_nothing_else(service: str, payload: Any, places: set[str]) -> None:
    """Every value on the wire is a string from the document, or one that the service writes beside it."""
    codes = {part for place in places for part in place.replace("+", "/").split("/") if not part.isdigit()}
    for pointer, value in _leaves(payload):
        assert isinstance(value, str)
        assert value
        if "/BZX000/" in pointer or pointer.endswith("/attachment"):
            continue
        code = [part for part in pointer.split("/") if part and not part.isdigit()][-1]
        # TJ2001 also sends papers that stand elsewhere.
        assert code in codes | _BESIDE[service] or (service == "TJ2001" and "/BZF000/" in pointer), pointer


def _rules_for(tree: dict[str, Any], pointer: str, rules: dict[str, Rule]) -> Mapping[str, Rule]:
    parts = pointer.split("/")
    if parts[1] != "parties":
        return rules
    person = tree["parties"][int(parts[2])]["kind"] == "person"
    return rules | (page.PERSON if person else page.UNIT)


def _own(pointer: str) -> bool:
    return any(_covers(own, pointer) for own in _OWN_RULES)


def _covers(above: str, pointer: str) -> bool:
    return pointer == above or pointer.startswith(above + "/")


def _leaves(tree: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, below in tree.items():
            yield from _leaves(below, pointer + pointer_to(key))
    elif isinstance(tree, list):
        for number, below in enumerate(tree):
            yield from _leaves(below, pointer + pointer_to(number))
    else:
        yield pointer, tree


ADAPTER = HrArbitration("hr", platform.settings(), platform.tools())


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=strategies.CASES)
def test_a_case_that_comes_back_as_a_referral_says_the_same(case: Document) -> None:
    """ZC5001 has the fields of TJ1001: what we write as a case, we read as a draft."""
    wire = translate(message(MessageType.CASE_SUBMITTED, case), context(attachments={}))
    body = {key: value for key, value in wire.payload.items() if key not in ("BZA004", "BZA006", "BZA007", "BZM000")}
    body["BZF000"] = []
    body |= {"BZJ001": "WT1", "BZJ003": "20261005170000", "AAE036": "20261001090000"}
    (offered,) = ADAPTER.parse_callback(platform.callback("ZC5001", body))
    assert isinstance(offered, ReferralOffered)
    assert isinstance(offered.referral, Referral)
    draft, sent = (json.loads(one.to_json()) for one in (offered.referral.case, case))
    lossy = [loss.pointer for loss in wire.losses]
    left_out = ("/source_case_no", "/organization/type", "/channel", "/application_form", "/mediators", "/attachments")
    there = dict(_leaves(draft))
    for pointer, value in _leaves(sent):
        if any(_covers(at, pointer) for at in [*lossy, *left_out, "/referral"]):
            continue
        back = there[pointer]
        if pointer.endswith(("_at", "/at")):
            assert datetime.fromisoformat(back) == datetime.fromisoformat(value)
        elif pointer.endswith("/ethnic_group") and value != "其他":
            assert back == value.removesuffix("族") + "族"
        else:
            assert back == value, pointer
