"""Every service as stored bytes: payload with its loss report, and the form of the request.

``GOLDEN=write`` in the environment writes the files anew; what they then hold is to be read, not believed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.union.translate import CAPABILITIES, translate
from contracts.adapter import Wire
from contracts.document import Document
from contracts.messages import MessageType as M

from . import documents as d
from .platform import Platform, adapter


def _referral_case() -> Wire:
    case = d.wages(referral=d.REFERRAL_ID)
    return translate(
        d.message(M.CASE_SUBMITTED, case), d.context(case=case, referral=d.referral(), referral_id=d.REFERRAL_ID)
    )


def _hostile_case() -> Wire:
    """Long texts, numbers where none are due, rare characters, sub-seconds, and every kind of party."""
    person, employer = d.fields_of("POST cases - wages")["parties"]
    case = d.wages(
        received_at="2026-09-16T09:30:00.5+08:00",
        facts="身份证370102199003071238，卡号6222 0200 0000 0000 000，" + "𠮷田㐂" * 200,
        claims=[{"kind": "other", "text": "请求\t支付" + "甲" * 200}],
        amount="0.05",
        parties=[
            person | {"sex": "unknown", "id_type": "other", "id_number": "A1234", "occupation": "工号12345678901234"},
            person | {"role": "respondent", "agents": [], "occupation": None, "name": "店主"},
            employer
            | {
                "role": "third_party",
                "kind": "other_organization",
                "contact": {"name": "周芳", "phone": "0531-86000001-8001"},
                "agents": [{"kind": "employee", "name": "钱一", "authority": "special"}],
            },
        ],
        mediators=[],
        accepted_at=None,
    )
    return translate(d.message(M.CASE_SUBMITTED, case), d.context(case=case))


WIRES: dict[str, Callable[[], Wire]] = {
    "case.notice wages": lambda: translate(d.message(M.CASE_SUBMITTED, d.WAGES), d.context()),
    "case.notice collective": lambda: translate(
        d.message(M.CASE_SUBMITTED, d.COLLECTIVE), d.context(case=d.COLLECTIVE)
    ),
    "case.notice handed over": _referral_case,
    "case.notice hostile": _hostile_case,
    "case.change wages": lambda: translate(d.message(M.CASE_REVISED, d.WAGES), d.context(registered_version=1)),
    "progress failed": lambda: translate(d.message(M.CASE_PROGRESSED, d.PROGRESS), d.context()),
    "progress performed": lambda: translate(
        d.message(M.AGREEMENT_PERFORMED, d.PERFORMANCE, d.AGREEMENT_ID), d.context()
    ),
    "agreement.notice wages": lambda: translate(
        d.message(M.AGREEMENT_CONCLUDED, d.AGREEMENT, d.AGREEMENT_ID), d.context()
    ),
    "alert collective": lambda: translate(d.message(M.CASE_ALERTED, d.ALERT), d.context(case=d.COLLECTIVE)),
    "support wages": lambda: translate(d.message(M.TRANSFER_REQUESTED, d.TRANSFER, d.TRANSFER_ID), d.context()),
    "referral.answer accepted": lambda: _referred(M.REFERRAL_ANSWERED, d.ACCEPTED),
    "referral.answer declined": lambda: _referred(M.REFERRAL_ANSWERED, d.DECLINED),
    "referral.result partly agreed": lambda: _referred(M.REFERRAL_RETURNED, d.RESULT),
    "referral.result failed": lambda: _referred(M.REFERRAL_RETURNED, d.FAILED),
}


def _referred(kind: M, document: Document) -> Wire:
    context = d.context(referral=d.referral(), referral_id=d.REFERRAL_ID)
    return translate(d.message(kind, document, d.REFERRAL_ID), context)


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
    _check(d.GOLDEN / f"{name}.json", _readable(WIRES[name]()).encode())


@pytest.mark.parametrize("name", WIRES)
async def test_request_bytes(name: str) -> None:
    platform = Platform()
    await adapter().send(WIRES[name](), platform)
    _check(d.GOLDEN / f"{name}.form", platform.steps[0].request.body + b"\n")


def test_every_wire_has_its_golden_files_and_every_service_its_wire() -> None:
    assert {path.stem for path in d.GOLDEN.iterdir()} == {Path(f"{name}.json").stem for name in WIRES}
    assert {wire().operation for wire in WIRES.values()} == {capability.operation for capability in CAPABILITIES}
