"""Names of batches, SM3 and times (page §1, §2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from cryptography.hazmat.primitives import hashes

from mocks.clock import BEIJING
from mocks.enterprise_confederation.words import OPS, Wrong

_FORM: Final = "%Y-%m-%d %H:%M:%S"
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_STEM: Final = re.compile(r"QLTJ_([A-Z0-9]{2,12})_([A-Z]{4})_([0-9]{8})_([0-9A-F]{32})", re.ASCII)
_FILE: Final = re.compile(
    r"(QLTJ_[A-Z0-9]{2,12}_[A-Z]{4}_[0-9]{8}_[0-9A-F]{32})"
    r"(\.csv|\.zip|\.manifest\.json|\.ok|_[0-9]{3}\.json|_[0-9]{3}_[0-9]{2}\.(?:pdf|ofd|jpg|png))(\.part)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Stem:
    """What the stem of a batch says."""

    text: str
    sender: str
    op: str
    day: str
    key: str


def stem_of(text: str) -> Stem:
    """Read a stem. Raises :class:`Wrong` (B05)."""
    found = _STEM.fullmatch(text)
    if found is None or found[2] not in OPS:
        raise Wrong("B05", "文件名")
    if not is_date(f"{found[3][:4]}-{found[3][4:6]}-{found[3][6:]}"):
        raise Wrong("B05", "日期")
    return Stem(text, found[1], found[2], found[3], found[4])


def owner(name: str) -> str:
    """The stem to which a file of ``up/`` belongs; empty for a foreign name."""
    found = _FILE.fullmatch(name)
    return "" if found is None else found[1]


def shown(name: str) -> str:
    """A file's name as a text: bytes that are no UTF-8 as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def sm3(data: bytes) -> str:
    """64 characters of lower hex."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def key_of(message_id: str) -> str:
    """``KEY`` of the stem of a message."""
    return sm3(message_id.encode("utf-8", "surrogatepass"))[:32].upper()


def write_time(at: datetime) -> str:
    """``2026-09-17 10:00:05``, China local."""
    return at.astimezone(BEIJING).strftime(_FORM)


def is_time(text: str) -> bool:
    """Whether the text is a real ``yyyy-MM-dd HH:mm:ss``."""
    if _TIME.fullmatch(text) is None:
        return False
    try:
        datetime.strptime(text, _FORM).replace(tzinfo=BEIJING)
    except ValueError:
        return False
    return True


def is_date(text: str) -> bool:
    """Whether the text is a real ``yyyy-MM-dd``."""
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
