"""``gateway doctor``: checks and cures, one line each."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.markup import escape

from gateway.cli.exits import Exit, out, say_json
from gateway.cli.options import ConfigOption, JsonOption, run


def doctor(config: ConfigOption = None, json: JsonOption = False) -> None:
    """体检：配置、密钥、数据库、各平台连通 Check configuration, keys, database and every platform; exit code 1 if one fails."""
    from gateway.cli.checks import examine

    checks = run(lambda: examine(config))
    failed = any(check.ok is False for check in checks)
    if json:
        say_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            mark = {True: "[green]✔[/green]", False: "[red]✘[/red]", None: "[yellow]•[/yellow]"}[check.ok]
            out.print(f"{mark} {escape(check.name)}  {escape(check.found)}")
            if check.cure:
                out.print(f"    → {escape(check.cure)}")
    raise typer.Exit(int(Exit.FAILED if failed else Exit.OK))
