"""A process killed in every gap between two steps, at platforms of every delivery class: what the next one finds is what the
fault table says (rows 1-9)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.flow.moving.fault_points import KILLED, POINTS, VARIABLE
from tests.prove.shown import Fault, Shown, Wrong
from tests.seam.platform import ToyPlatform
from tests.seam.scene import ASKED, BYTES, IDS, LAG_S
from tests.seam.toys import IdempotentPlatform, NeitherPlatform, QueryablePlatform

_ROOT = Path(__file__).parents[2]
PLATFORMS: dict[str, type[ToyPlatform]] = {IDS: IdempotentPlatform, ASKED: QueryablePlatform, BYTES: NeitherPlatform}
_BEFORE_SENDING = ("claimed", "translated")
_AFTER_SENDING = ("answered", "before_settle")
_POLL = ("polled", "page_kept")
_PAPERS = ("fetched",)
"""Tried where documents are handed out: ``tests/flow/applying/test_papers_of_words.py``."""

_DELIVER = (*_BEFORE_SENDING, *_AFTER_SENDING, "settled")
GAPS = [
    (point, name)
    for name in PLATFORMS
    for point in POINTS
    if point in _DELIVER or (name == ASKED if point in _POLL else name == IDS and point not in _PAPERS)
]
"""Every gap of the journey: those of a delivery for every delivery class, those of a poll where the platform is polled."""


async def _victim(data: Path, name: str, port: int, point: str | None) -> tuple[int, dict[str, Any]]:
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("GATEWAY_")}
    if point is not None:
        surroundings[VARIABLE] = point
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.victim", str(data), name, str(port)),
        cwd=_ROOT,
        env=surroundings,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        said, _ = await asyncio.wait_for(child.communicate(), 60)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode is not None
    return child.returncode, json.loads(said) if said else {}


async def _has_news(platform: QueryablePlatform) -> None:
    """Once it has the case, it says so, by its own number, to whoever polls."""
    while not platform.booked:
        await asyncio.sleep(0.01)
    platform.happen("HEARD", about="case", number=platform.booked[0].number)


async def play(room: Path, point: str, name: str) -> None:
    """Kill a process there, start another one, and look at everything.

    Raises:
        AssertionError: it is not as the table says.
    """
    platform = PLATFORMS[name]()
    if isinstance(platform, QueryablePlatform):
        platform.lag_s = LAG_S
    async with platform, asyncio.TaskGroup() as beside:
        if isinstance(platform, QueryablePlatform):
            beside.create_task(_has_news(platform))
        code, _ = await _victim(room, name, platform.port, point)
        assert code == KILLED, f"it never came to {point}: a fault that never happened proves nothing"
        if point in _DELIVER:
            assert platform.count(platform.file_operation) == int(point not in _BEFORE_SENDING)
        code, found = await _victim(room, name, platform.port, None)
        assert code == 0
    booked, sent = platform.ids(), platform.count(platform.file_operation)
    assert found["cases"] == 1, "one key, one case"
    assert found["replayed"] is (point != "judged")
    assert found["positions"] == list(range(1, len(found["positions"]) + 1))
    if name == BYTES:
        doubt = point != "settled"
        assert found["state"] == ("in_doubt" if doubt else "relayed")
        assert found["tasks"] == (["in_doubt"] if doubt else [])
        assert len(booked) == int(point not in _BEFORE_SENDING), "nothing is sent into the doubt"
        return
    assert found["state"] == "delivered"
    assert booked == [found["id"]], "one effect"
    assert found["tasks"] == []
    if point in _AFTER_SENDING:
        assert sent == (2 if name == IDS else 1), "the idempotent is sent the same again, the queryable is asked"
    if name == ASKED:
        assert sent == 1
        assert point in _POLL or platform.count("find") == int(point != "settled")
    if name == IDS:
        assert found["called"] == 200
    assert (found["status"], found["applied"]) == ("accepted", 1), "once, also one that came too early"


async def prove(most: int | None) -> Shown:
    """The machine. ``most``: how many gaps, spread over all; ``None``: every one."""
    shown, began = Shown("步骤间隙 killed in every gap"), time.monotonic()
    with TemporaryDirectory(prefix="gaps-") as room:
        for number, (point, name) in enumerate(GAPS if most is None else GAPS[:: -(-len(GAPS) // most)]):
            shown.tried += 1
            try:
                await play(Path(room) / str(number), point, name)
            except AssertionError as error:
                shown.add([Fault(Wrong.LOST, str(error).splitlines()[0])], f"{point} at {name}")
    shown.seconds = time.monotonic() - began
    return shown
