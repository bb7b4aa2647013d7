"""The chunks of ``TJ_FILE`` (page §2, §3.3): gap-free, of the right sizes, with right digests, of a type that may come."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from typing import Final

from mocks.commerce_federation.digests import Row, sm3
from mocks.commerce_federation.findings import Wrong
from mocks.commerce_federation.settings import Settings
from mocks.commerce_federation.tables import DICTIONARY, MEDIA

_NAME_LIMIT: Final = 100
#: Columns that all chunks of one file share.
_SHARED = ("CHUNK_COUNT", "FILE_KIND", "FILE_NAME", "FILE_SIZE", "FILE_SM3")


def check_files(count: int, chunks: list[Row], settings: Settings) -> list[Row]:
    """What came, one object per file; ``chunks`` in the order of the key. Raises :class:`Wrong` for the first finding."""
    if count > settings.files_limit:
        raise Wrong("E13", "FILE_COUNT")
    by_file: dict[int, list[Row]] = {}
    for chunk in chunks:
        by_file.setdefault(chunk["FILE_NO"], []).append(chunk)
    if sorted(by_file) != list(range(1, count + 1)):
        raise Wrong("E21", "FILE_COUNT")
    return [_file(f"TJ_FILE[{number}]", by_file[number], settings) for number in sorted(by_file)]


def _file(path: str, chunks: list[Row], settings: Settings) -> Row:
    first = chunks[0]
    if [first["CHUNK_COUNT"], *(chunk["CHUNK_NO"] for chunk in chunks)] != [len(chunks), *range(1, len(chunks) + 1)]:
        raise Wrong("E21", f"{path}.CHUNK_NO")
    for column in _SHARED:
        if any(chunk[column] != first[column] for chunk in chunks):
            raise Wrong("E21", f"{path}.{column}")
    if first["FILE_KIND"] not in DICTIONARY["FJLX"]:
        raise Wrong("E15", f"{path}.FILE_KIND")
    name = first["FILE_NAME"]
    if not name.strip() or "\0" in name or not unicodedata.is_normalized("NFC", name):
        raise Wrong("E14", f"{path}.FILE_NAME")
    if len(name) > _NAME_LIMIT:  # SQLite holds no column to its length
        raise Wrong("E13", f"{path}.FILE_NAME")
    if first["FILE_SIZE"] > settings.file_limit:
        raise Wrong("E13", f"{path}.FILE_SIZE")
    content = b"".join(_chunk(path, chunk, len(chunks), settings.chunk_size) for chunk in chunks)
    if len(content) != first["FILE_SIZE"]:
        raise Wrong("E21", f"{path}.FILE_SIZE")
    if sm3(content) != first["FILE_SM3"]:
        raise Wrong("E21", f"{path}.FILE_SM3")
    if not content.startswith(MEDIA):
        raise Wrong("E22", path)
    return {name: first[name] for name in ("FILE_KIND", "FILE_NAME", "FILE_SIZE", "FILE_SM3")}


def _chunk(path: str, chunk: Row, count: int, size: int) -> bytes:
    place = f"{path}.CHUNK[{chunk['CHUNK_NO']}]"
    try:
        content = base64.b64decode(chunk["CHUNK"], validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("E21", place) from None
    last = chunk["CHUNK_NO"] == count
    if not content or len(content) > size or (len(content) < size and not last):
        raise Wrong("E21", place)
    if sm3(content) != chunk["CHUNK_SM3"]:
        raise Wrong("E21", f"{place}.CHUNK_SM3")
    return content
