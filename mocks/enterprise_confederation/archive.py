"""The zip of a batch (page §2): looked at whole before a byte of it is unpacked, and counted while it is."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from typing import Final

from mocks.enterprise_confederation.settings import Settings
from mocks.enterprise_confederation.words import Wrong

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_NESTED: Final = (".zip", ".gz", ".7z", ".rar", ".tar", ".bz2", ".xz")
_ENCRYPTED: Final = 0x1
_DESCRIPTOR: Final = 0x8
_CHUNK: Final = 65536


def unpack(data: bytes, settings: Settings) -> dict[str, bytes]:
    """The files by name. Raises :class:`Wrong` (B08) for any breach."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _look(data, entries, settings)
            files: dict[str, bytes] = {}
            left = settings.unpacked_limit
            for entry in entries:
                content = _read(archive, entry, min(left, settings.file_limit))
                left -= len(content)
                files[entry.filename] = content
            return files
    # NotImplementedError is zipfile's own, for a compression or version that it does not know.
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise Wrong("B08", "无法解压") from None


def _look(data: bytes, entries: list[zipfile.ZipInfo], settings: Settings) -> None:
    if not entries or len(entries) > settings.files_limit:
        raise Wrong("B08", "条目数")
    names = [entry.orig_filename for entry in entries]
    if len({name.casefold() for name in names}) != len(names):
        raise Wrong("B08", "重名")
    if sum(entry.file_size for entry in entries) > settings.unpacked_limit:
        raise Wrong("B08", "解压大小")
    for entry in entries:
        _look_at(data, entry, settings)


def _look_at(data: bytes, entry: zipfile.ZipInfo, settings: Settings) -> None:
    name = entry.orig_filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if _NAME.fullmatch(name) is None or ".." in name or kind not in (0, stat.S_IFREG):
        raise Wrong("B08", "条目名")
    if name.lower().endswith(_NESTED):
        raise Wrong("B08", "嵌套压缩包")
    if entry.flag_bits & _ENCRYPTED:
        raise Wrong("B08", "加密")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Wrong("B08", "压缩方式")
    if entry.file_size > settings.file_limit or entry.file_size > settings.ratio_limit * max(entry.compress_size, 1):
        raise Wrong("B08", "解压大小")
    signature, _, flags, method, _, _, crc, packed, size, name_length, _ = _LOCAL.unpack_from(data, entry.header_offset)
    start = entry.header_offset + _LOCAL.size
    agree = (signature, flags, method, data[start : start + name_length]) == (
        b"PK\x03\x04",
        entry.flag_bits,
        entry.compress_type,
        name.encode("ascii"),
    )
    # Sizes that follow in a descriptor stand as zero in the local header.
    told = (crc, packed, size) == (entry.CRC, entry.compress_size, entry.file_size)
    later = bool(flags & _DESCRIPTOR) and (crc, packed, size) == (0, 0, 0)
    if not agree or not (told or later):
        raise Wrong("B08", "文件头不一致")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    content = bytearray()
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            content += chunk
            if len(content) > limit:
                raise Wrong("B08", "解压大小")
    if len(content) != entry.file_size:
        raise Wrong("B08", "文件头不一致")
    return bytes(content)
