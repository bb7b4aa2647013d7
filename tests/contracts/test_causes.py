"""The three cause tables and the way between them."""

from __future__ import annotations

import pytest

from contracts.causes import (
    CourtNumber,
    exists,
    is_labour_relation,
    is_new_employment,
    last_name,
    matter_of,
    matters,
    project,
)
from contracts.lists import CauseTable

C25, C20, ARB = CauseTable.COURT_2025, CauseTable.COURT_2020, CauseTable.ARBITRATION

WAGES = ("劳动争议", "劳动合同纠纷", "追索劳动报酬纠纷")
WAGES_ARB = ("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "劳动报酬")
NEW_WAGES = ("新就业形态用工纠纷", "新就业形态用工合同纠纷", "新就业形态追索劳动报酬纠纷")


@pytest.mark.parametrize(
    ("table", "path", "there"),
    [
        (C25, WAGES, True),
        (C20, WAGES, True),
        (ARB, WAGES_ARB, True),
        (C25, WAGES[:2], True),
        (C25, WAGES[:1], True),
        (ARB, WAGES_ARB[:1], True),
        (ARB, ("确认劳动关系",), True),
        (ARB, ("确认劳动关系", "确认劳动关系"), True),
        (ARB, ("订立、履行、变更、解除和终止劳动合同", "解除"), True),
        (ARB, ("法律、法规规定的其他劳动争议", "其他"), True),
        (C25, ("新就业形态用工纠纷", "新就业形态用工合同纠纷", "追索劳动报酬纠纷"), True),
        (C25, (), False),
        (C25, WAGES[1:], False),
        (C25, WAGES_ARB, False),
        (ARB, WAGES, False),
        (C20, NEW_WAGES, False),
        (C20, ("劳动争议", "超龄劳动者用工纠纷"), False),
        (C25, ("劳动争议", "社会保险纠纷", "追索劳动报酬纠纷"), False),
    ],
)
def test_what_is_in_which_table(table: CauseTable, path: tuple[str, ...], there: bool) -> None:
    assert exists(table, path) is there


@pytest.mark.parametrize(
    ("table", "path", "number"),
    [
        (C25, WAGES, CourtNumber(205, 5)),
        (C20, WAGES, CourtNumber(186, 5)),
        (C25, NEW_WAGES, CourtNumber(214, 2)),
        (C25, ("劳动争议", "福利待遇纠纷"), CourtNumber(207)),
        (C25, ("人事争议", "辞退纠纷"), CourtNumber(213)),
        (C25, ("劳动争议",), None),
        (ARB, WAGES_ARB, None),
    ],
)
def test_official_numbers(table: CauseTable, path: tuple[str, ...], number: CourtNumber | None) -> None:
    matter = matter_of(table, path)
    assert matter is not None
    assert matter.numbers.get(table) == number


def test_numbers_of_an_edition_are_given_once() -> None:
    for table in (C25, C20):
        numbers = [matter.numbers[table] for matter in matters() if table in matter.numbers]
        assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (WAGES, "追索劳动报酬"),
        (WAGES[:1], "劳动争议"),
        (WAGES_ARB, "劳动报酬"),
        (("订立、履行、变更、解除和终止劳动合同", "订立"), "订立劳动合同"),
        (("法律、法规规定的其他劳动争议",), "其他劳动争议"),
        (("没有", "这个纠纷"), "这个"),
    ],
)
def test_last_names(path: tuple[str, ...], name: str) -> None:
    assert last_name(path) == name


def test_new_employment_anywhere_on_the_path() -> None:
    assert is_new_employment(NEW_WAGES)
    assert is_new_employment(NEW_WAGES[:1])
    assert not is_new_employment(WAGES)


@pytest.mark.parametrize(
    ("path", "is_it"),
    [
        (("劳动争议", "劳动合同纠纷", "确认劳动关系纠纷"), True),
        (("确认劳动关系",), True),
        (("新就业形态用工纠纷", "新就业形态用工合同纠纷", "新就业形态确认劳动关系纠纷"), True),
        (("新就业形态用工纠纷", "新就业形态用工合同纠纷", "确认劳动关系纠纷"), True),
        (WAGES, False),
        (("劳动争议", "劳动合同纠纷"), False),
    ],
)
def test_existence_of_a_labour_relation(path: tuple[str, ...], is_it: bool) -> None:
    assert is_labour_relation(path) is is_it


def test_one_matter_in_all_its_tables() -> None:
    assert matter_of(C25, WAGES) is matter_of(ARB, WAGES_ARB) is matter_of(C20, WAGES)
    assert matter_of(C25, WAGES) is not matter_of(C25, NEW_WAGES)


@pytest.mark.parametrize(
    ("table", "path", "to", "result"),
    [
        (C25, WAGES, ARB, WAGES_ARB),
        (ARB, WAGES_ARB, C20, WAGES),
        (ARB, (WAGES_ARB[0], "赔偿金"), C25, (*WAGES[:2], "经济补偿金纠纷")),
        (ARB, ("确认劳动关系",), C25, (*WAGES[:2], "确认劳动关系纠纷")),
        (C25, NEW_WAGES, C20, WAGES),
        (C25, ("督促程序案件", "申请支付令"), ARB, None),
        (C25, ("没有",), ARB, None),
    ],
)
def test_projection(table: CauseTable, path: tuple[str, ...], to: CauseTable, result: tuple[str, ...] | None) -> None:
    assert project(table, path, to) == result


def test_every_matter_leads_to_existing_nodes() -> None:
    for matter in matters():
        for table, path in (*matter.paths.items(), *matter.near.items()):
            assert exists(table, path), matter.id
        assert not matter.paths.keys() & matter.near.keys()
        for table, path in matter.paths.items():
            assert matter_of(table, path) is matter
    assert len({matter.id for matter in matters()}) == len(matters())
