"""The chambers' mock as a process that is killed in the middle of its rows: nothing is lost, nothing is booked twice."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import aiohttp

from mocks.server import MockServer
from tests.mocks.commerce_client import CASE, ORGANIZATION, Client
from tests.mocks.test_core_main import Process

ROWS = 40


async def test_rows_at_1_after_a_kill(tmp_path: Path) -> None:
    settings = [f"--set=commerce_federation.{setting}" for setting in ("period_s=0.05", "retake_s=0")]
    arguments = ["commerce_federation", "--data", str(tmp_path), *settings]
    async with aiohttp.ClientSession() as session:
        async with Process(*arguments) as first:
            client = _client(first, session)
            rows = [
                client.row(CASE | {"ah": f"N{number}"}, CASE_KEY=f"{ORGANIZATION}#N{number}") for number in range(ROWS)
            ]
            await client.insert(*rows)
            await client.until(rows[0]["OUT_ID"])
            first.process.kill()
            await first.process.wait()
        left = await client.sql("SELECT UPLOAD_STATUS, COUNT(*) AS N FROM TJ_OUT GROUP BY UPLOAD_STATUS")
        assert sum(line["N"] for line in left) == ROWS
        async with Process(*arguments) as second:
            client = _client(second, session)
            numbers = set()
            for row in rows:
                out = await client.until(row["OUT_ID"], 2)
                kinds = await client.kinds(row["OUT_ID"])
                assert (kinds[0], kinds[-1], kinds.count("01")) == ("00", "01", 1)
                numbers.add(out["PLAT_NO"])
            records = await client.control("GET", "records")
            assert sorted(record["message_id"] for record in records) == sorted(row["OUT_ID"] for row in rows)
            assert len(numbers) == ROWS
            assert await client.breaches() == []


def _client(process: Process, session: aiohttp.ClientSession) -> Client:
    line = process.lines["commerce_federation"]
    config = json.loads(Path(line["config"]).read_text("utf-8"))
    server = SimpleNamespace(url=line["url"], platform=SimpleNamespace(config=config))
    return Client(cast(MockServer, server), session)
