"""Times as the platform writes them: China local time without an offset (page §1)."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from mocks.clock import BEIJING

_FORM: Final = "%Y-%m-%d %H:%M:%S"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def write(at: datetime) -> str:
    """``2026-09-17 10:00:05``."""
    return at.astimezone(BEIJING).strftime(_FORM)


def read(text: str) -> datetime | None:
    """The moment, aware; ``None`` for any other form or a time that does not exist."""
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def is_date(text: str) -> bool:
    """Whether the text is a real ``yyyy-MM-dd``."""
    if _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
