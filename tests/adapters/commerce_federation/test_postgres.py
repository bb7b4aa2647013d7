"""The same statements on a real PostgreSQL, under an account that has the rights of the page and no others (page §1)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import trustme

from adapters.commerce_federation import CommerceFederation, postgres
from adapters.commerce_federation.postgres import PostgresDatabase, numbered
from adapters.commerce_federation.wire import Ask, Work
from contracts.adapter import Wire
from contracts.errors import AdapterError, EndpointError, RetryableError
from contracts.messages import MessageType as M
from contracts.update import StatusUpdate
from tests.adapters.ways import NO_HTTP
from tests.servers.databases import Server, execute, new_database
from tests.servers.process import free_port

from . import documents as d
from .exchange import DDL, FILES, HEARTS, HERE, IN_ROW, NOW, ROLE, in_row, settings, tools
from .test_poll import call

GRANTS = """
GRANT USAGE ON SCHEMA tjex TO tj_gateway;
GRANT SELECT ON ALL TABLES IN SCHEMA tjex TO tj_gateway;
GRANT INSERT ON TJ_OUT, TJ_FILE TO tj_gateway;
GRANT UPDATE (UPLOAD_STATUS, RESEND_COUNT, FAIL_CODE, FAIL_REASON, DONE_AT) ON TJ_OUT TO tj_gateway;
GRANT UPDATE (READ_STATUS, READ_AT, READ_NOTE) ON TJ_IN TO tj_gateway;
GRANT UPDATE ON TJ_HEART TO tj_gateway;
"""


@dataclass
class Tables:
    """One database of the exchange; ``address`` is the superuser's."""

    address: str
    url: str = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        self.url = f"postgresql://{parts.hostname}:{parts.port}{parts.path}"

    async def do(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement of the platform."""
        connection = await asyncpg.connect(self.address, server_settings={"search_path": "tjex"})
        try:
            return [tuple(row) for row in await connection.fetch(numbered(sql), *values)]
        finally:
            await connection.close()

    def adapter(self, url: str | None = None, **changes: Any) -> CommerceFederation:
        """The adapter before them."""
        return CommerceFederation(d.ENDPOINT, settings(url or self.url, **changes), tools(lambda: NOW, FILES))


@pytest.fixture
async def tables(postgres: Server) -> AsyncIterator[Tables]:
    address = await new_database(postgres)
    await execute(address, ROLE, f"CREATE SCHEMA tjex; SET search_path = tjex; {DDL} {HEARTS}; {GRANTS}")
    yield Tables(address)
    await execute(address, ROLE)


def wire(one: CommerceFederation, kind: M = M.CASE_SUBMITTED) -> Wire:
    """The wire of a sample."""
    return one.translate(d.message(kind, d.SENT[kind][0]), d.SENT[kind][1])


async def fails(one: CommerceFederation) -> AdapterError:
    """The error of one attempt."""
    with pytest.raises(AdapterError) as found:
        await one.send(wire(one), NO_HTTP)
    return found.value


async def test_a_filing_its_repeat_and_its_look_up(tables: Tables) -> None:
    one = tables.adapter()
    assert await one.lookup(wire(one), NO_HTTP) is None
    first, again = await one.send(wire(one), NO_HTTP), await one.send(wire(one), NO_HTTP)
    assert (first.relayed, first.duplicate, again.duplicate) == (True, False, True)
    rows = await tables.do("SELECT NR, DIGEST, SEQ_NO, CREATED_AT, UPLOAD_STATUS FROM TJ_OUT")
    assert rows == [(d.NR, d.DIGEST, 1, HERE, 0)]
    await tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 2, PLAT_NO = 'S1'")
    found = await one.lookup(wire(one), NO_HTTP)
    assert found is not None
    assert (found.reference, found.relayed) == ("S1", False)


async def test_files_and_another_try(tables: Tables) -> None:
    one = tables.adapter()
    await one.send(wire(one, M.AGREEMENT_CONCLUDED), NO_HTTP)
    assert await tables.do("SELECT FILE_NO, CHUNK_NO, CHUNK_COUNT, FILE_SIZE FROM TJ_FILE") == [(1, 1, 1, 11)]
    await tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 3, FAIL_CODE = 'E80', FAIL_REASON = '忙'")
    await one.send(wire(one, M.AGREEMENT_CONCLUDED), NO_HTTP)
    assert await tables.do("SELECT UPLOAD_STATUS, RESEND_COUNT, FAIL_CODE FROM TJ_OUT") == [(0, 1, None)]


async def test_a_poll_its_marks_and_our_heart(tables: Tables) -> None:
    for row in (in_row(502, "01", PLAT_NO="S1"), in_row(501, "00"), in_row(503, "07")):
        await tables.do(IN_ROW, *row)
    one = tables.adapter()
    polled = await one.poll(None, NO_HTTP)
    assert [item.event_id for item in polled.items] == ["501", "502", "503"]
    (word,) = one.parse_callback(call(polled.items[1].body))
    assert isinstance(word, StatusUpdate)
    assert word.status == "accepted"
    await one.mark_read(polled.items, NO_HTTP)
    assert (await one.poll(polled.cursor, NO_HTTP)).items == ()
    rows = await tables.do("SELECT IN_ID, READ_STATUS, READ_AT, READ_NOTE FROM TJ_IN ORDER BY IN_ID")
    assert rows == [(501, 1, HERE, None), (502, 1, HERE, None), (503, 3, HERE, "unknown_kind")]
    assert await tables.do("SELECT BEAT_AT FROM TJ_HEART WHERE NODE = 'GATEWAY'") == [(HERE,)]


async def test_a_probe(tables: Tables) -> None:
    await tables.adapter().probe(NO_HTTP)
    with pytest.raises(EndpointError, match="table_missing"):
        await tables.adapter(schema="elsewhere").probe(NO_HTTP)


async def test_what_the_operator_heals(tables: Tables) -> None:
    async def told(spoil: str) -> str:
        await tables.do(spoil)
        error = await fails(tables.adapter())
        assert isinstance(error, EndpointError)
        return error.code

    assert await told("REVOKE INSERT ON TJ_OUT FROM tj_gateway") == "right_missing"
    await tables.do("GRANT INSERT ON TJ_OUT TO tj_gateway")
    assert await told("ALTER TABLE TJ_OUT ADD CHECK (SEQ_NO > 5) NOT VALID") == "constraint_violated"
    assert await told("DROP TABLE TJ_OUT") == "table_missing"
    assert await told("ALTER ROLE tj_gateway NOLOGIN") == "login_refused"
    elsewhere = await fails(tables.adapter(f"{tables.url}_none"))
    assert elsewhere.code in ("database_unknown", "login_refused")


async def test_a_lock_is_waited_for_and_then_retried(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres._BOUNDS, "lock_timeout", "50")
    connection = await asyncpg.connect(tables.address, server_settings={"search_path": "tjex"})
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE TJ_OUT IN ACCESS EXCLUSIVE MODE")
            error = await fails(tables.adapter())
    finally:
        await connection.close()
    assert isinstance(error, RetryableError)
    assert (error.code, error.maybe_accepted) == ("database_busy", False)


async def test_a_slow_statement_is_retried(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres._BOUNDS, "statement_timeout", "50")
    await tables.do(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$"
    )
    await tables.do("CREATE TRIGGER slow BEFORE INSERT ON TJ_OUT FOR EACH ROW EXECUTE FUNCTION slow()")
    error = await fails(tables.adapter())
    assert isinstance(error, RetryableError)
    assert (error.code, error.maybe_accepted) == ("timeout", False)


async def test_nobody_listens() -> None:
    one = CommerceFederation(d.ENDPOINT, settings(f"postgresql://127.0.0.1:{free_port()}/x"), tools(lambda: NOW))
    error = await fails(one)
    assert isinstance(error, RetryableError)
    assert (error.code, error.maybe_accepted) == ("unreachable", False)


@asynccontextmanager
async def cutting(tables: Tables, at: bytes, *, deliver: bool) -> AsyncIterator[str]:
    """The address of a front that cuts the connection when the client sends this, before or after the server has it."""
    parts = urlsplit(tables.url)

    async def front(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(parts.hostname, parts.port)
        cut = asyncio.Event()

        async def up() -> None:
            while data := await reader.read(65536):
                if at in data:
                    cut.set()
                    if deliver:
                        back_writer.write(data)
                        await back_writer.drain()
                        await asyncio.sleep(0.2)
                    writer.transport.abort()
                    return
                back_writer.write(data)
                await back_writer.drain()

        async def down() -> None:
            while data := await back_reader.read(65536):
                if cut.is_set():
                    return
                writer.write(data)

        answers = asyncio.create_task(down())
        with suppress(ConnectionError):
            await up()
        answers.cancel()
        back_writer.close()
        with suppress(ConnectionError):
            await back_writer.wait_closed()
        writer.close()

    server = await asyncio.start_server(front, "127.0.0.1", 0)
    try:
        yield f"postgresql://127.0.0.1:{server.sockets[0].getsockname()[1]}{parts.path}"
    finally:
        server.close()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(("deliver", "rows"), [(True, 1), (False, 0)])
async def test_a_connection_lost_during_the_commit_is_doubt(tables: Tables, deliver: bool, rows: int) -> None:
    async with cutting(tables, b"COMMIT\0", deliver=deliver) as url:
        error = await fails(tables.adapter(url))
    assert isinstance(error, RetryableError)
    assert (error.code, error.maybe_accepted) == ("broken_off", True)
    assert await tables.do("SELECT COUNT(*) FROM TJ_OUT") == [(rows,)]
    receipt = await tables.adapter().send(wire(tables.adapter()), NO_HTTP)
    assert receipt.duplicate == deliver
    assert await tables.do("SELECT COUNT(*) FROM TJ_OUT") == [(1,)]


async def test_a_connection_lost_before_the_commit_is_none(tables: Tables) -> None:
    async with cutting(tables, b"INSERT", deliver=True) as url:
        error = await fails(tables.adapter(url))
    assert isinstance(error, RetryableError)
    assert (error.code, error.maybe_accepted) == ("broken_off", False)
    assert await tables.do("SELECT COUNT(*) FROM TJ_OUT") == [(0,)]


async def test_a_server_without_tls_is_the_operators(tables: Tables, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    error = await fails(tables.adapter(ca_file=str(authority)))
    assert isinstance(error, EndpointError)
    assert error.code == "certificate_refused"


async def test_no_more_connections_than_agreed(tables: Tables) -> None:
    one = tables.adapter()
    seen = 0

    async def hold() -> None:
        nonlocal seen
        async with one.database.session():
            (row,) = await tables.do("SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'tj_gateway'")
            seen = max(seen, row[0])

    await asyncio.gather(*(hold() for _ in range(8)))
    assert 1 <= seen <= 4


async def test_what_a_connection_is_bound_to(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> Work[dict[str, str]]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation")
        found = {}
        for name in names:
            ((found[name],),) = yield Ask(f"SHOW {name}")
        return found

    waits: list[float] = []
    connect = asyncpg.connect

    async def noted(**how: Any) -> Any:
        waits.append(how["timeout"])
        return await connect(**how)

    monkeypatch.setattr(asyncpg, "connect", noted)
    async with tables.adapter().database.session() as session:
        assert await session.run(shown(), reading=True) == {
            "statement_timeout": "5s",
            "lock_timeout": "2s",
            "idle_in_transaction_session_timeout": "10s",
            "transaction_isolation": "read committed",
        }
    async with tables.adapter(connect_s=1.5).database.session():
        pass
    assert waits == [5.0, 1.5]


async def test_numbers_of_another_kind_are_numbers(tables: Tables) -> None:
    """NUMERIC, as such tables often have it."""
    one = tables.adapter()
    await one.send(wire(one), NO_HTTP)
    await tables.do("ALTER TABLE TJ_IN ALTER COLUMN IN_ID TYPE NUMERIC(20)")
    await tables.do("ALTER TABLE TJ_OUT ALTER COLUMN RESEND_COUNT TYPE NUMERIC(9)")
    await tables.do(IN_ROW, *in_row(501, "09", FAIL_CODE="E80"))
    polled = await one.poll(None, NO_HTTP)
    (word,) = one.parse_callback(call(polled.items[0].body))
    assert isinstance(word, StatusUpdate)
    assert (word.event_id, word.status) == ("501", "postponed")
    await one.mark_read(polled.items, NO_HTTP)
    assert await tables.do("SELECT READ_STATUS FROM TJ_IN") == [(1,)]


async def test_attempts_at_once_make_one_row(tables: Tables) -> None:
    one = tables.adapter()
    found = await asyncio.gather(*(one.send(wire(one), NO_HTTP) for _ in range(3)), return_exceptions=True)
    assert all(not isinstance(each, BaseException) or isinstance(each, RetryableError) for each in found)
    assert await tables.do("SELECT COUNT(*) FROM TJ_OUT") == [(1,)]


def test_another_machine_is_reached_by_verified_tls_alone() -> None:
    context = PostgresDatabase(settings("postgresql://db.example/x"))._tls()
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert PostgresDatabase(settings("postgresql://127.0.0.1/x"))._tls() is False
    with pytest.raises(EndpointError, match="certificate_refused"):
        PostgresDatabase(settings("postgresql://127.0.0.1/x", ca_file="/nowhere.pem"))._tls()


def test_question_marks_become_numbers() -> None:
    assert numbered("A = ? AND B = ?") == "A = $1 AND B = $2"
    assert numbered("1") == "1"
