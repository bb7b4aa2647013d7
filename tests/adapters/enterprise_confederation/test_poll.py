"""Batches out of ``down/``: proven whole, read row by row, taken once (page §5)."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.enterprise_confederation import EnterpriseConfederation, pulling
from adapters.enterprise_confederation.wire import list_bytes
from contracts.adapter import InboundCall, Origin, PolledItem
from contracts.errors import EndpointError, UnreadableCallback
from contracts.update import About, DeliveryWord, Key, KeyKind, StatusUpdate
from tests.adapters.ways import NO_HTTP

from . import documents as d
from .exchange import COLUMNS, NOW, Share, adapter, row, wire_of


def said(item: PolledItem) -> StatusUpdate:
    call = InboundCall("", "", (), item.body, NOW, origin=Origin.POLL)
    update = EnterpriseConfederation.parse_callback(adapter(Path("/srv/x")), call)[0]
    assert isinstance(update, StatusUpdate)
    assert update.event_id == item.event_id
    return update


async def news(share: Share) -> tuple[PolledItem, ...]:
    return (await share.adapter().poll(None, NO_HTTP)).items


async def test_the_pages_reply(share: Share) -> None:
    base = share.reply(row())
    polling = share.adapter()
    page = await polling.poll(None, NO_HTTP)
    (item,) = page.items
    update = said(item)
    assert update.event_id == f"{d.STEM}.R01:1"
    assert (update.about, update.status) == (About.DELIVERY, DeliveryWord.ACCEPTED)
    assert update.keys == (Key(KeyKind.MESSAGE, d.MESSAGE),)
    assert [reference.value for reference in update.references] == ["QL20260917000009"]
    assert update.at.isoformat() == "2026-09-17T10:01:00+08:00"
    await polling.mark_read(page.items, NO_HTTP)
    assert share.names("down") == [f"{base}.csv", f"{base}.manifest.json", f"{base}.taken"]
    assert (await polling.poll(page.cursor, NO_HTTP)).items == ()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"结果": "处理中"}, "taken", None),
        ({"结果": "重复"}, "taken", None),
        ({"结果": "重复", "平台编号": "QL1"}, "accepted", None),
        ({"结果": "受理"}, "accepted", None),
        ({"结果": "拒绝", "错误码": "E17", "错误说明": "信用代码有误"}, "refused", "E17"),
        ({"结果": "拒绝", "错误码": "B03"}, "refused", "B03"),
        ({"结果": "拒绝", "错误码": "B01"}, "failed", "B01"),
        ({"结果": "拒绝", "错误码": "B05"}, "failed", "B05"),
        ({"结果": "拒绝", "错误码": "B07"}, "failed", "B07"),
        ({"结果": "拒绝", "错误码": "??"}, "unknown", None),
        ({"结果": "也许"}, "unknown", None),
    ],
)
async def test_words_of_rows(share: Share, changes: dict[str, str], status: str, code: str | None) -> None:
    share.reply(row("", **changes))
    (item,) = await news(share)
    assert (said(item).status, said(item).reason_code) == (status, code)


async def test_row_0_finds_our_message(share: Share) -> None:
    await share.adapter().send(wire_of(share.root), NO_HTTP)
    share.reply(row("拒绝", 行号="0", 业务主键="", 错误码="B09"))
    (item,) = await news(share)
    assert said(item).keys == (Key(KeyKind.MESSAGE, d.MESSAGE),)


@pytest.mark.parametrize("line", ["0", "1"])
async def test_a_foreign_row_finds_no_delivery(share: Share, line: str) -> None:
    share.reply(row(行号=line, 业务主键="msg_01K6EXAMPLE0000000000000X"))
    (item,) = await news(share)
    assert said(item).keys == (Key(KeyKind.MESSAGE, f"{d.STEM}.R01:{line}"),)


async def test_a_status_file(share: Share) -> None:
    items = [
        {"事件号": "S1", "案件主键": d.CASE_KEY, "状态": "需补正", "说明": "补材料", "时间": "2026-09-18 09:00:00"},
        {"事件号": "S2", "案件主键": d.CASE_KEY, "状态": "已受理"},
        {"事件号": "S3", "案件主键": d.CASE_KEY, "状态": "飞走了"},
    ]
    base = share.status(1, items)
    first, second, third = await news(share)
    update = said(first)
    assert (update.event_id, update.status, update.reasons[0].text) == ("S1", "correction_required", "补材料")
    assert update.keys == (Key(KeyKind.CASE_NO_OF_SOURCE, "370705-QL002-2026-00008", "SD-WF-QL-002"),)
    assert said(second).status == "accepted"
    assert (said(third).status, said(third).raw_status) == ("unknown", "飞走了")
    assert f"{base}.ok" in share.names("down")


async def test_the_cursor_renames_what_mark_read_missed(share: Share) -> None:
    base = share.reply(row())
    page = await share.adapter().poll(None, NO_HTTP)
    assert f"{base}.ok" in share.names("down")
    assert (await share.adapter().poll(page.cursor, NO_HTTP)).items == ()
    assert f"{base}.taken" in share.names("down")


async def test_a_marker_that_was_replaced_is_not_taken(share: Share) -> None:
    share.reply(row("处理中"))
    polling = share.adapter()
    page = await polling.poll(None, NO_HTTP)
    base = share.reply(row())
    await polling.mark_read(page.items, NO_HTTP)
    assert f"{base}.ok" in share.names("down")


@pytest.mark.parametrize("same", [True, False])
async def test_a_batch_that_was_taken_before(share: Share, same: bool) -> None:
    base = share.reply(row())
    taken = share.down / f"{base}.taken"
    taken.write_bytes((share.down / f"{base}.ok").read_bytes() if same else b"0" * 64)
    polling = share.adapter()
    page = await polling.poll(None, NO_HTTP)
    await polling.mark_read(page.items, NO_HTTP)
    assert (f"{base}.bad" in share.names("down")) is not same
    assert f"{base}.ok" not in share.names("down")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html><body>login</body></html>", "csv_bom"),
        (b"", "csv_bom"),
        (list_bytes(COLUMNS, [row()]).decode("utf-8-sig").encode("gbk"), "csv_bom"),
        (b"\xef\xbb\xbf\xff\xfe", "csv_encoding"),
        (list_bytes(COLUMNS[::-1], [row()]), "csv_header"),
        (list_bytes(COLUMNS, [row()])[:-5], "csv_cut_off"),
        (list_bytes(COLUMNS, [row()])[:-40] + b"\r\n", "csv_row"),
        (list_bytes(COLUMNS, [row()]) + b'2,"half\r\n', "csv_quotes"),
        (list_bytes(COLUMNS, [row(), row()]), "csv_row"),
        (list_bytes(COLUMNS, [row(行号="x")]), "csv_row"),
        (list_bytes(COLUMNS, [row(行号=str(n)) for n in range(600)]), "too_many_rows"),
    ],
)
async def test_a_reply_that_nobody_can_read(share: Share, data: bytes, code: str) -> None:
    base = f"{d.STEM}.R01"
    share.batch(base, ".csv", data)
    polling = share.adapter()
    page = await polling.poll(None, NO_HTTP)
    (item,) = page.items
    with pytest.raises(UnreadableCallback, match=code):
        said(item)
    await polling.mark_read(page.items, NO_HTTP)
    assert f"{base}.bad" in share.names("down")


@pytest.mark.parametrize(("how", "code"), [("ok", "digest"), ("form", "marker"), ("csv", "digest"), ("name", "name")])
async def test_a_wrong_digest_is_unreadable_at_once(share: Share, how: str, code: str) -> None:
    base = share.reply(row())
    if how == "ok":
        (share.down / f"{base}.ok").write_text("0" * 64 + "\n", "ascii")
    elif how == "form":
        (share.down / f"{base}.ok").write_text("done", "ascii")
    elif how == "csv":
        path = share.down / f"{base}.csv"
        path.write_bytes(path.read_bytes()[:-3] + b"x\r\n")
    else:
        (share.down / f"{base}.ok").rename(share.down / "QLTJ_nonsense.ok")
    (item,) = await news(share)
    with pytest.raises(UnreadableCallback, match=code):
        said(item)


@pytest.mark.parametrize("ending", [".csv", ".manifest.json"])
async def test_a_late_file_is_waited_for_and_told_once(share: Share, ending: str) -> None:
    base = share.reply(row())
    path = share.down / f"{base}{ending}"
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    now = [NOW]
    polling = share.adapter(lambda: now[0])
    assert (await polling.poll(None, NO_HTTP)).items == ()
    now[0] += timedelta(minutes=11)
    page = await polling.poll(None, NO_HTTP)
    with pytest.raises(UnreadableCallback, match="files_late"):
        said(page.items[0])
    await polling.mark_read(page.items, NO_HTTP)
    assert f"{base}.ok" in share.names("down")
    page = await polling.poll(page.cursor, NO_HTTP)
    assert page.items == ()
    path.write_bytes(whole)
    (item,) = (await polling.poll(page.cursor, NO_HTTP)).items
    assert said(item).status == "accepted"


async def test_links_pipes_and_giants_are_never_read(share: Share) -> None:
    base = share.reply(row())
    (share.down / f"{base}.csv").unlink()
    os.mkfifo(share.down / f"{base}.csv")
    (share.down / "QLST_20260917_000001.ok").symlink_to("/etc/hostname")
    other = share.status(2, [])
    with (share.down / f"{other}.manifest.json").open("wb") as giant:
        giant.truncate(5 * 1024**3)
    for item in await news(share):
        with pytest.raises(UnreadableCallback):
            said(item)


async def test_many_batches_come_in_pages(share: Share) -> None:
    for number in range(70):
        share.status(number, [{"事件号": f"S{number}", "案件主键": d.CASE_KEY, "状态": "已受理"}])
    (share.down / "x.ok").write_bytes(b"")
    for number in range(3):
        (share.down / ("x" * (250 + number) + ".ok")).write_bytes(b"")
        (share.down / f"QLST_20260917_9{number:05d}.ok").mkdir()
    polling = share.adapter()
    page = await polling.poll(None, NO_HTTP)
    assert (len(page.items), page.more) == (60, True)
    page = await polling.poll(page.cursor, NO_HTTP)
    assert (len(page.items), page.more) == (11, False)


async def test_a_slow_medium_ends_a_page(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is stored, however long the rest would take."""
    monkeypatch.setattr(pulling, "_LONGEST_LOOK_S", -1.0)
    for number in range(3):
        share.status(number, [{"事件号": f"S{number}", "案件主键": d.CASE_KEY, "状态": "已受理"}])
    polling, cursor, came = share.adapter(), None, []
    for more in (True, True, False):
        page = await polling.poll(cursor, NO_HTTP)
        cursor = page.cursor
        assert page.more == more
        came += [item.event_id for item in page.items]
    assert came == ["S0", "S1", "S2"]


