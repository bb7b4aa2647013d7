"""Words that come early, late, twice, about unknown numbers, or against what was said before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.messages import MessageType
from gateway.flow.operating.operate import Operator
from gateway.flow.operating.replay import Replayer, ReplayKind
from gateway.flow.worker import remind_of_words
from gateway.store.casefile import DeliveryRow
from tests.seam.platform import Seen
from tests.seam.scene import ASKED, BYTES, IDS, OPERATOR, Scene, until


async def _matter_is(scene: Scene, subject: str, matter: str, status: str) -> None:
    async def there() -> bool:
        return (await scene.file(subject)).matters[matter].status == status

    await until(there, f"{matter[:3]} becomes {status}")


async def _all_applied(scene: Scene, many: int) -> None:
    async def there() -> bool:
        return len(await scene.callbacks("applied")) == many

    await until(there, f"{many} calls are applied")


async def _chain(scene: Scene, endpoint: str) -> tuple[str, str]:
    """A case with an agreement, both delivered at an endpoint that answers at once."""
    case = await scene.case()
    agreement = await scene.agreement(case)
    await scene.reaches("delivered", case, endpoint, MessageType.AGREEMENT_CONCLUDED)
    return case, agreement


# ------------------------------------------------------------------------------------------------------ before our commit


async def test_a_word_about_a_delivery_that_is_still_being_sent(scene: Scene) -> None:
    """The platform calls before it answers: its word waits for our own outcome, and then settles it."""
    await scene.stand(IDS)
    await scene.open()
    statuses: list[int] = []

    async def call(seen: Seen) -> None:
        statuses.append(await scene.ids.say("OK", id=scene.ids.ids()[0]))
        await asyncio.sleep(0.1)

    scene.ids.fail("early", call=call)
    case = await scene.case()
    row = await scene.reaches("delivered", case, IDS)
    assert statuses == [200], "stored and answered at once"
    await _all_applied(scene, 1)
    assert row.attempts == 1
    assert scene.ids.count() == 1


async def test_a_word_of_refusal_that_overtakes_the_answer_does_not_lose_it(scene: Scene) -> None:
    """Bytes taken, refused at once, the refusal first at our door: relayed, then rejected."""
    await scene.stand(BYTES)
    await scene.open()

    async def call(seen: Seen) -> None:
        await scene.batches.say("NO", id=scene.batches.ids()[0], reason="E17")
        await asyncio.sleep(0.1)

    scene.batches.fail("early", call=call)
    row = await scene.reaches("rejected", await scene.case(), BYTES)
    assert row.code == "E17"
    assert scene.batches.count() == 1


async def test_a_word_by_our_id_about_the_thing_moves_it_during_the_sending(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    case, agreement = await _chain(scene, IDS)

    async def call(seen: Seen) -> None:
        await scene.ids.say("BOUND", about="confirmation", id=scene.ids.ids()[-1])
        await asyncio.sleep(0.1)

    scene.ids.fail("early", call=call)
    confirmation = await scene.confirmation(agreement)
    await scene.reaches("delivered", case, IDS, MessageType.CONFIRMATION_REQUESTED)
    await _matter_is(scene, case, confirmation, "confirmed")


async def test_a_word_by_a_number_that_we_do_not_have_yet_is_an_orphan_and_then_applied(scene: Scene) -> None:
    """The number travels in the answer that is still on its way."""
    await scene.stand(IDS)
    await scene.open()
    case, agreement = await _chain(scene, IDS)
    orphans: list[Any] = []

    async def call(seen: Seen) -> None:
        await scene.ids.say("TAKEN", about="confirmation", number=scene.ids.booked[-1].number)
        orphans.extend(await until(lambda: scene.callbacks("orphan"), "the word is an orphan"))

    scene.ids.fail("early", call=call)
    confirmation = await scene.confirmation(agreement)
    await _matter_is(scene, case, confirmation, "accepted")
    assert orphans[0]["code"] == "not_known"
    await _all_applied(scene, 1)
    assert await scene.callbacks("orphan") == []
    assert await scene.tasks("orphan_callback") == []


async def test_a_word_about_nothing_of_ours_goes_to_a_person(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(retry=scene.retry(orphan=(0.02, 0.02)))
    assert await scene.ids.say("BOUND", about="confirmation", number="N99999") == 200
    (task,) = await until(lambda: scene.tasks("orphan_callback"), "a task")
    (orphan,) = await scene.callbacks("orphan")
    assert task["about"] == orphan["id"]
    assert orphan["tries"] == 3


async def test_a_foreign_endpoint_cannot_speak_about_our_delivery(scene: Scene) -> None:
    await scene.stand(IDS, BYTES)
    await scene.open(retry=scene.retry(orphan=(0.02, 0.02)))
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    await scene.ids.say("NO", id=row.id)
    await until(lambda: scene.tasks("orphan_callback"), "a task")
    assert (await scene.delivery(case, BYTES)).state == "relayed"


# ------------------------------------------------------------------------------------------------------------ many times


async def test_a_repeated_word_is_applied_once(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    body = scene.batches.word("OK", id=row.id)
    assert scene.batches.door is not None
    answers = await asyncio.gather(*(scene.batches.door(*scene.batches.call(body)) for _ in range(20)))
    assert answers == [200] * 20
    await scene.reaches("delivered", case, BYTES)
    await _all_applied(scene, 1)
    events = [event["type"] for event in await scene.house.store.rows("events_of", case)]
    assert events.count("delivery.delivered") == 1


async def test_the_same_number_with_other_content_goes_to_a_person(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    await scene.batches.say("OK", id=row.id, event="E77777")
    await scene.reaches("delivered", case, BYTES)
    assert await scene.batches.say("NO", id=row.id, event="E77777") == 200
    (task,) = await until(lambda: scene.tasks("contradiction"), "a task")
    assert task["code"] == "other_content"
    assert (await scene.delivery(case, BYTES)).state == "delivered"


async def test_forged_calls_change_nothing(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    body = scene.batches.word("OK", id=row.id)
    true = scene.batches.call(body)
    assert scene.batches.door is not None
    assert await scene.batches.door(*scene.batches.call(body, key="another")) == 401
    assert await scene.batches.door(*true) == 200
    await scene.reaches("delivered", case, BYTES)
    assert await scene.batches.door(*true) == 401, "the replay"
    await _all_applied(scene, 1)


# ---------------------------------------------------------------------------------------------------------- relayed things


async def test_relayed_frees_the_lane_but_not_for_what_requires_it(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    await scene.progress(case)
    row = await scene.reaches("relayed", case, BYTES)
    await asyncio.sleep(0.1)
    assert scene.batches.count() == 1, "the progress requires the case to be delivered"
    await scene.batches.say("OK", id=row.id)
    await scene.reaches("relayed", case, BYTES, MessageType.CASE_PROGRESSED)
    agreement = await scene.agreement(case)
    await scene.reaches("relayed", case, BYTES, MessageType.AGREEMENT_CONCLUDED)
    assert agreement.startswith("agr_")
    assert scene.batches.count() == 3, "a relayed progress holds nothing up"


async def test_a_refused_predecessor_blocks_and_tells_a_person_of_what_the_law_counts(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    await scene.progress(case)
    await scene.agreement(case)
    await scene.batches.say("NO", id=row.id, reason="E17")
    await scene.reaches("rejected", case, BYTES)
    statutory = await scene.delivery(case, BYTES, MessageType.AGREEMENT_CONCLUDED)
    assert [task["about"] for task in await scene.tasks("blocked")] == [statutory.id]
    await asyncio.sleep(0.1)
    assert scene.batches.count() == 1
    assert (statutory.state, statutory.requires) == ("pending", row.id)
    await scene.batches.say("OK", id=row.id)
    await scene.reaches("relayed", case, BYTES, MessageType.AGREEMENT_CONCLUDED)
    assert await scene.tasks("rejected") == [], "they have it after all"


async def test_a_refusal_by_answer_blocks_alike(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    scene.ids.fail("refuse")
    case = await scene.case()
    await scene.agreement(case)
    await scene.reaches("rejected", case, IDS)
    statutory = await scene.delivery(case, IDS, MessageType.AGREEMENT_CONCLUDED)

    async def told() -> bool:
        return [task["about"] for task in await scene.tasks("blocked")] == [statutory.id]

    await until(told, "a task for the agreement")
    assert scene.ids.count() == 1


async def test_a_statutory_message_that_comes_behind_a_refusal_is_told_at_once(scene: Scene) -> None:
    """The refusal is older than the message: nobody will ever free it, and its clock runs."""
    await scene.stand(IDS)
    await scene.open()
    scene.ids.fail("refuse")
    case = await scene.case()
    await scene.reaches("rejected", case, IDS)
    await scene.agreement(case)
    statutory = await scene.delivery(case, IDS, MessageType.AGREEMENT_CONCLUDED)

    async def told() -> bool:
        return [task["about"] for task in await scene.tasks("blocked")] == [statutory.id]

    await until(told, "a task for the agreement", 1.0)


async def test_postponed_is_sent_again_under_the_same_id_after_its_time(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    await scene.batches.say("WAIT", id=row.id, wait=300)

    async def twice() -> bool:
        return scene.batches.count() == 2

    await until(twice, "it is sent again")
    assert scene.batches.ids() == [row.id, row.id]
    first, second = scene.batches.seen
    assert second.at - first.at >= 0.3
    assert first.body == second.body
    await scene.reaches("relayed", case, BYTES)


async def test_a_platform_that_says_it_cannot_is_paused(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    await scene.batches.say("DOWN", id=row.id, reason="MAINTENANCE")

    async def paused() -> bool:
        return bool((await scene.endpoint(BYTES))["paused"])

    await until(paused, "the endpoint is paused")
    endpoint = await scene.endpoint(BYTES)
    assert (endpoint["paused_by"], endpoint["reason"]) == ("platform", "MAINTENANCE")
    assert (await scene.delivery(case, BYTES)).state == "relayed"


async def test_a_refusal_after_delivery_moves_nothing_back(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("delivered", case, IDS)
    await scene.ids.say("NO", id=row.id)
    (task,) = await until(lambda: scene.tasks("contradiction"), "a task")
    assert task["about"] == row.id
    assert (await scene.delivery(case, IDS)).state == "delivered"


async def test_the_first_acceptance_counts_where_a_repeat_is_another_batch(scene: Scene) -> None:
    """A platform without memory refuses the repeat of what it has accepted: that is no contradiction."""
    await scene.stand(BYTES)
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("relayed", case, BYTES)
    await scene.batches.say("OK", id=row.id)
    await scene.reaches("delivered", case, BYTES)
    await scene.batches.say("NO", id=row.id)
    await _all_applied(scene, 2)
    assert (await scene.delivery(case, BYTES)).state == "delivered"
    assert await scene.tasks() == []


@pytest.mark.parametrize("arrives", ["relayed", "in_doubt"])
async def test_a_word_that_does_not_come_is_missed(scene: Scene, arrives: str) -> None:
    """Relayed by the answer or by a later word that it came in: after ``word_within`` a person looks."""
    await scene.stand(BYTES, word_within_s=0.2)
    await scene.open()
    if arrives == "in_doubt":
        scene.batches.fail("reset_after")
    case = await scene.case()
    row = await scene.reaches(arrives, case, BYTES)
    if arrives == "in_doubt":
        await scene.batches.say("IN", id=row.id)
        await scene.reaches("relayed", case, BYTES)
    await asyncio.sleep(0.25)
    await scene.house.store.run(remind_of_words, scene.house.store)
    (task,) = await scene.tasks("word_overdue")
    matter = await scene.house.store.row("matter", case)
    assert matter is not None
    assert (task["about"], task["organization"]) == (row.id, matter["organization"])
    assert (await scene.delivery(case, BYTES)).state == "relayed"
    await scene.batches.say("OK", id=row.id)
    await scene.reaches("delivered", case, BYTES)
    assert await scene.tasks("word_overdue") == []


# ------------------------------------------------------------------------------------------------------------------ polls


async def test_polled_news_is_applied_once_and_behind_a_cursor(scene: Scene) -> None:
    await scene.stand(ASKED, poll_every_s=(0.05, 0.1))
    await scene.open()
    case = await scene.case()
    row = await scene.reaches("delivered", case, ASKED)
    for word in ("HEARD", "TALKS", "HEARD"):
        scene.asked.happen(word, about="case", number=row.reference)
    await _all_applied(scene, 3)
    assert (await scene.file(case)).matters[case].status == "mediating"
    assert (await scene.endpoint(ASKED))["cursor"] == "3"
    before = scene.asked.count("news")

    async def asked_again() -> bool:
        return scene.asked.count("news") > before

    await until(asked_again, "another poll")
    assert len(await scene.callbacks("applied")) == 3


async def test_an_unknown_word_stays_unknown(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    case, agreement = await _chain(scene, IDS)
    confirmation = await scene.confirmation(agreement)
    row = await scene.reaches("delivered", case, IDS, MessageType.CONFIRMATION_REQUESTED)
    await scene.ids.say("HALF_BOUND", about="confirmation", id=row.id)
    (task,) = await until(lambda: scene.tasks("unmapped_code"), "a task")
    assert task["code"] == "HALF_BOUND"
    assert (await scene.file(case)).matters[confirmation].status == "requested"
    types = [event["type"] for event in await scene.house.store.rows("events_of", case)]
    assert "confirmation.unknown_status" in types


async def test_a_redriven_refusal_frees_what_waited_for_it(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    scene.ids.fail("refuse")
    case = await scene.case()
    await scene.agreement(case)
    row = await scene.reaches("rejected", case, IDS)
    await scene.operator.redrive(OPERATOR, row.id, "the platform has mended its table")
    await scene.reaches("delivered", case, IDS)
    await scene.reaches("delivered", case, IDS, MessageType.AGREEMENT_CONCLUDED)
    assert await scene.tasks() == []


# ------------------------------------------------------------------------------------------- words on an earlier sending


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
    await _all_applied(scene, 1)
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
    await _all_applied(scene, 2)
    assert (await scene.delivery(case, BYTES)).state == "relayed"
    await scene.batches.say("NO", id=row.id, batch=second, reason="E18")
    assert (await scene.reaches("rejected", case, BYTES)).code == "E18"
    await scene.batches.say("OK", id=row.id, batch=first)
    await scene.reaches("delivered", case, BYTES)
