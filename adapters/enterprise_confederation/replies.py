"""Batches in ``down/`` (page §5): proven whole, then read row by row. Every bound holds before anything is believed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.enterprise_confederation import packing
from adapters.enterprise_confederation.layout import DOWN
from adapters.enterprise_confederation.medium import Medium, Unsound
from adapters.enterprise_confederation.wire import BOM, LIST_LIMIT, MANIFEST_LIMIT, MOST_FILES, unguarded
from adapters.http import NotJson, read_json_object
from contracts import gm
from contracts.adapter import Json

COLUMNS = ("行号", "业务主键", "结果", "平台编号", "错误码", "错误说明", "处理时间")
ITEM_KEYS = ("事件号", "案件主键", "平台编号", "状态", "说明", "时间")
MOST_ROWS = 500
_JSON_LIMIT = 1024 * 1024
_CELL = 2000
REPLY = re.compile(r"(QLTJ_[A-Z0-9]{2,12}_(?:CASE|PROG|AGRE|PERF)_[0-9]{8}_([0-9A-F]{32}))\.R([0-9]{2,4})")
_STATUS = re.compile(r"QLST_[0-9]{8}_[0-9]{6}")
_DIGITS = re.compile(rb"[0-9a-f]{64}\r?\n?")
_LINE = re.compile(r"0|[1-9][0-9]{0,5}")


class Kind(StrEnum):
    """What a batch holds."""

    REPLY = "reply"
    STATUS = "status"


class Broken(Exception):
    """Nobody can read this batch: unreadable at once, and no wait heals it. Its code quotes nothing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Late(Exception):
    """A file is missing or short: a slow share may still bring it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One batch that was proven whole: its rows, each as the platform wrote it."""

    kind: Kind
    rows: tuple[Mapping[str, str], ...]


async def hear(medium: Medium, base: str, marker: bytes | None) -> Heard:
    """Read one batch under its marker.

    Raises:
        Broken: by its code.
        Late: wait.
    """
    kind = _kind(base)
    if marker is None or not _DIGITS.fullmatch(marker):
        raise Broken("marker")
    manifest = await _file(medium, f"{base}.manifest.json", MANIFEST_LIMIT)
    entry = await medium.compute(_proven, manifest, base, marker.strip().decode())
    data = await _file(medium, entry["name"], entry["size"])
    return await medium.compute(_read, kind, base, entry, data)


def _proven(manifest: bytes, base: str, digits: str) -> Json:
    """The one file that the manifest names, where it is the manifest that the marker proves."""
    try:
        told = read_json_object(manifest, limit=MANIFEST_LIMIT, depth=5)
    except NotJson:
        if gm.sm3(manifest).hex() == digits:
            raise Broken("manifest") from None
        raise Late from None  # a manifest that is still being written
    if gm.sm3(manifest).hex() != digits:
        raise Broken("digest")
    return _entry(told, base)


def _read(kind: Kind, base: str, entry: Json, data: bytes) -> Heard:
    name = entry["name"]
    if len(data) < entry["size"]:
        raise Late
    if gm.sm3(data).hex() != entry["sm3"]:
        raise Broken("digest")
    if name.endswith(".zip"):
        try:
            inside = packing.unpack(data, base)
        except packing.BadZip as bad:
            raise Broken(bad.code) from None
        name = f"{base}.csv" if kind is Kind.REPLY else f"{base}.json"
        if set(inside) != {name}:
            raise Broken("zip_name")
        data = inside[name]
    return Heard(kind, read_reply(data) if kind is Kind.REPLY else read_status(data, base))


def _kind(base: str) -> Kind:
    if REPLY.fullmatch(base):
        return Kind.REPLY
    if _STATUS.fullmatch(base):
        return Kind.STATUS
    raise Broken("name")


def _entry(told: Json, base: str) -> Json:
    files = told.get("files")
    if told.get("stem") != base or told.get("op") not in ("REPLY", "STAT"):
        raise Broken("manifest")
    if not isinstance(files, list) or not 0 < len(files) <= MOST_FILES:
        raise Broken("manifest")
    ending = ".csv" if REPLY.fullmatch(base) else ".json"
    if len(files) != 1 or not isinstance(files[0], dict):
        raise Broken("manifest")
    entry: Json = files[0]
    size, limit = entry.get("size"), LIST_LIMIT if ending == ".csv" else _JSON_LIMIT
    if entry.get("name") not in (f"{base}{ending}", f"{base}.zip") or not isinstance(entry.get("sm3"), str):
        raise Broken("manifest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= limit:
        raise Broken("too_large")
    return entry


async def _file(medium: Medium, name: str, limit: int) -> bytes:
    try:
        data = await medium.read(f"{DOWN}/{name}", limit)
    except Unsound:
        raise Broken("not_a_file") from None
    if data is None:
        raise Late
    return data


def read_reply(data: bytes) -> tuple[Mapping[str, str], ...]:
    """The rows of a reply.

    Raises:
        Broken: BOM, UTF-8, header, quotes, number of cells, line numbers, a last line without its end.
    """
    if len(data) > LIST_LIMIT or not data.startswith(BOM):
        raise Broken("csv_bom")
    try:
        text = data[len(BOM) :].decode("utf-8")
        if not text.endswith("\n"):  # cut off: its last cell may be half a number
            raise Broken("csv_cut_off")
        lines = []
        for line in csv.reader(io.StringIO(text, newline=""), strict=True):
            lines.append(line)
            if len(lines) > MOST_ROWS + 2:
                raise Broken("too_many_rows")
    except UnicodeDecodeError:
        raise Broken("csv_encoding") from None
    except csv.Error:
        raise Broken("csv_quotes") from None
    if not lines or tuple(lines[0]) != COLUMNS:
        raise Broken("csv_header")
    rows, seen = [], set()
    for line in lines[1:]:
        if len(line) != len(COLUMNS) or not _LINE.fullmatch(line[0]) or line[0] in seen:
            raise Broken("csv_row")
        seen.add(line[0])
        rows.append({name: unguarded(cell)[:_CELL] for name, cell in zip(COLUMNS, line, strict=True)})
    return tuple(rows)


def read_status(data: bytes, base: str) -> tuple[Mapping[str, str], ...]:
    """The items of a status file; a value that is no text is none.

    Raises:
        Broken: no JSON of this form.
    """
    try:
        found = read_json_object(data, limit=_JSON_LIMIT, depth=5)
    except NotJson:
        raise Broken("json") from None
    items = found.get("items")
    if found.get("stem") != base or not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise Broken("json_form")
    if len(items) > MOST_ROWS:
        raise Broken("too_many_rows")
    return tuple({key: one[key][:_CELL] for key in ITEM_KEYS if isinstance(one.get(key), str)} for one in items)
