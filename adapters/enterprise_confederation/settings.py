"""What an operator configures for one endpoint of this platform, checked before the first exchange."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from adapters.settings import PolledSettings, distinct

_WANTED = (
    "须为已挂载交换目录的绝对路径，或 sftp://用户@主机:端口/路径，不含 ..、口令与查询串 "
    "the absolute path of the mounted exchange directory or sftp://user@host:port/path is needed, "
    "without .., password or query"
)
_PIN = (
    "须为 SHA256: 开头的主机密钥指纹，以 ssh-keygen -lf 查得 "
    "the server's host key fingerprint is needed, SHA256:… as ssh-keygen -lf shows it"
)
_KEY = "须为私钥文件的绝对路径 the absolute path of the private key's file is needed"
_BOTH = "SFTP 须同时填写 host_key 与 private_key_file an sftp:// root needs host_key and private_key_file"
_NEITHER = (
    "host_key 与 private_key_file 只用于 sftp:// 的 root，请删去 "
    "host_key and private_key_file go with an sftp:// root alone; leave them out"
)
_EXTRA = (
    "未安装 SFTP 支持，请执行 pip install 'mediation-gateway[sftp]' "
    "SFTP support is not installed: pip install 'mediation-gateway[sftp]'"
)
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_SFTP_PORT = 22

Code = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[^|\s]+$")]


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of an SFTP root."""

    host: str
    port: int
    user: str
    path: str


class EnterpriseConfederationSettings(PolledSettings):
    """Configured values of the page, same names as on the platform's side. Periods in seconds."""

    root: str = Field(
        description="Absolute path of the mounted exchange directory, or sftp://user@host:port/path (交换目录，或 SFTP 地址)"
    )
    host_key: str = Field("", description="SFTP: pinned fingerprint of the server's host key, SHA256:… (主机密钥指纹)")
    private_key_file: str = Field(
        "", description="SFTP: file of our private key, without passphrase, mode 600 (私钥文件，无口令，权限 600)"
    )
    sender: str = Field(pattern=r"^[A-Z0-9]{2,12}$", description="Our name in the names of batches (发送方代码)")
    organizations: Annotated[tuple[Code, ...], AfterValidator(distinct)] = Field(
        (), description="Organisations bound to us; none named: whatever the routes send (调解组织代码)"
    )
    period_s: float = Field(60.0, gt=0, description="How often the platform's reader runs (读取周期)")
    operation_s: float = Field(
        30.0, gt=0, description="Longest wait for one step of file work; SFTP: for one operation (文件操作超时)"
    )
    late_s: float = Field(600.0, ge=0, description="How long a file that a manifest names may be late (缺文件等待)")
    file_limit: int = Field(20 * 1024 * 1024, gt=0, description="Most bytes of one file")

    @field_validator("root")
    @classmethod
    def _named(cls, value: str) -> str:
        if value.lower().startswith("sftp:"):
            server_of(value)
            if importlib.util.find_spec("asyncssh") is None:
                raise ValueError(_EXTRA)
            return value
        path = PurePosixPath(value)
        if not path.is_absolute() or ".." in path.parts or "\0" in value or path == PurePosixPath("/"):
            raise ValueError(_WANTED)
        return value

    @field_validator("host_key")
    @classmethod
    def _pinned(cls, value: str) -> str:
        if value and _FINGERPRINT.fullmatch(value) is None:
            raise ValueError(_PIN)
        return value

    @field_validator("private_key_file")
    @classmethod
    def _filed(cls, value: str) -> str:
        if value and (not PurePosixPath(value).is_absolute() or "\0" in value):
            raise ValueError(_KEY)
        return value

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.server is not None and not (self.host_key and self.private_key_file):
            raise ValueError(_BOTH)
        if self.server is None and (self.host_key or self.private_key_file):
            raise ValueError(_NEITHER)
        return self

    @property
    def place(self) -> str:
        """Where the directory is, as people are told: without its account."""
        server = self.server
        return self.root if server is None else f"sftp://{server.host}:{server.port}{server.path}"

    @property
    def server(self) -> Server | None:
        """Where the SFTP account is; ``None`` where the directory is mounted."""
        return server_of(self.root) if self.root.lower().startswith("sftp:") else None


def server_of(root: str) -> Server:
    """The parts of an SFTP root. Its path is taken from the account's ``/``.

    Raises:
        ValueError: it is none.
    """
    try:
        parts = urlsplit(root)
        port = _SFTP_PORT if parts.port is None else parts.port
    except ValueError:
        raise ValueError(_WANTED) from None
    user, path = unquote(parts.username or ""), unquote(parts.path) or "/"
    plain = parts.password is None and not parts.query and not parts.fragment and "\0" not in user + path
    if not plain or not user or not parts.hostname or port < 1 or ".." in PurePosixPath(path).parts:
        raise ValueError(_WANTED)
    return Server(parts.hostname, port, user, path)
