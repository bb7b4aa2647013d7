"""Names and bytes of a batch (page §2, §3): the same at every attempt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.beijing import D8, SECONDS
from adapters.enterprise_confederation import packing
from adapters.http import json_bytes
from contracts import gm
from contracts.adapter import Json, Receipt, Wire
from contracts.errors import PermanentError
from contracts.status import ReferenceKind
from contracts.update import Reference

STEM, OP, CREATED_AT, LIST, DETAIL, FILES = "stem", "op", "created_at", "list", "detail", "files"
"""Keys of a payload."""
ATTACHMENT, EXTENSION = "attachment", "extension"
"""Keys of one of its files."""

COLUMNS: Sequence[str] = (
    "行号",
    "操作",
    "业务主键",
    "案件主键",
    "调解组织编码",
    "调解组织名称",
    "组织类型",
    "行政区划",
    "登记时间",
    "受理时间",
    "案由表",
    "案由",
    "涉案金额",
    "涉及人数",
    "申请人",
    "申请人证件号",
    "被申请人",
    "统一社会信用代码",
    "状态",
    "办结原因",
    "发生时间",
    "明细文件",
    "附件数",
)
"""The exact header of a list."""
BOM = b"\xef\xbb\xbf"
MARK = "|"
"""Between organisation and case number of a 案件主键."""
LIST_LIMIT = 5 * 1024 * 1024
DETAIL_LIMIT = 1024 * 1024
MANIFEST_LIMIT = 256 * 1024
FILE_LIMIT = 20 * 1024 * 1024
BATCH_LIMIT = 200 * 1024 * 1024
MOST_FILES = 200
_PLAIN_FILES, _PLAIN_BYTES = 20, 5 * 1024 * 1024
_GUARDED = ("=", "+", "-", "@", "\t", "\r")
_BREAKS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def key_of(message: str) -> str:
    """``KEY`` of a name: it proves that a message and a batch belong together."""
    return gm.sm3(message.encode("utf-8", "surrogatepass")).hex()[:32].upper()


def stem_of(sender: str, op: str, at: datetime, message: str) -> str:
    """The stem of a batch."""
    return f"QLTJ_{sender}_{op}_{D8.write(at)}_{key_of(message)}"


def detail_name(stem: str) -> str:
    """The detail of the one row."""
    return f"{stem}_001.json"


def one_line(text: str) -> str:
    """A text as a cell holds it: no line breaks."""
    return _BREAKS.sub(" ", text)


def guarded(text: str) -> str:
    """A cell of the list: on one line, and no formula for whoever opens it as a sheet."""
    line = one_line(text)
    return f"'{line}" if line.startswith(_GUARDED) else line


def unguarded(text: str) -> str:
    """The cell as it was meant."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_GUARDED) else text


def list_bytes(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """A list: BOM, exact header, CRLF, RFC 4180."""
    lines = [",".join(columns)]
    lines += [",".join(_quoted(guarded(row.get(name, ""))) for name in columns) for row in rows]
    return BOM + "".join(f"{line}\r\n" for line in lines).encode()


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"') else cell


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a batch."""

    name: str
    data: bytes

    def entry(self) -> Json:
        """As the manifest names it."""
        return {"name": self.name, "size": len(self.data), "sm3": gm.sm3(self.data).hex()}


@dataclass(frozen=True, slots=True)
class Batch:
    """What stands in ``up/`` for one message: data files, manifest, and the 64 digits of the marker."""

    stem: str
    parts: tuple[Part, ...]
    manifest: Part
    digits: str

    @property
    def marker(self) -> str:
        """Name of the file that makes the batch readable."""
        return f"{self.stem}.ok"

    def receipt(self, *, duplicate: bool, at: datetime | None = None) -> Receipt:
        """Relayed: bytes stand there, the platform's word follows."""
        return receipt_of(self.stem, duplicate=duplicate, at=at)


def receipt_of(stem: str, *, duplicate: bool, at: datetime | None = None) -> Receipt:
    """The receipt of a batch that stands there."""
    return Receipt(stem, (Reference(ReferenceKind.BATCH_NO, stem),), duplicate=duplicate, relayed=True, at=at)


def batch_of(wire: Wire, attachments: Sequence[bytes]) -> Batch:
    """All bytes of the batch. Takes time for large files: not for the event loop.

    Raises:
        PermanentError: ``too_large``, beyond a limit of page §1.
    """
    payload = wire.payload
    stem = payload[STEM]
    listed, detail = list_bytes(COLUMNS, [payload[LIST]]), json_bytes(payload[DETAIL])
    if len(listed) > LIST_LIMIT or len(detail) > DETAIL_LIMIT:
        raise PermanentError("too_large", "list or detail: larger than the platform takes")
    plain = [Part(f"{stem}.csv", listed), Part(detail_name(stem), detail)]
    for number, (named, data) in enumerate(zip(payload[FILES], attachments, strict=True), 1):
        plain.append(Part(f"{stem}_001_{number:02d}.{named[EXTENSION]}", data))
    plain.sort(key=lambda part: part.name)
    together = sum(len(part.data) for part in plain)
    if together > BATCH_LIMIT or len(plain) > MOST_FILES:
        raise PermanentError("too_large", "the files are together larger than the platform takes")
    parts = tuple(plain)
    if len(plain) > _PLAIN_FILES or together > _PLAIN_BYTES:
        parts = (Part(f"{stem}.zip", packing.pack([(part.name, part.data) for part in plain])),)
    manifest = json_bytes(
        {
            "stem": stem,
            "op": payload[OP],
            "rows": 1,
            "created_at": payload[CREATED_AT],
            "files": [part.entry() for part in parts],
        }
    )
    return Batch(stem, parts, Part(f"{stem}.manifest.json", manifest), gm.sm3(manifest).hex())


def written(at: datetime) -> str:
    """A moment as the platform writes it."""
    return SECONDS.write(at)
