"""The SFTP service before the exchange directory (page §1): one account at one address, login by its key alone."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Final

import asyncssh
from asyncssh import SSHKey, SSHServerChannel, SSHServerConnection

from mocks.enterprise_confederation.account import Account, Address
from mocks.enterprise_confederation.keys import authorized, fingerprint, kept, new_key
from mocks.enterprise_confederation.medium import Medium
from mocks.enterprise_confederation.session import SLOW_S, Session, pause, reset, silence
from mocks.faults import Fault
from mocks.platform import Json

_END_S: Final = 5.0


class Service:
    """Listens at the address of ``root``. ``data``: where its keys lie."""

    def __init__(self, address: Address, account: Account, data: Path, medium: Medium) -> None:
        self.medium = medium
        self._address = address
        self._account = account
        self._data = data
        self._connections: set[SSHServerConnection] = set()
        self._sessions: set[Session] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._host_key: SSHKey
        self._other_key: SSHKey | None = None
        self._login_key: SSHKey
        self._locked = False
        self.root = ""
        self.host_key = ""
        self.private_key_file = ""

    # --- life

    async def start(self, *, host_key: str, private_key_file: str, authorized_key: str) -> None:
        """Make or read the keys, then listen. Raises ``ValueError`` for a setting, ``OSError`` for a port."""
        file = Path(private_key_file) if private_key_file else self._data.resolve() / "gateway_key"
        self._host_key = await asyncio.to_thread(kept, self._data / "host_key")
        self.host_key = fingerprint(self._host_key)
        if host_key not in ("", self.host_key):
            raise ValueError("host_key: not the fingerprint of this mock's own key; leave it empty, the mock tells it")
        self._login_key = await asyncio.to_thread(authorized, authorized_key, file)
        self.private_key_file = private_key_file if authorized_key else str(file)
        self._acceptor = await asyncssh.listen(
            self._address.host,
            self._address.port,
            reuse_address=True,
            config=None,
            server_factory=lambda: Door(self),
            server_host_keys=[self._host_key],
            sftp_factory=self._session,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
            gss_auth=False,
            gss_kex=False,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_pty=False,
        )
        self.root = self._address.at(self._acceptor.get_port())

    async def stop(self) -> None:
        """End with every connection."""
        if self._acceptor is not None:
            self._acceptor.close()
        for connection in list(self._connections):
            connection.abort()
            await connection.wait_closed()
        # What still works in a thread comes to its end first.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._quiet.wait()

    def told(self) -> Json:
        """What the gateway must know."""
        return {"root": self.root, "host_key": self.host_key, "private_key_file": self.private_key_file}

    def state(self) -> Json:
        """The same, and what is going on (``GET /_mock/sftp``)."""
        key = fingerprint(self._other_key or self._host_key)
        return self.told() | {"shown_key": key, "locked": self._locked, "connections": len(self._connections)}

    # --- how the medium fails

    def cut(self) -> None:
        """Reset every connection."""
        for connection in list(self._connections):
            reset(connection)

    def attend(self) -> None:
        """``expire_session`` of the login: its key counts no more or, with ``rotate``, the host shows another one."""
        locked = self.medium.expired(rotate=False)
        turned = self.medium.expired(rotate=True)
        if self._acceptor is None or (locked, turned) == (self._locked, self._other_key is not None):
            return
        if turned is not (self._other_key is not None):
            self._other_key = new_key() if turned else None
            self._acceptor.update(server_host_keys=[self._other_key or self._host_key])
        self._locked = locked
        if locked or turned:
            self.cut()

    # --- login

    def joined(self, connection: SSHServerConnection) -> None:
        """A connection was made."""
        self._connections.add(connection)

    def left(self, connection: SSHServerConnection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)

    def knows(self, user: str, key: SSHKey) -> bool:
        """Whether this key logs this user in."""
        return not self._locked and user == self._address.user and key.public_data == self._login_key.public_data

    # --- sessions

    def _session(self, channel: SSHServerChannel[bytes]) -> Session:
        session = Session(channel, self._account, self._address.user, self.medium, self._ended)
        self._sessions.add(session)
        self._quiet.clear()
        return session

    def _ended(self, session: Session) -> None:
        self._sessions.discard(session)
        if not self._sessions:
            self._quiet.set()


class Door(asyncssh.SSHServer):
    """One connection: a key, then SFTP; nothing else is asked for or given. The library refuses what is not said here:
    passwords, shells, commands, forwardings of every kind."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._connection: SSHServerConnection

    def connection_made(self, conn: SSHServerConnection) -> None:
        """As the base."""
        self._connection = conn
        self._service.joined(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """As the base."""
        self._service.left(self._connection)

    async def begin_auth(self, username: str) -> bool:
        """Nobody comes in without; the faults of a login strike here."""
        medium = self._service.medium
        medium.requests["sftp.login"] += 1
        match medium.take("sftp.login", "reset", "stall", "slow"):
            case Fault(action="slow", after_ms=after_ms):
                await pause(self._connection, after_ms / 1000 or SLOW_S)
            case Fault(action="stall"):
                await silence(self._connection)
            case Fault(after_ms=after_ms):
                await pause(self._connection, after_ms / 1000)
                reset(self._connection)
        return True

    def public_key_auth_supported(self) -> bool:
        """By key."""
        return True

    def validate_public_key(self, username: str, key: SSHKey) -> bool:
        """The one key of the one account."""
        return self._service.knows(username, key)
