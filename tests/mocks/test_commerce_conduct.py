"""What the gateway may not do at the tables, another try, clean-up, crash and restart (page §3, §5, §6)."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mocks.commerce_federation.database import SqliteSession, Unavailable
from tests.mocks.commerce_client import CASE, MEDIATING, ORGANIZATION, Client, digest_in, running

SLOWLY = {"period_s": 600}
"""The reader runs when it is told to."""
AGAIN = """UPDATE TJ_OUT SET UPLOAD_STATUS = 0, RESEND_COUNT = RESEND_COUNT + 1, FAIL_CODE = NULL, FAIL_REASON = NULL,
DONE_AT = NULL WHERE OUT_ID = ? AND UPLOAD_STATUS = 3"""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "commerce", **SLOWLY) as there:
        await there.runs()
        yield there


def other(number: int) -> dict[str, Any]:
    return {"CASE_KEY": f"{ORGANIZATION}#N{number}", "NR": "{}"}


async def state(client: Client, out_id: str) -> str:
    """Status, code and tries of a row."""
    row = await client.out(out_id)
    return f"{row['UPLOAD_STATUS']} {row['FAIL_CODE']} {row['RESEND_COUNT']}"


async def test_rows_are_worked_in_the_order_of_their_case(client: Client) -> None:
    later = await client.send(MEDIATING, "02", SEQ_NO=2, CREATED_AT="2026-09-17 10:00:00")
    first = await client.send(CASE, SEQ_NO=1, CREATED_AT="2026-09-17 10:00:01")
    await client.runs(1)
    assert [await state(client, out_id) for out_id in (first, later)] == ["2 None 0", "2 None 0"]
    assert await client.breaches() == []


async def test_a_row_waits_for_the_one_before_it(client: Client) -> None:
    """The batch is full: what follows in its case is left for the next."""
    await client.fault("*", "drip", times=2)
    later = await client.send(MEDIATING, "02", SEQ_NO=2, CREATED_AT="2026-09-17 10:00:00")
    first = await client.send(CASE, SEQ_NO=1, CREATED_AT="2026-09-17 10:00:01")
    await client.runs(1)
    assert [await state(client, out_id) for out_id in (first, later)] == ["0 None 0", "0 None 0"]
    await client.runs(2)
    assert [await state(client, out_id) for out_id in (first, later)] == ["2 None 0", "2 None 0"]


async def test_a_failed_row_does_not_hold_its_followers(client: Client) -> None:
    wrong = await client.send(CASE | {"saje": "1"})
    later = await client.send(MEDIATING, "02")
    await client.runs(1)
    assert [await state(client, out_id) for out_id in (wrong, later)] == ["3 E14 0", "3 E31 0"]


@pytest.mark.parametrize("code", ["E80", "E81", "E90", "E91"])
async def test_another_try(client: Client, code: str) -> None:
    await client.fault("case.submit", "business_error", code=code, times=2)
    row = await client.send(CASE)
    await client.runs(1)
    assert await state(client, row) == f"3 {code} 0"
    for tries in (1, 2):
        await client.control("POST", "clock", {"shift_s": 601})
        await client.sql(AGAIN, row)
        await client.runs(1)
        assert await state(client, row) == (f"3 {code} 1" if tries == 1 else "2 None 2")
    assert [line["KIND"] for line in await client.news(row)] == ["00", "09"] * 2 + ["00", "01"]
    assert await client.breaches() == []


async def test_tries_that_may_not_be(client: Client) -> None:
    row = await client.send(CASE | {"saje": "1"})
    await client.runs(1)
    await client.sql(AGAIN, row)
    await client.runs(1)
    assert await client.breaches() == ["another try of a row with E14"]
    await client.fault("*", "business_error", code="E80", times=9)
    soon = await client.send("{}", **other(1))
    await client.runs(1)
    await client.sql(AGAIN, soon)
    await client.runs(1)
    assert (await client.breaches())[1:] == ["another try before its time"]
    await client.sql("UPDATE TJ_OUT SET RESEND_COUNT = 4 WHERE OUT_ID = ?", soon)
    await client.runs(1)
    for _ in range(2):
        await client.control("POST", "clock", {"shift_s": 601})
        await client.sql(AGAIN, soon)
        await client.runs(1)
    assert (await client.breaches())[2:] == ["RESEND_COUNT changed", "too many tries"]
    await client.control("POST", "clock", {"shift_s": 601})
    await client.sql("UPDATE TJ_OUT SET UPLOAD_STATUS = 0 WHERE OUT_ID = ?", soon)
    await client.runs(1)
    assert (await client.breaches())[4:6] == [
        "another try without RESEND_COUNT + 1",
        "another try without clearing FAIL_CODE, FAIL_REASON, DONE_AT",
    ]


async def test_conduct_stands_in_the_journal(client: Client) -> None:
    done = await client.send(CASE)
    await client.runs(1)
    key = str((await client.out(done))["CASE_KEY"])
    steps: list[tuple[str, tuple[Any, ...], str]] = [
        ("UPDATE TJ_OUT SET NR = '{}' WHERE OUT_ID = ?", (done,), "content of a row changed"),
        ("UPDATE TJ_OUT SET UPLOAD_STATUS = 0 WHERE OUT_ID = ?", (done,), "UPLOAD_STATUS set from 2 to 0"),
        ("UPDATE TJ_OUT SET PLAT_NO = 'X' WHERE OUT_ID = ?", (done,), "columns of the platform changed"),
        ("DELETE FROM TJ_OUT WHERE OUT_ID = ?", (done,), "TJ_OUT row deleted"),
        ("DELETE FROM TJ_IN WHERE IN_ID = 1", (), "TJ_IN row deleted"),
        ("UPDATE TJ_HEART SET PERIOD_S = 30 WHERE NODE = 'GATEWAY'", (), "PERIOD_S of GATEWAY is not 60"),
    ]
    for sql, values, breach in steps:
        await client.sql(sql, *values)
        await client.runs(1)
        assert (await client.breaches())[-1] == breach
    lines = await client.lines("conduct")
    assert all(line["effect"] == "refused" for line in lines)
    assert (lines[0]["message_id"], lines[0]["business_key"]) == (done, key)
    for status in (1, 2, 3):
        await client.send("{}", UPLOAD_STATUS=status, **other(status))
    await client.runs(1)
    assert (await client.breaches())[-3:] == [f"row inserted with UPLOAD_STATUS {status}" for status in (1, 2, 3)]
    told = len(await client.breaches())
    await client.runs(2)
    assert len(await client.breaches()) == told
    await client.send("{}", SEQ_NO=5, **other(7))
    await client.runs(1)
    await client.send("{}", SEQ_NO=4, **other(7))
    await client.runs(1)
    assert (await client.breaches())[told:] == ["SEQ_NO does not rise"]


async def test_a_row_changed_while_it_is_in_work(client: Client) -> None:
    """Two rows in one batch: the answer to the first is the moment to change the second."""
    first, second = client.row("{}", **other(1)), client.row("{}", **other(2))
    await client.sql(
        """CREATE TRIGGER MEDDLE AFTER UPDATE OF UPLOAD_STATUS ON TJ_OUT WHEN NEW.UPLOAD_STATUS = 3
        BEGIN UPDATE TJ_OUT SET NR = '{"a":"b"}' WHERE UPLOAD_STATUS = 1; END"""
    )
    await client.insert(first, second)
    await client.runs(1)
    assert (await state(client, second["OUT_ID"])) == "3 E20 0"
    assert "content changed since TAKEN_AT" in await client.breaches()


async def test_an_answer_whose_commit_was_lost_stands_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction took place, and nobody was told."""
    row = await client.send(CASE)
    run, said = SqliteSession.run, list[str]()

    def cut(session: SqliteSession, sql: str, *values: Any) -> int:
        done = run(session, sql, *values)
        said.append(sql)
        answered = [text for text in said if text.startswith("UPDATE TJ_OUT SET UPLOAD_STATUS = ?, PLAT_NO")]
        if sql == "COMMIT" and len(answered) == 1:
            raise sqlite3.OperationalError
        return done

    monkeypatch.setattr(SqliteSession, "run", cut)
    await client.runs(2)
    assert len([text for text in said if text.startswith("UPDATE TJ_OUT SET UPLOAD_STATUS = ?, PLAT_NO")]) == 2
    assert await client.kinds(row) == ["00", "01"]
    assert await client.kinds(await client.send(MEDIATING, "02")) == []
    await client.runs(1)
    assert [line["KIND"] for line in await client.news()] == ["00", "01"] * 2
    assert await client.breaches() == []


