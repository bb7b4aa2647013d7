"""Batches into ``up/``: order, no overwriting, repeats, and who heals what (page §2, §5)."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.enterprise_confederation import EnterpriseConfederation
from adapters.enterprise_confederation.directory import MountedDirectory, of_os
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.messages import MessageType as M
from tests.adapters.ways import NO_HTTP, Recorded

from . import documents as d
from .exchange import NOW, PDF, Share, adapter, row, wire_of

FILES = [f"{d.STEM}.csv", f"{d.STEM}.manifest.json", f"{d.STEM}.ok", f"{d.STEM}_001.json"]


async def test_a_batch_stands_whole_under_its_marker(share: Share) -> None:
    receipt = await share.adapter().send(wire_of(share.root), NO_HTTP)
    assert (receipt.reference, receipt.relayed, receipt.duplicate) == (d.STEM, True, False)
    assert share.names("up") == FILES
    assert (share.up / f"{d.STEM}.ok").read_bytes() == d.DIGITS.encode() + b"\n"
    times = [(share.up / name).stat().st_mtime_ns for name in FILES]
    assert max(times) == (share.up / f"{d.STEM}.ok").stat().st_mtime_ns
    assert all((share.up / name).stat().st_nlink == 1 for name in FILES)


async def test_the_order_of_writing(mounted: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []
    link = os.link

    def told(source: Path, target: Path, *, follow_symlinks: bool = True) -> None:
        named.append(target.name)
        link(source, target, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "link", told)
    await mounted.adapter().send(wire_of(mounted.root), NO_HTTP)
    assert named == [f"{d.STEM}.csv", f"{d.STEM}_001.json", f"{d.STEM}.manifest.json", f"{d.STEM}.ok"]


@pytest.mark.parametrize("moved", [None, "done"])
async def test_a_repeat_changes_nothing(share: Share, moved: str | None) -> None:
    wire = wire_of(share.root)
    await share.adapter().send(wire, NO_HTTP)
    if moved:
        day = share.root / moved / "20260917"
        day.mkdir()
        for name in FILES:
            (share.up / name).rename(day / name)
    before = {name: (share.up / name).stat().st_ino for name in share.names("up")}
    again = await share.adapter().send(wire, NO_HTTP)
    assert (again.duplicate, again.reference) == (True, d.STEM)
    assert {name: (share.up / name).stat().st_ino for name in share.names("up")} == before
    assert await share.adapter().lookup(wire, NO_HTTP) is not None


async def test_leftovers_without_marker_are_completed(share: Share) -> None:
    (share.up / f"{d.STEM}.csv").write_bytes(b"half")
    (share.up / f"{d.STEM}_001.json").write_bytes(d.DETAIL.encode())
    (share.up / f"{d.STEM}.ok.part").write_bytes(b"5")
    kept = (share.up / f"{d.STEM}_001.json").stat().st_ino
    receipt = await share.adapter().send(wire_of(share.root), NO_HTTP)
    assert not receipt.duplicate
    assert share.names("up") == FILES
    assert (share.up / f"{d.STEM}_001.json").stat().st_ino == kept


async def test_another_batch_under_our_name_is_the_operators(share: Share) -> None:
    (share.up / f"{d.STEM}.ok").write_text("0" * 64 + "\n", "ascii")
    for verb in ("send", "lookup"):
        with pytest.raises(EndpointError, match="other_content"):
            await getattr(share.adapter(), verb)(wire_of(share.root), NO_HTTP)
    assert share.names("up") == [f"{d.STEM}.ok"]


async def test_a_link_under_our_name_is_never_followed(share: Share) -> None:
    aim = share.root / "aim"
    aim.write_bytes(b"precious")
    (share.up / f"{d.STEM}.csv").symlink_to(aim)
    with pytest.raises(EndpointError, match="not_a_file"):
        await share.adapter().send(wire_of(share.root), NO_HTTP)
    assert aim.read_bytes() == b"precious"


async def test_a_folder_under_our_name_is_the_operators(share: Share) -> None:
    (share.up / f"{d.STEM}.csv").mkdir()
    with pytest.raises(EndpointError, match="not_a_file"):
        await share.adapter().send(wire_of(share.root), NO_HTTP)


async def test_a_share_that_hangs_ends_in_time(mounted: Share) -> None:
    """Whatever step hangs; of the marker's alone nobody knows."""

    async def hanging(function: Callable[..., object], /, *arguments: object) -> None:
        await asyncio.Event().wait()

    medium = MountedDirectory(str(mounted.root), hanging, 0.01)
    for filing in (False, True):
        with pytest.raises(RetryableError, match="timeout") as lost:
            await medium.run(medium.stands, filing=filing)
        assert lost.value.maybe_accepted == filing


