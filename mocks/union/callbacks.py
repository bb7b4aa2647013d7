"""Callbacks of the union as they go out, right or forged on command, and the test of their acknowledgement (§5, §7)."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from mocks.clock import Clock
from mocks.pushes import Answer, Outgoing, Push
from mocks.union import digest
from mocks.union.form import encode

Params = list[tuple[str, str]]

CONTENT_TYPE = "application/x-www-form-urlencoded; charset=GB18030"
ACKNOWLEDGEMENT = b"success"
FORGERIES = frozenset(
    {"wrong_key", "empty_key", "tampered_value", "utf8_digest", "lower_hex", "unsorted", "numeric_sort"}
    | {"extra_param", "stale", "replay", "unsigned", "double_param"}
)
"""Every ``how`` of ``forge_callback`` (§7). ``replay`` is the queue's: the same bytes twice."""


def nonce() -> str:
    """A fresh ``nonce`` of 16 letters and digits."""
    return secrets.token_hex(8)


class Writer:
    """Makes the bytes of each try: common parameters with the union's time, a fresh nonce and the sign."""

    def __init__(self, *, callback_url: str, app_key: str, secret: str, clock: Clock) -> None:
        """``callback_url`` is the gateway's, without the last part (``/result``, ``/handover``)."""
        self._url = callback_url.rstrip("/")
        self._app_key = app_key
        self._secret = secret
        self._clock = clock

    async def build(self, push: Push, how: str) -> Outgoing:
        """One request for ``push``; its ``content`` holds ``address`` and the business parameters ``params``."""
        business: Params = [(name, value) for name, value in push.content["params"]]
        stamp = self._clock.now() - timedelta(minutes=10 if how == "stale" else 0)
        params: Params = [
            ("appKey", self._app_key),
            ("method", push.op),
            *_prepared(business, push.op, how),
            ("timestamp", str(round(stamp.timestamp() * 1000))),
            ("nonce", nonce()),
        ]
        forge = _FORGE.get(how)
        params = forge(params, self._secret) if forge else [*params, ("sign", digest.sign(params, self._secret))]
        headers = [("Content-Type", CONTENT_TYPE), ("Accept", "text/plain")]
        return Outgoing(f"{self._url}/{push.content['address']}", headers, encode(params))


async def acknowledged(push: Push, outgoing: Outgoing, answer: Answer) -> str:
    """§5: HTTP 200, ``text/plain`` and the seven bytes ``success`` are the acknowledgement; else why it is none."""
    if answer.error:
        return answer.error
    if answer.status != 200:
        return f"HTTP {answer.status}"
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/plain":
        return "not text/plain"
    return "" if answer.body == ACKNOWLEDGEMENT else "not the seven bytes success"


def _prepared(business: Params, method: str, how: str) -> Params:
    """Content on which the forgery shows: a digest over UTF-8 needs Chinese text, a numeric order eleven items."""
    text = "i1.yysm" if method == "batch.result" else "i1.sm"
    if how == "utf8_digest" and all(value.isascii() for _, value in business):
        return [*((name, value) for name, value in business if name != text), (text, "已处理")]
    if how == "numeric_sort":
        more = [
            pair
            for number in range(2, 12)
            for pair in ((f"i{number}.xlh", f"dlv_forged{number}"), (f"i{number}.jg", "0"), (f"i{number}.yy", "L6"))
        ]
        kept = [(name, value) for name, value in business if name == "batchNo" or name.startswith("i1.")]
        return [*kept, ("n", "11"), *more]
    return business


def _joined(ordered: Params, secret: str) -> str:
    kept = [f"{name}={value}" for name, value in ordered if value]
    return digest.sm3_hex("&".join([*kept, f"key={secret}"]))


def _wrong_key(params: Params, secret: str) -> Params:
    return [*params, ("sign", digest.sign(params, secret[::-1] + "x"))]


def _empty_key(params: Params, _: str) -> Params:
    return [*params, ("sign", digest.sign(params, ""))]


def _tampered(params: Params, secret: str) -> Params:
    right = digest.sign(params, secret)
    place = next(
        (index for index, (name, _) in enumerate(params) if name.endswith(".jg")),
        next(index for index, (name, value) in enumerate(params) if name.startswith("i1.") and value),
    )
    name, value = params[place]
    other = {"1": "0", "0": "1"}.get(value, value + "1") if name.endswith(".jg") else value + "1"
    return [*params[:place], (name, other), *params[place + 1 :], ("sign", right)]


def _utf8(params: Params, secret: str) -> Params:
    return [*params, ("sign", digest.sm3_hex(digest.canonical(params, secret), "utf-8"))]


def _lower(params: Params, secret: str) -> Params:
    return [*params, ("sign", digest.sign(params, secret).lower())]


def _unsorted(params: Params, secret: str) -> Params:
    # `timestamp` and `nonce` come last in the order of sending, hence it is never the sorted one.
    return [*params, ("sign", _joined(params, secret))]


def _numeric(params: Params, secret: str) -> Params:
    def by_number(pair: tuple[str, str]) -> tuple[str, int, str]:
        head, dot, tail = pair[0].partition(".")
        if dot and head[0] == "i" and head[1:].isdigit():
            return ("i", int(head[1:]), tail)
        return (pair[0], 0, "")

    return [*params, ("sign", _joined(sorted(params, key=by_number), secret))]


def _extra(params: Params, secret: str) -> Params:
    return [*params, ("i1.bz", "1"), ("sign", digest.sign(params, secret))]


def _unsigned(params: Params, _: str) -> Params:
    return params


def _double(params: Params, secret: str) -> Params:
    return [*params, params[0], ("sign", digest.sign(params, secret))]


_FORGE: dict[str, Callable[[Params, str], Params]] = {
    "wrong_key": _wrong_key,
    "empty_key": _empty_key,
    "tampered_value": _tampered,
    "utf8_digest": _utf8,
    "lower_hex": _lower,
    "unsorted": _unsorted,
    "numeric_sort": _numeric,
    "extra_param": _extra,
    "unsigned": _unsigned,
    "double_param": _double,
}
