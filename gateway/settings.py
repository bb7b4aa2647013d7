"""The one settings class: every key with its description. The documented example file is generated from it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class SettingsRefused(Exception):
    """The configuration cannot be used. ``reasons`` holds one line each, all of them."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class EndpointSettings(_Section):
    """One configured connection to one platform."""

    adapter: str = Field(description="name of the adapter (entry point) that speaks the platform's language")
    slots: int = Field(default=8, ge=1, le=256, description="deliveries in flight at once")
    organizations: tuple[str, ...] | None = Field(
        default=None, description="organisation codes of the endpoint's list (union, commerce, confederation, national)"
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="the adapter's own settings, as its page names them"
    )


class RouteSettings(_Section):
    """One route: these message types also go to this endpoint (``never`` takes a default recipient away)."""

    type: str = Field(description="a message type, such as case.submitted")
    endpoint: str = Field(description="name of an endpoint below [endpoints]")
    never: bool = Field(default=False, description="true: this endpoint is left out, though a default would choose it")


class RetrySettings(_Section):
    """The waits between tries, in seconds, per class (full jitter is applied to each)."""

    standard: tuple[float, ...] = Field(
        default=(5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 86400),
        description="case, progress, performance, roster, status, reports; then dead and a task",
    )
    statutory: tuple[float, ...] = Field(
        default=(5, 30, 120, 600, 1800, 3600, 7200, 14400),
        description="agreement, confirmation, transfer, referral answer, alert; the last wait repeats",
    )
    statutory_last_day: float = Field(default=1800, description="wait in the last day before the latest safe time")
    statutory_task_after: float = Field(default=7200, description="undelivered for so long: a human task")
    statutory_without_clock: float = Field(default=30 * 86400, description="end of a statutory message without a clock")
    notify: tuple[float, ...] = Field(
        default=(5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400),
        description="webhooks; then dead, and the webhook is unhealthy",
    )
    handshake: tuple[float, ...] = Field(
        default=(30, 300), description="a webhook's handshake after its first try (no jitter); then failed"
    )
    webhook_failures: int = Field(default=10, ge=1, description="failures in a row that make a webhook unhealthy")
    webhook_probe: float = Field(
        default=3600, gt=0, description="an unhealthy webhook: between tries of its oldest event"
    )
    webhook_disabled_after: float = Field(
        default=120 * 3600, gt=0, description="failing so long: the webhook is disabled"
    )
    orphan: tuple[float, ...] = Field(
        default=(1, 2, 5, 15, 60, 300, 1800), description="callbacks whose thing is not known yet; then a task"
    )
    document: tuple[float, ...] = Field(
        default=(2, 5, 15, 60, 300, 1800, 7200), description="decision documents to be fetched; then a task"
    )
    breaker: float = Field(default=10, description="first wait of an opened breaker; it doubles up to 300 s")


class AllowedHostSettings(_Section):
    """One place beyond the public net that webhooks may go to."""

    host: str = Field(description="host name, address or CIDR net; it may be private")
    port: int | None = Field(default=None, ge=1, le=65535, description="this port alone; absent: any")
    scheme: Literal["http", "https"] | None = Field(default=None, description="this scheme alone; absent: both")


class LimitSettings(_Section):
    """Bounds on everything that comes from outside."""

    document: int = Field(default=1024 * 1024, description="bytes of one posted document")
    callback: int = Field(default=16 * 1024 * 1024, description="bytes of one platform's call")
    attachment: int = Field(default=20 * 1024 * 1024, description="bytes of one attachment")
    event_page: int = Field(default=500, description="events in one page of the feed")


class IntakeTopicSettings(_Section):
    """Cases from a topic ``<prefix>.intake``: whoever may write to it is this client."""

    client: str = Field(min_length=1, max_length=64, description="the client in whose name the topic's cases are taken")
    organizations: tuple[str, ...] = Field(min_length=1, description="organisation codes that it acts for; * is all")


