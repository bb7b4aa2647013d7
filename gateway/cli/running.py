"""``gateway serve``, ``work``, ``migrate``, ``client add``, ``mocks``: what runs and prepares the house."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import logs
from gateway.app import build, database_path, machine_ms, read_keys
from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, run, settings_of
from gateway.demo.stage import add_client
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES, make_key
from gateway.security.fields import Sealer
from gateway.settings import Settings
from gateway.store.engine import Sqlite
from gateway.store.ids import Ids
from gateway.store.migrate import migrate_sqlite
from gateway.store.store import open_sqlite
from gateway.web.listen import Listener, listening_socket
from gateway.web.server import web

client = typer.Typer(no_args_is_help=True, help="接入方与密钥 Clients and their keys", rich_markup_mode="rich")


def serve(config: ConfigOption = None) -> None:
    """启动网关：接口、回调与投递在同一进程 Serve: API, callbacks and deliveries in one process; SIGTERM ends it in order."""
    with explained():
        settings = settings_of(config)
        logs.configure()
        raise typer.Exit(run(lambda: _serve(settings)))


async def _serve(settings: Settings) -> int:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _once, loop, end)
    try:
        bound = listening_socket(settings.host, settings.port)
    except OSError as error:
        leave(
            Exit.BUSY,
            f"无法监听 cannot listen on {settings.host}:{settings.port}（{error.strerror}）",
            "该端口已被占用，或地址不属于本机。The port is taken, or the address is not this machine's.",
        )
    house = None
    try:
        house = await build(settings)
        listener = Listener(web(house), bound)
        await listener.start()
        house.start()
        host, port = bound.getsockname()[:2]
        typer.echo(f"就绪 ready http://{f'[{host}]' if ':' in host else host}:{port}")
        told, died = asyncio.create_task(end.wait()), asyncio.create_task(listener.ended())
        await asyncio.wait((told, died), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        await listener.stop()
        return Exit.OK if end.is_set() else Exit.FAILED
    finally:
        bound.close()
        if house is not None:
            await house.close()


def _once(loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> None:
    """The first signal ends in order; a second one has its plain effect."""
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
    end.set()


def work(config: ConfigOption = None) -> None:
    """只做投递（需要 PostgreSQL） Deliver only, beside other processes (needs PostgreSQL)."""
    with explained():
        settings = settings_of(config)
    if settings.database == "sqlite":
        leave(
            Exit.CONFIG,
            "database = sqlite 只供一个进程使用，gateway serve 已同时承担接口和投递，无需 work。",
            "SQLite carries one process, and gateway serve does both: there is nothing for a second one to work on.",
        )
    leave(
        Exit.CONFIG,
        f"不认识的数据库 unknown database: {settings.database}（可用 there is: sqlite）",
    )


def migrate(config: ConfigOption = None, json: JsonOption = False) -> None:
    """把数据库升级到最新结构 Bring the database to the newest schema (serve does it by itself)."""
    with explained(json):
        settings = settings_of(config)
        path = database_path(settings)
        if path.exists():
            asyncio.run(_try_lock(path))
        before, after = migrate_sqlite(path)
    if json:
        say_json({"database": str(path), "before": before, "after": after})
    elif before == after:
        out.print(f"已是最新 newest already: {after}")
    else:
        out.print(f"已升级 migrated: {before or '–'} → {after}")


async def _try_lock(path: Path) -> None:
    """Raises ``StoreLocked`` while another process has the database."""
    await Sqlite(path, machine_ms).close()


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
    scopes = UPSTREAM_SCOPES if role == "upstream" else OPERATOR_SCOPES
    with explained(json):
        added = asyncio.run(_add(settings_of(config), name, scopes, codes))
    if json:
        say_json({**added, "name": name, "role": role, "organizations": list(codes), "scopes": list(scopes)})
        return
    out.print(f"已登记 added: {escape(name)}  {added['client']}")
    out.print(f"密钥（只显示这一次）key, shown this once:\n[bold]{added['key']}[/bold]")


async def _add(settings: Settings, name: str, scopes: tuple[str, ...], codes: tuple[str, ...]) -> dict[str, Any]:
    path = database_path(settings)
    sealer = Sealer(read_keys(settings))
    if path.exists():
        await _try_lock(path)
    await asyncio.to_thread(migrate_sqlite, path)
    store = await open_sqlite(path, sealer, Ids(machine_ms, os.urandom), machine_ms)
    try:
        key = make_key()
        return {"client": await add_client(store, key, name, scopes, codes), "key": key.shown}
    finally:
        await store.close()


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
