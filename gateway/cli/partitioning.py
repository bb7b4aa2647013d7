"""``gateway partitions``: the months that the large tables are kept in on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from gateway.cli.exits import Exit, explained, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, settings_of


def partitions(
    config: ConfigOption = None,
    mend: Annotated[
        bool,
        typer.Option(
            "--mend",
            help="为落入 DEFAULT 的数据补建月分区并移入（期间锁表） make the months of what lies in DEFAULT, and move it there",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """按月分区：月份、估计行数、占用 The months that large tables are kept in (PostgreSQL): rows (estimated) and bytes."""
    from gateway.cli.house import partitions_of

    with explained(json):
        settings = settings_of(config)
        found = asyncio.run(partitions_of(settings, mend=mend))
    astray = sum(part.rows for part in found if part.is_default)
    if json:
        say_json({"astray": astray, "partitions": [asdict(part) for part in found]})
    elif not found:
        out.print("SQLite 不分区 tables are whole on SQLite")
    else:
        table = Table(box=None, pad_edge=False)
        for title in ("表 table", "月份 month"):
            table.add_column(title)
        for title in ("约计行数 rows, about", "MiB"):
            table.add_column(title, justify="right")
        for part in found:
            table.add_row(part.table, part.month or part.name, f"{part.rows:,}", f"{part.size / 2**20:,.1f}")
        out.print(table)
        sizes = Counter({part.table: 0 for part in found})
        for part in found:
            sizes[part.table] += part.size
        out.print("合计 in all: " + ", ".join(f"{name} {size / 2**20:,.1f} MiB" for name, size in sizes.items()))
        if astray:
            out.print(f"[yellow]{astray} 行不在任何月份内 rows lie in no month: gateway partitions --mend[/yellow]")
    raise typer.Exit(int(Exit.FAILED if astray else Exit.OK))
