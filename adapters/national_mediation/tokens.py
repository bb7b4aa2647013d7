"""Token, signing keys and receipts (page §2): OAuth2 client credentials, JWKS, compact JWS. RS256 alone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from adapters.http import NotJson, judge_status
from adapters.national_mediation import wire
from adapters.national_mediation.settings import NationalMediationSettings
from contracts.adapter import Exchange, Json, Reply, Request, Tools
from contracts.errors import EndpointError, RetryableError

SCOPE: Final = "case referral file stat"
AUDIENCE: Final = "ndm-api"
_ALGORITHM: Final = "RS256"
_TOKEN_TYPE, _RECEIPT_TYPE = "at+jwt", "receipt+jwt"  # the kinds' names of page §2
_LEAST_BITS = 2048
_MOST_KEYS = 50
_LONGEST_JWS = 8 * 1024
_TOLERANCE = timedelta(seconds=60)
_RENEW_BEFORE = timedelta(seconds=30)
_KEYS_KEPT = timedelta(seconds=300)
_KEYS_AGAIN = timedelta(seconds=60)
_MEMORY, _REFUSED, _DOUBTED = "token", "token_refused", "receipt:"
_DOUBT_KEPT = timedelta(days=2)


class Unproven(ValueError):
    """A token or receipt that is not proven. ``code`` says why and never quotes it; ``key``: its key is not known (yet)."""

    def __init__(self, code: str, *, key: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.key = key


@dataclass(slots=True)
class _Keys:
    """The platform's signing keys as they were last read."""

    by_id: Mapping[str, RSAPublicKey] = field(default_factory=dict)
    read_at: datetime | None = None


