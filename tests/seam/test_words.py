"""Words that come early, late, twice, about unknown numbers, or against what was said before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.messages import MessageType
from gateway.flow.timing.reminders import remind_of_words
from tests.seam.platform import Seen
from tests.seam.scene import ASKED, BYTES, IDS, OPERATOR, Scene, until


async def _matter_is(scene: Scene, subject: str, matter: str, status: str) -> None:
    async def there() -> bool:
        return (await scene.file(subject)).matters[matter].status == status

    await until(there, f"{matter[:3]} becomes {status}")


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
    await scene.all_applied(1)
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
    await scene.all_applied(1)
    assert await scene.callbacks("orphan") == []
    assert await scene.tasks("orphan_callback") == []


async def _given_up(scene: Scene) -> tuple[str, str]:
    """A filing whose answer was lost, at an endpoint that was paused then; and a word by the number that was in the answer,
    which stands before a person. Returns the confirmation's case and id."""
    await scene.stand(IDS)
    await scene.open(retry=scene.retry(orphan=(0.02, 0.02)))
    case, agreement = await _chain(scene, IDS)
    scene.ids.fail("reset_after")
    scene.ids.fail("deny")
    confirmation = await scene.confirmation(agreement)

    async def paused() -> bool:
        return bool((await scene.endpoint(IDS))["paused"])

    await until(paused, "the endpoint is paused before the number came")
    assert await scene.ids.say("TAKEN", about="confirmation", number=scene.ids.booked[-1].number) == 200
    await until(lambda: scene.tasks("orphan_callback"), "a task")
    return case, confirmation


async def test_a_word_that_was_given_up_is_applied_when_its_number_comes(scene: Scene) -> None:
    case, confirmation = await _given_up(scene)
    await scene.operator.resume(OPERATOR, IDS, "key renewed")
    await _matter_is(scene, case, confirmation, "accepted")
    await scene.all_applied(1)
    assert await scene.tasks("orphan_callback") == [], "nobody need look for it any more"
    (task,) = await scene.tasks("orphan_callback", "resolved")
    assert task["resolution"] == "applied"


async def test_a_word_whose_task_a_person_has_closed_rests(scene: Scene) -> None:
    case, confirmation = await _given_up(scene)
    (task,) = await scene.tasks("orphan_callback")
    await scene.operator.close_task(OPERATOR, task["id"], "it was a mistake of theirs")
    await scene.operator.resume(OPERATOR, IDS, "key renewed")
    await scene.reaches("delivered", case, IDS, MessageType.CONFIRMATION_REQUESTED)
    assert (await scene.file(case)).matters[confirmation].status == "requested"
    (orphan,) = await scene.callbacks("orphan")
    assert orphan["tries"] == 3


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
    await scene.all_applied(1)
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
    await scene.all_applied(1)


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
    await scene.all_applied(2)
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
    await scene.all_applied(3)
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
