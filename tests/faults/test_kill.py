"""The whole demonstration killed at random moments while its cases flow: the four ledgers agree in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from gateway.demo.prove import Round, prove, table


@pytest.mark.timeout(1200)
def test_killed_at_random_moments_nothing_is_lost_doubled_or_reordered(tmp_path: Path) -> None:
    wanted = Round(kills=8, cases=200, seed=11)
    proof = prove(wanted, tmp_path)
    Console().print(table(wanted, proof))
    assert proof.kills >= 6, "it was hardly ever killed: this proves nothing"
    told = (tmp_path / "prove.log").read_text("utf-8")  # its end: the faults, and what each unended thing waits for
    assert proof.holds, told[-4000:]
    assert proof.summary["cases"] >= 200
