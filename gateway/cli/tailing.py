"""``gateway tail``: the events as they come, one line each."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from contracts.events import EVENT_TYPES, is_filter
from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import DemoOption, JsonOption, KeyOption, ToOption, client_of, run
from gateway.client import Event

_AWAY_S = 600.0
"""How long the gateway may be away (a restart, an upgrade) before the tail ends."""

_NOTEWORTHY = ("status", "to", "route", "endpoint", "code", "level", "reason_code")


def tail(
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            help="从该游标之后开始，0 为最早；缺省从现在起 after this cursor; 0: from the first; absent: from now on",
            metavar="CURSOR",
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type", help="只看这些类型，可重复 only these, e.g. confirmation.*（repeatable）", metavar="TYPE"
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option("--limit", min=0, metavar="N", help="看到这么多条后结束，0 = 不限 end after so many; 0: never"),
    ] = 0,
    json: JsonOption = False,
) -> None:
    """跟随事件流，Ctrl-C 结束 Follow the events as they come; Ctrl-C ends."""
    unknown = [each for each in types or () if not is_filter(each)]
    if unknown:
        leave(Exit.USAGE, f"没有这种事件类型 there is no such event type: {', '.join(unknown)}", machine=json)

    async def follow() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, task.cancel)
        seen = 0
        async with client_of(to, key, demo, operator=True) as client:
            await client.events(limit=1)  # whether address and key are right is told at once
        async with client_of(to, key, demo, operator=True, patience_s=_AWAY_S) as client:
            try:
                async for event in client.follow(after, types=types or ()):
                    if json:
                        say_json(event.model_dump(mode="json", exclude_none=True))
                    else:
                        out.print(line(event))
                    seen += 1
                    if limit and seen >= limit:
                        return
            except asyncio.CancelledError:
                return

    with explained(json):
        run(follow)


def line(event: Event) -> str:
    """An event as one line: time, what, about which case, and its noteworthy facts."""
    at = datetime.fromisoformat(event.time).strftime("%H:%M:%S")
    kind = EVENT_TYPES.get(event.type)
    about = event.text("source_case_no") or event.subject
    facts = "  ".join(f"{name}={event.text(name)}" for name in _NOTEWORTHY if event.text(name))
    title = kind.zh if kind is not None else event.type
    return f"[dim]{at}[/dim] [cyan]{escape(event.type)}[/cyan] {escape(title)}  {escape(about)}  [dim]{escape(facts)}[/dim]"
