"""Zip in both directions (page §2): written the same at every attempt, and judged before a byte is unpacked."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence

MOST_ENTRIES = 200
ENTRY_LIMIT = 20 * 1024 * 1024
ALL_LIMIT = 200 * 1024 * 1024
RATIO = 100
_OLDEST = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_REGULAR = (stat.S_IFREG | 0o600) << 16
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_NESTED = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_NESTED_ENDINGS = (".zip", ".rar", ".7z", ".gz", ".tar", ".tgz", ".bz2", ".xz", ".jar")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_END = struct.Struct("<4sHHHHIIH")
_ENCRYPTED, _DESCRIPTOR = 0x1, 0x8
_CHUNK = 64 * 1024


class BadZip(Exception):
    """A rule of the page is broken. Its code says which, and quotes nothing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def pack(files: Sequence[tuple[str, bytes]]) -> bytes:
    """Sorted, of 1980-01-01, deflated; what would shrink more than 100 : 1 is stored, because no reader may unpack it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", allowZip64=False) as archive:
        for name, data in sorted(files):
            info = zipfile.ZipInfo(name, _OLDEST)
            info.create_system, info.external_attr = _UNIX, _REGULAR
            squeezed = len(zlib.compress(data)) * (RATIO - 10) >= len(data)
            info.compress_type = zipfile.ZIP_DEFLATED if squeezed else zipfile.ZIP_STORED
            archive.writestr(info, data)
    return target.getvalue()


def unpack(data: bytes, stem: str) -> dict[str, bytes]:
    """The files of a batch.

    Raises:
        BadZip: one breach refuses the whole.
    """
    _counted(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _judge(entries, data, stem)
            found: dict[str, bytes] = {}
            left = ALL_LIMIT
            for info in entries:
                found[info.filename] = _read(archive, info, left)
                left -= len(found[info.filename])
            return found
    except BadZip:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,  # zipfile: a compression or version that it does not know
        ValueError,
        EOFError,
        OSError,
        struct.error,
        RuntimeError,
    ):
        raise BadZip("zip_unreadable") from None


def _counted(data: bytes) -> None:
    """The end record first: a directory of a million entries is never read."""
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or len(data) - at < _END.size:
        raise BadZip("zip_unreadable")
    _, disk, first_disk, here, entries, size, start, comment = _END.unpack_from(data, at)
    if disk or first_disk or here != entries or not 0 < entries <= MOST_ENTRIES:
        raise BadZip("zip_entries")
    if start + size != at or at + _END.size + comment != len(data) or size > MOST_ENTRIES * 1024:
        raise BadZip("zip_structure")


def _judge(entries: Sequence[zipfile.ZipInfo], data: bytes, stem: str) -> None:
    names: set[str] = set()
    for info in entries:
        name = info.orig_filename
        if name != info.filename or not _NAME.fullmatch(name) or not name.startswith((f"{stem}.", f"{stem}_")):
            raise BadZip("zip_name")
        if name.lower().endswith(_NESTED_ENDINGS):
            raise BadZip("zip_nested")
        if name.lower() in names:
            raise BadZip("zip_twice")
        names.add(name.lower())
        if info.is_dir() or (
            info.external_attr >> 16 and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG)
        ):
            raise BadZip("zip_link")
        if info.flag_bits & _ENCRYPTED:
            raise BadZip("zip_encrypted")
        if info.compress_type not in _METHODS:
            raise BadZip("zip_method")
        if info.file_size > ENTRY_LIMIT or info.file_size > RATIO * max(info.compress_size, 1):
            raise BadZip("zip_bomb")
        _agree(info, data)
    if sum(info.file_size for info in entries) > ALL_LIMIT:
        raise BadZip("zip_bomb")


def _agree(info: zipfile.ZipInfo, data: bytes) -> None:
    """Local header and central directory say the same: else two readers see two archives."""
    if info.header_offset < 0 or info.header_offset + _LOCAL.size > len(data):
        raise BadZip("zip_structure")
    magic, _, flags, method, _, _, crc, packed, size, length, _ = _LOCAL.unpack_from(data, info.header_offset)
    start = info.header_offset + _LOCAL.size
    same = (
        magic == b"PK\x03\x04"
        and flags == info.flag_bits
        and method == info.compress_type
        and data[start : start + length] == info.filename.encode()
    )
    told = (crc, packed, size) == (info.CRC, info.compress_size, info.file_size)
    later = bool(flags & _DESCRIPTOR) and (crc, packed, size) == (0, 0, 0)
    if not same or not (told or later):
        raise BadZip("zip_structure")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> bytes:
    """Counted while it is unpacked: what the headers say is only a word."""
    found = bytearray()
    most = min(ENTRY_LIMIT, left, RATIO * max(info.compress_size, 1))
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            found += chunk
            if len(found) > most:
                raise BadZip("zip_bomb")
    if len(found) != info.file_size:
        raise BadZip("zip_structure")
    if found.startswith(_NESTED) and not info.filename.endswith(".ofd"):
        raise BadZip("zip_nested")
    return bytes(found)