async def test_lookup(share: Share) -> None:
    wire, asking = wire_of(share.root), share.adapter()
    assert await asking.lookup(wire, NO_HTTP) is None
    share.reply(row())
    found = await asking.lookup(wire, NO_HTTP)
    assert found is not None
    assert found.relayed
    for name in share.names("down"):
        (share.down / name).unlink()
    day = share.root / "bad" / "20260917"
    day.mkdir()
    (day / f"{d.STEM}.ok").write_text(d.DIGITS + "\n", "ascii")
    assert await asking.lookup(wire, NO_HTTP) is not None


async def test_maintenance_waits_until_its_end(share: Share) -> None:
    share.beat(state="MAINT", until="2026-09-17 10:02:30")
    with pytest.raises(RetryableError, match="MAINTENANCE") as wait:
        await share.adapter().send(wire_of(share.root), NO_HTTP)
    assert wait.value.retry_after == timedelta(minutes=2)
    assert share.names("up") == []
    share.beat(state="MAINT", until="2026-09-17 09:00:00")
    await share.adapter().send(wire_of(share.root), NO_HTTP)


async def test_what_is_gone(share: Share) -> None:
    wire = wire_of(share.root)
    share.up.rename(share.root / "away")
    with pytest.raises(EndpointError, match="folder_missing"):
        await share.adapter().send(wire, NO_HTTP)
    share.root.rename(share.root.with_name("unmounted"))
    heals, code = share.when_gone
    with pytest.raises(heals, match=code) as gone:
        await share.adapter().send(wire, NO_HTTP)
    assert not getattr(gone.value, "maybe_accepted", False)


@pytest.mark.parametrize(
    ("code", "name", "heals"),
    [
        (errno.EACCES, "share_right_missing", EndpointError),
        (errno.EPERM, "share_right_missing", EndpointError),
        (errno.EROFS, "share_read_only", EndpointError),
        (errno.ENOENT, "folder_missing", EndpointError),
        (errno.EOPNOTSUPP, "share_without_links", EndpointError),
        (errno.ELOOP, "not_a_file", EndpointError),
        (errno.ENOSPC, "share_full", RetryableError),
        (errno.EDQUOT, "share_full", RetryableError),
        (errno.ESTALE, "share_gone", RetryableError),
        (errno.EIO, "share_gone", RetryableError),
        (errno.ETIMEDOUT, "share_gone", RetryableError),
    ],
)
def test_errors_of_the_file_system(code: int, name: str, heals: type[Exception]) -> None:
    error = of_os(OSError(code, "/secret/path"))
    assert (type(error), error.code) == (heals, name)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("code", "name", "doubt"),
    [
        (errno.EIO, "share_gone", True),
        (errno.ESTALE, "share_gone", True),
        (errno.ENOSPC, "share_full", False),
    ],
)
async def test_a_rename_of_the_marker_that_fails(
    mounted: Share, monkeypatch: pytest.MonkeyPatch, code: int, name: str, doubt: bool
) -> None:
    link = os.link

    def failing(source: Path, target: Path, *, follow_symlinks: bool = True) -> None:
        if target.suffix == ".ok":
            raise OSError(code, "cut")
        link(source, target, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "link", failing)
    with pytest.raises(RetryableError, match=name) as lost:
        await mounted.adapter().send(wire_of(mounted.root), NO_HTTP)
    assert lost.value.maybe_accepted == doubt


