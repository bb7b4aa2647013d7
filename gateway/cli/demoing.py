"""``gateway demo``: the whole house on one stage, with one command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.exits import Exit, err, explained, out, say_json
from gateway.cli.options import run


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="案件办结、核账后退出 end with the verdict once all is settled")
    ] = False,
    cases: Annotated[
        int | None,
        typer.Option(
            "--cases",
            min=0,
            max=100_000,
            metavar="N",
            help="案件数，缺省 24；0 = 空舞台 how many; 0 = an idle stage",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=999_999, metavar="S", help="同种子同案件 same seed, same cases")
    ] = 7,
    json: Annotated[
        bool, typer.Option("--json", help="标准输出只有一行 JSON 小结 standard output: one line of JSON at the end")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="存于此目录，中断后以相同参数续演 kept here: the same arguments go on after a crash",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=1,
            max=65535,
            metavar="P",
            help="网关端口，缺省取空闲端口 the gateway's port, else a free one",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            min=0,
            metavar="R",
            help="每秒开始的案件数，0 = 尽快 cases begun per second, 0 = at once",
            show_default=False,
        ),
    ] = None,
    at_once: Annotated[
        int,
        typer.Option(
            "--at-once",
            min=1,
            max=1000,
            metavar="N",
            help="同时进行的案件数 cases that live at the same time, default 20",
        ),
    ] = 20,
    brief: Annotated[
        bool,
        typer.Option(
            "--brief",
            help="十一件中十件为短案（受理后即和解），用于大批量 ten of eleven cases are short, for runs of many",
        ),
    ] = False,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="PLATFORM",
            help="再加一个平台，可重复 one more platform, repeatable: national_mediation, commerce_federation, "
            "enterprise_confederation",
            show_default=False,
        ),
    ] = None,
    patience: Annotated[
        float,
        typer.Option("--patience", min=1, metavar="S", help="停滞这么多秒后放弃 give up after so many idle seconds"),
    ] = 90.0,
) -> None:
    """一条命令看全貌：模拟平台、网关、上报方与案件 One command: mock platforms, gateway, upstream systems and their cases."""
    from gateway.demo.play import Options, play

    options = Options(
        cases=24 if cases is None else cases,
        seed=seed,
        once=once,
        machine=json,
        data=data,
        port=port,
        rate_per_s=rate if rate is not None else (0.0 if once else 2.0),
        at_once=at_once,
        brief=brief,
        patience_s=patience,
        beside=tuple(beside or ()),
    )
    console: Console = err if json else out
    code = 0
    with explained(json):
        try:
            code, summary = run(lambda: play(options, console))
        except asyncio.CancelledError:
            console.print("已结束 ended")
            raise typer.Exit(130 if once else int(Exit.OK)) from None
    if json:
        say_json(summary)
    else:
        for name, value in (summary or {}).items():
            console.print(f"  {name}: {value}")
    raise typer.Exit(code)
