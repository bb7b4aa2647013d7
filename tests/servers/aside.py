"""A small HTTP server beside a test, for what it wants to hear."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def served(
    application: web.Application, shutdown_s: float = 60.0, *, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The application on this machine, on a free port or on that one, which is told."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=shutdown_s)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
