"""The exchange database on the kit's stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, ClassVar

from adapters.beijing import SECONDS
from adapters.commerce_federation import CommerceFederation
from contracts.adapter import AttachmentInfo, Exchange, Json, Receipt, Tools, Wire
from contracts.conformance import BUSY_FOR, Fault, Sample, Stage
from contracts.document import Document
from contracts.messages import MessageType as M
from mocks.commerce_federation import CommerceFederation as Mock
from mocks.server import MockServer
from tests.adapters.resting import Resting
from tests.adapters.ways import NO_HTTP

from . import documents as d
from .exchange import NOW, Tables, settings

_PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


class CommerceStage(Stage):
    """Tables of the page in one SQLite file. Refusals never come as the answer to a filing here: rows of ``TJ_IN`` tell them
    (page §5)."""

    adapter_type = CommerceFederation
    plays: ClassVar[frozenset[Fault]] = frozenset({Fault.BUSY, Fault.OPERATOR_PROBLEM})
    lacks: ClassVar[frozenset[Fault]] = frozenset({Fault.BUSINESS_REFUSAL})
    answers_name_the_filing: ClassVar[bool] = False

    tables: Tables
    _directory: TemporaryDirectory[str]

    def __init__(self) -> None:
        self._said = 0

    async def __aenter__(self) -> CommerceStage:
        self._directory = TemporaryDirectory(prefix="stage-")
        self.tables = Tables.made(Path(self._directory.name))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._directory.cleanup()

    def settings(self) -> Json:
        return {"database_url": f"sqlite:///{self.tables.path}", "organizations": ["SD-QD-SH-003"]}

    def make(self, tools: Tools) -> CommerceFederation:
        made = Healed(self.endpoint, settings(self.settings()["database_url"]), tools)
        made.stage = self
        return made

    def now(self) -> datetime:
        return NOW

    def attachments(self) -> Mapping[str, tuple[AttachmentInfo, bytes]]:
        return {d.PAPER: (d.file(size=len(_PDF)), _PDF)}

    def samples(self) -> Sequence[Sample]:
        facts = "申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。" * 60
        return (
            _sample(1, M.CASE_SUBMITTED, d.wages(facts=facts), "/facts", "/claims/0/text", registered_version=None),
            _sample(2, M.CASE_REVISED, d.wages(), "/facts"),
            _sample(3, M.CASE_PROGRESSED, d.progress(), "/note", "/session/place"),
            _sample(4, M.AGREEMENT_CONCLUDED, d.agreement(), "/facts", "/terms/0/text"),
            _sample(5, M.AGREEMENT_PERFORMED, d.performance()),
        )

    def impossible(self) -> Sequence[Sample]:
        """Accepted without a mediator, an organisation that is not bound, a term of no agreement."""
        alone = d.wages(mediators=[])
        strange = d.wages(
            organization=d.wages().organization.model_dump(mode="json", exclude_none=True) | {"code": "X"}
        )
        return (
            _sample(21, M.CASE_SUBMITTED, alone, case=alone),
            _sample(22, M.CASE_SUBMITTED, strange, case=strange),
            _sample(23, M.AGREEMENT_PERFORMED, d.performance(), agreement=None),
        )

    def exchange(self) -> Exchange:
        return NO_HTTP

    async def arm(self, fault: Fault) -> None:
        if fault is Fault.BUSY:
            until = SECONDS.write(self.now() + BUSY_FOR)
            self.tables.do("UPDATE TJ_HEART SET STATE = 'MAINT', UNTIL_AT = ? WHERE NODE = 'READER'", until)
        else:
            self.tables.do("ALTER TABLE TJ_OUT RENAME TO TJ_AWAY")

    def heal(self) -> None:
        """No fault stands any longer."""
        self.tables.do("UPDATE TJ_HEART SET STATE = 'RUN', UNTIL_AT = NULL WHERE NODE = 'READER'")
        if self.tables.do("SELECT 1 FROM sqlite_master WHERE name = 'TJ_AWAY'"):
            self.tables.do("ALTER TABLE TJ_AWAY RENAME TO TJ_OUT")

    async def effects(self) -> Sequence[str]:
        return [str(out_id) for (out_id,) in self.tables.do("SELECT OUT_ID FROM TJ_OUT ORDER BY CREATED_AT, SEQ_NO")]

    async def news(self) -> int:
        """A row of every kind, and a status that nobody knows; the later ones under lower numbers."""
        self._said += 1
        first = 1000 - 10 * self._said
        for place, (kind, columns) in enumerate(_NEWS):
            self.tables.say(first + place, kind, **columns)
        return len(_NEWS)


class MockStage(CommerceStage):
    """The tables that the mock of the page has made; its reader rests, so that every row stands as it was filed."""

    server: MockServer

    async def __aenter__(self) -> MockStage:
        self._directory = TemporaryDirectory(prefix="stage-")
        self.server = MockServer(Mock, Path(self._directory.name), settings={"period_s": 3600.0})
        await self.server.start()
        self._rest = Resting(self.server)
        await self._rest.begin()
        url = str(self.server.platform.config["database_url"])
        self.tables = Tables(Path(url.removeprefix("sqlite:///")), self.server.clock.now().astimezone(UTC))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest.end()
        await self.server.stop()
        self._directory.cleanup()

    def now(self) -> datetime:
        return self.tables.now.replace(microsecond=0)


_NEWS: Sequence[tuple[str, dict[str, str | None]]] = (
    ("00", {}),
    ("01", {"PLAT_NO": "SHTJ20260917000001"}),
    ("02", {"ZT": "2"}),
    ("02", {"ZT": "77"}),
    ("03", {"REASON": "补充身份证明"}),
    ("04", {"REASON": "请于三日内联系"}),
    ("09", {"FAIL_CODE": "E17", "REASON": "统一社会信用代码有误"}),
)


def _sample(number: int, kind: M, document: Document, *texts: str, **known: Any) -> Sample:
    message = d.message(kind, document, f"msg_01JB2Z9K7Q4N{number:04d}")
    size = {d.PAPER: d.file(size=len(_PDF))}
    context = d.context(delivery=f"dlv_01JB2Z9K7Q4N{number:04d}", attachments=size, **known)
    return Sample(message, replace(context, case=known.get("case", context.case)), texts)


class Healed(CommerceFederation):
    """The adapter; when a filing is over, no fault stands any longer."""

    stage: CommerceStage

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        try:
            return await super().send(wire, exchange)
        finally:
            self.stage.heal()
