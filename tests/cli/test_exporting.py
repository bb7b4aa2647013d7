"""``gateway export``, ``report`` and ``verify`` as an operator calls them, against a real gateway over the loopback."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from gateway.cli.command import command
from gateway.security.clients import OPERATOR_SCOPES
from gateway.web.listen import Listener, listening_socket
from tests.cli.resting import Resting
from tests.flow.puppets import PUPPETS
from tests.house import Gateways
from tests.web.conftest import ENDPOINTS
from tests.web.site import site as open_site

Call = Callable[..., Awaitable[Result]]
YEAR = ("--from", "2026-01-01", "--until", "2026-10-10")


@pytest.fixture
async def call(gateway: Gateways) -> AsyncIterator[Call]:
    """Runs the command line as the operator of a gateway with three cases."""
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS, start=False)) as site:
        for _ in range(3):
            await site.case()
        operator = await site.key("operator", OPERATOR_SCOPES, ("*",))
        upstream = await site.key("up2")
        bound = listening_socket("127.0.0.1", 0)
        listener = Listener(site.application, bound)
        await listener.start()

        async def invoke(*words: str, own: bool = False) -> Result:
            address = f"http://127.0.0.1:{bound.getsockname()[1]}"
            given = [*words, "--to", address, "--key", upstream if own else operator]
            return await asyncio.to_thread(CliRunner().invoke, command, given)

        try:
            yield invoke
        finally:
            await listener.stop()
            bound.close()


def left_in(directory: Path, *endings: str) -> list[str]:
    return [one.name for one in directory.iterdir() if one.suffix in endings]


async def test_the_ledger_in_its_three_forms(call: Call, tmp_path: Path) -> None:
    told = await call("export", "ledger", *YEAR)
    assert told.exit_code == 0, told.output
    assert told.stdout_bytes.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(told.stdout_bytes.decode("utf-8-sig"))))
    assert (rows[0][0], len(rows)) == ("案号", 4)
    assert "王建国" not in told.stdout
    whole = json.loads((await call("export", "ledger", *YEAR, "--json")).stdout)
    assert (len(whole["items"]), whole["from"], whole["basis"]) == (3, "2026-01-01", "received")
    path = tmp_path / "台账.xlsx"
    made = await call("export", "ledger", *YEAR, "--xlsx", "--out", str(path))
    assert made.exit_code == 0, made.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert openpyxl.load_workbook(path).worksheets[0].max_row == 4
    assert left_in(tmp_path, ".part") == []
    again = await call("export", "ledger", *YEAR, "--csv", "--out", str(path))
    assert again.exit_code == 73


async def test_an_own_ledger_in_plain_text_needs_a_reason(call: Call) -> None:
    refused = await call("export", "ledger", *YEAR, "--plain", own=True)
    assert (refused.exit_code, "reason_missing" in refused.stderr) == (65, True)
    plain = await call("export", "ledger", *YEAR, "--plain", "--reason", "年度核对", own=True)
    assert "王建国" in plain.stdout
    assert (await call("export", "ledger", *YEAR, "--plain", "--reason", "x")).exit_code == 77


async def test_statistics_and_indicators(call: Call, tmp_path: Path) -> None:
    stats = json.loads((await call("export", "stats", *YEAR, "--json")).stdout)
    assert {item["code"]: item["value"] for item in stats["items"]}["A01"] == 3
    table = await call("export", "stats", "--period", "2026Q3", "-o", "SD-JN-LX-001")
    assert "受理案件数" in table.stdout_bytes.decode("utf-8-sig")
    path = tmp_path / "评查.xlsx"
    assert (await call("export", "indicators", *YEAR, "--xlsx", "--out", str(path))).exit_code == 0
    assert openpyxl.load_workbook(path).worksheets[0].max_row > 10


async def test_what_is_refused_says_so_by_its_exit_code(call: Call) -> None:
    for words, code in (
        (("export", "ledger", "--csv", "--json"), 2),
        (("export", "stats", "--period", "2026Q9"), 65),
        (("export", "stats", "--from", "x"), 65),
        (("export", "ledger", "--basis", "nothing"), 2),
        (("export", "ledger", "--csv", "--out", "/nowhere/at/all.csv"), 73),
        (("report", "make", "-o", "SD-NO-NO-999", "-p", "2026Q3", "--reason", "x"), 4),
        (("report", "make", "-o", "SD-JN-LX-001", "-p", "2026Q4", "--reason", "x"), 65),
        (("report", "make", "-o", "SD-JN-LX-001", "-p", "2026Q3"), 2),
    ):
        told = await call(*words)
        assert told.exit_code == code, (words, told.output)


async def test_nothing_is_left_of_a_file_that_was_refused(call: Call, tmp_path: Path) -> None:
    refused = await call("export", "ledger", "--from", "x", "--csv", "--out", str(tmp_path / "x.csv"))
    assert refused.exit_code == 65
    assert left_in(tmp_path, ".csv", ".part") == []


async def test_a_report_is_made_once(call: Call) -> None:
    asked = ("report", "make", "-o", "SD-JN-LX-001", "--period", "2026Q3", "--reason", "季度上报")
    made = json.loads(
        (await call(*asked, "--json")).stdout.splitlines()[-1]
    )  # the gateway in the same process logs, too
    assert (made["version"], made["unchanged"]) == (1, False)
    again = await call(*asked)
    assert again.exit_code == 0
    assert "数字未变" in again.stdout
    assert (await call(*asked, own=True)).exit_code == 77


@pytest.mark.parametrize(
    "words", [("export",), ("export", "ledger"), ("export", "stats"), ("report", "make"), ("verify", "audit")]
)
def test_help_teaches_by_examples(words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(command, [*words, "--help"])
    assert told.exit_code == 0
    if len(words) > 1:
        assert "示例" in told.stdout
        assert f"gateway {' '.join(words)}" in told.stdout


@pytest.fixture
def chained(resting: Resting) -> Resting:
    """A gateway at rest with an audit chain of three rows."""
    for name in ("zhao", "qian", "sun"):
        made = CliRunner().invoke(command, ["user", "add", name, "某", "--role", "viewer", "--config", resting.config])
        assert made.exit_code == 0, made.output
    return resting


def verified(chained: Resting, *more: str) -> Result:
    return CliRunner().invoke(command, ["verify", "audit", "--config", chained.config, *more])


def test_a_sound_chain_is_told_and_its_head_kept(chained: Resting) -> None:
    head = chained.directory / "head.json"
    sound = verified(chained, "--keep", str(head))
    assert sound.exit_code == 0, sound.output
    assert json.loads(head.read_text())["number"] == 3
    told = json.loads(verified(chained, "--head", str(head), "--json").stdout)
    assert told == {"sound": True, "head": json.loads(head.read_text()), "flaws": []}


@pytest.mark.parametrize(
    ("statement", "number", "flaw"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE number = 2", 2, "changed"),
        ("DELETE FROM audit WHERE number = 2", 2, "missing"),
        ("DELETE FROM audit WHERE number = 3", 3, "cut"),
    ],
)
def test_what_was_done_to_the_chain_is_found(chained: Resting, statement: str, number: int, flaw: str) -> None:
    head = chained.directory / "head.json"
    verified(chained, "--keep", str(head))
    chained.sql(statement)
    answer = verified(chained, "--head", str(head), "--json")
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)
    assert told["sound"] is False
    assert {"number": number, "flaw": flaw} in told["flaws"]
    assert verified(chained, "--head", str(head)).exit_code == 1


def test_no_head_of_a_broken_chain_is_kept(chained: Resting) -> None:
    head = chained.directory / "head.json"
    chained.sql("DELETE FROM audit WHERE number = 2")
    assert verified(chained, "--keep", str(head)).exit_code == 1
    assert not head.exists()
    head.write_text("{}")
    assert verified(chained, "--head", str(head)).exit_code == 66
