"""Alerts by mail: SMTP with STARTTLS or TLS, certificates verified, one plain-text mail for a bundle (RFC 5321, 3207, 8314)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from socket import SOCK_STREAM
from typing import Final

import aiosmtplib
import structlog

from gateway.flow.alerting.channels.dial import addresses, connect
from gateway.flow.alerting.channels.port import Bundle, ChannelFailed
from gateway.security.egress import EgressPolicy
from gateway.settings import MailChannelSettings

log = structlog.get_logger("gateway.notices")

_STEP_S: Final = 10.0
_LEAVE_S: Final = 2.0
_PORTS: Final = {"starttls": 587, "tls": 465, "plain": 25}


class Mail:
    """One mail server and the addresses that alerts go to."""

    def __init__(self, settings: MailChannelSettings, policy: EgressPolicy, tls: ssl.SSLContext | None = None) -> None:
        """``tls``: whom to trust; absent: the machine's certificates."""
        self._settings = settings
        self._policy = policy
        self._tls = tls

    async def tell(self, bundle: Bundle) -> None:
        """See ``Channel``. ``Message-ID`` is the same at every try: a reader that knows it shows the mail once."""
        own = self._settings
        port = own.port or _PORTS[own.security]
        encrypted = own.security != "plain"
        found = await addresses(self._policy, own.host, port, encrypted=encrypted, kind=SOCK_STREAM)
        opened = await connect(found)
        server = aiosmtplib.SMTP(
            hostname=own.host,
            sock=opened,
            use_tls=own.security == "tls",
            start_tls=False,
            tls_context=self._context() if encrypted else None,
            local_hostname="gateway.invalid",
            timeout=_STEP_S,
        )
        try:
            await server.connect()
            if own.security == "starttls":
                await server.starttls()
            if own.user is not None:
                await server.login(own.user, "" if own.password is None else own.password.get_secret_value())
            refused, _ = await server.send_message(self._message(bundle))
        except aiosmtplib.SMTPResponseException as error:
            raise ChannelFailed(f"smtp_{error.code}") from None
        except aiosmtplib.SMTPRecipientsRefused:
            raise ChannelFailed("recipients_refused") from None
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError, ValueError) as error:
            raise ChannelFailed(f"smtp_failed:{type(error).__name__}") from None
        finally:
            transport = server.transport
            await _leave(server)
            if transport is None:
                await asyncio.sleep(0)  # a transport that was made and closed lets go of it first
                opened.close()
            elif isinstance(transport, asyncio.Transport):
                transport.abort()
        if refused:
            # The others have it, and would have it again at every try.
            log.warning("recipients_refused", count=len(refused), host=own.host)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _message(self, bundle: Bundle) -> EmailMessage:
        own, made = self._settings, EmailMessage()
        made["From"] = own.sender
        made["To"] = ", ".join(own.to)
        made["Subject"] = bundle.subject
        made["Date"] = format_datetime(bundle.moment)
        made["Message-ID"] = f"<{bundle.id}@{own.sender.rpartition('@')[2]}>"
        made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        made["Content-Language"] = {"zh": "zh-CN", "en": "en"}[bundle.language]
        made.set_content(bundle.text, charset="utf-8", cte="base64")
        return made


async def _leave(server: aiosmtplib.SMTP) -> None:
    """Say goodbye where somebody listens; what the answer is like does not matter."""
    try:
        if server.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await server.quit(timeout=_LEAVE_S)
    finally:
        server.close()
