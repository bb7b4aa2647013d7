"""Two releases on one PostgreSQL, under load: the older one works, the newer one migrates and works beside it, the older one is
put back, or is refused. Nothing is lost, doubled, or out of its lane's order.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.cli.exits import Exit
from gateway.flow.house import House
from gateway.store.migrate import migrate_postgres
from tests.processes.hand import stand
from tests.processes.test_killed_hands import chain
from tests.seam.scene import until
from tests.seam.toys import IdempotentPlatform
from tests.servers.databases import Server, new_database

NEWER = Path(__file__).parent / "newer"
HANDS, PAUSE_S = 3, 0.1
"""Who post at once, each a case of two messages, and the time between two of them."""


class Site:
    """A door of the older package that takes cases without end, one platform, and processes that deliver."""

    def __init__(self, dsn: str, data: Path) -> None:
        self.dsn, self.data = dsn, data
        self.platform = IdempotentPlatform()
        self.taken = 0
        self.longest_s = 0.0
        self._door: House | None = None
        self._processes: list[asyncio.subprocess.Process] = []
        self._over = asyncio.Event()

    @property
    def door(self) -> House:
        """The door."""
        assert self._door is not None
        return self._door

    async def open(self) -> None:
        """Open the door."""
        await self.platform.start()
        self._door = await stand(self.dsn, self.data, self.platform.port)
        self._door.start(work=False)

    async def older(self) -> asyncio.subprocess.Process:
        """Start a process of today's package."""
        return await self._start("tests.processes.hand")

    async def newer(self, revision: str) -> asyncio.subprocess.Process:
        """Start a process of the next one."""
        return await self._start("tests.processes.newer.hand", str(NEWER / revision))

    async def _start(self, module: str, *more: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", module, self.dsn, str(self.data), str(self.platform.port), *more)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        self._processes.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(60):
            if await process.stdout.readline() != b"ready\n":
                _, said = await process.communicate()
                raise Refused(said.decode("utf-8", "replace"))
        return process

    async def post(self) -> None:
        """Take cases until it is over; whoever posts waits for his answer, and none is refused."""
        await asyncio.gather(*(self._hand() for _ in range(HANDS)))

    async def _hand(self) -> None:
        while not self._over.is_set():
            self.taken += 1
            began = time.monotonic()
            await chain(self.door, self.taken)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            await asyncio.sleep(PAUSE_S)

    async def flows(self, more: int = 12) -> None:
        """Wait until so many further deliveries have arrived."""
        wanted = len(self.platform.booked) + more

        async def arrived() -> bool:
            return len(self.platform.booked) >= wanted

        await until(arrived, f"{more} further deliveries", 30)

    def enough(self) -> None:
        """Take no more."""
        self._over.set()

    async def ask(self, sql: str) -> list[Any]:
        """Rows, from outside."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    async def whole(self) -> None:
        """Wait for the end of all deliveries, and count."""

        async def done() -> bool:
            return await self.ask("SELECT state, count(*) FROM deliveries GROUP BY 1") == [
                ("delivered", 2 * self.taken)
            ]

        await until(done, "everything is delivered", 40)
        assert len(self.platform.booked) == 2 * self.taken, "nothing is lost"
        assert {*Counter(booking.id for booking in self.platform.booked).values()} == {1}, "nothing is doubled"
        order: dict[str, list[str]] = defaultdict(list)
        for booking in self.platform.booked:
            order[booking.content[1]["case_no"]].append(booking.content[0])
        assert {tuple(operations) for operations in order.values()} == {("T1", "T3")}
        positions = [row["position"] for row in await self.door.store.rows("events_after", 0, 100_000)]
        assert positions == list(range(1, len(positions) + 1))
        assert self.longest_s < 5, "the migration held up whoever posted"

    async def close(self) -> None:
        """End everything."""
        self._over.set()
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.communicate()
        await self.door.close()
        await self.platform.stop()


class Refused(Exception):
    """A process did not start; what it said."""


@asynccontextmanager
async def site(postgres: Server, data: Path) -> AsyncIterator[Site]:
    """On a database of its own, which nobody uses after it: it holds tables of the future."""
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    made = Site(dsn, data)
    await made.open()
    posting = asyncio.create_task(made.post())
    try:
        yield made
        made.enough()
        await posting
        await made.whole()
    finally:
        posting.cancel()
        await made.close()


async def leave(process: asyncio.subprocess.Process) -> None:
    """End it in order."""
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0


@pytest.mark.timeout(150)
async def test_old_and_new_work_beside_each_other_and_the_old_one_can_be_put_back(
    postgres: Server, tmp_path: Path
) -> None:
    async with site(postgres, tmp_path) as place:
        before = await place.older()
        await place.flows()
        after = await place.newer("lets_in")
        assert await place.ask("SELECT version_num FROM alembic_version") == [("next",)]
        made = await place.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'deliveries_wave'::regclass")
        assert made == [(True,)]
        await place.flows()
        await leave(before)
        await place.flows()
        back = await place.older()
        await place.flows()
        await leave(after)
        await place.flows()
        assert back.returncode is None
        assert await place.ask("SELECT version_num FROM alembic_version") == [("next",)], (
            "putting back takes nothing away"
        )
    assert place.taken > 40


@pytest.mark.timeout(150)
async def test_the_old_one_is_not_started_again_where_the_new_revision_does_not_let_it_in(
    postgres: Server, tmp_path: Path
) -> None:
    async with site(postgres, tmp_path) as place:
        before = await place.older()
        await place.flows()
        await place.newer("shuts_out")
        await place.flows()
        assert before.returncode is None, "who runs is not asked"
        await leave(before)
        with pytest.raises(Refused, match="SchemaUnknown: next"):
            await place.older()
        await place.flows()
        code, said = await _told_by_the_command(place)
        assert (code, said.rpartition(" - ")[2]) == (
            Exit.CONFIG,
            "database: a newer version of the gateway has migrated it (next)",
        )
    assert place.taken > 20


async def _told_by_the_command(place: Site) -> tuple[int | None, str]:
    settings = place.data / "older.toml"
    settings.write_text(f'env = "development"\ndatabase = "{place.dsn}"\ndata = "{place.data}"\n', "utf-8")
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "work", "--config", str(settings)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(command.communicate(), 60)
    return command.returncode, " ".join(said.decode("utf-8", "replace").split())
