"""The one settings class: every key with its description. The documented example file is generated from it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

_MAIL: Final = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$"


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
    pass_trace: bool = Field(default=False, description="send traceparent with every request to this platform")
    reconcile: bool = Field(default=True, description="false: the daily reconciliation leaves this endpoint out")
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


class ReconcileSettings(_Section):
    """Comparing our deliveries with what the platforms hold (对账)."""

    daily: bool = Field(default=True, description="compare the day before, once a day, where the platform can be asked")
    hour: int = Field(default=5, ge=0, le=23, description="hour of the day in Beijing from which the daily job may run")
    share: float = Field(
        default=0.25, gt=0, le=1, description="part of a platform's agreed rate that comparing may take at most"
    )
    keep_days: int = Field(default=90, ge=1, description="how long finished reconciliations are kept")


class LimitSettings(_Section):
    """Bounds on everything that comes from outside."""

    document: int = Field(default=1024 * 1024, description="bytes of one posted document")
    callback: int = Field(default=16 * 1024 * 1024, description="bytes of one platform's call")
    attachment: int = Field(default=20 * 1024 * 1024, description="bytes of one attachment")
    event_page: int = Field(default=500, description="events in one page of the feed")
    connections_of_one: int = Field(
        default=0,
        ge=0,
        description="connections that one address may hold at once; 0: half of all that there may be. Proxies named in the"
        " variable FORWARDED_ALLOW_IPS (this machine, if it is not set) are not counted",
    )


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
    roles: Literal["simple", "sanyuan"] = Field(
        default="simple",
        description="simple: one administrator; sanyuan (三员分立): system, security and audit administrators apart",
    )


Severity = Literal["critical", "warning", "info"]
"""How much an alert presses (严重, 警告, 提示)."""


class _Channel(_Section):
    """What every alert channel has."""

    severities: tuple[Severity, ...] = Field(
        default=("critical", "warning", "info"), description="which alerts it carries, by severity"
    )
    rules: tuple[str, ...] = Field(default=(), description="these rules alone, as the console names them; empty: all")
    recovered: bool = Field(default=True, description="tell also that an alert is over (已恢复)")
    muted_until: AwareDatetime | None = Field(
        default=None, description="nothing is told before this time (2026-10-01T08:00:00+08:00); then what still holds"
    )
    language: Literal["zh", "en"] = Field(default="zh", description="language of the texts")


class MailChannelSettings(_Channel):
    """Alerts by mail (邮件)."""

    kind: Literal["smtp"] = Field(description="smtp: mail")
    host: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$", description="mail server")
    port: int | None = Field(default=None, ge=1, le=65535, description="its port; absent: 587, with tls 465, plain 25")
    security: Literal["starttls", "tls", "plain"] = Field(
        default="starttls", description="starttls, tls from the first byte, or plain (inside a closed net alone)"
    )
    user: str | None = Field(default=None, description="user to sign in as; absent: none")
    password: SecretStr | None = Field(default=None, description="the user's password; better by environment")
    sender: str = Field(pattern=_MAIL, description="address that the mails come from")
    to: tuple[Annotated[str, Field(pattern=_MAIL)], ...] = Field(
        min_length=1, max_length=50, description="addresses that they go to"
    )


class RobotChannelSettings(_Channel):
    """Alerts by an HTTP call: a group's robot, or any receiver of JSON (群机器人、通用 webhook)."""

    kind: Literal["webhook", "dingtalk", "wecom"] = Field(
        description="dingtalk: 钉钉、政务钉钉 robot; wecom: 企业微信 robot; webhook: JSON, signed as Standard Webhooks"
    )
    url: SecretStr = Field(description="address with its token; better by environment")
    secret: SecretStr | None = Field(
        default=None, description="signing secret: 加签 of dingtalk (SEC…), whsec_… of webhook; absent: unsigned"
    )


class SyslogChannelSettings(_Channel):
    """Alerts by syslog (RFC 5424)."""

    kind: Literal["syslog"] = Field(description="syslog: a log collector")
    host: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$", description="the collector")
    port: int | None = Field(default=None, ge=1, le=65535, description="its port; absent: 514, with tls 6514")
    transport: Literal["udp", "tcp", "tls"] = Field(default="tcp", description="udp (may lose), tcp, tls")
    facility: int = Field(default=16, ge=0, le=23, description="facility number; 16 is local0")


ChannelSettings = Annotated[
    MailChannelSettings | RobotChannelSettings | SyslogChannelSettings, Field(discriminator="kind")
]


