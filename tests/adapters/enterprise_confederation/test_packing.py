"""Zip in both directions (page §2): one breach refuses the whole batch."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.enterprise_confederation.packing import BadZip, pack, unpack
from adapters.enterprise_confederation.wire import list_bytes
from contracts.errors import UnreadableCallback

from . import documents as d
from .exchange import COLUMNS, Share, row
from .test_poll import news, said

STEM = f"{d.STEM}.R01"
NAME = f"{STEM}.csv"


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            if mode:
                info.create_system, info.external_attr = 3, mode << 16
            archive.writestr(info, data)
    return target.getvalue()


def flagged() -> bytes:
    """Encrypted, as both headers say."""
    data = bytearray(zipped((NAME, b"x" * 40)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def two_faced() -> bytes:
    """The local header names another file."""
    data = zipped((NAME, b"x" * 40))
    return data.replace(NAME.encode(), NAME.replace("csv", "CSV").encode(), 1)


def bomb() -> bytes:
    return zipped((NAME, b"\0" * (10 * 1024 * 1024)))


def liar() -> bytes:
    """Both headers tell a small size; the stream is a bomb."""
    data = bytearray(bomb())
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(magic) + at
        data[place : place + 4] = (900_000).to_bytes(4, "little")
    return bytes(data)


def test_there_and_back() -> None:
    files = [(f"{STEM}_001.json", b"{}"), (NAME, bytes(range(256)) * 40)]
    made = pack(files)
    assert made == pack(files[::-1])
    assert unpack(made, STEM) == dict(files)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert [info.date_time for info in archive.infolist()] == [(1980, 1, 1, 0, 0, 0)] * 2
        assert archive.namelist() == sorted(archive.namelist())


def test_what_shrinks_too_much_is_stored_so_that_it_can_be_read() -> None:
    files = [(NAME, b"\0" * 1024 * 1024)]
    assert unpack(pack(files), STEM) == dict(files)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: zipped(("../x", b"x")), "zip_name"),
        (lambda: zipped(("/x", b"x")), "zip_name"),
        (lambda: zipped((f"{STEM}\\x", b"x")), "zip_name"),
        (lambda: zipped(("C:x", b"x")), "zip_name"),
        (lambda: zipped((f"{STEM}.d/x", b"x")), "zip_name"),
        (lambda: zipped((f"{STEM}.d/", b"")), "zip_name"),
        (lambda: zipped(("other.csv", b"x")), "zip_name"),
        (lambda: zipped((NAME, b"x"), (NAME.replace("csv", "CSV"), b"y")), "zip_twice"),
        (lambda: zipped((f"{STEM}.zip", b"x")), "zip_nested"),
        (lambda: zipped((NAME, zipped((NAME, b"x")))), "zip_nested"),
        (lambda: zipped((NAME, b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "zip_link"),
        (lambda: zipped((NAME, b"x" * 99), method=zipfile.ZIP_BZIP2), "zip_method"),
        (lambda: zipped((NAME, b"x" * 99), method=zipfile.ZIP_LZMA), "zip_method"),
        (lambda: zipped(*((f"{STEM}_{n}.pdf", b"x") for n in range(201))), "zip_entries"),
        (lambda: zipped(), "zip_entries"),
        (flagged, "zip_encrypted"),
        (two_faced, "zip_structure"),
        (bomb, "zip_bomb"),
        (liar, "zip_"),
        (lambda: b"", "zip_unreadable"),
        (lambda: b"PK\x03\x04 half", "zip_unreadable"),
        (lambda: zipped((NAME, b"x" * 99)) + b"tail", "zip_structure"),
        (lambda: b"head" + zipped((NAME, b"x" * 99)), "zip_structure"),
    ],
)
def test_one_breach_refuses_the_whole(make: Callable[[], bytes], code: str) -> None:
    with pytest.raises(BadZip, match=code):
        unpack(make(), STEM)


def test_a_damaged_entry_is_unreadable() -> None:
    data = bytearray(pack([(NAME, bytes(range(256)) * 8)]))
    data[60] ^= 0xFF
    with pytest.raises(BadZip):
        unpack(bytes(data), STEM)


async def test_a_zipped_reply(tmp_path: Path) -> None:
    share = Share.made(tmp_path / "share")
    share.batch(STEM, ".zip", pack([(NAME, list_bytes(COLUMNS, [row()]))]))
    (item,) = await news(share)
    assert said(item).status == "accepted"


async def test_a_bomb_is_unreadable(tmp_path: Path) -> None:
    share = Share.made(tmp_path / "share")
    share.batch(STEM, ".zip", bomb())
    (item,) = await news(share)
    with pytest.raises(UnreadableCallback, match="zip_bomb"):
        said(item)
