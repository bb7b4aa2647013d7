"""Which thing a word is about: our own ids first, then the platform's numbers; two things are a contradiction."""

from __future__ import annotations

import pytest

from contracts.messages import COURT, HR, ONE_STOP, MessageType
from contracts.update import About, Key, KeyKind
from gateway.flow.applying.correlate import Contradicting, Found, find
from gateway.store.unit import NewReference
from tests.flow.stage import Stage


async def deliveries(stage: Stage, subject: str) -> dict[tuple[str, str], str]:
    return {(row.endpoint, row.type): row.id for row in (await stage.file(subject)).deliveries}


async def number(stage: Stage, endpoint: str, kind: str, value: str, about: str, subject: str) -> None:
    reference = NewReference(endpoint, kind, value, about, value)
    row = (reference.endpoint, reference.kind, reference.value, reference.about, subject, reference.folded)
    await stage.house.store.write("add_reference", row)


async def found(stage: Stage, about: About, *keys: Key, endpoint: str = HR) -> Found | None:
    return await find(stage.house.store, endpoint, about, keys)


async def test_our_own_ids(still: Stage) -> None:
    case, _, confirmation = await still.chain()
    transfer = await still.transfer(case)
    assert await found(still, About.CONFIRMATION, Key(KeyKind.CONFIRMATION, confirmation)) == Found(case, confirmation)
    assert await found(still, About.TRANSFER, Key(KeyKind.TRANSFER, transfer)) == Found(case, transfer)
    assert await found(still, About.CONFIRMATION, Key(KeyKind.CONFIRMATION, "cnf_01M7Q5CQG057N683VPG2HEWAGG")) is None


async def test_a_delivery_and_a_message_are_the_endpoints_own(still: Stage) -> None:
    case, agreement, confirmation = await still.chain()
    mine = (await deliveries(still, case))[HR, MessageType.CONFIRMATION_REQUESTED]
    for about, expected in ((About.DELIVERY, mine), (About.CONFIRMATION, confirmation), (About.CASE, case)):
        assert await found(still, about, Key(KeyKind.DELIVERY, mine)) == Found(case, expected)
        assert await found(still, about, Key(KeyKind.DELIVERY, mine), endpoint=ONE_STOP) is None
    row = await still.house.store.row("delivery", mine)
    assert row is not None
    by_message = Key(KeyKind.MESSAGE, row["message"])
    assert await found(still, About.DELIVERY, by_message) == Found(case, mine)
    assert await found(still, About.DELIVERY, by_message, endpoint=ONE_STOP) is None
    concluded = (await deliveries(still, case))[HR, MessageType.AGREEMENT_CONCLUDED]
    assert await found(still, About.FULFILMENT, Key(KeyKind.DELIVERY, concluded)) == Found(case, agreement)


async def test_the_upstreams_numbers_need_their_organisation(still: Stage) -> None:
    case = await still.case({"/source_case_no": "LX-9"})
    agreement = await still.agreement(case, {"/agreement_no": "调〔2026〕9号"})
    key = Key(KeyKind.CASE_NO_OF_SOURCE, "LX-9", "SD-JN-LX-001")
    assert await found(still, About.CASE, key) == Found(case, case)
    assert await found(still, About.CASE, Key(KeyKind.CASE_NO_OF_SOURCE, "LX-9", "SD-LY-LS-007")) is None
    by_number = Key(KeyKind.AGREEMENT_NO, "调〔2026〕9号", "SD-JN-LX-001")
    assert await found(still, About.FULFILMENT, by_number) == Found(case, agreement)
    assert await found(still, About.CASE, by_number) == Found(case, case)


async def test_a_platforms_number_is_known_at_that_platform_alone(still: Stage) -> None:
    case, _, confirmation = await still.chain()
    await number(still, HR, "platform_no", "9007199254740993", confirmation, case)
    key = Key(KeyKind.REFERENCE, "9007199254740993", "platform_no")
    assert await found(still, About.CONFIRMATION, key) == Found(case, confirmation)
    assert await found(still, About.CONFIRMATION, key, endpoint=COURT) is None
    assert await found(still, About.CONFIRMATION, Key(KeyKind.REFERENCE, "9007199254740993", "case_no")) is None


async def test_a_number_of_the_case_means_its_one_open_matter(still: Stage) -> None:
    case, _, confirmation = await still.chain()
    await number(still, HR, "platform_no", "77", case, case)
    key = Key(KeyKind.REFERENCE, "77", "platform_no")
    assert await found(still, About.CONFIRMATION, key) == Found(case, confirmation)
    assert await found(still, About.TRANSFER, key) is None
    first = await still.transfer(case, "arbitration")
    assert await found(still, About.TRANSFER, key) == Found(case, first)
    await still.transfer(case, "labor_inspection")
    assert await found(still, About.TRANSFER, key) == Found(case, first), "the other was not sent to this platform"
    await number(still, ONE_STOP, "platform_no", "78", case, case)
    both = Key(KeyKind.REFERENCE, "78", "platform_no")
    assert await found(still, About.TRANSFER, both, endpoint=ONE_STOP) is None


async def test_a_number_of_the_case_means_its_matter_that_is_over_where_none_is_open(still: Stage) -> None:
    """Two platforms decide about one transfer: the word of the second finds it closed, and is no orphan."""
    case = await still.case()
    await number(still, ONE_STOP, "platform_no", "79", case, case)
    transfer = await still.transfer(case, "arbitration")
    matter = (await still.file(case)).matters[transfer]
    row = (transfer, "filed", None, matter.version, matter.message, False)
    await still.house.store.write("move_matter", row)
    key = Key(KeyKind.REFERENCE, "79", "platform_no")
    assert await found(still, About.TRANSFER, key, endpoint=ONE_STOP) == Found(case, transfer)


async def test_keys_that_agree_are_one_and_unknown_ones_are_passed_over(still: Stage) -> None:
    case, _, confirmation = await still.chain()
    await number(still, HR, "platform_no", "77", confirmation, case)
    keys = (
        Key(KeyKind.CONFIRMATION, confirmation),
        Key(KeyKind.REFERENCE, "88", "platform_no"),
        Key(KeyKind.REFERENCE, "77", "platform_no"),
    )
    assert await found(still, About.CONFIRMATION, *keys) == Found(case, confirmation)
    assert await found(still, About.CONFIRMATION, *reversed(keys)) == Found(case, confirmation)


async def test_keys_that_name_two_things_contradict(still: Stage) -> None:
    first, _, confirmation = await still.chain()
    _, _, other = await still.chain()
    await number(still, HR, "platform_no", "77", confirmation, first)
    with pytest.raises(Contradicting):
        await found(
            still, About.CONFIRMATION, Key(KeyKind.CONFIRMATION, other), Key(KeyKind.REFERENCE, "77", "platform_no")
        )
