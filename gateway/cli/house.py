"""What commands do with the house itself: serve it, work in it, migrate its database, enter a client. Loaded by those alone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import typer

from gateway import interpreter
from gateway.app import build
from gateway.cli.exits import Exit, leave
from gateway.flow.house import House
from gateway.flow.registering.accounts import Accounts
from gateway.flow.registering.clients import Clients
from gateway.security.passwords import Hasher
from gateway.settings import Settings, SettingsRefused
from gateway.store.engine import Sqlite
from gateway.store.journal import AuditHead, AuditVerdict, verify_audit
from gateway.store.migrate import SchemaUnknown, migrate_postgres, migrate_sqlite
from gateway.store.months import Part
from gateway.store.opening import database_path, machine_ms, open_store
from gateway.store.store import Store
from gateway.web.figures import figures_door
from gateway.web.listen import Listener, listening_socket
from gateway.web.server import web

_ACTOR: Final = "cli"
"""Who acts, in the audit trail: whoever may read the gateway's configuration and keys on its machine."""


@contextmanager
def _schema_known() -> Iterator[None]:
    try:
        yield
    except SchemaUnknown as error:
        raise SettingsRefused([f"database: a newer version of the gateway has migrated it ({error})"]) from None


def _end_by_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets, once: a second signal has its plain effect."""
    end, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def told() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
        end.set()

    for number in numbers:
        loop.add_signal_handler(number, told)
    return end


@asynccontextmanager
async def _figures_told(house: House) -> AsyncIterator[None]:
    """``/metrics`` on a port of its own, where the settings want one."""
    wanted = house.settings.metrics
    if wanted.port is None:
        yield
        return
    try:
        bound = listening_socket(wanted.host, wanted.port)
    except OSError as error:
        leave(
            Exit.BUSY,
            f"无法监听 cannot listen on {wanted.host}:{wanted.port}（{error.strerror}）",
            "指标端口被占用，或地址不属于本机。The port for metrics is taken, or the address is not this machine's.",
        )
    listener = Listener(figures_door(house), bound)
    await listener.start()
    host, port = bound.getsockname()[:2]
    typer.echo(f"指标 metrics http://{f'[{host}]' if ':' in host else host}:{port}/metrics")
    try:
        yield
    finally:
        await listener.stop()


async def serve_until_told(settings: Settings, *, work: bool) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code. Without ``work`` other processes deliver."""
    end = _end_by_signal()
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
        with _schema_known():
            house = await build(settings)
        listener = Listener(web(house), bound, settings.limits.connections_of_one)
        await listener.start()
        house.start(work=work)
        interpreter.settle()
        host, port = bound.getsockname()[:2]
        typer.echo(f"就绪 ready http://{f'[{host}]' if ':' in host else host}:{port}")
        async with _figures_told(house):
            told, died = asyncio.create_task(end.wait()), asyncio.create_task(listener.ended())
            await asyncio.wait((told, died), return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
        house.worker.halt()
        await listener.stop()
        return Exit.OK if end.is_set() else Exit.FAILED
    finally:
        bound.close()
        if house is not None:
            await house.close()


async def work_until_told(settings: Settings) -> int:
    """Deliver, apply and relay until SIGTERM or SIGINT, without a door of its own."""
    end = _end_by_signal()
    with _schema_known():
        house = await build(settings)
    try:
        house.start()
        interpreter.settle()
        typer.echo("就绪 ready")
        async with _figures_told(house):
            await end.wait()
            house.worker.halt()
    finally:
        await house.close()
    return Exit.OK


async def migrated(settings: Settings) -> tuple[str | None, str]:
    """Migrate; returns the revisions before and after.

    Raises:
        StoreLocked: another process has the SQLite database.
        SettingsRefused: a newer version was here.
    """
    with _schema_known():
        if settings.database != "sqlite":
            return await migrate_postgres(settings.database)
        await _try_lock(settings)
        return await asyncio.to_thread(migrate_sqlite, database_path(settings))


async def client_added(
    settings: Settings, name: str, scopes: tuple[str, ...], codes: tuple[str, ...]
) -> dict[str, str]:
    """Enter a client; its id and its key, which is kept nowhere.

    Raises:
        ActRefused: see ``Clients.add``.
        SettingsRefused: no usable keys, or a newer version was here.
        StoreLocked: another process has the SQLite database.
    """
    async with _opened(settings) as store:
        added = await Clients(store).add(_ACTOR, name, scopes, codes)
    return {"client": added.client, "key": added.key}


async def client_rotated(settings: Settings, client: str, overlap_h: int, reason: str) -> dict[str, str]:
    """A new key for a client, which is kept nowhere, beside its id and name; the old keys end after the overlap.

    Raises:
        ActRefused: see ``Clients.rotate``.
        SettingsRefused: no usable keys, or a newer version was here.
        StoreLocked: another process has the SQLite database.
    """
    async with _opened(settings) as store:
        made = await Clients(store).rotate(_ACTOR, client, overlap_h, reason)
    return {"client": made.client, "name": made.name, "key": made.key}


async def key_disabled(settings: Settings, prefix: str, reason: str) -> None:
    """This key of a client is good no more.

    Raises:
        ActRefused: see ``Clients.disable``.
        SettingsRefused: no usable keys, or a newer version was here.
        StoreLocked: another process has the SQLite database.
    """
    async with _opened(settings) as store:
        await Clients(store).disable(_ACTOR, prefix, reason)


async def user_added(
    settings: Settings, name: str, title: str, role: str, password: str, *, made: bool, scope: str
) -> None:
    """Enter a user of the console. A password that was made for him must be changed.

    Raises:
        ActRefused: see ``Accounts.add``.
        SettingsRefused: no usable keys, or a newer version was here.
        StoreLocked: another process has the SQLite database.
    """
    async with _opened(settings) as store:
        hasher = Hasher()
        try:
            await Accounts(store, hasher, mode=settings.console.roles).add(
                _ACTOR, name, title, role, password, must_change=made, scope=scope
            )
        finally:
            hasher.close()


async def audit_verified(settings: Settings, kept: AuditHead | None) -> AuditVerdict:
    """Compute the audit chain anew. ``kept``: a head of it from before.

    Raises:
        SettingsRefused: no usable keys, or a newer version was here.
        StoreLocked: another process has the SQLite database.
    """
    async with _opened(settings) as store:
        return await store.runner.read(verify_audit, kept)


async def partitions_of(settings: Settings, *, mend: bool = False) -> list[Part]:
    """The months of the large tables, none on SQLite. ``mend``: what lies in no month gets one first.

    Raises:
        SettingsRefused: no usable keys, or a newer version was here.
        StoreLocked: another process has the SQLite database.
        StoreUnavailable: the server is away, or did not let the tables be changed.
    """
    if settings.database == "sqlite":
        return []
    from gateway.store.postgres import Postgres  # the driver is an extra: only those who use it need it

    async with _opened(settings) as store:
        if mend and isinstance(store.runner, Postgres):
            return await store.runner.mend_months()
        return await store.runner.months()


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    """The store, for one command; closed after it."""
    if settings.database == "sqlite":
        await _try_lock(settings)
    with _schema_known():
        store = await open_store(settings)
    try:
        yield store
    finally:
        await store.close()


async def _try_lock(settings: Settings) -> None:
    """Nothing is touched while another process has the database.

    Raises:
        StoreLocked: it has.
    """
    path = database_path(settings)
    if path.exists():
        await Sqlite(path, machine_ms).close()
