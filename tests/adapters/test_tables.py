"""The loss report is complete by construction, and tables never guess."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from adapters.tables import Losses, Table, pointer_to
from contracts.adapter import Loss, LossKind
from contracts.errors import PermanentError

COLOURS = Table("colour", {"red": "1", "scarlet": "1", "green": "2", "other": "9"}, other="9", reads={"3": "green"})


def test_pointers_are_escaped() -> None:
    assert pointer_to("parties", 0, "a/b", "c~d") == "/parties/0/a~1b/c~0d"
    assert pointer_to() == ""


def test_a_row_is_carried() -> None:
    losses = Losses()
    assert COLOURS.code("red", losses, "/colour", "C") == "1"
    assert losses.report() == ()
    losses.untouched({"colour": "red"})
    assert losses.report() == ()


def test_a_shared_code_is_mapped() -> None:
    losses = Losses()
    assert COLOURS.code("scarlet", losses, "/colour", "C") == "1"
    assert [(loss.kind, loss.pointer, loss.place) for loss in losses] == [(LossKind.MAPPED, "/colour", "C")]


def test_without_row_it_goes_as_other() -> None:
    losses = Losses()
    assert COLOURS.code("ultramarine", losses, "/colour", "C") == "9"
    (loss,) = losses.report()
    assert loss.kind is LossKind.CODED
    assert "ultramarine" not in loss.note


def test_without_row_and_other_it_is_refused_unquoted() -> None:
    table = Table("colour", {"red": "1"})
    with pytest.raises(PermanentError) as refused:
        table.code("ultramarine", Losses(), "/colour", "C")
    assert refused.value.code == "code_without_row"
    assert "/colour" in str(refused.value)
    assert "ultramarine" not in str(refused.value)


def test_codes_read_back() -> None:
    assert [COLOURS.value(code) for code in ("1", "2", "3", "9", "4", "")] == [
        "red",
        "green",
        "green",
        "other",
        None,
        None,
    ]


class _Document(BaseModel):
    name: str
    start: str = Field(alias="from")
    nothing: str | None = None
    people: list[dict[str, str]] = []


def test_what_no_rule_named_is_dropped() -> None:
    document = _Document.model_validate({"name": "x", "from": "y", "people": [{"a": "1", "b": "2"}, {"a": "3"}]})
    losses = Losses()
    losses.carried("/name")
    losses.cut("/people/0/a", "P", "end")
    losses.untouched(document)
    assert losses.report() == (
        Loss(LossKind.CUT, "/people/0/a", "P", "end"),
        Loss(LossKind.DROPPED, "/from"),
        Loss(LossKind.DROPPED, "/people/0/b"),
        Loss(LossKind.DROPPED, "/people/1"),
    )


def test_a_prefix_is_where_the_document_stands() -> None:
    losses = Losses()
    losses.untouched({"a": 1}, "/case")
    assert losses.report() == (Loss(LossKind.DROPPED, "/case/a"),)


def test_every_kind_is_noted() -> None:
    losses = Losses()
    losses.dropped("/a", "n")
    losses.defaulted("/b", "B", "n")
    losses.masked("/c", "C", "n")
    losses.mapped("/d", "D", "n")
    losses.coded("/e", "E", "n")
    assert [loss.kind.value for loss in losses] == ["dropped", "defaulted", "masked", "mapped", "coded"]


_TREES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def _leaves(tree: Any, pointer: str = "") -> dict[str, Any]:
    if isinstance(tree, dict) and tree:
        return {
            at: leaf for key, below in tree.items() for at, leaf in _leaves(below, pointer + pointer_to(key)).items()
        }
    if isinstance(tree, list) and tree:
        return {
            at: leaf for n, below in enumerate(tree) for at, leaf in _leaves(below, pointer + pointer_to(n)).items()
        }
    return {} if tree in (None, [], {}) else {pointer: tree}


@given(st.dictionaries(st.text(max_size=3), _TREES, max_size=4), st.data())
def test_every_leaf_is_named_or_reported(tree: dict[str, Any], data: st.DataObject) -> None:
    leaves = _leaves(tree)
    named = data.draw(st.sets(st.sampled_from(sorted(leaves)))) if leaves else set()
    losses = Losses()
    for pointer in named:
        losses.carried(pointer)
    losses.untouched(tree)
    reported = [loss.pointer for loss in losses]
    for pointer in leaves:
        covered = [one for one in reported if pointer == one or pointer.startswith(one + "/")]
        assert len(covered) == (pointer not in named)
