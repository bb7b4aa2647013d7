"""Words and sendings: a refusal speaks of the batch that it names, and nobody sends again over a word that is not read."""

from __future__ import annotations

import asyncio

import pytest

from gateway.flow.operating.operate import Operator
from gateway.flow.operating.replay import Replayer, ReplayKind
from gateway.store.casefile import DeliveryRow
from tests.seam.scene import BYTES, OPERATOR, Scene, until


class _Reading:
    """Holds the reading of calls up while its gate is shut."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.held = 0

    async def __call__(self, point: str) -> None:
        if point == "parsed":
            self.held += not self.gate.is_set()
            await self.gate.wait()


async def _refused_but_unread(scene: Scene, reading: _Reading) -> tuple[str, DeliveryRow]:
    """A batch whose answer was lost; its refusal is kept and not applied."""
    await scene.stand(BYTES)
    await scene.open(fault_point=reading)
    scene.batches.fail("reset_after")
    case = await scene.case()
    row = await scene.reaches("in_doubt", case, BYTES)
    reading.gate.clear()
    assert await scene.batches.say("NO", id=row.id, batch=scene.batches.booked[0].number, reason="E17") == 200

    async def held() -> bool:
        return bool(reading.held)

    await until(held, "the word is held up")
    return case, row


async def test_nobody_sends_again_over_a_word_that_is_kept_and_not_read(scene: Scene) -> None:
    reading = _Reading()
    case, row = await _refused_but_unread(scene, reading)
    standing = await scene.operator.resolve(OPERATOR, row.id, False, "asked by telephone")
    assert standing.refused == "words_unread"
    assert (await scene.delivery(case, BYTES)).state == "in_doubt"
    reading.gate.set()
    await scene.reaches("rejected", case, BYTES)
    assert scene.batches.count() == 1
    reading.gate.clear()
    await scene.batches.say("OK", id="dlv_of_another")
    replayer = Replayer(scene.house.store, scene.house.lines)
    for kind in (ReplayKind.SAME, ReplayKind.RETRANSLATE):
        assert (await replayer.replay(OPERATOR, row.id, "mended there", kind)).refused == "words_unread"
    reading.gate.set()
    standing = await scene.operator.redrive(OPERATOR, row.id, "mended there")
    assert standing.refused is None
    await scene.reaches("relayed", case, BYTES)


async def test_a_refusal_that_is_read_after_the_next_sending_takes_nothing_from_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person was quicker than the reading of the word: it speaks of the batch before."""
    reading = _Reading()
    case, row = await _refused_but_unread(scene, reading)

    async def read(self: Operator, delivery: str) -> bool:
        return False

    monkeypatch.setattr(Operator, "unread", read)
    assert (await scene.operator.resolve(OPERATOR, row.id, False, "asked by telephone")).refused is None
    await scene.reaches("relayed", case, BYTES)
    reading.gate.set()
    await scene.all_applied(1)
    assert (await scene.delivery(case, BYTES)).state == "relayed"
    assert await scene.tasks() == []
    assert await scene.batches.say("NO", id=row.id, batch=scene.batches.booked[1].number, reason="E18") == 200
    assert (await scene.reaches("rejected", case, BYTES)).code == "E18"


async def test_a_word_that_names_another_batch_takes_nothing_from_this_one(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    await scene.batches.say("WAIT", id=row.id, batch=scene.batches.booked[0].number, wait=50)

    async def twice() -> bool:
        return scene.batches.count() == 2

    await until(twice, "it is sent again")
    await scene.reaches("relayed", case, BYTES)
    first, second = (one.number for one in scene.batches.booked)
    await scene.batches.say("NO", id=row.id, batch=first, reason="E17")
    await scene.all_applied(2)
    assert (await scene.delivery(case, BYTES)).state == "relayed"
    await scene.batches.say("NO", id=row.id, batch=second, reason="E18")
    assert (await scene.reaches("rejected", case, BYTES)).code == "E18"
    await scene.batches.say("OK", id=row.id, batch=first)
    await scene.reaches("delivered", case, BYTES)
