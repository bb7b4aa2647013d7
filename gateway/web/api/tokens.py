"""The token endpoint (RFC 6749 §4.4, client credentials): an API key in exchange for a token of ten minutes."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl, unquote_plus

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.flow.moving.order import Refused
from gateway.security.clients import SCOPES
from gateway.security.sessions import Throttle
from gateway.security.tokens import LASTS_S
from gateway.texts import problem_texts
from gateway.web.auth import Door
from gateway.web.bodies import bounded_body

PATH: Final = "/v1/oauth2/token"
_BODY: Final = 8 * 1024
_LONGEST_ID: Final = 64
_FORM: Final = "application/x-www-form-urlencoded"
_PER_CLIENT, _PER_ADDRESS, _WINDOW_S = 10, 100, 300.0
"""Failures of one client from one address, and of one address, within the window: more, and it must wait."""

log = structlog.get_logger("gateway.web")


class _NotGiven(Exception):
    """No token: an error of RFC 6749 §5.2 with its status."""

    def __init__(self, error: str, status: int = 400, **headers: str) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = headers


def router(door: Door) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["令牌 Tokens"])
    clients = Throttle(_PER_CLIENT, _WINDOW_S)
    addresses = Throttle(_PER_ADDRESS, _WINDOW_S)

    async def given(request: Request) -> dict[str, Any]:
        fields = await _fields(request)
        prefix, secret, basic = _credentials(request, fields)
        address = request.client.host if request.client is not None else ""
        tried = f"{address}|{prefix[:_LONGEST_ID]}"
        wait_s = max(clients.wait_s(tried), addresses.wait_s(address))
        if wait_s > 0:
            raise _NotGiven("slow_down", 429, **{"Retry-After": str(round(wait_s) + 1)})
        principal = await door.client(prefix, secret)
        if principal is None:
            clients.failed(tried)
            addresses.failed(address)
            _refuse_client(basic)
        if "grant_type" not in fields:
            raise _NotGiven("invalid_request")
        if fields["grant_type"] != "client_credentials":
            raise _NotGiven("unsupported_grant_type")
        scopes = _scopes(fields.get("scope"), principal.scopes)
        log.info("token_given", client=principal.client)
        return {
            "access_token": door.token(prefix, scopes),
            "token_type": "Bearer",
            "expires_in": LASTS_S,
            "scope": " ".join(sorted(scopes)),
        }

    @routes.post(
        PATH,
        summary="换取访问令牌 Exchange a key for a token",
        openapi_extra={
            "security": [{"client": []}, {}],
            "requestBody": {"required": True, "content": {_FORM: {"schema": _ASKED, "example": _EXAMPLE}}},
        },
        responses={
            200: {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/AccessToken"}}}},
            400: {"content": {"application/json": {"schema": _ERROR}}},
            401: {"content": {"application/json": {"schema": _ERROR}}},
            429: {"content": {"application/json": {"schema": _ERROR}}},
        },
    )
    async def token(request: Request) -> Response:
        try:
            return _answer(await given(request))
        except _NotGiven as refusal:
            log.info("token_refused", code=refusal.error, status=refusal.status)
            return _answer(_told(refusal.error), refusal.status, refusal.headers)

    return routes


def _answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    kept = {"Cache-Control": "no-store", "Pragma": "no-cache", **(headers or {})}
    return Response(orjson.dumps(body), status, kept, "application/json")


def _told(error: str) -> dict[str, str]:
    """The error in OAuth's form: its description holds ASCII alone (RFC 6749 §5.2), so the Chinese one stands beside it."""
    texts = problem_texts(f"oauth_{error}") or {}
    return {
        "error": error,
        "error_description": texts.get("detail_en", ""),
        "error_description_zh": texts.get("detail_zh", ""),
    }


async def _fields(request: Request) -> dict[str, str]:
    """The form, each parameter once; an empty one counts as absent (RFC 6749 §3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _NotGiven("invalid_request")
    try:
        raw = await bounded_body(request, _BODY)
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except (Refused, ValueError):
        raise _NotGiven("invalid_request") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _NotGiven("invalid_request")
    return {name: value for name, value in fields.items() if value}


def _credentials(request: Request, fields: dict[str, str]) -> tuple[str, str, bool]:
    """Client id and secret (the two halves of an API key) by HTTP Basic or in the form; by both is an error (§2.3)."""
    header = request.headers.get("authorization")
    posted = "client_secret" in fields or "client_id" in fields
    if header is None:
        return fields.get("client_id", ""), fields.get("client_secret", ""), False
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        _refuse_client(basic=True)
    try:
        prefix, colon, secret = base64.b64decode(value.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        _refuse_client(basic=True)
    prefix, secret = unquote_plus(prefix), unquote_plus(secret)
    if "client_secret" in fields or (posted and fields.get("client_id") != prefix):
        raise _NotGiven("invalid_request")
    if not colon:
        _refuse_client(basic=True)
    return prefix, secret, True


def _refuse_client(basic: bool) -> NoReturn:
    headers = {"WWW-Authenticate": 'Basic realm="gateway", charset="UTF-8"'} if basic else {}
    raise _NotGiven("invalid_client", 401, **headers)


def _scopes(asked: str | None, held: frozenset[str]) -> frozenset[str]:
    """All that the key has, or those of them that were asked for."""
    if asked is None:
        return held
    wanted = frozenset(asked.split(" "))
    if not wanted <= held:
        raise _NotGiven("invalid_scope")
    return wanted


_ASKED: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "const": "client_credentials"},
        "scope": {
            "type": "string",
            "description": "空格分隔，缺省为密钥的全部权限 space-separated; absent: all of the key's",
        },
        "client_id": {"type": "string", "description": "密钥点号之前 what stands before the key's dot"},
        "client_secret": {"type": "string", "description": "密钥点号之后 what stands after it"},
    },
}
_EXAMPLE: Final = {"grant_type": "client_credentials", "scope": "cases:write cases:read"}
_ERRORS: Final = (
    "invalid_request",
    "invalid_client",
    "unsupported_grant_type",
    "invalid_scope",
    "slow_down",
)
_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "enum": list(_ERRORS)},
        "error_description": {"type": "string"},
        "error_description_zh": {"type": "string"},
    },
}

SCHEME: Final[dict[str, Any]] = {
    "type": "oauth2",
    "description": "RFC 6749 §4.4；client_id、client_secret 为 API 密钥点号前后两段 the two halves of an API key",
    "flows": {"clientCredentials": {"tokenUrl": PATH, "scopes": dict.fromkeys(SCOPES, "")}},
}
"""How the description of the API names this way in."""
