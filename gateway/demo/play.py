"""The whole demonstration in one go: the stage, the cases, the watching, the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from gateway.client import GatewayClient
from gateway.demo.client_log import ClientLog
from gateway.demo.feed import Feed
from gateway.demo.ledgers import ClientLedger, gateway_ledger, platform_ledger, standing
from gateway.demo.memory import be_thrifty, give_back, peak_rss_mb
from gateway.demo.operator import Duty
from gateway.demo.progress import Progress
from gateway.demo.stage import Stage, staged
from gateway.demo.traffic import Desk, Traffic
from gateway.demo.verdict import Fault, Kind, compare
from gateway.demo.waits import Wait, is_over, of_cases, waits
from gateway.demo.workspace import OWNER_WITHIN_S, Workspace

_LOOK_S = 0.25
_QUIET_LOOKS = 4
_COUNTING_ONE_IN = 20
"""Counting holds the store's one connection: of this many seconds one at the most."""
_VERDICTS, _BETWEEN_VERDICTS_S = 6, 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``cases`` 0: an idle stage. ``once``: end with the verdict. ``machine``: standard output belongs to
    the one line of JSON. ``at_once``: cases that live at the same time. ``brief``: most of them are short (see ``Script``).
    ``patience_s``: how long nothing may happen before the run is given up; longer where something is to be tried again
    (``waits.is_over``). ``beside``: platforms that play on request."""

    cases: int = 40
    seed: int = 7
    once: bool = False
    machine: bool = False
    data: Path | None = None
    port: int | None = None
    rate_per_s: float = 0.0
    at_once: int = 20
    brief: bool = False
    patience_s: float = 90.0
    beside: tuple[str, ...] = ()


async def play(options: Options, console: Console) -> tuple[int, dict[str, Any] | None]:
    """Play; returns the exit code and, of a run that ended by itself, the summary.

    Raises:
        StageRefused, SettingsRefused: the stage could not be set.
    """
    be_thrifty()
    with _ended_by_signal():
        waits_s = options.patience_s if options.once else OWNER_WITHIN_S
        async with Workspace(options.data, waits_s) as workspace:
            began = workspace.began(options.seed)
            async with (
                staged(workspace, options.port, options.beside) as stage,
                _traffic(stage, options, began) as traffic,
            ):
                _say_where(console, stage, options)
                await stage.wake_clerks(options.seed)
                started = time.monotonic()
                if options.cases:
                    await _watched(stage, traffic, options, console)
                if not options.once:
                    console.print("舞台已就绪，按 Ctrl-C 结束 the stage is yours, Ctrl-C ends it")
                    await asyncio.Event().wait()
                give_back()
                faults = await _verdict(stage, traffic)
                left = [*of_cases(traffic.client_log), *await waits(stage.house)] if faults else []
                summary = await _summary(stage, faults, time.monotonic() - started)
                return _summed_up(summary, faults, left, console, stage.workspace.path)


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """SIGINT and SIGTERM cancel what runs, so that everything ends in order."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        if task is not None:
            loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _traffic(stage: Stage, options: Options, began: datetime) -> AsyncIterator[Traffic]:
    desks = {}
    (stage.workspace.path / "feeds").mkdir(exist_ok=True)
    for code, key in stage.keys.items():
        client = GatewayClient(stage.url, key, patience_s=options.patience_s)
        desks[code] = Desk(client, Feed(client, stage.workspace.path / "feeds" / f"{code}.ndjson"))
    client_log = ClientLog(stage.workspace.path / "client.ndjson")
    try:
        platforms = {platform.name: platform for platform in stage.platforms}
        yield Traffic(options.seed, began, desks, client_log, stage.adapters, platforms, options.brief)
    finally:
        client_log.close()
        for desk in desks.values():
            desk.feed.close()
            await desk.client.close()


@asynccontextmanager
async def _on_duty(stage: Stage, wanted: bool) -> AsyncIterator[None]:
    """An operator is on duty while this is entered; where a person plays, it is theirs to do."""
    if not wanted:
        yield
        return
    async with GatewayClient(stage.url, stage.operator, patience_s=10.0) as client:
        working = asyncio.create_task(Duty(client, stage.platforms).run())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def _watched(stage: Stage, traffic: Traffic, options: Options, console: Console) -> None:
    """Let the cases live until all is settled, or nothing has happened for the patience's time."""
    endpoints = list(stage.house.endpoints)
    async with traffic.feeds(), _on_duty(stage, options.once):
        living = asyncio.create_task(traffic.play(options.cases, options.at_once, options.rate_per_s))
        try:
            with Progress(console, endpoints) as progress:
                quiet, last, changed = 0, None, time.monotonic()
                while quiet < _QUIET_LOOKS:
                    looked = time.monotonic()
                    now = await standing(stage.house)
                    took = time.monotonic() - looked
                    progress.show(traffic.started, traffic.finished, options.cases, now)
                    quiet = quiet + 1 if living.done() and now.open == 0 else 0
                    mark = (now, traffic.finished, traffic.client_log.lines)
                    if mark != last:
                        last, changed = mark, time.monotonic()
                    elif quiet == 0 and (idle_s := time.monotonic() - changed) > options.patience_s:
                        left = await waits(stage.house)
                        if is_over(idle_s, options.patience_s, left):
                            break
                    await asyncio.sleep(max(_LOOK_S, took * _COUNTING_ONE_IN))
                progress.show(traffic.started, traffic.finished, options.cases, await standing(stage.house))
        finally:
            if not living.done():
                living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living


