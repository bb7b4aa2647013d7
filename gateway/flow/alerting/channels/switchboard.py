"""Makes the configured channels, each behind the egress policy of alerts; and tells one of them a test."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx
from aiohttp.resolver import ThreadedResolver

from contracts.moments import from_ms, to_ms
from gateway.flow.alerting.channels.mail import Mail
from gateway.flow.alerting.channels.port import Channel, ChannelFailed
from gateway.flow.alerting.channels.robots import Robot
from gateway.flow.alerting.channels.syslog import Syslog
from gateway.flow.alerting.channels.wording import RULES, Transition, Wording
from gateway.flow.delivering.transport import Transport
from gateway.security.egress import Allowed, CheckedResolver, EgressPolicy, GuardedTransport
from gateway.settings import (
    ChannelSettings,
    MailChannelSettings,
    Settings,
    SettingsRefused,
    SyslogChannelSettings,
)

WITHIN_S: Final = 25.0
"""The longest that one sending may take, whatever the other side does."""

_TLS_PORTS: Final = frozenset({25, 465, 587, 6514})
"""Where mail servers and collectors are reached over TLS without being listed."""


@dataclass(frozen=True, slots=True)
class Wired:
    """A configured channel."""

    name: str
    settings: ChannelSettings
    channel: Channel

    def carries(self, rule: str) -> bool:
        """Whether alerts of this rule go there."""
        own = self.settings
        return RULES.get(rule, "warning") in own.severities and (not own.rules or rule in own.rules)

    def muted_until_ms(self, now: int) -> int | None:
        """Until when the settings want it silent, where that is still to come."""
        until = self.settings.muted_until
        at = None if until is None else to_ms(until)
        return at if at is not None and at > now else None


class Switchboard:
    """All channels of one process."""

    def __init__(
        self,
        settings: Settings,
        now_ms: Callable[[], int],
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``transport`` and ``tls`` take the place of the machine's own way out and of its certificates.

        Raises:
            SettingsRefused: a rule that nobody knows, a secret of another form, a host list that is none.
        """
        reasons = [
            f"alert_channels.{name}.rules: no rule {rule}"
            for name, one in settings.alert_channels.items()
            for rule in one.rules
            if rule not in RULES
        ]
        if settings.env == "production":
            reasons += [
                f"alert_channels.{name}.security: a password would go in the clear"
                for name, one in settings.alert_channels.items()
                if isinstance(one, MailChannelSettings) and one.security == "plain" and one.user is not None
            ]
        if reasons:
            raise SettingsRefused(reasons)
        try:
            allowed = [Allowed.of(one.host, one.port, one.scheme) for one in settings.alerts.allowed_hosts]
        except ValueError as error:
            raise SettingsRefused([f"alerts.allowed_hosts: {error}"]) from None
        self._sockets = EgressPolicy(allowed, _TLS_PORTS)
        self._tls = tls
        self._now_ms = now_ms
        self._policy = EgressPolicy(allowed)
        self._given = transport
        self._guarded: GuardedTransport | None = None
        self.channels = {name: Wired(name, own, self._made(own)) for name, own in settings.alert_channels.items()}

    def _made(self, own: ChannelSettings) -> Channel:
        if isinstance(own, MailChannelSettings):
            return Mail(own, self._sockets, self._tls)
        if isinstance(own, SyslogChannelSettings):
            return Syslog(own, self._sockets, self._tls)
        return Robot(own, self._robots, self._now_ms)

    def _robots(self) -> GuardedTransport:
        """The robots' way out, made where a loop runs: a check of the settings needs none."""
        if self._guarded is None:
            inner = self._given or Transport(CheckedResolver(self._policy, ThreadedResolver()))
            self._guarded = GuardedTransport(self._policy, inner)
        return self._guarded

    async def tell(self, wired: Wired, wording: Wording, given: list[Transition]) -> None:
        """Take transitions to a channel as one message, within ``WITHIN_S``.

        Raises:
            ChannelFailed: whatever was wrong, in one word.
        """
        try:
            async with asyncio.timeout(WITHIN_S):
                await wired.channel.tell(wording.bundle(given, wired.settings.language, self._now_ms()))
        except TimeoutError:
            raise ChannelFailed("timeout") from None
        except ChannelFailed:
            raise
        except Exception as error:  # a channel's own fault is told like any other, and stops nothing
            raise ChannelFailed(f"channel_failed:{type(error).__name__}") from error

    async def test(self, name: str, wording: Wording) -> str | None:
        """Send a test message; why it did not get there, ``None`` where it did.

        Raises:
            KeyError: no such channel.
        """
        now = self._now_ms()
        stamp = f"{from_ms(now):%Y%m%d%H%M%S}"
        try:
            await self.tell(
                self.channels[name], wording, [Transition(f"test_{stamp}", "test", name, "", "opened", now)]
            )
        except ChannelFailed as error:
            return error.code
        return None

    async def aclose(self) -> None:
        """Close the robots' way out."""
        if self._guarded is not None:
            await self._guarded.aclose()
