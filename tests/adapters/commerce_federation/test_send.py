"""One attempt: files in chunks, then the one row; what stands there already; and whose each database error is (page §3, §5)."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.commerce_federation import CommerceFederation, replies, sqlite
from adapters.commerce_federation.files import CHUNK
from adapters.commerce_federation.wire import digest_of
from contracts import gm
from contracts.adapter import AttachmentInfo, Wire
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError
from contracts.messages import MessageType as M
from contracts.update import Reference
from tests.adapters.ways import NO_HTTP, Recorded

from . import documents as d
from .exchange import FILES, HERE, Tables, adapter, settings


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables.made(tmp_path)


def wire(one: CommerceFederation, kind: M = M.CASE_SUBMITTED, **context: Any) -> Wire:
    """The wire of a sample."""
    document, known = d.SENT[kind]
    return one.translate(d.message(kind, document), replace(known, **context))


async def fails(one: CommerceFederation, kind: M = M.CASE_SUBMITTED) -> AdapterError:
    """The error of one attempt."""
    with pytest.raises(AdapterError) as found:
        await one.send(wire(one, kind), NO_HTTP)
    return found.value


async def test_the_row_of_the_page(tables: Tables) -> None:
    one = adapter(tables)
    receipt = await one.send(wire(one), NO_HTTP)
    assert (receipt.reference, receipt.relayed, receipt.duplicate) == (d.MESSAGE, True, False)
    names = ("BIZ_TYPE", "OPERATE_TYPE", "CASE_KEY", "SEQ_NO", "ORG_CODE", "FILE_COUNT", "CREATED_AT", "UPLOAD_STATUS")
    assert tables.out(*names) == ("01", 1, d.CASE_KEY, 1, "SD-QD-SH-003", 0, HERE, 0)
    assert tables.out("NR", "DIGEST", "RESEND_COUNT", "PLAT_NO") == (d.NR, d.DIGEST, 0, None)


async def test_the_same_again_is_one_row(tables: Tables) -> None:
    one = adapter(tables)
    first = await one.send(wire(one), NO_HTTP)
    tables.pass_time(60)
    again = await adapter(tables).send(wire(one), NO_HTTP)
    assert (again.reference, again.references, again.duplicate) == (first.reference, first.references, True)
    assert tables.do("SELECT COUNT(*), MAX(CREATED_AT) FROM TJ_OUT") == [(1, HERE)], "a committed row never changes"


async def test_rows_of_a_case_are_counted(tables: Tables) -> None:
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    other = one.translate(d.message(M.CASE_PROGRESSED, d.progress(), "msg_01K6EXAMPLE0000000000000D"), d.context())
    await one.send(other, NO_HTTP)
    assert tables.do("SELECT SEQ_NO, BIZ_TYPE FROM TJ_OUT ORDER BY SEQ_NO") == [(1, "01"), (2, "02")]


async def test_other_content_under_our_id_is_the_operators(tables: Tables) -> None:
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    tables.do("UPDATE TJ_OUT SET DIGEST = ?", "0" * 64)
    error = await fails(one)
    assert isinstance(error, EndpointError)
    assert error.code == "other_content"


async def test_what_was_accepted_is_told_as_such(tables: Tables) -> None:
    """Also where its return row was never written."""
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 2, PLAT_NO = 'SHTJ1'")
    number = (Reference("platform_no", "SHTJ1"),)
    for receipt in (await one.send(wire(one), NO_HTTP), await one.lookup(wire(one), NO_HTTP)):
        assert receipt is not None
        assert (receipt.reference, receipt.references, receipt.relayed) == ("SHTJ1", number, False)


async def test_lookup(tables: Tables) -> None:
    one = adapter(tables)
    assert await one.lookup(wire(one), NO_HTTP) is None
    await one.send(wire(one), NO_HTTP)
    found = await one.held(wire(one), NO_HTTP)
    assert found is not None
    assert (found.filing, found.reference) == (d.MESSAGE, d.MESSAGE)
    tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 3, FAIL_CODE = 'E90'")
    assert await one.lookup(wire(one), NO_HTTP) is None, "what failed there is not held"
    tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 0, DIGEST = 'x'")
    with pytest.raises(EndpointError, match="other_content"):
        await one.lookup(wire(one), NO_HTTP)


@pytest.mark.parametrize("code", ["E80", "E81", "E90", "E91"])
async def test_a_failed_row_goes_again_in_place_of_an_insert(tables: Tables, code: str) -> None:
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    failed = f"UPLOAD_STATUS = 3, FAIL_CODE = '{code}', FAIL_REASON = '忙', DONE_AT = '{HERE}'"
    tables.do(f"UPDATE TJ_OUT SET {failed}")  # noqa: S608 -- of this test
    tables.pass_time(600)
    receipt = await one.send(wire(one), NO_HTTP)
    assert (receipt.reference, receipt.relayed) == (d.MESSAGE, True)
    names = ("UPLOAD_STATUS", "RESEND_COUNT", "FAIL_CODE", "FAIL_REASON", "DONE_AT", "SEQ_NO", "DIGEST")
    assert tables.out(*names) == (0, 1, None, None, None, 1, d.DIGEST)


@pytest.mark.parametrize(
    ("code", "done_at", "goes"),
    [
        ("E80", "2026-09-17 09:50:06", False),
        ("E80", "2026-09-17 09:50:05", True),
        ("E80", "2026-09-17 10:00:06", True),
        ("E80", "never", True),
        ("E90", HERE, True),
    ],
)
async def test_a_postponed_row_does_not_go_again_before_its_time(
    tables: Tables, code: str, done_at: str, goes: bool
) -> None:
    """A lost answer, or an operator, brings us there sooner than the platform wants."""
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 3, FAIL_CODE = ?, DONE_AT = ?", code, done_at)
    if goes:
        assert (await one.send(wire(one), NO_HTTP)).relayed
        assert tables.out("UPLOAD_STATUS", "RESEND_COUNT") == (0, 1)
        return
    error = await fails(one)
    assert isinstance(error, RetryableError)
    assert (error.code, error.retry_after, error.maybe_accepted) == ("postponed", None, False)
    assert tables.out("UPLOAD_STATUS", "RESEND_COUNT") == (3, 0)


@pytest.mark.parametrize("code", ["E10", "E16", "E21", "E33", "E41"])
async def test_a_refused_row_stays_as_it_is(tables: Tables, code: str) -> None:
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 3, FAIL_CODE = ?, FAIL_REASON = '王建国有误'", code)
    error = await fails(one)
    assert isinstance(error, PermanentError)
    assert (error.code, error.reasons) == (code, (Reason(code, "王建国有误"),))
    assert "王建国" not in str(error)
    assert tables.out("UPLOAD_STATUS", "RESEND_COUNT") == (3, 0)


async def test_of_what_a_row_says_no_more_is_kept_than_people_read(tables: Tables) -> None:
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    tables.do("UPDATE TJ_OUT SET UPLOAD_STATUS = 3, FAIL_CODE = 'E17', FAIL_REASON = ?", "长" * 100_000)
    error = await fails(one)
    assert isinstance(error, PermanentError)
    assert error.reasons == (Reason("E17", "长" * 2000),)
    tables.do("UPDATE TJ_OUT SET FAIL_REASON = X'FF'")
    error = await fails(one)
    assert isinstance(error, PermanentError)
    assert error.reasons == (Reason("E17", "\ufffd"),)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE TJ_OUT SET SEQ_NO = 9223372036854775807, OUT_ID = 'other'",
        "UPDATE TJ_OUT SET UPLOAD_STATUS = 'neu'",
    ],
)
async def test_a_column_that_holds_what_it_may_not_is_the_operators(tables: Tables, spoil: str) -> None:
    one = adapter(tables)
    await one.send(wire(one), NO_HTTP)
    with closing(sqlite3.connect(tables.path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(spoil)
    error = await fails(one)
    assert isinstance(error, EndpointError)
    assert error.code == "database_refused"


async def test_a_missing_field_is_named_by_its_path() -> None:
    assert replies.reason_of("E11", "dsr[0].zjhm") == Reason("E11", "dsr[0].zjhm", "dsr[0].zjhm")


async def test_maintenance_is_waited_for(tables: Tables) -> None:
    one = adapter(tables)
    tables.do("UPDATE TJ_HEART SET STATE = 'MAINT', UNTIL_AT = '2026-09-17 10:00:12' WHERE NODE = 'READER'")
    error = await fails(one)
    assert isinstance(error, RetryableError)
    assert (error.code, error.retry_after, error.maybe_accepted) == ("MAINTENANCE", timedelta(seconds=7), False)
    assert tables.do("SELECT * FROM TJ_OUT") == []
    tables.pass_time(7)
    assert (await one.send(wire(one), NO_HTTP)).relayed


# -------------------------------------------------------------------------------------------------------------------- files


def _file(data: bytes) -> dict[str, tuple[AttachmentInfo, bytes]]:
    return {d.PAPER: (d.file(size=len(data)), data)}


async def test_a_file_goes_in_chunks_before_its_row(tables: Tables) -> None:
    data = bytes(range(256)) * 4096 + b"end"  # two whole chunks and three bytes
    one = adapter(tables, _file(data))
    await one.send(wire(one, M.AGREEMENT_CONCLUDED), NO_HTTP)
    rows = tables.do("SELECT * FROM TJ_FILE ORDER BY CHUNK_NO")
    assert [row[:7] for row in rows] == [
        (d.MESSAGE, 1, number, 3, "02", "调解协议书.pdf", len(data)) for number in (1, 2, 3)
    ]
    parts = [base64.b64decode(row[9]) for row in rows]
    assert b"".join(parts) == data
    assert [len(part) for part in parts] == [CHUNK, CHUNK, 3]
    assert {row[7] for row in rows} == {gm.sm3(data).hex()}
    assert [row[8] for row in rows] == [gm.sm3(part).hex() for part in parts]
    assert tables.out("FILE_COUNT") == (1,)


async def test_chunks_that_stand_there_are_not_sent_again(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    one = adapter(tables, _file(b"x" * (CHUNK + 1)))
    tables.do("CREATE TRIGGER full BEFORE INSERT ON TJ_FILE WHEN NEW.CHUNK_NO = 2 BEGIN SELECT RAISE(FAIL, 'no'); END")
    assert isinstance(await fails(one, M.AGREEMENT_CONCLUDED), EndpointError)
    assert tables.do("SELECT CHUNK_NO FROM TJ_FILE") == [(1,)]
    assert tables.do("SELECT * FROM TJ_OUT") == [], "a row never stands before its files"
    tables.do("DROP TRIGGER full")
    tables.do("CREATE TRIGGER again BEFORE INSERT ON TJ_FILE WHEN NEW.CHUNK_NO = 1 BEGIN SELECT RAISE(FAIL, 'no'); END")
    await one.send(wire(one, M.AGREEMENT_CONCLUDED), NO_HTTP)
    assert tables.do("SELECT CHUNK_NO FROM TJ_FILE ORDER BY CHUNK_NO") == [(1,), (2,)]


async def test_another_file_under_our_id_is_the_operators(tables: Tables) -> None:
    await adapter(tables, _file(b"one")).send(wire(adapter(tables), M.AGREEMENT_CONCLUDED), NO_HTTP)
    tables.do("DELETE FROM TJ_OUT")
    error = await fails(adapter(tables, _file(b"two")), M.AGREEMENT_CONCLUDED)
    assert isinstance(error, EndpointError)
    assert error.code == "other_content"


async def test_a_file_that_grew_is_the_senders(tables: Tables) -> None:
    one = adapter(tables, _file(b"x" * 11), file_limit=10)
    with pytest.raises(PermanentError, match="file_too_large"):
        await one.send(wire(one, M.AGREEMENT_CONCLUDED, attachments={d.PAPER: d.file(size=10)}), NO_HTTP)


# ------------------------------------------------------------------------------------------------------------------- errors


async def test_no_file_is_no_connection(tmp_path: Path) -> None:
    one = adapter(Tables(tmp_path / "nothing.db"))
    error = await fails(one)
    assert isinstance(error, RetryableError)
    assert (error.code, error.maybe_accepted) == ("unreachable", False)
    assert not (tmp_path / "nothing.db").exists(), "the platform makes it"


async def test_a_lock_is_waited_for_and_then_retried(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    one = adapter(tables)
    with closing(sqlite3.connect(tables.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        error = await fails(one)
        assert isinstance(error, RetryableError)
        assert (error.code, error.maybe_accepted) == ("database_busy", False)
        assert await one.lookup(wire(one), NO_HTTP) is None, "who only reads waits for nobody"


async def test_a_statement_without_end_is_interrupted(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_STATEMENTS_S", 0.02)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT MAX(i) FROM n"
    tables.do(f"CREATE TRIGGER slow AFTER INSERT ON TJ_OUT BEGIN UPDATE TJ_OUT SET BATCH_NO = ({endless}); END")  # noqa: S608 -- of this test
    error = await fails(adapter(tables))
    assert isinstance(error, RetryableError)
    assert (error.code, error.maybe_accepted) == ("timeout", False)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ("DROP TABLE TJ_OUT", "table_missing"),
        ("ALTER TABLE TJ_OUT DROP COLUMN RESEND_COUNT", "table_missing"),
        (
            "CREATE TRIGGER no BEFORE INSERT ON TJ_OUT BEGIN SELECT RAISE(ABORT, 'CHECK'); END",
            "constraint_violated",
        ),
    ],
)
async def test_what_the_operator_heals(tables: Tables, spoil: str, code: str) -> None:
    one = adapter(tables)
    tables.do(spoil)
    if "RESEND_COUNT" in spoil:
        with pytest.raises(EndpointError, match=code):
            await one.probe(NO_HTTP)
        return
    error = await fails(one)
    assert isinstance(error, EndpointError)
    assert error.code == code


async def test_no_database_is_the_operators(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_bytes(b"no database at all " * 100)
    error = await fails(adapter(Tables(tmp_path / "text.db")))
    assert isinstance(error, EndpointError)
    assert error.code == "database_damaged"


async def test_a_taken_place_in_the_order_is_retried(tables: Tables) -> None:
    one = adapter(tables)
    tables.do(
        "CREATE TRIGGER other BEFORE INSERT ON TJ_OUT WHEN NEW.OUT_ID LIKE 'msg_%' BEGIN INSERT INTO TJ_OUT (OUT_ID,"
        " BIZ_TYPE, OPERATE_TYPE, CASE_KEY, SEQ_NO, ORG_CODE, NR, DIGEST, CREATED_AT) VALUES ('other', '01', 1,"
        " NEW.CASE_KEY, NEW.SEQ_NO, 'x', '{}', 'x', 'x'); END"
    )
    error = await fails(one)
    assert isinstance(error, RetryableError)
    assert error.code == "sequence_taken"
    assert tables.do("SELECT * FROM TJ_OUT") == [], "rolled back"


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("SQLITE_FULL", EndpointError, "disk_full"),
        ("SQLITE_READONLY", EndpointError, "right_missing"),
        ("SQLITE_AUTH", EndpointError, "right_missing"),
        ("SQLITE_BUSY_SNAPSHOT", RetryableError, "database_busy"),
        ("SQLITE_IOERR_READ", RetryableError, "broken_off"),
        ("SQLITE_CONSTRAINT_CHECK", EndpointError, "constraint_violated"),
        ("SQLITE_CONSTRAINT_UNIQUE", RetryableError, "sequence_taken"),
        ("SQLITE_MISUSE", EndpointError, "database_refused"),
    ],
)
def test_errors_of_sqlite(name: str, kind: type[AdapterError], code: str) -> None:
    error = sqlite3.OperationalError("王建国")
    error.sqlite_errorcode = getattr(sqlite3, name)
    found = replies.of_sqlite(error, committing=False)
    assert isinstance(found, kind)
    assert found.code == code
    assert "王建国" not in str(found)


@pytest.mark.parametrize(
    ("state", "kind", "code", "doubt"),
    [
        (None, RetryableError, "broken_off", True),
        ("08006", RetryableError, "broken_off", True),
        ("57P01", RetryableError, "broken_off", True),
        ("57014", RetryableError, "timeout", True),
        ("57P03", RetryableError, "unreachable", True),
        ("53300", RetryableError, "database_busy", False),
        ("55P03", RetryableError, "database_busy", False),
        ("40001", RetryableError, "database_busy", False),
        ("25006", RetryableError, "database_read_only", False),
        ("23505", RetryableError, "sequence_taken", False),
        ("23514", EndpointError, "constraint_violated", False),
        ("28P01", EndpointError, "login_refused", False),
        ("3D000", EndpointError, "database_unknown", False),
        ("42501", EndpointError, "right_missing", False),
        ("42P01", EndpointError, "table_missing", False),
        ("42703", EndpointError, "table_missing", False),
        ("53100", EndpointError, "disk_full", False),
        ("0A000", EndpointError, "database_refused", False),
    ],
)
def test_errors_of_postgresql(state: str | None, kind: type[AdapterError], code: str, doubt: bool) -> None:
    for committing in (False, True):
        found = replies.by_state(state, committing=committing)
        assert isinstance(found, kind)
        assert found.code == code
        assert getattr(found, "maybe_accepted", False) == (doubt and committing)


async def test_a_row_goes_in_its_turn_and_each_transaction_is_told(tables: Tables) -> None:
    one, way = adapter(tables), Recorded()
    await one.send(wire(one), way)
    assert way.steps == [("connect", False, True), ("file", True, False)]
    assert way.places == {f"sqlite:///{tables.path}"}
    await one.lookup(wire(one), way)
    assert way.steps[2:] == [("connect", False, False), ("lookup", False, False)]
    assert CommerceFederation.info.rate_per_s * 60 <= 500


def test_the_place_of_a_database_names_no_account() -> None:
    server = settings("postgresql://tj_gateway@10.0.0.8/exchange")
    assert server.place == "postgresql://10.0.0.8:5432/exchange"


async def test_no_more_sessions_than_agreed(tables: Tables) -> None:
    one = adapter(tables, connections=2)
    inside = most = 0

    async def hold() -> None:
        nonlocal inside, most
        async with one.database.session():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(hold() for _ in range(6)))
    assert most == 2


async def test_two_attempts_at_once_make_one_row(tables: Tables) -> None:
    """Two processes after a lease was lost: in threads, as the house runs them."""
    one = adapter(tables)
    frozen = wire(one)
    found: list[bool] = []

    def attempt() -> None:
        found.append(asyncio.run(adapter(tables).send(frozen, NO_HTTP)).duplicate)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, True, True, True]
    assert tables.do("SELECT COUNT(*) FROM TJ_OUT") == [(1,)]


def test_the_digest_is_of_lines() -> None:
    assert digest_of(1, None, "") == gm.sm3(b"1\n\n").hex()
    assert json.loads(d.NR)["ah"] == d.CASE_KEY.partition("#")[2]
    assert os.path.basename(next(iter(FILES))) == d.PAPER


# -------------------------------------------------------------------------------------------------------------------- probe


async def test_a_probe_of_a_sound_platform(tables: Tables) -> None:
    await adapter(tables).probe(NO_HTTP)


@pytest.mark.parametrize(
    ("spoil", "kind", "code"),
    [
        ("DELETE FROM TJ_HEART WHERE NODE = 'READER'", EndpointError, "reader_missing"),
        ("UPDATE TJ_HEART SET BEAT_AT = '2026-09-17 09:55:04'", EndpointError, "reader_stopped"),
        ("UPDATE TJ_HEART SET BEAT_AT = 'never'", EndpointError, "reader_stopped"),
        ("UPDATE TJ_HEART SET BEAT_AT = '2026-09-17 09:57:34'", EndpointError, "clock"),
        ("UPDATE TJ_HEART SET BEAT_AT = '2026-09-17 10:02:36'", EndpointError, "clock"),
        ("UPDATE TJ_HEART SET STATE = 'MAINT', UNTIL_AT = '2026-09-17 10:05:00'", RetryableError, "MAINTENANCE"),
        ("DROP TABLE TJ_DICT", EndpointError, "table_missing"),
    ],
)
async def test_what_a_probe_sees(tables: Tables, spoil: str, kind: type[AdapterError], code: str) -> None:
    tables.do(spoil)
    with pytest.raises(kind, match=code):
        await adapter(tables).probe(NO_HTTP)
