"""Identity numbers, credit codes, case numbers and our own ids."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.identifiers import (
    CaseNumber,
    CaseNumberKind,
    IdPrefix,
    credit_code_check_character,
    credit_code_holds,
    id_pattern,
    identity_document_holds,
    make_id,
    normal_identity_number,
    resident_id_birth_date,
    resident_id_check_character,
    resident_id_holds,
    resident_id_is_male,
)

SEVENTEEN = st.text("0123456789", min_size=17, max_size=17)


@pytest.mark.parametrize(
    "number", ["370102199003071238", "370213198511200024", "371302197806154048", "11010519491231002X"]
)
def test_known_resident_ids_hold(number: str) -> None:
    assert resident_id_holds(number)


@given(SEVENTEEN)
def test_exactly_one_check_character_holds(first: str) -> None:
    right = [last for last in "0123456789X" if resident_id_holds(first + last)]
    assert right == [resident_id_check_character(first)]


@given(SEVENTEEN, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(first: str, place: int, shift: int) -> None:
    number = first + resident_id_check_character(first)
    other = str((int(number[place]) + shift) % 10)
    assert not resident_id_holds(number[:place] + other + number[place + 1 :])


@pytest.mark.parametrize("number", ["", "37010219900307123", "3701021990030712380", "37010219900307123x", "三" * 18])
def test_other_shapes_do_not_hold(number: str) -> None:
    assert not resident_id_holds(number)


@pytest.mark.parametrize(
    ("number", "born"),
    [
        ("370102199003071238", date(1990, 3, 7)),
        ("370102200002291230", date(2000, 2, 29)),
        ("370102190002291230", None),
        ("370102199013071238", None),
        ("370102000003071238", None),
        ("370102", None),
    ],
)
def test_birth_date_inside(number: str, born: date | None) -> None:
    assert resident_id_birth_date(number) == born


def test_seventeenth_digit_tells_the_sex() -> None:
    assert resident_id_is_male("370102199003071238")
    assert not resident_id_is_male("371302197806154048")


def test_identity_numbers_have_one_form() -> None:
    assert normal_identity_number(" １１０１０５１９４９１２３１００２ｘ ") == "11010519491231002X"
    assert normal_identity_number("11010519491231002x") == "11010519491231002X"


@given(st.text(max_size=100))
def test_the_one_form_is_stable_and_never_longer(raw: str) -> None:
    normal = normal_identity_number(raw)
    assert normal_identity_number(normal) == normal
    assert len(normal) <= len(raw)


@pytest.mark.parametrize(
    ("kind", "number", "holds"),
    [
        ("passport", "E12345678", True),
        ("passport", "护照12345", False),
        ("hk_macao_permit", "H12345678", True),
        ("hk_macao_permit", "M1234567801", True),
        ("hk_macao_permit", "H1234567", False),
        ("taiwan_permit", "12345678", True),
        ("taiwan_permit", "T2345678", False),
        ("hk_macao_taiwan_residence_permit", "810000199001011230", True),
        ("hk_macao_taiwan_residence_permit", "810000199001011231", False),
        ("hk_macao_taiwan_residence_permit", "370102199003071238", False),
        ("foreign_permanent_resident_card", "USA370190010112", True),
        ("foreign_permanent_resident_card", "911370199001011234", True),
        ("foreign_permanent_resident_card", "811370199001011234", False),
        ("other", "whatever", True),
    ],
)
def test_other_documents_have_their_forms(kind: str, number: str, holds: bool) -> None:
    assert identity_document_holds(kind, number) is holds


@pytest.mark.parametrize(
    "code",
    [
        "91370102MA3C123456",
        "113700000045020304",
        "91110000600037341L",
        "1137010200DEM004X4",
        "91370102MA0DEM013R",
        "91371302MA0DEM021B",
        "91110105MA0DEM03XH",
    ],
)
def test_known_credit_codes_hold(code: str) -> None:
    assert credit_code_holds(code)


CREDIT = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17)


@given(CREDIT)
def test_exactly_one_check_character_of_a_credit_code_holds(first: str) -> None:
    right = [last for last in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if credit_code_holds(first + last)]
    assert right == [credit_code_check_character(first)]


@pytest.mark.parametrize("code", ["", "91370102MA3C12345", "91370102MA3C1234566", "91370102ma3c123456", "O" * 18])
def test_other_shapes_are_no_credit_codes(code: str) -> None:
    assert not credit_code_holds(code)


@pytest.mark.parametrize(
    ("raw", "kind", "year", "body", "kinds", "serial", "part"),
    [
        ("（2024）鲁0102民初123号", CaseNumberKind.COURT, 2024, "鲁0102", "民初", "123", None),
        ("(2021)川0104民诉前调801号", CaseNumberKind.COURT, 2021, "川0104", "民诉前调", "801", None),
        ("〔2024〕浙02民诉前调595号", CaseNumberKind.COURT, 2024, "浙02", "民诉前调", "595", None),
        ("(2024)粤0604诉前调确1716号", CaseNumberKind.COURT, 2024, "粤0604", "诉前调确", "1716", None),
        ("（2024）最高法民申1号之一", CaseNumberKind.COURT, 2024, "最高法", "民申", "1", "一"),
        ("新劳人仲案字（2015）第228号", CaseNumberKind.ARBITRATION, 2015, "新劳人仲案字", None, "228", None),
        ("浙余姚劳人仲案【2025】第12号", CaseNumberKind.ARBITRATION, 2025, "浙余姚劳人仲案", None, "12", None),
        ("(2025)宁劳人仲案字第123号", CaseNumberKind.ARBITRATION, 2025, "宁劳人仲案字", None, "123", None),
        ("(2014)霍劳人仲裁字292-1号", CaseNumberKind.ARBITRATION, 2014, "霍劳人仲裁字", None, "292", "1"),
        ("历下劳人仲案字〔2026〕第８８号", CaseNumberKind.ARBITRATION, 2026, "历下劳人仲案字", None, "88", None),
        ("法〔2025〕227号", CaseNumberKind.OTHER, None, None, None, None, None),
        ("缺号", CaseNumberKind.OTHER, None, None, None, None, None),
        ("", CaseNumberKind.OTHER, None, None, None, None, None),
    ],
)
def test_case_numbers_in_parts(
    raw: str,
    kind: CaseNumberKind,
    year: int | None,
    body: str | None,
    kinds: str | None,
    serial: str | None,
    part: str | None,
) -> None:
    number = CaseNumber.of(raw)
    assert number.raw == raw
    assert (number.kind, number.year, number.body, number.type, number.serial, number.part) == (
        kind,
        year,
        body,
        kinds,
        serial,
        part,
    )


def test_case_numbers_are_the_same_in_any_brackets_and_width() -> None:
    spellings = [
        "（２０２４）鲁0102民初123号",
        "(2024)鲁0102 民初123号",
        "[2024]鲁0102民初123号",
        "【2024】鲁0102民初123号",
    ]
    assert {CaseNumber.of(raw).normal for raw in spellings} == {"(2024)鲁0102民初123号"}


@given(st.text(max_size=200))
def test_no_case_number_is_refused(raw: str) -> None:
    number = CaseNumber.of(raw)
    assert number.raw == raw
    assert CaseNumber.of(number.normal).normal == number.normal


@given(st.sampled_from(IdPrefix), st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_our_ids_have_their_shape(prefix: IdPrefix, milliseconds: int, entropy: bytes) -> None:
    made = make_id(prefix, milliseconds, entropy)
    assert re.fullmatch(id_pattern(prefix), made)
    assert len(made) <= 40


@given(st.lists(st.integers(0, 2**48 - 1), min_size=2, max_size=6, unique=True), st.binary(min_size=10, max_size=10))
def test_our_ids_are_in_the_order_of_time(moments: list[int], entropy: bytes) -> None:
    assert sorted(make_id(IdPrefix.CASE, moment, entropy) for moment in moments) == [
        make_id(IdPrefix.CASE, moment, entropy) for moment in sorted(moments)
    ]


@pytest.mark.parametrize(("milliseconds", "entropy"), [(-1, bytes(10)), (2**48, bytes(10)), (0, bytes(9))])
def test_ids_are_not_made_of_anything(milliseconds: int, entropy: bytes) -> None:
    with pytest.raises(ValueError, match="id"):
        make_id(IdPrefix.CASE, milliseconds, entropy)


def test_the_placeholder_of_the_samples_has_the_shape_of_an_id() -> None:
    assert re.fullmatch(id_pattern(IdPrefix.ATTACHMENT), "att_REPLACE_WITH_UPLOADED")