class Tokens:
    """Keeps one token for all attempts, and the keys that prove it. One request at a time fetches either."""

    def __init__(self, settings: NationalMediationSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._one_fetch = asyncio.Lock()
        self._keys = _Keys()

    async def bearer(self, exchange: Exchange) -> str:
        """A token with 30 s and more to live.

        Raises:
            EndpointError: the platform refuses our client, or hands out a token that is not its own.
            RetryableError: it cannot be had now; never with ``maybe_accepted``.
        """
        async with self._one_fetch:
            await self._fresh_keys(exchange)
            kept = await self._kept()
            return kept if kept is not None else await self._fetch(exchange)

    async def dropped(self, token: str, code: str) -> None:
        """The platform no longer takes this token. Calls that go out at once, here or in another process, share one: it is
        refused to each of them, and that is one refusal.

        Raises:
            EndpointError: for the second time in a row, with another token.
        """
        ended = _fingerprint(token)
        before = await self._tools.memory.get(_REFUSED)
        if before == ended:
            return
        if await self._kept() == token:
            await self._tools.memory.forget(_MEMORY)
        if before is not None:
            raise EndpointError(code, "the platform refuses a fresh token as well")
        await self._tools.memory.put(_REFUSED, ended, timedelta(minutes=10))

    async def taken(self) -> None:
        """The platform took the token."""
        if await self._tools.memory.get(_REFUSED) is not None:
            await self._tools.memory.forget(_REFUSED)

    async def prove(
        self, receipt: object, sent: bytes, operation: str, made: str, key: str, exchange: Exchange
    ) -> None:
        """Prove a receipt (回执): that the platform has just these bytes, under this operation and number.

        ``key``: the idempotency key of the filing.

        Raises:
            RetryableError: it is not proven, or its key cannot be had now; the platform may have it.
            EndpointError: not proven for the second time.
        """
        try:
            await self._prove(receipt, sent, operation, made, exchange)
        except Unproven as doubt:
            place = f"{_DOUBTED}{key}"
            if await self._tools.memory.get(place) is not None:
                raise EndpointError(doubt.code, "the platform's receipt is not its own, for the second time") from None
            await self._tools.memory.put(place, doubt.code, _DOUBT_KEPT)
            raise RetryableError(doubt.code, "the platform's receipt is not its own", maybe_accepted=True) from None
        if await self._tools.memory.get(f"{_DOUBTED}{key}") is not None:
            await self._tools.memory.forget(f"{_DOUBTED}{key}")

    async def _prove(self, receipt: object, sent: bytes, operation: str, made: str, exchange: Exchange) -> None:
        if not isinstance(receipt, str):
            raise Unproven("receipt_missing")
        try:
            claims = self._claims(receipt, _RECEIPT_TYPE, self._settings.client_id)
        except Unproven as doubt:
            if not doubt.key:
                raise
            claims = await self._receipt_under_newer_keys(receipt, exchange)
        if claims.get("op") != operation or claims.get("sub") != made:
            raise Unproven("receipt_of_another")
        if claims.get("dig") != hashlib.sha256(sent).hexdigest():
            raise Unproven("receipt_of_other_bytes")

    async def _receipt_under_newer_keys(self, receipt: str, exchange: Exchange) -> Json:
        """Where the keys cannot be read anew the receipt is neither proven nor disproven: that is no first doubt of two."""
        try:
            async with self._one_fetch:
                await self._read_newer_keys(exchange)
        except (RetryableError, EndpointError) as error:
            wait = error.retry_after if isinstance(error, RetryableError) else None
            raise RetryableError(
                "key_unknown", "the receipt's key cannot be had now", retry_after=wait, maybe_accepted=True
            ) from None
        return self._claims(receipt, _RECEIPT_TYPE, self._settings.client_id)

    # ---------------------------------------------------------------------------------------------------------- token

    async def _kept(self) -> str | None:
        noted = await self._tools.memory.get(_MEMORY)
        if noted is None:
            return None
        token, client, until = json.loads(noted)
        good = client == self._settings.client_id and datetime.fromisoformat(until) - self._tools.now() > _RENEW_BEFORE
        return str(token) if good else None

    async def _fetch(self, exchange: Exchange) -> str:
        settings = self._settings
        secret = settings.client_secret.get_secret_value()
        pair = f"{quote(settings.client_id, safe='')}:{quote(secret, safe='')}"  # RFC 6749 §2.3.1
        headers = (
            ("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", wire.JSON_TYPE),
        )
        form = urlencode({"grant_type": "client_credentials", "scope": SCOPE}).encode()
        reply = await _step(exchange, "token", Request("POST", settings.auth_url, headers, form), settings.exchange_s)
        self._judge(reply)
        found = _object(reply)
        token = found.get("access_token")
        if not isinstance(token, str) or str(found.get("token_type", "")).lower() != "bearer":
            raise RetryableError("no_token", "the platform's answer holds no token")
        try:
            claims = self._claims(token, _TOKEN_TYPE, AUDIENCE)
        except Unproven as doubt:
            if not doubt.key:
                raise EndpointError(doubt.code, "the token is not the platform's own") from None
            claims = await self._with_newer_keys(token, exchange)
        until = _moment(claims, "exp")
        if until is None or claims.get("sub") != settings.client_id:
            raise EndpointError("token_of_another", "the token is not ours")
        now = self._tools.now()
        if until <= now - _TOLERANCE:
            raise EndpointError("token_ended", "the token has ended already: the clocks differ")
        if await self._tools.memory.get(_REFUSED) == _fingerprint(token):
            raise EndpointError("token_repeated", "the platform hands out the token again that it refused")
        noted = json.dumps([token, settings.client_id, until.isoformat()])
        await self._tools.memory.put(_MEMORY, noted, max(until - now, timedelta(seconds=1)))
        return token

    async def _with_newer_keys(self, token: str, exchange: Exchange) -> Json:
        await self._read_newer_keys(exchange)
        try:
            return self._claims(token, _TOKEN_TYPE, AUDIENCE)
        except Unproven as doubt:
            raise EndpointError(doubt.code, "the token is not the platform's own") from None

    def _judge(self, reply: Reply) -> None:
        if reply.status in (400, 401):
            error = None
            with suppress(NotJson):
                error = wire.id_of(wire.read(reply.body), "error")
            raise EndpointError(error or f"http_{reply.status}", "the platform refuses our client")
        judge_status(reply, self._tools.now(), maybe_accepted=False)

    # ----------------------------------------------------------------------------------------------------------- keys

    async def _fresh_keys(self, exchange: Exchange) -> None:
        if self._left(_KEYS_KEPT) is None:
            await self._read_keys(exchange)

    def _left(self, rest: timedelta) -> timedelta | None:
        """What is left of a rest since the keys were read; ``None`` where it is over. A clock that was set back ends it."""
        if self._keys.read_at is None:
            return None
        waited = self._tools.now() - self._keys.read_at
        return rest - waited if timedelta(0) <= waited < rest else None

    async def _read_newer_keys(self, exchange: Exchange) -> None:
        """For a key that is not known: at most once a minute.

        Raises:
            RetryableError: the minute is not over.
        """
        if (left := self._left(_KEYS_AGAIN)) is not None:
            raise RetryableError("key_unknown", "this key is not published", retry_after=left)
        await self._read_keys(exchange)

    async def _read_keys(self, exchange: Exchange) -> None:
        request = Request("GET", self._settings.jwks_url, (("Accept", wire.JSON_TYPE),))
        reply = await _step(exchange, "jwks", request, self._settings.exchange_s)
        judge_status(reply, self._tools.now(), maybe_accepted=False)
        listed = _object(reply).get("keys")
        keys = {}
        for one in listed[:_MOST_KEYS] if isinstance(listed, list) else ():
            named = _key(one)
            if named is not None:
                keys[named[0]] = named[1]
        if not keys:
            raise RetryableError("no_keys", "the platform publishes no key that may sign")
        self._keys = _Keys(keys, self._tools.now())

    def _claims(self, compact: str, kind: str, audience: str) -> Json:
        """The claims of a signed text, proven but for what they say.

        Raises:
            Unproven: another algorithm, a key that is not published, another signer, receiver or kind, from the future or
                without a time.
        """
        if len(compact) > _LONGEST_JWS:
            raise Unproven("jws_too_long")
        try:
            header = jwt.get_unverified_header(compact)
        except jwt.PyJWTError:
            raise Unproven("jws_unreadable") from None
        if header.get("alg") != _ALGORITHM or str(header.get("typ", "")).lower() != kind:
            raise Unproven("jws_of_another_kind")
        key = self._keys.by_id.get(str(header.get("kid")))
        if key is None:
            raise Unproven("key_unknown", key=True)
        try:
            claims = jwt.decode(
                compact,
                key,
                algorithms=[_ALGORITHM],
                audience=audience,
                issuer=self._settings.issuer,
                # Times are held against our own clock, below: a simulation has one of its own.
                options={
                    "require": ["iss", "aud", "iat"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            raise Unproven("signature") from None
        ahead = self._tools.now() + _TOLERANCE
        for name in ("iat", "nbf"):
            moment = _moment(claims, name)
            if moment is None and name in claims:
                raise Unproven("no_time")
            if moment is not None and moment > ahead:
                raise Unproven("from_the_future")
        return claims


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _key(one: Any) -> tuple[str, RSAPublicKey] | None:  # Any: whatever stands in the platform's list
    """A key that may sign: RSA of 2048 bits and more, for RS256, with an id."""
    if not isinstance(one, dict) or one.get("kty") != "RSA" or one.get("use", "sig") != "sig":
        return None
    identifier = one.get("kid")
    if one.get("alg", _ALGORITHM) != _ALGORITHM or not isinstance(identifier, str) or not identifier:
        return None
    try:
        key = jwt.PyJWK({"kty": "RSA", "n": one.get("n"), "e": one.get("e")}, _ALGORITHM).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return (identifier, key) if isinstance(key, RSAPublicKey) and key.key_size >= _LEAST_BITS else None


def _moment(claims: Json, name: str) -> datetime | None:
    """A time of a signed text (RFC 7519 NumericDate: seconds, which may have a fraction)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        return None
    try:
        return datetime.fromtimestamp(value, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


async def _step(exchange: Exchange, step: str, request: Request, within: float) -> Reply:
    """A step without business effect: whatever becomes of it, nothing was filed by it."""
    try:
        return await exchange.call(step, request, within=within)
    except RetryableError as error:
        error.maybe_accepted = False
        raise


def _object(reply: Reply) -> Json:
    try:
        return wire.read(reply.body)
    except NotJson as problem:
        raise RetryableError(problem.code, "no readable answer to our call") from None
