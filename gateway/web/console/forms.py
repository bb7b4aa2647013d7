"""Forms that come in: bounded, of one media type, from a page of ours, with the session's form token."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from gateway.flow.moving.order import Refused
from gateway.security.sessions import same_form_token, same_origin
from gateway.web.bodies import bounded_body

_LIMIT: Final = 256 * 1024
_FIELDS: Final = 2_000
FORM_FIELD: Final = "form_token"


class Form:
    """The fields of a posted form; text without control characters but line ends."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def text(self, name: str, most: int = 500) -> str:
        """A field's first value, trimmed; empty where there is none or it is longer than ``most``."""
        for key, value in self._fields:
            if key == name:
                plain = "".join(c for c in value if c >= " " or c == "\n").strip()
                return plain if len(plain) <= most else ""
        return ""

    def secret(self, name: str) -> str:
        """A field as it was typed."""
        return next((value for key, value in self._fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a repeated field."""
        return [value for key, value in self._fields if key == name]

    def has(self, name: str) -> bool:
        """Whether the field came (a checkbox that is ticked)."""
        return any(key == name for key, _ in self._fields)

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number within bounds, else ``None``."""
        given = self.text(name, 12)
        if not given.isascii() or not given.isdigit() or not low <= int(given) <= high:
            return None
        return int(given)


async def read_form(request: Request, public_base: str) -> Form:
    """The fields of a form of ours.

    Raises:
        Refused: 403 from elsewhere, 413 too large, 415 another media type, 400 malformed.
    """
    host = request.headers.get("host", "")
    if not same_origin(request.headers.get("origin"), request.headers.get("referer"), host, public_base):
        raise Refused(403, "foreign_origin")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(415, "media_type")
    raw = await bounded_body(request, _LIMIT)
    try:
        fields = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise Refused(400, "form") from None
    return Form(fields)


def check_token(form: Form, token: str) -> None:
    """Refuse a form without the session's token.

    Raises:
        Refused: 403.
    """
    if not same_form_token(token, form.secret(FORM_FIELD)):
        raise Refused(403, "form_token")
