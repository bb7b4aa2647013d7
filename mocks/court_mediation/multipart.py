"""Reads an upload (court_mediation §1): multipart form data of exactly `fjlx`, then `file` with name and media type."""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Final
from urllib.parse import unquote_to_bytes

from mocks.court_mediation.reading import form_error

_NAME: Final = re.compile(rb';\s*name="([^"]*)"', re.IGNORECASE)
_FILE_NAME: Final = re.compile(rb';\s*filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE_NAME_UTF8: Final = re.compile(rb";\s*filename\*=utf-8''([^;\s]+)", re.IGNORECASE)
_HEADER_LIMIT: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What was sent: class, file name, media type, bytes."""

    fjlx: str
    wjmc: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    file_name: str
    media_type: str
    content: bytes


def read_upload(content_type: str | None, body: bytes) -> UploadForm:
    """Raises Denied 1001 for anything but the two parts in their order."""
    parts = [_part(raw) for raw in _split(_boundary(content_type), body)]
    if [part.name for part in parts] != ["fjlx", "file"]:
        raise form_error("上传应为 fjlx、file 两个部分")
    kind, file = parts
    if kind.file_name or len(kind.content) > 16 or not kind.content.isascii():
        raise form_error("fjlx 不正确")
    if not file.file_name or not file.media_type:
        raise form_error("file 应有文件名和类型")
    return UploadForm(kind.content.decode("ascii"), file.file_name, file.media_type, file.content)


def _boundary(content_type: str | None) -> bytes:
    message = Message()
    message["Content-Type"] = content_type or ""
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/form-data" or not boundary or not boundary.isascii():
        raise form_error("Content-Type 应为 multipart/form-data")
    return boundary.encode("ascii")


def _split(boundary: bytes, body: bytes) -> list[bytes]:
    mark = b"--" + boundary
    if not body.startswith(mark):
        raise form_error("上传格式不正确")
    *parts, end = body[len(mark) :].split(b"\r\n" + mark)
    if not end.startswith(b"--") or not all(part.startswith(b"\r\n") for part in parts):
        raise form_error("上传格式不正确")
    return [part[2:] for part in parts]


def _part(raw: bytes) -> _Part:
    head, gap, content = raw.partition(b"\r\n\r\n")
    if not gap or len(head) > _HEADER_LIMIT:
        raise form_error("上传格式不正确")
    headers: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    disposition = headers.get(b"content-disposition", b"")
    field = _NAME.search(disposition)
    if field is None or not disposition.lower().startswith(b"form-data"):
        raise form_error("上传格式不正确")
    return _Part(
        name=_utf8(field[1]),
        file_name=_utf8(_file_name(disposition)),
        media_type=_utf8(headers.get(b"content-type", b"")),
        content=content,
    )


def _file_name(disposition: bytes) -> bytes:
    if (extended := _FILE_NAME_UTF8.search(disposition)) is not None:
        return unquote_to_bytes(extended[1])
    plain = _FILE_NAME.search(disposition)
    return plain[1] if plain is not None else b""


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise form_error("上传的文件名不是 UTF-8") from error
