"""The kit's stage for this platform: its mock, a sample of every message type, its callbacks and their forgeries."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from adapters.hr_arbitration import HrArbitration
from contracts import gm, gm_backends
from contracts.adapter import AttachmentInfo, InboundCall, Json, Wire
from contracts.agreement import Agreement
from contracts.case import Case
from contracts.conformance import Fault, Sample, Script
from contracts.document import Document
from contracts.messages import MessageType as M
from contracts.referral import ReferralAnswer
from mocks.hr_arbitration import HrArbitration as Mock
from tests.adapters.hr_arbitration import documents as docs
from tests.adapters.hr_arbitration import platform
from tests.adapters.mock_stage import MockStage, changed

_TAIL = "AAAAAAAAAAAAAAAAAAAAAA"
_REVIEWED = f"cnf_9001{_TAIL}"
"""A review of the scene that waits for a supplement."""
_OFFERED, _ACCEPTED = "WT370102202600017", "WT370102202600018"
_ORGANIZATION = docs.REFERRAL.organization_code

_NUMBER = docs.MEDIATOR.id_number
"""The applicant's, too: the platform quotes it where it refuses (§3, ``BZR006``)."""

_FILES = {
    number: (replace(info, size=len(data), sha256=hashlib.sha256(data).hexdigest()), data)
    for number, info in docs.ATTACHMENTS.items()
    for data in (b"%PDF-1.7\n% " + number.encode() + b"\n%%EOF\n",)
}
_OF_NEW_CASE = docs.sample(
    Case,
    "POST cases - wages",
    source_case_no="370102-LX001-2026-00124",
    # Over the 2000 characters of BZA010, beyond the basic plane, and with what JSON escapes.
    facts='申请人𠮷田自2024年3月起任厨师，"口头"约定月工资6200元\\次。\n' * 90,
)
_SECOND_AGREEMENT = docs.sample(Agreement, "POST cases {id} agreements - wages", agreement_no="历下劳人调〔2026〕124号")


def _sample(number: int, kind: M, document: Document, *texts: str, about: str = docs.CASE_ID, **context: Any) -> Sample:
    sent = replace(docs.message(kind, document, about), id=f"msg_{number:04d}{_TAIL}")
    given = docs.context(
        delivery=f"dlv_{number:04d}{_TAIL}",
        attachments={number: info for number, (info, _) in _FILES.items()},
        **({"case": document} if isinstance(document, Case) else {}) | context,
    )
    return Sample(sent, given, texts)


def _task(task_no: str) -> dict[str, Any]:
    referral = docs.REFERRAL.model_copy(update={"task_no": task_no})
    return {"about": docs.REFERRAL_ID, "referral_id": docs.REFERRAL_ID, "referral": referral}


