"""Checks of ``send``, ``lookup`` and ``probe``: one filing, one effect, and every failure to the one who heals it."""

from __future__ import annotations

import asyncio

import pytest

from contracts.adapter import DeliveryClass
from contracts.conformance.line import GARBAGE
from contracts.conformance.room import Attempt, Room, assert_clean_addresses, assert_clean_error
from contracts.conformance.stage import LOST, Fault, Stage
from contracts.errors import AdapterError, EndpointError, RetryableError
from contracts.status import ReferenceKind

_REFERENCE_KINDS = frozenset(kind.value for kind in ReferenceKind)
_ANSWERED = frozenset({Fault.GARBAGE, Fault.SERVER_ERROR, Fault.BUSY, Fault.BUSINESS_REFUSAL, Fault.OPERATOR_PROBLEM})
"""Faults that come with an answer, which may quote the document."""


def assert_one_filing(attempt: Attempt) -> None:
    """The filing is one call, and the last one."""
    assert len(attempt.line.filings) == 1, f"{len(attempt.line.filings)} calls were marked as the filing"
    assert attempt.line.calls[-1].filing, "something was called after the filing"


class SendingChecks:
    """What leaves for the platform."""

    async def test_send_files_once(self, stage: Stage) -> None:
        """Every sample: a receipt, one filing as the last call, one effect in the ledger under the wire's id."""
        info = stage.adapter_type.info
        for sample in stage.samples():
            room = Room(stage)
            wire = room.translate(sample)
            attempt = await room.send(wire)
            assert attempt.receipt is not None, f"{sample.kind} was not taken: {attempt.said}"
            assert_one_filing(attempt)
            assert list(await stage.effects()).count(wire.id) == 1, f"{sample.kind}: not one effect under its id"
            assert attempt.receipt.relayed == info.relayed, "the receipt says another than the declaration: relayed"
            assert not attempt.receipt.duplicate, "the first filing is no duplicate"
            assert not attempt.receipt.filed_twice, "it was filed once"
            kinds = {reference.kind for reference in attempt.receipt.references}
            assert kinds <= _REFERENCE_KINDS, f"reference kinds that nobody knows: {sorted(kinds - _REFERENCE_KINDS)}"
            assert_clean_addresses(stage, attempt.line)

    async def test_preparing_has_no_effect(self, stage: Stage) -> None:
        """Where a preparing step is lost, nothing was filed and nobody is in doubt; a later attempt goes on from there."""
        wires = [Room(stage).translate(sample) for sample in stage.samples()]
        healthy = [
            (await Room(stage).send(wire, Fault.BUSY), wire) for wire in wires
        ]  # up to the filing, without effect
        whole, wire = max(healthy, key=lambda pair: len(pair[0].line.calls))
        room = Room(stage)
        for struck, call in enumerate(whole.line.calls[:-1]):
            for fault in (Fault.RESET_AFTER, Fault.SERVER_ERROR, Fault.GARBAGE):
                room = Room(stage)
                attempt = await room.send(wire, fault, struck=struck)
                if attempt.line.filings:
                    assert_one_filing(attempt)
                    return  # the step was repeated inside the attempt, which is allowed, and filed
                error, what = attempt.error, f"{fault} of the preparing step {call.step!r}"
                assert isinstance(error, RetryableError | EndpointError), f"{what} ended in {attempt.said}"
                doubt = isinstance(error, RetryableError) and error.maybe_accepted
                assert not doubt, f"{what}: nothing was filed, so nothing may have been accepted"
                assert list(await stage.effects()) == [], f"{what}: and still something was booked"
        later = await room.send(wire)
        assert later.receipt is not None, f"after the preparing steps healed, it ended in {later.said}"
        assert list(await stage.effects()) == [wire.id]

    @pytest.mark.parametrize("fault", list(Fault))
    async def test_failure_goes_to_who_heals_it(self, stage: Stage, fault: Fault) -> None:
        """Each fault ends in its class of error, its doubt told truly, after one filing, and never in a receipt."""
        if fault in stage.lacks:
            return
        verdict = stage.verdict(fault)
        wire = Room(stage).translate(stage.samples()[0])
        bodies = GARBAGE if fault is Fault.GARBAGE and fault not in stage.plays else (("", b""),)
        for name, body in bodies:
            room = Room(stage)
            attempt = await (room.send(wire, fault, garbage=body) if name else room.send(wire, fault))
            what = f"{fault} {name}".strip()
            error = attempt.error
            if verdict.error is None:
                assert attempt.receipt is not None, f"{what} must be a Receipt by the page, not {attempt.said}"
                assert_one_filing(attempt)
                continue
            assert error is not None, f"{what} became a Receipt"
            assert isinstance(error, verdict.error), f"{what} must be {verdict.error.__name__}, not {attempt.said}"
            if isinstance(error, RetryableError):
                assert error.maybe_accepted == verdict.maybe_accepted, f"{what}: maybe_accepted is told wrongly"
                if verdict.retry_after is not None:
                    assert error.retry_after == verdict.retry_after, f"{what}: Retry-After is not obeyed"
            filings = len(attempt.line.filings)
            early = fault not in LOST and fault is not Fault.BUSINESS_REFUSAL  # may strike a preparing step already
            assert filings == 1 or (early and filings == 0), f"{what}: {filings} filings in one attempt"
            assert filings == 0 or attempt.line.calls[-1].filing, (
                f"{what}: something was called after the filing failed"
            )
            assert error.code, f"{what}: the error has no code"

    @pytest.mark.parametrize("fault", list(Fault))
    async def test_error_texts_show_nobody(self, stage: Stage, fault: Fault) -> None:
        """No secret and no person's value in what operators and logs will see."""
        if fault in stage.lacks or stage.verdict(fault).error is None:
            return
        samples = stage.samples()
        for sample in samples if fault in _ANSWERED else samples[:1]:
            room = Room(stage)
            attempt = await room.send(room.translate(sample), fault)
            assert attempt.error is not None, f"{fault} became a Receipt"
            assert_clean_error(stage, attempt.error)
            assert_clean_addresses(stage, attempt.line)

    @pytest.mark.parametrize("fault", sorted(LOST))
    async def test_a_lost_answer_heals_by_the_class(self, stage: Stage, fault: Fault) -> None:
        """After the loss: the same id again (idempotent), asked for first (queryable), left to a person (neither)."""
        sample = stage.samples()[0]
        wire = Room(stage).translate(sample)
        await Room(stage).send(wire, fault)
        booked = list(await stage.effects()).count(wire.id)
        assert booked <= 1, "one attempt had two effects"
        kind = stage.adapter_type.info.delivery_class
        if kind is DeliveryClass.NEITHER:
            with pytest.raises(NotImplementedError):
                await Room(stage).lookup(wire)
            return
        found = None
        if kind is DeliveryClass.QUERYABLE:
            await asyncio.sleep(stage.lookup_lag_s)
            asked = await Room(stage).lookup(wire)
            assert asked.error is None, f"the look-up ended in {asked.said}"
            assert not asked.line.filings, "a look-up files nothing"
            found = asked.receipt
            assert (found is not None) == (booked == 1), "the look-up and the ledger differ"
        if found is None:
            attempt = await Room(stage).send(wire)
            found = attempt.receipt
            assert found is not None, f"the second attempt ended in {attempt.said}"
        assert list(await stage.effects()).count(wire.id) == 1, "the same wire twice had two effects, or none"

    async def test_the_same_wire_again(self, stage: Stage) -> None:
        """Idempotent: one effect, the same number. Queryable: the look-up finds it under the same number."""
        kind = stage.adapter_type.info.delivery_class
        for sample in stage.samples():
            wire = Room(stage).translate(sample)
            first = (await Room(stage).send(wire)).receipt
            assert first is not None
            if kind is DeliveryClass.IDEMPOTENT:
                again = (await Room(stage).send(wire)).receipt
            elif kind is DeliveryClass.QUERYABLE:
                await asyncio.sleep(stage.lookup_lag_s)
                again = (await Room(stage).lookup(wire)).receipt
            else:
                again = first
            assert again is not None, f"{sample.kind}: it was filed and is not found"
            assert again.reference == first.reference, f"{sample.kind}: another number for the same filing"
            told, more = set(first.references), set(again.references)
            # A question may find a case number (案号) that was given since; a repeat is answered as the first time.
            same = told <= more if kind is DeliveryClass.QUERYABLE else told == more
            assert same, f"{sample.kind}: other references for the same filing"
            assert not again.filed_twice, f"{sample.kind}: filed once"
            assert list(await stage.effects()).count(wire.id) == 1, f"{sample.kind}: not one effect"

    async def test_lookup_tells_the_truth(self, stage: Stage) -> None:
        """What was never filed is not found; asking books nothing; a failed question is no answer."""
        wire = Room(stage).translate(stage.samples()[0])
        try:
            asked = await Room(stage).lookup(wire)
        except NotImplementedError:
            assert stage.adapter_type.info.delivery_class is not DeliveryClass.QUERYABLE
            return
        assert asked.error is None, f"the look-up ended in {asked.said}"
        assert asked.receipt is None, "a look-up found what nobody filed"
        assert not asked.line.filings, "a look-up files nothing"
        assert list(await stage.effects()) == [], "a look-up booked something"
        for fault in (Fault.REFUSED_CONNECTION, Fault.RESET_AFTER, Fault.SERVER_ERROR, Fault.GARBAGE):
            failed = await Room(stage).lookup(wire, fault=fault, struck=len(asked.line.calls) - 1)
            assert isinstance(failed.error, AdapterError), f"{fault} of a look-up was read as an answer: {failed.said}"

    async def test_anothers_answer_is_no_receipt(self, stage: Stage) -> None:
        """Receipts are matched by what they name, never by the connection they came on."""
        wire, *others = (Room(stage).translate(sample) for sample in stage.samples())
        others = [other for other in others if other.id != wire.id]
        assert others, "the samples need more than one id"
        other = await Room(stage).send(others[0])
        foreign = other.line.filings[0].reply
        assert foreign is not None
        if not stage.answers_name_the_filing:
            assert others[0].id.encode() not in foreign.body, "the answer does name its filing"
            return
        attempt = await Room(stage).send(wire, foreign=foreign)
        assert attempt.receipt is None, "another filing's answer was taken for this one's"
        assert isinstance(attempt.error, RetryableError), f"an answer of another must be doubt, not {attempt.said}"
        assert attempt.error.maybe_accepted, "an answer of another must be doubt"

    async def test_probe_has_no_effect(self, stage: Stage) -> None:
        """It proves address, key and clock, and books nothing."""
        line = Room(stage).line()
        await Room(stage).adapter.probe(line)
        assert line.calls, "a probe that calls nobody proves nothing"
        assert not line.filings, "a probe files nothing"
        assert list(await stage.effects()) == [], "a probe booked something"
        assert_clean_addresses(stage, line)
        for fault in (Fault.REFUSED_CONNECTION, Fault.STALL, Fault.SERVER_ERROR, Fault.GARBAGE):
            if fault is Fault.GARBAGE and stage.adapter_type.info.status_alone:
                continue  # nobody reads its body
            with pytest.raises(AdapterError) as failure:
                await Room(stage).adapter.probe(Room(stage).line(fault, struck=len(line.calls) - 1))
            assert isinstance(failure.value, RetryableError | EndpointError), "a probe carries no document to refuse"
            assert_clean_error(stage, failure.value)
