"""The region table: Shandong in force, what was abolished, and the other provinces."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.regions import RegionState, _table, has_region_form, look, provinces


def test_the_official_count() -> None:
    counties = [
        region
        for region in _table().values()
        if region.state is RegionState.CURRENT and not region.code.endswith(("00", "01"))
    ]
    assert len(counties) == 136
    assert len({region.code[:4] for region in counties}) == 16
    per_city = Counter(region.code[:4] for region in counties)
    assert (per_city["3701"], per_city["3702"], per_city["3704"], per_city["3713"]) == (12, 10, 6, 12)
    assert len(provinces()) == 34


@pytest.mark.parametrize(
    ("code", "state", "full_name"),
    [
        ("370102", RegionState.CURRENT, "山东省济南市历下区"),
        ("371302001", RegionState.CURRENT, "山东省临沂市兰山区"),
        ("370102001001", RegionState.CURRENT, "山东省济南市历下区"),
        ("370100", RegionState.CURRENT, "山东省济南市"),
        ("370101", RegionState.CURRENT, "山东省济南市市辖区"),
        ("370000", RegionState.CURRENT, "山东省"),
        ("110105", RegionState.OUTSIDE, "北京市"),
        ("810000", RegionState.OUTSIDE, "香港特别行政区"),
        ("371202", RegionState.ABOLISHED, "山东省莱城区"),
        ("370199", RegionState.UNKNOWN, ""),
        ("371299", RegionState.UNKNOWN, ""),
        ("990000", RegionState.UNKNOWN, ""),
        ("", RegionState.UNKNOWN, ""),
    ],
)
def test_what_a_code_names(code: str, state: RegionState, full_name: str) -> None:
    assert (look(code).state, look(code).full_name) == (state, full_name)


@pytest.mark.parametrize(
    ("code", "successors"),
    [
        ("371200", ("370116", "370117")),
        ("371202", ("370116",)),
        ("371203", ("370117",)),
        ("370181", ("370114",)),
        ("370125", ("370115",)),
        ("370282", ("370215",)),
        ("370684", ("370614",)),
        ("370634", ("370614",)),
        ("371523", ("371503",)),
        ("371626", ("371681",)),
        ("370802", ("370811",)),
        ("370882", ("370812",)),
        ("370521", ("370505",)),
        ("371081", ("371003",)),
        ("371421", ("371403",)),
        ("371624", ("371603",)),
        ("371727", ("371703",)),
        ("372823", ("371324",)),
        ("379010", ("370481",)),
    ],
)
def test_successors(code: str, successors: tuple[str, ...]) -> None:
    assert look(code).state is RegionState.ABOLISHED
    assert look(code).successors == successors


def test_every_successor_is_in_force_and_no_code_is_both() -> None:
    abolished = [region for region in _table().values() if region.state is RegionState.ABOLISHED]
    assert {region.code[:4] for region in abolished} >= {f"37{number}" for number in range(21, 30)} | {"3790"}
    for region in abolished:
        assert region.successors, region.code
        assert {look(code).state for code in region.successors} == {RegionState.CURRENT}
        assert region.until is not None
        assert 1980 < region.until < 2026


@given(st.text(max_size=20))
def test_no_code_raises(code: str) -> None:
    look(code)
    has_region_form(code)


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("370102", True),
        ("370102001", True),
        ("370102001001", True),
        ("3701020", False),
        ("37010a", False),
        ("３" * 6, False),
    ],
)
def test_forms(code: str, form: bool) -> None:
    assert has_region_form(code) is form
