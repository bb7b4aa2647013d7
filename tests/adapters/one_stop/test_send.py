"""Sending, polling and probing against a platform that the test plays."""

from __future__ import annotations

import json

import pytest

from adapters.one_stop.security import signature
from adapters.one_stop.wire import read_body
from contracts.adapter import Polled, Wire
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.messages import MessageType as M

from . import documents as d
from .platform import (
    NOW,
    ORGANIZATION,
    REFERENCE,
    TOKEN,
    URL,
    Answering,
    FakeExchange,
    Step,
    adapter,
    fault,
    fixed,
    reply,
    response,
)

OTHER = "SD-LY-LS-007"


def external_id(step: Step) -> str:
    head = read_body(step.request.body).one("报文头")
    assert head is not None
    return head.value("外部编号") or ""


def answering(operation: str, **more: str) -> Answering:
    """A reply that repeats the 外部编号 it was asked with."""
    return lambda step: reply(response(operation, external_id(step), **more), encoding="gb18030", declared=True)


def case_wire() -> Wire:
    return adapter().translate(d.message(M.CASE_SUBMITTED, d.case()), d.context(d.case()))


def answer_wire() -> Wire:
    context = d.context(referral=d.referral(), referral_id="ref_01JB2Z9K7Q4N")
    return adapter().translate(d.message(M.REFERRAL_ANSWERED, d.answer(), "ref_01JB2Z9K7Q4N"), context)


# ------------------------------------------------------------------------------------------------------------- sending


async def test_one_filing_with_signed_headers() -> None:
    exchange = FakeExchange([answering("reportCase")])
    receipt = await adapter().send(case_wire(), exchange)
    assert (receipt.reference, receipt.duplicate) == (REFERENCE, False)
    (step,) = exchange.steps
    assert (step.name, step.filing, step.within) == ("reportCase", True, 30.0)
    assert (step.request.method, step.request.url) == ("POST", f"{URL}/services/DisputeExchange")
    headers = dict(step.request.headers)
    assert len(headers) == len(step.request.headers)
    assert headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert headers["SOAPAction"] == '"urn:sdzz:mdjf:1#reportCase"'
    assert headers["x-tif-timestamp"] == str(int(NOW.timestamp()))
    assert headers["x-tif-signature"] == signature(headers["x-tif-timestamp"], TOKEN, headers["x-tif-nonce"])
    assert TOKEN.encode() not in step.request.body
    request = read_body(step.request.body)
    assert request.name == "reportCaseRequest"
    assert external_id(step) == d.DELIVERY


async def test_a_repeat_differs_in_time_and_nonce_alone() -> None:
    wire = case_wire()
    sender = adapter()
    exchange = FakeExchange([answering("reportCase"), answering("reportCase", duplicate="1")])
    assert not (await sender.send(wire, exchange)).duplicate
    assert (await sender.send(wire, exchange)).duplicate
    one, other = exchange.steps
    assert one.request.body == other.request.body
    assert dict(one.request.headers)["x-tif-nonce"] != dict(other.request.headers)["x-tif-nonce"]


async def test_a_wire_from_a_store_that_sorts_its_keys_sends_the_same_bytes() -> None:
    wire = case_wire()
    stored = json.loads(json.dumps(wire.payload, sort_keys=True))
    first, second = FakeExchange([answering("reportCase")]), FakeExchange([answering("reportCase")])
    await adapter().send(wire, first)
    await adapter().send(Wire(wire.id, wire.operation, stored), second)
    assert first.steps[0].request.body == second.steps[0].request.body


async def test_signing_for_an_assignment_binds_right_before() -> None:
    wire = answer_wire()
    exchange = FakeExchange([answering("bindId", duplicate="1"), answering("answerAssign")])
    receipt = await adapter().send(wire, exchange)
    assert receipt.reference == REFERENCE
    assert [(step.name, step.filing) for step in exchange.steps] == [("bindId", False), ("answerAssign", True)]
    bind, answer = (read_body(step.request.body) for step in exchange.steps)
    assert (bind.value("平台编号"), bind.value("案件外部编号")) == (d.TASK_NO, "ref_01JB2Z9K7Q4N")
    assert (answer.value("平台编号"), answer.value("答复")) == (d.TASK_NO, "1")
    assert [external_id(step) for step in exchange.steps] == [f"{d.DELIVERY}-bind", d.DELIVERY]
    assert "bindId" in wire.payload  # sending changes nothing of the frozen wire


