"""The adapter before the mock of its page: its reader takes every row, and what it says is understood."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from adapters.commerce_federation import CommerceFederation, sqlite
from contracts.adapter import InboundCall, Origin, Wire
from contracts.errors import EndpointError, RetryableError, UnreadableCallback
from contracts.messages import MessageType as M
from contracts.update import KeyKind, StatusUpdate
from mocks.commerce_federation import CommerceFederation as Mock
from mocks.server import MockServer
from tests.adapters.ways import NO_HTTP
from tests.servers.databases import Server, execute, new_database
from tests.servers.process import free_port

from . import documents as d
from .exchange import FILES, NOW, ROLE, Tables, settings, tools

IDS = {kind: f"msg_01K6EXAMPLE00000000000{number:03d}" for number, kind in enumerate(d.SENT)}
_PATIENCE_S = 20.0


class Before:
    """The mock, its tables, and the adapter before them on the mock's clock."""

    def __init__(self, server: MockServer) -> None:
        self.server = server
        url = server.platform.config["database_url"]
        self.tables = Tables(Path(url.removeprefix("sqlite:///")))
        self.adapter = CommerceFederation(
            d.ENDPOINT, settings(url), tools(lambda: server.clock.now().astimezone(UTC), FILES)
        )
        self.cursor: str | None = None

    def wire(self, kind: M = M.CASE_SUBMITTED) -> Wire:
        """The wire of a sample."""
        document, context = d.SENT[kind]
        return self.adapter.translate(d.message(kind, document, IDS[kind]), context)

    async def fault(self, **fault: Any) -> None:
        """Script the next answers."""
        self.server.faults.add([fault])
        await self.server.platform.faults_changed()

    async def until(self, found: Callable[[], Any | Awaitable[Any]]) -> Any:
        """What comes of it, once something does."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            value = found()
            if isinstance(value, Awaitable):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.05)
        raise AssertionError("nothing came")

    async def settled(self, kind: M = M.CASE_SUBMITTED) -> tuple[Any, ...]:
        """Status, code, reason and number of a row once the reader is through with it."""
        columns = "UPLOAD_STATUS, FAIL_CODE, FAIL_REASON, PLAT_NO"
        rows: list[tuple[Any, ...]] = await self.until(
            lambda: self.tables.do(
                f"SELECT {columns} FROM TJ_OUT WHERE OUT_ID = ? AND UPLOAD_STATUS > 1",  # noqa: S608 -- names of this test
                IDS[kind],
            )
        )
        return rows[0]

    async def words(self) -> list[StatusUpdate]:
        """What is new in the return table, stored and marked."""
        polled = await self.adapter.poll(self.cursor, NO_HTTP)
        self.cursor = polled.cursor
        found: list[StatusUpdate] = []
        for item in polled.items:
            call = InboundCall("", "", (), item.body, NOW, origin=Origin.POLL)
            found += [word for word in self.adapter.parse_callback(call) if isinstance(word, StatusUpdate)]
        await self.adapter.mark_read(polled.items, NO_HTTP)
        return found

    async def hears(self, many: int) -> list[StatusUpdate]:
        """So many words, in the order in which they came."""
        found: list[StatusUpdate] = []

        async def more() -> bool:
            found.extend(await self.words())
            return len(found) >= many

        await self.until(more)
        return found


@pytest.fixture
async def before(tmp_path: Path) -> AsyncIterator[Before]:
    server = MockServer(Mock, tmp_path, settings={"period_s": 0.2})
    await server.start()
    server.clock.set(NOW)
    try:
        yield Before(server)
    finally:
        await server.stop()


async def test_every_service_is_accepted(before: Before) -> None:
    for number, kind in enumerate((M.CASE_SUBMITTED, M.CASE_REVISED, M.CASE_PROGRESSED)):
        receipt = await before.adapter.send(before.wire(kind), NO_HTTP)
        assert receipt.relayed
        status, code, reason, plat_no = await before.settled(kind)
        assert (status, code, reason) == (2, None, None), kind
        assert plat_no
        words = await before.hears(2)
        assert [word.status for word in words] == ["taken", "accepted"], number
        assert {word.keys[0].value for word in words} == {IDS[kind]}
        assert words[1].references[0].value == plat_no
    found = await before.adapter.send(before.wire(), NO_HTTP)
    assert not found.relayed


async def test_an_agreement_with_its_file_and_its_performance(before: Before) -> None:
    for kind in (M.CASE_SUBMITTED, M.AGREEMENT_CONCLUDED, M.AGREEMENT_PERFORMED):
        await before.adapter.send(before.wire(kind), NO_HTTP)
        assert (await before.settled(kind))[:3] == (2, None, None), kind


async def test_a_case_with_another_organisation_and_a_file(before: Before) -> None:
    parties = [d.person(), d.unit(), d.unit(role="third_party", kind="other_organization")]
    case = d.wages(parties=parties, attachments=[{"id": d.PAPER, "kind": "other", "name": "cafe\u0301.pdf"}])
    message = d.message(M.CASE_SUBMITTED, case, IDS[M.CASE_SUBMITTED])
    await before.adapter.send(before.adapter.translate(message, d.new()), NO_HTTP)
    assert (await before.settled())[:3] == (2, None, None)


async def test_our_heart_beats_at_the_platform(before: Before) -> None:
    before.server.clock.set(NOW + timedelta(hours=1))
    await before.words()
    assert before.tables.do("SELECT BEAT_AT, PERIOD_S FROM TJ_HEART WHERE NODE = 'GATEWAY'") == [
        ("2026-09-17 11:00:05", 60)
    ]


async def test_our_conduct_is_sound(before: Before) -> None:
    for kind in (M.CASE_SUBMITTED, M.CASE_PROGRESSED):
        await before.adapter.send(before.wire(kind), NO_HTTP)
        await before.settled(kind)
    await before.hears(4)
    before.server.clock.set(NOW + timedelta(seconds=120))
    await before.words()
    await before.until(lambda: _sound(before))
    assert before.tables.do("SELECT DISTINCT READ_STATUS FROM TJ_IN") == [(2,)]
    await asyncio.sleep(0.5)
    refused = [entry for entry in _journal(before) if entry["effect"] == "refused"]
    assert refused == []


async def _sound(before: Before) -> bool:
    """Whether a probe goes well: the reader beats on the new time."""
    try:
        await before.adapter.probe(NO_HTTP)
    except EndpointError:
        return False
    return True


def _journal(before: Before) -> list[dict[str, Any]]:
    """What the platform saw."""
    text = (before.server.platform.data / "journal.ndjson").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


async def test_a_postponed_row_goes_again(before: Before) -> None:
    await before.fault(op="case.submit", action="business_error", code="E80")
    await before.adapter.send(before.wire(), NO_HTTP)
    assert (await before.settled())[:2] == (3, "E80")
    words = await before.hears(2)
    assert (words[1].status, words[1].retry_after_s) == ("postponed", 600.0)
    with pytest.raises(RetryableError, match="postponed"):
        await before.adapter.send(before.wire(), NO_HTTP)
    before.server.clock.set(NOW + timedelta(seconds=660))
    await before.adapter.send(before.wire(), NO_HTTP)
    assert (await before.settled())[0] == 2
    assert [entry["payload"] for entry in _journal(before) if entry["kind"] == "conduct"] == []


async def test_a_refusal_is_the_senders(before: Before) -> None:
    await before.fault(op="case.submit", action="business_error", code="E17")
    await before.adapter.send(before.wire(), NO_HTTP)
    words = await before.hears(2)
    assert (words[1].status, words[1].reason_code) == ("refused", "E17")


async def test_the_clerk_speaks(before: Before) -> None:
    await before.adapter.send(before.wire(), NO_HTTP)
    number = (await before.settled())[3]
    await before.hears(2)
    for order in (
        {"decision": "accept"},
        {"decision": "correct", "reason": "补充身份证明"},
        {"decision": "note", "reason": "请于三日内联系"},
    ):
        await before.server.platform.decide({"ref": number} | order)
    words = await before.hears(3)
    assert [word.status for word in words] == ["accepted", "correction_required", ""]
    assert {(word.keys[0].kind, word.keys[0].scope) for word in words} == {(KeyKind.CASE_NO_OF_SOURCE, "SD-QD-SH-003")}


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "gbk"])
async def test_garbage_is_read_or_unreadable(before: Before, kind: str) -> None:
    await before.fault(op="*", action="garbage", kind=kind)
    await before.adapter.send(before.wire(), NO_HTTP)
    await before.settled()

    async def look() -> bool:
        try:
            return any(word.status == "accepted" for word in await before.words())
        except UnreadableCallback:
            return True

    await before.until(look)


@pytest.mark.parametrize("how", ["digest", "out_id", "case_key"])
async def test_forgeries_find_nothing_of_ours(before: Before, how: str) -> None:
    await before.fault(op="*", action="forge_callback", how=how)
    await before.adapter.send(before.wire(), NO_HTTP)
    await before.settled()
    await asyncio.sleep(0.5)
    polled = await before.adapter.poll(None, NO_HTTP)
    foreign = 0
    for item in polled.items:
        try:
            (word,) = before.adapter.parse_callback(InboundCall("", "", (), item.body, NOW, origin=Origin.POLL))
        except UnreadableCallback as error:
            foreign += (how, error.code) == ("digest", "digest")
            continue
        assert isinstance(word, StatusUpdate)
        foreign += word.keys[0].value != IDS[M.CASE_SUBMITTED]
    assert foreign >= 1


async def test_a_database_that_is_held_is_asked_again(before: Before, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    await before.fault(op="insert", action="reset", after_ms=700)
    await asyncio.sleep(0.3)
    with pytest.raises(RetryableError, match="database_busy"):
        await before.adapter.send(before.wire(), NO_HTTP)
    receipt = await before.until(lambda: _sent(before))
    assert receipt.relayed
    assert (await before.settled())[0] == 2


async def _sent(before: Before) -> Any:
    try:
        return await before.adapter.send(before.wire(), NO_HTTP)
    except RetryableError:
        return None


async def test_maintenance(before: Before) -> None:
    await before.fault(op="*", action="http", status=429, retry_after="30")
    await before.until(lambda: before.tables.do("SELECT 1 FROM TJ_HEART WHERE NODE = 'READER' AND STATE = 'MAINT'"))
    with pytest.raises(RetryableError, match="MAINTENANCE") as found:
        await before.adapter.send(before.wire(), NO_HTTP)
    assert found.value.retry_after is not None


# --------------------------------------------------------------------------------------------------------------- PostgreSQL


@pytest.fixture
async def at_server(postgres: Server, tmp_path: Path) -> AsyncIterator[Before]:
    """The same on a real PostgreSQL, through the mock's own front."""
    address = await new_database(postgres)
    await execute(address, ROLE)
    url = f"postgresql://127.0.0.1:{free_port()}{urlsplit(address).path}"
    own = {"period_s": 0.2, "server_url": address, "database_url": url, "gateway_account": "tj_gateway"}
    server = MockServer(Mock, tmp_path, settings=own)
    await server.start()
    server.clock.set(NOW)
    try:
        yield Before(server)
    finally:
        await server.stop()
        await execute(address, ROLE)


