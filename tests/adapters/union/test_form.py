"""Form coding in GB18030: the page's bytes, all of Unicode, and what is no form."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.union import form

from .platform import coded, opened

TEXT = st.text(st.characters(codec="utf-8"))
NAMES = st.from_regex(r"[A-Za-z][0-9A-Za-z]{0,5}(\.[0-9A-Za-z]{1,5}){0,3}", fullmatch=True)
PARAMETERS = st.dictionaries(NAMES, TEXT, min_size=1, max_size=8)


@pytest.mark.parametrize("wire", [b"%819%EF1", b"%81%39%EF%31", b"%81%39%ef%31", b"%819%eF%31"])
def test_a_rare_character_in_every_spelling(wire: bytes) -> None:
    assert form.decode(b"a=" + wire) == {"a": "㐂"}


def test_the_pages_name_on_the_wire() -> None:
    assert form.encode({"i1.sqr.1.xm": "𠮷田㐂"}) == b"i1.sqr.1.xm=%954%B25%CC%EF%819%EF1"


def test_the_pages_note_on_the_wire() -> None:
    assert form.encode({"i1.sm": "双方就补偿"}).startswith(b"i1.sm=%CB%AB%B7%BD%BE%CD")


def test_only_the_unreserved_stand_bare() -> None:
    ascii_text = "".join(map(chr, range(128)))
    value = form.encode({"a": ascii_text}).partition(b"=")[2]
    bare = bytes(c for c in range(128) if chr(c).isalnum() or chr(c) in "-_.*")
    for character in range(128):
        assert (bytes([character]) if character in bare else b"%%%02X" % character) in value
    assert len(value) == len(bare) + 3 * (128 - len(bare))


@given(PARAMETERS)
def test_what_we_write_is_read_back_by_us_and_by_others(parameters: dict[str, str]) -> None:
    raw = form.encode(parameters)
    assert form.decode(raw) == parameters
    assert opened(raw) == parameters


@given(PARAMETERS)
def test_what_others_write_is_read(parameters: dict[str, str]) -> None:
    assert form.decode(coded(parameters)) == parameters


@given(TEXT)
def test_every_byte_coded_is_the_same_text(text: str) -> None:
    raw = "".join(f"%{byte:02x}" for byte in text.encode("gb18030"))
    assert form.decode(b"a=" + raw.encode()) == {"a": text}
    assert form.decode(b"a=" + quote_from_bytes(text.encode("gb18030"), safe="").encode()) == {"a": text}


def test_all_of_unicode_can_be_written() -> None:
    for start in range(0, 0x110000, 0x1000):
        text = "".join(chr(point) for point in range(start, start + 0x1000) if not 0xD800 <= point < 0xE000)
        assert form.decode(form.encode({"a": text})) == {"a": text}


@given(st.binary(max_size=60))
def test_no_bytes_are_more_than_malformed(raw: bytes) -> None:
    try:
        found = form.decode(raw)
    except form.Malformed:
        return
    assert form.decode(form.encode(found)) == found


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"),
        (b"a=" + b"x" * form.LIMIT, "too_large"),
        (b"&" * 5_000, "too_many_parameters"),
        (b"&".join(b"a%d=1" % number for number in range(5_001)), "too_many_parameters"),
        (b"x=" + b"a" * 520_000 + b"%", "percent"),
        (b"a", "no_pair"),
        (b"a=1&", "no_pair"),
        (b"a=1&&b=2", "no_pair"),
        (b"=1", "name"),
        (b"a..b=1", "name"),
        (b".a=1", "name"),
        (b"1a=1", "name"),
        (b"a b=1", "percent"),
        (b"a%20b=1", "name"),
        ("甲=1".encode("gb18030"), "percent"),
        (b"%BC%D7=1", "name"),
        (b"a=1&a=1", "doubled_name"),
        (b"a=1&%61=2", "doubled_name"),
        (b"a=%", "percent"),
        (b"a=%8", "percent"),
        (b"a=%8G", "percent"),
        (b"a=1%C4%E", "percent"),
        (b"a= 1", "percent"),
        (b"a=1\n", "percent"),
        ("a=甲".encode("gb18030"), "percent"),
        (b"a=%FF", "encoding"),
        (b"a=%81", "encoding"),
        (b"a=%819%EF", "encoding"),
        (b"a=%E7%94%B2", "encoding"),
        (b"\x1f\x8b\x08\x00", "no_pair"),
        (b"<html><body>502</body></html>", "no_pair"),
        (b'<html lang="zh">', "percent"),
    ],
)
def test_what_is_no_form(raw: bytes, code: str) -> None:
    with pytest.raises(form.Malformed) as caught:
        form.decode(raw)
    assert caught.value.code == code


def test_empty_values_are_kept_and_an_equals_sign_is_a_character() -> None:
    assert form.decode(b"a=&b==1&c=+%20%26") == {"a": "", "b": "=1", "c": "  &"}