async def test_something_in_the_way_of_a_marker_stops_nobody(share: Share) -> None:
    base = share.reply(row())
    (share.down / f"{base}.taken").mkdir()
    (share.down / f"{base}.bad").mkdir()
    polling = share.adapter()
    page = await polling.poll(None, NO_HTTP)
    share.status(1, [{"事件号": "S1", "案件主键": d.CASE_KEY, "状态": "已受理"}])
    assert "S1" in [item.event_id for item in (await polling.poll(page.cursor, NO_HTTP)).items]


async def test_markers_that_stay_hold_up_nobody(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "MOST_BATCHES", 2)
    for number in range(3):
        base = share.status(number, [{"事件号": f"S{number}", "案件主键": d.CASE_KEY, "状态": "已受理"}])
        if number < 2:
            (share.down / f"{base}.taken").mkdir()
            (share.down / f"{base}.bad").mkdir()
    polling = share.adapter()
    page = await polling.poll(None, NO_HTTP)
    assert ([item.event_id for item in page.items], page.more) == (["S0", "S1"], True)
    page = await polling.poll(page.cursor, NO_HTTP)
    assert ([item.event_id for item in page.items], page.more) == (["S2"], False)


async def test_a_poll_without_its_folder(share: Share) -> None:
    share.down.rename(share.root / "away")
    with pytest.raises(EndpointError, match="folder_missing"):
        await news(share)
    share.root.rename(share.root.with_name("gone"))
    heals, code = share.when_gone
    with pytest.raises(heals, match=code):
        await news(share)


@pytest.mark.parametrize("cursor", ["", "x", "[]", "{}", '{"marks":[1]}', '{"marks":[["../x",".taken",""]]}', "null"])
async def test_a_cursor_that_is_not_ours_says_nothing(share: Share, cursor: str) -> None:
    share.reply(row())
    assert len((await share.adapter().poll(cursor, NO_HTTP)).items) == 1
