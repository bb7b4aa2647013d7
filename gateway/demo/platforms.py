"""The mock platforms: one child process, driven over HTTP alone. Nothing of ours imports them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import orjson

from gateway.demo.workspace import StageRefused

_READY_WITHIN_S = 300.0
"""Only a bound: one that cannot start ends, and one with a long journal on a busy machine takes its time."""
_ENDS_WITHIN_S = 10.0
_PAGE = 1000
_LINE = ("seq", "at", "kind", "business_key", "message_id", "effect", "ref")
_RECORD = ("message_id", "business_key", "state")
_ARGV = (sys.executable, "-m", "mocks")


async def mocks_there() -> list[str]:
    """The names of the mocks that are installed.

    Raises:
        StageRefused: there are none.
    """
    child = await asyncio.create_subprocess_exec(
        *_ARGV,
        "--list",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    if child.returncode != 0:
        raise StageRefused("没有安装模拟平台 the mock platforms are not installed (python -m mocks --list fails)")
    names: list[str] = json.loads(out)["mocks"]
    return names


@dataclass(slots=True)
class Platform:
    """One mock: ``config`` is the platform's own configuration, of which the gateway's endpoint gets the common values."""

    name: str
    url: str
    config: Mapping[str, Any]
    http: httpx.AsyncClient

    async def journal(self) -> AsyncIterator[dict[str, Any]]:
        """Everything that it received and did, oldest first: number, time, kind, keys, effect, reference; not the contents."""
        after = 0
        while page := await self._get("journal", {"after": after, "limit": _PAGE}):
            for entry in page:
                yield {key: entry[key] for key in _LINE}
            after = page[-1]["seq"]

    async def told_of(self, text: str) -> list[dict[str, Any]]:
        """The entries of its journal that contain this text."""
        return await self._get("journal", {"containing": text})

    async def records(self) -> list[dict[str, Any]]:
        """Its own ledger, one entry per business effect: message, business key, state."""
        return [
            {key: record.get(key) for key in _RECORD}
            for record in await self._get("records", {"only": ",".join(_RECORD)})
        ]

    async def set_clerk(self, setting: Mapping[str, Any]) -> None:
        """Let its clerk decide by himself, or (empty) rest."""
        reply = await self.http.post(f"{self.url}/_mock/autopilot", json=dict(setting))
        reply.raise_for_status()

    async def refer(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Have its clerk hand a case over; what he answers.

        Raises:
            httpx.HTTPStatusError: he refuses (422), as he does a number that he has given before.
        """
        reply = await self.http.post(f"{self.url}/_mock/refer", json=dict(order))
        reply.raise_for_status()
        answer: dict[str, Any] = orjson.loads(reply.content)
        return answer

    async def referred(self, mark: str) -> str | None:
        """The reference of the matter that it announced with this mark in its text."""
        return next((str(entry["ref"]) for entry in await self.told_of(mark) if entry["effect"] == "announced"), None)

    async def _get(self, what: str, query: Mapping[str, int | str]) -> list[dict[str, Any]]:
        reply = await self.http.get(f"{self.url}/_mock/{what}", params=query)
        reply.raise_for_status()
        found: list[dict[str, Any]] = orjson.loads(reply.content)
        return found


@dataclass(slots=True)
class Mocks:
    """The child process with its platforms. It ends with ``stop``, and by itself when this process dies."""

    child: asyncio.subprocess.Process
    log: BinaryIO
    http: httpx.AsyncClient
    platforms: dict[str, Platform] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self.child.pid

    async def stop(self) -> None:
        """End the child in order, or by force where it does not listen."""
        await self.http.aclose()
        if self.child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.child.terminate()
            try:
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await self.child.wait()
            except TimeoutError:
                self.child.kill()
                await self.child.wait()
        self.log.close()


async def start_mocks(
    data: Path,
    ports: Mapping[str, int],
    callbacks: str,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    lock: int,
    parent: int,
    log: Path,
) -> Mocks:
    """Start the mocks that ``ports`` names, clerks at rest, and wait until they answer.

    Args:
        settings: keys of their configurations, by name.
        lock: a descriptor that the child inherits and holds to its end.

    Raises:
        StageRefused: they did not come up; their log says why.
    """
    for name in ports:
        # A clerk whose mind was set by a former run would decide before the gateway can listen.
        (data / name / "autopilot.json").unlink(missing_ok=True)
    arguments = [*ports, "--data", str(data), "--callbacks", callbacks, "--parent", str(parent)]
    arguments += ["--ports", ",".join(f"{name}={port}" for name, port in ports.items())]
    for name, values in settings.items():
        for key, value in values.items():
            arguments += ["--set", f"{name}.{key}={json.dumps(value)}"]
    log.parent.mkdir(parents=True, exist_ok=True)
    written = log.open("ab")
    child = await asyncio.create_subprocess_exec(
        *_ARGV,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=written,
        pass_fds=(lock,),
        start_new_session=True,  # Ctrl-C is ours to answer, in order
    )
    mocks = Mocks(child, written, httpx.AsyncClient(timeout=30.0, trust_env=False))
    try:
        async with asyncio.timeout(_READY_WITHIN_S):
            await _until_ready(mocks)
    except BaseException as error:
        await mocks.stop()
        if isinstance(error, TimeoutError | StageRefused):
            raise StageRefused(f"模拟平台未能启动，见 the mocks did not start, see {log}") from None
        raise
    return mocks


async def _until_ready(mocks: Mocks) -> None:
    out = mocks.child.stdout
    if out is None:
        raise StageRefused("no output")
    async for raw in out:
        line = json.loads(raw)
        if line.get("ready"):
            return
        config = json.loads(await asyncio.to_thread(Path(line["config"]).read_text, "utf-8"))
        mocks.platforms[line["mock"]] = Platform(line["mock"], line["url"], config, mocks.http)
    raise StageRefused("the mocks ended before they were ready")
