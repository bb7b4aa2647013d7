"""``gateway verify``: whether what must not change has changed."""

from __future__ import annotations

import asyncio
import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, settings_of
from gateway.store.journal import AuditFlaw, AuditHead

verify = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="核验 Verify what must not change")

_FLAWS = {
    AuditFlaw.MISSING: "缺少这一行 the row is missing",
    AuditFlaw.CHANGED: "内容被改动 the row was changed",
    AuditFlaw.UNLINKED: "与前一行不衔接 the row does not follow the one before",
    AuditFlaw.CUT: "链尾被截断或者重写 the chain's end was cut off, or the chain was written anew",
}
_SHOWN = 50


@verify.command(
    "audit",
    epilog="示例 examples:\n\n  gateway verify audit --config gateway.toml --keep audit-head.json\n\n"
    "  gateway verify audit --config gateway.toml --head audit-head.json\n\n"
    "链本身看不出末尾被删：把链头存到别处（--keep），下次用它核对（--head）。"
    "A chain alone cannot tell that its end is gone: keep its head elsewhere, and compare by it.\n\n"
    "SQLite 须先停止 gateway serve。With SQLite stop gateway serve first.",
)
def audit(
    head: Annotated[
        Path | None,
        typer.Option("--head", help="以前保存的链头 a head that was kept before", metavar="FILE", show_default=False),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", help="核验无误后保存链头 keep the head where all is sound", metavar="FILE", show_default=False
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """重算审计链，报告每一处被改、被删、被截断 Compute the audit chain anew: every row changed, deleted or cut off."""
    from gateway.cli.house import audit_verified

    kept = None if head is None else _read(head, json)
    with explained(json):
        verdict = asyncio.run(audit_verified(settings_of(config), kept))
    end = {"number": verdict.head.number, "hash": verdict.head.hash.hex()}
    if json:
        flaws = [{"number": number, "flaw": str(flaw)} for number, flaw in verdict.flaws]
        say_json({"sound": verdict.sound, "head": end, "flaws": flaws})
    else:
        out.print(f"链头 head: {end['number']}  {end['hash']}")
        for number, flaw in verdict.flaws[:_SHOWN]:
            out.print(f"  [red]{number}[/red]  {_FLAWS[flaw]}")
        if len(verdict.flaws) > _SHOWN:
            out.print(f"  … +{len(verdict.flaws) - _SHOWN}")
        out.print(
            "审计链完整 the chain is sound" if verdict.sound else "[red]审计链有问题 the chain is not sound[/red]"
        )
    if not verdict.sound:
        raise typer.Exit(Exit.FAILED)
    if keep is not None:
        keep.write_text(json_text.dumps(end) + "\n", "utf-8")


def _read(path: Path, machine: bool) -> AuditHead:
    try:
        found = json_text.loads(path.read_text("utf-8"))
        return AuditHead(int(found["number"]), bytes.fromhex(found["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        leave(Exit.NO_INPUT, f"读不到链头 no head can be read: {path}", machine=machine)
