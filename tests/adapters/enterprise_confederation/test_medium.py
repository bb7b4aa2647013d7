"""What every medium must do, whichever carries the exchange directory."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import pytest

from adapters.enterprise_confederation.medium import Facts, Medium, Unsound
from contracts.errors import AdapterError, EndpointError, RetryableError

from .exchange import Share


async def over(share: Share, act: Callable[[Medium], Awaitable[object]]) -> object:
    """What one operation gives, as a step of its own."""
    medium = share.adapter().medium

    async def work() -> object:
        return await act(medium)

    return await medium.run(work)


async def test_a_file_is_new_and_whole(share: Share) -> None:
    data = bytes(range(256)) * 5000
    assert await over(share, lambda medium: medium.create("up/a", data)) is None
    assert (share.up / "a").read_bytes() == data
    assert (share.up / "a").stat().st_mode & 0o037 == 0
    assert await over(share, lambda medium: medium.read("up/a", len(data))) == data
    with pytest.raises((RetryableError, EndpointError)):
        await over(share, lambda medium: medium.create("up/a", b"other"))
    assert (share.up / "a").read_bytes() == data


async def test_an_empty_file(share: Share) -> None:
    await over(share, lambda medium: medium.create("up/a", b""))
    assert await over(share, lambda medium: medium.read("up/a", 0)) == b""


async def test_a_file_under_a_link_is_never_made(share: Share) -> None:
    (share.up / "a.part").symlink_to(share.root / "aim")
    with pytest.raises(AdapterError):
        await over(share, lambda medium: medium.create("up/a.part", b"1"))
    assert not (share.root / "aim").exists()


@pytest.mark.parametrize("there", ["file", "folder", "link"])
async def test_a_name_is_never_given_twice(share: Share, there: str) -> None:
    (share.up / "a.part").write_bytes(b"1")
    target = share.up / "a"
    if there == "file":
        target.write_bytes(b"2")
    elif there == "folder":
        target.mkdir()
    else:
        target.symlink_to(share.root / "heartbeat.json")
    assert await over(share, lambda medium: medium.give_name("up/a.part", "up/a")) is False
    assert (share.up / "a.part").read_bytes() == b"1"
    assert there != "file" or target.read_bytes() == b"2"
    assert there != "link" or target.is_symlink()


async def test_a_name_is_given(share: Share) -> None:
    (share.up / "a.part").write_bytes(b"1")
    assert await over(share, lambda medium: medium.give_name("up/a.part", "up/a")) is True
    assert share.names("up") == ["a"]
    with pytest.raises(EndpointError, match="folder_missing"):
        await over(share, lambda medium: medium.give_name("up/a.part", "up/b"))


async def test_replacing(share: Share) -> None:
    for name in ("a", "b"):
        (share.down / name).write_bytes(name.encode())
    (share.down / "folder").mkdir()
    assert await over(share, lambda medium: medium.replace("down/a", "down/folder")) is False
    assert await over(share, lambda medium: medium.replace("down/a", "down/b")) is True
    assert (share.down / "b").read_bytes() == b"a"
    assert await over(share, lambda medium: medium.replace("down/b", "down/c")) is True
    assert await over(share, lambda medium: medium.replace("down/b", "down/c")) is False, "it has gone"
    assert share.names("down") == ["c", "folder"]


async def test_what_is_no_file_is_never_read(share: Share) -> None:
    (share.down / "large").write_bytes(b"123")
    (share.down / "link").symlink_to(share.down / "large")
    (share.down / "folder").mkdir()
    os.mkfifo(share.down / "pipe")
    medium = share.adapter().medium

    async def reading() -> None:
        for name in ("large", "link", "folder", "pipe"):
            with pytest.raises(Unsound):
                await medium.read(f"down/{name}", 2)
        raise Unsound

    with pytest.raises(EndpointError, match="not_a_file"):
        await medium.run(reading)
    assert await over(share, lambda medium: medium.read("down/none", 2)) is None
    assert await over(share, lambda medium: medium.read("none/none", 2)) is None


async def test_facts_are_of_the_name_itself(share: Share) -> None:
    (share.down / "a").write_bytes(b"123")
    os.utime(share.down / "a", (1_000_000, 1_000_000))
    (share.down / "link").symlink_to(share.down / "a")
    assert await over(share, lambda medium: medium.facts("down/a")) == Facts(plain=True, size=3, changed=1_000_000.0)
    link = await over(share, lambda medium: medium.facts("down/link"))
    assert isinstance(link, Facts)
    assert not link.plain
    assert await over(share, lambda medium: medium.facts("down/none")) is None
    paths = ["down/none", "down/link", "no/folder", "down/a"]
    assert await over(share, lambda medium: medium.present(paths)) == ["down/link", "down/a"]


async def test_names_are_bounded_and_sorted(share: Share) -> None:
    for number in range(9):
        (share.down / f"{9 - number}.ok").write_bytes(b"")
    (share.down / "0.ok").symlink_to(share.down / "1.ok")
    (share.down / "00.ok").mkdir()
    (share.down / "坏.ok").write_bytes(b"")

    def wanted(name: str) -> bool:
        return name.endswith(".ok") and name.isascii()

    found = await over(share, lambda medium: medium.names("down", wanted, most=3, plain=True))
    assert found == ["1.ok", "2.ok", "3.ok"]
    found = await over(share, lambda medium: medium.names("down", wanted, most=3))
    assert found == ["0.ok", "00.ok", "1.ok"]
    assert await over(share, lambda medium: medium.names("none", wanted)) == []


async def test_removing(share: Share) -> None:
    (share.up / "a").write_bytes(b"1")
    for _ in range(2):
        await over(share, lambda medium: medium.remove("up/a"))
    assert share.names("up") == []


@pytest.mark.parametrize("instead", [None, "file", "link"])
@pytest.mark.parametrize("name", ["up", "down"])
async def test_a_folder_that_is_none(share: Share, name: str, instead: str | None) -> None:
    await over(share, lambda medium: medium.stands())
    await over(share, lambda medium: medium.permitted())
    folder = share.root / name
    folder.rename(share.root / "away")
    if instead == "file":
        folder.write_bytes(b"")
    elif instead == "link":
        folder.symlink_to(share.root / "away")
    with pytest.raises(EndpointError, match="folder_missing"):
        await over(share, lambda medium: medium.stands())


async def test_slow_computing(share: Share) -> None:
    assert await over(share, lambda medium: medium.compute(int.__add__, 1, 2)) == 3
