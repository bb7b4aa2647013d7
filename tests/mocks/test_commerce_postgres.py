"""The chambers' mock over a real PostgreSQL, and the front before it (page §1, §9)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.mocks.commerce_client import CASE, NUMBER, ORGANIZATION, Client, digest_in, running
from tests.servers.databases import Server, execute, new_database
from tests.servers.process import free_port

ACCOUNT = "tj_gateway"
INSERT = """INSERT INTO tjex.TJ_OUT (OUT_ID, BIZ_TYPE, OPERATE_TYPE, CASE_KEY, SEQ_NO, ORG_CODE, NR, FILE_COUNT, DIGEST,
CREATED_AT) VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9) ON CONFLICT (OUT_ID) DO NOTHING"""


@dataclass
class Stage:
    """The mock, and the address that the gateway's account uses."""

    client: Client
    url: str
    server_url: str

    async def connect(self) -> Any:
        return await asyncpg.connect(self.url, timeout=5)

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """What the account reads, past the front."""
        connection = await asyncpg.connect(self.server_url, timeout=5)
        try:
            return [
                {name.upper(): value for name, value in row.items()} for row in await connection.fetch(sql, *values)
            ]
        finally:
            await connection.close()

    async def insert(self, connection: Any, number: int) -> str:
        """One row, in a transaction as the page has it."""
        nr = CASE | {"ah": f"{NUMBER}{number}"}
        row = self.client.row(nr, CASE_KEY=f"{ORGANIZATION}#{NUMBER}{number}")
        names = (
            "OUT_ID",
            "BIZ_TYPE",
            "OPERATE_TYPE",
            "CASE_KEY",
            "ORG_CODE",
            "NR",
            "FILE_COUNT",
            "DIGEST",
            "CREATED_AT",
        )
        async with connection.transaction():
            await connection.execute(INSERT, *(row[name] for name in names))
        return str(row["OUT_ID"])

    async def done(self, out_id: str) -> list[dict[str, Any]]:
        """The news about a row that was accepted."""
        async with asyncio.timeout(10):
            while True:
                news = await self.rows("SELECT * FROM tjex.TJ_IN WHERE OUT_ID = $1 ORDER BY IN_ID", out_id)
                if news and news[-1]["KIND"] == "01":
                    return news
                await asyncio.sleep(0.02)


def _as(url: str, account: str, port: int | None = None) -> str:
    parts = urlsplit(url)
    host = f"{account}@127.0.0.1:{port or parts.port}"
    return urlunsplit(("postgresql", host, parts.path, parts.query, ""))


@asynccontextmanager
async def stage(server: Server, data: Path) -> AsyncIterator[Stage]:
    url = await new_database(server)
    await execute(
        url,
        f"DO $$ BEGIN CREATE ROLE {ACCOUNT} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        f"ALTER ROLE {ACCOUNT} LOGIN",
    )
    front = _as(url, "postgres", free_port())
    async with running(data, database_url=front, server_url=url, gateway_account=ACCOUNT) as client:
        yield Stage(client, _as(front, ACCOUNT), _as(url, ACCOUNT))


@pytest.fixture
async def there(postgres: Server, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(postgres, tmp_path / "commerce") as made:
        yield made


async def test_the_same_over_postgresql(there: Stage) -> None:
    connection = await there.connect()
    try:
        news = await there.done(await there.insert(connection, 1))
        assert [row["KIND"] for row in news] == ["00", "01"]
        assert all(row["DIGEST"] == digest_in(row) for row in news)
        await there.client.decide(news[-1]["PLAT_NO"], "accept")
        await connection.execute("UPDATE tjex.TJ_IN SET READ_STATUS = 2, READ_AT = '2026-09-17 10:00:40'")
        beat = "UPDATE tjex.TJ_HEART SET BEAT_AT = '2026-09-17 10:00:00' WHERE NODE = "
        assert await connection.execute(f"{beat}'GATEWAY'") == "UPDATE 1"
        assert await connection.execute(f"{beat}'READER'") == "UPDATE 0", "its own row alone"
        for denied in (
            "UPDATE tjex.TJ_HEART SET NODE = 'X' WHERE NODE = 'GATEWAY'",
            "INSERT INTO tjex.TJ_HEART (NODE, BEAT_AT, PERIOD_S, STATE) VALUES ('X', '2026-09-17 10:00:00', 60, 'RUN')",
            "DELETE FROM tjex.TJ_OUT",
            "UPDATE tjex.TJ_OUT SET NR = '{}'",
            "UPDATE tjex.TJ_IN SET ZT = '99'",
            "INSERT INTO tjex.TJ_DICT (DICT_TYPE, CODE, NAME) VALUES ('AY', '1', 'x')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(denied)
    finally:
        await connection.close()
    await there.client.runs()
    assert await there.client.breaches() == []
    assert {row["STATE"] for row in await there.rows("SELECT STATE FROM tjex.TJ_HEART")} == {"RUN"}


async def test_the_front_closes_cuts_and_delays(there: Stage) -> None:
    connection = await there.connect()
    await there.client.fault("*", "slow", after_ms=300)
    begun = time.monotonic()
    await connection.fetch("SELECT 1")
    assert time.monotonic() - begun >= 0.3
    await there.client.fault("insert", "reset")
    with pytest.raises((OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await there.insert(connection, 1)
    await there.client.fault("*", "refuse", after_ms=400)
    async with asyncio.timeout(10):
        with pytest.raises(OSError):  # noqa: PT011 -- refused or reset
            while True:
                await (await there.connect()).close()
        while True:
            try:
                connection = await there.connect()
                break
            except OSError:
                await asyncio.sleep(0.02)
    assert await there.done(await there.insert(connection, 2))
    await connection.close()


async def test_the_commit_arrives_and_the_answer_does_not(there: Stage) -> None:
    connection = await there.connect()
    await there.client.fault("insert", "accept_then_reset")
    with pytest.raises((OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await there.insert(connection, 3)
    rows = await there.rows("SELECT OUT_ID FROM tjex.TJ_OUT")
    assert len(rows) == 1
    assert await there.done(rows[0]["OUT_ID"])


async def test_a_lock_on_the_table_and_a_locked_account(there: Stage) -> None:
    connection = await there.connect()
    await connection.execute("SET lock_timeout = 50")
    await there.client.fault("poll", "stall", after_ms=600)
    async with asyncio.timeout(10):
        with pytest.raises(asyncpg.LockNotAvailableError):
            while True:
                await connection.fetch("SELECT * FROM tjex.TJ_IN")
    assert await connection.fetch("SELECT * FROM tjex.TJ_DICT")
    await there.client.fault("*", "expire_session")
    async with asyncio.timeout(10):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            while True:
                await (await there.connect()).close()
        await there.client.control("DELETE", "faults")
        while True:
            try:
                await (await there.connect()).close()
                break
            except asyncpg.InvalidAuthorizationSpecificationError:
                await asyncio.sleep(0.02)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetch("SELECT 1")