async def test_rows_whose_taking_was_lost_are_nobodys_breach(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    row = await client.send(CASE)
    run, said = SqliteSession.run, list[str]()

    def cut(session: SqliteSession, sql: str, *values: Any) -> int:
        done = run(session, sql, *values)
        said.append(sql)
        if sql == "COMMIT" and any(text.startswith("UPDATE TJ_OUT SET UPLOAD_STATUS = 1") for text in said):
            raise sqlite3.OperationalError
        return done

    with monkeypatch.context() as patch:
        patch.setattr(SqliteSession, "run", cut)
        with pytest.raises(Unavailable):
            await client.runs(1)
    assert (await client.out(row))["UPLOAD_STATUS"] == 1
    await client.runs(1)
    await client.control("POST", "clock", {"shift_s": 601})
    await client.runs(1)
    assert await client.kinds(row) == ["00", "00", "01"]
    assert await client.breaches() == []


async def test_too_many_rows_a_minute(tmp_path: Path) -> None:
    async with running(tmp_path / "commerce", rows_per_minute=3, **SLOWLY) as client:
        await client.insert(*(client.row("{}", **other(number)) for number in range(4)))
        await client.runs(2)
        assert await client.breaches() == ["more than 3 rows a minute"]


async def test_clean_up(client: Client) -> None:
    done, failed = await client.send(CASE), await client.send("{}", **other(1))
    await client.runs(1)
    waiting = await client.send(MEDIATING, "02")
    await client.sql("UPDATE TJ_IN SET READ_STATUS = 2 WHERE OUT_ID = ?", done)
    await client.sql("UPDATE TJ_IN SET READ_STATUS = 1 WHERE OUT_ID = ?", failed)
    await client.fault("*", "maintenance", after_ms=60_000)
    for days, rows in ((8, [failed, waiting]), (23, [waiting])):
        await client.control("POST", "clock", {"shift_s": days * 86400})
        await client.runs(2)
        assert [row["OUT_ID"] for row in await client.sql("SELECT OUT_ID FROM TJ_OUT ORDER BY OUT_ID")] == rows
        assert {row["OUT_ID"] for row in await client.news()} == {failed}
    assert await client.breaches() == []


async def test_a_crash_leaves_rows_at_1(tmp_path: Path) -> None:
    """They are taken again after ten minutes; what had been judged is told as a duplicate."""
    data = tmp_path / "commerce"
    async with running(data, **SLOWLY) as client:
        judged, taken = await client.send(CASE), await client.send("{}", **other(1))
        await client.runs(1)
        number = (await client.out(judged))["PLAT_NO"]
        # As if the last transactions were lost.
        await client.sql("UPDATE TJ_OUT SET UPLOAD_STATUS = 1, PLAT_NO = NULL, FAIL_CODE = NULL, DONE_AT = NULL")
        await client.sql("DELETE FROM TJ_IN WHERE KIND <> '00'")
    async with running(data, **SLOWLY) as client:
        await client.runs(2)
        assert await client.breaches() == []
        later = await client.send(MEDIATING, "02")
        await client.runs(2)
        assert [(await client.out(row))["UPLOAD_STATUS"] for row in (judged, taken, later)] == [1, 1, 0]
        await client.control("POST", "clock", {"shift_s": 601})
        await client.runs(2)
        assert [(await client.out(row))["UPLOAD_STATUS"] for row in (judged, taken, later)] == [2, 3, 2]
        answer = (await client.news(judged))[-1]
        assert (answer["KIND"], answer["FAIL_CODE"], answer["PLAT_NO"]) == ("01", "D01", number)
        assert len(await client.control("GET", "records")) == 2
        assert await client.breaches() == []


async def test_a_restart_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "commerce"
    async with running(data) as client:
        number = await client.done(CASE)
        await client.decide(number, "accept")
        highest = (await client.news())[-1]["IN_ID"]
        url = client.config["database_url"]
        # The word of the clerk stood in the journal, and the power went before it stood in the table.
        await client.sql("DELETE FROM TJ_IN WHERE IN_ID = ?", highest)
        await client.runs(1)
    async with running(data) as client:
        assert client.config["database_url"] == url
        word = (await client.news())[-1]
        assert (word["IN_ID"], word["KIND"], word["ZT"]) == (highest, "02", "2")
        assert word["DIGEST"] == digest_in(word)
        assert await client.failed(CASE) == "E32 CASE_KEY"
        assert await client.done(MEDIATING, "02") != number
        await client.decide(number, "file")
        assert await client.failed(MEDIATING, "02") == "E33 CASE_KEY"
        ids = [row["IN_ID"] for row in await client.news()]
        assert ids == sorted(set(ids))
        assert await client.breaches() == ["TJ_IN row deleted"]
