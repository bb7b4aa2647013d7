"""The calls of the page (§3): name, method, address and the scope that a token needs for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mocks.national_mediation.settings import BASE, JWKS, TOKEN


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. ``path`` stands below :data:`~mocks.national_mediation.settings.BASE`; ``writes`` has an effect."""

    op: str
    method: str
    path: str
    scope: str = ""
    writes: bool = False


OPERATIONS: Final = (
    Operation("probe", "GET", "/ping"),
    Operation("case.submit", "POST", "/cases", "case", writes=True),
    Operation("case.lookup", "GET", "/cases", "case"),
    Operation("case.revise", "PUT", "/cases/{case_id}", "case", writes=True),
    Operation("case.progress", "POST", "/cases/{case_id}/progress", "case", writes=True),
    Operation("agreement.submit", "POST", "/cases/{case_id}/agreements", "case", writes=True),
    Operation("performance.submit", "POST", "/cases/{case_id}/performances", "case", writes=True),
    Operation("changes.poll", "GET", "/changes", "case"),
    Operation("referrals.poll", "GET", "/referrals", "referral"),
    Operation("referral.get", "GET", "/referrals/{referral_id}", "referral"),
    Operation("referral.answer", "POST", "/referrals/{referral_id}/answer", "referral", writes=True),
    Operation("referral.result", "POST", "/referrals/{referral_id}/result", "referral", writes=True),
    Operation("statistics.submit", "PUT", "/statistics/{organization}/{period}", "stat", writes=True),
    Operation("file.upload", "POST", "/files", "file"),
    Operation("file.get", "GET", "/files/{file_id}", "file"),
)

#: Those of the security room (§2).
TOKEN_OP: Final = "token"  # noqa: S105 -- the name of an operation
JWKS_OP: Final = "jwks"
PROBE_OP: Final = "probe"
UNKNOWN: Final = "unknown"

_ADDRESSES: Final = {("POST", TOKEN): TOKEN_OP, ("GET", JWKS): JWKS_OP}
_PATTERNS: Final = tuple(
    (operation.method, re.compile(re.escape(BASE) + re.sub(r"\{[a-z_]+\}", "[^/]+", operation.path)), operation.op)
    for operation in OPERATIONS
)


def operation_at(method: str, path: str) -> str:
    """The name of the call at an address, ``unknown`` where there is none."""
    if (name := _ADDRESSES.get((method, path))) is not None:
        return name
    return next((op for known, pattern, op in _PATTERNS if known == method and pattern.fullmatch(path)), UNKNOWN)
