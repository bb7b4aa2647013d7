"""Three in ten sends are accepted and never answered, at platforms of every delivery class, over real connections: what the
gateway says of each, counted against the platforms' own ledgers.

First the platform that only takes bytes says nothing more: what is in doubt there must stand before a person. Then it gives its
word, and everything ends delivered.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx

from tests.faults.outside import Ground, Query, compare, gives_word, ground, on_disk
from tests.prove.shown import Fault, Shown, Wrong
from tests.seam.platform import Action, ToyPlatform
from tests.seam.scene import ASKED, BYTES, IDS

SHARE = 0.3
CLASSES = {IDS: "idempotent", ASKED: "queryable", BYTES: "neither"}
_DEADLINE_S = 3.0
_FAILED = frozenset({"rejected", "dead", "expired", "cancelled", "superseded"})
_AT_ONCE = 4


@dataclass(slots=True)
class _Silence:
    """What one platform does with each of its filings, in their order: repeats meet it too."""

    script: list[Action]

    @classmethod
    def over(cls, platform: ToyPlatform, many: int, chance: Random) -> _Silence:
        for _ in range(many):
            platform.fail("silent_after" if chance.random() < SHARE else "answer")
        return cls(platform.scripted())

    def played(self) -> tuple[int, int]:
        """Sends that were met, and how many of them were not answered."""
        met = [one for one in self.script if one.times == 0]
        return len(met), sum(one.kind == "silent_after" for one in met)


async def _posted(place: Ground, cases: int) -> bool:
    """All cases, without further steps: what stands behind a doubt would wait with it."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def case(http: httpx.AsyncClient, number: int) -> bool:
        async with room:
            return await place.upstream.chain(http, number, steps=False)

    async with place.upstream.http(place.port) as http:
        return all(await asyncio.gather(*(case(http, number) for number in range(cases))))


async def _rests(place: Ground, within_s: float) -> bool:
    """Wait until nothing is to be sent any more."""
    end = time.monotonic() + within_s
    async with place.upstream.http(place.port) as http:
        while time.monotonic() < end:
            try:
                standing = (await http.get("/v1/ops/flow")).json()["items"]
            except httpx.TransportError:
                return False
            if not any(item["deliveries"].get("pending") for item in standing):
                return True
            await asyncio.sleep(0.1)
    return False


def count(place: Ground, ask: Query, silences: dict[str, _Silence], shown: Shown) -> None:
    """What is said now beside what is so, by delivery class."""
    rows = ask("SELECT id, endpoint, state FROM deliveries")
    before_person = {row[0] for row in ask("SELECT about FROM tasks WHERE state = 'open' AND kind = 'in_doubt'")}
    for name, platform in place.platforms.items():
        booked, states = Counter(platform.ids()), Counter[str]()
        wrong = dict.fromkeys(("false delivered", "false failed", "doubled", "neither settled nor before a person"), 0)
        for identifier, endpoint, state in rows:
            if endpoint != name:
                continue
            states[state] += 1
            there = booked[identifier]
            wrong["false delivered"] += state in ("delivered", "relayed") and not there
            wrong["false failed"] += state in _FAILED
            wrong["doubled"] += there > 1
            open_end = state == "pending" or (state == "in_doubt" and identifier not in before_person)
            wrong["neither settled nor before a person"] += open_end
        sends, lost = silences[name].played()
        kind = CLASSES[name]
        told = {
            "deliveries": sum(states.values()),
            "sends": sends,
            "answers lost": lost,
            "delivered": states["delivered"] + states["relayed"],
            "before a person": states["in_doubt"],
        }
        shown.figures |= {f"{kind}: {what}": many for what, many in (told | wrong).items()}
        shown.tried += lost
        if lost < sends * SHARE / 2:
            shown.missed.append(f"{kind}: only {lost} of {sends} answers were lost")
        if name != BYTES and states["in_doubt"]:
            shown.missed.append(f"{kind}: {states['in_doubt']} before a person, though it can be asked or told again")
        shown.add([Fault(Wrong.FALSE, f"{kind}: called delivered")] * wrong["false delivered"])
        shown.add([Fault(Wrong.LOST, f"{kind}: called failed")] * wrong["false failed"])
        shown.add([Fault(Wrong.DUPLICATED, f"{kind}: two effects")] * wrong["doubled"])
        shown.add([Fault(Wrong.LOST, f"{kind}: forgotten")] * wrong["neither settled nor before a person"])


async def one(room: Path, cases: int, seed: int, shown: Shown, database: str = "") -> None:
    """So many cases; the figures go into ``shown``."""
    chance = Random(seed)
    more = {"deadline_s": _DEADLINE_S, "database": database}
    async with ground(room, word=False, **more) as place:
        silences = {name: _Silence.over(one, 4 * cases, chance) for name, one in place.platforms.items()}
        process = place.hurt()
        if not await place.stands(process):
            shown.missed.append("it does not start")
            return
        ask = _asks(place, database)
        word: asyncio.Task[None] | None = None
        try:
            took = await _posted(place, cases)
            began = time.monotonic()
            if not took or not await _rests(place, 60 + 2 * cases):
                shown.add([Fault(Wrong.LOST, "it does not come to rest")])
            shown.recovered_s.append(time.monotonic() - began)
            count(place, ask, silences, shown)
            for platform in place.platforms.values():
                platform.heal()
            word = asyncio.create_task(gives_word(place))
            if not await place.settled(place.port, 60 + cases):
                shown.add([Fault(Wrong.LOST, "the platform's word does not settle everything")])
        finally:
            if word is not None:
                word.cancel()
                await asyncio.gather(word, return_exceptions=True)
            await process.end(signal.SIGTERM)
        shown.add(one for one in compare(place, ask) if BYTES not in one.what or "person" not in one.what)


def _asks(place: Ground, database: str) -> Query:
    if not database:
        return on_disk(Path(place.orders.data) / "gateway.db")
    from tests.processes.stopped import on_server

    return on_server(database)


async def prove(cases: int, seed: int) -> Shown:
    """The machine."""
    shown, began = Shown("应答丢失 3 in 10 answers lost after acceptance", seed), time.monotonic()
    with TemporaryDirectory(prefix="lost-answers-") as room:
        await one(Path(room), cases, seed, shown)
    shown.seconds = time.monotonic() - began
    return shown
