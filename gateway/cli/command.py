"""The command ``gateway`` with all its parts."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from gateway import logs
from gateway.cli.alerting import alert
from gateway.cli.clients import client
from gateway.cli.configuring import config
from gateway.cli.demoing import demo
from gateway.cli.doctor import doctor
from gateway.cli.exits import CODES_TEXT
from gateway.cli.exporting import export, report
from gateway.cli.finding import find
from gateway.cli.partitioning import partitions
from gateway.cli.reconciling import reconcile
from gateway.cli.replaying import replay
from gateway.cli.running import migrate, mocks, serve, work
from gateway.cli.sending import send
from gateway.cli.tailing import tail
from gateway.cli.users import user
from gateway.cli.verifying import verify
from gateway.cli.wording import speak_both_languages

_HELP = """劳动争议调解对接网关：一个入口接入，送达各平台，状态统一回传

Mediation gateway: one door in, many platforms out, one status back"""

_FIRST = """第一次使用 first steps:

  gateway demo                      看一场演示 watch it work

  gateway config example > gateway.toml

  gateway config keys keys.toml     再写入 then write into gateway.toml: key_file = "keys.toml"

  gateway config check gateway.toml

  gateway serve --config gateway.toml

"""

speak_both_languages()
command = typer.Typer(
    name="gateway",
    help=_HELP,
    epilog=_FIRST + CODES_TEXT,
    no_args_is_help=True,
    rich_markup_mode="rich",
    # A traceback with local values could show personal data.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

_TRY = "试一试 try it"
_RUN = "运行 run"
_LOOK = "查看与报送 look and send"


def _version(asked: bool) -> None:
    if asked:
        try:
            typer.echo(f"gateway {version('mediation-gateway')}")
        except PackageNotFoundError:
            typer.echo("gateway (not installed)")
        raise typer.Exit


@command.callback()
def every_command(
    version: Annotated[bool, typer.Option("--version", help="版本 version", callback=_version, is_eager=True)] = False,
) -> None:
    """What holds for every command: what it logs goes to stderr, its answer alone to stdout."""
    logs.configure()


def _examples(*lines: str) -> str:
    """An epilog that keeps its lines apart."""
    return "\n\n".join(("示例 examples:", *(f"  {line}" for line in lines)))


command.command(
    rich_help_panel=_TRY,
    epilog=_examples(
        "gateway demo",
        "gateway demo --cases 0     空舞台，自己报送 an idle stage to play on",
        "gateway demo --once --cases 80 --seed 7 --json",
        "gateway demo --once --data ./run     中断后原样再执行即可续演 run it again to go on",
    ),
)(demo)
command.command(
    rich_help_panel=_TRY,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(mocks)
command.command(rich_help_panel=_RUN, epilog=_examples("gateway serve --config gateway.toml"))(serve)
command.command(rich_help_panel=_RUN, epilog=_examples("gateway work --config gateway.toml"))(work)
command.command(rich_help_panel=_RUN, epilog=_examples("gateway migrate --config gateway.toml"))(migrate)
command.command(
    rich_help_panel=_RUN,
    epilog=_examples("gateway partitions --config gateway.toml", "gateway partitions --json"),
)(partitions)
command.command(
    rich_help_panel=_RUN,
    epilog=_examples("gateway doctor --config gateway.toml", "gateway doctor --json"),
)(doctor)
command.add_typer(
    config,
    name="config",
    rich_help_panel=_RUN,
    epilog=_examples("gateway config example > gateway.toml", "gateway config check gateway.toml"),
)
command.add_typer(
    alert, name="alert", rich_help_panel=_RUN, epilog=_examples("gateway alert test ops --config gateway.toml")
)
command.add_typer(
    client,
    name="client",
    rich_help_panel=_RUN,
    epilog=_examples("gateway client add 历下区调解中心 --organization SD-JN-LX-001"),
)
command.add_typer(
    user, name="user", rich_help_panel=_RUN, epilog=_examples("gateway user add zhaoli 赵丽 --role administrator")
)
command.command(
    rich_help_panel=_LOOK,
    epilog=_examples(
        "gateway send 'POST cases - wages.json' --key $KEY",
        "gateway send 'POST cases {id} progress - failed.json' --case case_… --demo ./run",
        "gateway send visit.json --as 'POST cases/{id}/follow-ups' --case case_…",
    ),
)(send)
command.command(
    rich_help_panel=_LOOK,
    epilog=_examples(
        "gateway find 370102-LX001-2026-00123 --key $KEY",
        "gateway find '示例劳人仲审〔2026〕第7号' --demo ./run",
    ),
)(find)
command.command(
    rich_help_panel=_LOOK,
    epilog=_examples("gateway tail --demo ./run", "gateway tail --type 'confirmation.*' --after 0 --json"),
)(tail)
command.command(
    rich_help_panel=_LOOK,
    epilog=_examples(
        "gateway reconcile court_mediation --from 2026-10-01 --to 2026-10-07 --key $KEY",
        "gateway reconcile hr_arbitration --from 2026-10-01 --to 2026-10-01 --heal --reason '平台恢复后补报'",
    ),
)(reconcile)
command.command(
    rich_help_panel=_LOOK,
    epilog=_examples(
        "gateway replay platform:court_mediation status:dead --dry-run",
        "gateway replay platform:court_mediation status:dead --rate 5 --canary 10 --reason '平台恢复' --yes --wait",
        "gateway replay cause:E1001 --kind retranslate --reason '代码表已更新'",
        "gateway replay platform:hr_arbitration status:in_doubt --kind lookup --reason '核对'",
        "gateway replay job_… --approve --reason '同意' --key $OTHER_KEY",
    ),
)(replay)
command.add_typer(
    export,
    name="export",
    rich_help_panel=_LOOK,
    epilog=_examples("gateway export ledger --period 2026Q3 --xlsx --out 台账.xlsx --demo ./run"),
)
command.add_typer(
    report,
    name="report",
    rich_help_panel=_LOOK,
    epilog=_examples("gateway report make -o SD-JN-LX-001 --period 2026Q3 --reason 季度上报 --key $OPERATOR_KEY"),
)
command.add_typer(
    verify,
    name="verify",
    rich_help_panel=_RUN,
    epilog=_examples("gateway verify audit --config gateway.toml --keep audit-head.json"),
)
