"""Alerts by an HTTP call: the group robots of 钉钉 and 政务钉钉 (加签), of 企业微信, and any receiver of signed JSON.

钉钉 自定义机器人: ``msgtype markdown``, the sign is HMAC-SHA256 over ``timestamp\\nsecret``, Base64, in the query; 20 calls a
minute. 企业微信 群机器人: ``msgtype markdown``, 4096 bytes, 20 calls a minute. Both answer 200 with ``errcode``. Anybody
else gets the bundle as JSON under Standard Webhooks' three headers.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus

import httpx
import orjson

from contracts.webhook import SigningKey, signed_headers, signing_key
from gateway.flow.alerting.channels.port import Bundle, ChannelFailed, Told
from gateway.security.egress import EgressRefused
from gateway.settings import RobotChannelSettings, SettingsRefused

_WITHIN_S: Final = 15.0
_ANSWER: Final = 64 * 1024
_MARKDOWN: Final = 4000
"""Bytes of one markdown text: 企业微信 takes 4096."""


class Robot:
    """One address. The transport carries the egress policy."""

    def __init__(
        self, settings: RobotChannelSettings, way_out: Callable[[], httpx.AsyncBaseTransport], now_ms: Callable[[], int]
    ) -> None:
        """``way_out`` gives the transport, which all robots share.

        Raises:
            SettingsRefused: a secret of another form.
        """
        self._settings = settings
        self._way_out = way_out
        self._now_ms = now_ms
        self._key: SigningKey | None = None
        if settings.kind == "webhook" and settings.secret is not None:
            try:
                self._key = signing_key(settings.secret.get_secret_value())
            except ValueError:
                raise SettingsRefused(
                    ["alert_channels: the secret of a webhook is whsec_… (32 bytes, Base64)"]
                ) from None
        if settings.kind == "wecom" and settings.secret is not None:
            raise SettingsRefused(["alert_channels: 企业微信 robots have no secret beside their address"])

    async def tell(self, bundle: Bundle) -> None:
        """See ``Channel``."""
        kind = self._settings.kind
        made = {"dingtalk": dingtalk, "wecom": wecom, "webhook": plain}[kind](bundle)
        body = orjson.dumps(made)
        headers = [("Content-Type", "application/json; charset=utf-8"), ("User-Agent", "mediation-gateway")]
        if self._key is not None:
            headers += signed_headers([self._key], bundle.id, self._now_ms() // 1000, body)
        status, answer, after = await self._post(self._address(), headers, body)
        if not 200 <= status < 300:
            raise ChannelFailed(f"http_{status}", after)
        if kind != "webhook":
            _accepted(answer)

    def _address(self) -> str:
        url = self._settings.url.get_secret_value()
        secret = self._settings.secret
        if self._settings.kind != "dingtalk" or secret is None:
            return url
        at = self._now_ms()
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}timestamp={at}&sign={quote_plus(dingtalk_sign(at, secret.get_secret_value()))}"

    async def _post(self, url: str, headers: list[tuple[str, str]], body: bytes) -> tuple[int, bytes, float | None]:
        try:
            request = httpx.Request("POST", url, headers=headers, content=body)
        except (httpx.InvalidURL, ValueError, UnicodeError):
            raise ChannelFailed("bad_address") from None
        request.extensions["timeout"] = {"connect": 5.0, "read": None, "write": None, "pool": 5.0}
        try:
            async with asyncio.timeout(_WITHIN_S):
                response = await self._way_out().handle_async_request(request)
                try:
                    return response.status_code, await _read(response), _after(response)
                finally:
                    await response.aclose()
        except EgressRefused as refusal:
            raise ChannelFailed(f"egress_refused:{refusal.code}") from None
        except TimeoutError:
            raise ChannelFailed("timeout") from None
        except httpx.HTTPError as error:
            raise ChannelFailed(f"unreachable:{type(error).__name__}") from None


async def _read(response: httpx.Response) -> bytes:
    found = bytearray()
    async for part in response.aiter_raw():
        found += part
        if len(found) > _ANSWER:
            raise ChannelFailed("answer_too_large")
    return bytes(found)


def _after(response: httpx.Response) -> float | None:
    given = response.headers.get("retry-after", "")
    return min(float(given), 3600.0) if given.isascii() and given.isdigit() and len(given) < 7 else None


def _accepted(answer: bytes) -> None:
    """Robots refuse with status 200.

    Raises:
        ChannelFailed: ``robot_<errcode>``.
    """
    try:
        code = orjson.loads(answer)["errcode"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise ChannelFailed("answer_unreadable") from None
    if code not in (0, "0"):
        raise ChannelFailed(f"robot_{str(code)[:16]}")


def dingtalk_sign(at_ms: int, secret: str) -> str:
    """加签: HMAC-SHA256 under the secret over ``timestamp\\nsecret``, in Base64."""
    return base64.b64encode(hmac.digest(secret.encode(), f"{at_ms}\n{secret}".encode(), hashlib.sha256)).decode()


def dingtalk(bundle: Bundle) -> dict[str, Any]:
    """The robot's message of 钉钉 and 政务钉钉."""
    return {
        "msgtype": "markdown",
        "markdown": {"title": bundle.subject, "text": _markdown(bundle)},
        "at": {"isAtAll": False},
    }


def wecom(bundle: Bundle) -> dict[str, Any]:
    """The robot's message of 企业微信."""
    return {"msgtype": "markdown", "markdown": {"content": _markdown(bundle)}}


def plain(bundle: Bundle) -> dict[str, Any]:
    """The bundle as data, for receivers of one's own."""
    return {
        "id": bundle.id,
        "type": "gateway.alerts",
        "site": bundle.site,
        "time": bundle.moment.isoformat(timespec="seconds"),
        "subject": bundle.subject,
        "text": bundle.text,
        "alerts": [_item(one) for one in bundle.items],
    }


def _item(one: Told) -> dict[str, str]:
    return {
        "id": one.alert,
        "state": one.phase,
        "severity": one.severity,
        "rule": one.rule,
        "title": one.title,
        "about": one.about,
        "figure": one.figure,
        "advice": one.advice,
        "link": one.link,
        "at": one.moment.isoformat(timespec="seconds"),
    }


def _markdown(bundle: Bundle) -> str:
    """The text as markdown that both robots show, cut between lines."""
    lines = [f"### {_escaped(bundle.subject)}"]
    for one in bundle.items:
        sign = "🔴" if one.opened else "🟢"
        figure = f"（{_escaped(one.figure)}）" if one.figure else ""
        link = f" [{'处理' if bundle.language == 'zh' else 'act'}]({one.link})" if one.link else ""
        lines.append(f"> {sign} **{_escaped(one.title)}** {_escaped(one.about)}{figure} {one.moment:%m-%d %H:%M}{link}")
        if one.opened and one.advice:
            lines.append(f"> {_escaped(one.advice)}")
    kept, size = [], 0
    for line in lines:
        size += len(line.encode()) + 2
        if size > _MARKDOWN:
            kept.append("> …")
            break
        kept.append(line)
    return "\n\n".join(kept)


def _escaped(text: str) -> str:
    """Nothing in a text of ours is meant as markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]()<>#" else c for c in text)
