"""Bytes and digest of the union platform against its page's worked example."""

import re
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.server import MockServer
from mocks.union import Union
from mocks.union.digest import canonical, holds, secret_fault, sign
from mocks.union.form import FormError, decode, encode
from tests.mocks.union_client import Pairs, signature

EXAMPLE: Pairs = [
    ("appKey", "GH370000"),
    ("method", "case.notice"),
    ("timestamp", "1790672703000"),
    ("nonce", "Zk3fA9bQ7LmX2pRt"),
    ("n", "1"),
    ("i1.xlh", "dlv_01JB2Z9K7Q4N"),
    ("i1.sqr.1.xm", "𠮷田㐂"),
    ("i1.bz", ""),
]


def test_the_worked_example_of_the_page() -> None:
    text = canonical(EXAMPLE, "EXAMPLE-SECRET-0")
    assert text == (
        "appKey=GH370000&i1.sqr.1.xm=𠮷田㐂&i1.xlh=dlv_01JB2Z9K7Q4N&method=case.notice&n=1"
        "&nonce=Zk3fA9bQ7LmX2pRt&timestamp=1790672703000&key=EXAMPLE-SECRET-0"
    )
    assert len(text.encode("gb18030")) == 153
    expected = "49F498A0F4BD84BEDA14C1B3A9A9B900D32ECCDF178C63AAEF1A70C443292512"
    assert sign(EXAMPLE, "EXAMPLE-SECRET-0") == signature(EXAMPLE, "EXAMPLE-SECRET-0") == expected
    assert encode([("x", "𠮷田㐂")]) == b"x=%954%B25%CC%EF%819%EF1"


def test_the_key_order_is_by_bytes() -> None:
    pairs = [("i2.ajbh", "a"), ("i10.ajbh", "b"), ("appKey", "c"), ("Z", "d")]
    assert canonical(pairs, "s") == "Z=d&appKey=c&i10.ajbh=b&i2.ajbh=a&key=s"


@pytest.mark.parametrize("wire", [b"x=%819%EF1", b"x=%81%39%EF%31", b"x=%819%ef%31"])
def test_four_byte_characters_may_have_bare_digits(wire: bytes) -> None:
    assert decode(wire) == [("x", "㐂")]


@pytest.mark.parametrize(
    "wire",
    [
        b"x",
        b"=1",
        b"x=%8",
        b"x=%zz",
        b"x=\xd6\xd0",
        b"x=%81",
        b"x=%FF%FF",
        b"a=1&&b=2",
        b"x=a~b",
        b"%D6=1",
        b"x=%81%30",
    ],
)
def test_bytes_that_are_no_form(wire: bytes) -> None:
    with pytest.raises(FormError):
        decode(wire)


def test_utf8_is_not_read_as_gb18030() -> None:
    with pytest.raises(FormError):
        decode(f"x={quote('已接收')}".encode())


def test_blanks_are_written_both_ways_and_read_both_ways() -> None:
    wire = encode([("x", "a b c"), ("y", "&=%+~\n")])
    assert wire == b"x=a+b%20c&y=%26%3D%25%2B%7E%0A"
    assert decode(wire) == [("x", "a b c"), ("y", "&=%+~\n")]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_comes_back(text: str) -> None:
    assert decode(encode([("x", text)])) == [("x", text)]
    assert decode(urlencode([("x", text)], encoding="gb18030").replace("~", "%7E").encode()) == [("x", text)]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        pairs = decode(body)
    except FormError:
        return
    assert all(re.fullmatch(r"[\x00-\x7f]*", name) for name, _ in pairs)


def test_the_sign_is_upper_case_and_whole() -> None:
    right = signature(EXAMPLE, "EXAMPLE-SECRET-0")
    assert holds([*EXAMPLE, ("sign", right)], "EXAMPLE-SECRET-0")
    for wrong in ("", right.lower(), right[:-1], right + "0", "签" * 64):
        assert not holds([*EXAMPLE, ("sign", wrong)], "EXAMPLE-SECRET-0")


def test_secrets_that_are_no_secrets() -> None:
    assert secret_fault("EXAMPLE-SECRET-0") is not None
    assert secret_fault("short") is not None
    assert secret_fault("sixteen&characters") is not None
    assert secret_fault("sixteen characters") is not None
    assert secret_fault(Union.default_config("http://127.0.0.1:1", "http://127.0.0.1:2")["secret"]) is None


async def test_the_example_secret_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="example"):
        await MockServer(Union, tmp_path, settings={"secret": "EXAMPLE-SECRET-0"}).start()