@pytest.mark.parametrize(
    ("failing", "kind"),
    [
        (fixed(reply(fault("S009"), status=500)), RetryableError),
        (fixed(reply(fault("S001"), status=500)), EndpointError),
        (answering("bindId", ret="0", err="E423"), PermanentError),
        (answering("bindId", ret="0", err="E425"), PermanentError),
    ],
)
async def test_without_binding_nothing_is_filed(failing: Answering, kind: type[Exception]) -> None:
    exchange = FakeExchange([failing])
    with pytest.raises(kind) as caught:
        await adapter().send(answer_wire(), exchange)
    assert [step.name for step in exchange.steps] == ["bindId"]
    assert not getattr(caught.value, "maybe_accepted", False)


async def test_a_decline_is_one_call() -> None:
    wire = Wire(d.DELIVERY, "answerAssign", answer_wire().payload | {"答复": "2", "原因": "不在受理范围"})
    wire.payload.pop("bindId")
    exchange = FakeExchange([answering("answerAssign")])
    await adapter().send(wire, exchange)
    assert [step.name for step in exchange.steps] == ["answerAssign"]


async def test_the_exchanges_own_failure_goes_through() -> None:
    lost = RetryableError("cut", maybe_accepted=True)
    with pytest.raises(RetryableError) as caught:
        await adapter().send(case_wire(), FakeExchange([lost]))
    assert caught.value is lost


# ------------------------------------------------------------------------------------------------------------- probing


async def test_probe_is_a_ping_of_the_head_alone() -> None:
    exchange = FakeExchange([answering("ping", reference="")])
    await adapter().probe(exchange)
    (step,) = exchange.steps
    assert not step.filing
    assert [child.name for child in read_body(step.request.body).children] == ["报文头"]


@pytest.mark.parametrize("refusal", ["E101", "E403", "E404"])
async def test_a_refused_probe_is_the_operators(refusal: str) -> None:
    with pytest.raises(EndpointError, match=refusal):
        await adapter().probe(FakeExchange([answering("ping", ret="0", err=refusal)]))


# ------------------------------------------------------------------------------------------------------------- polling


def change(number: str = "CH-1", organization: str = ORGANIZATION, kind: str = "4") -> str:
    return (
        f"<变更><变更序号>{number}</变更序号><变更类型>{kind}</变更类型><平台编号>{REFERENCE}</平台编号>"
        f"<机构编码>{organization}</机构编码><变更时间>2026-09-30 10:00:00</变更时间><督办意见>请说明</督办意见></变更>"
    )


def page(*changes: str, cursor: str = "c1", end: str = "1") -> Answering:
    own = f"<变更列表>{''.join(changes)}</变更列表><新游标>{cursor}</新游标><EOPSIGN>{end}</EOPSIGN>"
    return answering("pullChanges", reference="", own=own)


def asked(step: Step) -> tuple[str, str, str]:
    request = read_body(step.request.body)
    head = request.one("报文头")
    assert head is not None
    return head.value("机构编码") or "", request.value("游标") or "", request.value("每页条数") or ""


async def polled(cursor: str | None, *answers: Answering, organizations: tuple[str, ...] = (ORGANIZATION,)) -> Polled:
    return await adapter(organizations=organizations).poll(cursor, FakeExchange(list(answers)))


async def test_pages_follow_the_cursor_until_the_end_sign() -> None:
    puller = adapter()
    exchange = FakeExchange(
        [page(change("CH-1"), cursor="c1", end="0"), page(change("CH-2"), cursor="c2"), page(cursor="c2")]
    )
    first = await puller.poll(None, exchange)
    assert ([item.event_id for item in first.items], first.more) == (["CH-1"], True)
    second = await puller.poll(first.cursor, exchange)
    assert ([item.event_id for item in second.items], second.more) == (["CH-2"], False)
    third = await puller.poll(second.cursor, exchange)
    assert (third.items, third.cursor, third.more) == ((), second.cursor, False)
    assert [asked(step) for step in exchange.steps] == [
        (ORGANIZATION, "0", "100"),
        (ORGANIZATION, "c1", "100"),
        (ORGANIZATION, "c2", "100"),
    ]
    assert not any(step.filing for step in exchange.steps)


