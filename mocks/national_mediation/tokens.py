"""The token endpoint and the check of access tokens (page §2), OAuth2 client credentials of RFC 6749 §4.4."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from mocks.national_mediation.keys import KeyRing, NotSigned
from mocks.national_mediation.problems import Problem
from mocks.national_mediation.settings import Settings

SCOPES: Final = ("case", "referral", "file", "stat")
AUDIENCE: Final = "ndm-api"
_TYP: Final = "at+jwt"
#: Errors of the token endpoint and their status.
ERRORS: Final = {"invalid_client": 401, "invalid_scope": 400, "unsupported_grant_type": 400}


class NoToken(Exception):
    """A refusal of the token endpoint, one of :data:`ERRORS`."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Tokens:
    """Gives access tokens and checks them; ``expire`` ends one before its time."""

    def __init__(self, settings: Settings, keys: KeyRing, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._keys = keys
        self._now = now
        self._ended: set[str] = set()

    def authenticate(self, authorization: str) -> None:
        """Check client id and secret by HTTP Basic. Raises :class:`NoToken`."""
        method, _, credentials = authorization.partition(" ")
        try:
            text = base64.b64decode(credentials.encode("ascii"), validate=True).decode("utf-8")
        except (UnicodeError, binascii.Error):
            raise NoToken("invalid_client") from None
        client, colon, secret = text.partition(":")
        # RFC 6749 §2.3.1: both halves are form-encoded first.
        given = (unquote_plus(client).encode("utf-8"), unquote_plus(secret).encode("utf-8"))
        settings = self._settings
        ours = hmac.compare_digest(given[0], settings.client_id.encode("utf-8"))
        right = hmac.compare_digest(given[1], settings.client_secret.encode("utf-8"))
        if method.lower() != "basic" or not colon or not ours or not right:
            raise NoToken("invalid_client")

    def give(self, media: str, body: bytes) -> dict[str, str | int]:
        """The reply to a form of the client. Raises :class:`NoToken`."""
        form = _form(media, body)
        if "client_id" in form or "client_secret" in form:
            raise NoToken("invalid_client")  # a second way of telling who one is, beside Basic
        if form.get("grant_type") != ["client_credentials"]:
            raise NoToken("unsupported_grant_type")
        asked = form.get("scope", [])
        scopes = asked[0].split(" ") if len(asked) == 1 else []
        if not scopes or len(set(scopes)) != len(scopes) or not set(scopes) <= set(SCOPES):
            raise NoToken("invalid_scope")
        settings = self._settings
        now = self._now()
        issued = int(now.timestamp())
        scope = " ".join(scopes)
        claims = {
            "iss": settings.issuer,
            "sub": settings.client_id,
            "aud": AUDIENCE,
            "iat": issued,
            "nbf": issued,
            "exp": issued + settings.token_life_s,
            "jti": secrets.token_urlsafe(16),
            "scope": scope,
        }
        token = self._keys.sign(_TYP, claims, now)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": settings.token_life_s,
            "scope": scope,
        }

    def check(self, authorizations: list[str]) -> tuple[str, frozenset[str]]:
        """``jti`` and scopes of the token of a call. Raises :class:`Problem` ``TOKEN_INVALID`` or ``TOKEN_EXPIRED``."""
        method, _, token = authorizations[0].partition(" ") if len(authorizations) == 1 else ("", "", "")
        if method.lower() != "bearer":
            raise Problem("TOKEN_INVALID")
        settings = self._settings
        now = self._now()
        try:
            claims = self._keys.read(token, _TYP, now)
        except NotSigned:
            raise Problem("TOKEN_INVALID") from None
        moment = now.timestamp()
        right = (
            claims.get("iss") == settings.issuer
            and claims.get("aud") == AUDIENCE
            and claims.get("sub") == settings.client_id
            and claims["nbf"] <= moment + settings.clock_tolerance_s
        )
        if not right:
            raise Problem("TOKEN_INVALID")
        # Our own clock gave it and reads it: no tolerance is due at the end.
        if moment >= claims["exp"] or claims["jti"] in self._ended:
            raise Problem("TOKEN_EXPIRED")
        return claims["jti"], frozenset(claims["scope"].split(" "))

    def expire(self, token_id: str) -> None:
        """End a token."""
        self._ended.add(token_id)


def _form(media: str, body: bytes) -> dict[str, list[str]]:
    if media != "application/x-www-form-urlencoded":
        raise NoToken("unsupported_grant_type")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        raise NoToken("unsupported_grant_type") from None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form
