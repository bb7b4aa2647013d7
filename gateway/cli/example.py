"""The documented configuration file, made from the settings classes: every key with its description and default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.adapter import AdapterSettings
from gateway.demo.toml_text import value_text
from gateway.registry import AnyAdapter, installed
from gateway.settings import (
    EndpointSettings,
    MailChannelSettings,
    RobotChannelSettings,
    RouteSettings,
    Settings,
    SyslogChannelSettings,
)
from gateway.texts import setting_text

_HEAD = """\
# 对接网关配置 Configuration of the mediation gateway. 由设置类生成 made from the settings classes: gateway config example
# 每个键都可用环境变量覆盖 every key can be overridden by the environment: GATEWAY_PORT=9000, GATEWAY_RETRY__BREAKER=5
# 检查 check: gateway config check FILE    查看（已脱敏） show, redacted: gateway config show FILE
"""


def example() -> str:
    """The whole file. As it stands it equals the defaults."""
    plain: list[str] = []
    sections: list[str] = []
    for name, field in Settings.model_fields.items():
        if name in ("endpoints", "routes", "alert_channels"):
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, BaseModel):
            sections += ["", *_described(Settings, name), f"[{name}]", *_keys(type(default))]
        else:
            plain += _entry(Settings, name, default)
    platforms = [line for name, kind in sorted(_kinds()) for line in _endpoint(name, kind)]
    head = ["", *_described(Settings, "endpoints")]
    return "\n".join([_HEAD, *plain, *sections, *head, *platforms, *_routes(), *_channels()]) + "\n"


def _kinds() -> Iterator[tuple[str, type[AnyAdapter]]]:
    for name, load in installed().items():
        kind = load()
        if not kind.info.events:  # webhooks are subscribed to, not configured
            yield name, kind


def _described(kind: type[BaseModel], name: str) -> list[str]:
    """What a key is, in Chinese where the gateway has it, and in English: an adapter's own settings speak for themselves."""
    chinese = setting_text((each.__name__ for each in kind.__mro__), name)
    return [f"# {text}" for text in (chinese, kind.model_fields[name].description) if text]


def _keys(kind: type[BaseModel]) -> list[str]:
    return [line for name, field in kind.model_fields.items() for line in _entry(kind, name, _default(field))]


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True, validated_data={})


def _entry(kind: type[BaseModel], name: str, default: Any) -> list[str]:
    """A key; one that has no default of its own stands as a comment."""
    shown = None if default is None else value_text(str(default) if isinstance(default, PurePath) else default)
    return [*_described(kind, name), f"# {name} =" if shown is None else f"{name} = {shown}"]


def _endpoint(name: str, kind: type[AnyAdapter]) -> list[str]:
    """A platform's block, as a comment: its own values are the site's to fill in."""
    head = ["", f"# {kind.info.title_zh} {kind.info.title_en}", f"[endpoints.{name}]"]
    own = [
        *_described(EndpointSettings, "adapter"),
        f"adapter = {value_text(name)}",
        *_entry(EndpointSettings, "slots", _default(EndpointSettings.model_fields["slots"])),
        *_entry(EndpointSettings, "pass_trace", False),
        *_entry(EndpointSettings, "reconcile", True),
        *_entry(EndpointSettings, "organizations", None),
        f"[endpoints.{name}.settings]",
    ]
    common = AdapterSettings.model_fields
    for key, field in kind.settings_type.model_fields.items():
        if key in common:
            continue
        if field.is_required():
            own += [*_described(kind.settings_type, key), f"{key} = {_blank(field.annotation)}  # 必填 required"]
        else:
            own += _entry(kind.settings_type, key, _default(field))
    own.append("# " + ", ".join(common) + ": 平台页面的限额，可覆盖 the platform page's limits, to be overridden here")
    return [*head[:2], *(f"# {line}".rstrip() for line in [head[2], *own])]


def _routes() -> list[str]:
    return [
        "",
        *_described(Settings, "routes"),
        "# [[routes]]",
        *(
            f"# {line}"
            for name in RouteSettings.model_fields
            for line in (*_described(RouteSettings, name), f"{name} = {value_text(_sample(name))}")
        ),
    ]


def _channels() -> Iterator[str]:
    """A block of each kind of alert channel, as a comment."""
    yield from ("", *_described(Settings, "alert_channels"))
    for name, kind, word in (
        ("mail", MailChannelSettings, "smtp"),
        ("group", RobotChannelSettings, "dingtalk"),
        ("collector", SyslogChannelSettings, "syslog"),
    ):
        yield f"# [alert_channels.{name}]"
        for key, field in kind.model_fields.items():
            if key == "kind":
                lines = [*_described(kind, key), f"kind = {value_text(word)}"]
            elif field.is_required():
                lines = [*_described(kind, key), f"{key} = {_blank(field.annotation)}  # 必填 required"]
            else:
                lines = _entry(kind, key, _default(field))
            yield from (f"# {line}" for line in lines)


def _blank(kind: object) -> str:
    """A place to be filled in, in the shape of its type."""
    shape = get_origin(kind)
    return '{ "…" = "…" }' if shape is dict else '["…"]' if shape in (list, tuple, frozenset) else '"…"'


def _sample(name: str) -> object:
    return {"type": "case.submitted", "endpoint": "one_stop", "never": True}[name]
