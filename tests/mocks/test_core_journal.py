"""The journal of the mocks: durable, shared fsync, restart, damage."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from mocks.journal import Journal, JournalDamaged


async def note(journal: Journal, number: int) -> int:
    return await journal.append(
        kind="k",
        business_key=f"b{number}",
        message_id=f"m{number}",
        digest="d",
        effect="created",
        ref="",
        payload={"名": number},
    )


async def test_entries_have_seq_from_one_and_are_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.ndjson")
    assert [await note(journal, n) for n in range(3)] == [1, 2, 3]
    entries = journal.entries()
    assert [entry["seq"] for entry in entries] == [1, 2, 3]
    assert entries[2]["payload"] == {"名": 2}
    assert entries[0]["at"].endswith("+08:00")
    assert [entry["seq"] for entry in journal.entries(after=1)] == [2, 3]
    assert [entry["seq"] for entry in journal.entries(after=1, limit=1)] == [2]
    assert journal.entries(after=3) == []
    await journal.close()


async def test_waiting_appends_share_one_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    real = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        real(descriptor)

    journal = Journal(tmp_path / "journal.ndjson")
    monkeypatch.setattr(os, "fsync", counted)
    seqs = await asyncio.gather(*(note(journal, n) for n in range(50)))
    assert sorted(seqs) == list(range(1, 51))
    assert 1 <= calls <= 3
    await journal.close()


async def test_an_entry_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    journal = Journal(tmp_path / "journal.ndjson")
    monkeypatch.setattr(os, "fsync", lambda _: order.append("fsync"))
    await note(journal, 1)
    order.append("returned")
    assert order == ["fsync", "returned"]
    assert json.loads(journal.path.read_bytes())["message_id"] == "m1"
    await journal.close()


async def test_restart_goes_on_and_drops_a_cut_last_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    journal = Journal(path)
    await note(journal, 1)
    await journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq":2,"kind":"cu')
    again = Journal(path)
    assert path.read_bytes() == whole
    assert await note(again, 2) == 2
    assert [entry["message_id"] for entry in again.entries()] == ["m1", "m2"]
    await again.close()


async def test_damage_in_the_middle_is_not_repaired(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    journal = Journal(path)
    await note(journal, 1)
    await note(journal, 2)
    await journal.close()
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(second + first)
    with pytest.raises(JournalDamaged):
        Journal(path)


async def test_a_line_that_is_no_json_is_found_when_it_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    journal = Journal(path)
    await note(journal, 1)
    await note(journal, 2)
    assert list(journal.replay()) == journal.entries()
    await journal.close()
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first.replace(b":", b";", 3).replace(b'"seq";', b'"seq":') + second)
    damaged = Journal(path)
    with pytest.raises(JournalDamaged, match="line 1"):
        list(damaged.replay())
    await damaged.close()


async def test_entries_that_contain_a_text(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.ndjson")
    for number in (1, 2, 12):
        await note(journal, number)
    assert [entry["seq"] for entry in journal.entries(containing="m1")] == [1, 3]
    assert [entry["seq"] for entry in journal.entries(after=1, containing="m1")] == [3]
    assert [entry["seq"] for entry in journal.entries(containing="名")] == [1, 2, 3]
    await journal.close()


async def test_a_failed_write_is_told_and_nothing_is_taken_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.ndjson")

    def broken(_: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="not written"):
        await note(journal, 1)
    monkeypatch.undo()
    with pytest.raises(OSError, match="broken"):
        await note(journal, 2)
    await journal.close()


async def test_a_cancelled_caller_does_not_cancel_the_write(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.ndjson")
    caller = asyncio.create_task(note(journal, 1))
    await asyncio.sleep(0)
    caller.cancel()
    assert await note(journal, 2) == 2
    assert [entry["message_id"] for entry in journal.entries()] == ["m1", "m2"]
    await journal.close()
