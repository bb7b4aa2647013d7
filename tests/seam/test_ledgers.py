"""What the gateway recorded is what the platforms counted: requests, filings, effects, to the unit."""

from __future__ import annotations

from contracts.messages import MessageType
from tests.seam.platform import ToyPlatform
from tests.seam.scene import ASKED, BYTES, IDS, SILENCE_S, Scene, until

DONE = frozenset({"delivered", "relayed", "in_doubt"})
FAULTS = ("reset_after", "http", "html", "answer", "stall", "reset_before", "answer")


def _script(platform: ToyPlatform) -> None:
    for kind in FAULTS:
        platform.fail(kind, status=502)


async def test_requests_on_the_wire_are_exchanges_recorded(scene: Scene) -> None:
    """One retry layer: no request that no attempt tells of, none told of that did not arrive."""
    await scene.stand(IDS, ASKED, BYTES, deadline_s=SILENCE_S)
    await scene.open()
    _script(scene.ids)
    _script(scene.asked)
    _script(scene.batches)
    scene.asked.fail("reset_after", operation="session")
    scene.asked.fail("answer", operation="upload")
    scene.asked.fail("reset_after", operation="find")
    scene.asked.fail("html", operation="find")
    cases = [await scene.case(f"370102-LX001-2026-{place:05d}") for place in range(4)]
    for case in cases:
        await scene.progress(case)
        await scene.agreement(case)

    async def settled() -> bool:
        rows = [row for case in cases for row in (await scene.file(case)).deliveries]
        waiting = [row for row in rows if row.state not in DONE and row.endpoint != BYTES]
        relayed = [await scene.delivery(case, BYTES) for case in cases]
        return not waiting and all(row.state in DONE for row in relayed)

    await until(settled, "everything is settled", 20.0)
    for name in (IDS, ASKED, BYTES):
        platform = scene.platforms[name]
        rows = [row for case in cases for row in await scene.deliveries(case, name)]
        recorded = [attempt for row in rows for attempt in await scene.attempts(row.id)]
        steps = [step for row in rows for step in await scene.steps(row.id)]
        arrived = [seen for seen in platform.seen if seen.operation != "news"]
        assert sum(attempt["exchanges"] for attempt in recorded) == len(arrived), name
        assert len(steps) == len(arrived), name
        filings = [step for step in steps if step["filing"]]
        assert len(filings) == platform.count(platform.file_operation), name
        assert len(filings) <= len(recorded), "one filing is one attempt"
        booked = platform.ids()
        if name != BYTES:
            assert sorted(booked) == sorted(row.id for row in rows), "one effect each, and no other"
        assert len(set(booked)) == len(booked), f"{name} has something twice"


async def test_never_a_false_delivered(scene: Scene) -> None:
    """Whatever answers were lost: what the gateway calls delivered or relayed is in the platform's ledger."""
    await scene.stand(IDS, ASKED, BYTES, deadline_s=SILENCE_S)
    await scene.open(retry=scene.retry(standard=(0.02, 0.02)))
    for platform in scene.platforms.values():
        for kind in ("reset_before", "stall", "html", "http", "reset_after", "reset_before"):
            platform.fail(kind, status=500)
    cases = [await scene.case(f"370102-LX001-2026-{place:05d}") for place in range(5)]

    async def settled() -> bool:
        rows = [row for case in cases for row in (await scene.file(case)).deliveries]
        return all(row.state in DONE | {"dead"} for row in rows)

    await until(settled, "everything has ended", 20.0)
    for case in cases:
        for row in (await scene.file(case)).deliveries:
            booked = scene.platforms[row.endpoint].ids().count(row.id)
            assert booked <= 1, f"{row.endpoint}: twice"
            if row.state in ("delivered", "relayed"):
                assert booked == 1, f"{row.endpoint}: {row.state}, and the platform has it not"


async def test_every_step_is_kept_with_its_bytes(scene: Scene) -> None:
    await scene.stand(ASKED)
    await scene.open()
    case = await scene.case()
    await scene.agreement(case)
    row = await scene.reaches("delivered", case, ASKED, MessageType.AGREEMENT_CONCLUDED)
    steps = await scene.steps(row.id)
    assert [(step["step"], step["filing"], step["status"]) for step in steps] == [
        ("upload", False, 200),
        ("file", True, 200),
    ]
    assert [step["step"] for step in await scene.steps((await scene.delivery(case, ASKED)).id)] == ["session", "file"]
