"""Every operation as stored bytes: payload with its loss report, and the XML of the request.

``GOLDEN=write`` in the environment writes the files anew; what they then hold is to be read, not believed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.one_stop.translate import BINDING, translate
from adapters.one_stop.wire import build
from contracts.adapter import Wire
from contracts.lists import EndReason, ReferralDecision, ReferralOutcome, TransferTo
from contracts.messages import MessageType as M
from contracts.report import ReportAbout

from . import documents as d
from .platform import NOW

GOLDEN = Path(__file__).parent / "golden"


def _referred_case() -> Wire:
    case = d.changed(d.case(), referral="ref_01JB2Z9K7Q4N")
    return translate(d.message(M.CASE_SUBMITTED, case), d.context(case, referral=d.referral()))


def _answered(**values: object) -> Wire:
    context = d.context(referral=d.referral(), referral_id="ref_01JB2Z9K7Q4N")
    return translate(d.message(M.REFERRAL_ANSWERED, d.answer(**values), "ref_01JB2Z9K7Q4N"), context)


def _returned(**values: object) -> Wire:
    context = d.context(d.case(), referral=d.referral(), referral_id="ref_01JB2Z9K7Q4N", agreement=d.agreement())
    return translate(d.message(M.REFERRAL_RETURNED, d.result(**values), "ref_01JB2Z9K7Q4N"), context)


def _long_case() -> Wire:
    case = d.case()
    person, employer = case.parties
    address = person.address.model_copy(update={"detail": "历下区" + "𠮷" * 120})
    case = d.changed(
        case,
        facts="申请人陈述：" + "𠮷吉" * 900 + "\r\n\t完。",
        parties=(person.model_copy(update={"address": address, "ethnic_group": "未识别民族"}), employer),
    )
    return translate(d.message(M.CASE_SUBMITTED, case), d.context(case))


WIRES: dict[str, Callable[[], Wire]] = {
    "case submitted": lambda: translate(d.message(M.CASE_SUBMITTED, d.case()), d.context(d.case())),
    "case submitted, collective": lambda: translate(
        d.message(M.CASE_SUBMITTED, d.collective()), d.context(d.collective())
    ),
    "case submitted, from an assignment": _referred_case,
    "case submitted, with continuation pages": _long_case,
    "case revised": lambda: translate(d.message(M.CASE_REVISED, d.case()), d.context(d.case(), registered_version=1)),
    "case progressed": lambda: translate(d.message(M.CASE_PROGRESSED, d.progress()), d.context(d.case())),
    "case alerted": lambda: translate(d.message(M.CASE_ALERTED, d.alert()), d.context(d.collective())),
    "agreement concluded": lambda: translate(
        d.message(M.AGREEMENT_CONCLUDED, d.agreement(), "agr_01JB2Z9K7Q4N"), d.context(d.case())
    ),
    "agreement performed": lambda: translate(
        d.message(M.AGREEMENT_PERFORMED, d.performance()), d.context(d.case(), agreement=d.agreement())
    ),
    "mediator listed": lambda: translate(
        d.message(M.MEDIATOR_LISTED, d.mediator()), d.context(organization=d.organization())
    ),
    "referral accepted": _answered,
    "referral declined": lambda: _answered(answer=ReferralDecision.DECLINE, reason="不属于本组织受理范围"),
    "referral returned": _returned,
    "referral returned, failed": lambda: _returned(
        outcome=ReferralOutcome.FAILED, reason_code=EndReason.LARGE_DIVERGENCE, agreement=None
    ),
    **{
        f"transfer requested, to {to.value}": lambda to=to: translate(  # type: ignore[misc]  # bound at once
            d.message(M.TRANSFER_REQUESTED, d.changed(d.transfer(), to=to), "trf_01JB2Z9K7Q4N"), d.context(d.case())
        )
        for to in TransferTo
    },
    "status reported, case": lambda: _reported(
        about=ReportAbout.CASE, status="failed", reason_code="large_divergence", source_platform="hr_arbitration"
    ),
    "status reported, confirmation": lambda: _reported(),
    "status reported, transfer": lambda: _reported(
        about=ReportAbout.TRANSFER, status="filed", reason_code="not_performed", source_platform="union"
    ),
    "status reported, fulfilment": lambda: _reported(
        about=ReportAbout.FULFILMENT,
        status="breached",
        term_no=1,
        agreement_no="历下劳人调〔2026〕123号",
        source_platform="commerce_federation",
    ),
}


def _reported(**values: object) -> Wire:
    return translate(d.message(M.STATUS_REPORTED, d.report(**values)), d.context(d.case()))


def _readable(wire: Wire) -> str:
    held = {
        "operation": wire.operation,
        "payload": wire.payload,
        "losses": [
            {"kind": loss.kind.value, "pointer": loss.pointer, "place": loss.place, "note": loss.note}
            for loss in wire.losses
        ],
    }
    return json.dumps(held, ensure_ascii=False, indent=1) + "\n"


def _check(path: Path, found: bytes) -> None:
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(found)
    assert path.read_bytes() == found


@pytest.mark.parametrize("name", WIRES)
def test_payload_and_losses(name: str) -> None:
    _check(GOLDEN / f"{name}.json", _readable(WIRES[name]()).encode())


@pytest.mark.parametrize("name", WIRES)
def test_request_bytes(name: str) -> None:
    wire = WIRES[name]()
    payload = {key: value for key, value in wire.payload.items() if key != BINDING}
    _check(GOLDEN / f"{name}.xml", build(wire.operation, payload, NOW) + b"\n")


def test_every_type_has_its_golden_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(WIRES)
