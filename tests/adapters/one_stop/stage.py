"""The one-stop platform's mock on the kit's stage: a case and two assignments, samples of every service, changes to pull."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from adapters.one_stop import OneStop
from adapters.one_stop.layout import PAGES
from contracts.adapter import Json, Wire
from contracts.case import Case
from contracts.conformance import Fault, Sample
from contracts.document import Document
from contracts.messages import MessageType
from mocks.one_stop import OneStop as Mock
from tests.adapters.mock_stage import MockStage
from tests.adapters.one_stop import documents as docs
from tests.adapters.one_stop.platform import NOW, ORGANIZATION, TOKEN

_TO_ANSWER, _ACCEPTED = (f"ref_01JB2Z9K7Q4NAAAAAAAAAAAAA{letter}" for letter in "AB")
_AGREEMENT_ID, _TRANSFER_ID = "agr_01JB2Z9K7Q4N", "trf_01JB2Z9K7Q4N"
_CASE = docs.case()
# Over the 1000 units of 简述, and with characters that count two: some page would end inside a pair.
_LONG = docs.changed(
    _CASE, source_case_no="370102-LX001-2026-00124", facts="申请人𠮷田自2024年3月起在被申请人处任厨师。" * 90
)
_REVISED = docs.changed(_CASE, facts="申请人补充：2026年9月工资亦未支付。")


def _sample(number: int, kind: MessageType, document: Document, *texts: str, about: str = "", **known: Any) -> Sample:
    case = document if isinstance(document, Case) else known.pop("case", _CASE)
    message = docs.message(kind, document, about) if about else docs.message(kind, document)
    context = docs.context(case, delivery=f"{docs.DELIVERY}{number:04d}", organization=docs.organization(), **known)
    return Sample(replace(message, id=f"msg_01JB2Z9K7Q4N{number:04d}"), context, texts)


def _of_assignment(number: int, kind: MessageType, document: Document, named: tuple[str, str], *texts: str) -> Sample:
    """About an assignment by our id and its 平台编号. No case of ours continues it."""
    referral_id, task_no = named
    referral = docs.referral(task_no=task_no)
    known = {"case": None, "agreement": docs.agreement(), "referral_id": referral_id, "referral": referral}
    return _sample(number, kind, document, *texts, about=referral_id, **known)


class OneStopStage(MockStage):
    """The platform with a case of ours and two assignments, one of them signed for (签收)."""

    adapter_type = OneStop
    platform_type = Mock
    clock = NOW
    # Three changes on a page: a pull goes on.
    mock_settings: ClassVar[Json] = {
        "rate_per_s": 1000,
        "pull_interval_s": 0,
        "page_limit": 3,
        "token": TOKEN,
        "organization_codes": [ORGANIZATION],
    }
    dialect: ClassVar[Mapping[Fault, Json]] = {
        Fault.BUSINESS_REFUSAL: {
            "action": "business_error",
            "code": "E420",
            "text": f"{_CASE.parties[0].name}的纠纷已由其他机构受理",
        },
        Fault.OPERATOR_PROBLEM: {"action": "expire_session"},
    }

    def __init__(self) -> None:
        super().__init__()
        self._assigned: list[str] = []
        self._not_pulled = 0

    async def set_the_scene(self) -> None:
        for _ in range(2):
            self._assigned.append(await self._assign())
        accepted = _ACCEPTED, self._assigned[1]
        await self.file(
            _sample(9001, MessageType.CASE_SUBMITTED, _CASE),
            _of_assignment(9002, MessageType.REFERRAL_ANSWERED, docs.answer(), accepted),
        )

    async def _assign(self) -> str:
        """A new 分流指派; its 平台编号."""
        self._not_pulled += 1
        assigned = await self.server.platform.refer({"机构编码": ORGANIZATION})
        return str(assigned["ref"])

    def booked(self) -> Iterable[str]:
        """§4: a ``bindId`` delivers nothing and may be repeated, and an assignment is the platform's own."""
        records = self.server.platform.records()
        return [record["message_id"] for record in records if record["kind"] not in ("bindId", "assignment")]

    def now(self) -> datetime:
        return self.server.clock.now().astimezone(UTC)

    def secrets(self) -> tuple[str, ...]:
        return (TOKEN,)

    def samples(self) -> Sequence[Sample]:
        """A case first, which stands alone; the others follow from the case of the scene."""
        to_answer, accepted = zip((_TO_ANSWER, _ACCEPTED), self._assigned, strict=True)
        agreed = docs.agreement()
        return (
            _sample(1, MessageType.CASE_SUBMITTED, _LONG, "/facts", "/claims/0/text"),
            _sample(2, MessageType.CASE_REVISED, _REVISED, "/facts", registered_version=1),
            _sample(3, MessageType.CASE_PROGRESSED, docs.progress(), "/note", "/session/place"),
            _sample(4, MessageType.CASE_ALERTED, docs.alert(), "/situation", "/measures"),
            _sample(5, MessageType.AGREEMENT_CONCLUDED, agreed, "/facts", "/terms/0/text", about=_AGREEMENT_ID),
            _sample(6, MessageType.AGREEMENT_PERFORMED, docs.performance(), about=_AGREEMENT_ID, agreement=agreed),
            _sample(7, MessageType.TRANSFER_REQUESTED, docs.transfer(), about=_TRANSFER_ID),
            _of_assignment(8, MessageType.REFERRAL_ANSWERED, docs.answer(), to_answer),
            _of_assignment(9, MessageType.REFERRAL_RETURNED, docs.result(), accepted, "/report"),
            _sample(10, MessageType.MEDIATOR_LISTED, docs.mediator()),
            _sample(11, MessageType.STATUS_REPORTED, docs.report(), "/note"),
            _sample(12, MessageType.CASE_SUBMITTED, docs.collective(), "/facts"),
        )

    def impossible(self) -> Sequence[Sample]:
        """Over 20 pages, a code without row, an answer to nobody."""
        return (
            _sample(21, MessageType.CASE_SUBMITTED, docs.changed(_CASE, facts="𠮷" * 20_000)),
            _sample(22, MessageType.STATUS_REPORTED, docs.report(status="unknown")),
            _sample(23, MessageType.REFERRAL_ANSWERED, docs.answer()),
        )

    def written(self, wire: Wire) -> str:
        """§4: the pages of an item follow it."""
        rest: dict[str, str] = {}
        for page in wire.payload.get(PAGES, []):
            rest[page["项名"]] = rest.get(page["项名"], "") + page["内容"]
        return "".join(_texts(wire.payload, rest))

    async def news(self) -> int:
        """A change of each type of §5, one with a status and one of a type that nobody knows."""
        mock, case = self.server.platform, _CASE.source_case_no
        recalled, expired = await self._assign(), await self._assign()
        orders = (
            {"ref": recalled, "decision": "recall"},
            {"ref": expired, "decision": "expire"},
            {"ref": case, "decision": "status", "code": "08", "reason": "05"},
            {"ref": case, "decision": "status", "code": "26", "document_no": "（2026）鲁0102诉前调确7号"},
            {"ref": case, "decision": "status", "code": "77", "progress": "3"},
            {"ref": case, "decision": "supervise", "deadline": "2026-10-08"},
        )
        for order in orders:
            await mock.decide(order)
        self.server.faults.add([{"op": "pullChanges", "action": "forge_callback", "how": "unknown_type"}])
        many, self._not_pulled = self._not_pulled + len(orders) + 1, 0
        return many


def _texts(value: Any, rest: Mapping[str, str], place: str = "") -> Iterator[str]:
    """Every text in its order, each with its pages behind it."""
    if isinstance(value, str):
        yield value + rest.get(place, "")
    elif isinstance(value, list):
        for number, row in enumerate(value, start=1):
            yield from _texts(row, rest, f"{place.removesuffix('列表')}[{number}]/")
    else:
        for name, inner in value.items():
            if name != PAGES:
                yield from _texts(inner, rest, f"{place}{name}")
