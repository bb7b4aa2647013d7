"""Options that several commands share, and what they resolve to."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway.cli.exits import Exit, leave
from gateway.client import GatewayClient
from gateway.settings import Settings, load_settings

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8080"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="GATEWAY_CONFIG",
        help="配置文件（TOML）；缺省用缺省值和 GATEWAY_… 环境变量 configuration file; absent: defaults and variables",
        metavar="FILE",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="输出一行 JSON，供程序读取 one line of JSON for a machine")]
ToOption = Annotated[
    str | None,
    typer.Option("--to", envvar="GATEWAY_URL", help=f"网关地址 the gateway's address（{DEFAULT_URL}）", metavar="URL"),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key", envvar="GATEWAY_KEY", help="API 密钥 API key（prefix.secret）", metavar="KEY", show_default=False
    ),
]
DemoOption = Annotated[
    Path | None,
    typer.Option(
        "--demo",
        help="演示目录：地址和密钥取自其中的 demo.json address and key from a demonstration's directory",
        metavar="DIR",
        show_default=False,
    ),
]


def settings_of(config: Path | None) -> Settings:
    """The settings of a command.

    Raises:
        SettingsRefused: every finding at once.
    """
    return load_settings(config)


def client_of(
    to: str | None,
    key: str | None,
    demo: Path | None,
    *,
    organization: str | None = None,
    operator: bool = False,
    patience_s: float = 0.0,
) -> GatewayClient:
    """The client of a command: from its options, the environment, or a demonstration's ``demo.json``.

    Args:
        organization: whose key of the demonstration is taken; ``operator``: the operator's instead.
        patience_s: how long a lost connection is taken up again; a command that asks once would rather say so at once.
    """
    if demo is not None:
        there = _demonstration(demo)
        to = to or there["api"]
        keys = there["keys"]["upstream"]
        if key is None:
            key = there["keys"]["operator"] if operator else keys.get(organization) or next(iter(keys.values()))
    if key is None:
        leave(
            Exit.USAGE,
            "需要 API 密钥：--key、环境变量 GATEWAY_KEY，或 --demo DIR。",
            "An API key is needed: --key, GATEWAY_KEY, or --demo DIR. (gateway client add makes one.)",
        )
    return GatewayClient(to or DEFAULT_URL, key, patience_s=patience_s)


def _demonstration(directory: Path) -> dict[str, Any]:
    path = directory / "demo.json" if directory.is_dir() else directory
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        leave(
            Exit.NO_INPUT,
            f"读不到演示信息 no demonstration's demo.json: {path}",
            "先运行 run first: gateway demo --data DIR",
        )
    return found


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on the quickest event loop there is."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work())
