"""Files in chunks (page §2, §3.3)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mocks.commerce_client import CASE, ORGANIZATION, PDF, Client, running

SIZE = 64


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "commerce", chunk_size=SIZE, file_limit=1000, files_limit=2) as there:
        yield there


def filled(length: int) -> bytes:
    return PDF + b"x" * (length - len(PDF))


def case(number: int) -> dict[str, object]:
    return CASE | {"ah": f"N{number}"}


async def send(client: Client, number: int, count: int = 1) -> str:
    """Send the case of this number, whose files stand; what the platform says."""
    key = f"{ORGANIZATION}#N{number}"
    sent = await client.send(case(number), OUT_ID=f"file_{number:08d}", CASE_KEY=key, FILE_COUNT=count)
    row = await client.until(sent)
    return f"{row['FAIL_CODE']} {row['FAIL_REASON']}"


async def test_files_in_chunks(client: Client) -> None:
    for number, length in enumerate((SIZE - 1, SIZE, SIZE + 1, 3 * SIZE, 1000)):
        await client.chunks(f"file_{number:08d}", 1, filled(length))
        await client.chunks(f"file_{number:08d}", 2, b"\x89PNG\r\n\x1a\n" + bytes(SIZE), "99")
        assert await send(client, number, 2) == "None None"
    records = await client.control("GET", "records")
    assert [file["FILE_SIZE"] for file in records[0]["files"]] == [SIZE - 1, SIZE + 8]
    assert await client.breaches() == []


async def test_files_that_are_wrong(client: Client) -> None:
    whole = filled(3 * SIZE)
    for number in range(20):
        await client.chunks(f"file_{number:08d}", 1, whole)
    spoils = [
        ("DELETE FROM TJ_FILE WHERE OUT_ID = ?", "E21 FILE_COUNT"),
        ("DELETE FROM TJ_FILE WHERE OUT_ID = ? AND CHUNK_NO = 2", "E21 TJ_FILE[1].CHUNK_NO"),
        ("DELETE FROM TJ_FILE WHERE OUT_ID = ? AND CHUNK_NO = 3", "E21 TJ_FILE[1].CHUNK_NO"),
        ("UPDATE TJ_FILE SET FILE_NO = 2 WHERE OUT_ID = ?", "E21 FILE_COUNT"),
        ("UPDATE TJ_FILE SET FILE_NAME = 'x' WHERE OUT_ID = ? AND CHUNK_NO = 2", "E21 TJ_FILE[1].FILE_NAME"),
        ("UPDATE TJ_FILE SET FILE_KIND = '06' WHERE OUT_ID = ?", "E15 TJ_FILE[1].FILE_KIND"),
        ("UPDATE TJ_FILE SET FILE_NAME = ' ' WHERE OUT_ID = ?", "E14 TJ_FILE[1].FILE_NAME"),
        ("UPDATE TJ_FILE SET FILE_NAME = 'e' || char(769) WHERE OUT_ID = ?", "E14 TJ_FILE[1].FILE_NAME"),
        ("UPDATE TJ_FILE SET FILE_NAME = hex(zeroblob(51)) WHERE OUT_ID = ?", "E13 TJ_FILE[1].FILE_NAME"),
        ("UPDATE TJ_FILE SET CHUNK_COUNT = 2000000000 WHERE OUT_ID = ?", "E21 TJ_FILE[1].CHUNK_NO"),
        ("UPDATE TJ_FILE SET FILE_SIZE = 191 WHERE OUT_ID = ?", "E21 TJ_FILE[1].FILE_SIZE"),
        ("UPDATE TJ_FILE SET FILE_SM3 = '0' WHERE OUT_ID = ?", "E21 TJ_FILE[1].FILE_SM3"),
        (
            "UPDATE TJ_FILE SET CHUNK_SM3 = '0' WHERE OUT_ID = ? AND CHUNK_NO = 2",
            "E21 TJ_FILE[1].CHUNK[2].CHUNK_SM3",
        ),
        ("UPDATE TJ_FILE SET CHUNK = '*' WHERE OUT_ID = ? AND CHUNK_NO = 1", "E21 TJ_FILE[1].CHUNK[1]"),
        (
            "UPDATE TJ_FILE SET CHUNK = 'eA==' WHERE OUT_ID = ? AND CHUNK_NO = 1",
            "E21 TJ_FILE[1].CHUNK[1]",
        ),
    ]
    for number, (spoil, code) in enumerate(spoils):
        await client.sql(spoil, f"file_{number:08d}")
        assert await send(client, number) == code, spoil
    assert await send(client, 17, 0) == "E21 FILE_COUNT"
    assert await send(client, 18, 2) == "E21 FILE_COUNT"
    assert await send(client, 19, 3) == "E13 FILE_COUNT"


async def test_other_files_do_not_come(client: Client) -> None:
    await client.chunks("file_00000001", 1, b"<html></html>")
    assert await send(client, 1) == "E22 TJ_FILE[1]"
    await client.chunks("file_00000002", 1, filled(1001))
    assert await send(client, 2) == "E13 TJ_FILE[1].FILE_SIZE"
    row = await client.until(await client.send("{}", operate=3, FILE_COUNT=1))
    assert (row["FAIL_CODE"], row["FAIL_REASON"]) == ("E14", "FILE_COUNT")


async def test_chunks_without_a_row_go_after_a_day(client: Client) -> None:
    await client.chunks("file_00000001", 1, PDF)
    await client.runs()
    await client.control("POST", "clock", {"shift_s": 23 * 3600})
    await client.runs()
    assert len(await client.sql("SELECT * FROM TJ_FILE")) == 1
    await client.control("POST", "clock", {"shift_s": 2 * 3600})
    await client.runs(4)
    assert await client.sql("SELECT * FROM TJ_FILE") == []
    assert await client.breaches() == []
