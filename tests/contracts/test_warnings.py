"""What is accepted with a warning."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from contracts.case import Case
from contracts.intake import read

Body = dict[str, Any]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"sex": "female"}, "/parties/0/sex", "identity_number_mismatch"),
        ({"birth_date": "1990-03-08"}, "/parties/0/birth_date", "identity_number_mismatch"),
        ({"id_number": "990102199003071230"}, "/parties/0/id_number", "region_unknown"),
        (
            {"address": {"region_code": "370199", "detail": "高新区"}},
            "/parties/0/address/region_code",
            "region_unknown",
        ),
        (
            {"service_address": {"region_code": "370181001", "detail": "x", "electronic_consent": True}},
            "/parties/0/service_address/region_code",
            "region_abolished",
        ),
    ],
)
def test_of_a_person(change: Body, pointer: str, code: str, sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["parties"][0] |= change
    if "id_number" in change:
        body["parties"][0]["id_number"] = _with_check(change["id_number"])
    warnings = read(Case, json.dumps(body).encode(), now=now).warnings
    assert [(warning.pointer, str(warning.code), warning.is_error) for warning in warnings] == [(pointer, code, False)]


def _with_check(number: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return number[:17] + "10X98765432"[sum(w * int(d) for w, d in zip(weights, number[:17], strict=True)) % 11]


def test_successors_of_an_abolished_region_are_named(sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["organization"]["region_code"] = "371200"
    (warning,) = read(Case, json.dumps(body).encode(), now=now).warnings
    assert warning.pointer == "/organization/region_code"
    assert warning.params["successors"] == ("370116", "370117")


@pytest.mark.parametrize("region", ["370102001001", "110105", "370000"])
def test_known_regions_pass_in_silence(region: str, sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["parties"][0]["address"]["region_code"] = region
    assert read(Case, json.dumps(body).encode(), now=now).warnings == ()


@pytest.mark.parametrize("number", ["372901199003071231", "370181199003071233", "110105199003071239"])
def test_old_and_foreign_regions_in_identity_numbers_pass_in_silence(
    number: str, sample: Callable[[str], Body], now: datetime
) -> None:
    body = sample("wages")
    body["parties"][0]["id_number"] = _with_check(number)
    assert read(Case, json.dumps(body).encode(), now=now).warnings == ()


def test_an_unknown_sex_contradicts_nothing(sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["parties"][0]["sex"] = "unknown"
    assert read(Case, json.dumps(body).encode(), now=now).warnings == ()


def test_numbers_are_normalised(sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["parties"][0]["id_number"] = "３７０１０２１９９００３０７１２３８"
    body["parties"][0]["agents"][0] |= {"id_number": "11010519491231002x"}
    person = read(Case, json.dumps(body).encode(), now=now).document.parties[0]
    assert person.kind == "person"
    assert person.id_number == "370102199003071238"
    assert person.agents[0].id_number == "11010519491231002X"


@pytest.mark.parametrize(
    "phone", ["13853100001", "0531-86000001", "053186000001", "010-65000001", "0531-86000001-801", "+85221234567"]
)
def test_phones(phone: str, sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["parties"][0]["phone"] = phone
    assert read(Case, json.dumps(body).encode(), now=now).warnings == ()


def test_the_very_moments_are_in_time(sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["accepted_at"] = body["received_at"]
    body["parties"][0] |= {"birth_date": "2026-11-23", "id_type": "passport", "id_number": "E12345678"}
    assert read(Case, json.dumps(body).encode(), now=now).warnings == ()


def test_nine_applicants_need_no_collective_particulars(sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("wages")
    body["parties"] = [body["parties"][0]] * 9 + [body["parties"][1]]
    body["consents"] = []
    assert read(Case, json.dumps(body).encode(), now=now).warnings == ()
