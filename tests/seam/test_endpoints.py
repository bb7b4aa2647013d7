"""What one delivery's end means for its whole endpoint: paused, left alone, broken; and for nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from contracts.adapter import Context, Exchange, Receipt, Wire
from contracts.errors import RetryableError
from contracts.message import Message
from tests.seam.adapters import ToyIdempotent
from tests.seam.scene import ASKED, BYTES, IDS, OPERATOR, Scene, until


def _number(place: int) -> str:
    return f"370102-LX001-2026-{place:05d}"


async def _paused(scene: Scene, name: str) -> Any:
    async def there() -> Any:
        row = await scene.endpoint(name)
        return row if row["paused"] else None

    return await until(there, f"{name} is paused")


# ----------------------------------------------------------------------------------------------------- the operator heals


async def test_an_operators_problem_pauses_and_burns_no_step(scene: Scene) -> None:
    await scene.stand(IDS, slots=1)
    await scene.open()
    scene.ids.fail("deny")
    first = await scene.case(_number(1))
    row = await _paused(scene, IDS)
    assert (row["paused_by"], row["reason"]) == ("gateway", "KEY")
    second = await scene.case(_number(2))
    await asyncio.sleep(0.2)
    assert scene.ids.count() == 1, "a paused endpoint is left alone"
    held = await scene.delivery(first, IDS)
    assert (held.state, held.step, held.code) == ("pending", 0, "KEY")
    assert [attempt["outcome"] for attempt in await scene.attempts(held.id)] == ["pending"]
    await scene.operator.resume(OPERATOR, IDS, "the key was renewed")
    await scene.reaches("delivered", first, IDS)
    await scene.reaches("delivered", second, IDS)
    assert len(scene.ids.ids()) == 2


async def test_many_pauses_in_a_row_end_no_delivery(scene: Scene) -> None:
    """The schedule has one try: an operator's problem takes none of it, however often it comes."""
    await scene.stand(IDS)
    await scene.open(retry=scene.retry(standard=(0.05,)))
    scene.ids.fail("deny", times=4)
    case = await scene.case()
    for _ in range(4):
        await _paused(scene, IDS)
        await scene.operator.resume(OPERATOR, IDS, "again")
    row = await scene.reaches("delivered", case, IDS)
    assert (row.attempts, row.step) == (5, 0)


async def test_an_expired_session_is_opened_anew(scene: Scene) -> None:
    await scene.stand(ASKED)
    await scene.open()
    await scene.reaches("delivered", await scene.case(_number(1)), ASKED)
    scene.asked.expire_sessions()
    case = await scene.case(_number(2))
    row = await scene.reaches("delivered", case, ASKED)
    assert row.attempts == 2
    assert scene.asked.count("session") == 2
    assert scene.asked.count("find") == 0, "an expired session files nothing, so nothing is in doubt"
    assert not (await scene.endpoint(ASKED))["paused"]


# ------------------------------------------------------------------------------------------------------- the sender heals


async def test_a_document_that_cannot_be_translated_is_rejected_without_an_attempt(scene: Scene) -> None:
    await scene.stand(IDS, BYTES)
    await scene.open()
    case = await scene.case(channel="phone")
    for name in (IDS, BYTES):
        row = await scene.reaches("rejected", case, name)
        assert row.code == "code_without_row"
        assert await scene.attempts(row.id) == []
        assert scene.platforms[name].count() == 0
    assert len(await scene.tasks("rejected")) == 2


