"""What the kit hands an adapter at its making: tools in memory, and tools that nobody may touch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn

from contracts.adapter import AttachmentInfo, Tools


class MemoryNonces:
    """Nonces of one check."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        """See ``contracts.adapter.NonceStore``."""
        fresh = nonce not in self.seen
        self.seen.add(nonce)
        return fresh


class MemoryMemory:
    """An endpoint's small memory, for one check. Time does not pass in it."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        """See ``contracts.adapter.Memory``."""
        return self.kept.get(key)

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None:
        """See ``contracts.adapter.Memory``."""
        self.kept[key] = value

    async def forget(self, key: str) -> None:
        """See ``contracts.adapter.Memory``."""
        self.kept.pop(key, None)


class MemoryAttachments:
    """The stage's files."""

    def __init__(self, files: Mapping[str, tuple[AttachmentInfo, bytes]]) -> None:
        self._files = files

    async def info(self, attachment: str) -> AttachmentInfo:
        """See ``contracts.adapter.AttachmentReader``."""
        return self._files[attachment][0]

    async def read(self, attachment: str) -> bytes:
        """See ``contracts.adapter.AttachmentReader``."""
        return self._files[attachment][1]


async def at_once(function: Callable[..., Any], /, *arguments: Any) -> Any:
    """``Blocking`` on the spot."""
    return function(*arguments)


def tools(now: Callable[[], datetime], files: Mapping[str, tuple[AttachmentInfo, bytes]]) -> Tools:
    """Working tools, fresh."""
    return Tools(now, os.urandom, MemoryAttachments(files), MemoryNonces(), MemoryMemory(), at_once)


class Touched(BaseException):
    """A tool was used where none may be. No ``Exception``, so that nobody's handler swallows it."""


class _Untouchable:
    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise Touched(f"tools.{self._name} was used")

    def __getattr__(self, name: str) -> NoReturn:
        raise Touched(f"tools.{self._name}.{name} was used")


def forbidden_tools() -> Tools:
    """Tools each of which raises ``Touched`` when it is used."""
    names = ("now", "random_bytes", "attachments", "nonces", "memory", "blocking")
    made: dict[str, Any] = {name: _Untouchable(name) for name in names}
    return Tools(**made)
