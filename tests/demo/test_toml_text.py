"""TOML text: what is written is read back the same."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.toml_text import key_text, table_text, value_text

VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab-_é 点.", max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc_", min_size=1, max_size=6), VALUES, max_size=5))
def test_what_is_written_is_read_back(table: dict[str, object]) -> None:
    assert tomllib.loads(table_text(table)) == table


def test_it_is_written_to_be_read_by_people() -> None:
    text = table_text({"env": "demo", "endpoints": {"one": {"slots": 8, "settings": {"url": "http://x"}}}})
    assert text == 'env = "demo"\n\n[endpoints.one]\nslots = 8\n\n[endpoints.one.settings]\nurl = "http://x"\n'
    assert key_text("a b") == '"a b"'


def test_nothing_is_no_value() -> None:
    with pytest.raises(TypeError, match="NoneType"):
        value_text(None)