@pytest.mark.parametrize(("flushes", "doubt"), [(0, False), (1, False), (2, True)])
async def test_doubt_begins_with_the_marker(
    mounted: Share, monkeypatch: pytest.MonkeyPatch, flushes: int, doubt: bool
) -> None:
    left, flush = [flushes], MountedDirectory.flush

    async def failing(self: MountedDirectory, folder: str) -> None:
        if not left[0]:
            raise of_os(OSError(errno.EIO, "cut"))
        left[0] -= 1
        await flush(self, folder)

    monkeypatch.setattr(MountedDirectory, "flush", failing)
    with pytest.raises(RetryableError) as lost:
        await mounted.adapter().send(wire_of(mounted.root), NO_HTTP)
    assert lost.value.maybe_accepted == doubt
    monkeypatch.undo()
    assert (await mounted.adapter().send(wire_of(mounted.root), NO_HTTP)).duplicate == doubt


async def test_a_full_share_is_the_operators_after_an_hour(mounted: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [NOW]
    sending = mounted.adapter(lambda: now[0])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RetryableError, match="share_full"):
        await sending.send(wire_of(mounted.root), NO_HTTP)
    now[0] += timedelta(minutes=61)
    with pytest.raises(EndpointError, match="share_full"):
        await sending.send(wire_of(mounted.root), NO_HTTP)


async def test_content_must_fit_its_type(share: Share) -> None:
    wire = wire_of(share.root, M.AGREEMENT_CONCLUDED, attachments={d.PAPER: d.file("image/png", len(PDF))})
    with pytest.raises(PermanentError, match="file_type"):
        await share.adapter().send(wire, NO_HTTP)
    assert share.names("up") == []


async def test_our_old_parts_are_swept(share: Share) -> None:
    old, new, foreign = (share.up / f"{name}.part" for name in (f"{d.STEM}.csv", f"{d.STEM}.ok", "QLTJ_OTHER_x"))
    for path in (old, new, foreign):
        path.write_bytes(b"x")
    before, fresh = NOW.timestamp() - 4000, NOW.timestamp() - 60
    os.utime(old, (before, before))
    os.utime(new, (fresh, fresh))
    os.utime(foreign, (before, before))
    await share.adapter().poll(None, NO_HTTP)
    assert share.names("up") == sorted([new.name, foreign.name])


async def test_probe(share: Share) -> None:
    await share.adapter().probe(NO_HTTP)
    share.beat(NOW - timedelta(minutes=11))
    with pytest.raises(EndpointError, match="reader_stopped"):
        await share.adapter().probe(NO_HTTP)
    share.beat(NOW + timedelta(minutes=5))
    with pytest.raises(EndpointError, match="clock"):
        await share.adapter().probe(NO_HTTP)
    share.beat(state="MAINT", until="2026-09-17 10:02:30")
    with pytest.raises(RetryableError, match="MAINTENANCE"):
        await share.adapter().probe(NO_HTTP)
    (share.root / "heartbeat.json").write_bytes(b"<html>")
    with pytest.raises(EndpointError, match="reader_missing"):
        await share.adapter().probe(NO_HTTP)


async def test_a_batch_goes_in_its_turn_and_each_step_is_told(tmp_path: Path) -> None:
    share, way = Share.made(tmp_path / "share"), Recorded()
    one = adapter(share.root)
    await one.send(wire_of(tmp_path), way)
    assert way.steps == [("look", False, True), ("files", False, False), ("marker", True, False)]
    assert way.places == {str(share.root)}
    await one.lookup(wire_of(tmp_path), way)
    assert way.steps[3:] == [("lookup", False, False)]
    assert EnterpriseConfederation.info.rate_per_s * 60 <= 60


async def test_a_batch_that_is_taken_while_we_look_for_it_is_found(
    mounted: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, wire = adapter(mounted.root), wire_of(mounted.root)
    await one.send(wire, NO_HTTP)
    read = MountedDirectory.read

    async def taken(medium: MountedDirectory, path: str, limit: int) -> bytes | None:
        if path.startswith("up/") and (mounted.root / path).exists():
            today = mounted.root / "done" / "20260917"
            today.mkdir(parents=True)
            (mounted.root / path).rename(today / Path(path).name)
        return await read(medium, path, limit)

    monkeypatch.setattr(MountedDirectory, "read", taken)
    assert await one.lookup(wire, NO_HTTP) is not None
