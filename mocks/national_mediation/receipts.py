"""The receipt 回执 of what was taken (page §2): a compact JWS over the digest of the request."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mocks.national_mediation.keys import KeyRing, signed
from mocks.national_mediation.settings import Settings

_TYP: Final = "receipt+jwt"
#: How a receipt may be forged, in turn where a fault names none of them.
FORGERIES: Final = ("foreign_key", "alg_none", "wrong_dig")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says: its number, the operation, the reply's id, and the digest of the request's bytes."""

    number: str
    op: str
    sub: str
    digest: str


class Receipts:
    """Signs receipts, and forges them on command."""

    def __init__(self, settings: Settings, keys: KeyRing, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._keys = keys
        self._now = now
        self._forged = 0

    def write(self, receipt: Receipt, forgery: str | None = None) -> str:
        """The receipt, signed as of now; ``forgery`` is one of :data:`FORGERIES`, or empty for the next in turn."""
        now = self._now()
        claims: dict[str, Any] = {
            "iss": self._settings.issuer,
            "aud": self._settings.client_id,
            "jti": receipt.number,
            "iat": int(now.timestamp()),
            "op": receipt.op,
            "sub": receipt.sub,
            "dig": receipt.digest,
        }
        if forgery is None:
            return self._keys.sign(_TYP, claims, now)
        how = forgery or FORGERIES[self._forged % len(FORGERIES)]
        self._forged += 1
        kid = self._keys.signing(now).kid
        match how:
            case "foreign_key":
                return signed({"alg": "RS256", "typ": _TYP, "kid": kid}, claims, self._keys.foreign().private)
            case "alg_none":
                return signed({"alg": "none", "typ": _TYP, "kid": kid}, claims, None)
            case _:
                return self._keys.sign(_TYP, claims | {"dig": "0" * 64}, now)


def written(reply: dict[str, Any], receipt: str) -> bytes:
    """The body of a reply with its receipt at the end."""
    return json.dumps({**reply, "receipt": receipt}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
