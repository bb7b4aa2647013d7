"""The platform's bytes, out and in (page §1, §3): forms, multipart uploads, session cookies, the JSON envelope."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from adapters.http import NotJson, json_bytes, read_json_object
from contracts.adapter import Json, Reply

FIELD = "mediationFormStr"
FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"
JSON_TYPE = "application/json; charset=UTF-8"
DOCUMENTS = "docList"
FILE_ID = "fileId"

REPLY_LIMIT = 2 * 1024 * 1024
"""The most bytes of a reply or push that are read."""
DEPTH = 16
"""Deepest nesting that is read; the page's own objects need five."""
_MOST_VALUES = 10_000
"""Values of a reply. The page's largest, a query's or one with findings, has rows of six, of which 1000 are read."""

_COOKIE = re.compile(r"JSESSIONID=([0-9A-Za-z._-]{16,128})")
_LONGEST_ID = "x" * 32
_LOGIN_FORM = b'id="loginForm"'


# ----------------------------------------------------------------------------------------------------------------- out


def form(*fields: tuple[str, str]) -> bytes:
    """A form body: percent coding of UTF-8, space as ``+``."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode("ascii")


def mediation_form(payload: Json) -> bytes:
    """The one field that every service takes, around the JSON text."""
    return form((FIELD, json_bytes(payload).decode("utf-8")))


def with_file_ids(payload: Json, file_id: Callable[[int], str]) -> Json:
    """The payload with a file's id where ``docList`` names an attachment or text; ``file_id`` takes its place."""
    entries = payload.get(DOCUMENTS)
    if entries is None:
        return payload
    linked = [
        {FILE_ID: file_id(number), "fjlx": entry["fjlx"], "wjmc": entry["wjmc"]} for number, entry in enumerate(entries)
    ]
    return payload | {DOCUMENTS: linked}


def largest_form(payload: Json) -> int:
    """Bytes of the form that ``send`` will make of the payload."""
    return len(mediation_form(with_file_ids(payload, lambda _: _LONGEST_ID)))


def multipart(boundary: str, file_class: str, name: str, media_type: str, data: bytes) -> tuple[str, bytes]:
    """Content type and body of an upload (RFC 7578): ``fjlx``, then ``file``. The name goes in UTF-8 as it is, quotes
    and line ends percent-coded as browsers do."""
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="fjlx"\r\n\r\n{file_class}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    body = b"".join((head.encode("utf-8"), data, f"\r\n--{boundary}--\r\n".encode("ascii")))
    return f"multipart/form-data; boundary={boundary}", body


# ------------------------------------------------------------------------------------------------------------------ in


class Unreadable(ValueError):
    """Bytes that are no word of the platform. ``code`` says why and never quotes them."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Envelope:
    """``{"code", "msg", "content"}`` of a reply; ``code`` as text, ``content`` empty where it is no object."""

    code: str
    message: str
    content: Json


def is_login_page(reply: Reply) -> bool:
    """Whether the session is over: the request was **not** processed.

    Read narrowly, because a page that only looks like it leaves open whether the request had its effect."""
    media_type = (reply.header("Content-Type") or "").partition(";")[0].strip().lower()
    return reply.status == 200 and media_type == "text/html" and _LOGIN_FORM in reply.body


def session_cookie(reply: Reply) -> str | None:
    """``JSESSIONID`` of a login's reply."""
    for name, value in reply.headers:
        if name.lower() == "set-cookie" and (found := _COOKIE.match(value.strip())):
            return found[1]
    return None


def read_envelope(body: bytes) -> Envelope:
    """Read a reply's body.

    Raises:
        Unreadable: ``minus_one`` for the body ``-1``; no JSON object in UTF-8, or one without code.
    """
    if body.strip() == b"-1":
        raise Unreadable("minus_one")
    try:
        found = read_json_object(body, limit=REPLY_LIMIT, depth=DEPTH, values=_MOST_VALUES)
    except NotJson as error:
        raise Unreadable(error.code) from None
    code, content = found.get("code"), found.get("content")
    # Now and then the code comes as a number (page §3).
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    if not isinstance(code, str) or not code:
        raise Unreadable("no_code")
    return Envelope(code, text_of(found, "msg"), content if isinstance(content, dict) else {})


def text_of(found: Json, key: str) -> str:
    """The text under a key; ``""`` where there is none. A whole number, which the page forbids, reads as its digits."""
    value = found.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def rows_of(found: Json, key: str, most: int = 1000) -> list[Json]:
    """The objects of a list; what is no object is passed over."""
    value = found.get(key)
    return [row for row in value[:most] if isinstance(row, dict)] if isinstance(value, list) else []


def only_strings(value: Any) -> bool:
    """Whether all values are strings, lists and objects apart (page §3)."""
    if isinstance(value, dict):
        return all(map(only_strings, value.values()))
    return all(map(only_strings, value)) if isinstance(value, list) else isinstance(value, str)
