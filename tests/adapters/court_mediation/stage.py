"""The court's mock on the kit's stage: tasks and matters that are there before, samples of every service, its real pushes."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from adapters.court_mediation import CourtMediation as CourtAdapter
from contracts.adapter import Adapter, AttachmentInfo, ExternalReference, InboundCall, Json, NonceStore, Tools
from contracts.confirmation import ConfirmationRequest
from contracts.conformance import Fault, Sample, Script
from contracts.document import Document
from contracts.messages import MessageType
from contracts.referral import ReferralResult
from mocks.court_mediation import CourtMediation
from mocks.court_mediation.decisions import APPLICATION_STEPS, TRANSFER_STEPS
from mocks.court_mediation.notices import compact, signature
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import COURTS, NOW
from tests.adapters.mock_stage import MockStage, changed

_TO_ANSWER, _TO_FINISH, _RECALLED = (f"WP202609280001{number}" for number in (23, 24, 25))
_OPEN_APPLICATION = "cnf_01JB2Z9K7Q4NBBBBBBBBBBBBBB"
_OPEN_TRANSFER = "trf_01JB2Z9K7Q4NBBBBBBBBBBBBBB"
_UNKNOWN = "sqzz"
_FILES = {number: b"%PDF-1.7\n% " + number.encode() + b"\n%%EOF\n" for number in docs.ATTACHMENTS}
_ATTACHMENTS = {
    number: replace(info, size=len(_FILES[number]), sha256=hashlib.sha256(_FILES[number]).hexdigest())
    for number, info in docs.ATTACHMENTS.items()
}
_THIRD = {"role": "third_party", "name": "王建军", "agents": []}
_CASE = docs.wages(
    parties=[party.model_dump(mode="json", exclude_none=True) for party in docs.WAGES.parties]
    + [docs.WAGES.parties[0].model_dump(mode="json", exclude_none=True) | _THIRD]
)
"""Persons on two sides, each with sex, ethnic group and occupation."""


class _Moments:
    """Nonces of one check; moments of logins are the account's (§2: one ``yzsj`` per username only once)."""

    def __init__(self, used: set[str], nonces: NonceStore) -> None:
        self._used = used
        self._nonces = nonces

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        """See ``contracts.adapter.NonceStore``."""
        if not nonce.startswith("yzsj:"):
            return await self._nonces.first_seen(nonce, keep)
        fresh = nonce not in self._used
        self._used.add(nonce)
        return fresh


def _sample(number: int, kind: MessageType, document: Document, *texts: str, about: str = "", **known: Any) -> Sample:
    named = {"case": _CASE, "references": ()} | known
    context = docs.context(delivery=f"{docs.DELIVERY}{number:04d}", attachments=_ATTACHMENTS, **named)
    message = replace(docs.message(kind, document, about or docs.CASE_ID), id=f"msg_01JB2Z9K7Q4N{number:014d}")
    return Sample(message, context, texts)


def _application(number: int, about: str, agreement_no: str) -> Sample:
    return _sample(
        number,
        MessageType.CONFIRMATION_REQUESTED,
        docs.REQUEST_WITH_PAPERS,
        about=about,
        confirmation_id=about,
        confirmation=docs.REQUEST_WITH_PAPERS,
        agreement=docs.agreement(agreement_no=agreement_no),
    )


def _transfer(number: int, about: str) -> Sample:
    return _sample(number, MessageType.TRANSFER_REQUESTED, docs.TRANSFER, about=about)


def _of_task(number: int, kind: MessageType, document: Document, task_no: str, *texts: str) -> Sample:
    referral = docs.REFERRAL.model_copy(update={"task_no": task_no})
    return _sample(number, kind, document, *texts, referral_id=docs.REFERRAL_ID, referral=referral)


def _result() -> ReferralResult:
    """Its report is longer than the platform's field."""
    return docs.RESULT.model_copy(update={"report": "双方就工资达成协议，分期支付。" * 500})