class KafkaSettings(_Section):
    """The broker of ``bus = "kafka://…"``."""

    prefix: str = Field(
        default="mediation", pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="begins every topic's name"
    )
    partitions: int = Field(default=12, ge=1, le=1000, description="partitions of a topic that is made")
    replicas: int = Field(
        default=0, ge=0, le=15, description="replicas of a topic that is made; 0: one per broker, up to 3"
    )
    retention_days: int = Field(default=30, ge=1, description="how long a topic that is made keeps its events")
    user: str | None = Field(default=None, description="user (SASL SCRAM-SHA-512); absent: none")
    password: SecretStr | None = Field(default=None, description="the user's password; better by environment")
    intake: IntakeTopicSettings | None = Field(default=None, description="take cases in from a topic; absent: no")


class ConsoleSettings(_Section):
    """The operators' console."""

    idle_minutes: float = Field(default=30, gt=0, description="a session without a person's act ends after so long")
    session_hours: float = Field(default=12, gt=0, le=168, description="every session ends after so long")


class Settings(BaseSettings):
    """The gateway's configuration: a TOML file (``GATEWAY_CONFIG``), overridden by ``GATEWAY_…`` variables."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    env: Literal["production", "development", "demo"] = Field(
        default="production", description="production refuses unsafe settings at start"
    )
    site: str = Field(
        default="sd", pattern="^[a-z0-9-]+$", description="short name of this installation, in event sources"
    )
    data: Path = Field(default=Path("data"), description="directory of database, attachments and keys")
    database: str = Field(
        default="sqlite",
        pattern="^(sqlite$|postgresql://)",
        description="sqlite (one process, inside the data directory) or postgresql://user@host/name (any number)",
    )
    bus: str = Field(
        default="memory",
        pattern=r"^(memory|kafka(\+tls)?://[A-Za-z0-9._:,\[\]-]+)$",
        description="memory (inside the process) or kafka://host:port,… (kafka+tls:// over TLS)",
    )
    kafka: KafkaSettings = Field(default=KafkaSettings(), description="the broker's topics and access")
    key_file: Path | None = Field(
        default=None, description="sealing and index keys (gateway config keys FILE); readable by its owner alone"
    )
    keys: SecretStr | None = Field(default=None, description="the key file's text, by environment instead")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_base: str = Field(default="http://127.0.0.1:8080", description="the gateway's address as others reach it")
    late_margin_hours: float = Field(default=4, ge=0, description="safe margin before the end of a deadline's day")
    law: Path | None = Field(
        default=None,
        description="directory of rules and calendars (law/*.toml) in place of the packaged ones: a new year's notice",
    )
    calendar_roll: Literal["offday", "statutory_only", "none"] = Field(
        default="offday", description="when a deadline's last day moves on: every day off, statutory ones alone, never"
    )
    lease_margin_s: float = Field(default=15, gt=0, description="how much longer than the send deadline a lease lasts")
    concurrency: int = Field(default=64, ge=1, le=1024, description="deliveries in flight over all endpoints")
    endpoints: dict[str, EndpointSettings] = Field(default_factory=dict, description="the platforms, by name")
    routes: tuple[RouteSettings, ...] = Field(default=(), description="changes to the default recipients")
    retry: RetrySettings = Field(default=RetrySettings(), description="retry classes")
    webhook_allowed_hosts: tuple[AllowedHostSettings, ...] = Field(
        default=(), description="where webhooks may go beside public https addresses on ports 443 and 8443"
    )
    webhook_rate_per_s: float = Field(default=20, gt=0, le=1000, description="events a second to one webhook")
    limits: LimitSettings = Field(default=LimitSettings(), description="bounds")
    console: ConsoleSettings = Field(default=ConsoleSettings(), description="the operators' console")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (which comes in as init values)."""
        return env_settings, init_settings


def load_settings(path: Path | None) -> Settings:
    """Read the file (if any) and the environment.

    Raises:
        SettingsRefused: every finding, by key, without its value.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsRefused([f"the configuration file cannot be read: {type(error).__name__}"]) from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsRefused([f"the configuration file is not TOML: {error}"]) from None
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsRefused(
            [f"{'.'.join(map(str, found['loc'])) or 'configuration'}: {found['msg']}" for found in error.errors()]
        ) from None
