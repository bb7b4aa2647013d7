"""One mock platform on one port: its files, its socket, its life."""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from mocks.autopilot import Autopilot
from mocks.clock import Clock
from mocks.control import Control, guarded
from mocks.faults import Faults
from mocks.journal import Journal
from mocks.platform import Json, Platform
from mocks.transport import Handler, abort, serve

#: Name of each platform → the module whose class with that ``name`` is its mock; imported when it is started.
PLATFORMS = {
    "hr_arbitration": "mocks.hr_arbitration",
    "court_mediation": "mocks.court_mediation",
    "one_stop": "mocks.one_stop",
    "union": "mocks.union",
    "national_mediation": "mocks.national_mediation",
    "commerce_federation": "mocks.commerce_federation",
    "enterprise_confederation": "mocks.enterprise_confederation",
    "webhook": "mocks.webhook",
}


def _unlike(default: Any, value: Any) -> str:
    """What a setting should have been, where it is nothing like its default; else empty."""
    for kinds, words in (((bool,), "true or false"), ((str,), "a text"), ((list,), "a list"), ((dict,), "an object")):
        if isinstance(default, kinds):
            return "" if isinstance(value, kinds) else words
    number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return "" if number or not isinstance(default, int | float) else "a number, 0 or more"


def load(name: str) -> type[Platform]:
    """The class of the platform ``name``. Raises ``LookupError`` (unknown name) or ``ImportError`` (it is broken)."""
    if name not in PLATFORMS:
        raise LookupError(f"unknown platform {name!r}; known: {', '.join(PLATFORMS)}")
    module = importlib.import_module(PLATFORMS[name])
    for value in (getattr(module, "PLATFORM", None), *vars(module).values()):
        if isinstance(value, type) and issubclass(value, Platform) and getattr(value, "name", "") == name:
            return value
    raise ImportError(f"{PLATFORMS[name]} exports no Platform named {name}")


