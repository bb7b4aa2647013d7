"""Ids: one form, in the contract and in the store, and one place that knows it."""

from __future__ import annotations

from random import Random

import pytest

from contracts.identifiers import IdPrefix, make_id
from gateway.store.ids import PREFIXES, Ids, has_id_form, id_at, is_bound, is_id, made_at

NOW = 1_795_000_000_007


@pytest.mark.parametrize("prefix", IdPrefix)
def test_the_store_makes_them_as_the_contract_writes_them(prefix: IdPrefix) -> None:
    kind = next(kind for kind, written in PREFIXES.items() if written == f"{prefix}_")
    assert Ids(lambda: NOW, Random(5).randbytes).new(kind) == make_id(prefix, NOW, Random(5).randbytes(10))


@pytest.mark.parametrize("kind", PREFIXES)
def test_an_id_is_of_its_kind_alone(kind: str) -> None:
    made = Ids(lambda: NOW, Random(5).randbytes).new(kind)
    assert is_id(made, kind)
    assert is_id(made, "audit", kind)
    assert has_id_form(made)
    assert made_at(made) == NOW
    assert not is_id(made, *(PREFIXES.keys() - {kind}))
    assert not is_id(f"{made}0", kind)
    assert is_bound(made, kind)
    assert is_bound(f"{made}0", kind)
    assert not is_bound(f"{made}1", kind)
    assert is_id(id_at(kind, NOW), kind)


@pytest.mark.parametrize(
    "text", ["", "dlv_", "dlv_" + 26 * "I", "dlv_" + 26 * "a", "dlv_" + 25 * "0", " dlv_" + 26 * "0", None, 7]
)
def test_nothing_else_is_one(text: object) -> None:
    assert not is_id(text, "delivery")
    assert not is_bound(text, "delivery")
