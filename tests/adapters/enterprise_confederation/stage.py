"""The exchange directory on the kit's stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from adapters.beijing import SECONDS
from adapters.enterprise_confederation import EnterpriseConfederation, EnterpriseConfederationSettings
from contracts.adapter import AttachmentInfo, Exchange, Json, Receipt, Tools, Wire
from contracts.conformance import BUSY_FOR, Fault, Sample, Stage
from contracts.document import Document
from contracts.messages import MessageType as M
from mocks.server import MockServer, load
from tests.adapters.resting import Resting
from tests.adapters.ways import NO_HTTP

from . import documents as d
from .exchange import NOW, PDF, Share, row
from .sftp import House

T = TypeVar("T")
Mock = load("enterprise_confederation")


class ConfederationStage(Stage):
    """A directory of the page. Refusals never come as the answer to a filing here: reply rows tell them (page §5)."""

    adapter_type = EnterpriseConfederation
    plays: ClassVar[frozenset[Fault]] = frozenset({Fault.BUSY, Fault.OPERATOR_PROBLEM})
    lacks: ClassVar[frozenset[Fault]] = frozenset({Fault.BUSINESS_REFUSAL})
    answers_name_the_filing: ClassVar[bool] = False

    share: Share
    _directory: TemporaryDirectory[str]

    def __init__(self) -> None:
        self._said = 0

    async def __aenter__(self) -> ConfederationStage:
        self._directory = TemporaryDirectory(prefix="stage-")
        self.share = Share.made(Path(self._directory.name) / "share")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._directory.cleanup()

    def settings(self) -> Json:
        sound = {"root": str(self.share.root), "sender": "SDGW", "organizations": ["SD-WF-QL-002"]}
        return {**sound, "rate_per_s": 1000.0}

    def make(self, tools: Tools) -> EnterpriseConfederation:
        made = Healed(self.endpoint, EnterpriseConfederationSettings.model_validate(self.settings()), tools)
        made.stage = self
        return made

    def now(self) -> datetime:
        return NOW

    def attachments(self) -> Mapping[str, tuple[AttachmentInfo, bytes]]:
        return {d.PAPER: (d.file(size=len(PDF)), PDF)}

    def samples(self) -> Sequence[Sample]:
        facts = "申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。" * 120
        return (
            _sample(1, M.CASE_SUBMITTED, d.wages(facts=facts), "/facts", "/claims/0/text", registered_version=None),
            _sample(2, M.CASE_REVISED, d.wages(), "/facts"),
            _sample(3, M.CASE_PROGRESSED, d.progress(), "/note", "/session/place"),
            _sample(4, M.AGREEMENT_CONCLUDED, d.agreement(), "/facts", "/terms/0/text"),
            _sample(5, M.AGREEMENT_PERFORMED, d.performance()),
        )

    def impossible(self) -> Sequence[Sample]:
        """An organisation that is not bound, a term of no agreement, a step without a word."""
        bound = d.wages().organization.model_dump(mode="json", exclude_none=True)
        strange = d.wages(organization=bound | {"code": "X"})
        asked = d.progress(status="correction_required", reason_code=None)
        return (
            _sample(21, M.CASE_SUBMITTED, strange, case=strange),
            _sample(22, M.AGREEMENT_PERFORMED, d.performance(), agreement=None),
            _sample(23, M.CASE_PROGRESSED, asked),
        )

    def exchange(self) -> Exchange:
        return NO_HTTP

    async def arm(self, fault: Fault) -> None:
        if fault is Fault.BUSY:
            self.share.beat(self.now(), state="MAINT", until=SECONDS.write(self.now() + BUSY_FOR))
        else:
            self.share.up.rename(self.share.root / "away")

    def heal(self) -> None:
        """No fault stands any longer."""
        self.share.beat(self.now())
        if (self.share.root / "away").exists():
            (self.share.root / "away").rename(self.share.up)

    async def effects(self) -> Sequence[str]:
        """Messages whose marker stands."""
        markers = sorted(self.share.up.glob("*.ok"), key=lambda path: path.stat().st_mtime_ns)
        return [self._message(path.name.removesuffix(".ok")) for path in markers]

    def _message(self, stem: str) -> str:
        return (self.share.up / f"{stem}.csv").read_text("utf-8-sig").splitlines()[1].split(",")[2]

    async def news(self) -> int:
        """A reply of every word, and a status file with a word that nobody knows; the later ones under lower names."""
        self._said += 1
        for number, one in enumerate(_ROWS):
            self.share.reply(one, number=99 - 10 * self._said + number)
        words = ("已受理", "需补正", "飞走了")
        items = [{"事件号": f"S{self._said}-{word}", "案件主键": d.CASE_KEY, "状态": word} for word in words]
        self.share.status(100 - self._said, items)
        return len(_ROWS) + len(items)


class AccountStage(ConfederationStage):
    """The same directory as the root of an SFTP account."""

    house: House

    async def __aenter__(self) -> AccountStage:
        await super().__aenter__()
        root = Path(self._directory.name)
        self.house = House(root, root)
        await self.house.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.house.close()
        await super().__aexit__(kind, error, trace)

    def settings(self) -> Json:
        return super().settings() | self.house.settings()


class MockStage(ConfederationStage):
    """The directory that the mock of the page has made; its reader rests, so that every batch stands as it was filed."""

    server: MockServer

    def __init__(self, root: str = "") -> None:
        super().__init__()
        self._root = root

    async def __aenter__(self) -> MockStage:
        self._directory = TemporaryDirectory(prefix="stage-")
        self.server = MockServer(Mock, Path(self._directory.name), settings=placed(self._directory.name, self._root))
        await self.server.start()
        self._rest = Resting(self.server)
        await self._rest.begin()
        self.share = share_of(self.server)
        self._now = self.server.clock.now().astimezone(UTC).replace(microsecond=0)
        self.share.beat(self._now)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest.end()
        await self.server.stop()
        self._directory.cleanup()

    def settings(self) -> Json:
        return super().settings() | self.share.reached

    def now(self) -> datetime:
        return self._now


SFTP = "sftp://gateway@127.0.0.1:0/"
"""The root of a mock that serves its directory itself, at any port."""


def placed(place: str, root: str, period_s: float = 3600.0) -> dict[str, Any]:
    """The settings of a mock whose directory is mounted, or served at ``root``."""
    served = {"root": root, "directory": str(Path(place) / "exchange")} if root else {}
    return {"period_s": period_s} | served


def share_of(server: MockServer) -> Share:
    """A running mock's directory, and how we reach it."""
    told = server.platform.config
    if not str(told["root"]).startswith("sftp:"):
        return Share(Path(str(told["root"])))
    names = ("root", "host_key", "private_key_file")
    return Share(Path(str(told["directory"])), {name: str(told[name]) for name in names})


_ROWS = (
    row(),
    row("处理中"),
    row("重复", 平台编号="QL20260917000009"),
    row("拒绝", 错误码="E17", 错误说明="统一社会信用代码有误"),
    row("也许"),
)


def _sample(number: int, kind: M, document: Document, *texts: str, **known: Any) -> Sample:
    message = d.message(kind, document, f"msg_01JB2Z9K7Q4N{number:04d}")
    size = {d.PAPER: d.file(size=len(PDF))}
    context = d.context(delivery=f"dlv_01JB2Z9K7Q4N{number:04d}", attachments=size, **known)
    return Sample(message, replace(context, case=known.get("case", context.case)), texts)


class Healed(EnterpriseConfederation):
    """The adapter; when a filing is over, no fault stands any longer."""

    stage: ConfederationStage

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        try:
            return await super().send(wire, exchange)
        finally:
            self.stage.heal()
