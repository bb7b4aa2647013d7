"""A statutory message never dies in silence, not even where no try is made that could fail (``design.md`` §6.5)."""

from __future__ import annotations

from contracts.messages import HR
from gateway.flow.operating.operate import Operator
from gateway.flow.timing.reminders import Reminders
from tests.flow.stage import OPERATOR, Stage, until
from tests.house import Gateways


async def paused_with_a_request(stage: Stage) -> tuple[str, str]:
    """A paused platform that is owed an agreement; returns the case and that delivery."""
    case = await stage.case()
    await stage.delivered(case)
    await Operator(stage.house.store).pause(OPERATOR, HR, "out of order")
    agreement = await stage.agreement(case)
    file = await stage.file(case)
    (owed,) = [row for row in file.deliveries if row.about == agreement and row.endpoint == HR]
    assert owed.safe_at is not None
    return case, owed.id


async def test_a_person_is_told_though_the_platform_is_paused(stage: Stage, gateway: Gateways) -> None:
    _, owed = await paused_with_a_request(stage)
    reminders = Reminders(stage.house.store)
    gateway.clock.skip(2 * 3600 - 60)
    await reminders.statutory()
    assert [task for task in await stage.tasks("statutory_late") if task["about"] == owed] == []
    gateway.clock.skip(120)
    await reminders.statutory()
    await reminders.statutory()
    (task,) = [task for task in await stage.tasks("statutory_late") if task["about"] == owed]
    assert (task["endpoint"], task["code"]) == (HR, "not_sent")
    await stage.house.store.write("resolve_task", (task["id"], "known"))
    await reminders.statutory()
    assert [task for task in await stage.tasks("statutory_late") if task["about"] == owed] == []


async def test_it_expires_at_its_latest_safe_time(stage: Stage, gateway: Gateways) -> None:
    case, owed = await paused_with_a_request(stage)
    reminders = Reminders(stage.house.store)
    safe_at = next(row.safe_at for row in (await stage.file(case)).deliveries if row.id == owed) or 0
    gateway.clock.skip((safe_at - stage.house.store.now_ms()) / 1000)
    await reminders.statutory()
    assert (await stage.house.store.rows("delivery", owed))[0]["state"] == "pending", "its last try may still be made"
    gateway.clock.skip(20 * 60)

    async def expired() -> bool:
        await reminders.statutory()
        await reminders.statutory()
        return bool((await stage.house.store.rows("delivery", owed))[0]["state"] == "expired")

    await until(expired, "it expires: the house's own reminders may be at it")
    assert (await stage.types(case, owed)).count("delivery.expired") == 1
    assert len([task for task in await stage.tasks("statutory_late") if task["about"] == owed]) == 1


async def test_what_was_late_when_it_was_made_does_not_expire(stage: Stage, gateway: Gateways) -> None:
    case = await stage.case()
    await stage.delivered(case)
    gateway.clock.skip(200 * 86_400)
    await Operator(stage.house.store).pause(OPERATOR, HR, "out of order")
    agreement = await stage.agreement(case)
    await Reminders(stage.house.store).statutory()
    (owed,) = [row for row in (await stage.file(case)).deliveries if row.about == agreement and row.endpoint == HR]
    assert owed.state == "pending"
