"""What was agreed with a platform holds for all processes together: each keeps to its part, and takes it over from the dead."""

from __future__ import annotations

import asyncio
import itertools
import os

import pytest

from contracts.messages import MessageType
from gateway.flow.delivering.exchange import EndpointWaits, Pace
from gateway.flow.delivering.shares import Shares
from gateway.store.engine import StoreUnavailable
from tests.processes.test_two_houses import all_delivered, beside, post
from tests.seam import documents
from tests.seam.scene import IDS, Scene, until

RATE = 20.0
CASES = 30


def most_in_a_second(times: list[float]) -> int:
    """The most requests that came within any second."""
    ordered = sorted(times)
    return max(sum(start <= at < start + 1.0 for at in ordered[place:]) for place, start in enumerate(ordered))


async def test_two_processes_together_stay_at_the_agreed_rate(scene: Scene) -> None:
    await scene.stand(IDS, slots=20, rate_per_s=RATE)
    houses = [await beside(scene), await beside(scene)]
    await asyncio.sleep(0.3)  # both have found their share
    raws = [documents.case(f"370102-LX001-2026-{number:05}") for number in range(CASES)]
    posts = [post(houses[place % 2], MessageType.CASE_SUBMITTED, raw) for place, raw in enumerate(raws)]
    await asyncio.gather(*posts)  # at once: on a busy machine one after the other is slower than the platform
    await all_delivered(houses[0], CASES)
    filed = [seen.at for seen in scene.ids.seen if seen.operation == "file"]
    assert len(filed) == CASES
    # One above it: what each process sends at once after a rest.
    assert most_in_a_second(filed) <= RATE + 2
    assert most_in_a_second(filed) > RATE / 2, "and not below what one alone would be left"


async def _share(scene: Scene, pace: Pace, began: list[float], beat_s: float = 0.05) -> Shares:
    return Shares(scene.house.store, [pace], beat_s, began.append)


async def test_who_comes_new_is_silent_for_a_beat_and_who_leaves_gives_its_part_back(scene: Scene) -> None:
    await scene.open(start=False)
    began: list[list[float]] = [[], []]
    paces = [Pace(RATE, 8), Pace(RATE, 8)]
    one, two = [await _share(scene, pace, begin) for pace, begin in zip(paces, began, strict=True)]
    await one.turn()
    assert began[0] == [0.0], "it is alone"
    await two.turn()
    assert began[1] == [0.05]
    await one.turn()
    assert began[0] == [0.0], "said once"
    assert [pace.interval for pace in paces] == [2 / RATE, 2 / RATE]
    await two.leave()
    await one.turn()
    assert paces[0].interval == 1 / RATE


async def test_two_that_start_in_one_moment_do_not_both_think_they_are_alone(scene: Scene) -> None:
    await scene.open(start=False)
    began: list[list[float]] = [[], []]
    shares = [await _share(scene, Pace(RATE, 8), begin) for begin in began]
    await asyncio.gather(*(one.turn() for one in shares))
    assert sorted(began) == [[0.0], [0.05]]


async def test_a_stop_while_the_database_is_away_goes_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.open(start=False)
    one = await _share(scene, Pace(RATE, 8), [])

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    await one.leave()  # it never beat: there is nothing to take back
    await one.turn()
    with monkeypatch.context() as patch:
        patch.setattr(scene.house.store, "write", away)
        await one.leave()


async def test_the_last_run_of_a_container_is_dead_though_its_number_is_ours(scene: Scene) -> None:
    await scene.open(start=False)
    began: list[float] = []
    last = await _share(scene, Pace(RATE, 8), [], beat_s=60.0)
    last._name = f"{last._place}{os.getpid()}:anothertoken"
    await last.turn()
    await (await _share(scene, Pace(RATE, 8), began, beat_s=60.0)).turn()
    assert began == [0.0]


async def test_the_dead_are_missed(scene: Scene) -> None:
    await scene.open(start=False)
    pace = Pace(RATE, 8)
    one, two = await _share(scene, pace, []), await _share(scene, Pace(RATE, 8), [])
    await two.turn()
    await one.turn()
    assert pace.interval == 2 / RATE

    async def alone() -> bool:
        await one.turn()
        return pace.interval == 1 / RATE

    await until(alone, "the other is missed")


async def test_the_dead_of_this_machine_are_buried_at_once(scene: Scene) -> None:
    """Started anew after a crash: the last run's process is no more, whatever its mark says."""
    await scene.open(start=False)
    began: list[float] = []
    pace = Pace(RATE, 8)
    dead = await _share(scene, Pace(RATE, 8), [], beat_s=60.0)
    dead._name = f"{dead._place}{2**22 + 1}:dead"  # beyond every process number
    await dead.turn()
    await (await _share(scene, pace, began, beat_s=60.0)).turn()
    assert began == [0.0]
    assert pace.interval == 1 / RATE


async def test_a_share_holds_for_requests_at_once_too() -> None:
    pace = Pace(1_000_000.0, 4)
    inside, most = itertools.count(1), 0
    flying = 0

    async def request() -> None:
        nonlocal flying, most
        async with pace.turn():
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0.002)
            flying -= 1
        next(inside)

    pace.share(2)
    await asyncio.gather(*(request() for _ in range(12)))
    assert most == 2
    waiting = [asyncio.create_task(request()) for _ in range(12)]
    await asyncio.sleep(0.001)
    pace.share(1)
    await asyncio.gather(*waiting)
    assert most == 4
    pace.share(9)
    most = 0
    await asyncio.gather(*(request() for _ in range(3)))
    assert most == 1, "one remains to each"


async def test_a_caller_that_goes_while_it_waits_takes_no_place_with_it() -> None:
    pace = Pace(1_000_000.0, 1)
    async with pace.turn():
        waiting = asyncio.create_task(pace.turn().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        async with pace.turn():
            pass


async def test_whoever_has_waited_too_long_for_its_turn_comes_again() -> None:
    """It takes no place with it, and burns nothing."""
    pace = Pace(1_000_000.0, 1)
    async with pace.turn():
        with pytest.raises(EndpointWaits):
            async with pace.turn(by=pace.now() + 0.02):
                pytest.fail("its turn has not come")
    async with asyncio.timeout(1), pace.turn(by=pace.now() + 0.5):
        pass


async def test_a_process_takes_no_more_than_it_can_send_soon(scene: Scene) -> None:
    """What it could not send is left to the others, however many slots the platform has."""
    await scene.stand(IDS, slots=8, at_once=1)
    house = await scene.open(start=False)
    for number in range(6):
        await scene.case(f"370102-LX001-2026-{number:05}")
    deliverer = house.worker._deliverer
    first = await deliverer.take(8)
    assert len(first) == 2, "one on its way, and the next one"
    assert await deliverer.take(8) == []
    await deliverer.bring(first[0])
    assert len(await deliverer.take(8)) == 1
