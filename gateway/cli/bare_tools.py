"""What an adapter is handed where there is no store: for a check of its settings, or one probe."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.adapter import AttachmentInfo, Tools


class _NoAttachments:
    """No file is there."""

    async def info(self, attachment: str) -> AttachmentInfo:
        raise LookupError("attachment_unknown")

    async def read(self, attachment: str) -> bytes:
        raise LookupError("attachment_unknown")


class _ShortMemory:
    """Remembers for as long as the command runs."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self._kept.get(key)

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None:
        self._kept[key] = value

    async def forget(self, key: str) -> None:
        self._kept.pop(key, None)


class _NoNonces:
    """Nobody calls a command back."""

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        return False


async def _aside(function: Callable[..., Any], /, *arguments: Any) -> Any:
    return await asyncio.to_thread(function, *arguments)


def bare_tools(_endpoint: str) -> Tools:
    """Tools without a store."""
    return Tools(
        now=lambda: datetime.now(UTC),
        random_bytes=os.urandom,
        attachments=_NoAttachments(),
        nonces=_NoNonces(),
        memory=_ShortMemory(),
        blocking=_aside,
    )