async def test_organisations_take_turns_with_cursors_of_their_own() -> None:
    puller = adapter(organizations=(ORGANIZATION, OTHER))
    exchange = FakeExchange([page(cursor="a1", end="0"), page(cursor="a2"), page(cursor="b1"), page(cursor="a3")])
    cursor: str | None = None
    for _ in range(4):
        cursor = (await puller.poll(cursor, exchange)).cursor
    assert [asked(step)[:2] for step in exchange.steps] == [
        (ORGANIZATION, "0"),
        (ORGANIZATION, "a1"),
        (OTHER, "0"),
        (ORGANIZATION, "a2"),
    ]


async def test_a_new_organisation_starts_from_the_beginning_and_a_removed_one_is_forgotten() -> None:
    stored = (await polled(None, page(cursor="a1"))).cursor
    exchange = FakeExchange([page(cursor="b1")])
    later = await adapter(organizations=(OTHER,)).poll(stored, exchange)
    assert asked(exchange.steps[0])[:2] == (OTHER, "0")
    assert ORGANIZATION not in later.cursor


@pytest.mark.parametrize("stored", ["", "0", "null", "{}", "[1]", '["ab"]', "not json", '[["A"]]', "[[[1],2]]"])
async def test_a_cursor_that_is_not_ours_starts_from_the_beginning(stored: str) -> None:
    exchange = FakeExchange([page(cursor="c1")])
    await adapter().poll(stored, exchange)
    assert asked(exchange.steps[0])[:2] == (ORGANIZATION, "0")


async def test_an_expired_cursor_starts_again_at_the_next_poll() -> None:
    stored = (await polled(None, page(cursor="c1"))).cursor
    again = await polled(stored, answering("pullChanges", reference="", ret="0", err="E410"))
    assert (again.items, again.more) == ((), False)
    exchange = FakeExchange([page(cursor="c9")])
    await adapter().poll(again.cursor, exchange)
    assert asked(exchange.steps[0])[1] == "0"


async def test_a_beginning_that_is_expired_is_no_loop() -> None:
    with pytest.raises(RetryableError, match="E410"):
        await polled(None, answering("pullChanges", reference="", ret="0", err="E410"))


async def test_asked_too_often_waits() -> None:
    with pytest.raises(RetryableError) as caught:
        await polled(None, fixed(reply(fault("S004", wait="5"), status=500)))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 5


@pytest.mark.parametrize(
    "own",
    [
        "",
        "<新游标/><EOPSIGN>1</EOPSIGN>",
        "<新游标>c</新游标>",
        "<新游标>c</新游标><EOPSIGN>2</EOPSIGN>",
        f"<新游标>{'c' * 65}</新游标><EOPSIGN>1</EOPSIGN>",
        "<新游标>c</新游标><新游标>d</新游标><EOPSIGN>1</EOPSIGN>",
    ],
)
async def test_a_page_without_cursor_or_end_is_asked_for_again(own: str) -> None:
    with pytest.raises(RetryableError) as caught:
        await polled(None, answering("pullChanges", reference="", own=own))
    assert not caught.value.maybe_accepted


async def test_a_page_that_moves_nothing_promises_nothing() -> None:
    assert not (await polled(None, page(cursor="0", end="0"))).more


async def test_a_page_without_list_is_empty() -> None:
    own = "<新游标>c1</新游标><EOPSIGN>1</EOPSIGN>"
    assert (await polled(None, answering("pullChanges", reference="", own=own))).items == ()


async def test_repeats_have_the_same_number_and_digest() -> None:
    (one,) = (await polled(None, page(change("CH-1"), change("CH-1")))).items
    (other,) = (await polled(None, page(change("CH-1"), cursor="c7"))).items
    assert one == other
    (changed,) = (await polled(None, page(change("CH-1", kind="9")))).items
    assert changed.event_id == one.event_id
    assert changed.digest != one.digest


async def test_forged_rows_are_kept_raw_and_never_stand_in_a_true_ones_place() -> None:
    rows = (change("CH-1"), change("CH-1", organization="SD-XX-001"), change(""), change("x" * 33), change("a b"))
    items = (await polled(None, page(*rows))).items
    assert items[0].event_id == "CH-1"
    assert all(item.event_id.startswith("raw-") and len(item.event_id) <= 64 for item in items[1:])
    assert len({item.event_id for item in items}) == len(rows)


async def test_an_organisation_of_ours_that_was_not_asked_for_is_ours_all_the_same() -> None:
    found = await polled(None, page(change("CH-1", organization=OTHER)), organizations=(ORGANIZATION, OTHER))
    assert [item.event_id for item in found.items] == ["CH-1"]
