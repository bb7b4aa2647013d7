"""What the chambers' reader says to rows of every kind (page §3–§5)."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mocks.commerce_federation.checks import is_masked
from mocks.commerce_federation.findings import FAIL_CODES
from tests.mocks.commerce_client import (
    AGREED,
    AGREEMENT,
    CASE,
    FAILED,
    MEDIATING,
    NUMBER,
    ORGANIZATION,
    PERFORMANCE,
    Client,
    changed,
    digest_in,
    running,
    without,
)

KEY = f"{ORGANIZATION}#{NUMBER}"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "commerce") as there:
        yield there


async def test_the_example_of_the_page(client: Client) -> None:
    row = client.row(CASE, OUT_ID="msg_01K6EXAMPLE0000000000000C")
    assert row["DIGEST"] == "d77bd335974e027d8405a5a9d0d81801d5ce150e234c289fb9ae4f0ce60cd746"
    out = await client.until(await client.insert(row))
    assert (out["UPLOAD_STATUS"], out["FAIL_CODE"], out["RESEND_COUNT"]) == (2, None, 0)
    assert out["PLAT_NO"].startswith("SHTJ")
    assert len(out["PLAT_NO"]) == 18
    taken, done = await client.news(row["OUT_ID"])
    assert [taken["KIND"], done["KIND"]] == ["00", "01"]
    assert taken["IN_ID"] < done["IN_ID"]
    assert (done["PLAT_NO"], done["CASE_KEY"], done["FAIL_CODE"]) == (out["PLAT_NO"], KEY, None)
    assert all(row["DIGEST"] == digest_in(row) for row in (taken, done))
    assert taken["READ_STATUS"] == 0
    assert re.fullmatch(r"[0-9]{14}-[0-9]{3}", out["BATCH_NO"])
    assert await client.breaches() == []
    (line,) = await client.lines("case.submit")
    assert (line["effect"], line["message_id"], line["ref"]) == ("created", row["OUT_ID"], out["PLAT_NO"])
    assert line["payload"]["NR"] == CASE


async def test_a_case_from_its_beginning_to_its_end(client: Client) -> None:
    number = await client.done(CASE)
    assert await client.done(CASE | {"saje": "2.000000"}, operate=2) == number
    steps = [(MEDIATING, "02"), (AGREEMENT, "03"), (AGREED, "02"), (PERFORMANCE, "04")]
    numbers = [await client.done(values, biz) for values, biz in steps]
    assert len({number, *numbers}) == 5
    assert await client.done({"zt": "99", "sj": "2026-11-01 09:00:00"}, "02")
    assert await client.failed(PERFORMANCE, "04") == "E33 CASE_KEY"
    assert await client.done("{}", operate=3) == number
    assert await client.failed(MEDIATING, "02") == "E31 CASE_KEY"
    assert await client.done(CASE) != number
    kinds = [record["kind"] for record in await client.control("GET", "records")]
    assert kinds[:3] == ["case.submit", "case.revise", "case.progress"]
    assert kinds[-2:] == ["case.delete", "case.submit"]
    assert await client.breaches() == []


async def test_what_needs_something_that_is_not_there(client: Client) -> None:
    assert await client.failed(MEDIATING, "02") == "E31 CASE_KEY"
    assert await client.failed(CASE, operate=2) == "E32 CASE_KEY"
    assert await client.failed("{}", operate=3) == "E31 CASE_KEY"
    await client.done(CASE)
    assert await client.failed(CASE) == "E32 CASE_KEY"
    assert await client.failed(PERFORMANCE, "04") == "E31 lx.xybh"
    await client.done(AGREEMENT, "03")
    assert await client.failed(AGREEMENT, "03") == "E32 xy.xybh"
    assert await client.failed(changed(PERFORMANCE, "lx.xh", "9"), "04") == "E31 lx.xh"
    await client.done(FAILED, "02")
    assert await client.failed(MEDIATING, "02") == "E33 zt"
    assert await client.failed(changed(AGREEMENT, "xy.xybh", "另一份"), "03") == "E33 CASE_KEY"
    await client.done({"zt": "11", "sj": "2026-10-08 09:00:00"}, "02")
    assert await client.failed(FAILED, "02") == "E33 zt"


CASES: list[tuple[dict[str, Any], str]] = [
    (without(CASE, "twh"), "E11 twh"),
    (without(CASE, "dsr.0.zjhm"), "E11 dsr[0].zjhm"),
    (without(CASE, "tjy"), "E11 tjy"),
    (changed(CASE, "qq", []), "E11 qq"),
    (changed(CASE, "dsr", CASE["dsr"][:1]), "E11 dsr"),
    (CASE | {"csrq": "1990-03-07"}, "E12 csrq"),
    (changed(CASE, "dsr.1.xb", "0"), "E12 dsr[1].xb"),
    (changed(CASE, "dsr.1.dsrlx", "2"), "E12 dsr[1].zjlx"),
    (CASE | {"jfjyqk": "诉" * 1001}, "E13 jfjyqk"),
    (changed(CASE, "qq", CASE["qq"] * 21), "E13 qq"),
    (changed(CASE, "dsr.0.dsrxm", "王" * 51), "E13 dsr[0].dsrxm"),
    (CASE | {"saje": "18600.00"}, "E14 saje"),
    (CASE | {"saje": ""}, "E14 saje"),
    (CASE | {"saje": 1.86}, "E14 saje"),
    (CASE | {"zdjt": None}, "E14 zdjt"),
    (CASE | {"djrq": "2026-09-16T09:30:00"}, "E14 djrq"),
    (CASE | {"djrq": "2026-02-30 09:30:00"}, "E14 djrq"),
    (CASE | {"slrq": "2026-09-15 10:00:00"}, "E14 slrq"),
    (CASE | {"qhdm": "370202001"}, "E14 qhdm"),
    (CASE | {"twh": "e\u0301"}, "E14 twh"),
    (CASE | {"ah": "370202-SH003-2026-00018"}, "E14 ah"),
    (changed(CASE, "dsr.0", "王建国"), "E14 dsr[0]"),
    (CASE | {"twhlx": "11"}, "E15 twhlx"),
    (CASE | {"aydm": "205-8"}, "E15 aydm"),
    (changed(CASE, "dsr.0.zjlx", "7"), "E15 dsr[0].zjlx"),
    (changed(CASE, "dsr.0.zjhm", "370102199003071238"), "E16 dsr[0].zjhm"),
    (changed(CASE, "dsr.0.zjhm", "370***********1238"), "E16 dsr[0].zjhm"),
    (CASE | {"yhzh": "6222020000000000"}, "E16 yhzh"),
    (changed(CASE, "dsr.1.zjhm", "91370102MA3C123457"), "E17 dsr[1].zjhm"),
]
STEPS: list[tuple[str, dict[str, Any], str]] = [
    ("02", without(FAILED, "tjjg"), "E11 tjjg"),
    ("02", without(FAILED, "jsyy"), "E11 jsyy"),
    ("02", MEDIATING | {"tjjg": "1"}, "E12 tjjg"),
    ("02", MEDIATING | {"zt": "3"}, "E15 zt"),
    ("02", FAILED | {"jsyy": "9"}, "E15 jsyy"),
    ("02", MEDIATING | {"bz": "注" * 301}, "E13 bz"),
    ("03", without(AGREEMENT, "xy.fs"), "E11 xy.fs"),
    ("03", changed(AGREEMENT, "xy.xynr.0.skr", "王建国"), "E16 xy.xynr[0].skr"),
    ("03", changed(AGREEMENT, "xy.xynr.0.lxqx", "2026-10-31 00:00:00"), "E14 xy.xynr[0].lxqx"),
    ("03", changed(AGREEMENT, "xy.xynr.1.xh", "1"), "E14 xy.xynr[1].xh"),
    ("04", changed(PERFORMANCE, "lx.lxzt", "4"), "E14 lx.lxzt"),
]


async def test_every_field_is_looked_at(client: Client) -> None:
    await client.done(CASE)
    rows = [
        client.row(values, CASE_KEY=f"{ORGANIZATION}#{NUMBER}", OUT_ID=f"case_{i:08d}")
        for i, (values, _) in enumerate(CASES)
    ]
    rows += [client.row(values, biz, OUT_ID=f"step_{i:08d}") for i, (biz, values, _) in enumerate(STEPS)]
    await client.insert(*rows)
    said = []
    for row in rows:
        out = await client.until(row["OUT_ID"])
        said.append(f"{out['FAIL_CODE']} {out['FAIL_REASON']}")
        assert [line["KIND"] for line in await client.news(row["OUT_ID"])] == ["00", "09"]
    assert said == [code for _, code in CASES] + [code for _, _, code in STEPS]
    assert await client.breaches() == []


async def test_the_columns_are_looked_at(client: Client) -> None:
    long = f"{ORGANIZATION}#{'9' * 65}"
    assert await client.failed(CASE, DIGEST="0" * 64) == "E20 DIGEST"
    assert await client.failed(CASE, OUT_ID="short") == "E14 OUT_ID"
    assert await client.failed(CASE, ORG_CODE="SD-QD-SH-004", CASE_KEY=f"SD-QD-SH-004#{NUMBER}") == "E30 ORG_CODE"
    assert await client.failed(CASE, CASE_KEY=f"SD-QD-SH-004#{NUMBER}") == "E14 CASE_KEY"
    assert await client.failed(CASE, CASE_KEY=long) == "E13 CASE_KEY"
    assert await client.failed(CASE, "02", 2) == "E14 OPERATE_TYPE"
    assert await client.failed(CASE, CREATED_AT="2026-09-17T10:00:0") == "E14 CREATED_AT"
    assert await client.failed("{", "01") == "E10 NR"
    assert await client.failed('{"ah":"1","ah":"2"}', "01") == "E10 NR"
    assert await client.failed(json.dumps(CASE, ensure_ascii=False), "01") == "E10 NR"
    assert await client.failed("[]", "01") == "E10 NR"
    assert await client.failed(json.dumps({"ah": "九" * 90_000}, ensure_ascii=False), "01") == "E13 NR"
    assert await client.failed('{"ah":"1"}', operate=3) == "E12 ah"
    assert await client.failed(CASE, FILE_COUNT=-1) == "E14 FILE_COUNT"


async def test_values_that_no_text_should_hold(client: Client) -> None:
    """SQLite keeps what it is given; the reader goes on."""
    await client.insert(client.row(CASE) | {"NR": b"\xff\xfe"})
    await client.insert(client.row("null") | {"SEQ_NO": "x"})
    odd = [await client.until(row["OUT_ID"]) for row in await client.sql("SELECT OUT_ID FROM TJ_OUT ORDER BY OUT_ID")]
    assert [row["FAIL_CODE"] for row in odd] == ["E20", "E14"]
    await client.done(CASE, SEQ_NO=9)


def test_masks() -> None:
    assert is_masked("370102********123X", "1")
    assert is_masked("E1*****89", "2")
    assert is_masked("****", "2")
    for number in ("E12345678", "370102*********238", "***", "E**", "****5"):
        assert is_masked(number, "2") == (number == "***")
    assert not is_masked("A70102********1238", "1")


async def test_a_row_that_comes_again(client: Client) -> None:
    """After a clean-up, or from an older backup: the platform remembers."""
    row = client.row(CASE)
    first = await client.until(await client.insert(row))
    await client.sql("DELETE FROM TJ_OUT")
    await client.runs()
    again = await client.until(await client.insert(row))
    assert (again["UPLOAD_STATUS"], again["PLAT_NO"], again["FAIL_CODE"]) == (2, first["PLAT_NO"], None)
    assert [(line["KIND"], line["FAIL_CODE"]) for line in await client.news(row["OUT_ID"])][2:] == [
        ("00", None),
        ("01", "D01"),
    ]
    await client.sql("DELETE FROM TJ_OUT")
    await client.runs()
    other = client.row(CASE | {"saje": "3.000000"}, OUT_ID=row["OUT_ID"])
    assert (await client.until(await client.insert(other)))["FAIL_CODE"] == "E23"
    assert len(await client.control("GET", "records")) == 1
    await client.sql("DELETE FROM TJ_OUT")
    await client.runs()
    await client.control("POST", "clock", {"shift_s": 366 * 86400})
    assert (await client.until(await client.insert(other)))["FAIL_CODE"] == "E32"
    assert (await client.breaches()).count("TJ_OUT row deleted") == 3


async def test_the_tables_and_the_dictionary(client: Client) -> None:
    codes = await client.sql("SELECT DICT_TYPE, CODE FROM TJ_DICT WHERE VALID = '1'")
    assert {row["DICT_TYPE"] for row in codes} == {"TWHLX", "AJLY", "AY", "QQLX", "ZJLX", "ZT", "JSYY", "FJLX"}
    assert sum(row["DICT_TYPE"] == "AY" for row in codes) == 27
    hearts = await client.sql("SELECT NODE, PERIOD_S, STATE, UNTIL_AT FROM TJ_HEART ORDER BY NODE")
    assert [tuple(heart.values()) for heart in hearts] == [("GATEWAY", 60, "RUN", None), ("READER", 1, "RUN", None)]
    assert (await client.sql("PRAGMA journal_mode"))[0]["journal_mode"] == "wal"
    for sql in (
        "UPDATE TJ_OUT SET UPLOAD_STATUS = 4",
        "INSERT INTO TJ_HEART (NODE, BEAT_AT, PERIOD_S, STATE) VALUES ('GATEWAY', '2026-09-17 10:00:00', 60, 'OFF')",
    ):
        await client.done(CASE) if sql.startswith("UPDATE") else None
        with pytest.raises(Exception, match="CHECK constraint"):
            await client.sql(sql)


def test_the_codes_of_the_page() -> None:
    groups = ("10 11 12 13 14 15 16 17", "20 21 22 23", "30 31 32 33", "80 81", "90 91")
    assert list(FAIL_CODES) == [f"E{number}" for group in groups for number in group.split()]
