"""The SSH connection under an SFTP account: the pinned host key and our own key prove who is who, and nothing else does. One
for each endpoint, kept, and opened anew after a loss. Imported only where a root is an SFTP account."""

from __future__ import annotations

import asyncio
import getpass
import hmac
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh

from adapters.enterprise_confederation.settings import Server
from contracts.adapter import Blocking
from contracts.errors import AdapterError, EndpointError, RetryableError

_KEEPALIVE_S, _KEEPALIVES = 15, 3
_KEY_LIMIT = 64 * 1024
_HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Kinds of host keys, the preferred first. No certificates: a fingerprint pins a key."""
_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
"""The library's choice, those first that cost it least."""
_NO_SERVICE = frozenset(
    {
        asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED,
        asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE,
        asyncssh.OPEN_REQUEST_SESSION_FAILED,
    }
)
FAULTS = (asyncssh.Error, OSError, EOFError, ValueError, ArithmeticError, AssertionError)
"""What the library raises over a lost connection, or over bytes that no sound server sends."""


@dataclass(frozen=True, slots=True)
class Session:
    """One open connection, and the file service on it."""

    connection: asyncssh.SSHClientConnection
    client: asyncssh.SFTPClient


class Connection:
    """Hands out the one session. All operations share it; whoever finds it broken drops it for all."""

    def __init__(self, server: Server, host_key: str, key_file: str, blocking: Blocking, limit_s: float) -> None:
        self._server = server
        self._pin = host_key
        self._key_file = key_file
        self._blocking = blocking
        self._limit_s = limit_s
        self._opening = asyncio.Lock()
        self._session: Session | None = None

    async def session(self) -> Session:
        """The open session, or a new one.

        Raises:
            RetryableError, EndpointError: it cannot be opened in time.
        """
        async with self._opening:
            if self._session is None or self._session.connection.is_closed():
                self._session = await self._opened()
            return self._session

    def drop(self, session: Session) -> None:
        """It is broken, or hangs: whoever still waits on it waits no longer."""
        session.connection.abort()
        if self._session is session:
            self._session = None

    async def close(self) -> None:
        """End it in order."""
        session, self._session = self._session, None
        if session is not None:
            session.connection.close()
            await session.connection.wait_closed()

    async def _opened(self) -> Session:
        key: asyncssh.SSHKey = await self._blocking(read_key, self._key_file)
        try:
            getpass.getuser()  # the library asks for it, whoever logs in
        except (KeyError, OSError):
            raise EndpointError("account_nameless", "the account that this process runs under has no name") from None
        try:
            async with asyncio.timeout(self._limit_s):
                connection = await self._connected(key)
                try:
                    return Session(connection, await connection.start_sftp_client(path_encoding=None))
                except BaseException:
                    connection.abort()
                    raise
        except TimeoutError:
            raise RetryableError("timeout", "the SFTP server did not answer in time") from None
        except FAULTS as error:
            raise _of_ssh(error) from None

    async def _connected(self, key: asyncssh.SSHKey) -> asyncssh.SSHClientConnection:
        """A server has keys of several kinds and shows the one that both prefer: of a key that is not the pinned one its kind
        is left out the next time, and nothing has been said to the server by then."""
        wanted: Sequence[str] = _HOST_KEYS
        while True:
            pinned = _Pinned(self._pin)
            try:
                return await self._connect(pinned, key, wanted)
            except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
                left = [kind for kind in wanted if kind not in pinned.shown]
                seen_other = len(left) < len(_HOST_KEYS)
                if not seen_other:
                    raise
                if not left or len(left) == len(wanted):
                    raise EndpointError(
                        "host_key_changed", "the SFTP server's host key is not the pinned one"
                    ) from None
                wanted = left

    async def _connect(
        self, pinned: _Pinned, key: asyncssh.SSHKey, host_keys: Sequence[str]
    ) -> asyncssh.SSHClientConnection:
        """Nothing of this account's own SSH is read: no configuration, known hosts, keys, agent or tickets."""
        server = self._server
        return await asyncssh.connect(
            server.host,
            server.port,
            config=None,
            client_factory=lambda: pinned,
            known_hosts=_nobody,
            server_host_key_algs=host_keys,
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
            username=server.user,
            client_keys=[key],
            preferred_auth=["publickey"],
            public_key_auth=True,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            disable_trivial_auth=True,
            agent_path=None,
            agent_forwarding=False,
            gss_host=None,
            gss_kex=False,
            gss_auth=False,
            compression_algs=None,
            encryption_algs=_CIPHERS,
            utf8_decode_errors="replace",
            keepalive_interval=_KEEPALIVE_S,
            keepalive_count_max=_KEEPALIVES,
        )


class _Pinned(asyncssh.SSHClient):
    """Trusts the one fingerprint. ``shown``: the kinds of another key that the server showed."""

    def __init__(self, pin: str) -> None:
        self._pin = pin
        self.shown: frozenset[str] = frozenset()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """See ``asyncssh.SSHClient``."""
        if hmac.compare_digest(key.get_fingerprint("sha256"), self._pin):
            return True
        self.shown = frozenset(kind.decode("ascii", "replace") for kind in key.sig_algorithms)
        return False


def _nobody(host: str, addr: str, port: int | None) -> tuple[list[str], list[str], list[str]]:
    """No host is known but by its pin."""
    return [], [], []


def read_key(path: str) -> asyncssh.SSHKey:
    """Our private key, out of a file that its owner alone can read. Nothing of its content is passed on in an error.

    Raises:
        EndpointError: ``private_key_unreadable``, ``private_key_exposed``, ``private_key_unsound``.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found, data = os.fstat(number), os.read(number, _KEY_LIMIT)
        finally:
            os.close(number)
    except OSError:
        raise EndpointError("private_key_unreadable", "the file of the private key cannot be read") from None
    if not stat.S_ISREG(found.st_mode):
        raise EndpointError("private_key_unreadable", "the file of the private key is no plain file")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise EndpointError(
            "private_key_exposed", "others than its owner may use the file of the private key: chmod 600"
        )
    try:
        return asyncssh.import_private_key(data)
    except ValueError:  # asyncssh.KeyImportError, asyncssh.KeyEncryptionError
        raise EndpointError("private_key_unsound", "the file holds no private key, or one under a passphrase") from None


def _of_ssh(error: BaseException) -> AdapterError:
    """Who heals a connection that did not come about. The server's words are not passed on."""
    if isinstance(error, asyncssh.PermissionDenied):
        return EndpointError("sftp_login_refused", "the SFTP server takes neither our account nor our key")
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return EndpointError("host_key_changed", "the SFTP server shows no host key that could be the pinned one")
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return EndpointError("ssh_algorithms", "the SFTP server and we have no algorithm in common")
    if isinstance(error, asyncssh.ChannelOpenError) and error.code in _NO_SERVICE:
        return EndpointError("sftp_unsupported", "the server offers no SFTP, or not what is needed of it")
    return RetryableError("share_gone", "the exchange directory cannot be reached")
