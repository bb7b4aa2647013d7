"""How the medium fails over SFTP: the page's faults of the directory, and those that SFTP alone can have."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import asyncssh
import pytest

from tests.mocks.confederation_client import Written, batch, case, platform
from tests.mocks.confederation_sftp import Account, Step, account, get, lost, put, put_all


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Account]:
    async with account(tmp_path / "ec") as made:
        yield made


def one() -> Written:
    return batch(case())


async def until(wanted: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await wanted():
            await asyncio.sleep(0.02)


async def may_write(way: Account) -> bool:
    try:
        async with way.session() as sftp:
            await put(sftp, f"x{time.monotonic_ns()}.csv", b"x")
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchFile):
        return False
    return True


# --- the page's own


async def test_refuse_takes_the_right_to_write(way: Account) -> None:
    async with way.session() as sftp:
        await put(sftp, "x.csv", b"x")
        await way.mock.fault("*", "refuse", after_ms=400)
        steps: list[Step] = [
            lambda: put(sftp, "y.csv", b"y"),
            lambda: sftp.remove("up/x.csv"),
            lambda: sftp.rename("up/x.csv", "up/z.csv"),
        ]
        for step in steps:
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await step()
        assert await get(sftp, "up/x.csv") == b"x"
        # As root too: the account's rights are the service's matter, the directory itself stays as it is.
        assert (way.directory / "up").is_dir()
        await until(lambda: may_write(way))
    assert await way.mock.breaches() == []


async def test_reset_cuts_and_renames_away(way: Account) -> None:
    async with way.session() as sftp:
        assert await sftp.isdir("up")
        await way.mock.fault("*", "reset", after_ms=600)
        with lost():
            for _ in range(1000):  # the directory's faults strike a moment later
                await sftp.stat("heartbeat.json")
                await asyncio.sleep(0.005)
    async with way.session() as again:
        assert "up" not in {str(name) for name in await again.listdir("/")}
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await put(again, "x.csv", b"x")
        await until(lambda: may_write(way))


async def test_expire_session_until_it_is_cleared(way: Account) -> None:
    down = way.directory / "down"
    (down / "a.ok").write_bytes(b"a")
    await way.mock.fault("*", "expire_session")

    async def taken() -> bool:
        return not await may_write(way)

    await until(taken)
    async with way.session() as sftp:
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.rename("down/a.ok", "down/a.taken")
        assert await get(sftp, "down/a.ok") == b"a"
        await way.mock.control("DELETE", "faults")
        await until(lambda: may_write(way))
        await sftp.rename("down/a.ok", "down/a.taken")


@pytest.mark.parametrize("op", ["case", "sftp.write"])
async def test_no_space(way: Account, op: str) -> None:
    written, other = one(), batch(case(9), op="PROG")
    await way.mock.fault(op, "http", status=507, times=2)
    await way.mock.run()  # the reader has nothing to do with it
    async with way.session() as sftp:
        if op == "case":
            await put(sftp, f"{other.stem}.csv", b"x")
        for _ in range(2):
            with pytest.raises(asyncssh.SFTPFailure):
                await put(sftp, f"{written.stem}.csv", b"x")
        await put_all(sftp, written.sealed())
        await way.mock.run()
    assert way.mock.replies(written.stem)[0][0]["结果"] == "受理"


async def test_drip_is_seen_under_its_marker(way: Account) -> None:
    written = one()
    await way.mock.fault("reply", "drip", after_ms=150)
    async with way.session() as sftp:
        await put_all(sftp, written.sealed())
        running = asyncio.create_task(way.mock.run())
        listed, mark = (f"down/{written.stem}.R01.{ending}" for ending in ("csv", "ok"))

        async def begun() -> bool:
            return await sftp.exists(mark) and await sftp.exists(listed)

        await until(begun)
        early = await get(sftp, listed)
        await running
        whole = await get(sftp, listed)
    assert len(early) < len(whole)
    assert whole.startswith(early)


async def test_the_reader_s_faults_are_not_the_service_s(way: Account) -> None:
    await way.mock.fault("*", "stall", after_ms=10)
    await way.mock.fault("*", "slow", after_ms=10)
    async with way.session() as sftp:
        await put(sftp, "x.csv", b"x")
    assert len(await way.mock.control("GET", "faults")) == 2
    for _ in range(2):
        await way.mock.run()
    assert await way.mock.control("GET", "faults") == []


# --- of SFTP alone


@pytest.mark.parametrize(
    ("op", "action", "stands"),
    [
        ("sftp.mark", "reset", False),
        ("sftp.mark", "accept_then_reset", True),
        ("sftp.*", "reset", False),
        ("sftp.write", "accept_then_reset", False),
        ("sftp.open", "accept_then_reset", False),
        ("sftp.flush", "reset", False),
    ],
)
async def test_cut_before_the_answer(way: Account, op: str, action: str, stands: bool) -> None:
    written = one()
    files = written.sealed()
    async with way.session() as sftp:
        await way.mock.fault(op, action)
        with lost():
            await put_all(sftp, files)
    assert (way.directory / "up" / f"{written.stem}.ok").exists() is stands
    async with way.session() as sftp:
        there = set(await sftp.listdir("up"))
        for name, data in files.items():
            if f"{name}.part" in there:
                await sftp.remove(f"up/{name}.part")
            if name not in there:
                await put(sftp, name, data)
    await way.mock.run()
    assert way.mock.replies(written.stem)[0][0]["结果"] == "受理"
    assert await way.mock.breaches() == []


async def test_a_taken_reply_of_which_nobody_heard(way: Account) -> None:
    (way.directory / "down" / "a.ok").write_bytes(b"a")
    async with way.session() as sftp:
        await way.mock.fault("sftp.mark", "accept_then_reset")
        with lost():
            await sftp.rename("down/a.ok", "down/a.taken")
    assert (way.directory / "down" / "a.taken").exists()


@pytest.mark.parametrize("action", ["stall", "accept_then_silent"])
async def test_silence(way: Account, action: str) -> None:
    async with way.session() as sftp:
        await put(sftp, "x.csv", b"x")
        await way.mock.fault("sftp.remove", action)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sftp.remove("up/x.csv"), 0.3)
        assert (way.directory / "up" / "x.csv").exists() is (action == "stall")


async def test_slow_and_drip(way: Account) -> None:
    async with way.session() as sftp:
        await put(sftp, "x.csv", b"0123456789")
        await way.mock.fault("sftp.stat", "slow", after_ms=200)
        before = time.monotonic()
        await sftp.stat("up/x.csv")
        assert time.monotonic() - before >= 0.2
        await way.mock.fault("sftp.read", "drip", times=3)
        async with sftp.open("up/x.csv", "rb", block_size=0) as file:
            parts = [cast(bytes, await file.read(10)) for _ in range(4)]
    assert parts == [b"0", b"1", b"2", b"3456789"]


async def test_another_host_key(way: Account) -> None:
    async with way.session() as sftp:
        await way.mock.fault("sftp.login", "expire_session", rotate=True)
        with lost():
            await sftp.stat("up")
    told = await way.mock.control("GET", "sftp")
    assert told["host_key"] == way.config["host_key"] != told["shown_key"]
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        async with way.session():
            pass
    await way.mock.control("DELETE", "faults")
    assert await may_write(way)


async def test_a_key_that_counts_no_more(way: Account) -> None:
    async with way.session() as sftp:
        await way.mock.fault("sftp.login", "expire_session", after_ms=300)
        with lost():
            await sftp.stat("up")
    with pytest.raises(asyncssh.PermissionDenied):
        async with way.session():
            pass

    async def counts() -> bool:
        return not (await way.mock.control("GET", "sftp"))["locked"]

    await until(counts)
    assert await may_write(way)


async def test_login_reset_stall_slow(way: Account) -> None:
    await way.mock.fault("sftp.login", "reset")
    with lost():
        async with way.session():
            pass
    await way.mock.fault("sftp.login", "stall")
    with pytest.raises((TimeoutError, asyncssh.ConnectionLost)):
        async with way.connected(login_timeout=0.3, connect_timeout=0.3):
            pass
    await way.mock.fault("sftp.login", "slow", after_ms=100)
    assert await may_write(way)


async def test_wrong_faults(way: Account, tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"op": "sftp.upload", "action": "reset"},
        {"op": "sftp.*", "action": "refuse"},
        {"op": "sftp.read", "action": "expire_session"},
        {"op": "sftp.read", "action": "http", "status": 507},
        {"op": "sftp.write", "action": "http", "status": 503},
        {"op": "sftp.write", "action": "drip"},
        {"op": "sftp.write", "action": "duplicate_callback"},
    ]
    for fault in wrong:
        await way.mock.control("POST", "faults", [fault], status=422)
    async with platform(tmp_path / "plain") as plain:
        for fault in ({"op": "sftp.read", "action": "reset"}, {"op": "case", "action": "http", "status": 507}):
            await plain.control("POST", "faults", [fault], status=422)


# --- the end


async def test_a_stop_waits_for_nobody(tmp_path: Path) -> None:
    async with account(tmp_path / "ec") as way:
        opening = way.session()
        sftp = await opening.__aenter__()
        await put(sftp, "x.csv", b"x")
        await way.mock.fault("sftp.stat", "stall")
        hanging = asyncio.create_task(sftp.stat("up"))

        async def asked() -> bool:
            return "sftp.stat" in await way.mock.control("GET", "requests")

        await until(asked)
    with lost():
        await hanging
    await opening.__aexit__(None, None, None)
