"""What a difference is: one of our rows against one of the platform's, and what may stand in the report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.adapter import AdapterInfo, DeliveryClass
from contracts.holdings import Holding, Listing
from contracts.update import About, StatusUpdate
from gateway.flow.moving.acts import ActRefused
from gateway.flow.reconciling.comparing import (
    Difference,
    Kind,
    Method,
    method_of,
    named,
    number,
    of_delivery,
    of_word,
    plain,
)
from gateway.flow.reconciling.reconciliations import moment
from tests.flow.puppets import PUPPETS, Puppet

AT = datetime(2026, 10, 10, 4, tzinfo=UTC)


def row(state: str = "delivered", reference: str | None = "N1") -> dict[str, Any]:
    return {"id": "dlv_1", "about": "case_1", "state": state, "reference": reference}


def held(**more: Any) -> Holding:
    return Holding(**({"name": "N1", "filing": "dlv_1", "reference": "N1"} | more))


@pytest.mark.parametrize(
    ("state", "holding", "version", "found"),
    [
        ("delivered", None, None, (Kind.MISSING, "absent")),
        ("in_doubt", None, None, (Kind.UNDECIDED, "absent")),
        ("dead", None, None, None),
        ("expired", None, None, None),
        ("relayed", None, None, None),
        ("delivered", held(), None, None),
        ("relayed", held(), None, None),
        ("in_doubt", held(), None, (Kind.UNDECIDED, "found")),
        ("dead", held(), None, (Kind.UNDECIDED, "found")),
        ("expired", held(), None, (Kind.UNDECIDED, "found")),
        ("delivered", held(reference="N2"), None, (Kind.DIFFERING, "reference")),
        ("delivered", held(reference=None), None, None),
        ("delivered", held(version=2), 1, (Kind.DIFFERING, "version")),
        ("delivered", held(version=2), 2, None),
        ("delivered", held(version=2), None, None),
        ("delivered", held(filed_twice=True, reference="N2"), None, (Kind.DIFFERING, "filed_twice")),
        ("in_doubt", held(filed_twice=True), None, (Kind.DIFFERING, "filed_twice")),
    ],
)
def test_a_delivery(state: str, holding: Holding | None, version: int | None, found: tuple[Kind, str] | None) -> None:
    difference = of_delivery(row(state), holding, version)
    assert (None if difference is None else (difference.kind, difference.code)) == found


def word(about: About, status: str, note: str | None = None) -> StatusUpdate:
    return StatusUpdate("E1", about, (), status, status, AT, note=note)


@pytest.mark.parametrize(
    ("about", "theirs", "ours", "found"),
    [
        (About.DELIVERY, "accepted", "delivered", None),
        (About.DELIVERY, "accepted", "relayed", "status"),
        (About.DELIVERY, "refused", "delivered", "status"),
        (About.DELIVERY, "refused", "rejected", None),
        (About.DELIVERY, "taken", "delivered", None),
        (About.DELIVERY, "unknown", "delivered", None),
        (About.CONFIRMATION, "confirmed", "confirmed", None),
        (About.CONFIRMATION, "reviewing", "accepted", "status"),
        (About.CONFIRMATION, "accepted", "confirmed", "status"),
        (About.CONFIRMATION, "unknown", "accepted", "status"),
        (About.TRANSFER, "filed", "requested", "status"),
        (About.CASE, "mediating", "accepted", "status"),
        (About.CASE, "accepted", "mediating", None),
        (About.CASE, "unknown", "mediating", "status"),
        (About.CASE, "", "mediating", None),
        (About.FULFILMENT, "performed", "", "unheard"),
    ],
)
def test_a_word(about: About, theirs: str, ours: str, found: str | None) -> None:
    assert of_word(word(about, theirs), ours) == found


def test_a_note_that_was_never_heard_differs() -> None:
    assert of_word(word(About.CASE, "", "请抓紧办理"), "mediating") == "unheard"


def test_what_each_platform_offers() -> None:
    made = {name: kind("x", None, None) for name, kind in PUPPETS.items()}  # type: ignore[arg-type]  # nothing is used
    assert {method_of(adapter) for adapter in made.values()} == {Method.ASKING}

    def listing(lists: Listing) -> Method:
        info = AdapterInfo("x", "名", "x", "1", "1", DeliveryClass.IDEMPOTENT, (), lists=lists)
        kind = type("Listed", (Puppet,), {"info": info})
        return method_of(kind("x", None, None))

    assert listing(Listing.FILINGS) is Method.LISTING
    assert listing(Listing.WORDS) is Method.ASKING_WORDS
    assert Method.LISTING.sees == tuple(Kind)
    assert Kind.FOREIGN not in Method.ASKING.sees
    assert Kind.MISSING not in Method.WORDS.sees


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("90071992547409930001", "90071992547409930001"),
        ("历下劳人仲审〔2026〕第45号", "历下劳人仲审〔2026〕第45号"),
        ("370102199003071238", "3701**********1238"),
        ("X 370102199003071238;", "X 3701**********1238;"),
        ("370102199003071239", "370102199003071239"),
        ("电话13853100001", "电话138****0001"),
        ("a\x00b\nc1", "abc1"),
        ("王建国", None),
        ("9" * 500, "9" * 100),
        (None, None),
    ],
)
def test_only_numbers_without_people_stand_in_a_report(text: str | None, kept: str | None) -> None:
    assert number(text) == kept


def test_a_name_that_is_no_number_is_a_fingerprint() -> None:
    assert named("N00001") == "N00001"
    fingerprint = named("王建国")
    assert fingerprint is not None
    assert fingerprint.startswith("#")
    assert named("王建国") == fingerprint != named("王建军")
    assert named("\udc80") is not None
    assert plain("状态\x1b[0m") == "状态[0m"
    assert "王" not in "".join(str(part) for part in Difference(Kind.FOREIGN, "x", name="王建国").row("rcn_1"))


@pytest.mark.parametrize(
    ("text", "end", "ms"),
    [
        ("2026-10-10", False, 1791561600000),
        ("2026-10-10", True, 1791648000000),
        ("2026-10-10T00:00:00+08:00", True, 1791561600000),
        ("2026-10-09T16:00:00Z", False, 1791561600000),
    ],
)
def test_a_day_is_beijings(text: str, end: bool, ms: int) -> None:
    assert moment(text, end=end) == ms


@pytest.mark.parametrize("text", ["", "2026-10-1", "2026-13-01", "2026-10-10T00:00:00", "yesterday!", "9999-12-31"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ActRefused, match="period"):
        moment(text, end=True)
