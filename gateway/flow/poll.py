"""Platforms that never call back are asked: one page at a time, each stored with its cursor in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from contracts.adapter import InboundCall, Origin, PolledItem
from contracts.errors import EndpointError, RetryableError
from contracts.moments import from_ms
from gateway.flow.delivering.line import Line
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.flow.receive import pack_call
from gateway.flow.retry import asked_ms
from gateway.store import inbox, pauses
from gateway.store.places import of_call
from gateway.store.store import Store

log = structlog.get_logger("gateway.poll")


class Poller:
    """Polls one endpoint, oftener while there is news (5 s … 15 min by default)."""

    def __init__(
        self, store: Store, line: Line, stored: Callable[[], None] = lambda: None, reach: Reach = nowhere
    ) -> None:
        self._store = store
        self._reach = reach
        self._stored = stored
        self._line = line
        self._wait_s = line.limits.poll_every_s[0]

    async def turn(self) -> float:
        """One poll if its time has come; returns the seconds until the next look."""
        shortest, longest = self._line.limits.poll_every_s
        lease_ms = round(1000 * (self._line.limits.deadline_s + 5))
        taken = await self._store.write("take_poll", (self._line.name, lease_ms))
        if not taken:
            return min(self._wait_s, 1.0)
        adapter = self._line.endpoint.adapter
        exchange = self._line.exchange(self._store.now_ms, self._line.limits.deadline_s)
        try:
            async with asyncio.timeout(self._line.limits.deadline_s):  # the poll's lease ends soon after
                page = await adapter.poll(taken[0]["cursor"], exchange)
        except RetryableError as error:
            return await self._again(error.code, asked_ms(error.retry_after))
        except TimeoutError:
            return await self._again("timeout", 0)
        except EndpointError as error:
            row = (self._line.name, "gateway", error.code)
            await self._store.run(pauses.pause, [row], self._store.ids)
            log.error("poll_refused", endpoint=self._line.name, code=error.code)
            return 1.0
        self._wait_s = shortest if page.items else min(self._wait_s * 1.5, longest)
        wait_ms = 0 if page.more else round(self._wait_s * 1000)
        calls = [self._call(item) for item in page.items]
        if calls:
            await self._reach("polled")
        stored = await self._store.run(inbox.keep_page, self._line.name, calls, page.cursor, wait_ms)
        if page.items:
            self._stored()
            await self._reach("page_kept")
            await adapter.mark_read(page.items, exchange)
            log.info("polled", endpoint=self._line.name, items=len(stored), fresh=sum(kept.fresh for kept in stored))
        return 0.0 if page.more else min(self._wait_s, 1.0)

    async def _again(self, code: str, quiet_ms: int) -> float:
        """A poll that failed: the next one comes later, and nobody goes there while the platform wants to be left alone."""
        name, wait_ms = self._line.name, max(round(1000 * self._wait_s), quiet_ms)
        if quiet_ms:
            await self._store.write("hush_endpoint", (name, quiet_ms))
        await self._store.write("set_poll_at", (name, wait_ms))
        await self._store.write("begin_polls", (name,))
        log.warning("poll_failed", endpoint=name, code=code)
        self._wait_s = min(self._wait_s * 2, self._line.limits.poll_every_s[1])
        return min(wait_ms / 1000, 1.0)

    def _call(self, item: PolledItem) -> inbox.NewCallback:
        now = from_ms(self._store.now_ms())
        call = InboundCall("", "", (), item.body, now, origin=Origin.POLL)
        identifier = self._store.ids.new("callback")
        sealed = self._store.seal(pack_call(call), of_call(identifier))
        return inbox.NewCallback(identifier, self._line.name, item.event_id, item.digest, sealed)
