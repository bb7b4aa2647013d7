"""What an operator configures for one endpoint of this platform (page §1), checked before the first exchange."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, ClassVar
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, field_validator

from adapters.commerce_federation.pulling import REST_S
from adapters.commerce_federation.replies import MOST_RESENDS, POSTPONED_S
from adapters.settings import PolledSettings, distinct

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql", "postgres")
_WANTED = (
    "须为 postgresql://主机/库 或 sqlite:///文件，口令另填 password，不带查询串 "
    "postgresql://host/database or sqlite:///file is needed; the password goes into password, no query"
)

Code = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[^#\s]+$")]


class CommerceFederationSettings(PolledSettings):
    """Configured values of the page, same names as on the platform's side. Periods in seconds.

    The heart wants a poll twice in its period: none rests longer, whatever ``poll_max_s`` allows.
    """

    rests_s: ClassVar[float] = REST_S

    database_url: str = Field(description="postgresql://host:port/database or sqlite:///file (前置机数据库地址)")
    account: str = Field("tj_gateway", min_length=1, description="Our account of the database (数据库账号)")
    password: SecretStr | None = Field(None, description="Its password (数据库口令)")
    ca_file: str | None = Field(None, description="Certificates that the server's is checked against (CA 证书文件)")
    db_schema: str = Field(
        "tjex", alias="schema", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$", description="Schema of the tables (模式)"
    )
    organizations: Annotated[tuple[Code, ...], AfterValidator(distinct)] = Field(
        (), description="Organisations bound to us; none named: whatever the routes send (调解组织代码)"
    )
    connections: int = Field(4, ge=1, description="Most connections at once (最多连接数)")
    period_s: float = Field(30.0, gt=0, description="How often the platform's reader runs (读取周期)")
    postpone_s: float = Field(POSTPONED_S, ge=0, description="When a postponed row is due again (暂缓后重试间隔)")
    resends: int = Field(MOST_RESENDS, ge=0, description="How often such a row goes again by itself (自动重试次数)")
    file_limit: int = Field(10 * 1024 * 1024, gt=0, description="Most bytes of one file")

    @field_validator("database_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value.startswith(_SQLITE) and len(value) > len(_SQLITE) and "\0" not in value:
            return value
        try:
            parts = urlsplit(value)
            sound = parts.port is None or parts.port > 0  # a port that is none is found out by asking for it
        except ValueError:
            raise ValueError(_WANTED) from None
        named = parts.scheme in _POSTGRES and parts.hostname and re.fullmatch(r"/[^/]+", parts.path)
        if not sound or not named or parts.password is not None or parts.query or parts.fragment:
            raise ValueError(_WANTED)
        return value

    @property
    def file(self) -> str | None:
        """The path of the SQLite file; ``None`` where the database is PostgreSQL."""
        return self.database_url[len(_SQLITE) :] if self.database_url.startswith(_SQLITE) else None

    @property
    def place(self) -> str:
        """Where the database is, as people are told: without its account."""
        if self.file is not None:
            return self.database_url
        server = self.server
        return f"postgresql://{server.host}:{server.port}/{server.database}"

    @property
    def server(self) -> Server:
        """Where the PostgreSQL database is."""
        return Server(urlsplit(self.database_url), self.account)


class Server:
    """The parts of a PostgreSQL address. An account that stands in the address goes before the setting."""

    def __init__(self, parts: SplitResult, account: str) -> None:
        self.host = parts.hostname or ""
        self.port = parts.port or 5432
        self.database = unquote(parts.path[1:])
        self.account = unquote(parts.username) if parts.username else account

    @property
    def here(self) -> bool:
        """Whether it is this very machine: there alone a connection may go without TLS."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
