"""Masking: what a document says is personal never stands in what people see, whatever the dialect made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.masking import Mask, mask, personal_values

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
WAGES = json.loads((SAMPLES / "POST cases - wages.json").read_text("utf-8"))
AGREEMENT = json.loads((SAMPLES / "POST cases {id} agreements - wages.json").read_text("utf-8"))


@given(st.text(min_size=2, max_size=60))
def test_a_mask_keeps_the_length_and_hides_most(text: str) -> None:
    shown = mask(text)
    assert len(shown) == len(text)
    assert shown != text or set(text[1:]) <= {"*"}
    assert shown.count("*") >= (len(text) - 1 if len(text) <= 6 else len(text) - 5)


def test_personal_values_of_a_case() -> None:
    found = set(personal_values(WAGES))
    assert {
        "王建国",
        "370102199003071238",
        "13853100001",
        "1990-03-07",
        "19900307",
        "赵敏",
        "370213198511200024",
    } <= found
    assert {"历下区文化东路1号1单元101", "孙立", "周芳", "0531-86000001", "李明"} <= found
    assert WAGES["organization"]["name"] not in found


def test_a_dialects_payload_is_masked_wherever_a_value_hides() -> None:
    payload = {
        "BZP000": [{"AAC003": "王建国", "AAC147": "370102199003071238", "AAC006": "19900307", "AAE005": "13853100001"}],
        "composed": "王建国与济南泉城餐饮管理有限公司·追索劳动报酬纠纷",
        "account": AGREEMENT["terms"][0]["payee"]["account_no"],
        "count": 2,
        "none": None,
    }
    shown = json.dumps(Mask(WAGES, AGREEMENT).json(payload), ensure_ascii=False)
    for value in ("王建国", "370102199003071238", "19900307", "13853100001", "6222020000000000000"):
        assert value not in shown
    assert "追索劳动报酬纠纷" in shown
    assert '"count": 2' in shown


@pytest.mark.parametrize(
    "number",
    [
        "370102199003071238",
        "37010219900307123X",
        "6222020000000000000",
        "13853100001",
        "138 5310 0001",
        "３７０１０２１９９００３０７１２３８",
    ],
)
def test_long_numbers_are_masked_though_no_document_names_them(number: str) -> None:
    assert number not in Mask().text(f"申请人证件 {number}，请核对")


@pytest.mark.parametrize(
    "harmless", ["dlv_01M7Q5CQG057N683VPG2HEWAGG", "2026-09-16T09:30:00+08:00", "18600.00", "370102"]
)
def test_ids_times_and_amounts_stay(harmless: str) -> None:
    assert Mask().text(harmless) == harmless