_OF_AGREEMENT = {"about": docs.AGREEMENT_ID}
_OF_REVIEW = {"about": _REVIEWED, "confirmation_id": _REVIEWED}
SCENE = (
    _sample(9001, M.CASE_SUBMITTED, docs.WAGES, registered_version=None),
    _sample(9002, M.AGREEMENT_CONCLUDED, docs.AGREEMENT, **_OF_AGREEMENT),
    _sample(9003, M.AGREEMENT_CONCLUDED, _SECOND_AGREEMENT, **_OF_AGREEMENT),
    _sample(
        9004,
        M.CONFIRMATION_REQUESTED,
        docs.REQUEST,
        **_OF_REVIEW,
        case=docs.CASE_WITH_PAPERS,
        agreement=_SECOND_AGREEMENT,
    ),
)
"""What the samples follow from."""
ACCEPTANCE = _sample(
    9005,
    M.REFERRAL_ANSWERED,
    docs.made(ReferralAnswer, answer="accept", at="2026-09-30T17:00:00+08:00"),
    **_task(_ACCEPTED),
)
SAMPLES = (
    _sample(1, M.CASE_SUBMITTED, _OF_NEW_CASE, "/facts", "/claims/0/text", registered_version=None),
    _sample(2, M.CASE_REVISED, docs.CASE_WITH_PAPERS, "/facts"),
    _sample(3, M.CASE_PROGRESSED, docs.PROGRESS, "/note", "/session/place"),
    _sample(4, M.CASE_ALERTED, docs.ALERT, "/situation", "/measures"),
    _sample(5, M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "/facts", "/terms/0/text", "/terms/1/text", **_OF_AGREEMENT),
    _sample(6, M.AGREEMENT_PERFORMED, docs.PERFORMANCE, **_OF_AGREEMENT),
    _sample(
        7,
        M.CONFIRMATION_REQUESTED,
        docs.REQUEST,
        about=docs.CONFIRMATION_ID,
        case=docs.CASE_WITH_PAPERS,
    ),
    _sample(8, M.CONFIRMATION_SUPPLEMENTED, docs.SUPPLEMENT, "/note", **_OF_REVIEW),
    _sample(9, M.CONFIRMATION_WITHDRAWAL_REQUESTED, docs.WITHDRAWAL, "/reason", **_OF_REVIEW),
    _sample(10, M.TRANSFER_REQUESTED, docs.TRANSFER, "/claims/0/text", about=docs.TRANSFER_ID),
    _sample(11, M.REFERRAL_ANSWERED, docs.ANSWER, "/reason", **_task(_OFFERED)),
    _sample(12, M.REFERRAL_RETURNED, docs.RESULT, "/report", **_task(_ACCEPTED)),
    _sample(13, M.MEDIATOR_LISTED, docs.MEDIATOR),
    _sample(14, M.STATUS_REPORTED, docs.REPORT, "/note", about=docs.CONFIRMATION_ID),
)
_TOO_MANY = {"worker_count": 10, "representatives": ["刘" * 51], "major": False}
IMPOSSIBLE = (
    _sample(21, M.CASE_SUBMITTED, docs.sample(Case, "POST cases - wages", amount="100000000000000.00")),
    _sample(22, M.CASE_SUBMITTED, docs.sample(Case, "POST cases - wages", collective=_TOO_MANY)),
    _sample(23, M.STATUS_REPORTED, docs.REPORT.model_copy(update={"document_no": "（2026）鲁" * 10})),
    _sample(24, M.STATISTICS_REPORTED, docs.WAGES),
)


