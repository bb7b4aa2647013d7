"""``gateway export``: ledger, statistics and indicators as files; ``gateway report``: statistical reports, on request."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
import typer
from rich.markup import escape

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import DemoOption, JsonOption, KeyOption, ToOption, client_of, run
from gateway.client import GatewayClient

export = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="导出台账、统计、评查指标 Ledger, statistics and indicators as files",
)
report = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="统计上报 Statistical reports to platforms")

_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


class Basis(StrEnum):
    """Which day of a case counts (口径)."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    ENDED = "ended"
    OPEN = "open"


OrganizationOption = Annotated[
    str | None,
    typer.Option(
        "--organization",
        "-o",
        help="组织代码，缺省为密钥所代表的全部 an organisation's code; absent: all that the key acts for",
        metavar="CODE",
        show_default=False,
    ),
]
PeriodOption = Annotated[
    str | None,
    typer.Option("--period", "-p", help="季度 a quarter: 2026Q3", metavar="QUARTER", show_default=False),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="起始日（北京时间），缺省为当年第一天 first day, in Beijing; absent: the year's first",
        metavar="DAY",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until", help="截止日（含） last day, included; 缺省为今天 absent: today", metavar="DAY", show_default=False
    ),
]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV（UTF-8，带 BOM，Excel 可直接打开） the default")]
XlsxOption = Annotated[
    bool, typer.Option("--xlsx", help="Excel 工作簿，须用 --out 或重定向 a workbook, to --out or a redirected output")
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="写入文件（不覆盖）；缺省为标准输出 a new file; absent: standard output",
        metavar="FILE",
        show_default=False,
    ),
]


@export.command(
    "ledger",
    epilog="示例 examples:\n\n  gateway export ledger --period 2026Q3 --xlsx --out 台账.xlsx --demo ./run\n\n"
    "  gateway export ledger --from 2026-01-01 --basis ended --csv > ended.csv\n\n"
    "  gateway export ledger -o SD-JN-LX-001 --json | jq '.items[].missing'\n\n"
    "缺省脱敏；--plain 须是本组织的密钥并说明理由，记入审计。"
    "Masked unless --plain: an own key, a reason, an audit row.",
)
def ledger(
    organization: OrganizationOption = None,
    period: PeriodOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    basis: Annotated[
        Basis,
        typer.Option(
            "--basis", help="按哪一天归入期间：登记、受理、结案、期末未结 which day puts a case into the period"
        ),
    ] = Basis.RECEIVED,
    plain: Annotated[bool, typer.Option("--plain", help="明文，须 --reason in plain text, with a reason")] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="理由，记入审计 why; audited", show_default=False)
    ] = None,
    csv: CsvOption = False,
    xlsx: XlsxOption = False,
    out_file: OutOption = None,
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    json: JsonOption = False,
) -> None:
    """电子台账：每案一行，缺项随行列出 The ledger: one line for each case, with what it lacks."""
    query = _query(organization, period, since, until) | {"basis": basis.value}
    if plain:
        query["plain"] = "true"
    _export("ledger", query, csv, xlsx, json, out_file, to, key, demo, reason)


@export.command(
    "stats",
    epilog="示例 examples:\n\n  gateway export stats --period 2026Q3 --csv\n\n"
    "  gateway export stats --from 2026-01-01 --until 2026-12-31 --json | jq .success_rate\n\n"
    "每个数都可由 ledger 链接点回案件。Every figure's ledger link leads back to its cases.",
)
def stats(
    organization: OrganizationOption = None,
    period: PeriodOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    csv: CsvOption = False,
    xlsx: XlsxOption = False,
    out_file: OutOption = None,
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    json: JsonOption = False,
) -> None:
    """统计：受理、结案、成功率、超期、完整率，附口径 The statistics, each figure with its definition."""
    _export("statistics", _query(organization, period, since, until), csv, xlsx, json, out_file, to, key, demo)


@export.command(
    "indicators",
    epilog="示例 examples:\n\n  gateway export indicators -o SD-JN-LX-001 --from 2026-01-01 --xlsx --out 评查.xlsx",
)
def indicators(
    organization: OrganizationOption = None,
    period: PeriodOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    csv: CsvOption = False,
    xlsx: XlsxOption = False,
    out_file: OutOption = None,
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    json: JsonOption = False,
) -> None:
    """评查指标：网关自身数据所能证明的 The appraisal's indicators that the gateway's own data prove."""
    _export("indicators", _query(organization, period, since, until), csv, xlsx, json, out_file, to, key, demo)


