"""Batches in the exchange directory: names, manifest, limits, zips; B codes, replies and where a batch goes."""

import io
import json
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.mocks.confederation_client import (
    DETAIL,
    LIST,
    PDF,
    Client,
    Written,
    batch,
    case,
    platform,
    sm3,
    zipped,
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with platform(tmp_path / "ec", loose_limit=100_000) as made:
        yield made


async def test_the_page_s_example(client: Client) -> None:
    key = "msg_01K6EXAMPLE0000000000000E"
    written = batch((LIST, DETAIL), ids=[key])
    assert written.stem == "QLTJ_SDGW_CASE_20260917_E47F8A1F7AD61200EEB5628BA5C37880"
    listed, detail = written.data.values()
    assert (len(listed), sm3(listed)[:8]) == (759, "7689d4b6")
    assert (len(detail), sm3(detail)[:8]) == (923, "2d4d9056")
    assert written.sealed()[f"{written.stem}.ok"].startswith(b"58e8bae5fa9094d8")
    [row] = await client.send(written)
    assert (row["行号"], row["业务主键"], row["结果"], row["错误码"]) == ("1", key, "受理", "")
    assert row["平台编号"].startswith("QL20")
    assert client.where(written.stem) == "done"
    assert client.marks() == [f"{written.stem}.R01.ok"]
    [record] = await client.control("GET", "records")
    assert (record["ref"], record["message_id"]) == (row["平台编号"], key)
    assert await client.breaches() == []
    beat = json.loads((client.root / "heartbeat.json").read_text("utf-8"))
    assert (beat["state"], beat["period_s"]) == ("RUN", 3600)


async def test_the_same_batch_again_has_no_second_effect(client: Client) -> None:
    written = batch((LIST, DETAIL))
    [first] = await client.send(written)
    [again] = await client.send(written)
    assert (again["结果"], again["平台编号"]) == ("重复", first["平台编号"])
    assert client.marks()[-1] == f"{written.stem}.R02.ok"
    assert len(await client.control("GET", "records")) == 1


async def test_b04_the_first_stays_valid(client: Client) -> None:
    key = "msg_00000000000000000000000B04"
    await client.send(batch((LIST, DETAIL), ids=[key]))
    other = batch((LIST | {"涉案金额": "1.00"}, DETAIL), ids=[key])
    [row] = await client.send(other)
    assert (row["行号"], row["结果"], row["错误码"]) == ("0", "拒绝", "B04")
    assert sorted(path.parts[-3] for path in client.root.glob("*/*/*.ok")) == ["bad", "done"]
    assert len(await client.control("GET", "records")) == 1


async def test_b01_and_b05(client: Client) -> None:
    assert await client.verdict(batch((LIST, DETAIL), sender="OTHER")) == "B01"
    written = batch((LIST, DETAIL))
    for stem in (
        f"{written.stem[:-1]}",
        written.stem.replace("_CASE_", "_XXXX_"),
        written.stem.replace("0917", "0931"),
    ):
        client.put(f"{stem}.ok", b"0" * 64 + b"\n")
        await client.run()
        assert client.replies(stem)[-1][0]["错误码"] == "B05"
        assert client.where(stem) == "bad"
    foreign = batch((LIST, DETAIL))
    key = foreign.stem.rpartition("_")[2]
    renamed = Written(
        foreign.stem.replace(key, "A" * 32),
        {name.replace(key, "A" * 32): data.replace(key.encode(), b"A" * 32) for name, data in foreign.data.items()},
        "CASE",
        1,
    )
    assert await client.verdict(renamed) == "B05"


@pytest.mark.parametrize(
    "manifest",
    [
        {"stem": "QLTJ"},
        {"op": "PROG"},
        {"rows": 2},
        {"rows": "1"},
        {"created_at": "2026-09-17T10:00:05"},
        {"created_at": "2026-09-18 10:00:05"},
        {"more": 1},
        {"files": []},
    ],
)
async def test_b02_manifest(client: Client, manifest: dict[str, Any]) -> None:
    assert await client.verdict(batch((LIST, DETAIL)), **manifest) == "B02"


@pytest.mark.parametrize("marker", [b"", b"0" * 64, b"0" * 64 + b"\r\n", b"A" * 64 + b"\n", b"0" * 64 + b"\n"])
async def test_b02_marker(client: Client, marker: bytes) -> None:
    written = batch((LIST, DETAIL))
    files = written.sealed() | {f"{written.stem}.ok": marker}
    client.put_all(files)
    await client.run()
    assert client.replies(written.stem)[-1][0]["错误码"] == "B02"
    assert client.where(written.stem) == "bad"


async def test_b02_a_file_that_the_manifest_does_not_name(client: Client) -> None:
    written = batch((LIST, DETAIL))
    client.put(f"{written.stem}_001_01.pdf", PDF)
    assert await client.verdict(written) == "B02"


async def test_b03_waits_for_late_files_but_not_for_wrong_ones(client: Client) -> None:
    late, wrong = batch(case(1)), batch(case(2))
    files = late.sealed()
    name = f"{late.stem}_001.json"
    client.put_all({other: data for other, data in files.items() if other != name})
    await client.run()
    assert client.replies(late.stem) == []
    client.put(name, files[name])
    await client.run()
    assert client.replies(late.stem)[0][0]["结果"] == "受理"
    spoilt = wrong.sealed()
    spoilt[f"{wrong.stem}_001.json"] = spoilt[f"{wrong.stem}_001.json"].replace(b"1238", b"1239")
    client.put_all(spoilt)
    await client.run()
    assert client.replies(wrong.stem)[0][0]["错误码"] == "B03"


async def test_b03_after_ten_minutes_b06_after_a_day(client: Client) -> None:
    missing, unmarked = batch(case(1)), batch(case(2))
    files = missing.sealed()
    del files[f"{missing.stem}.csv"]
    client.put_all(files)
    client.put_all(unmarked.data)
    await client.run()
    await client.control("POST", "clock", {"shift_s": 601})
    await client.run()
    assert client.replies(missing.stem)[0][0]["错误码"] == "B03"
    assert client.replies(unmarked.stem) == []
    await client.control("POST", "clock", {"shift_s": 86400})
    await client.run()
    assert client.replies(unmarked.stem)[0][0]["错误码"] == "B06"
    assert not list((client.root / "up").iterdir())


async def test_b07_limits(tmp_path: Path) -> None:
    async with platform(tmp_path / "ec", rows_limit=2, loose_files=4, json_limit=2000, batches_per_minute=4) as client:
        assert await client.verdict(batch(case(1), case(2), case(3))) == "B07"
        many = batch(case(4), files={f"_001_{mm:02d}.pdf": PDF for mm in range(1, 4)})
        assert await client.verdict(many) == "B07"
        assert await client.verdict(batch((LIST, DETAIL | {"案情": "长" * 1000}))) == "B07"
        assert await client.verdict(batch(case(5))) == "受理"
        assert await client.verdict(batch(case(6))) == "B07"


async def test_a_zip_is_taken(client: Client) -> None:
    [row] = await client.send(zipped(batch((LIST | {"附件数": "1"}, DETAIL), files={"_001_01.pdf": PDF})))
    assert row["结果"] == "受理"
    [record] = await client.control("GET", "records")
    assert record["files"][0]["sm3"] == sm3(PDF)


def _packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, attributes: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = attributes
            archive.writestr(entry, data, method)
    return out.getvalue()


@pytest.mark.parametrize(
    "breach", ["slip", "folder", "case", "method", "link", "nested", "ratio", "header", "foreign", "not"]
)
async def test_b08_zip_rules(client: Client, breach: str) -> None:
    written = batch((LIST, DETAIL))
    stem, data = written.stem, written.data
    match breach:
        case "slip":
            packed = _packed(data | {"../x": b"x"})
        case "folder":
            packed = _packed(data | {"a/x": b"x"})
        case "case":
            packed = _packed(data | {f"{stem}.CSV": b"x"})
        case "method":
            packed = _packed(data, zipfile.ZIP_BZIP2)
        case "link":
            packed = _packed(data, attributes=0o120777 << 16)
        case "nested":
            packed = _packed(data | {f"{stem}.zip": b"x"})
        case "ratio":
            packed = _packed(data | {f"{stem}_001_01.pdf": bytes(1_000_000)})
        case "header":
            packed = zipped(written).data[f"{stem}.zip"]
            packed = packed[:14] + b"\xff\xff\xff\xff" + packed[18:]
        case "foreign":
            packed = _packed(data | {"x.pdf": PDF})
        case _:
            packed = b"PK\x03\x04"
    assert await client.verdict(Written(stem, {f"{stem}.zip": packed}, "CASE", 1)) == "B08"


@pytest.mark.parametrize("breach", ["bom", "lf", "gbk", "header", "quotes", "columns", "none"])
async def test_b09_list(client: Client, breach: str) -> None:
    written = batch((LIST, DETAIL))
    name = f"{written.stem}.csv"
    data = written.data[name]
    written.data[name] = {
        "bom": data[3:],
        "lf": data.replace(b"\r\n", b"\n"),
        "gbk": b"\xef\xbb\xbf" + data[3:].decode().encode("gbk"),
        "header": data.replace("附件数".encode(), "附件".encode(), 1),
        "quotes": data.replace("王建国".encode(), '王"建国'.encode()),
        "columns": data.replace(b",0\r\n", b",0,\r\n"),
        "none": data[: data.index(b"\r\n") + 2],
    }[breach]
    assert await client.verdict(written) == "B09"


async def test_a_folder_that_looks_like_a_marker_holds_nobody(client: Client) -> None:
    (client.root / "up" / "AAA.ok").mkdir()
    assert await client.verdict(batch((LIST, DETAIL))) == "受理"


async def test_conduct(client: Client) -> None:
    written = batch((LIST, DETAIL))
    files = written.sealed()
    name = f"{written.stem}_001.json"
    client.put_all({other: data for other, data in files.items() if other != name})
    os.utime(client.root / "up" / f"{written.stem}.ok", (1, 1))
    (client.root / "up" / "notes.txt").write_bytes(b"")
    (client.root / "mine").mkdir()
    (client.root / "down" / "x.txt").write_bytes(b"")
    await client.run()
    listed = client.root / "up" / f"{written.stem}.csv"
    listed.unlink()
    client.put(listed.name, files[listed.name])
    await client.run()
    assert sorted(await client.breaches()) == [
        "foreign name in down",
        "foreign name in root",
        "foreign name in up",
        "marker older than its files",
        "overwritten under its marker",
    ]


async def test_old_batches_and_taken_replies_are_deleted(client: Client) -> None:
    taken, untaken = batch(case(1)), batch(case(2))
    await client.send(taken)
    await client.send(untaken)
    mark = client.root / "down" / f"{taken.stem}.R01.ok"
    mark.rename(mark.with_suffix(".taken"))
    await client.control("POST", "clock", {"shift_s": 32 * 86400})
    await client.run()
    assert not list(client.root.glob("done/*"))
    assert not list((client.root / "down").glob(f"{taken.stem}*"))
    assert client.replies(untaken.stem)[0][0]["结果"] == "受理"
