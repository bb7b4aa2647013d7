"""``gateway user``: the console's first administrator, and whoever comes after where no browser is at hand."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.exits import explained, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, settings_of
from gateway.security.data_scope import EVERYTHING
from gateway.security.passwords import make_password
from gateway.security.roles import role_book

user = typer.Typer(
    no_args_is_help=True,
    help="控制台用户 Users of the console",
    rich_markup_mode="rich",
)

_ROLES = " | ".join(
    dict.fromkeys(
        f"{role.name} {role.titles.zh}" for mode in ("simple", "sanyuan") for role in role_book(mode).roles.values()
    )
)


@user.command(
    "add",
    epilog="示例 examples:\n\n  gateway user add zhaoli 赵丽 --role administrator\n\n"
    "  gateway user add wangwu 王五 --role viewer --password-stdin < file\n\n"
    "  gateway user add lisi 李四 --role operator --scope 'SD-QD-SN-002 area:3702'",
)
def add(
    name: Annotated[str, typer.Argument(help="用户名 user name (a-z, 0-9)", metavar="NAME", show_default=False)],
    title: Annotated[str, typer.Argument(help="姓名 the person's name", metavar="TITLE", show_default=False)],
    role: Annotated[str, typer.Option("--role", help=_ROLES, metavar="ROLE")] = "viewer",
    scope: Annotated[
        str,
        typer.Option(
            "--scope",
            help="数据范围：* 或组织代码、area:区划代码开头 data scope: * or organisation codes and area:digits",
            metavar="SCOPE",
        ),
    ] = EVERYTHING,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读密码 read the password from standard input")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """新增控制台用户；不给密码则生成一个，只显示这一次 Add a console user; a password that is made is shown this once."""
    from gateway.cli.house import user_added

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else make_password(name)
    with explained(json):
        made = not password_stdin
        asyncio.run(user_added(settings_of(config), name, title, role, password, made=made, scope=scope))
    if json:
        shown = {} if password_stdin else {"password": password}
        say_json({"name": name, "role": role, "scope": scope, **shown})
        return
    out.print(f"已新增 added: {escape(name)} ({role})")
    if not password_stdin:
        out.print(f"初始密码（只显示这一次，首次登录须修改）first password, shown this once:\n[bold]{password}[/bold]")
