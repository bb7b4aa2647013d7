"""Sending and probing against a platform that the test plays."""

from __future__ import annotations

import json

import pytest

from adapters.union import UnionPlatform
from adapters.union.translate import translate
from contracts.adapter import DeliveryClass, Wire
from contracts.errors import EndpointError, RetryableError
from contracts.messages import MessageType as M
from tests.adapters.aside import Aside

from . import documents as d
from .platform import APP_KEY, BATCH_NO, SECRET, STAMP, URL, Platform, adapter, refusal, reply


def progress() -> Wire:
    return translate(d.message(M.CASE_PROGRESSED, d.PROGRESS), d.context())


def test_what_the_adapter_declares() -> None:
    info = UnionPlatform.info
    assert (info.name, info.delivery_class, info.relayed, info.calls_back, info.polls) == (
        "union",
        DeliveryClass.NEITHER,
        True,
        True,
        False,
    )
    assert info.rate_per_s == 2
    assert info.word_within.total_seconds() == 26 * 3600
    assert (info.connect_s, adapter().settings.exchange_s) == (5, 20)
    assert {(capability.type, capability.operation) for capability in info.capabilities} == {
        (M.CASE_SUBMITTED, "case.notice"),
        (M.CASE_REVISED, "case.change"),
        (M.CASE_PROGRESSED, "progress"),
        (M.AGREEMENT_PERFORMED, "progress"),
        (M.AGREEMENT_CONCLUDED, "agreement.notice"),
        (M.CASE_ALERTED, "alert"),
        (M.TRANSFER_REQUESTED, "support"),
        (M.REFERRAL_ANSWERED, "referral.answer"),
        (M.REFERRAL_RETURNED, "referral.result"),
    }


async def test_a_long_answer_is_read_off_the_loop() -> None:
    aside = Aside()
    assert (await adapter(blocking=aside).send(progress(), Platform())).reference == BATCH_NO
    assert aside.did == []
    assert (await adapter(blocking=aside).send(progress(), Platform([reply(msg="长" * 10_000)]))).reference == BATCH_NO
    assert aside.did == ["judge"]


async def test_one_filing_as_a_batch_of_one() -> None:
    platform = Platform()
    receipt = await adapter().send(progress(), platform)
    assert (receipt.reference, receipt.relayed) == (BATCH_NO, True)
    (step,) = platform.steps
    assert (step.filing, step.within, step.limit) == (True, 20.0, 512 * 1024)
    assert step.request.url == f"{URL}/lda/batch.do"
    sent = step.parameters
    assert (sent["appKey"], sent["method"], sent["n"], sent["timestamp"]) == (APP_KEY, "progress", "1", STAMP)
    items = {name: value for name, value in sent.items() if name.startswith("i")}
    assert items == {
        "i1.xlh": "dlv_01JB2Z9K7Q4N",
        "i1.jgdm": "SD-JN-LX-001",
        "i1.jgmc": "济南市历下区劳动人事争议仲裁院调解中心",
        "i1.ajbh": "370102-LX001-2026-00123",
        "i1.zt": "08",
        "i1.sj": "20260930170000",
        "i1.yy": "05",
        "i1.sm": "双方就补偿金额分歧较大，申请人要求终止调解",
        "i1.kssj": "20260930140000",
        "i1.jssj": "20260930165000",
    }
    assert SECRET.encode() not in step.request.body


async def test_rows_are_numbered_from_one() -> None:
    platform = Platform()
    await adapter().send(translate(d.message(M.CASE_SUBMITTED, d.COLLECTIVE), d.context(case=d.COLLECTIVE)), platform)
    sent = platform.steps[0].parameters
    assert (sent["i1.qq.1.lx"], sent["i1.qq.2.lx"]) == ("01", "02")
    assert sent["i1.bsqr.2.mc"] == "北京某建设集团股份有限公司"
    assert "i1.bsqr.3.mc" not in sent


async def test_a_repeat_differs_in_nonce_and_sign_alone() -> None:
    sender, found, platform = adapter(), progress(), Platform([refusal("C1"), reply()])
    with pytest.raises(RetryableError):
        await sender.send(found, platform)
    await sender.send(found, platform)
    one, other = (step.parameters for step in platform.steps)
    assert {name for name in one if one[name] != other[name]} == {"nonce", "sign"}


async def test_a_wire_from_a_store_that_sorts_its_keys_is_signed_alike() -> None:
    found = progress()
    stored = Wire(found.id, found.operation, json.loads(json.dumps(found.payload, sort_keys=True)))
    first, second = Platform(), Platform()
    await adapter().send(found, first)
    await adapter().send(stored, second)
    assert first.steps[0].parameters == second.steps[0].parameters


@pytest.mark.parametrize("maybe", [True, False])
async def test_the_exchanges_own_failure_goes_through(maybe: bool) -> None:
    lost = RetryableError("broken_off", maybe_accepted=maybe)
    platform = Platform([lost])
    with pytest.raises(RetryableError) as caught:
        await adapter().send(progress(), platform)
    assert caught.value is lost
    assert len(platform.steps) == 1


async def test_a_refused_nonce_is_no_second_filing_within_one_attempt() -> None:
    platform = Platform([refusal("A3"), reply()])
    with pytest.raises(RetryableError) as caught:
        await adapter().send(progress(), platform)
    assert not caught.value.maybe_accepted
    assert len(platform.steps) == 1


async def test_a_ping_is_the_common_parameters_alone() -> None:
    platform = Platform([reply(batchNo="")])
    await adapter().probe(platform)
    (step,) = platform.steps
    assert not step.filing
    assert step.request.url == f"{URL}/lda/ping.do"
    assert set(step.parameters) == {"appKey", "method", "timestamp", "nonce", "n", "sign"}
    assert (step.parameters["method"], step.parameters["n"]) == ("ping", "0")


async def test_a_refused_ping_is_the_operators() -> None:
    with pytest.raises(EndpointError, match="A2"):
        await adapter().probe(Platform([refusal("A2")]))


async def test_it_cannot_be_asked() -> None:
    with pytest.raises(NotImplementedError):
        await adapter().lookup(progress(), Platform())
