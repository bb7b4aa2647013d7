"""``gateway alert``: a test message to a channel, from the configuration alone, beside a running gateway or without one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, run, settings_of

alert = typer.Typer(no_args_is_help=True, help="告警外发 Alerts outward", rich_markup_mode="rich")


@alert.callback()
def every_alert_command() -> None:
    """What holds for every command about alerts."""


@alert.command("test", epilog="示例 examples:\n\n  gateway alert test ops --config gateway.toml")
def send_test(
    channel: Annotated[
        str,
        typer.Argument(help="通道名（alert_channels 之下）the channel's name", metavar="CHANNEL", show_default=False),
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """向一个告警通道发测试消息 Send a test message to an alert channel; exit code 1 where it does not get there."""
    from gateway.cli.checks import channel_tested

    with explained(json):
        settings = settings_of(config)
        if channel not in settings.alert_channels:
            known = ", ".join(sorted(settings.alert_channels)) or "–"
            leave(Exit.USAGE, f"没有这个通道 no such channel: {channel}（有 there are: {known}）", machine=json)
        code = run(lambda: channel_tested(settings, channel))
    if json:
        say_json({"ok": code is None, "channel": channel, "code": code})
    elif code is None:
        out.print(f"[green]✔[/green] 已发出 sent: {escape(channel)}")
    else:
        out.print(f"[red]✘[/red] 未发出 not sent: {escape(channel)} {escape(code)}")
        out.print("    → 核对通道配置与网络 check the channel and the network: gateway config check")
    raise typer.Exit(int(Exit.OK if code is None else Exit.FAILED))
