"""The directory of a demonstration: one owner, kept ports and beginning, whole files."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path

import pytest

from gateway.demo.client_log import Acknowledged, ClientLog, drop_cut_line
from gateway.demo.workspace import StageRefused, Workspace


def list_of(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir())


async def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    async with Workspace(tmp_path / "run") as first:
        began, ports = first.began(7), first.ports(["one", "two"], None)
        assert set(ports) == {"gateway", "one", "two"}
        assert all(15_000 <= port < 30_000 for port in ports.values())
    async with Workspace(tmp_path / "run") as second:
        assert second.began(7) == began
        assert second.ports(["two", "one"], None) == ports
        assert second.ports(["one", "two", "three"], 4321) | {"three": 0} == {**ports, "gateway": 4321, "three": 0}
        with pytest.raises(StageRefused, match="--seed 7"):
            second.began(8)


async def test_one_owner_at_a_time(tmp_path: Path) -> None:
    async with Workspace(tmp_path):
        second = Workspace(tmp_path)
        with pytest.raises(StageRefused, match="uses this directory"):
            await second.own(0.2)
    await second.own(0.2)
    second.release()
    assert list_of(tmp_path) == ["lock"]


async def test_a_child_that_lives_on_still_owns(tmp_path: Path) -> None:
    first = Workspace(tmp_path)
    await first.own(2.0)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "input()",
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(first.lock,),
    )
    try:
        first.release()  # what a killed parent leaves behind
        second = Workspace(tmp_path)
        with pytest.raises(StageRefused):
            await second.own(0.3)
    finally:
        assert child.stdin is not None
        child.stdin.close()
        await child.wait()
    await second.own(2.0)
    second.release()


async def test_a_temporary_one_goes(tmp_path: Path) -> None:
    async with Workspace(None) as workspace:
        workspace.keep("ports.json", {"gateway": 1})
        path = workspace.path
        assert path.exists()
    assert not path.exists()


async def test_files_are_private_and_whole(tmp_path: Path) -> None:
    async with Workspace(tmp_path) as workspace:
        path = workspace.write("demo.json", "{}")
        workspace.write("demo.json", json.dumps({"a": 1}))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert workspace.read("demo.json") == {"a": 1}
        assert workspace.read("nothing.json") == {}
        assert list_of(tmp_path) == ["demo.json", "lock"]


def test_the_clients_log_drops_a_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "client.ndjson"
    log = ClientLog(path)
    ack = Acknowledged("demo-1-1-case", "case.submitted", "case_1", (("dlv_1", "one"),))
    log.case(1).note(ack)
    log.case(1).note_upload("demo-1-1-paper", "att_1")
    log.close()
    with path.open("ab") as file:
        file.write(b'{"case":1,"key":"demo-1-1-next","type":"ca')
    again = ClientLog(path)
    assert again.case(1).acknowledged == {ack.key: ack}
    assert again.case(1).uploads == {"demo-1-1-paper": "att_1"}
    again.case(2).note_upload("demo-1-2-paper", "att_2")
    again.close()
    third = ClientLog(path)
    assert third.case(1).uploads == {"demo-1-1-paper": "att_1"}
    assert third.case(2).uploads == {"demo-1-2-paper": "att_2"}
    third.close()


def test_the_clients_log_forgets_a_case_that_is_over_and_its_file_does_not(tmp_path: Path) -> None:
    log = ClientLog(tmp_path / "client.ndjson")
    acks = [Acknowledged(f"demo-1-{n}-case", "case.submitted", f"case_{n}", (("dlv_1", "one"),)) for n in (1, 2)]
    for number, ack in enumerate(acks, 1):
        log.case(number).note(ack)
    log.case(1).end()
    assert (set(log.living), log.over) == ({2}, {1})
    log.close()
    again = ClientLog(tmp_path / "client.ndjson")
    assert (set(again.living), again.over) == ({2}, {1})
    assert list(again.acknowledged()) == acks
    again.close()


@pytest.mark.parametrize("cut", [b"", b"no end", b"x" * 200_000])
@pytest.mark.parametrize("whole", [b"", b"one\n", b"y" * 70_000 + b"\n"])
def test_what_stands_behind_the_last_end_of_line_goes(tmp_path: Path, whole: bytes, cut: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(whole + cut)
    drop_cut_line(path)
    assert path.read_bytes() == whole
