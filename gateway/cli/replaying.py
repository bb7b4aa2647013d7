"""``gateway replay``: bulk redrives as the console and the API make them: look first, say why, then over a frozen list."""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from contracts.chinese_calendar import BEIJING
from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import DemoOption, JsonOption, KeyOption, ToOption, client_of, run
from gateway.client import GatewayClient, fresh_key
from gateway.store.ids import is_id

_PATH: Final = "/v1/ops/redrives"
_ASK_AGAIN_S: Final = 0.5
_PAIR: Final = re.compile(r"(\w+)[:：](.+)", re.DOTALL)
_NAMES: Final = {
    "platform": "endpoint",
    "endpoint": "endpoint",
    "平台": "endpoint",
    "status": "state",
    "state": "state",
    "状态": "state",
    "cause": "code",
    "code": "code",
    "原因": "code",
    "type": "type",
    "类型": "type",
    "org": "organization",
    "organization": "organization",
    "组织": "organization",
    "case": "case",
    "案号": "case",
    "from": "from",
    "自": "from",
    "to": "to",
    "至": "to",
}
_STATES: Final = {
    "asked": "待另一人批准 waits for another's approval",
    "running": "进行中 running",
    "paused": "已暂停 paused",
    "stopped": "再次失败过多，已停 stopped: too many failed again",
    "cancelled": "已取消 cancelled",
    "done": "已完成 done",
}
_ITEMS: Final = {
    "waiting": "待发 waiting",
    "sent": "已发待果 sent",
    "ok": "成功 through",
    "failed": "再次失败 failed again",
    "skipped": "跳过 skipped",
}
_LEFT_OUT: Final = {
    "moved_on": "状态已变 moved on",
    "case_closed": "案件已结 case closed",
    "endpoint_gone": "平台已撤 platform gone",
    "overtaken": "已被后续投递越过 overtaken by a later one",
    "newer_version": "已有更新版本 a newer version is there",
    "doubt": "对方可能已有 the platform may have it",
    "cannot_be_asked": "平台不能查询 the platform cannot be asked",
}
_RUNNING: Final = frozenset({"running"})


class Kind(StrEnum):
    """What is done with each delivery."""

    SAME = "same"
    RETRANSLATE = "retranslate"
    LOOKUP = "lookup"


def replay(
    filters: Annotated[
        list[str],
        typer.Argument(
            help="条件，可多个 terms: platform: status: cause: type: org: case: from: to:；dlv_… 逐个指定 one by one；"
            "job_… 查看作业 a job's progress",
            metavar="FILTER…",
            show_default=False,
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只预览，什么也不改变 preview alone, nothing changes")
    ] = False,
    kind: Annotated[
        Kind,
        typer.Option(
            "--kind",
            help="same 原样重发；retranslate 按现行代码表重新转换、换新编号；lookup 只查询不发送 "
            "same bytes; translated anew under new ids; only asked for",
        ),
    ] = Kind.SAME,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="理由，记入审计 why, for the audit trail", metavar="TEXT", show_default=False),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", min=0.02, max=100.0, help="每秒几个 deliveries a second", metavar="N")
    ] = 1.0,
    canary: Annotated[
        int,
        typer.Option(
            "--canary",
            min=1,
            max=100,
            metavar="N",
            help="先一个，再这么多，全部成功后才继续 one, then so many, then the rest",
        ),
    ] = 10,
    stop: Annotated[
        int,
        typer.Option(
            "--stop", min=1, max=100, metavar="PERCENT", help="失败达到这个百分比即停 stop at so many per cent failed"
        ),
    ] = 20,
    overtaken: Annotated[
        bool,
        typer.Option("--overtaken", help="已被后续越过的也发（第二次确认）also what a later one has overtaken"),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="等到结束 wait for the end")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不再询问，供脚本使用 do not ask, for scripts")] = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="批准 job_…（另一人的密钥）approve a job, with another's key")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="取消 job_… cancel a job")] = False,
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    json: JsonOption = False,
) -> None:
    """批量重投：先预览，写明理由，再按冻结的名单分批发送 Redrive in bulk: look, say why, then over a frozen list

    名单冻结于预览之时，此后的失败不在其内。法定文书须由另一位操作人员批准。
    The list is frozen at the preview. Statutory documents need another operator's approval.
    """
    why = (reason or "").strip()
    if len(filters) == 1 and is_id(filters[0], "job"):
        _job(filters[0], approve, cancel, wait, why, to, key, demo, json)
        return
    if approve or cancel:
        leave(Exit.USAGE, "--approve 和 --cancel 需要作业号 need a job: gateway replay job_…", machine=json)
    terms = read_filter(filters, machine=json)
    wanted: dict[str, Any] = {"filter": terms, "kind": kind.value, "overtaken": overtaken}
    if not dry_run and not why:
        leave(
            Exit.USAGE,
            "须写明理由 --reason，或者先用 --dry-run 预览",
            "A reason is needed: --reason TEXT",
            machine=json,
        )

    async def look() -> dict[str, Any]:
        async with client_of(to, key, demo, operator=True) as client:
            return await client.post(_PATH, {**wanted, "preview": True})

    async def start(bound: str) -> dict[str, Any]:
        how: dict[str, Any] = {"reason": why, "rate": rate, "canary": canary, "stop_percent": stop}
        frozen = how if "deliveries" in terms else {**how, "bound": bound}
        async with client_of(to, key, demo, operator=True, patience_s=30) as client:
            made = await client.post(_PATH, {**wanted, **frozen}, key=fresh_key())
            return await _ended(client, made) if wait else made

    with explained(json):
        told = run(look)
        if json and dry_run:
            say_json(told)
        elif not json:
            _show(told)
        if dry_run:
            return
        if not told["count"]:
            leave(Exit.NOT_FOUND, "没有可重投的 nothing to redrive", machine=json)
        _confirm(told["count"], asked=not yes, machine=json)
        made = run(lambda: start(told["bound"]))
    _tell(made, json)