class AlertSettings(_Section):
    """When alerts are told outward, and where they may go."""

    quiet_s: float = Field(default=30, ge=0, le=3600, description="alerts that begin within so long go as one message")
    retry: tuple[float, ...] = Field(
        default=(30, 120, 600, 1800, 3600), min_length=1, description="waits after a failed sending; the last repeats"
    )
    given_up_after: float = Field(default=3 * 86400, gt=0, description="what could not be told for so long is dropped")
    allowed_hosts: tuple[AllowedHostSettings, ...] = Field(
        default=(), description="where alerts may go beside public addresses over TLS: mail servers, robots, collectors"
    )
    office_hours: str = Field(
        default="09:00-17:00",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="working hours (Beijing) in which an upstream's silence is looked for",
    )
    silent_hours: float = Field(
        default=4, gt=0, description="an upstream that sends on most working days and was silent so many office hours"
    )
    expiry_days: float = Field(default=30, gt=0, description="so long before its end a key or certificate is told of")


class MetricsSettings(_Section):
    """Figures for Prometheus on a port of their own: what ``gateway work`` has, and ``gateway serve`` may have."""

    host: str = Field(default="127.0.0.1", description="address to listen on for /metrics alone, without a key")
    port: int | None = Field(default=None, ge=0, le=65535, description="port for /metrics alone; absent: none")


class TracingSettings(_Section):
    """OpenTelemetry traces: on where the extra ``otel`` is installed and the OTEL_… variables name an exporter."""

    webhooks: bool = Field(default=False, description="hand traceparent on to webhooks too")
    trust_upstream: bool = Field(default=True, description="go on with the traceparent that an upstream sends")


class ReportSettings(_Section):
    """What the statistics need to be told, because no source defines it."""

    success_items: tuple[Literal["R1", "R2", "R3", "R4"], ...] = Field(
        default=("R1", "R2"),
        min_length=1,
        description="results that the success rate counts as success: R1 agreement, R2 settled, R3 none, R4 withdrawn",
    )
    success_threshold: int = Field(default=65, ge=1, le=100, description="the success rate that is asked for, per cent")
    every_quarter: bool = Field(
        default=False,
        description="make the last quarter's statistical reports by itself in the first ten days of the next one",
    )


class PaperSettings(_Section):
    """The papers that the gateway makes (文书)."""

    fonts: tuple[Path, ...] = Field(
        default=(), description="Chinese font files, best first, before the package's (extra papers) and the system's"
    )
    embed: bool = Field(
        default=True, description="papers bring their font; false: the reader's own is asked for (smaller, less memory)"
    )
    templates: Path | None = Field(
        default=None, description="directory of Word templates (<paper>.docx) in place of the packaged ones"
    )


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
    law_also: tuple[str, ...] = Field(
        default=(), description="rules beside the statutory ones that run too, by id: D03-working, D08b, …"
    )
    calendar_roll: Literal["offday", "statutory_only", "none"] = Field(
        default="offday", description="when a deadline's last day moves on: every day off, statutory ones alone, never"
    )
    lease_margin_s: float = Field(default=15, gt=0, description="how much longer than the send deadline a lease lasts")
    share_beat_s: float = Field(
        default=5,
        gt=0,
        le=60,
        description="how often processes beside each other tell that they live; each keeps to its part of a platform's rate",
    )
    stop_grace_s: float = Field(
        default=20, ge=0, le=600, description="how long a stop waits for deliveries in flight before it cuts them off"
    )
    concurrency: int = Field(default=128, ge=1, le=1024, description="deliveries in flight over all endpoints")
    endpoints: dict[str, EndpointSettings] = Field(default_factory=dict, description="the platforms, by name")
    routes: tuple[RouteSettings, ...] = Field(default=(), description="changes to the default recipients")
    retry: RetrySettings = Field(default=RetrySettings(), description="retry classes, in seconds")
    webhook_allowed_hosts: tuple[AllowedHostSettings, ...] = Field(
        default=(), description="where webhooks may go beside public https addresses on ports 443 and 8443"
    )
    webhook_rate_per_s: float = Field(default=20, gt=0, le=1000, description="events a second to one webhook")
    reconcile: ReconcileSettings = Field(default=ReconcileSettings(), description="comparing with the platforms")
    limits: LimitSettings = Field(default=LimitSettings(), description="bounds")
    console: ConsoleSettings = Field(default=ConsoleSettings(), description="the operators' console")
    papers: PaperSettings = Field(default=PaperSettings(), description="papers that the gateway makes")
    report: ReportSettings = Field(default=ReportSettings(), description="statistics and statistical reports")
    alerts: AlertSettings = Field(default=AlertSettings(), description="alerts outward (告警外发)")
    alert_channels: dict[str, ChannelSettings] = Field(
        default_factory=dict, description="where alerts are told, by name: mail, robots, webhooks, syslog"
    )
    metrics: MetricsSettings = Field(default=MetricsSettings(), description="figures for Prometheus")
    tracing: TracingSettings = Field(default=TracingSettings(), description="traces for OpenTelemetry")

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
