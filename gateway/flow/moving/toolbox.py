"""What an adapter is handed at its making: clock, chance, attachments, nonces, a small durable memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from contracts.adapter import Tools
from contracts.moments import from_ms
from gateway.flow.moving.attachments import Attachments
from gateway.store.places import of_memory
from gateway.store.store import Store


class Nonces:
    """Nonces of inbound calls, per endpoint, in the store."""

    def __init__(self, store: Store, endpoint: str) -> None:
        self._store = store
        self._endpoint = endpoint

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        """See ``contracts.adapter.NonceStore``."""
        keep_ms = round(keep.total_seconds() * 1000)
        return bool(await self._store.write("see_nonce", (self._endpoint, nonce, keep_ms)))


class EndpointMemory:
    """An adapter's small durable memory, sealed."""

    def __init__(self, store: Store, endpoint: str) -> None:
        self._store = store
        self._endpoint = endpoint

    async def get(self, key: str) -> str | None:
        """The value, unless its time is over."""
        row = await self._store.row("get_memory", self._endpoint, key)
        return None if row is None else self._store.unseal(row["value_sealed"], of_memory(self._endpoint, key)).decode()

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None:
        """Keep a value, for a while or until it is replaced."""
        keep_ms = None if keep is None else round(keep.total_seconds() * 1000)
        sealed = self._store.seal(value.encode(), of_memory(self._endpoint, key))
        await self._store.write("put_memory", (self._endpoint, key, sealed, keep_ms))

    async def forget(self, key: str) -> None:
        """Drop a value."""
        await self._store.write("drop_memory", (self._endpoint, key))


async def off_the_loop(function: Callable[..., Any], /, *arguments: Any) -> Any:
    """Run a slow computation in a thread."""
    return await asyncio.to_thread(function, *arguments)


def tools_for(
    store: Store,
    attachments: Attachments,
    endpoint: str,
    now_ms: Callable[[], int],
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Tools:
    """The tools of one endpoint."""
    return Tools(
        now=lambda: from_ms(now_ms()),
        random_bytes=random_bytes,
        attachments=attachments,
        nonces=Nonces(store, endpoint),
        memory=EndpointMemory(store, endpoint),
        blocking=off_the_loop,
    )
