"""Rows and digests of this platform (page §2, §3): what stands in the tables, and what is signed for."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from adapters.http import json_bytes
from contracts import gm
from contracts.adapter import Json, Wire

BIZ_TYPE, OPERATE_TYPE, CASE_KEY, ORG_CODE, NR, FILES = (
    "BIZ_TYPE",
    "OPERATE_TYPE",
    "CASE_KEY",
    "ORG_CODE",
    "NR",
    "FILES",
)
"""Keys of a payload: columns of ``TJ_OUT``, and the files that stand before it."""

NR_LIMIT = 256 * 1024
CASE_KEY_LIMIT = 100
MARK = "#"
"""Between organisation and case number of a ``CASE_KEY``."""

T = TypeVar("T")
Value: TypeAlias = str | int | None
Row: TypeAlias = tuple[Any, ...]
"""One row of an answer: what a database holds, judged where it is read."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One statement with its values, always bound parameters (``?``)."""

    sql: str
    values: tuple[Value, ...] = ()


Work: TypeAlias = Generator[Ask, Sequence[Row], T]
"""One transaction, written once for both engines: it yields statements and is sent their rows."""


@dataclass(frozen=True, slots=True)
class OutRow:
    """What goes into ``TJ_OUT``, the same at every attempt."""

    out_id: str
    biz_type: str
    operate_type: int
    case_key: str
    org_code: str
    nr: str
    file_count: int

    @classmethod
    def of(cls, frozen: Wire) -> OutRow:
        """The row of a wire."""
        payload = frozen.payload
        return cls(
            out_id=frozen.id,
            biz_type=payload[BIZ_TYPE],
            operate_type=payload[OPERATE_TYPE],
            case_key=payload[CASE_KEY],
            org_code=payload[ORG_CODE],
            nr=written(payload[NR]),
            file_count=len(payload[FILES]),
        )

    @property
    def digest(self) -> str:
        """``DIGEST`` (page §3.2)."""
        parts: tuple[Value, ...] = (self.out_id, self.biz_type, self.operate_type, self.case_key, self.org_code)
        return digest_of(*parts, self.file_count, self.nr)


def text_of(value: object) -> str | None:
    """A column as text: SQLite holds none to its type, and what somebody wrote there must not stop a whole page."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def whole(value: object) -> int:
    """A column as a whole number: an integer, or a NUMERIC without fraction.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < 2**63 and value == int(value):
        return int(value)
    raise TypeError("a column holds no whole number")


def written(nr: Json) -> str:
    """``NR`` as it is stored: compact JSON."""
    return json_bytes(nr).decode()


def digest_of(*parts: Value) -> str:
    """SM3 of the parts, one a line, in lower-case hex; NULL is empty."""
    text = "\n".join("" if part is None else str(part) for part in parts)
    return gm.sm3(text.encode("utf-8", "surrogatepass")).hex()