async def test_a_refusal_is_final_and_its_reasons_are_sealed(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    scene.ids.fail("refuse", text="身份证号码有误")
    case = await scene.case()
    row = await scene.reaches("rejected", case, IDS)
    await asyncio.sleep(0.15)
    assert scene.ids.count() == 1, "no retry of what was refused"
    (reason,) = await scene.reasons(row.id)
    assert reason["code"] == "REFUSED"
    assert "370102199003071238" in reason["text"], "the sender must see what the platform said"
    (attempt,) = await scene.attempts(row.id)
    shown = [attempt["code"], row.code, *(task["code"] for task in await scene.tasks())]
    events = [event["data"] for event in await scene.house.store.rows("events_of", case)]
    assert "370102199003071238" not in " ".join(map(str, [*shown, *events]))


class Stumbles(ToyIdempotent):
    """A translation with a bug for one document."""

    def translate(self, message: Message, context: Context) -> Wire:
        if context.case is not None and context.case.source_case_no == _number(13):
            raise KeyError("a bug")
        return super().translate(message, context)


async def test_a_bug_in_a_translation_stays_with_its_document(scene: Scene) -> None:
    """It is no failure of the platform: the breaker counts none, and the others go on."""
    await scene.stand(IDS, adapter=Stumbles)
    await scene.open()
    bad = await scene.case(_number(13))

    async def tried_often() -> bool:
        return (await scene.delivery(bad, IDS)).attempts > 5

    await until(tried_often, "the bug is met again and again")
    assert (await scene.endpoint(IDS))["breaker"] == "closed"
    good = await scene.case(_number(14))
    await scene.reaches("delivered", good, IDS)
    row = await scene.delivery(bad, IDS)
    assert (row.state, row.code) == ("pending", "translation_failed:KeyError")
    assert scene.ids.count() == 1


class Breaks(ToyIdempotent):
    """A sender with a bug after the answer."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        await super().send(wire, exchange)
        raise IndexError("a bug")


async def test_a_bug_after_the_filing_is_doubt(scene: Scene) -> None:
    await scene.stand(IDS, adapter=Breaks)
    await scene.open(retry=scene.retry(standard=(0.05, 0.05)))
    row = await scene.reaches("dead", await scene.case(), IDS)
    assert row.code == "adapter_failed:IndexError"
    assert row.doubt_at is not None
    assert scene.ids.ids() == [row.id], "three attempts, one effect"


# ------------------------------------------------------------------------------------------------------------- time heals


async def test_retry_after_silences_the_whole_endpoint_and_no_other(scene: Scene) -> None:
    await scene.stand(IDS, BYTES, slots=1)
    await scene.open()
    scene.ids.fail("http", status=503, retry_after="1")
    first = await scene.case(_number(1))

    async def hushed() -> bool:
        return (await scene.delivery(first, IDS)).code == "http_503"

    await until(hushed, "the answer is settled")
    others = [await scene.case(_number(place)) for place in (2, 3, 4)]
    for case in others:
        await scene.reaches("relayed", case, BYTES)
    assert scene.ids.count() == 1
    for case in (first, *others):
        await scene.reaches("delivered", case, IDS)
    assert scene.ids.seen[1].at - scene.ids.seen[0].at >= 1.0, "a request inside the quiet window"


async def test_the_breaker_opens_after_five_failures_and_one_probe_goes(scene: Scene) -> None:
    await scene.stand(IDS, slots=1)
    await scene.open(retry=scene.retry(breaker=0.15, standard=(0.01,) * 12))
    scene.ids.fail("http", times=6, status=502)
    cases = [await scene.case(_number(place)) for place in range(4)]

    async def broken() -> bool:
        return bool((await scene.endpoint(IDS))["breaker"] == "open")

    await until(broken, "the breaker opens")
    assert scene.ids.count() == 5
    assert (await scene.endpoint(IDS))["failures"] == 5
    for case in cases:
        await scene.reaches("delivered", case, IDS)
    moments = [seen.at for seen in scene.ids.seen]
    assert len(moments) == 5 + 1 + 4, "one probe failed, the next one closed the breaker"
    assert moments[5] - moments[4] >= 0.15, "the first probe"
    assert moments[6] - moments[5] >= 0.3, "the second probe waits twice as long"
    row = await scene.endpoint(IDS)
    assert (row["breaker"], row["failures"]) == ("closed", 0)
    assert await scene.tasks("dead") == [], "a breaker burns no delivery"


async def test_one_probe_at_a_time_goes_through_an_open_breaker(scene: Scene) -> None:
    """Eight slots and many due deliveries: the half-open endpoint still gets one request, and no second before its answer."""
    await scene.stand(IDS, slots=8)
    await scene.open(retry=scene.retry(breaker=0.2, standard=(0.01,) * 12))
    opened = asyncio.Event()
    scene.ids.fail("http", times=5, status=502)
    first = await scene.case(_number(1))

    async def broken() -> bool:
        return bool((await scene.endpoint(IDS))["breaker"] == "open")

    await until(broken, "the breaker opens")
    scene.ids.fail("gate", open=opened)
    cases = [first, *[await scene.case(_number(place)) for place in range(2, 8)]]

    async def probed() -> bool:
        return scene.ids.count() == 6

    await until(probed, "the probe")
    await asyncio.sleep(0.1)
    assert scene.ids.count() == 6, "nobody follows the probe before its answer"
    opened.set()
    for case in cases:
        await scene.reaches("delivered", case, IDS)
    assert len(scene.ids.ids()) == len(cases)


async def test_refusals_do_not_break_an_endpoint(scene: Scene) -> None:
    await scene.stand(IDS, slots=1)
    await scene.open()
    scene.ids.fail("refuse", times=6)
    cases = [await scene.case(_number(place)) for place in range(6)]
    for case in cases:
        await scene.reaches("rejected", case, IDS)
    row = await scene.endpoint(IDS)
    assert (row["breaker"], row["failures"]) == ("closed", 0), "a platform that answers is well"


async def test_the_schedule_ends(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(retry=scene.retry(standard=(0.02, 0.02, 0.02)))
    scene.ids.fail("http", times=4, status=503)
    case = await scene.case()
    row = await scene.reaches("dead", case, IDS)
    assert row.code == "http_503"
    assert scene.ids.count() == 4
    assert [task["about"] for task in await scene.tasks("dead")] == [row.id]
    await scene.operator.redrive(OPERATOR, row.id, "the platform is back")
    await scene.reaches("delivered", case, IDS)
    assert await scene.tasks("dead") == []
    assert scene.ids.ids() == [row.id]


async def test_an_endless_word_of_patience_is_cut(scene: Scene) -> None:
    """A mistyped Retry-After of years is not believed."""
    await scene.stand(IDS)
    await scene.open()
    scene.ids.fail("http", status=503, retry_after="9999999999")
    case = await scene.case()

    async def hushed() -> bool:
        return (await scene.delivery(case, IDS)).attempts == 1

    await until(hushed, "the answer is settled")
    row = await scene.endpoint(IDS)
    day = 86_400_000
    assert day - 60_000 < row["quiet_until"] - scene.gateway.clock.ms() <= day


async def test_what_an_adapter_raises_by_itself_cannot_hold_the_engine(scene: Scene) -> None:
    """A negative patience is none."""

    class Hurries(ToyIdempotent):
        """Asks for a time that has passed."""

        tried = False

        async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
            if not type(self).tried:
                type(self).tried = True
                raise RetryableError("hurry", retry_after=timedelta(seconds=-5))
            return await super().send(wire, exchange)

    await scene.stand(IDS, adapter=Hurries)
    await scene.open()
    await scene.reaches("delivered", await scene.case(), IDS)
