"""What time makes a person's business: alerts that nobody took, certificates that end; each is told once."""

from __future__ import annotations

from typing import Any

from contracts.errors import RetryableError
from contracts.messages import HR, ONE_STOP, UNION, MessageType
from gateway.flow.timing.reminders import Reminders
from tests.flow import papers
from tests.flow.stage import OPERATOR, Stage
from tests.house import Gateways

MEDIATOR = {
    "schema_version": "1.0",
    "certificate_no": "SD2026000001",
    "certificate_valid_until": "2026-11-30",
    "name": "李明",
    "organization_code": "SD-JN-LX-001",
    "employment": "full_time",
    "active": True,
}


async def listed(stage: Stage, **changes: Any) -> str:
    raw = MEDIATOR | changes
    known = await stage.house.store.row("find_matter", "mediator", "SD2026000001")
    target = None if known is None else "SD2026000001"
    return (await stage.post(MessageType.MEDIATOR_LISTED, raw, target)).about


async def test_an_alert_that_a_platform_does_not_take_in_two_hours(stage: Stage, gateway: Gateways) -> None:
    case = await stage.case(name="collective")
    await stage.delivered(case)
    stage.puppet(UNION).acts["case.alerted"].extend(RetryableError("busy", "later") for _ in range(10_000))
    await stage.post(MessageType.CASE_ALERTED, papers.body("alert"), case)
    await stage.delivered(case, "case.alerted", endpoint=HR)
    await stage.delivered(case, "case.alerted", endpoint=ONE_STOP)
    reminders = Reminders(stage.house.store)
    gateway.clock.skip(2 * 3600 - 60)
    await reminders.alerts()
    assert await stage.tasks("alert_unanswered") == []
    gateway.clock.skip(120)
    await reminders.alerts()
    await reminders.alerts()
    (task,) = await stage.tasks("alert_unanswered")
    assert task["endpoint"] == UNION
    await stage.house.store.write("resolve_task", (task["id"], "rung up"))
    await reminders.alerts()
    assert await stage.tasks("alert_unanswered") == [], "what a person has dealt with is not asked again"


async def test_a_certificate_that_ends_soon(still: Stage, gateway: Gateways) -> None:
    await still.case()
    mediator = await listed(still)
    reminders = Reminders(still.house.store)
    await reminders.certificates()
    await reminders.certificates()
    (task,) = await still.tasks("certificate_expiring")
    assert task["about"] == mediator
    await listed(still, certificate_valid_until="2031-11-30")
    assert await still.tasks("certificate_expiring") == [], "the new certificate answered it"
    await reminders.certificates()
    assert await still.tasks("certificate_expiring") == []
    gateway.clock.skip(5 * 365 * 86_400)
    await reminders.certificates()
    assert len(await still.tasks("certificate_expiring")) == 1


async def test_who_has_left_needs_no_certificate(still: Stage) -> None:
    await still.case()
    await listed(still, active=False)
    await Reminders(still.house.store).certificates()
    assert await still.tasks("certificate_expiring") == []


async def test_a_mediator_goes_out_with_the_organisation_of_its_latest_case(stage: Stage) -> None:
    await stage.case({"/organization/name": "旧名称"})
    await stage.case({"/organization/name": "新名称"})
    mediator = await listed(stage)
    file = await stage.house.store.load_of_matter(mediator)
    assert file is not None
    message, context = await stage.house.contexts.make(
        file.deliveries[0].message, file.subject, file.deliveries[0].id, HR
    )
    assert message.type is MessageType.MEDIATOR_LISTED
    assert context.organization is not None
    assert context.organization.name == "新名称"
    assert OPERATOR.acts_for(context.organization.code)


async def test_a_number_without_its_organisation_is_looked_up_among_the_cases_held(stage: Stage) -> None:
    number = "370102-LX001-2026-00900"
    collective = await stage.case({"/source_case_no": number}, name="collective")
    plain = await stage.case()
    await stage.delivered(collective)
    source = (await stage.file(plain)).matters[plain].facet or ""
    await stage.tell(stage.word("case", "mediating", ("source_case_no", number, "")), endpoint=UNION)
    assert await stage.status(collective) == "mediating"
    await stage.say(stage.word("case", "mediating", ("source_case_no", source, "")), endpoint=UNION)
    await stage.heard()
    assert await stage.status(plain) == "accepted", "the union does not hold it"
