"""The confederations' exchange directory by SFTP: an account's client, written from the page."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import asyncssh
from asyncssh import SFTPClient, SSHClientConnection, SSHKey

from tests.mocks.confederation_client import Client, platform

Step = Callable[[], Awaitable[object]]
ROOT = "sftp://gateway@127.0.0.1:0/"


class Pin(asyncssh.SSHClient):
    """Trusts one fingerprint alone."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint

    def validate_host_public_key(self, host: str, addr: str, port: int, key: SSHKey) -> bool:
        return key.get_fingerprint("sha256") == self._fingerprint


def strangers(host: str, addr: str, port: int | None) -> tuple[list[str], list[str], list[str]]:
    """No host is known but by the pin."""
    return [], [], []


class Account:
    """The gateway's half, over the account that the mock's configuration tells."""

    def __init__(self, mock: Client) -> None:
        self.mock = mock
        self.config: dict[str, Any] = json.loads(mock.server.config_path.read_text("utf-8"))
        self.address = urlsplit(self.config["root"])
        self.data = mock.server.config_path.parent

    @property
    def directory(self) -> Path:
        """Where the mock keeps it; the gateway cannot know."""
        return self.mock.root

    @asynccontextmanager
    async def connected(self, **other: Any) -> AsyncIterator[SSHClientConnection]:
        """Logged in with the key; ``other`` than the page says."""
        options: dict[str, Any] = {
            "username": self.address.username,
            "client_keys": [self.config["private_key_file"]],
            "known_hosts": strangers,
            "client_factory": lambda: Pin(self.config["host_key"]),
            "config": None,
            "agent_path": None,
            "connect_timeout": 5,
        } | other
        host, port = self.address.hostname, self.address.port
        assert host is not None
        assert port
        connection = await asyncssh.connect(host, port, **options)
        try:
            yield connection
        finally:
            connection.abort()
            await connection.wait_closed()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SFTPClient]:
        """One SFTP session."""
        async with self.connected() as connection:
            yield await connection.start_sftp_client()


async def put(sftp: SFTPClient, name: str, data: bytes, way: str = "") -> None:
    """``.part``, flush, rename (§2)."""
    part = f"{way}up/{name}.part"
    async with sftp.open(part, "wb") as file:
        await file.write(data)
        await file.fsync()
    await sftp.rename(part, f"{way}up/{name}")


async def put_all(sftp: SFTPClient, files: Mapping[str, bytes], way: str = "") -> None:
    for name, data in files.items():
        await put(sftp, name, data, way)


async def get(sftp: SFTPClient, path: str) -> bytes:
    async with sftp.open(path, "rb") as file:
        return cast(bytes, await file.read())  # the library says text, whatever the mode


@asynccontextmanager
async def account(data: Path, root: str = ROOT, **settings: Any) -> AsyncIterator[Account]:
    """The mock behind its account."""
    async with platform(data, root=root, **settings) as mock:
        way = urlsplit(root).path.strip("/")
        mock.root = Path(settings.get("directory") or data / "exchange") / way
        yield Account(mock)


@contextlib.contextmanager
def lost() -> Iterator[None]:
    """The connection is gone, however the library says so."""
    try:
        yield
    except (asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, ConnectionError):
        return
    raise AssertionError("the connection held")
