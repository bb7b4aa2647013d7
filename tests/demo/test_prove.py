"""The moments of the kills: spread over the cases that are left, counted from the client's own log."""

from __future__ import annotations

from pathlib import Path
from random import Random

from gateway.demo.client_log import ClientLog
from gateway.demo.prove import Over, Proof, Round, further


def test_cases_that_are_over_are_counted_as_the_log_grows(tmp_path: Path) -> None:
    path = tmp_path / "client.ndjson"
    over = Over(path)
    assert over.count() == 0
    log = ClientLog(path)
    for number in (1, 2, 3):
        log.case(number).note_upload(f"demo-7-{number}-paper", "att_1")
        log.case(number).end()
    assert over.count() == 3
    log.case(4).end()
    log.close()
    with path.open("ab") as file:
        file.write(b'{"case":5,"over":tr')
    assert over.count() == over.count() == 4


def test_the_kills_spread_over_all_the_cases() -> None:
    wanted = Round(kills=200, cases=20_000)
    for seed in range(20):
        chance, proof, left = Random(seed), Proof(), wanted.cases
        at = []
        for kill in range(wanted.kills):
            proof.kills = kill
            left = max(0, left - further(chance, wanted, proof, left))
            at.append(wanted.cases - left)
        quarters = [sum(1 for one in at if low <= one < low + 5_000) for low in range(0, 20_000, 5_000)]
        assert min(quarters) >= 25, quarters
