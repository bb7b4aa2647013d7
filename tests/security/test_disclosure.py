"""What of a foreign form may be seen: nothing that could tell of a person, by what its documents hold and by its look."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Case
from contracts.conformance.leaves import fields
from contracts.document import Part
from gateway.flow.moving.documents import DOCUMENTS
from gateway.security.disclosure import Redactor
from gateway.security.field_classes import FieldClass, fields_of, leaves, masked, table
from tests.flow import papers

CASE = papers.body("wages")
LEAVES = list(leaves(Case, CASE))
PERSON = CASE["parties"][0]
SHOWN_BY = ((FieldClass.NAME, "name"), (FieldClass.ID_NO, "id_number"), (FieldClass.PHONE, "phone"))


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(LEAVES, ("hr",))


def parts(model: type[Part], seen: set[type[Part]]) -> None:
    if model not in seen:
        seen.add(model)
        for field in fields_of(model).values():
            for inner in field.parts:
                parts(inner, seen)


def test_every_field_of_every_document_has_a_class() -> None:
    seen: set[type[Part]] = set()
    for document in DOCUMENTS.values():
        parts(document, seen)
    hidden = [(m.__name__, f.name) for m in seen for f in fields_of(m).values() if f.kind is FieldClass.HIDDEN]
    assert hidden == []
    used = {f"{base.__name__}.{name}" for m in seen for name in fields_of(m) for base in m.__mro__}
    assert set(table()) <= used, "a row of no field"


def test_an_unknown_field_is_hidden() -> None:
    found = {
        leaf.pointer: leaf
        for leaf in leaves(Case, {"stranger": "秘密", "parties": [{"kind": "person", "extra": {"x": "秘密"}}]})
    }
    assert found["/stranger"].kind is FieldClass.HIDDEN
    assert found["/parties/0/extra/x"].kind is FieldClass.HIDDEN
    assert all("秘密" not in leaf.masked for leaf in found.values())


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (FieldClass.NAME, "张三丰", "张**"),
        (FieldClass.ID_NO, "370812199001011234", "3708**********1234"),
        (FieldClass.ID_NO, "E1234567", "********"),
        (FieldClass.PHONE, "13800000000", "138****0000"),
        (FieldClass.BANK, "6222021602012345678", "***************5678"),
        (FieldClass.BIRTH, "1990-03-07", "1990-**-**"),
        (FieldClass.PERSONAL, "female", "[…]"),
        (FieldClass.PERSONAL, "male", "[…]"),
        (FieldClass.FREE_TEXT, "他说了什么", "[…]"),
        (FieldClass.FREE_TEXT, "他说" * 20, "[40]"),
        (FieldClass.COMPANY, "示例公司", "示例公司"),
    ],
)
def test_masks(kind: FieldClass, value: str, shown: str) -> None:
    assert masked(kind, value) == shown


@pytest.mark.parametrize(
    "value",
    [
        PERSON["name"],
        PERSON["id_number"],
        PERSON["id_number"].lower(),
        PERSON["id_number"][:17],
        PERSON["id_number"][6:14],
        PERSON["id_number"][-6:],
        PERSON["phone"],
        f"86{PERSON['phone']}",
        f"+86 {PERSON['phone'][:3]} {PERSON['phone'][3:7]} {PERSON['phone'][7:]}",
        PERSON["birth_date"].replace("-", ""),
        PERSON["birth_date"].replace("-", "/"),
        PERSON["birth_date"] + "T00:00:00+08:00",
        f"申请人：{PERSON['name']}",
        f"{PERSON['name']}({PERSON['id_number']})",
        PERSON["address"]["detail"],
        CASE["facts"],
        CASE["facts"][3:20],
        base64.b64encode(PERSON["name"].encode()).decode() * 2,
        "".join(chr(ord(c) + 0xFEE0) for c in PERSON["id_number"]),
        "13912345678",
        "0531-88881234",
        "某某某",
        "1985-06-01",
    ],
)
def test_what_tells_of_a_person_is_never_shown(redactor: Redactor, value: str) -> None:
    shown, hidden, _ = redactor.value(value)
    assert hidden
    assert shown != value
    raw = json.dumps({"a": {"b": [value]}, value: 1}, ensure_ascii=False).encode()
    for row in redactor.body(raw) or []:
        assert value not in (row.text, row.name)
    tree = redactor.tree({"a": value, "b": {value: "x"}}, ours=True)
    assert all(value != row.text for row in tree)


@pytest.mark.parametrize(
    "value",
    [
        "BZR001",
        "05",
        "hr",
        "370102",
        "18600.00",
        "2026-11-20T10:00:00+08:00",
        "20261120",
        "dlv_01M8A1MHSTQCEC6SHDT5NVSE3Z",
    ],
)
def test_codes_times_and_amounts_are_shown(redactor: Redactor, value: str) -> None:
    assert redactor.value(value) == (value, False, redactor.value(value)[2])


def test_public_values_are_shown_with_where_they_come_from(redactor: Redactor) -> None:
    assert redactor.value(CASE["organization"]["name"]) == (CASE["organization"]["name"], False, "/organization/name")
    assert redactor.value("小程序")[1] is False


def test_what_two_fields_hold_alike_comes_from_neither() -> None:
    twice = Redactor(list(leaves(Case, CASE | {"source_case_no": CASE["organization"]["code"]})))
    assert twice.value(CASE["organization"]["code"])[2] == ""
    assert twice.value(CASE["organization"]["name"])[2] == "/organization/name"


CODED = Redactor(LEAVES, (), {"AAC004", "xb", "性别"})


@pytest.mark.parametrize("sex", ["1", "2", "男"])
@pytest.mark.parametrize(
    "body",
    [
        '{"rows":[{"AAC004":"SEX","AAB301":"370102"}]}',
        '{"AAC004":["SEX"],"AAB301":"370102"}',
        '{"AAC004":{"code":"SEX"},"AAB301":"370102"}',
        "<a xmlns='u'><性别>SEX</性别><性别>SEX</性别><b xb='SEX'>370102</b></a>",
        "sqr.0.xb=SEX&sqr.1.xb=SEX&dzqh=370102",
    ],
)
def test_a_code_that_tells_of_a_person_is_covered_wherever_it_stands(body: str, sex: str) -> None:
    if body.startswith("sqr"):
        sex = quote(sex)
    rows = CODED.body(body.replace("SEX", sex).encode())
    assert rows is not None
    texts = [row.text for row in rows if row.text]
    assert "370102" in texts
    assert "[…]" in texts
    assert set(texts) <= {"370102", "[…]"}


def test_a_flag_that_tells_of_a_person_is_covered_and_an_absent_one_is_told() -> None:
    assert [row.text for row in CODED.tree({"xb": True, "b": {"xb": None}}, ours=True) if row.text] == ["[…]", "null"]


def test_a_payload_keeps_its_form() -> None:
    payload = {
        "BZP000": [{"AAC003": PERSON["name"], "AAC147": PERSON["id_number"], "AAC004": 1, "AAE005": PERSON["phone"]}],
        "composed": f"{PERSON['name']}与济南泉城餐饮管理有限公司·追索劳动报酬纠纷",
        "count": 2,
        "major": False,
        "none": None,
    }
    name, number, phone = (masked(kind, PERSON[key]) for kind, key in SHOWN_BY)
    assert CODED.json(payload) == {
        "BZP000": [{"AAC003": name, "AAC147": number, "AAC004": "[…]", "AAE005": phone}],
        "composed": f"[{len(str(payload['composed']))}]",
        "count": 2,
        "major": False,
        "none": None,
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(min_size=1, max_size=30),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=20,
    )
)
def test_a_payload_shows_no_more_than_its_rows(value: object) -> None:
    """Property: what a program reads of a wire is what a person sees of it."""
    seen = [row for row in CODED.tree({"x": value}, ours=True) if row.text]
    told = list(fields(CODED.json({"x": value})))
    assert len(seen) == len(told)
    for row, (_, one) in zip(seen, told, strict=True):
        assert row.text == one if row.hidden else one is None or row.text.lower() == str(one).lower()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"\x00\xff\x01",
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        b"{",
        b"<a><b></a>",
        b"plain words",
        b"x" * 300_000,
    ],
)
def test_what_cannot_be_read_is_not_shown(redactor: Redactor, raw: bytes) -> None:
    assert redactor.body(raw) is None


def test_xml_and_forms_are_read(redactor: Redactor) -> None:
    name = PERSON["name"]
    xml = redactor.body(f"<s:a xmlns:s='u'><b k='1'>{name}</b><b>7</b></s:a>".encode())
    assert xml is not None
    assert [row.text for row in xml if row.text and not row.hidden] == ["1", "7"]
    form = redactor.body(b"n=1&xm=%E7%8E%8B%E4%BA%94&zt=05")
    assert form is not None
    assert [row.text for row in form] == ["1", "[…]", "05"]


def test_depth_and_width_are_bounded(redactor: Redactor) -> None:
    deep: object = "x"
    for _ in range(200):
        deep = [deep]
    assert len(redactor.tree({"a": deep})) < 100
    assert len(redactor.tree({str(n): n for n in range(5_000)})) <= 1_500


@given(st.text(min_size=1, max_size=12), st.text(max_size=12))
def test_a_text_around_a_personal_value_is_never_shown(before: str, after: str) -> None:
    text = f"{before}{PERSON['id_number']}{after}"
    assert Redactor(LEAVES).value(text)[1]
