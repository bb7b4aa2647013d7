"""The adapter before the mock of its page: its reader takes every batch, and what it says is understood."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from adapters.enterprise_confederation import EnterpriseConfederation
from contracts.adapter import InboundCall, Origin, Wire
from contracts.document import Document
from contracts.errors import EndpointError, RetryableError, UnreadableCallback
from contracts.messages import MessageType as M
from contracts.update import StatusUpdate
from mocks.server import MockServer, load
from tests.adapters.ways import NO_HTTP

from . import documents as d
from .exchange import PDF, settings, tooled
from .stage import SFTP, placed, share_of

_PATIENCE_S = 20.0
_LARGE = PDF + bytes((n * n + n // 251) % 256 for n in range(256 * 1024)) * 24


class Before:
    """The mock, its directory, and the adapter before it on the mock's clock."""

    def __init__(self, server: MockServer, journal: Path, data: bytes = PDF) -> None:
        self.server, self.journal = server, journal
        self.share = share_of(server)
        self.data = data
        own = tooled(lambda: server.clock.now().astimezone(UTC), data)
        self.adapter = EnterpriseConfederation(
            d.ENDPOINT, settings(**({"root": self.share.root} | self.share.reached)), own
        )
        self.cursor: str | None = None

    def wire(self, kind: M = M.CASE_SUBMITTED, document: Document | None = None) -> Wire:
        """The wire of a sample."""
        sent, context = d.SENT[kind]
        known = replace(context, attachments={d.PAPER: d.file(size=len(self.data))})
        identifier = f"msg_01K6EXAMPLE00000000000{list(d.SENT).index(kind):03d}"
        return self.adapter.translate(d.message(kind, document or sent, identifier), known)

    async def fault(self, **fault: Any) -> None:
        """Script the next answers."""
        self.server.faults.add([fault])
        await self.server.platform.faults_changed()

    def breaches(self) -> list[str]:
        """What of our conduct is against the page, in the mock's journal."""
        lines = [json.loads(line) for line in (self.journal / "journal.ndjson").read_text("utf-8").splitlines()]
        return [line["payload"]["breach"] for line in lines if line.get("kind") == "conduct"]

    async def words(self) -> list[StatusUpdate | str]:
        """What is new, stored and marked; of what nobody can read its code."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            page = await self.adapter.poll(self.cursor, NO_HTTP)
            self.cursor = page.cursor
            if page.items:
                await self.adapter.mark_read(page.items, NO_HTTP)
                return [self._said(item.body) for item in page.items]
            await asyncio.sleep(0.05)
        raise AssertionError("nothing came")

    def _said(self, body: bytes) -> StatusUpdate | str:
        call = InboundCall("", "", (), body, self.adapter.tools.now(), origin=Origin.POLL)
        try:
            (update,) = self.adapter.parse_callback(call)
        except UnreadableCallback as unreadable:
            return unreadable.code
        assert isinstance(update, StatusUpdate)
        return update

    async def told(self, wire: Wire) -> str:
        """What the platform makes of a message."""
        await self.adapter.send(wire, NO_HTTP)
        (update,) = await self.words()
        assert isinstance(update, StatusUpdate)
        assert update.keys[0].value == wire.id
        return update.status


@pytest.fixture(params=["", SFTP], ids=["mounted", "sftp"])
async def before(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Before]:
    server = MockServer(load("enterprise_confederation"), tmp_path, settings=placed(str(tmp_path), request.param, 0.05))
    await server.start()
    try:
        yield Before(server, tmp_path)
    finally:
        await server.stop()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Before]:
    """The mock that serves its directory by SFTP."""
    server = MockServer(load("enterprise_confederation"), tmp_path, settings=placed(str(tmp_path), SFTP, 0.05))
    await server.start()
    try:
        yield Before(server, tmp_path)
    finally:
        await server.stop()


async def test_the_whole_way_of_a_case(before: Before) -> None:
    agreed = d.progress(status="agreed", reason_code="agreement_reached")
    for kind, document in (
        (M.CASE_SUBMITTED, None),
        (M.CASE_REVISED, None),
        (M.AGREEMENT_CONCLUDED, None),
        (M.CASE_PROGRESSED, agreed),
        (M.AGREEMENT_PERFORMED, None),
    ):
        wire = before.wire(kind, document)
        assert await before.told(wire) == "accepted", kind
        assert (await before.adapter.send(wire, NO_HTTP)).duplicate
        assert await before.adapter.lookup(wire, NO_HTTP) is not None
    await before.adapter.probe(NO_HTTP)
    assert before.breaches() == []


async def test_a_large_paper_travels_as_a_zip(before: Before) -> None:
    large = Before(before.server, before.journal, _LARGE)
    assert await large.told(large.wire()) == "accepted"
    wire = large.wire(M.AGREEMENT_CONCLUDED)
    assert await large.told(wire) == "accepted"
    name, end = f"{wire.payload['stem']}.zip", time.monotonic() + _PATIENCE_S
    while not list(before.share.root.glob("done/*/*.zip")) and time.monotonic() < end:
        await asyncio.sleep(0.01)  # the reader answers first and moves the batch then (page §6)
    assert [path.name for path in before.share.root.glob("done/*/*.zip")] == [name]


async def test_a_refusal(before: Before) -> None:
    assert await before.told(before.wire(M.AGREEMENT_CONCLUDED)) == "refused"


@pytest.mark.parametrize(("code", "word"), [("E17", "refused"), ("B03", "refused"), ("B01", "failed")])
async def test_codes(before: Before, code: str, word: str) -> None:
    await before.fault(op="case", action="business_error", code=code, times=1)
    assert await before.told(before.wire()) == word


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "gbk", "bomb", "slip"])
async def test_a_reply_that_nobody_can_read(before: Before, kind: str) -> None:
    await before.fault(op="reply", action="garbage", kind=kind, times=1)
    await before.adapter.send(before.wire(), NO_HTTP)
    (word,) = await before.words()
    assert isinstance(word, str)
    assert any(name.endswith(".bad") for name in before.share.names("down"))


@pytest.mark.parametrize(("action", "duplicate"), [("reset", False), ("accept_then_reset", True)])
async def test_a_cut_at_the_markers_rename(served: Before, action: str, duplicate: bool) -> None:
    wire = served.wire()
    await served.fault(op="sftp.mark", action=action, times=1)
    with pytest.raises(RetryableError, match="share_gone") as lost:
        await served.adapter.send(wire, NO_HTTP)
    assert lost.value.maybe_accepted
    assert (await served.adapter.lookup(wire, NO_HTTP) is not None) == duplicate
    assert (await served.adapter.send(wire, NO_HTTP)).duplicate == duplicate
    (update,) = await served.words()
    assert isinstance(update, StatusUpdate)
    assert update.status == "accepted"


@pytest.mark.parametrize(("rotate", "code"), [(False, "sftp_login_refused"), (True, "host_key_changed")])
async def test_a_key_that_counts_no_more(served: Before, rotate: bool, code: str) -> None:
    await served.adapter.probe(NO_HTTP)
    await served.fault(op="sftp.login", action="expire_session", rotate=rotate)
    with pytest.raises(EndpointError, match=code):
        await _at_last(served)


async def _at_last(served: Before) -> None:
    """Probe until the connection that stood is cut."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        with contextlib.suppress(RetryableError):
            await served.adapter.probe(NO_HTTP)
        await asyncio.sleep(0.02)


async def test_no_space(served: Before) -> None:
    await served.fault(op="sftp.write", action="http", status=507, times=1)
    with pytest.raises(RetryableError, match="share_"):
        await served.adapter.send(served.wire(), NO_HTTP)
    assert await served.told(served.wire()) == "accepted"


async def test_maintenance(before: Before) -> None:
    await before.fault(op="heartbeat", action="maintenance", times=1)
    end = time.monotonic() + _PATIENCE_S
    while '"MAINT"' not in (before.share.root / "heartbeat.json").read_text("utf-8"):
        assert time.monotonic() < end, "no maintenance came"
        await asyncio.sleep(0.02)
    with pytest.raises(RetryableError, match="MAINTENANCE"):
        await before.adapter.send(before.wire(), NO_HTTP)
