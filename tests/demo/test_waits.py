"""What is under way says what it waits for, and a run goes on while something is to be tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.demo.client_log import Acknowledged, ClientLog
from gateway.demo.waits import Wait, is_over, of_cases, read
from gateway.store import inbox
from gateway.store.engine import Sqlite
from gateway.store.inbox import NewCallback
from gateway.store.migrate import migrate_sqlite
from gateway.store.pauses import pause
from gateway.store.store import Store
from tests.store.bench import Bench, VirtualClock, opened

_YEAR_MS = 365 * 86_400_000


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A store of SQLite, as the demonstration keeps it."""
    clock, path = VirtualClock(), tmp_path / "gateway.db"
    migrate_sqlite(path)
    store = await opened(path, clock)
    yield Bench(store, clock)
    await store.close()


async def _waits(store: Store) -> list[tuple[str, str, int | None]]:
    assert isinstance(store.runner, Sqlite)
    return [(wait.place, wait.what, wait.planned_ms) for wait in await store.runner.script(read)]


@pytest.mark.parametrize(
    ("planned_ms", "idle_s", "over"),
    [(None, 90, False), (None, 91, True), (2_000, 91, False), (-5_000, 360, False), (2_000, 361, True)],
)
def test_a_run_goes_on_while_something_is_to_be_tried_again(planned_ms: int | None, idle_s: float, over: bool) -> None:
    left = [Wait("a", "EV1", "a word is orphan, before a person"), Wait("a", "dlv_1", "pending", planned_ms)]
    assert is_over(idle_s, 90.0, left) is over
    assert is_over(91, 90.0, []) is True


async def test_deliveries_say_what_they_wait_for(bench: Bench) -> None:
    await bench.endpoints("a", "b")
    await bench.committed(bench.case("case_1", ("a", "b")))
    await bench.follow("case_1", "a")
    first = next(claim for claim in await bench.claim() if claim.endpoint == "a")
    await bench.settle(first, "pending", code="timeout", wait_ms=2_000)
    await bench.store.run(pause, [("b", "operator", "key")], bench.store.ids)
    told = sorted(await _waits(bench.store))
    assert told[:2] == [
        ("a", "case.progressed is pending after 0 tries, no error, it waits for another delivery", None),
        ("a", "case.submitted is pending after 1 tries, timeout", 2_000),
    ]
    assert told[2] == ("b", "case.submitted is pending after 1 tries, no error, the endpoint is paused", None)
    assert "have no cursor yet" in told[3][1]


async def test_words_say_whether_they_are_looked_at_again(bench: Bench) -> None:
    for number, wait_ms in enumerate((500, _YEAR_MS)):
        await bench.store.keep_callback(NewCallback(f"cbk_{number}", "a", f"EV{number}", "d" * 64, b"sealed"))
        await bench.store.run(inbox.take_due, 10, 30_000)
        await bench.store.write("move_callback", (f"cbk_{number}", "orphan", "not_known", wait_ms))
    assert await _waits(bench.store) == [
        ("a", "a word is orphan after 1 looks, not_known", 500),
        ("a", "a word is orphan after 1 looks, not_known, before a person", None),
    ]


def test_cases_say_how_far_they_came(tmp_path: Path) -> None:
    log = ClientLog(tmp_path / "client.ndjson")
    for number in (1, 2):
        log.case(number).note(Acknowledged(f"demo-7-{number}-case", "case.submitted", f"case_{number}", ()))
    log.case(1).end()
    (wait,) = of_cases(log)
    log.close()
    assert str(wait) == "client case 2: not over, the last acknowledged is ['demo-7-2-case']"
    assert str(Wait("a", "EV1", "orphan", -1_500)) == "a EV1: orphan, next try in -1.5 s"
