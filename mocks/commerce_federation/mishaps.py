"""What fails at the database itself on command (page §9): locks, a file that cannot be read, an account that is locked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import threading
import time
from typing import Final

from mocks.commerce_federation.database import Database, PostgresSession
from mocks.commerce_federation.reader import OPS
from mocks.commerce_federation.settings import Settings
from mocks.faults import Fault, Faults

LOCKS: Final = ("stall", "reset", "slow")
_TABLES: Final = {"poll": "TJ_IN", "probe": "TJ_HEART"}
_STALL_S: Final = 6.0
_SLOW_S: Final = 1.0
_LOOK_S: Final = 0.05
_HIDDEN: Final = ".hidden"


class Mishaps:
    """Plays the faults that concern no single row. ``changed`` after each order of a tester."""

    def __init__(self, settings: Settings, database: Database, faults: Faults) -> None:
        self._settings = settings
        self._database = database
        self._faults = faults
        self._ended = threading.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._refused_until = 0.0
        self._shut = False

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._play()), asyncio.create_task(self._keep())]

    async def recover(self) -> None:
        """A file that a crash left hidden is shown again."""
        await asyncio.to_thread(self._show)

    async def stop(self) -> None:
        """End, and leave nothing locked or hidden."""
        self._ended.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._shut:
            await asyncio.to_thread(self._set, False)

    def refuse(self, seconds: float) -> None:
        """SQLite: nobody can open the file for so long."""
        self._refused_until = time.monotonic() + seconds

    async def _play(self) -> None:
        actions = LOCKS if self._database.path is not None else ("stall",)
        while True:
            await asyncio.sleep(_LOOK_S)
            for op in OPS:
                if (fault := self._faults.take(op, *actions)) is not None:
                    with contextlib.suppress(Exception):
                        await asyncio.to_thread(self._lock, _TABLES.get(op, "TJ_OUT"), self._length(fault))
                    break

    def _length(self, fault: Fault) -> float:
        if fault.after_ms:
            return fault.after_ms / 1000
        if fault.action == "slow":
            return _SLOW_S
        return _STALL_S if fault.action == "stall" else self._settings.busy_timeout_ms / 1000 + 0.5

    def _lock(self, table: str, seconds: float) -> None:
        session = self._database.open()
        try:
            if isinstance(session, PostgresSession):
                session.run("SET idle_in_transaction_session_timeout = 0")
            with session.transaction():
                session.lock(table)
                self._ended.wait(seconds)
        finally:
            session.close()

    async def _keep(self) -> None:
        while True:
            locked = any(self._faults.standing(op, "expire_session") is not None for op in OPS)
            shut = locked or time.monotonic() < self._refused_until
            if shut != self._shut:
                await asyncio.to_thread(self._set, shut)
                self._shut = shut
            await asyncio.sleep(_LOOK_S)

    def _set(self, shut: bool) -> None:
        if self._database.path is None:
            self._set_account(locked=shut)
        elif shut:
            self._hide()
        else:
            self._show()

    def _hide(self) -> None:
        path = self._database.path
        if path is None or not path.is_file():
            return
        if os.geteuid():
            path.chmod(0)
            return
        # No right stops root; a directory in its place stops everybody, and keeps the journal of the file untouched.
        path.rename(path.with_name(path.name + _HIDDEN))
        path.mkdir()

    def _show(self) -> None:
        path = self._database.path
        if path is None:
            return
        hidden = path.with_name(path.name + _HIDDEN)
        if hidden.exists():
            if path.is_dir():
                path.rmdir()
            hidden.rename(path)
        elif path.exists() and not path.stat().st_mode & stat.S_IRUSR:
            path.chmod(0o600)

    def _set_account(self, *, locked: bool) -> None:
        account = self._settings.gateway_account
        session = self._database.open()
        try:
            session.run(f'ALTER ROLE "{account}" {"NOLOGIN" if locked else "LOGIN"}')
            if locked:
                session.rows(
                    "SELECT pg_terminate_backend(pid) AS ENDED FROM pg_stat_activity WHERE usename = ?", account
                )
        finally:
            session.close()
