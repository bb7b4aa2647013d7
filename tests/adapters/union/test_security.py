"""The digest of page §2: its worked example byte by byte, and everything that must change or break it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from adapters.union import form, security

from .platform import SECRET, digest
from .test_form import PARAMETERS

EXAMPLE_SECRET = "EXAMPLE-SECRET-0"
EXAMPLE = {
    "appKey": "GH370000",
    "method": "case.notice",
    "timestamp": "1790672703000",
    "nonce": "Zk3fA9bQ7LmX2pRt",
    "n": "1",
    "i1.xlh": "dlv_01JB2Z9K7Q4N",
    "i1.sqr.1.xm": "𠮷田㐂",
    "i1.bz": "",
}
SIGN = "49F498A0F4BD84BEDA14C1B3A9A9B900D32ECCDF178C63AAEF1A70C443292512"


def test_the_worked_example() -> None:
    raw = security.string_to_sign(EXAMPLE, EXAMPLE_SECRET)
    text = (
        "appKey=GH370000&i1.sqr.1.xm=𠮷田㐂&i1.xlh=dlv_01JB2Z9K7Q4N&method=case.notice&n=1&nonce=Zk3fA9bQ7LmX2pRt"
        "&timestamp=1790672703000&key=EXAMPLE-SECRET-0"
    )
    assert raw == text.encode("gb18030")
    assert bytes.fromhex("95 34 B2 35 CC EF 81 39 EF 31") in raw
    assert len(raw) == 153
    assert security.digest(EXAMPLE, EXAMPLE_SECRET) == SIGN
    assert security.holds({**EXAMPLE, "sign": SIGN}, EXAMPLE_SECRET)
    assert security.signed(EXAMPLE, EXAMPLE_SECRET)["sign"] == SIGN


def test_names_are_sorted_by_bytes() -> None:
    raw = security.string_to_sign({"i2.ajbh": "b", "i10.ajbh": "a", "a": "d", "B": "c"}, SECRET)
    assert raw == f"B=c&a=d&i10.ajbh=a&i2.ajbh=b&key={SECRET}".encode()


def test_values_stand_raw() -> None:
    assert security.string_to_sign({"a": "1&b=2%20+\r\n"}, SECRET) == f"a=1&b=2%20+\r\n&key={SECRET}".encode()


@given(PARAMETERS)
def test_two_writings_of_one_page_agree(parameters: dict[str, str]) -> None:
    assert security.digest(parameters, SECRET) == digest(parameters, SECRET)
    assert security.holds(form.decode(form.encode(security.signed(parameters, SECRET))), SECRET)


@pytest.mark.parametrize(
    "sign",
    ["", SIGN.lower(), SIGN[:-1], SIGN + "0", " " + SIGN[1:], SIGN[:-1] + "3", "０" * 64, "G" * 64, SIGN + "\n"],
)
def test_a_sign_of_another_form_or_value_does_not_hold(sign: str) -> None:
    assert not security.holds({**EXAMPLE, "sign": sign}, EXAMPLE_SECRET)


def test_no_sign_and_an_empty_key_do_not_hold() -> None:
    assert not security.holds(EXAMPLE, EXAMPLE_SECRET)
    assert not security.holds({**EXAMPLE, "sign": digest(EXAMPLE, "")}, EXAMPLE_SECRET)


def test_stamps_are_milliseconds() -> None:
    moment = datetime(2026, 9, 29, 9, 5, 3, 7999, tzinfo=UTC)
    assert security.stamp(moment) == "1790672703007"
    assert security.read_stamp("1790672703007") == moment.replace(microsecond=7000)
    assert security.stamp(moment.astimezone()) == "1790672703007"


@pytest.mark.parametrize(
    "text", ["", "1790672703", "17906727030000", "179067270300x", "１７９０６７２７０３０００", " 790672703000"]
)
def test_other_stamps_are_none(text: str) -> None:
    assert security.read_stamp(text) is None


def test_the_latest_stamp_is_a_moment() -> None:
    latest = security.read_stamp("9999999999999")
    assert latest is not None
    assert latest - datetime(2286, 11, 20, tzinfo=UTC) < timedelta(days=1)


@pytest.mark.parametrize(
    ("nonce", "sound"),
    [("a" * 15, False), ("a" * 16, True), ("Z9" * 16, True), ("a" * 33, False), ("a" * 15 + "-", False), ("", False)],
)
def test_nonces(nonce: str, sound: bool) -> None:
    assert security.is_nonce(nonce) is sound
