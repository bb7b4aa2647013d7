"""A batch under its marker (page §1, §2): names, manifest, digests, limits, and the list as cells."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mocks.enterprise_confederation.archive import unpack
from mocks.enterprise_confederation.names import Stem, is_time, key_of, owner, sm3, stem_of
from mocks.enterprise_confederation.settings import Settings
from mocks.enterprise_confederation.words import LIST, Wrong

_OK: Final = re.compile(rb"[0-9a-f]{64}\n")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CELL: Final = r'(?:"(?:[^"]|"")*"|[^",]*)'
_LINE: Final = re.compile(rf"{_CELL}(?:,{_CELL})*")
_CELLS: Final = re.compile(rf"({_CELL})(?:,|$)")
_BOM: Final = b"\xef\xbb\xbf"
_MANIFEST: Final = frozenset(("stem", "op", "rows", "created_at", "files"))
_FILE: Final = frozenset(("name", "size", "sm3"))


class Late(Exception):
    """A file of the batch is not there yet, or not whole: another look later."""


@dataclass(slots=True)
class Batch:
    """A batch that holds together: the cells of its list, and every file by name."""

    stem: Stem
    marker: str
    rows: list[dict[str, str]]
    files: dict[str, bytes]

    def part(self, number: int) -> str:
        """The beginning of the names of row ``number``."""
        return f"{self.stem.text}_{number:03d}"


def names_of(up: Path, stem: str) -> list[str]:
    """Every file in ``up/`` of this stem, without what is being written."""
    return sorted(path.name for path in up.iterdir() if not path.name.endswith(".part") and belongs(path.name, stem))


def belongs(name: str, stem: str) -> bool:
    """Whether a file is of this stem, which need not have the right form."""
    return owner(name) == stem or (not owner(name) and name.startswith((f"{stem}.", f"{stem}_")))


def marker_of(up: Path, stem: str) -> str:
    """The digits of the ``.ok``. Raises :class:`Wrong` (B02)."""
    with (up / f"{stem}.ok").open("rb") as file:
        data = file.read(66)
    if _OK.fullmatch(data) is None:
        raise Wrong("B02", "ok")
    return data[:64].decode("ascii")


def load(up: Path, text: str, settings: Settings) -> Batch:
    """Read and check a batch. Raises :class:`Wrong` (B…) or :class:`Late`."""
    stem = stem_of(text)
    if stem.sender != settings.sender:
        raise Wrong("B01", "发送方")
    marker = marker_of(up, text)
    manifest = _manifest(up, stem, marker, settings)
    listed = {item["name"]: item for item in manifest["files"]}
    here = set(names_of(up, text)) - {f"{text}.ok", f"{text}.manifest.json"}
    if here - listed.keys():
        raise Wrong("B02", "files")
    files = {name: _file(up / name, item, settings) for name, item in listed.items()}
    if f"{text}.zip" in files:
        files = unpack(files[f"{text}.zip"], settings)
        if any(owner(name) != text or name.endswith((".ok", ".manifest.json", ".part")) for name in files):
            raise Wrong("B08", "条目名")
    _check_sizes(files, settings)
    if f"{text}.csv" not in files:
        raise Wrong("B02", "csv")
    rows = cells(files[f"{text}.csv"])
    if len(rows) > settings.rows_limit:
        raise Wrong("B07", "行数")
    if len(rows) != manifest["rows"]:
        raise Wrong("B02", "rows")
    if all(key_of(row["业务主键"]) != stem.key for row in rows):
        raise Wrong("B05", "KEY")
    numbers = {f"{number:03d}" for number in range(1, len(rows) + 1)}
    if any(name[len(text) + 1 :][:3] not in numbers for name in files if name != f"{text}.csv"):
        raise Wrong("B02", "files")
    return Batch(stem, marker, rows, files)


def _manifest(up: Path, stem: Stem, marker: str, settings: Settings) -> dict[str, Any]:
    path = up / f"{stem.text}.manifest.json"
    if not path.exists():
        raise Late
    if path.stat().st_size > settings.manifest_limit:
        raise Wrong("B07", "manifest")
    data = path.read_bytes()
    if sm3(data) != marker:
        raise Wrong("B02", "ok")
    try:
        manifest = json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Wrong("B02", "manifest") from None
    if not isinstance(manifest, dict) or manifest.keys() != _MANIFEST:
        raise Wrong("B02", "manifest")
    if manifest["stem"] != stem.text or manifest["op"] != stem.op:
        raise Wrong("B02", "stem")
    created_at = manifest["created_at"]
    if not isinstance(created_at, str) or not is_time(created_at) or created_at[:10].replace("-", "") != stem.day:
        raise Wrong("B02", "created_at")
    if type(manifest["rows"]) is not int or manifest["rows"] < 1:
        raise Wrong("B02", "rows")
    _check_listed(manifest["files"], stem.text, settings)
    return manifest


def _check_listed(items: Any, stem: str, settings: Settings) -> None:
    if not isinstance(items, list) or not items:
        raise Wrong("B02", "files")
    for item in items:
        if not isinstance(item, dict) or item.keys() != _FILE:
            raise Wrong("B02", "files")
        name, size, digest = item["name"], item["size"], item["sm3"]
        if not isinstance(name, str) or owner(name) != stem or name.endswith((".ok", ".manifest.json", ".part")):
            raise Wrong("B02", "name")
        if type(size) is not int or size < 0 or not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
            raise Wrong("B02", "size")
    names = [item["name"] for item in items]
    if names != sorted(set(names)):
        raise Wrong("B02", "files")
    zipped = f"{stem}.zip" in names
    if zipped and len(names) > 1:
        raise Wrong("B02", "zip")
    if len(names) > settings.files_limit or sum(item["size"] for item in items) > settings.unpacked_limit:
        raise Wrong("B07", "文件数")
    if not zipped and (len(names) > settings.loose_files or sum(item["size"] for item in items) > settings.loose_limit):
        raise Wrong("B07", "须压缩")


def _file(path: Path, item: dict[str, Any], settings: Settings) -> bytes:
    if not path.exists():
        raise Late
    if path.is_symlink() or not path.is_file():
        raise Wrong("B03", path.name)
    size = path.stat().st_size
    limit = settings.unpacked_limit if path.name.endswith(".zip") else settings.file_limit
    if size > limit:
        raise Wrong("B07", path.name)
    if size < item["size"]:
        raise Late
    if size > item["size"]:
        raise Wrong("B03", path.name)
    data = path.read_bytes()
    if sm3(data) != item["sm3"]:
        raise Wrong("B03", path.name)
    return data


def _check_sizes(files: dict[str, bytes], settings: Settings) -> None:
    for name, data in files.items():
        limit = {"csv": settings.csv_limit, "json": settings.json_limit}.get(name.rpartition(".")[2])
        if len(data) > (limit or settings.file_limit):
            raise Wrong("B07", name)


def cells(data: bytes) -> list[dict[str, str]]:
    """The rows of a list. Raises :class:`Wrong` (B09)."""
    if not data.startswith(_BOM):
        raise Wrong("B09", "BOM")
    try:
        text = data[3:].decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("B09", "UTF-8") from None
    lines = text.split("\r\n")
    if lines[-1] or any(mark in line for line in lines for mark in ("\r", "\n", "\ufeff", "\0")):
        raise Wrong("B09", "CRLF")
    if lines[0] != ",".join(LIST):
        raise Wrong("B09", "header")
    rows = []
    for line in lines[1:-1]:
        if _LINE.fullmatch(line) is None:
            raise Wrong("B09", "quotes")
        found = [cell[1][1:-1].replace('""', '"') if cell[1][:1] == '"' else cell[1] for cell in _split(line)]
        if len(found) != len(LIST):
            raise Wrong("B09", "columns")
        rows.append(dict(zip(LIST, found, strict=True)))
    if not rows:
        raise Wrong("B09", "rows")
    return rows


def _split(line: str) -> list[re.Match[str]]:
    found, at = [], 0
    while True:
        cell = _CELLS.match(line, at)
        if cell is None:
            raise Wrong("B09", "quotes")
        found.append(cell)
        if cell.end() == cell.end(1):
            return found
        at = cell.end()


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without a key that comes twice. Raises ``ValueError``."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key twice")
    return made
