"""SM3 over rows and files (page §3.2, §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives import hashes

Row = dict[str, Any]

_OUT: Final = ("OUT_ID", "BIZ_TYPE", "OPERATE_TYPE", "CASE_KEY", "ORG_CODE", "FILE_COUNT", "NR")
_IN: Final = ("IN_ID", "KIND", "OUT_ID", "CASE_KEY", "PLAT_NO", "ZT", "FAIL_CODE", "REASON", "HAPPENED_AT")


def sm3(data: bytes) -> str:
    """64 characters of lower hex."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def of_out(row: Mapping[str, Any]) -> str:
    """``DIGEST`` of a ``TJ_OUT`` row."""
    return _of(row, _OUT)


def of_in(row: Mapping[str, Any]) -> str:
    """``DIGEST`` of a ``TJ_IN`` row."""
    return _of(row, _IN)


def _of(row: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    text = "\n".join("" if row[name] is None else str(row[name]) for name in columns)
    return sm3(text.encode("utf-8", "surrogatepass"))
