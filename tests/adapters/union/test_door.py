"""The door for callbacks: the page's checks in the page's order, and what names a call over its repeats."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes

from contracts.adapter import InboundCall
from contracts.errors import CallbackRejected
from tests.adapters.aside import Aside

from .platform import (
    APP_KEY,
    BATCH_NO,
    NONCE,
    SECRET,
    STAMP,
    UNION_NO,
    Nonces,
    adapter,
    call,
    call_of,
    coded,
    digest,
    sealed,
)

ITEM = {"i1.xlh": "dlv_01JB2Z9K7Q4N", "i1.jg": "1", "i1.slh": UNION_NO, "i1.yy": "", "i1.yysm": ""}
RESULT = {"batchNo": BATCH_NO, **ITEM}
COMMON = {"appKey": APP_KEY, "method": "batch.result", "timestamp": STAMP, "nonce": NONCE, "n": "1"}
SOUND = {**COMMON, **RESULT}
REFUSED_TEXT = {**SOUND, "i1.jg": "0", "i1.slh": "", "i1.yy": "L4", "i1.yysm": "案件 a&b=c 不存在"}


def result(**changes: str) -> InboundCall:
    return call("batch.result", RESULT, **changes)


def signed_otherwise(sign: Callable[[Mapping[str, str]], str]) -> InboundCall:
    return call_of(coded({**REFUSED_TEXT, "sign": sign(REFUSED_TEXT)}))


def after_signing(**changes: str) -> InboundCall:
    return call_of(coded({**SOUND, "sign": digest(SOUND), **changes}))


def numeric_sort(parameters: Mapping[str, str]) -> str:
    """A digest over the items in the order of their numbers, i2 before i10."""
    return _digest_in_order(
        parameters, lambda key: [int(part) if part.isdigit() else 0 for part in re.split(r"(\d+)", key)]
    )


def unsorted(parameters: Mapping[str, str]) -> str:
    return _digest_in_order(parameters, lambda _: 0)


def _digest_in_order(parameters: Mapping[str, str], order: Callable[[str], object]) -> str:
    names = sorted((name for name in parameters if parameters[name]), key=order)  # type: ignore[arg-type]  # any order
    hashed = hashes.Hash(hashes.SM3())
    hashed.update(("&".join(f"{name}={parameters[name]}" for name in names) + f"&key={SECRET}").encode("gb18030"))
    return hashed.finalize().hex().upper()


def eleven_items() -> dict[str, str]:
    items = {f"i{number}.xlh": f"dlv_{number}" for number in range(1, 12)}
    items |= {f"i{number}.jg": "1" for number in range(1, 12)}
    return {**COMMON, "batchNo": BATCH_NO, **items, "n": "11"}


NEGATIVE: dict[str, tuple[Callable[[], InboundCall], str]] = {
    # B1: coding, names, doubles, forms of timestamp and nonce
    "empty": (lambda: call_of(b""), "B1_empty"),
    "too large": (lambda: call_of(b"a=" + b"x" * 600_000), "B1_too_large"),
    "cut inside a triplet": (lambda: call_of(sealed(SOUND)[:-1] + b"&x=%B"), "B1_percent"),
    "json": (lambda: call_of(b'{"method":"batch.result"}'), "B1_no_pair"),
    "utf-8 bytes": (
        lambda: call_of(coded({**REFUSED_TEXT, "sign": digest(REFUSED_TEXT)}, encoding="utf-8")),
        "B1_encoding",
    ),
    "raw bytes": (lambda: call_of("i1.sm=双方".encode("gb18030")), "B1_percent"),
    "doubled parameter": (lambda: call_of(sealed(SOUND) + b"&i1.jg=0"), "B1_doubled_name"),
    "doubled in disguise": (lambda: call_of(sealed(SOUND) + b"&i1%2Ejg=0"), "B1_doubled_name"),
    "doubled sign": (lambda: call_of(sealed(SOUND) + b"&sign=" + b"A" * 64), "B1_doubled_name"),
    "hostile name": (lambda: call_of(sealed(SOUND) + b"&i1.j%20g=0"), "B1_name"),
    "timestamp in seconds": (lambda: result(timestamp="1790759103"), "B1_form"),
    "timestamp in full width": (lambda: result(timestamp="１７９０７５９１０３０００"), "B1_form"),
    "no timestamp": (lambda: result(timestamp=""), "B1_form"),
    "no nonce": (lambda: result(nonce=""), "B1_form"),
    "short nonce": (lambda: result(nonce="a" * 15), "B1_form"),
    "long nonce": (lambda: result(nonce="a" * 33), "B1_form"),
    "nonce with a sign": (lambda: result(nonce="a" * 15 + "-"), "B1_form"),
    # A4
    "another application": (lambda: result(appKey="GH370001"), "A4"),
    "no application": (lambda: result(appKey=""), "A4"),
    # A2
    "stale": (lambda: result(timestamp=str(int(STAMP) - 300_001)), "A2"),
    "from the future": (lambda: result(timestamp=str(int(STAMP) + 300_001)), "A2"),
    # A1
    "wrong key": (lambda: call("batch.result", RESULT, secret="another-secret-0123456789"), "A1"),
    "empty key": (lambda: signed_otherwise(lambda p: digest(p, "")), "A1"),
    "tampered value": (lambda: after_signing(**{"i1.xlh": "dlv_01JB2Z9K7Q4M"}), "A1"),
    "tampered result": (lambda: after_signing(**{"i1.jg": "0"}), "A1"),
    "tampered nonce": (lambda: after_signing(nonce="a" * 16), "A1"),
    "tampered timestamp": (lambda: after_signing(timestamp=str(int(STAMP) + 1)), "A1"),
    "utf-8 digest": (lambda: signed_otherwise(lambda p: digest(p, encoding="utf-8")), "A1"),
    "lower hex": (lambda: signed_otherwise(lambda p: digest(p).lower()), "A1"),
    "unsorted": (lambda: signed_otherwise(unsorted), "A1"),
    "numeric sort": (
        lambda: call_of(coded({**eleven_items(), "sign": numeric_sort(eleven_items())})),
        "A1",
    ),
    "unsigned parameter": (lambda: after_signing(**{"i1.yysm": "x"}), "A1"),
    "unsigned": (lambda: call_of(coded(SOUND)), "A1"),
    "empty sign": (lambda: call_of(coded({**SOUND, "sign": ""})), "A1"),
    "short sign": (lambda: signed_otherwise(lambda p: digest(p)[:63]), "A1"),
    "long sign": (lambda: signed_otherwise(lambda p: digest(p) + "0"), "A1"),
    "digest of the bytes on the wire": (
        lambda: signed_otherwise(lambda p: digest({k: coded({k: v}).decode().partition("=")[2] for k, v in p.items()})),
        "A1",
    ),
    # B3
    "a method of ours": (lambda: call("case.notice", RESULT), "B3"),
    "a method of the other address": (lambda: call("case.handover", RESULT), "B3"),
    "a result at the other address": (lambda: call("batch.result", RESULT, path="/handover"), "B3"),
    "no method": (lambda: call("", RESULT), "B3"),
    # B2
    "no items": (lambda: call("batch.result", {"batchNo": BATCH_NO}, n="0"), "B2"),
    "no n": (lambda: result(n=""), "B2"),
    "n is a word": (lambda: result(n="one"), "B2"),
    "n with a zero": (lambda: result(n="01"), "B2"),
    "n in full width": (lambda: result(n="１"), "B2"),
    "n too large": (lambda: result(n="2"), "B2"),
    "n too small": (lambda: result(**{"i2.xlh": "x"}), "B2"),
    "a gap": (lambda: result(n="2", **{"i3.xlh": "x"}), "B2"),
    "an item zero": (lambda: result(**{"i0.xlh": "x"}), "B2"),
    "an item with a zero": (lambda: result(**{"i01.jg": "1"}), "B2"),
    "n beyond counting": (lambda: result(n="9" * 40), "B2"),
}


@pytest.mark.parametrize("name", NEGATIVE)
async def test_what_is_refused(name: str) -> None:
    make, code = NEGATIVE[name]
    nonces = Nonces()
    with pytest.raises(CallbackRejected) as caught:
        await adapter(nonces).authenticate(make())
    assert caught.value.code == code
    reply = caught.value.reply
    assert (reply.status, reply.body) == (401, b"fail")
    assert reply.header("content-type") == "text/plain"
    # A nonce is noted only after the sign held: a forger cannot use up the platform's.
    assert bool(nonces.asked) == (code in {"B3", "B2"})


@pytest.mark.parametrize(
    "refused",
    [
        call_of(sealed(SOUND), path="/other"),
        call_of(sealed(SOUND), path=""),
        call_of(sealed(SOUND), path="/result/more"),
        call_of(sealed(SOUND), method="GET"),
    ],
)
async def test_other_doors(refused: InboundCall) -> None:
    with pytest.raises(CallbackRejected) as caught:
        await adapter().authenticate(refused)
    assert (caught.value.reply.status, caught.value.reply.body) == (401, b"fail")


async def test_the_checks_stand_in_the_pages_order() -> None:
    """Each call has every fault from its own check on: the first in order answers."""
    faults: list[tuple[str, dict[str, str]]] = [
        ("B1_form", {"nonce": "x"}),
        ("A4", {"appKey": "OTHER"}),
        ("A2", {"timestamp": "1700000000000"}),
        ("A1", {}),
        ("B3", {"method": "nothing"}),
        ("B2", {"n": "7"}),
    ]
    for first, (code, _) in enumerate(faults):
        changes: dict[str, str] = {}
        for _, change in faults[first:]:
            changes |= change
        secret = SECRET if code in {"B3", "B2"} else "another-secret-0123456789"
        method = changes.pop("method", "batch.result")
        with pytest.raises(CallbackRejected) as caught:
            await adapter().authenticate(call(method, RESULT, secret=secret, **changes))
        assert caught.value.code == code


LONG = {**RESULT, "i1.yysm": "长" * 10_000}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"&".join(b"a%d=1" % number for number in range(20_000)), "B1_form"),
        (b"x=" + b"a" * 520_000 + b"%", "B1_form"),
        (b"timestamp=%d&x=" % (int(STAMP) - 300_001) + b"a" * 500_000, "A4"),
        (b"appKey=GH370001&timestamp=" + STAMP.encode() + b"&x=" + b"a" * 500_000, "A4"),
        (b"appKey=GH370000&timestamp=%d&x=" % (int(STAMP) - 300_001) + b"a" * 500_000, "A2"),
        (b"appKey=GH370000&appKey=GH370000&timestamp=" + STAMP.encode() + b"&x=" + b"a" * 500_000, "B1_doubled_name"),
        (b"appKey=" + b"a" * 400_000 + b"&timestamp=" + STAMP.encode(), "A4"),
        (b"appKey=%A&timestamp=" + STAMP.encode() + b"&x=" + b"a" * 500_000, "B1_percent"),
    ],
)
async def test_a_stranger_s_long_call_is_not_opened(body: bytes, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.union.form.decode", lambda _: pytest.fail("opened"))
    with pytest.raises(CallbackRejected) as caught:
        await adapter().authenticate(call_of(body))
    assert caught.value.code == code


async def test_the_platform_s_long_call_is_read_off_the_loop() -> None:
    aside = Aside()
    found = await adapter(blocking=aside).authenticate(call("batch.result", LONG))
    assert found == await adapter().authenticate(call("batch.result", LONG))
    assert aside.did == ["_proven"]
    with pytest.raises(CallbackRejected) as caught:
        await adapter(blocking=aside).authenticate(call("batch.result", LONG, secret="another-secret-0123456789"))
    assert (caught.value.code, aside.did) == ("A1", ["_proven", "_proven"])


@pytest.mark.parametrize("shift", [-300_000, 300_000])
async def test_three_hundred_seconds_are_allowed(shift: int) -> None:
    assert await adapter().authenticate(result(timestamp=str(int(STAMP) + shift)))


async def test_the_same_nonce_again_is_a_replay() -> None:
    nonces = Nonces()
    door = adapter(nonces)
    await door.authenticate(result())
    with pytest.raises(CallbackRejected) as caught:
        await door.authenticate(result())
    assert caught.value.code == "A3"
    assert nonces.kept == {timedelta(minutes=15)}


async def test_a_repeat_has_the_same_number_and_digest() -> None:
    door = adapter()
    first = await door.authenticate(result())
    later = await door.authenticate(result(nonce="a" * 32, timestamp=str(int(STAMP) + 60_000)))
    assert first == later
    assert first.event_id == f"{BATCH_NO}:dlv_01JB2Z9K7Q4N"
    # Empty and absent are the same.
    bare = {name: value for name, value in RESULT.items() if value}
    assert await door.authenticate(call("batch.result", bare, nonce="b" * 32)) == first


async def test_other_content_under_the_same_number_is_seen() -> None:
    first = await adapter().authenticate(result())
    other = await adapter().authenticate(result(**{"i1.jg": "0", "i1.yy": "L4"}))
    assert other.event_id == first.event_id
    assert other.digest != first.digest


async def test_moving_a_border_between_values_moves_the_digest() -> None:
    """The signed string of these two is the same; what they say is not."""
    one = call("batch.result", RESULT | {"i1.yy": "L4", "i1.yysm": "x"})
    joined = RESULT | {"i1.yy": "L4&i1.yysm=x", "i1.yysm": ""}
    other = call("batch.result", joined)
    assert (await adapter().authenticate(one)).digest != (await adapter().authenticate(other)).digest


async def test_every_method_is_let_in_at_its_address() -> None:
    status = {"i1.ajbh": "1", "i1.slh": UNION_NO, "i1.zt": "02", "i1.sj": "20260930170000", "i1.sjbh": "EV-1"}
    assert (await adapter().authenticate(call("case.status", status))).event_id == "EV-1"
    handover = {"i1.yjbh": "YJ1", "i1.jgdm": "A", "i1.dfqx": "20261005170000", "i1.jq": "x"}
    found = await adapter().authenticate(call("case.handover", handover, path="/handover"))
    assert found.event_id == "case.handover:YJ1"
    recall = await adapter().authenticate(call("case.recall", {"i1.yjbh": "YJ1"}, path="handover/"))
    assert recall.event_id == "case.recall:YJ1"


async def test_parts_of_one_batch_have_numbers_of_their_own() -> None:
    def part(*names: str) -> InboundCall:
        items = {f"i{k}.xlh": name for k, name in enumerate(names, 1)} | {
            f"i{k}.jg": "1" for k in range(1, len(names) + 1)
        }
        return call("batch.result", {"batchNo": BATCH_NO, **items}, n=str(len(names)))

    numbers = [
        (await adapter().authenticate(part(*names))).event_id for names in (["a"], ["b"], ["a", "b"], ["b", "c"])
    ]
    assert len(set(numbers)) == 4
    assert all(number.startswith(f"{BATCH_NO}:") and len(number) <= 120 for number in numbers)
    assert (await adapter().authenticate(part("a", "b"))).event_id == numbers[2]


@pytest.mark.parametrize(
    "items",
    [{"batchNo": BATCH_NO, "i1.jg": "1"}, {"i1.xlh": "a", "i1.jg": "1"}, {"batchNo": BATCH_NO, "i1.xlh": "x" * 500}],
)
async def test_without_a_number_the_content_is_the_number(items: dict[str, str]) -> None:
    found = await adapter().authenticate(call("batch.result", items))
    assert found.event_id == f"batch.result:{found.digest}"


@pytest.mark.parametrize("duplicate", [False, True])
async def test_the_acknowledgement_is_seven_bytes(duplicate: bool) -> None:
    reply = await adapter().acknowledge(result(), duplicate=duplicate)
    assert (reply.status, reply.body) == (200, b"success")
    assert reply.headers == (("Content-Type", "text/plain"),)