def _query(organization: str | None, period: str | None, since: str | None, until: str | None) -> dict[str, str]:
    given = {"organization": organization, "period": period, "from": since, "to": until}
    return {name: value for name, value in given.items() if value is not None}


def _export(
    name: str,
    query: dict[str, str],
    csv: bool,
    xlsx: bool,
    json: bool,
    out_file: Path | None,
    to: str | None,
    key: str | None,
    demo: Path | None,
    reason: str | None = None,
) -> None:
    if csv + xlsx + json > 1:
        leave(Exit.USAGE, "--csv、--xlsx、--json 只能选一个。", "Choose one of --csv, --xlsx and --json.", machine=json)
    kind = "xlsx" if xlsx else "json" if json else "csv"
    if kind == "xlsx" and out_file is None and sys.stdout.isatty():
        leave(
            Exit.USAGE, "XLSX 不能显示在终端，请给出 --out FILE。", "A workbook cannot be shown here: give --out FILE."
        )
    if out_file is not None and out_file.exists():
        leave(Exit.CANNOT_CREATE, f"文件已存在 the file exists: {out_file}", machine=json)

    async def fetch(file: IO[bytes]) -> int:
        size = 0
        own = "plain" in query  # of a demonstration's keys the operator's reads masked lines alone
        whose = query.get("organization")
        async with client_of(to, key, demo, organization=whose, operator=not own) as client:
            pieces = _pages(client, query, reason) if (name, kind) == ("ledger", "json") else None
            async for piece in pieces or client.report(name, _TYPES[kind], query, reason=reason):
                size += len(piece)
                await asyncio.to_thread(file.write, piece)
        return size

    with explained(json), _target(out_file) as file:
        size = run(lambda: fetch(file))
    if out_file is not None and not json:
        out.print(f"已写入 written: {escape(str(out_file))}（{size:,} bytes）")


@contextmanager
def _target(path: Path | None) -> Iterator[IO[bytes]]:
    """Where the bytes go. A file appears when it is whole, and only its owner may read it."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        handle, made = tempfile.mkstemp(".part", f".{path.name}.", path.parent)
    except OSError as error:
        leave(Exit.CANNOT_CREATE, f"不能写入 cannot write: {path}（{error.strerror}）")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(made).replace(path)
    finally:
        Path(made).unlink(missing_ok=True)


async def _pages(client: GatewayClient, query: Mapping[str, str], reason: str | None) -> AsyncIterator[bytes]:
    """The whole ledger as one JSON object, its pages put together."""
    head: dict[str, Any] = {}
    items: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page: dict[str, Any] = await client.get("/v1/ledger", {**query, **cursor}, reason=reason)
        items += page.pop("items")
        following = page.pop("cursor", None)
        head = page
        if following is None:
            break
        cursor = {"cursor": following}
    yield orjson.dumps({**head, "items": items}) + b"\n"


@report.command(
    "make",
    epilog="示例 examples:\n\n  gateway report make -o SD-JN-LX-001 --period 2026Q3 --reason 季度上报 --key $OPERATOR_KEY\n\n"
    "数字未变则不重复上报。Figures that were told already are not told again.",
)
def make(
    organization: Annotated[
        str,
        typer.Option(
            "--organization", "-o", help="组织代码 the organisation's code", metavar="CODE", show_default=False
        ),
    ],
    period: Annotated[
        str,
        typer.Option(
            "--period", "-p", help="已结束的季度 a quarter that is over: 2026Q3", metavar="QUARTER", show_default=False
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", help="理由，记入审计 why; audited", metavar="TEXT", show_default=False)
    ],
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    json: JsonOption = False,
) -> None:
    """生成统计报表并报送接收它的平台 Make a statistical report and send it to the platforms that take it."""

    async def ask() -> dict[str, Any]:
        async with client_of(to, key, demo, operator=True) as client:
            asked = {"organization": organization, "period": period, "reason": reason}
            return await client.post("/v1/ops/reports", asked)

    with explained(json):
        made = run(ask)
    if json:
        say_json(made)
        return
    word = "数字未变 unchanged" if made["unchanged"] else "已生成 made"
    out.print(f"{word}: {made['id']}  版本 version {made['version']}")
    for item in made["document"]["items"]:
        out.print(f"  {item['code']}  {item['value']}")
    if not made["deliveries"]:
        out.print("没有平台接收统计报表，已留存 No platform takes it: it is kept.")
    for delivery in made["deliveries"]:
        out.print(f"  → {escape(delivery['endpoint'])}  {delivery['id']}")