def read_filter(terms: list[str], *, machine: bool = False) -> dict[str, Any]:
    """The API's filter from terms as people type them: ``platform:court_mediation status:dead``. Days are Beijing days."""
    found: dict[str, list[str]] = {}
    for term in " ".join(terms).split():
        pair = _PAIR.fullmatch(term)
        if is_id(term, "delivery"):
            found.setdefault("deliveries", []).append(term)
        elif pair is None or pair.group(1).lower() not in _NAMES:
            leave(
                Exit.USAGE,
                f"看不懂的条件 not a term: {term}",
                "platform: status: cause: type: org: case: from: to: dlv_…",
                machine=machine,
            )
        else:
            found.setdefault(_NAMES[pair.group(1).lower()], []).append(pair.group(2))
    if "failed" in found.get("state", []):
        del found["state"]
    made: dict[str, Any] = {name: values for name, values in found.items() if name not in ("from", "to")}
    for name in ("from", "to"):
        if name in found:
            made[name] = _moment(found[name][-1], last=name == "to", machine=machine)
    return made


def _moment(text: str, *, last: bool, machine: bool) -> str:
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return datetime.combine(day, time.max if last else time.min, BEIJING).isoformat()
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        leave(Exit.USAGE, f"不是日期 not a day (2026-11-25) or a time (RFC 3339): {text}", machine=machine)


def _confirm(many: int, *, asked: bool, machine: bool) -> None:
    if not asked:
        return
    if machine or not sys.stdin.isatty():
        leave(Exit.USAGE, "脚本中请加 --yes 确认 in a script, confirm by --yes", machine=machine)
    if not typer.confirm(f"开始重投 {many} 个投递？ Start with {many} deliveries?"):
        raise typer.Exit(int(Exit.FAILED))


def _job(
    identifier: str,
    approve: bool,
    cancel: bool,
    wait: bool,
    reason: str,
    to: str | None,
    key: str | None,
    demo: Any,
    json: bool,
) -> None:
    """A job that is there already: looked at, approved or cancelled."""
    act = "approve" if approve else "cancel" if cancel else None
    if approve and cancel:
        leave(Exit.USAGE, "--approve 和 --cancel 只能选一个 one of the two", machine=json)
    if act is not None and not reason:
        leave(Exit.USAGE, "须写明理由 --reason", "A reason is needed: --reason TEXT", machine=json)

    async def work() -> dict[str, Any]:
        async with client_of(to, key, demo, operator=True, patience_s=30 if wait else 0) as client:
            path = f"{_PATH}/{identifier}"
            found = await (client.get(path) if act is None else client.post(f"{path}/{act}", {"reason": reason}))
            return await _ended(client, found) if wait else found

    with explained(json):
        found = run(work)
    _tell(found, json)


async def _ended(client: GatewayClient, found: dict[str, Any]) -> dict[str, Any]:
    """Wait while it runs."""
    while found["state"] in _RUNNING:
        await asyncio.sleep(_ASK_AGAIN_S)
        found = await client.get(f"{_PATH}/{found['id']}")
    return found


def _show(told: dict[str, Any]) -> None:
    """The preview for people."""
    more = "+" if told["more"] else ""
    out.print(f"[bold]{told['count']}{more}[/bold] 个投递符合条件 deliveries  [dim]{told['kind']}[/dim]")
    if told["count"]:
        out.print(f"  最早 oldest {told['oldest']}  最近 newest {told['newest']}")
    table = Table(box=None, padding=(0, 2), show_header=False)
    for one in told["by_endpoint"]:
        note = "  已暂停 paused" if one["paused"] else ""
        if one["delivery_class"] == "neither" and told["kind"] != "lookup":
            note += "  [red]重发可能重复 a repeat may double[/red]"
        table.add_row("平台 platform", escape(one["endpoint"]), f"{one['count']}{note}")
    for title, field in (("类型 type", "by_type"), ("原因 cause", "by_code"), ("时限 class", "by_class")):
        for name, many in sorted(told[field].items()):
            table.add_row(title, escape(name or "–"), str(many))
    for name, many in sorted(told["left_out"].items()):
        table.add_row("排除 left out", _LEFT_OUT.get(name, name), str(many))
    out.print(table)
    for one in told["overtaken"]:
        out.print(f"  [yellow]{_LEFT_OUT[one['why']]}[/yellow]  {one['id']}  ← {one['by']}")
    if told["needs_second"]:
        out.print("  [yellow]须由另一位操作人员批准 another operator must approve[/yellow]")


def _tell(found: dict[str, Any], json: bool) -> None:
    if json:
        say_json(found)
    else:
        counts = "  ".join(f"{_ITEMS[name]} {many}" for name, many in found["counts"].items() if many)
        out.print(f"[bold]{found['id']}[/bold]  {_STATES[found['state']]}  {found['kind']}  {found['total']}  {counts}")
        if found["state"] == "asked":
            out.print(f"  另一人执行 another operator: gateway replay {found['id']} --approve --reason TEXT --key KEY")
        elif found["state"] == "running":
            out.print(f"  进度 progress: gateway replay {found['id']} --wait")
    bad = found["state"] == "stopped" or (found["state"] == "done" and found["counts"]["failed"] > 0)
    raise typer.Exit(int(Exit.FAILED if bad else Exit.OK))