class MockServer:
    """Serves one platform: ``start()``, then ``url``, ``platform`` and ``config_path`` are there; then ``stop()``.

    ``data`` is the platform's own directory (config.json, journal.ndjson, autopilot.json and what the platform keeps).
    A config.json that is there is used again, else it is written with fresh secrets; ``config`` (a file of the tester)
    is used as it stands. ``settings`` overrides single keys, also in config.json. ``port`` None = the port
    of the configuration's ``base_url`` where it is free, else any; 0 = any.
    """

    def __init__(
        self,
        kind: type[Platform],
        data: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        config: Path | None = None,
        callbacks: str = "http://127.0.0.1:8080/callbacks",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._kind = kind
        self._data = data
        self._host = host
        self._port = port
        self._own_config = config is None
        self.config_path = config if config is not None else data / "config.json"
        self._callbacks = callbacks
        self._settings = dict(settings or {})
        self.clock = Clock()
        self.faults = Faults()
        self.url = ""
        self.platform: Platform
        self._journal: Journal
        self._autopilot: Autopilot
        self._runner: web.AppRunner
        self._listener: asyncio.Server | None = None
        self._reopen: asyncio.TimerHandle | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._busy: list[asyncio.Transport | None] = []

    async def start(self) -> None:
        """Read or write the configuration, rebuild the state, listen.

        Raises ``ValueError`` for a setting that the platform does not have, ``OSError`` for a port that is taken.
        """
        self._data.mkdir(parents=True, exist_ok=True)
        stored: Json | None = None
        if self.config_path.exists():
            stored = json.loads(self.config_path.read_text("utf-8"))
        elif not self._own_config:
            raise ValueError(f"no such configuration file: {self.config_path}")
        listening = self._bind(stored)
        self._port = listening.getsockname()[1]
        self.url = f"http://{_bracket(self._host)}:{self._port}"
        try:
            config = self._configure(stored)
            self._journal = Journal(self._data / "journal.ndjson")
            self.platform = self._kind(
                data=self._data, config=config, clock=self.clock, faults=self.faults, journal=self._journal
            )
            self.platform.restore(self._journal.replay())
            self._autopilot = Autopilot(self.platform, self._data / "autopilot.json")
            self._runner = web.AppRunner(
                self._application(), access_log=None, auto_decompress=False, shutdown_timeout=0.5, keepalive_timeout=75
            )
            await self._runner.setup()
            await self._listen(listening)
        except BaseException:
            listening.close()
            if "_journal" in vars(self):
                await self._journal.close()
            raise
        try:
            await self.platform.start()
        except BaseException:
            if self._listener is not None:
                self._listener.close()
            await self._runner.cleanup()
            await self._journal.close()
            raise
        self._autopilot.start()

    async def stop(self) -> None:
        """Stop listening, end the requests, close the journal."""
        for timer in (self._reopen, self._closing):
            if timer is not None:
                timer.cancel()
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        await self._autopilot.stop()
        await self.platform.stop()
        await self._runner.cleanup()
        await self._journal.close()

    # --- configuration

    def _bind(self, stored: Json | None) -> socket.socket:
        wanted = self._port
        if wanted is None:
            wanted = 0
            if stored is not None and (port := urlsplit(str(stored.get("base_url", ""))).port):
                try:
                    return _socket(self._host, port)
                except OSError:
                    wanted = 0
        return _socket(self._host, wanted)

    def _configure(self, stored: Json | None) -> Json:
        default = self._kind.default_config(self.url, self._callbacks)
        known = {*default, *self._kind.optional_config}
        if unknown := sorted(set(self._settings) - known):
            raise ValueError(
                f"{self._kind.name} has no setting {', '.join(unknown)}; it has: {', '.join(sorted(known))}"
            )
        if stored is not None and (unknown := sorted(set(stored) - known)):
            raise ValueError(f"{self.config_path}: unknown key {', '.join(unknown)}")
        config = default | (stored or {}) | self._settings
        for key in default:
            if expected := _unlike(default[key], config[key]):
                raise ValueError(f"{self._kind.name}: {key} must be {expected}")
        if self._own_config:
            config |= {key: default[key] for key in self._kind.addresses & default.keys() - self._settings.keys()}
            text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
            if stored != config:
                self.config_path.write_text(text, "utf-8")
                self.config_path.chmod(0o600)
        return config

    # --- socket

    def _application(self) -> web.Application:
        @web.middleware
        async def rooms(request: web.Request, handler: Handler) -> web.StreamResponse:
            transport = request.transport
            self._busy.append(transport)
            try:
                return await answer(request, handler)
            finally:
                self._busy.remove(transport)

        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_mock/"):
                return await guarded(request, handler)
            if request.path == "/_trap":
                return await handler(request)
            return await serve(self.platform, request, handler)

        application = web.Application(middlewares=[rooms], client_max_size=self.platform.body_limit)
        application.add_routes(Control(self.platform, self._autopilot, self.refuse).routes())
        application.add_routes([web.route("*", "/_trap", self._trap)])
        application.add_routes(self.platform.routes())
        return application

    async def _trap(self, request: web.Request) -> web.Response:
        """Where redirects of faults point to: nobody may come here, so each visit stands in the journal."""
        await self._journal.append(
            kind="trap",
            business_key="",
            message_id="",
            digest="",
            effect="refused",
            ref="",
            payload={"method": request.method},
        )
        return web.Response(text="trap")

    async def _listen(self, listening: socket.socket) -> None:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        self._listener = await asyncio.get_running_loop().create_server(server, sock=listening, backlog=1024)

    def refuse(self, seconds: float) -> None:
        """Close the port: new connections are refused and idle ones closed, for ``seconds``; then listen again."""
        loop = asyncio.get_running_loop()
        # The tester's own answer goes out first.
        self._closing = loop.call_later(0.02, self._close_port)
        if self._reopen is not None:
            self._reopen.cancel()
        self._reopen = loop.call_later(0.02 + seconds, self._start_reopening)

    def _close_port(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._runner.server is not None:
            for connection in list(self._runner.server.connections):
                if connection.transport in self._busy:
                    connection.close()  # after the answer that is on its way
                elif connection.transport is not None:
                    connection.transport.close()

    def _start_reopening(self) -> None:
        self._reopening = asyncio.create_task(self._open_port())

    async def _open_port(self) -> None:
        if self._listener is None and self._port is not None:
            await self._listen(_socket(self._host, self._port))


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


__all__ = ["PLATFORMS", "MockServer", "abort", "load"]
