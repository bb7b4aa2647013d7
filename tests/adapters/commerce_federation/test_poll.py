"""What comes in: rows by their status and never by their number, marks, our heart, and what a row says (page §6)."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.commerce_federation import changes, sqlite
from adapters.commerce_federation.pulling import item, mark, read_marks
from contracts.adapter import InboundCall, Origin, Polled
from contracts.errors import EndpointError, Reason, RetryableError, UnreadableCallback
from contracts.messages import MessageType as M
from contracts.update import About, DeliveryWord, Key, KeyKind, Reference, StatusUpdate
from tests.adapters.ways import NO_HTTP

from . import documents as d
from .exchange import HERE, IN_ROW, NOW, Tables, adapter, in_row

OURS = (Key(KeyKind.MESSAGE, d.MESSAGE),)
CASE = (Key(KeyKind.CASE_NO_OF_SOURCE, "370202-SH003-2026-00017", "SD-QD-SH-003"),)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables.made(tmp_path)


def marks(tables: Tables) -> list[tuple[Any, ...]]:
    """How the return table stands."""
    return tables.do("SELECT IN_ID, READ_STATUS, READ_AT, READ_NOTE FROM TJ_IN ORDER BY IN_ID")


async def looked(tables: Tables, cursor: str | None = None) -> Polled:
    """One poll by a fresh adapter."""
    return await adapter(tables).poll(cursor, NO_HTTP)


def ids(polled: Polled) -> list[str]:
    """The numbers of its items."""
    return [one.event_id for one in polled.items]


def said(tables: Tables, polled: Polled) -> list[StatusUpdate]:
    """What the items say."""
    one = adapter(tables)
    words = [word for found in polled.items for word in one.parse_callback(call(found.body))]
    return [word for word in words if isinstance(word, StatusUpdate)]


def call(body: bytes) -> InboundCall:
    """A stored item."""
    return InboundCall("", "", (), body, NOW, origin=Origin.POLL)


def word(kind: str, resends: int = 0, **columns: str | None) -> StatusUpdate:
    """What one row says."""
    found = item((*in_row(501, kind, **columns)[:-1], d.CASE_KEY, resends))
    return changes.parse(found.body, NOW)


# ------------------------------------------------------------------------------------------------------------------ polling


async def test_the_answer_of_the_page(tables: Tables) -> None:
    tables.say(501, "00")
    tables.say(502, "01", PLAT_NO="SHTJ20260917000001")
    polled = await looked(tables)
    assert ids(polled) == ["501", "502"]
    assert not polled.more
    taken, accepted = said(tables, polled)
    assert (taken.about, taken.status, taken.keys) == (About.DELIVERY, DeliveryWord.TAKEN, OURS)
    assert (accepted.status, accepted.references) == (
        DeliveryWord.ACCEPTED,
        (Reference("platform_no", "SHTJ20260917000001"),),
    )
    assert accepted.at == NOW


async def test_rows_are_marked_once_they_are_stored(tables: Tables) -> None:
    tables.say(501, "00")
    one = adapter(tables)
    polled = await one.poll(None, NO_HTTP)
    assert marks(tables) == [(501, 0, None, None)], "store first"
    await one.mark_read(polled.items, NO_HTTP)
    assert marks(tables) == [(501, 1, HERE, None)]
    assert ids(await one.poll(polled.cursor, NO_HTTP)) == []
    tables.pass_time(60)
    await one.poll(polled.cursor, NO_HTTP)
    assert marks(tables) == [(501, 2, HERE, None)]


async def test_marks_that_were_lost_are_made_by_the_next_poll(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    tables.say(501, "00")
    one = adapter(tables)
    polled = await one.poll(None, NO_HTTP)
    with closing(sqlite3.connect(tables.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await one.mark_read(polled.items, NO_HTTP)
    assert marks(tables)[0][1] == 0
    assert ids(await one.poll(polled.cursor, NO_HTTP)) == []
    assert marks(tables)[0][1] == 1


def test_a_whole_page_is_marked_by_one_statement_of_each_kind() -> None:
    """Over a slow line a hundred would last longer than a transaction may."""
    told = [(number, "digest" if number % 3 else None) for number in range(100)]
    asked = list(mark(told, NOW))
    assert len(asked) == 2
    assert sorted(value for ask in asked for value in ask.values if isinstance(value, int)) == list(range(100))


async def test_a_page_that_was_not_stored_comes_again(tables: Tables) -> None:
    tables.say(501, "00")
    first, second = await looked(tables), await looked(tables)
    assert first == second
    tables.do("INSERT INTO TJ_OUT VALUES (?, '01', 1, ?, 1, 'x', '{}', 0, 'x', 'x', 1, 3, '', '', '', '', '', '')",
              d.MESSAGE, d.CASE_KEY)  # fmt: skip
    assert (await looked(tables)).items[0].digest == first.items[0].digest, "of what the platform wrote alone"


async def test_a_lower_number_that_comes_later_is_read(tables: Tables) -> None:
    tables.say(502, "01", PLAT_NO="S1")
    first = await looked(tables)
    tables.say(501, "00")
    tables.say(900, "04", REASON="请补充")
    assert ids(await looked(tables, first.cursor)) == ["501", "900"]


async def test_a_bomb_is_read_page_by_page(tables: Tables) -> None:
    with closing(sqlite3.connect(tables.path)) as connection, connection:
        connection.executemany(IN_ROW, (in_row(number, "04", REASON="x") for number in range(1, 100_001)))
    cursor: str | None = None
    one, seen = adapter(tables), set[str]()
    for _ in range(5):
        polled = await one.poll(cursor, NO_HTTP)
        assert len(polled.items) == 100
        assert polled.more
        assert len(polled.cursor) < 4096
        seen |= set(ids(polled))
        await one.mark_read(polled.items, NO_HTTP)
        cursor = polled.cursor
    assert len(seen) == 500
    assert tables.do("SELECT COUNT(*) FROM TJ_IN WHERE READ_STATUS = 1") == [(500,)]


async def test_what_nobody_can_read_is_noted(tables: Tables) -> None:
    tables.say(501, "00", DIGEST="0" * 64)
    tables.say(502, "07")
    tables.say(503, "00", OUT_ID=None)
    tables.say(504, "00")
    one = adapter(tables)
    polled = await one.poll(None, NO_HTTP)
    await one.mark_read(polled.items, NO_HTTP)
    assert [(number, status, note) for number, status, _, note in marks(tables)] == [
        (501, 3, "digest"),
        (502, 3, "unknown_kind"),
        (503, 3, "no_key"),
        (504, 1, None),
    ]
    for found, code in zip(polled.items, ("digest", "unknown_kind", "no_key"), strict=False):
        with pytest.raises(UnreadableCallback, match=code):
            one.parse_callback(call(found.body))


async def test_whatever_stands_in_a_column_the_page_goes_on(tables: Tables) -> None:
    tables.do(IN_ROW, *in_row(501, "04")[:7], b"\xff\xfe", *in_row(501, "04")[8:])
    tables.do(IN_ROW, 502, "04", None, d.CASE_KEY, None, 5, None, "长" * 100_000, HERE, "x", HERE)
    tables.do(
        "INSERT INTO TJ_IN SELECT 503, '04', NULL, CAST(X'FF41' AS TEXT), NULL, NULL, NULL, NULL, '', '', '', 0, '', ''"
    )
    polled = await looked(tables)
    assert ids(polled) == ["501", "502", "503"]
    assert max(len(found.body) for found in polled.items) < 20_000


async def test_our_heart_is_never_older_than_its_period(tables: Tables) -> None:
    """It is looked at with every poll, and those are half its period apart at most."""

    async def beat() -> Any:
        await one.poll(None, NO_HTTP)
        return tables.do("SELECT BEAT_AT, PERIOD_S, STATE FROM TJ_HEART WHERE NODE = 'GATEWAY'")[0]

    one = adapter(tables)
    assert await beat() == (HERE, 60, "RUN")
    assert one.settings.poll_every_s == (5.0, 30.0)
    tables.pass_time(29)
    assert (await beat())[0] == HERE
    tables.pass_time(1)
    assert (await beat())[0] == "2026-09-17 10:00:35"


async def test_a_clock_that_is_set_back_does_not_stop_our_heart(tables: Tables) -> None:
    one = adapter(tables)
    await one.poll(None, NO_HTTP)
    tables.pass_time(-7200)
    await one.poll(None, NO_HTTP)
    assert tables.do("SELECT BEAT_AT FROM TJ_HEART WHERE NODE = 'GATEWAY'") == [("2026-09-17 08:00:05",)]


@pytest.mark.parametrize("count", [b"\xff", float("inf"), "viele", 1.5])
async def test_a_count_that_is_none_does_not_stop_the_page(tables: Tables, count: object) -> None:
    one = adapter(tables)
    await one.send(one.translate(d.message(M.CASE_SUBMITTED, d.wages()), d.new()), NO_HTTP)
    tables.do("UPDATE TJ_OUT SET RESEND_COUNT = ?, CASE_KEY = ?", count, "长" * 100_000)
    tables.say(501, "09", FAIL_CODE="E80")
    tables.say(502, "04", REASON="x")
    polled = await looked(tables)
    assert ids(polled) == ["501", "502"]
    assert max(len(found.body) for found in polled.items) < 2000


async def test_rows_without_a_number_are_the_operators(tables: Tables) -> None:
    """They can be told apart by nobody."""
    tables.do("ALTER TABLE TJ_IN RENAME TO OLD")
    tables.do("CREATE TABLE TJ_IN AS SELECT * FROM OLD")
    tables.do("INSERT INTO TJ_IN SELECT 'x', '00', '', '', '', '', '', '', '', '', '', 0, '', '' FROM TJ_HEART")
    with pytest.raises(EndpointError, match="database_refused"):
        await looked(tables)


async def test_a_poll_that_fails_is_no_news(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    tables.say(501, "00")
    with closing(sqlite3.connect(tables.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RetryableError, match="database_busy"):
            await looked(tables)
    tables.do("DROP TABLE TJ_IN")
    with pytest.raises(EndpointError, match="table_missing"):
        await looked(tables)


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "7", '{"stored":7}', '{"stored":[[1]]}', '{"stored":[["1",null]]}', '{"stored":[[1,2]]}']
)
def test_a_cursor_that_is_not_ours_marks_nothing(cursor: str) -> None:
    assert read_marks(cursor) == []


# -------------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("code", "resends", "status", "wait_s"),
    [
        ("E10", 0, DeliveryWord.REFUSED, None),
        ("E23", 0, DeliveryWord.REFUSED, None),
        ("E32", 0, DeliveryWord.REFUSED, None),
        ("E80", 0, DeliveryWord.POSTPONED, 600.0),
        ("E81", 4, DeliveryWord.POSTPONED, 600.0),
        ("E80", 5, DeliveryWord.FAILED, None),
        ("E90", 0, DeliveryWord.FAILED, None),
        ("E55", 0, "unknown", None),
        ("???", 0, "unknown", None),
        (None, 0, "unknown", None),
    ],
)
def test_failures(code: str | None, resends: int, status: str, wait_s: float | None) -> None:
    found = word("09", resends, FAIL_CODE=code, REASON="原因")
    assert (found.about, found.status, found.retry_after_s) == (About.DELIVERY, status, wait_s)
    assert found.keys == OURS
    if code is not None and code != "???":
        assert (found.reason_code, found.reasons) == (code, (Reason(code, "原因"),))


@pytest.mark.parametrize(
    ("count", "status", "wait_s"), [(1, DeliveryWord.POSTPONED, 3.0), (2, DeliveryWord.FAILED, None)]
)
async def test_the_wait_of_a_postponed_row_is_agreed(
    tables: Tables, count: int, status: str, wait_s: float | None
) -> None:
    one = adapter(tables, postpone_s=3, resends=2)
    await one.send(one.translate(d.message(M.CASE_SUBMITTED, d.wages()), d.new()), NO_HTTP)
    tables.do("UPDATE TJ_OUT SET RESEND_COUNT = ?", count)
    tables.say(501, "09", FAIL_CODE="E80")
    (found,) = one.parse_callback(call((await one.poll(None, NO_HTTP)).items[0].body))
    assert isinstance(found, StatusUpdate)
    assert (found.status, found.retry_after_s) == (status, wait_s)


def test_a_known_repeat_is_accepted_under_its_old_number() -> None:
    found = word("01", FAIL_CODE="D01", PLAT_NO="S0")
    assert (found.status, found.references) == (DeliveryWord.ACCEPTED, (Reference("platform_no", "S0"),))


@pytest.mark.parametrize(
    ("zt", "status"),
    [
        ("2", "accepted"),
        ("5", "mediating"),
        ("7", "correction_required"),
        ("10", "declined"),
        ("99", "closed"),
        ("6", "unknown"),
        ("77", "unknown"),
    ],
)
def test_statuses(zt: str, status: str) -> None:
    found = word("02", ZT=zt, PLAT_NO="S1")
    assert (found.about, found.status, found.raw_status, found.keys) == (About.CASE, status, zt, CASE)


def test_corrections_and_notes() -> None:
    correction = word("03", REASON="补充身份证明")
    assert (correction.status, correction.reasons[0].text) == ("correction_required", "补充身份证明")
    note = word("04", REASON="请于三日内联系")
    assert (note.about, note.status, note.note) == (About.CASE, "", "请于三日内联系")
    assert word("04").note


async def test_a_foreign_case_beside_our_number_finds_no_delivery(tables: Tables) -> None:
    one = adapter(tables)
    document, context = d.SENT[M.CASE_SUBMITTED]
    await one.send(one.translate(d.message(M.CASE_SUBMITTED, document), context), NO_HTTP)
    tables.say(501, "01", CASE_KEY="SD-X#1", PLAT_NO="S1")
    tables.say(502, "01", OUT_ID="msg_of_somebody_else", PLAT_NO="S1")
    foreign, other = said(tables, await looked(tables))
    assert foreign.keys == (Key(KeyKind.CASE_NO_OF_SOURCE, "1", "SD-X"),)
    assert other.keys == (Key(KeyKind.MESSAGE, "msg_of_somebody_else"),)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_a_word_or_unreadable(value: Any) -> None:
    row = json.loads(item((*in_row(501, "01")[:-1], None, None)).body)
    for broken in (value, *({**row, name: value} for name in row)):
        try:
            found = changes.parse(json.dumps(broken).encode(), NOW)
        except UnreadableCallback:
            continue
        assert found.event_id
