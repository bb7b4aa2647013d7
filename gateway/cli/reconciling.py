"""``gateway reconcile``: our deliveries against what a platform holds, as a table for people or one line for a machine."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import DEFAULT_URL, DemoOption, JsonOption, KeyOption, client_of, run
from gateway.client import GatewayClient

_ASK_AGAIN_S: Final = 0.5
_ROWS: Final = 200

_METHODS: Final = {
    "listing": "核对平台的报送清单 by the platform's list of filings",
    "asking": "逐笔查询 by asking for each delivery",
    "words": "核对平台的变更清单 by the platform's list of changes",
    "asking_words": "逐笔查询并核对变更清单 by asking for each, and by the list of changes",
    "nothing": "平台既无清单也无查询 the platform has neither list nor question",
}
_KINDS: Final = {
    "missing": "平台缺失 missing there",
    "foreign": "我方未知 unknown here",
    "differing": "两边不同 differing",
    "undecided": "存疑待定 undecided here",
}
_STATES: Final = {
    "open": "待处理 open",
    "hearing": "重取中 being heard",
    "healed": "已修复 mended",
    "person": "已转人工 with a person",
    "moot": "已无差异 no longer so",
    "failed": "未能修复 not mended",
}


def reconcile(
    endpoint: Annotated[
        str, typer.Argument(help="对接名 name of the endpoint", metavar="ENDPOINT", show_default=False)
    ],
    since: Annotated[
        str,
        typer.Option(
            "--from", help="起始日（北京时间）或 RFC 3339 时刻 first day, or a time", metavar="DAY", show_default=False
        ),
    ],
    until: Annotated[
        str,
        typer.Option(
            "--to", help="截止日（含）或 RFC 3339 时刻 last day, included, or a time", metavar="DAY", show_default=False
        ),
    ],
    heal: Annotated[
        bool,
        typer.Option(
            "--heal",
            help="修复：缺失的原号重报，存疑的按平台答复裁决，不同的重取状态，未知的转人工 mend: what is missing "
            "goes again under its id, doubts are decided, what differs is heard anew, the foreign goes to a person",
        ),
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            help="只修复这类差异，可重复 mend these kinds alone, repeatable: missing, foreign, differing, undecided",
            metavar="KIND",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason", help="修复理由，记入审计 why, for the audit trail", metavar="TEXT", show_default=False
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", envvar="GATEWAY_URL", help=f"网关地址 the gateway's address（{DEFAULT_URL}）", metavar="URL"
        ),
    ] = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    json: JsonOption = False,
) -> None:
    """与平台对账：缺失、未知、不同、存疑；按要求修复 Reconcile with a platform: missing, foreign, differing, undecided"""
    if heal and not (reason or "").strip():
        leave(Exit.USAGE, "修复要写明理由：--reason", "Mending needs a reason: --reason TEXT", machine=json)
    wanted = list(kind or _KINDS)
    if not set(wanted) <= set(_KINDS):
        leave(Exit.USAGE, f"差异种类 kinds: {', '.join(_KINDS)}", machine=json)

    async def compare() -> dict[str, Any]:
        async with client_of(url, key, demo, operator=True, patience_s=30) as client:
            found = await _ended(client, await client.reconcile(endpoint, since, until))
            if heal and found["state"] == "done" and found["open"]:
                found = await _ended(
                    client, await client.heal_reconciliation(found["id"], (reason or "").strip(), wanted)
                )
            return found

    with explained(json):
        found = run(compare)
    if json:
        say_json(found)
    else:
        _print(found)
    raise typer.Exit(int(_exit(found)))


async def _ended(client: GatewayClient, found: dict[str, Any]) -> dict[str, Any]:
    """Wait until it neither runs nor heals; all its differences."""
    while found["state"] in ("running", "healing"):
        await asyncio.sleep(_ASK_AGAIN_S)
        found = await client.get(f"/v1/ops/reconciliations/{found['id']}")
    items, cursor = list(found["items"]), found.get("cursor")
    while cursor is not None and len(items) < _ROWS:
        page: dict[str, Any] = await client.get(f"/v1/ops/reconciliations/{found['id']}", {"cursor": cursor})
        items += page["items"]
        cursor = page.get("cursor")
    return {**found, "items": items}


def _exit(found: dict[str, Any]) -> Exit:
    if found["state"] != "done":
        return Exit.FAILED
    if not found["comparable"]:
        return Exit.NOT_COMPARABLE
    unsettled = sum(states.get(state, 0) for states in found["differences"].values() for state in _UNSETTLED)
    return Exit.FAILED if unsettled else Exit.OK


_UNSETTLED: Final = ("open", "hearing", "person", "failed")


def _print(found: dict[str, Any]) -> None:
    out.print(f"[bold]{escape(found['endpoint'])}[/bold]  {found['from']} – {found['to']}  [dim]{found['id']}[/dim]")
    out.print(f"  方式 how: {_METHODS[found['method']]}")
    if not found["comparable"]:
        out.print(
            "  [yellow]无法对账：平台不提供清单或查询，只能等它的答复。[/yellow] "
            "Cannot be compared: the platform offers neither list nor question; only its words tell."
        )
        return
    hidden = [_KINDS[kind] for kind in _KINDS if kind not in found["sees"]]
    if hidden:
        out.print(f"  平台协议看不出 its protocol cannot tell: {'; '.join(hidden)}")
    counts = f"  我方已核对 ours compared {found['compared']}，平台清单 rows of theirs {found['held']}"
    if found["unasked"]:
        counts += f"，无法核对 not to be told {found['unasked']}"
    out.print(counts)
    if found["state"] != "done":
        out.print(f"  [red]没有完成 not finished[/red]: {escape(str(found.get('code', found['state'])))}")
    if not found["items"]:
        out.print("  [green]没有差异 no differences[/green]")
        return
    _table(found["items"])
    total = sum(many for states in found["differences"].values() for many in states.values())
    if total > len(found["items"]):
        out.print(f"  … 共 {total} 条，其余见控制台 {total} in all, see the console or --json")
    if any(states.get("open") for states in found["differences"].values()):
        out.print("  修复 to mend: --heal --reason TEXT")


def _table(items: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in (
        "差异 difference",
        "原因 code",
        "我方 ours",
        "我方状态 standing here",
        "平台编号 their number",
        "平台状态 theirs",
        "处理 state",
    ):
        table.add_column(title, overflow="fold")
    for item in items[:_ROWS]:
        table.add_row(
            _KINDS[item["kind"]],
            escape(item["code"]),
            escape(item.get("delivery") or item.get("about") or "–"),
            escape(item.get("ours") or "–"),
            escape(item.get("reference") or item.get("name") or "–"),
            escape(item.get("theirs") or "–"),
            _STATES[item["state"]] + (f" ({escape(item['outcome'])})" if item.get("outcome") else ""),
        )
    out.print(table)
