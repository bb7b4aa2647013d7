"""Calls and bytes of this platform (page §1, §3): methods, paths, limits, and a stranger's JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlencode

from adapters.http import read_json_object
from contracts.adapter import Json

JSON_TYPE = "application/json"
PATH, BODY, FIND = "path", "body", "find"
"""Keys of a payload: the names in the call's path, its body, and by what its case is found."""

REQUEST_LIMIT = 1024 * 1024
REPLY_LIMIT = 2 * 1024 * 1024
DEPTH = 16
_MOST_VALUES = 50_000
LONGEST_ID = "x" * 64
_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One service: its method, its path, and the field of its reply that names what it made."""

    method: str
    path: str
    made: str


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "case.submit": Operation("POST", "/cases", "caseId"),
        "case.revise": Operation("PUT", "/cases/{caseId}", "caseId"),
        "case.progress": Operation("POST", "/cases/{caseId}/progress", "progressId"),
        "agreement.submit": Operation("POST", "/cases/{caseId}/agreements", "agreementId"),
        "performance.submit": Operation("POST", "/cases/{caseId}/performances", "performanceId"),
        "referral.answer": Operation("POST", "/referrals/{referralId}/answer", "referralId"),
        "referral.result": Operation("POST", "/referrals/{referralId}/result", "referralId"),
        "statistics.submit": Operation("PUT", "/statistics/{orgCode}/{period}", "period"),
    }
)


def path_of(operation: str, names: Mapping[str, str]) -> str:
    """The path of a filing with its names, each percent-encoded."""
    return OPERATIONS[operation].path.format_map({key: quote(value, safe="") for key, value in names.items()})


def with_query(path: str, **values: str | int | None) -> str:
    """A path with its query; what is ``None`` is left out."""
    return f"{path}?{urlencode({key: value for key, value in values.items() if value is not None})}"


def read(body: bytes) -> Json:
    """A reply's JSON object.

    Raises:
        adapters.http.NotJson: it is none.
    """
    return read_json_object(body, limit=REPLY_LIMIT, depth=DEPTH, values=_MOST_VALUES)


def text_of(found: Json, key: str, limit: int = 500) -> str | None:
    """A text of a reply, bounded; ``None`` where it is absent, empty or something else."""
    value = found.get(key)
    return value[:limit] if isinstance(value, str) and value.strip() else None


def id_of(found: Json, key: str) -> str | None:
    """An id of the platform, of a form that an address and a log can carry (no step of a path: ``.``, ``..``); ``None`` for
    anything else."""
    value = found.get(key)
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def count_of(found: Json, key: str) -> int | None:
    """A whole number that is not negative."""
    value = found.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
