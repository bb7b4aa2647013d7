"""The national platform's mock on the kit's stage: a case and two referrals, samples of every service, lists to poll."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from adapters.national_mediation import NationalMediation
from contracts.adapter import AttachmentInfo, Json
from contracts.conformance import Fault, Sample
from contracts.document import Document
from contracts.messages import MessageType as M
from contracts.referral import Referral
from mocks.national_mediation import NationalMediation as Mock
from tests.adapters.mock_stage import MockStage

from . import documents as d

_CLOCK = datetime(2026, 10, 8, 2, 0, tzinfo=UTC)
"""In the days in which the third quarter's figures are taken."""
_SECRET = "synthetic-secret-0123456789"  # of a mock
_PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
_FILED = d.wages(channel="mini_program")
_NEW = d.wages(source_case_no="370102-LX001-2026-00124", facts="申请人自2024年3月起在被申请人处任厨师。" * 20)
_AGREED = d.agreement()
_ANSWERED, _TO_ANSWER = (f"ref_01JB2Z9K7Q4NAAAAAAAAAAAAA{letter}" for letter in "AB")


def _sample(number: int, kind: M, document: Document, *texts: str, about: str = d.CASE_ID, **known: Any) -> Sample:
    message = replace(d.message(kind, document, about), id=f"msg_01JB2Z9K7Q4N{number:04d}")
    plain = {"references": (), "registered_version": None, "case": _FILED, "agreement": _AGREED}
    context = d.context(delivery=f"dlv_01JB2Z9K7Q4N{number:04d}", **(plain | known))
    return Sample(message, context, texts)


class NationalStage(MockStage):
    """The platform with a case of ours, its agreement, and two cases that it handed over, one of them accepted."""

    adapter_type = NationalMediation
    platform_type = Mock
    clock = _CLOCK
    # Two changes on a page: a poll goes on.
    mock_settings: ClassVar[Json] = {
        "quota_per_minute": 100_000,
        "poll_min_s": 0,
        "page_limit": 2,
        "client_secret": _SECRET,
        "organizations": ["SD-JN-LX-001"],
    }
    dialect: ClassVar[Mapping[Fault, Json]] = {
        Fault.BUSINESS_REFUSAL: {
            "action": "business_error",
            "code": "CASE_CLOSED",
            "text": f"{_FILED.parties[0].name}的案件已经办结",
        },
        Fault.OPERATOR_PROBLEM: {"action": "business_error", "code": "SCOPE_MISSING"},
    }

    def __init__(self) -> None:
        super().__init__()
        self._offers: list[tuple[str, str]] = []
        self._not_polled = (
            1  # the scene's case that nobody has answered: one accepted or recalled is not offered any more
        )

    def settings(self) -> Json:
        return super().settings() | {"poll_min_s": 5, "page_size": 2}

    async def set_the_scene(self) -> None:
        for _ in range(2):
            self._offers.append(await self._offer())
        await self.file(
            _sample(9001, M.CASE_SUBMITTED, _FILED),
            _sample(9002, M.AGREEMENT_CONCLUDED, _AGREED, about=d.AGREEMENT_ID),
            self._of_referral(9003, M.REFERRAL_ANSWERED, d.answer(at="2026-10-08T09:30:00+08:00"), 0),
        )

    async def _offer(self) -> tuple[str, str]:
        """A case that the platform hands over; its id and its number."""
        offered = await self.server.platform.refer({"orgCode": "SD-JN-LX-001"})
        return str(offered["referralId"]), str(offered["referralNo"])

    def _referral(self, number: int) -> Referral:
        identifier, task_no = self._offers[number]
        return d.referral(task_no=task_no, external_refs=[{"kind": "referral_id", "value": identifier}])

    def _of_referral(self, number: int, kind: M, document: Document, offer: int, *texts: str) -> Sample:
        about = (_ANSWERED, _TO_ANSWER)[offer]
        known = {"referral": self._referral(offer), "referral_id": about, "case": None}
        return _sample(number, kind, document, *texts, about=about, **known)

    def booked(self) -> Iterable[str]:
        """A file has no effect (§3), and a case that is handed over is the platform's own."""
        return [str(record["message_id"]) for record in self.server.platform.records() if record.get("message_id")]

    def now(self) -> datetime:
        return self.server.clock.now().astimezone(UTC)

    def secrets(self) -> tuple[str, ...]:
        return (_SECRET,)

    def attachments(self) -> Mapping[str, tuple[AttachmentInfo, bytes]]:
        return {d.PAPER: (d.file_of(_PDF), _PDF)}

    def _agreement_id(self) -> str:
        found = [record["ref"] for record in self.server.platform.records() if record["kind"] == "agreement.submit"]
        return str(found[0])

    def samples(self) -> Sequence[Sample]:
        """A case first, which stands alone; the others follow from the scene's."""
        told = (d.reference("agreement_id", self._agreement_id(), d.AGREEMENT_ID),)
        failed = d.result(outcome="failed", reason_code="large_divergence", agreement=None, report="分歧较大。" * 30)
        word = d.report(note="裁定书已送达。")
        return (
            _sample(1, M.CASE_SUBMITTED, _NEW, "/facts", "/claims/0/text", case=_NEW),
            _sample(2, M.CASE_REVISED, d.wages(facts="申请人补充：9月工资亦未支付。"), "/facts", registered_version=1),
            _sample(3, M.CASE_PROGRESSED, d.progress(), "/note", "/session/place"),
            _sample(4, M.AGREEMENT_CONCLUDED, d.agreement(agreement_no="第2号"), "/facts", "/terms/0/text"),
            _sample(5, M.AGREEMENT_PERFORMED, d.performance(at="2026-10-07T10:00:00+08:00"), references=told),
            self._of_referral(6, M.REFERRAL_ANSWERED, d.answer(at="2026-10-08T09:40:00+08:00"), 1),
            self._of_referral(7, M.REFERRAL_RETURNED, failed, 0, "/report"),
            _sample(8, M.STATISTICS_REPORTED, d.statistics(version=1), about=d.REPORT_ID),
            _sample(9, M.STATUS_REPORTED, word, "/note", confirmation=d.judicial()),
        )

    def impossible(self) -> Sequence[Sample]:
        """A document without row, an answer to nobody, a month's figures."""
        person, unit = d.fields_of("POST cases - wages")["parties"]
        strange = d.wages(parties=[person | {"id_type": "other", "id_number": "X1"}, unit])
        month = d.statistics(period={"from": "2026-07-01", "to": "2026-07-31"})
        return (
            _sample(21, M.CASE_SUBMITTED, strange, case=strange),
            _sample(22, M.REFERRAL_ANSWERED, d.answer()),
            _sample(23, M.STATISTICS_REPORTED, month, about=d.REPORT_ID),
        )

    async def news(self) -> int:
        """Changes of §6, one with a status that nobody knows."""
        mock, case = self.server.platform, _FILED.source_case_no
        recalled, _ = await self._offer()
        for order in (
            {"ref": case, "decision": "accept"},
            {"ref": case, "decision": "correct", "reason": "补充身份证明"},
            {"ref": recalled, "decision": "recall"},
            {"ref": case, "decision": "status", "status": "77"},
        ):
            await mock.decide(order)
            self._not_polled += 1
        many, self._not_polled = self._not_polled, 0
        return many
