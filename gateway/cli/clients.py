"""``gateway client``: upstream systems and operators as callers of the API, entered, given new keys, shut out."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer
from rich.markup import escape

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, settings_of
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES

client = typer.Typer(no_args_is_help=True, help="接入方与密钥 Clients and their keys", rich_markup_mode="rich")

LONGEST_OVERLAP_H: Final = 168
"""A week, as on the console: an old key that stays good for longer is no rotation."""

ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason", help="理由，必填，记入审计 why, for the audit trail; needed", metavar="TEXT", show_default=False
    ),
]


def _reason(given: str, json: bool) -> str:
    """The reason, without which nothing is done: the audit trail must say why."""
    reason = given.strip()
    if not reason:
        leave(Exit.USAGE, "须写明理由 --reason", "A reason is needed: --reason TEXT", machine=json)
    return reason


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

    scopes = UPSTREAM_SCOPES if role == "upstream" else OPERATOR_SCOPES
    with explained(json):
        added = asyncio.run(client_added(settings_of(config), name, scopes, codes))
    if json:
        say_json({**added, "name": name, "role": role, "organizations": list(codes), "scopes": list(scopes)})
        return
    out.print(f"已登记 added: {escape(name)}  {added['client']}")
    _show_key(added["key"])


@client.command(
    "rotate",
    epilog="示例 examples:\n\n  gateway client rotate cli_… --reason '每年更换'\n\n"
    "  gateway client rotate cli_… --overlap 0 --reason '密钥泄露'     旧密钥立即失效 the old keys end at once",
)
def rotate(
    identifier: Annotated[
        str, typer.Argument(help="接入方编号 id of the client（cli_…）", metavar="CLIENT", show_default=False)
    ],
    reason: ReasonOption = "",
    overlap: Annotated[
        int,
        typer.Option(
            "--overlap",
            min=0,
            max=LONGEST_OVERLAP_H,
            help="旧密钥继续有效的小时数 hours for which the old keys stay good",
            metavar="HOURS",
        ),
    ] = 24,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """换发密钥：新的只显示这一次，旧的到时失效 A new key, shown this once; the old ones end after the overlap."""
    why = _reason(reason, json)
    from gateway.cli.house import client_rotated

    with explained(json):
        made = asyncio.run(client_rotated(settings_of(config), identifier, overlap, why))
    if json:
        say_json({**made, "overlap_hours": overlap})
        return
    ends = "立即失效 end at once" if overlap == 0 else f"{overlap} 小时后失效 end after {overlap} h"
    out.print(f"已更换 rotated: {escape(made['name'])}  {made['client']}\n旧密钥 the old keys: {ends}")
    _show_key(made["key"])


@client.command(
    "disable",
    epilog="示例 examples:\n\n  gateway client disable mg… --reason '设备遗失'\n\n"
    "只停用这一个密钥；先用 gateway client rotate 换发 it ends this one key: rotate first, if its owner needs another.",
)
def disable(
    key: Annotated[
        str,
        typer.Argument(
            help="密钥前缀，即密钥第一个点之前的部分 prefix of the key: what stands before its dot",
            metavar="PREFIX",
            show_default=False,
        ),
    ],
    reason: ReasonOption = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """停用一个密钥，立即生效且不可恢复 Disable one key: at once, and for good."""
    why = _reason(reason, json)
    from gateway.cli.house import key_disabled

    prefix = key.partition(".")[0]  # who pastes the whole key means it, too; its secret goes no further
    with explained(json):
        asyncio.run(key_disabled(settings_of(config), prefix, why))
    if json:
        say_json({"prefix": prefix, "disabled": True})
        return
    out.print(f"已停用 disabled: {escape(prefix)}")


def _show_key(key: str) -> None:
    out.print(f"密钥（只显示这一次）key, shown this once:\n[bold]{key}[/bold]")
