"""What commands do with the house itself: serve it, migrate its database, enter a client. Loaded by those alone."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import typer

from gateway import logs
from gateway.app import build, database_path, machine_ms, read_keys
from gateway.cli.exits import Exit, leave
from gateway.demo.stage import add_client
from gateway.security.clients import make_key
from gateway.security.fields import Sealer
from gateway.settings import Settings
from gateway.store.engine import Sqlite
from gateway.store.ids import Ids
from gateway.store.migrate import migrate_sqlite
from gateway.store.store import open_sqlite
from gateway.web.listen import Listener, listening_socket
from gateway.web.server import web


async def serve_until_told(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    logs.configure()
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _once, loop, end)
    try:
        bound = listening_socket(settings.host, settings.port)
    except OSError as error:
        leave(
            Exit.BUSY,
            f"无法监听 cannot listen on {settings.host}:{settings.port}（{error.strerror}）",
            "该端口已被占用，或地址不属于本机。The port is taken, or the address is not this machine's.",
        )
    house = None
    try:
        house = await build(settings)
        listener = Listener(web(house), bound)
        await listener.start()
        house.start()
        host, port = bound.getsockname()[:2]
        typer.echo(f"就绪 ready http://{f'[{host}]' if ':' in host else host}:{port}")
        told, died = asyncio.create_task(end.wait()), asyncio.create_task(listener.ended())
        await asyncio.wait((told, died), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        await listener.stop()
        return Exit.OK if end.is_set() else Exit.FAILED
    finally:
        bound.close()
        if house is not None:
            await house.close()


def _once(loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> None:
    """The first signal ends in order; a second one has its plain effect."""
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
    end.set()


async def migrated(settings: Settings) -> tuple[Path, str | None, str]:
    """Migrate; returns the database with its revisions before and after.

    Raises:
        StoreLocked: another process has it.
    """
    path = database_path(settings)
    if path.exists():
        await _try_lock(path)
    before, after = await asyncio.to_thread(migrate_sqlite, path)
    return path, before, after


async def client_added(
    settings: Settings, name: str, scopes: tuple[str, ...], codes: tuple[str, ...]
) -> dict[str, str]:
    """Enter a client; its id and its key, which is kept nowhere.

    Raises:
        SettingsRefused: no usable keys.
        StoreLocked: another process has the database.
    """
    path = database_path(settings)
    sealer = Sealer(read_keys(settings))
    if path.exists():
        await _try_lock(path)
    await asyncio.to_thread(migrate_sqlite, path)
    store = await open_sqlite(path, sealer, Ids(machine_ms, os.urandom), machine_ms)
    try:
        key = make_key()
        return {"client": await add_client(store, key, name, scopes, codes), "key": key.shown}
    finally:
        await store.close()


async def _try_lock(path: Path) -> None:
    """Raises ``StoreLocked`` while another process has the database."""
    await Sqlite(path, machine_ms).close()