class CourtStage(MockStage):
    """The court with three tasks, one of them accepted, an application in 补正 and a transfer, and every kind of its pushes."""

    adapter_type = CourtAdapter
    platform_type = CourtMediation
    clock = NOW
    mock_settings: ClassVar[Json] = {"rate_per_s": 0, "index_lag_s": 0.05, "court_codes": COURTS}
    dialect: ClassVar[Mapping[Fault, Json]] = {
        Fault.BUSINESS_REFUSAL: {
            "action": "business_error",
            "code": "1007",
            "text": f"申请人{docs.WAGES.parties[0].name}已有在审案件<br>请核对",
        },
        Fault.OPERATOR_PROBLEM: {"action": "business_error", "code": "403"},
    }
    endpoint = docs.ENDPOINT
    lookup_lag_s = 0.06
    told_within = timedelta(minutes=1)
    """§3: times without seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._moments: set[str] = set()
        self._open_uuid = ""

    def now(self) -> datetime:
        return self.server.clock.now().astimezone(UTC)

    def make(self, tools: Tools) -> Adapter[Any]:
        return super().make(replace(tools, nonces=_Moments(self._moments, tools.nonces)))

    def secrets(self) -> tuple[str, ...]:
        config = self.server.platform.config
        return config["password"], config["callback_key"]

    def attachments(self) -> Mapping[str, tuple[AttachmentInfo, bytes]]:
        return {number: (info, _FILES[number]) for number, info in _ATTACHMENTS.items()}

    async def set_the_scene(self) -> None:
        mock = self.server.platform
        for task_no in (_TO_ANSWER, _TO_FINISH, _RECALLED):
            order = {"rwbh": task_no, "jgdm": docs.WAGES.organization.code, "wplx": "1", "fydm": docs.COURT["code"]}
            await mock.refer(order | {"wslist": ["起诉状"]})
        await self.file(
            _application(9001, _OPEN_APPLICATION, "历下劳人调〔2026〕122号"),
            _transfer(9002, _OPEN_TRANSFER),
            _of_task(9003, MessageType.REFERRAL_ANSWERED, docs.ANSWER, _TO_FINISH),
        )
        self._open_uuid = next(record["ref"] for record in mock.records() if record.get("sqbh") == _OPEN_APPLICATION)
        told = {"sqbh": _OPEN_APPLICATION, "uuid": self._open_uuid}
        await mock.decide({"ref": _RECALLED, "decision": "recall"})
        await mock.decide({"ref": _OPEN_APPLICATION, "decision": "push", "tslx": _UNKNOWN, "content": told})
        decided = [(_OPEN_TRANSFER, decision) for decision in TRANSFER_STEPS]
        decided += [(_OPEN_APPLICATION, decision) for decision in (*APPLICATION_STEPS, "correct")]
        for ref, decision in decided:
            await mock.decide({"ref": ref, "decision": decision, "force": True})

    def booked(self) -> Iterable[str]:
        return [record["message_id"] for record in self.server.platform.records()]

    # ---- samples

    def samples(self) -> Sequence[Sample]:
        """An application first: files travel with it, and it stands alone."""
        opened: dict[str, Any] = {
            "about": _OPEN_APPLICATION,
            "confirmation_id": _OPEN_APPLICATION,
            "references": (ExternalReference("platform_no", self._open_uuid, _OPEN_APPLICATION),),
        }
        return (
            _application(1, docs.CONFIRMATION_ID, docs.AGREEMENT.agreement_no),
            _sample(2, MessageType.AGREEMENT_CONCLUDED, docs.AGREEMENT, "/facts", "/terms/0/text", "/terms/1/text"),
            _sample(3, MessageType.AGREEMENT_PERFORMED, docs.PERFORMANCE),
            _sample(4, MessageType.CONFIRMATION_SUPPLEMENTED, docs.SUPPLEMENT, "/note", **opened),
            _sample(5, MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED, docs.WITHDRAWAL, "/reason", **opened),
            _of_task(6, MessageType.REFERRAL_ANSWERED, docs.ANSWER, _TO_ANSWER),
            _of_task(7, MessageType.REFERRAL_RETURNED, _result(), _TO_FINISH, "/report"),
            _transfer(8, docs.TRANSFER_ID),
            _sample(9, MessageType.MEDIATOR_LISTED, docs.MEDIATOR),
            _sample(10, MessageType.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=docs.COLLECTIVE),
        )

    def impossible(self) -> Sequence[Sample]:
        """Another court's, one that is no court's, and one without the task that it answers."""
        foreign: ConfirmationRequest = docs.request(authority=docs.COURT | {"code": "京0105"})
        return (
            _sample(11, MessageType.CONFIRMATION_REQUESTED, foreign, about=docs.CONFIRMATION_ID),
            _sample(12, MessageType.TRANSFER_REQUESTED, docs.transfer(to="arbitration")),
            _sample(13, MessageType.REFERRAL_ANSWERED, docs.ANSWER),
        )

    # ---- pushes

    def scripts(self) -> Sequence[Script]:
        """What the mock has told, one of each kind."""
        entries = self.server.platform.journal.replay()
        pushes = [entry["payload"]["content"] for entry in entries if entry["kind"] == "push_queued"]
        return [self._script(kind, compact(push)) for kind, push in {push["tslx"]: push for push in pushes}.items()]

    def _script(self, kind: str, plain: bytes) -> Script:
        return Script(kind, plain, self._around, changed(plain, fydm="鲁01"), kind if kind == _UNKNOWN else None)

    def _around(self, plain: bytes, **changes: Any) -> InboundCall:
        """A call as §2 signs it."""
        key: bytes = changes.get("key", bytes.fromhex(self.server.platform.config["callback_key"]))
        at = self.now() + changes.get("late", timedelta())
        timestamp, nonce = f"{int(at.timestamp()):010d}", secrets.token_hex(16)
        headers = (
            ("Content-Type", "application/json; charset=UTF-8"),
            ("X-Fy-Timestamp", timestamp),
            ("X-Fy-Nonce", nonce),
            ("X-Fy-Signature", signature(key, timestamp, nonce, plain)),
        )
        return InboundCall("POST", "/notify", headers, plain, self.now())

    def forgeries(self, script: Script) -> Sequence[tuple[str, InboundCall]]:
        true = script.call()
        *head, (name, seal) = true.headers
        written_again = json.dumps(json.loads(script.plain), ensure_ascii=True).encode()
        return (
            ("no signature", replace(true, headers=tuple(head))),
            ("signed by another", self._around(script.plain, key=secrets.token_bytes(32))),
            ("signed with an empty key", self._around(script.plain, key=b"")),
            ("changed", replace(true, body=script.plain.replace(b"TS2", b"TS3"))),
            ("parsed and written again", replace(true, body=written_again)),
            ("stale", self._around(script.plain, late=timedelta(seconds=-900))),
            ("of the future", self._around(script.plain, late=timedelta(seconds=900))),
            ("in upper case", replace(true, headers=(*head, (name, seal.upper())))),
            ("two signatures", replace(true, headers=(*true.headers, (name.lower(), seal)))),
            ("without nonce", replace(true, headers=tuple(pair for pair in true.headers if pair[0] != "X-Fy-Nonce"))),
            ("another place", replace(true, path="/other")),
            ("another method", replace(true, method="GET")),
        )
