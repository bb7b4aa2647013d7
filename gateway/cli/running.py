"""``gateway serve``, ``work``, ``migrate``, ``mocks``: what runs and prepares the house."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, run, settings_of
from gateway.settings import Settings


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
