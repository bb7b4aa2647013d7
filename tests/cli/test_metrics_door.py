"""``gateway work`` has no door but the one for figures, where the settings want it."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path

import httpx

from gateway.settings import Settings
from tests.cli.test_processes import ROOT, clean_environment


async def test_a_worker_tells_its_figures_and_ends_in_order(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(
        f'env = "development"\ndatabase = "{dsn}"\ndata = "{tmp_path / "data"}"\n[metrics]\nport = 0\n', "utf-8"
    )
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "work", "--config", str(path)),
        cwd=ROOT,
        env=clean_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert worker.stdout is not None
        assert "ready" in (await worker.stdout.readline()).decode()
        found = re.search(r"http://127\.0\.0\.1:\d+", (await worker.stdout.readline()).decode())
        assert found is not None
        async with httpx.AsyncClient(base_url=found.group(), trust_env=False, timeout=20) as http:
            text = (await http.get("/metrics")).text
            assert (await http.get("/v1/cases")).status_code == 404
        assert f'gateway_worker_slots{{state="free"}} {Settings.model_fields["concurrency"].default}.0' in text
        assert "process_resident_memory_bytes" in text
    finally:
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(worker.wait(), 20) == 0
