"""``gateway serve``, ``work``, ``migrate``, ``client add``, ``mocks``: what runs and prepares the house."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, run, settings_of
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES
from gateway.settings import Settings
from gateway.texts import console_text

client = typer.Typer(no_args_is_help=True, help="接入方与密钥 Clients and their keys", rich_markup_mode="rich")


def serve(
    config: ConfigOption = None,
    work: Annotated[
        bool,
        typer.Option(
            "--work/--no-work",
            help="同进程投递；--no-work 交给 gateway work（PostgreSQL） deliver here, or leave it to gateway work",
        ),
    ] = True,
) -> None:
    """启动网关：接口、回调与投递在同一进程 Serve: API, callbacks and deliveries in one process; SIGTERM ends it in order."""
    from gateway.cli.house import serve_until_told

    with explained():
        settings = settings_of(config)
        if not work:
            _needs_several_processes(settings)
        raise typer.Exit(run(lambda: serve_until_told(settings, work=work)))


def work(config: ConfigOption = None) -> None:
    """只做投递，可多开（需要 PostgreSQL） Deliver only, beside other processes (needs PostgreSQL)."""
    with explained():
        settings = settings_of(config)
        _needs_several_processes(settings)
        from gateway.cli.house import work_until_told

        raise typer.Exit(run(lambda: work_until_told(settings)))


def _needs_several_processes(settings: Settings) -> None:
    if settings.database == "sqlite":
        leave(
            Exit.CONFIG,
            "database = sqlite 只供一个进程使用，gateway serve 已同时承担接口和投递，无需 work。",
            "SQLite carries one process, and gateway serve does both: there is nothing for a second one to work on.",
        )


def migrate(config: ConfigOption = None, json: JsonOption = False) -> None:
    """把数据库升级到最新结构 Bring the database to the newest schema (serve does it by itself)."""
    from gateway.cli.house import migrated

    with explained(json):
        before, after = asyncio.run(migrated(settings_of(config)))
    if json:
        say_json({"before": before, "after": after})
    elif before == after:
        out.print(f"已是最新 newest already: {after}")
    else:
        out.print(f"已升级 migrated: {before or '–'} → {after}")


@client.command(
    "add",
    epilog="示例 examples:\n\n  gateway client add 历下区调解中心 --organization SD-JN-LX-001\n\n"
    "  gateway client add 运维值班 --role operator",
)
def add(
    name: Annotated[str, typer.Argument(help="接入方名称 name of the client", metavar="NAME", show_default=False)],
    organization: Annotated[
        list[str] | None,
        typer.Option(
            "--organization",
            "-o",
            help="可代表的组织代码，可重复 code of an organisation that it acts for (repeatable)",
            metavar="CODE",
            show_default=False,
        ),
    ] = None,
    role: Annotated[str, typer.Option("--role", help="upstream 上报系统 | operator 运维", metavar="ROLE")] = "upstream",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """登记接入方，密钥只显示这一次 Add a client; its key is shown this once."""
    if role not in ("upstream", "operator"):
        leave(Exit.USAGE, f"--role 只能是 must be upstream 或 or operator: {role}", machine=json)
    codes = tuple(organization or (("*",) if role == "operator" else ()))
    if not codes:
        leave(
            Exit.USAGE,
            "上报系统需要至少一个 --organization。",
            "An upstream system needs at least one --organization.",
            machine=json,
        )
    from gateway.cli.house import client_added
    from gateway.flow.clients import ClientRefused

    scopes = UPSTREAM_SCOPES if role == "upstream" else OPERATOR_SCOPES
    with explained(json):
        try:
            added = asyncio.run(client_added(settings_of(config), name, scopes, codes))
        except ClientRefused as refusal:
            leave(Exit.USAGE, *(console_text(f"client.{refusal.code}", one) for one in ("zh", "en")), machine=json)
    if json:
        say_json({**added, "name": name, "role": role, "organizations": list(codes), "scopes": list(scopes)})
        return
    out.print(f"已登记 added: {escape(name)}  {added['client']}")
    out.print(f"密钥（只显示这一次）key, shown this once:\n[bold]{added['key']}[/bold]")


def mocks(context: typer.Context) -> None:
    """启动模拟平台，参数与 python -m mocks 相同 Start the mock platforms; same arguments as python -m mocks.

    帮助 help: gateway mocks --help
    """
    if find_spec("mocks") is None:
        leave(Exit.CONFIG, "没有安装模拟平台 the mock platforms are not installed (package mocks)")
    command = [sys.executable, "-m", "mocks", *context.args]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606 -- the arguments are the caller's own, there is no shell
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 -- the same