async def _verdict(stage: Stage, traffic: Traffic) -> list[Fault]:
    """The verdict; a platform may still be writing its last line, so one that finds faults is taken again a few times."""
    faults: list[Fault] = []
    for turn in range(_VERDICTS):
        if turn:
            await asyncio.sleep(_BETWEEN_VERDICTS_S)
        for desk in traffic.desks.values():
            await desk.feed.drain()
        client = ClientLedger(
            acknowledged=list(traffic.client_log.acknowledged()),
            feeds={code: desk.feed for code, desk in traffic.desks.items()},
            broken=[f"case {broken.number}: {broken.reason}" for broken in traffic.broken]
            + [f"{traffic.started - traffic.finished - len(traffic.broken)} cases did not end"]
            * (traffic.started > traffic.finished + len(traffic.broken)),
        )
        platforms = [await platform_ledger(platform) for platform in stage.platforms]
        faults = compare(client, await gateway_ledger(stage.house), platforms)
        if not faults:
            break
    return faults


async def _summary(stage: Stage, faults: list[Fault], seconds: float) -> dict[str, Any]:
    now = await standing(stage.house)
    return {
        "cases": now.cases,
        "messages": now.messages,
        "deliveries": now.deliveries,
        "confirmations": now.confirmations,
        **{kind.value: sum(fault.kind is kind for fault in faults) for kind in Kind},
        "seconds": round(seconds, 1),
        "peak_rss_mb": peak_rss_mb(stage.mocks.pid),
    }


def _summed_up(
    summary: dict[str, Any], faults: list[Fault], left: list[Wait], console: Console, directory: Path
) -> tuple[int, dict[str, Any]]:
    if faults:
        console.print(f"[red]{len(faults)} 处不符 faults[/red]")
        for fault in faults[:50]:
            console.print(escape(str(fault)), soft_wrap=True, highlight=False)
        for wait in left[:50]:
            console.print(escape(f"未了 unended {wait}"), soft_wrap=True, highlight=False)
        report = [{"kind": f.kind.value, "place": f.place, "id": f.id, "what": f.what} for f in faults]
        (directory / "faults.json").write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8")
    else:
        console.print("[green]四本账相符：无丢失、无重复、无乱序 nothing lost, doubled or out of order[/green]")
    return (1 if faults else 0), summary


def _walk(stage: Stage) -> list[str]:
    """A walk for the newcomer: break a platform, watch its messages wait, heal it (faults are the mocks' control interface)."""
    if not stage.platforms:
        return []
    platform = stage.platforms[0]
    faults = f"{platform.url}/_mock/faults"
    script = escape('[{"op": "*", "action": "http", "status": 503, "times": 0}]')
    return [
        f"  走一遍 a walk, with {platform.name}:",
        f"    1 弄坏 break it     curl -X POST {faults} -H 'Content-Type: application/json' -d '{script}'",
        "    2 报案 post a case   gateway send，再 gateway find：投递在等待并说明原因 it waits and says why",
        f"    3 治好 heal it      curl -X DELETE {faults}",
        "    4 再看 look again    gateway find：补投完成，次序不乱 delivered late, in order",
    ]


def _say_where(console: Console, stage: Stage, options: Options) -> None:
    """Addresses and keys, in the order in which a newcomer needs them."""
    organization, key = next(iter(stage.keys.items()))
    lines = [
        "[bold]劳动争议调解对接网关 演示 Mediation gateway, demonstration[/bold]  [red]演示数据 synthetic data[/red]",
        f"  接口 API      {stage.url}    文档 docs {stage.url}/docs",
        f"  控制台 console {stage.url}/console/",
        *(f"    登录 login   {name:9} {password}" for name, password in stage.logins.items()),
        f"  上报密钥 key   {organization}  {key}",
        f"  运维密钥 operator  {stage.operator}",
        *(f"  模拟平台 mock  {platform.name}  {platform.url}" for platform in stage.platforms),
        f"  目录 directory {stage.workspace.path}（地址和全部密钥见 demo.json: all addresses and keys）",
    ]
    if not options.once:
        lines += [
            "  试一试 try this:",
            f"    gateway tail --demo {stage.workspace.path}",
            f"    gateway send FILE --demo {stage.workspace.path}",
            f"    gateway find NUMBER --demo {stage.workspace.path}",
            *_walk(stage),
        ]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
