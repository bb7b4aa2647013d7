"""``gateway partitions``: what there is, what lies beside it, and how it comes home."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.cli.test_processes import gateway
from tests.servers.databases import Server, execute, new_database

STRAY = (
    "INSERT INTO attempts (delivery, number, trigger, outcome, exchanges, ended_at, duration_ms) "
    "VALUES ('dlv_03MD998G000000000000000000', 1, 'schedule', 'delivered', 1, 0, 1)"
)
"""An attempt at a delivery that a clock of the year 2096 has named."""


def configured(directory: Path, database: str) -> str:
    config = directory / "gateway.toml"
    config.write_text(
        f'env = "development"\ndata = "{directory / "data"}"\ndatabase = "{database}"\nsite = "test"\n',
        encoding="utf-8",
    )
    return str(config)


def test_the_months_are_listed_and_what_lies_beside_them_is_brought_home(postgres: Server, tmp_path: Path) -> None:
    dsn = asyncio.run(new_database(postgres))
    config = configured(tmp_path, dsn)
    assert gateway("migrate", "-c", config).exit_code == 0
    listed = gateway("partitions", "-c", config, "--json")
    assert listed.exit_code == 0, listed.output
    told = json.loads(listed.stdout)
    assert told["astray"] == 0
    assert [part["table"] for part in told["partitions"]] == ["attempts"] * 5 + ["messages"] * 5
    assert all(part["size"] > 0 and part["rows"] == 0 for part in told["partitions"])
    asyncio.run(execute(dsn, STRAY))
    shown = gateway("partitions", "-c", config)
    assert shown.exit_code == 1
    assert "1 行不在任何月份内" in shown.output
    mended = gateway("partitions", "-c", config, "--mend", "--json")
    assert mended.exit_code == 0, mended.output
    assert "2096-10" in [part["month"] for part in json.loads(mended.stdout)["partitions"]]
    assert "2096-10" in gateway("partitions", "-c", config).output


def test_whole_tables_have_no_months(tmp_path: Path) -> None:
    shown = gateway("partitions", "-c", configured(tmp_path, "sqlite"))
    assert shown.exit_code == 0
    assert "SQLite" in shown.output
    assert json.loads(gateway("partitions", "-c", configured(tmp_path, "sqlite"), "--json").stdout) == {
        "astray": 0,
        "partitions": [],
    }
