"""Checks of ``translate``: pure, storable, under the right id, and honest about what was lost."""

from __future__ import annotations

import json
from functools import partial
from itertools import zip_longest
from typing import Any

import pytest

from contracts.adapter import Adapter, Loss, LossKind, Wire
from contracts.conformance.leaves import ABSENT, at, fields
from contracts.conformance.purity import watched
from contracts.conformance.room import Room, assert_clean_error
from contracts.conformance.samples import Announced, AnySample
from contracts.conformance.stage import Stage
from contracts.conformance.stand_ins import Touched, forbidden_tools
from contracts.errors import PermanentError

_SHORTEST_QUOTE = 4


def _purely(adapter: Adapter[Any], sample: AnySample) -> Wire:
    try:
        sample.made(adapter)  # tables that are read once are read now
        wire, seen = watched(partial(sample.made, adapter))
    except Touched as touched:
        raise AssertionError(f"translate of {sample.kind} is not pure: {touched}") from None
    assert not seen, f"translate of {sample.kind} is not pure: it called {', '.join(sorted(set(seen)))}"
    assert not isinstance(wire, Exception), f"translate of {sample.kind} ended in {type(wire).__name__}"
    return wire


class TranslationChecks:
    """The wire is made from message and context alone, once and for all attempts."""

    def test_every_declared_type_has_a_sample(self, stage: Stage) -> None:
        """What is declared is shown, and what is shown is declared."""
        info = stage.adapter_type.info
        if info.events:
            assert not info.capabilities, "it is told events, and declares message types"
            assert stage.samples(), "no event is shown"
            assert all(isinstance(sample, Announced) for sample in stage.samples()), "it is told events, no messages"
            return
        declared = {capability.type.value for capability in info.capabilities}
        shown = {sample.kind for sample in stage.samples()}
        assert shown == declared, f"without sample: {sorted(declared - shown)}; undeclared: {sorted(shown - declared)}"

    def test_translate_is_pure(self, stage: Stage) -> None:
        """The same input twice gives equal wires; no tool, clock, die, file or connection is used."""
        for sample in stage.samples():
            first = _purely(stage.make(forbidden_tools()), sample)
            second = _purely(stage.make(forbidden_tools()), sample)
            assert isinstance(first, Wire)
            assert first == second, f"two translations of one {sample.kind} differ"

    def test_the_wire_can_be_stored(self, stage: Stage) -> None:
        """What is frozen as JSON is what was translated."""
        for sample in stage.samples():
            wire = Room(stage).translate(sample)
            try:
                kept = json.loads(json.dumps(wire.payload, allow_nan=False))
            except (TypeError, ValueError) as error:
                raise AssertionError(f"the payload of {sample.kind} is no JSON: {error}") from None
            assert isinstance(wire.payload, dict)
            assert kept == wire.payload, f"the payload of {sample.kind} comes back from the store changed"

    def test_the_wire_names_its_filing(self, stage: Stage) -> None:
        """Its id is the delivery's, or the message's where the page says so; of one kind throughout."""
        info = stage.adapter_type.info
        operations = {capability.type.value: capability.operation for capability in info.capabilities}
        kinds = set()
        for sample in stage.samples():
            wire = Room(stage).translate(sample)
            named = sample.ids()
            assert wire.id in named, f"the id of {sample.kind} is not that of {' or '.join(named.values())}"
            kinds.add(named[wire.id])
            assert wire.operation, f"the wire of {sample.kind} names no operation"
            declared = operations.get(sample.kind, wire.operation)
            assert wire.operation == declared, "the operation is another than the declared one"
            assert wire.mapping == info.mapping, "the wire does not tell which mapping made it"
            assert set(wire.files) <= sample.files(), "a file that the context does not describe"
            assert len(wire.files) == len(set(wire.files)), "a file travels twice"
        assert len(kinds) == 1, "some wires carry the delivery's id and some the message's"

    def test_the_loss_report_points_into_the_document(self, stage: Stage) -> None:
        """Every entry's pointer leads to a field; what was lost was there; notes quote nothing."""
        for sample in stage.samples():
            trees = sample.trees()
            for loss in Room(stage).translate(sample).losses:
                self._assert_sound(loss, [at(found, loss.pointer) for found in trees], sample)

    @staticmethod
    def _assert_sound(loss: Loss, values: list[Any], sample: AnySample) -> None:
        there = [value for value in values if value is not ABSENT]
        what = f"loss {loss.kind} at {loss.pointer!r} of {sample.kind}"
        # What no field of the contract holds is missed by the whole document.
        whole = loss.kind is LossKind.DEFAULTED and not loss.pointer
        assert loss.pointer.startswith("/") or whole, f"{what}: no pointer to a field"
        assert there, f"{what}: it leads nowhere"
        if loss.kind is not LossKind.DEFAULTED:
            assert any(value not in (None, [], {}) for value in there), f"{what}: there was nothing to lose"
        for value in there:
            quoted = isinstance(value, str) and len(value) >= _SHORTEST_QUOTE and value in loss.note
            assert not quoted, f"{what}: the note quotes the value"

    def test_codes_of_persons_are_declared(self, stage: Stage) -> None:
        """A field that is another for people of the other sex, ethnic group or occupation is declared as one that tells of a
        person (性别、民族、职业): people who watch the flow see a short code, unless it is."""
        declared = stage.adapter_type.info.personal_fields
        for sample in stage.samples():
            one, other = (fields(Room(stage).translate(made).payload) for made in (sample, sample.of_others()))
            told = {name for told in zip_longest(one, other) if told[0] != told[1] for name, _ in filter(None, told)}
            assert told <= declared, f"{sample.kind}: personal_fields lacks {', '.join(sorted(told - declared))}"

    def test_free_text_arrives_whole_or_is_reported(self, stage: Stage) -> None:
        """Long facts do not vanish at the end of a field."""
        tried = 0
        for sample in stage.samples():
            wire = Room(stage).translate(sample)
            written = "".join(stage.written(wire).split())
            reported = {loss.pointer for loss in wire.losses}
            for pointer in sample.texts:
                text = at(sample.trees()[0], pointer)
                assert isinstance(text, str), f"{pointer} of {sample.kind} is no text"
                tried += 1
                covered = any(pointer == upper or pointer.startswith(f"{upper}/") for upper in reported)
                whole = "".join(text.split()) in written
                assert whole or covered, f"{pointer} of {sample.kind} is not whole and not in the loss report"
        assert tried or stage.adapter_type.info.events, "no sample names its free texts"

    def test_impossible_documents_are_the_senders(self, stage: Stage) -> None:
        """What this platform can never take is refused at once, to the sender."""
        impossible = stage.impossible()
        assert impossible, "there is always a document that a platform cannot take"
        for sample in impossible:
            with pytest.raises(PermanentError) as refusal:
                Room(stage).translate(sample)
            assert refusal.value.code, "the refusal has no code"
            assert_clean_error(stage, refusal.value)