class HrArbitrationStage(MockStage):
    """The exchange with a case, two agreements, a review that waits for a supplement, and two tasks, one of them accepted."""

    adapter_type = HrArbitration
    platform_type = Mock
    endpoint = docs.REFERRAL.endpoint
    clock = platform.NOW
    mock_settings: ClassVar[Json] = {
        "rate_per_s": 1000,
        "at_once": 100,
        "gateway_private_key": platform.GATEWAY_PRIVATE,
        "gateway_public_key": platform.GATEWAY_PUBLIC,
        "platform_private_key": platform.PLATFORM_PRIVATE,
        "platform_public_key": platform.PLATFORM_PUBLIC,
        "sm4_key": platform.SM4_KEY.hex(),
        "sm4_key_envelope": platform.envelope_of(platform.SM4_KEY),
    }
    dialect: ClassVar[Mapping[Fault, Json]] = {
        Fault.BUSINESS_REFUSAL: {"action": "business_error", "code": "4002", "text": f"{_NUMBER}与姓名不符"},
        Fault.OPERATOR_PROBLEM: {"action": "expire_session"},
    }

    async def set_the_scene(self) -> None:
        mock = self.server.platform
        await self.file(*SCENE)
        await mock.decide({"ref": _REVIEWED, "decision": "correct"})
        for task_no in (_OFFERED, _ACCEPTED):
            await mock.refer({"organization_code": _ORGANIZATION, "task_no": task_no, "due": "20261005170000"})
        await self.file(ACCEPTANCE)

    def booked(self) -> Iterable[str]:
        return [record["message_id"] for record in self.server.platform.records() if record["kind"].startswith("TJ")]

    def now(self) -> datetime:
        return self.server.clock.now().astimezone(UTC)

    def secrets(self) -> tuple[str, ...]:
        config = self.server.platform.config
        return config["gateway_private_key"], config["sm4_key_envelope"]

    def samples(self) -> Sequence[Sample]:
        return SAMPLES

    def impossible(self) -> Sequence[Sample]:
        return IMPOSSIBLE

    def attachments(self) -> Mapping[str, tuple[AttachmentInfo, bytes]]:
        return _FILES

    def written(self, wire: Wire) -> str:
        """§4: what is over a field's limit follows in the rows of ``BZX000`` of the same object."""
        return "".join(_texts(wire.payload))

    # ---- callbacks
    def _around(self, service: str, serial: str, plain: bytes, **how: Any) -> InboundCall:
        """The envelope of the page around a plaintext; ``how`` spoils it."""
        head = platform.callback_head(service, serial, timestamp=self._stamp())
        key = how.pop("sm4_key", platform.SM4_KEY)
        return platform.call_of(platform.signed(head | how.pop("head", {}), platform.sealed(key, plain), **how))

    def _stamp(self, ago: timedelta = timedelta(0)) -> str:
        return (self.now() - ago + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")

    def _script(self, number: int, name: str, service: str, plain: Json, unknown: str | None = None) -> Script:
        content = platform.plain(plain)
        around = partial(self._around, service, f"EV20260930{number:010d}")
        return Script(name, content, around, changed(content, AAE013="另一说明"), unknown)

    def scripts(self) -> Sequence[Script]:
        told = [(path.stem, json.loads(path.read_text("utf-8"))["plaintext"]) for path in _GOLDEN]
        known = [self._script(number, name, name[:6], plain) for number, (name, plain) in enumerate(told)]
        return [*known, *(self._script(number, *script) for number, script in enumerate(_UNKNOWN, len(told)))]

    def forgeries(self, script: Script) -> Sequence[tuple[str, InboundCall]]:
        """§7 ``forge_callback``, and what else the page's order of checks (§2) refuses."""
        true = script.call()
        envelope = json.loads(true.body)
        head, body = envelope["head"], envelope["body"]
        signed = {name: value for name, value in head.items() if name != "sign"}
        other = signed["serviceid"], signed["serialno"]

        def sent(found: Json, content: str = body) -> InboundCall:
            return replace(true, body=platform.plain({"head": found, "body": content}))

        def about(**fields: Any) -> InboundCall:
            return self._around(*other, script.plain, **fields)

        raw = base64.b64decode(head["sign"])
        return (
            ("unsigned", sent(signed)),
            ("signed by another", about(key=_GATEWAY)),
            ("signed by ourselves", about(key=_GATEWAY, signer_id=platform.GATEWAY_ID)),
            ("signed under another ID", about(signer_id=platform.GATEWAY_ID)),
            ("another body", sent(head, platform.sealed(platform.SM4_KEY, script.plain))),
            ("another head", sent(head | {"serialno": f"{head['serialno']}0"})),
            ("DER", sent(head | {"sign": base64.b64encode(gm_backends.der_from_raw(raw)).decode()})),
            ("63 bytes", sent(head | {"sign": base64.b64encode(raw[:63]).decode()})),
            ("without padding", sent(head | {"sign": head["sign"].rstrip("=")})),
            ("stale", about(head={"timestamp": self._stamp(timedelta(seconds=310))})),
            ("of the future", about(head={"timestamp": self._stamp(timedelta(seconds=-310))})),
            ("another key of SM4", about(sm4_key=platform.OLD_SM4_KEY)),
            ("for another", about(head={"appid": "SDTJ37000002"})),
            ("of no service", about(head={"serviceid": "ZC9999"})),
            ("a field more", about(head={"extra": "1"})),
            ("another place", replace(true, path="/other")),
            ("another method", replace(true, method="GET")),
        )


_GOLDEN = sorted(docs.GOLDEN.glob("ZC*.json"))
_GATEWAY = gm.Sm2Private.from_hex(platform.GATEWAY_PRIVATE, gm.Sm2Public.from_hex(platform.GATEWAY_PUBLIC))
_KNOWN_BY = {"BZR001": "90071992547409931234", "AAE036": "20261001090000"}
_UNKNOWN = (
    ("ZC1001 unknown", "ZC1001", {**_KNOWN_BY, "BZS001": "77"}, "77"),
    ("ZC2004 unknown", "ZC2004", {**_KNOWN_BY, "BZC010": "9"}, "9"),
    ("ZC3001 unknown", "ZC3001", {**_KNOWN_BY, "BZG005": "立案"}, "立案"),
)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        rest = value.get("BZX000", [])
        for code, inner in value.items():
            if code != "BZX000":
                yield from _texts(inner)
                yield from (row["BZX003"] for row in rest if row["BZX001"] == code)
