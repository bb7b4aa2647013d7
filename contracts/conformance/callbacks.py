"""Checks of what a platform calls in: proven before it is read, the same at every repeat, never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest

from contracts.adapter import Adapter, Authenticated, InboundCall, Reply
from contracts.conformance.purity import watched
from contracts.conformance.room import Room, assert_clean
from contracts.conformance.stage import Stage
from contracts.conformance.stand_ins import Touched, forbidden_tools
from contracts.errors import CallbackRejected, UnreadableCallback
from contracts.status import CaseStatus, ConfirmationStatus, FulfilmentStatus, ReferralStatus, TransferStatus
from contracts.update import About, DeliveryWord, Inbound, ReferralOffered, StatusUpdate

_WORDS: dict[About, frozenset[str]] = {
    About.DELIVERY: frozenset(DeliveryWord),
    About.CASE: frozenset(CaseStatus) | {""},
    About.CONFIRMATION: frozenset(ConfirmationStatus),
    About.TRANSFER: frozenset(TransferStatus),
    About.FULFILMENT: frozenset(FulfilmentStatus),
    About.REFERRAL: frozenset(ReferralStatus),
}
UNKNOWN = "unknown"
MUTANTS = 300
"""Broken contents tried of every event."""
_SEED = 20260917
"""The same broken versions at every run."""
FLIPS = 48
"""Single flipped bits tried of every call."""

_STRANGERS: tuple[tuple[str, bytes], ...] = (
    ("nothing", b""),
    ("null", b"null"),
    ("no object", b"[]"),
    ("empty object", b"{}"),
    ("cut off", b'{"head": {"app'),
    ("form", b"a=1&b=2&a=3"),
    ("deep", b"[" * 200_000),
    ("deep objects", b'{"a":' * 100_000),
    ("no UTF-8", b"\xff\xfe\x00{}"),
    ("surrogate", b'{"a": "\\ud800"}'),
    ("huge number", b'{"a": 1' + b"0" * 10_000 + b"}"),
    ("xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
)


async def _proven(adapter: Adapter[Any], call: InboundCall, what: str) -> Authenticated:
    try:
        return await adapter.authenticate(call)
    except CallbackRejected as refusal:
        raise AssertionError(f"{what} was refused: {refusal.code}") from refusal


async def _refused(adapter: Adapter[Any], call: InboundCall, what: str) -> CallbackRejected:
    try:
        await adapter.authenticate(call)
    except CallbackRejected as raised:
        refusal = raised
    except Exception as error:
        raise AssertionError(f"{what} let a {type(error).__name__} out of authenticate") from error
    else:
        raise AssertionError(f"{what} was believed")
    assert isinstance(refusal.reply, Reply), f"{what} was refused without an answer"
    assert refusal.code, f"{what} was refused without a code"
    return refusal


def assert_sound(words: tuple[Inbound, ...], what: str) -> None:
    """Every word can be applied: numbers that differ, keys, aware times, canonical statuses."""
    assert isinstance(words, tuple), f"{what}: parse_callback returns a tuple"
    numbers = [word.event_id for word in words]
    assert all(numbers), f"{what}: a word without event id would be applied at every repeat"
    assert len(set(numbers)) == len(numbers), f"{what}: two words share an event id, the second would be dropped"
    beside = any(isinstance(word, ReferralOffered) or word.keys for word in words)
    for word in words:
        assert isinstance(word.at, datetime), f"{what}: no time of the fact"
        assert word.at.tzinfo is not None, f"{what}: the time of the fact is not aware"
        if isinstance(word, ReferralOffered):
            continue
        assert isinstance(word, StatusUpdate), f"{what}: {type(word).__name__} is no word"
        assert isinstance(word.about, About)
        # Of several things, one may be named by nothing: a person looks at it, and the others are not lost.
        assert word.keys or beside, f"{what}: nothing says what it is about"
        assert all(key.value for key in word.keys), f"{what}: an empty key"
        known = _WORDS.get(word.about, frozenset({word.status})) | {UNKNOWN}
        assert word.status in known, f"{what}: {word.status!r} is no word about a {word.about}"
        assert word.status != UNKNOWN or word.raw_status, f"{what}: unknown, and the raw value is gone"
        assert word.status or word.note is not None, f"{what}: neither a status nor a note"


def mutants(plain: bytes) -> Iterator[bytes]:
    """Broken versions of a content, by bytes and, where it is JSON or XML, by values."""
    by_value, dice = _by_value(plain), Random(_SEED)
    for number in range(MUTANTS):
        yield by_value(dice) if by_value is not None and number % 2 else _with_broken_bytes(plain, dice)


def _by_value(plain: bytes) -> Callable[[Random], bytes] | None:
    try:
        found = json.loads(plain)
    except ValueError:
        found = None
    if found is not None:
        return lambda dice: json.dumps(_with_broken_value(found, dice), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    try:
        _xml(plain)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    return partial(_with_broken_element, plain)


_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    10**400,
    "",
    " ",
    "\ud800",
    "\x00",
    "x" * 5000,
    "2026-13-45",
    "9999-12-31T23:59:59",
    [],
    [[]],
    {},
    {"a": None},
)


def _with_broken_value(value: Any, dice: Random) -> Any:
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(list(value))
        broken = dict(value)
        if dice.random() < 0.15:
            del broken[key]
        else:
            broken[key] = _with_broken_value(value[key], dice)
        return broken
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        return [*value[:place], _with_broken_value(value[place], dice), *value[place + 1 :]]
    return dice.choice(_ODD)


def _xml(plain: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(plain)  # noqa: S314 -- what a stage says of its own platform, no stranger's bytes


def _with_broken_element(plain: bytes, dice: Random) -> bytes:
    root = _xml(plain)
    above = {below: element for element in root.iter() for below in element}
    for element in dice.choices(list(above) or [root], k=dice.randint(1, 2)):
        match dice.randrange(4):
            case 0 if element in above and element in list(above[element]):
                above[element].remove(element)
            case 1 if element in above:
                above[element].append(element)
            case _:
                odd = dice.choice(_ODD)
                element.text = odd if isinstance(odd, str) else json.dumps(odd)
    return ElementTree.tostring(root, "unicode").encode("utf-8", "surrogatepass")


def _with_broken_bytes(plain: bytes, dice: Random) -> bytes:
    data = bytearray(plain)
    for _ in range(dice.randint(1, 4)):
        if not data:
            break
        at = dice.randrange(len(data))
        upto = min(len(data), at + dice.randint(1, 12))
        match dice.randrange(5):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                del data[at:upto]
            case 2:
                data[at:at] = data[at:upto]
            case 3:
                data[at:at] = dice.randbytes(dice.randint(1, 6))
            case _:
                del data[at:]
    return bytes(data)


def parsed(adapter: Adapter[Any], call: InboundCall, what: str) -> tuple[Inbound, ...]:
    """The words of a call that must be readable, found sound."""
    try:
        words = adapter.parse_callback(call)
    except UnreadableCallback as error:
        raise AssertionError(f"{what} cannot be read: {error.code}") from error
    assert_sound(words, what)
    return words


def assert_total(adapter: Adapter[Any], call: InboundCall, what: str) -> None:
    """Broken content ends in sound words or in ``UnreadableCallback``."""
    try:
        words = adapter.parse_callback(call)
    except UnreadableCallback as raised:
        unreadable = raised
    except Exception as error:
        raise AssertionError(f"{what}: broken content let a {type(error).__name__} out") from error
    else:
        assert_sound(words, f"broken content of {what}")
        return
    assert unreadable.code, f"{what}: unreadable without a code"


class CallbackChecks:
    """The door and the reading of a platform that calls back. Of one that does not: that nobody can come in by it."""

    async def test_the_door_is_there_or_closed(self, stage: Stage) -> None:
        """A platform that calls back has events to show, one of them with a status that nobody knows."""
        scripts = stage.scripts()
        if not stage.adapter_type.info.calls_back:
            assert not scripts, "events of a platform that does not call back"
            call = InboundCall("POST", "/", (), b"{}", stage.now())
            with pytest.raises(NotImplementedError):
                await Room(stage).adapter.authenticate(call)
            return
        assert scripts, "no event of this platform is shown"
        assert any(script.unknown for script in scripts), "no event with an unknown status is shown"
        assert len({script.name for script in scripts}) == len(scripts)

    async def test_an_authentic_call_is_believed_and_answered(self, stage: Stage) -> None:
        """A number and a digest, and an answer in the platform's dialect, the first time and at a repeat."""
        for script in stage.scripts():
            adapter = Room(stage).adapter
            call = script.call()
            proven = await _proven(adapter, call, script.name)
            assert proven.event_id, f"{script.name}: no event id"
            assert len(proven.event_id) <= 200, f"{script.name}: the event id is too long for a key"
            assert len(proven.digest) >= 32, f"{script.name}: no digest"
            for duplicate in (False, True):
                reply = await adapter.acknowledge(call, duplicate=duplicate)
                assert isinstance(reply, Reply), f"{script.name}: no answer"
                assert reply.status < 400, f"{script.name}: a stored call is answered with {reply.status}"

    async def test_a_repeat_is_the_same_event(self, stage: Stage) -> None:
        """Number and digest stay over repeats, though nonce and time change; other content has another digest."""
        for script in stage.scripts():
            first, second = script.call(), script.call()
            if stage.nonces:
                assert (first.body, first.headers, first.query) != (second.body, second.headers, second.query), (
                    f"{script.name}: the stage's repeat has the same nonce and time"
                )
            adapter = Room(stage).adapter
            once = await _proven(adapter, first, script.name)
            again = await _proven(adapter, second, f"the repeat of {script.name}")
            assert once.event_id == again.event_id, f"{script.name}: another number at the repeat"
            assert once.digest == again.digest, f"{script.name}: another digest at the repeat"
            if script.other is not None:
                other = await _proven(adapter, script.around(script.other), f"{script.name} with other content")
                assert other.event_id == once.event_id, f"{script.name}: the content changes the number"
                assert other.digest != once.digest, f"{script.name}: other content, and the digest does not show it"

    async def test_forgeries_are_refused(self, stage: Stage) -> None:
        """Each with an answer, none with a look at its content, and none of them uses up the nonce of the true call."""
        for script in stage.scripts():
            adapter = Room(stage).adapter
            forged = stage.forgeries(script)
            assert forged, f"{script.name}: no forgery is shown"
            for name, call in forged:
                refusal = await _refused(adapter, call, f"{script.name}, {name}")
                answer = refusal.reply.body.decode("utf-8", "replace")
                assert_clean(stage, answer, f"the answer to {name}")
                assert_clean(stage, f"{refusal.code} {refusal}", f"the code of {name}")

    async def test_a_forgery_does_not_use_up_the_nonce(self, stage: Stage) -> None:
        """A stranger who copies head and nonce must not be able to shut the true call out."""
        for script in stage.scripts():
            adapter = Room(stage).adapter
            call = script.call()
            for broken in _flipped(call, Random(7), 8):
                try:
                    await adapter.authenticate(broken)
                except CallbackRejected:
                    continue
                adapter = Room(stage).adapter  # the flipped bit meant nothing: this was the true call
            await _proven(adapter, call, f"{script.name} after forgeries of itself")

    async def test_strangers_are_refused(self, stage: Stage) -> None:
        """Whatever comes unsigned is refused before it is read, deep, huge and broken bodies too."""
        for script in stage.scripts():
            call = script.call()
            for name, body in _STRANGERS:
                for headers in ((), call.headers):
                    stranger = replace(call, headers=headers, body=body, query="")
                    await _refused(Room(stage).adapter, stranger, f"{name} in place of {script.name}")

    async def test_a_replay_is_refused(self, stage: Stage) -> None:
        """The very same call once more; where the platform has no nonces it is at least the same event."""
        for script in stage.scripts():
            adapter = Room(stage).adapter
            call = script.call()
            proven = await _proven(adapter, call, script.name)
            if stage.nonces:
                await _refused(adapter, call, f"the replay of {script.name}")
            else:
                assert await _proven(adapter, call, f"the replay of {script.name}") == proven

    async def test_every_bit_counts(self, stage: Stage) -> None:
        """A flipped bit is refused, or it changed nothing that anybody reads."""
        for script in stage.scripts():
            call = script.call()
            proven = await _proven(Room(stage).adapter, call, script.name)
            words = Room(stage).adapter.parse_callback(call)
            for broken in _flipped(call, Random(11), FLIPS):
                adapter = Room(stage).adapter
                try:
                    believed = await adapter.authenticate(broken)
                except CallbackRejected:
                    continue
                assert believed == proven, f"{script.name}: a flipped bit was believed and changed the event"
                assert adapter.parse_callback(broken) == words, f"{script.name}: a flipped bit was believed and read"

    def test_reading_is_pure(self, stage: Stage) -> None:
        """The same stored call twice gives the same words, with no tool, clock, die, file or connection."""
        for script in stage.scripts():
            call = script.call()
            try:
                first = parsed(stage.make(forbidden_tools()), call, script.name)
                adapter = stage.make(forbidden_tools())
                second, seen = watched(partial(adapter.parse_callback, call))
            except Touched as touched:
                raise AssertionError(f"{script.name}: reading is not pure: {touched}") from None
            assert not seen, f"{script.name}: reading is not pure: it called {', '.join(sorted(set(seen)))}"
            assert first == second, f"{script.name}: two readings differ"
            assert first, f"{script.name}: a call of this platform that says nothing"

    def test_reading_does_not_depend_on_the_call(self, stage: Stage) -> None:
        """Received a day later, or called again with another nonce, it says the same."""
        for script in stage.scripts():
            first, repeat = script.call(), script.call()
            late = replace(repeat, received_at=repeat.received_at + timedelta(days=1))
            adapter = Room(stage).adapter
            once, again = parsed(adapter, first, script.name), parsed(adapter, late, script.name)
            assert _the_same(once, again, stage.told_within), f"{script.name}: the repeat says another thing"

    def test_broken_content_is_unreadable_and_nothing_else(self, stage: Stage) -> None:
        """Mutated content ends in words or in ``UnreadableCallback``: no other exception, no unsound word."""
        for script in stage.scripts():
            adapter = Room(stage).adapter
            for mutant in mutants(script.plain):
                assert_total(adapter, script.around(mutant), script.name)

    def test_an_unknown_status_stays_unknown(self, stage: Stage) -> None:
        """It is neither guessed nor dropped, and its raw value is kept."""
        for script in stage.scripts():
            words = parsed(Room(stage).adapter, script.call(), script.name)
            updates = [word for word in words if isinstance(word, StatusUpdate)]
            if script.unknown is None:
                guessed = [word for word in updates if word.status == UNKNOWN]
                assert not guessed, f"{script.name}: a status with a canonical word became unknown"
                continue
            assert updates, f"{script.name}: the unknown status was dropped"
            for word in updates:
                assert word.status == UNKNOWN, f"{script.name}: the unknown status was guessed to be {word.status!r}"
                assert word.raw_status == script.unknown, f"{script.name}: the raw status was not kept"


def _the_same(once: tuple[Inbound, ...], again: tuple[Inbound, ...], within: timedelta) -> bool:
    """The same words, of times that differ by so much at most."""
    return len(once) == len(again) and all(
        replace(word, at=repeat.at) == repeat and abs(word.at - repeat.at) <= within
        for word, repeat in zip(once, again, strict=True)
    )


def _flipped(call: InboundCall, dice: Random, many: int) -> Iterator[InboundCall]:
    """The call with one bit of its body flipped, at so many places."""
    for _ in range(many if call.body else 0):
        data = bytearray(call.body)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(7)
        yield replace(call, body=bytes(data))
