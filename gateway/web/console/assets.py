"""The console's own files (style, script, sign), addressed by their content so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from starlette.responses import Response

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    name: str
    digest: str
    media_type: str
    body: bytes
    packed: bytes


@cache
def assets() -> dict[str, Asset]:
    """Every file by name."""
    found = {}
    for file in files("gateway.web.console").joinpath("static").iterdir():
        kind = file.name.rpartition(".")[2]
        if kind in _TYPES:
            body = file.read_bytes()
            found[file.name] = Asset(
                file.name, hashlib.sha256(body).hexdigest()[:16], _TYPES[kind], body, gzip.compress(body, 9, mtime=0)
            )
    return found


def address(name: str) -> str:
    """Where a file lies below the console: ``static/<digest>/<name>``."""
    return f"static/{assets()[name].digest}/{name}"


def serve(digest: str, name: str, *, packed: bool = False) -> Response:
    """The file (``packed``: for who takes gzip), to be kept for ever; 404 under another digest: an old page asks for an old
    file, and reloads."""
    found = assets().get(name)
    if found is None or found.digest != digest:
        return Response("", 404, media_type="text/plain")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{found.digest}"',
        "Vary": "Accept-Encoding",
    }
    if packed:
        return Response(found.packed, 200, headers | {"Content-Encoding": "gzip"}, found.media_type)
    return Response(found.body, 200, headers, found.media_type)
