"""Attachments in and out (附件): streamed up to the limit, known by content, never shown inline."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from contracts.findings import Code, Finding
from contracts.lists import AttachmentKind
from gateway.flow.house import House
from gateway.flow.moving.attachments import AttachmentRefused
from gateway.flow.moving.order import Refused
from gateway.store.engine import StoreUnavailable
from gateway.web.api.answers import answer
from gateway.web.auth import Door

_CHUNK = 256 * 1024
_FORM_OVERHEAD = 64 * 1024
_STATUS = {"attachment_too_large": 413, "attachment_type": 415, "attachment_empty": 422}


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["附件 Attachments"])

    @routes.post("/v1/attachments", status_code=201, summary="上传附件 Upload an attachment")
    async def upload(request: Request) -> Response:
        principal = await door.principal(request, "cases:write")
        declared = request.headers.get("content-length", "0")
        if declared.isascii() and declared.isdigit() and int(declared[:12]) > house.attachments.limit + _FORM_OVERHEAD:
            raise Refused(413, "attachment_too_large", extra={"limit": house.attachments.limit})
        try:
            async with _form(request, house.attachments.limit) as (file, kind):
                owner = f"client:{principal.client}"
                kept = await house.attachments.take(owner, kind.value, file.filename or "", _parts(file))
        except AttachmentRefused as error:
            raise Refused(_STATUS[error.code], error.code, extra={"limit": house.attachments.limit}) from None
        except OSError as error:  # the form's temporary copy finds no room either
            raise StoreUnavailable(f"attachments: {type(error).__name__}") from error
        link = f"{house.publisher.public_base}/v1/attachments/{kept.id}"
        body = {
            "id": kept.id,
            "kind": kept.kind,
            "name": kept.name,
            "media_type": kept.media_type,
            "size": kept.size,
            "sha256": kept.sha256,
            "links": {"self": link},
        }
        return answer(body, {"Location": link}, 201)

    @routes.get("/v1/attachments/{id}", summary="下载附件 Download an attachment")
    async def download(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        found = await house.attachments.find(request.path_params["id"])
        if found is None or not (found[0] == f"client:{principal.client}" or principal.acts_for(found[0])):
            raise Refused(404, "not_found")
        info = found[1]
        data = await house.attachments.read(info.id)
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(info.name, safe='')}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(info.sha256)).decode()}:",
        }
        return Response(data, 200, headers, info.media_type)

    return routes


class _TooLarge(MultiPartException):
    """The body is longer than an attachment may be."""


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes, whatever length it declared; what is too long is cut off and not kept."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _TooLarge("attachment_too_large")
        yield part


@asynccontextmanager
async def _form(request: Request, limit: int) -> AsyncIterator[tuple[UploadFile, AttachmentKind]]:
    """The form's file and kind, until they are read; then the file's temporary copy is given back."""
    kind_header = request.headers.get("content-type", "").lower()
    if not kind_header.startswith("multipart/form-data"):
        raise Refused(415, "media_type", extra={"accepts": ["multipart/form-data"]})
    body = _bounded(request, limit + _FORM_OVERHEAD)
    try:
        form = await MultiPartParser(
            request.headers, body, max_files=1, max_fields=4, max_part_size=_FORM_OVERHEAD
        ).parse()
    except _TooLarge:
        raise AttachmentRefused("attachment_too_large") from None
    except MultiPartException:
        raise Refused(400, "attachment_form") from None
    try:
        file, kind = form.get("file"), form.get("kind")
        if not isinstance(file, UploadFile) or not isinstance(kind, str):
            raise Refused(422, "attachment_form")
        if kind not in set(AttachmentKind):
            allowed = tuple(str(value) for value in AttachmentKind)
            raise Refused(422, Code.NOT_IN_LIST, (Finding.of("/kind", Code.NOT_IN_LIST, allowed=allowed),))
        yield file, AttachmentKind(kind)
    finally:
        await form.close()


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(_CHUNK):
        yield part
