"""``gateway config``: the documented example, a check with all reasons, the redacted view, fresh keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.bare_tools import bare_tools
from gateway.cli.example import example
from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.redact import redacted
from gateway.demo.toml_text import table_text
from gateway.registry import connect
from gateway.security.fields import Keys, write_key_file
from gateway.settings import Settings, SettingsRefused, load_settings

config = typer.Typer(
    no_args_is_help=True,
    help="配置：示例、检查、查看、密钥 Configuration: example, check, show, keys",
    rich_markup_mode="rich",
)

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        help="配置文件；缺省取 --config 或 GATEWAY_CONFIG configuration file", metavar="[FILE]", show_default=False
    ),
]


@config.command(
    "example",
    epilog="示例 examples:\n\n  gateway config example > gateway.toml\n\n  gateway config example --output /etc/gateway.toml",
)
def write_example(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="写入新文件 write to a new file", metavar="FILE", show_default=False),
    ] = None,
) -> None:
    """输出带说明的配置示例，即全部缺省值 The documented configuration file: every key with its description and default."""
    if output is None:
        typer.echo(example(), nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError:
        leave(Exit.CANNOT_CREATE, f"文件已存在，不会覆盖 the file is there already, it is not overwritten: {output}")
    except OSError as error:
        leave(Exit.CANNOT_CREATE, f"无法写入 cannot be written: {output} ({type(error).__name__})")
    out.print(f"已写入 written: {escape(str(output))}")


@config.command(epilog="示例 example:\n\n  gateway config check gateway.toml && gateway serve --config gateway.toml")
def check(file: FileArgument = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """检查配置，一次列出全部问题（退出码 78） Check a configuration: all reasons at once, exit code 78."""
    reasons = findings(file or config)
    if json:
        say_json({"ok": not reasons, "reasons": reasons})
        raise typer.Exit(int(Exit.CONFIG if reasons else Exit.OK))
    with explained():
        if reasons:
            raise SettingsRefused(reasons)
    out.print("[green]配置可用 The configuration can be used[/green]")


def findings(path: Path | None) -> list[str]:
    """Everything that speaks against a configuration: its own form, its keys, its adapters, their settings, its routes."""
    try:
        settings = load_settings(path)
    except SettingsRefused as error:
        return error.reasons
    reasons: list[str] = []
    for look in (_keys_are_there, _adapters_fit, _channels_fit):
        try:
            look(settings)
        except SettingsRefused as error:
            reasons += error.reasons
    return reasons


def _keys_are_there(settings: Settings) -> None:
    from gateway.store.opening import read_keys

    # Elsewhere than in production a key file is made at the first start; a check makes nothing.
    if settings.env == "production" or settings.keys is not None or settings.key_file is not None:
        read_keys(settings)


def _adapters_fit(settings: Settings) -> None:
    connect(settings, bare_tools)


def _channels_fit(settings: Settings) -> None:
    from gateway.flow.alerting.channels.switchboard import Switchboard

    Switchboard(settings, lambda: 0)


@config.command(epilog="示例 example:\n\n  gateway config show gateway.toml")
def show(file: FileArgument = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """查看生效的配置，密钥已隐去 The configuration in force, secrets hidden."""
    with explained(json):
        shown = redacted(load_settings(file or config))
    if json:
        say_json(shown)
    else:
        typer.echo(table_text(shown), nl=False)


@config.command(
    epilog="示例 example:\n\n  gateway config keys /etc/gateway/keys\n\n"
    "请妥善备份：丢失密钥即丢失全部数据 keep a copy: without the keys the data cannot be opened."
)
def keys(
    file: Annotated[Path, typer.Argument(help="新密钥文件 new key file", metavar="FILE", show_default=False)],
) -> None:
    """生成加密密钥文件（仅属主可读） Make a file with fresh sealing and index keys, readable by its owner alone."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_key_file(file, Keys.generate())
    except FileExistsError:
        leave(Exit.CANNOT_CREATE, f"文件已存在，不会覆盖 the file is there already, it is not overwritten: {file}")
    except OSError as error:
        leave(Exit.CANNOT_CREATE, f"无法写入 cannot be written: {file} ({type(error).__name__})")
    out.print(
        f"已写入 written: {escape(str(file))}\n配置中写 in the configuration: key_file = {escape(repr(str(file)))}"
    )
