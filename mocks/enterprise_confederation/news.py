"""What the platform writes into ``down/`` (page §5), and how it is spoilt on command (page §9)."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from struct import pack
from typing import Final

from mocks.enterprise_confederation.disk import Sheet
from mocks.enterprise_confederation.names import write_time
from mocks.enterprise_confederation.words import LATER, REPLY
from mocks.faults import Fault, Faults

FORGERIES: Final = frozenset(("digest", "stem", "row", "ok"))
_GUARDED: Final = tuple("=+-@\t\r")
_FOREIGN_KEY: Final = "F" * 32
_PAGE: Final = "<html><body>系统繁忙，请稍后再试</body></html>"
_BOMB_MIB: Final = 1024
_DRIP_S: Final = 0.2
_CUT: Final = 9


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a reply."""

    number: int
    key: str
    result: str
    ref: str = ""
    code: str = ""
    text: str = ""


@dataclass(slots=True)
class Post:
    """Replies to be written now, and those of the next run."""

    now: list[Sheet] = field(default_factory=list)
    later: list[Sheet] = field(default_factory=list)


def reply(stem: str, nn: int, lines: list[Line], at: datetime) -> Sheet:
    """A reply, in good order."""
    rows = [(str(line.number), line.key, line.result, line.ref, line.code, line.text) for line in lines]
    written = [",".join(REPLY), *(",".join(_cell(cell) for cell in (*row, write_time(at))) for row in rows)]
    name = f"{stem}.R{nn:02d}"
    data = b"\xef\xbb\xbf" + "".join(f"{line}\r\n" for line in written).encode()
    return Sheet(name, "REPLY", len(lines), write_time(at), {f"{name}.csv": data})


def status(stem: str, item: dict[str, str], at: datetime) -> Sheet:
    """A status file, in good order."""
    text = json.dumps({"stem": stem, "items": [item]}, ensure_ascii=False, separators=(",", ":"))
    return Sheet(stem, "STAT", 1, write_time(at), {f"{stem}.json": text.encode()})


def dressed(stem: str, first: int, lines: list[Line], at: datetime, op: str, faults: Faults, *, later: bool) -> Post:
    """The replies of a batch from nn ``first`` on, as the faults want them."""
    post = Post()

    def take(action: str) -> Fault | None:
        return faults.take(op, action) or faults.take("reply", action)

    waiting = [Line(line.number, line.key, LATER) for line in lines]
    if (fault := take("forge_callback")) is not None:
        post.now += [_forged(stem, first, lines, at, fault.how), reply(stem, first + 1, lines, at)]
    elif (fault := take("garbage")) is not None:
        post.now.append(spoilt(reply(stem, first, lines, at), fault.kind))
        post.later.append(reply(stem, first + 1, lines, at))
    elif take("reorder_callbacks") is not None:
        post.now.append(reply(stem, first + 1, lines, at))
        post.later.append(reply(stem, first, waiting, at))
    elif (fault := take("duplicate_callback")) is not None:
        post.now += [reply(stem, first + more, lines, at) for more in range(fault.n or 2)]
    elif later:
        post.now.append(reply(stem, first, waiting, at))
        post.later.append(reply(stem, first + 1, lines, at))
    else:
        post.now.append(reply(stem, first, lines, at))
    if (fault := take("drip")) is not None:
        post.now[0].drip_s = fault.after_ms / 1000 or _DRIP_S
    return post


def dressed_status(sheet: Sheet, faults: Faults) -> list[Sheet]:
    """A status file as the faults want it: a spoilt one has the right one after it."""
    made = [sheet]
    if (fault := faults.take("status", "garbage")) is not None:
        made = [spoilt(sheet, fault.kind)]
    elif (fault := faults.take("status", "forge_callback")) is not None and fault.how in ("digest", "ok"):
        made = [Sheet(sheet.stem, sheet.op, sheet.rows, sheet.created_at, sheet.data, spoil=fault.how)]
    if (fault := faults.take("status", "drip")) is not None:
        made[0].drip_s = fault.after_ms / 1000 or _DRIP_S
    return made


def _forged(stem: str, nn: int, lines: list[Line], at: datetime, how: str) -> Sheet:
    if how == "stem":
        return reply(f"{stem[:-32]}{_FOREIGN_KEY}", nn, lines, at)
    if how == "row":
        foreign = [Line(line.number, "msg_FOREIGN000000000000000000", line.result, line.ref) for line in lines]
        return reply(stem, nn, foreign, at)
    sheet = reply(stem, nn, lines, at)
    sheet.spoil = how
    return sheet


def spoilt(sheet: Sheet, kind: str) -> Sheet:
    """The same set with other contents, and right digests."""
    [(name, data)] = sheet.data.items()
    match kind:
        case "html":
            sheet.data = {name: _PAGE.encode()}
        case "truncated":
            sheet.data = {name: data[:-_CUT]}
        case "empty":
            sheet.data = {name: b""}
        case "gbk":
            sheet.data = {name: data.decode("utf-8-sig").encode("gbk", "replace")}
        case "slip":
            sheet.data = {f"{sheet.stem}.zip": _zip("../x", _deflated(data), len(data), zlib.crc32(data))}
        case _:
            sheet.data = {f"{sheet.stem}.zip": bomb(name)}
    return sheet


def bomb(name: str, megabytes: int = _BOMB_MIB) -> bytes:
    """A zip of about one MiB with one file of ``megabytes`` MiB of zeros."""
    block = bytes(1024 * 1024)
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packing.compress(block) + packing.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers back: the same compressed block may stand again and again.
    later = packing.compress(block) + packing.flush(zlib.Z_FULL_FLUSH)
    end = packing.flush(zlib.Z_FINISH)
    crc = 0
    for _ in range(megabytes):
        crc = zlib.crc32(block, crc)
    return _zip(name, first + later * (megabytes - 1) + end, megabytes * len(block), crc)


def _deflated(data: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packing.compress(data) + packing.flush()


def _zip(name: str, packed: bytes, size: int, crc: int) -> bytes:
    raw = name.encode("ascii")
    shared = pack("<5H3I2H", 20, 0, 8, 0, 0x21, crc, len(packed), size, len(raw), 0)
    local = b"PK\x03\x04" + shared + raw + packed
    central = b"PK\x01\x02" + pack("<H", 20) + shared + pack("<3H2I", 0, 0, 0, 0, 0) + raw
    return local + central + b"PK\x05\x06" + pack("<4H2IH", 0, 0, 1, 1, len(central), len(local), 0)


def _cell(text: str) -> str:
    guarded = f"'{text}" if text.startswith(_GUARDED) else text
    return '"' + guarded.replace('"', '""') + '"' if any(mark in guarded for mark in ',"') else guarded