async def column(before: Before, sql: str) -> list[Any]:
    """The first column of what the platform itself reads."""
    connection = await asyncpg.connect(before.server.platform.config["server_url"])
    try:
        return [row[0] for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def accepted(before: Before, kind: M) -> bool:
    """Whether the platform has accepted it."""
    found = await before.adapter.lookup(before.wire(kind), NO_HTTP)
    return found is not None and not found.relayed


async def test_every_service_on_a_server(at_server: Before) -> None:
    for kind in (M.CASE_SUBMITTED, M.CASE_REVISED, M.AGREEMENT_CONCLUDED, M.AGREEMENT_PERFORMED):
        assert (await at_server.adapter.send(at_server.wire(kind), NO_HTTP)).relayed
        await at_server.until(partial(accepted, at_server, kind))
        assert [word.status for word in await at_server.hears(2)] == ["taken", "accepted"], kind
    await at_server.adapter.probe(NO_HTTP)
    at_server.server.clock.set(NOW + timedelta(hours=1))
    await at_server.words()
    beats = await column(at_server, "SELECT BEAT_AT FROM tjex.TJ_HEART WHERE NODE = 'GATEWAY'")
    assert beats == ["2026-09-17 11:00:05"]
    assert [entry for entry in _journal(at_server) if entry["effect"] == "refused"] == []


async def test_a_locked_account_is_the_operators(at_server: Before) -> None:
    await at_server.fault(op="*", action="expire_session")
    await asyncio.sleep(0.3)
    with pytest.raises(EndpointError, match="login_refused"):
        await at_server.adapter.send(at_server.wire(), NO_HTTP)
