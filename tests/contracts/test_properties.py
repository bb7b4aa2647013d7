"""What holds for all documents: written and read again they are the same, and a refusal quotes nothing."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.findings import Finding, Language
from contracts.intake import DocumentRefused, read
from contracts.transfer import Transfer
from contracts.values import read_money, write_money

ROOM = Path(__file__).parent.parent / "data" / "samples"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
KINDS: dict[str, type[Document]] = {
    "POST cases - wages": Case,
    "POST cases - collective, dispatch and using unit": Case,
    "POST cases {id} progress - failed": CaseProgress,
    "POST cases {id} alerts - collective": CollectiveAlert,
    "POST cases {id} agreements - wages": Agreement,
    "POST agreements {id} performances - performed": Performance,
    "POST agreements {id} confirmations - judicial confirmation": ConfirmationRequest,
    "POST cases {id} transfers - to arbitration": Transfer,
}
SAMPLES: list[tuple[type[Document], dict[str, Any]]] = [
    (kind, json.loads((ROOM / f"{name}.json").read_bytes())) for name, kind in KINDS.items()
]

CENTS = st.integers(0, 10**18 - 1)


@given(CENTS)
def test_amounts_survive(cents: int) -> None:
    text = f"{cents // 100}.{cents % 100:02}"
    amount = read_money(text)
    assert amount == Decimal(cents) / 100
    assert write_money(amount) == text


@pytest.mark.parametrize(
    ("short", "whole"), [("0", "0.00"), ("7", "7.00"), ("7.5", "7.50"), ("9999999999999999.99", "9999999999999999.99")]
)
def test_amounts_are_written_with_two_decimals(short: str, whole: str) -> None:
    assert write_money(read_money(short)) == whole


@given(st.text())
def test_other_texts_are_no_amounts(text: str) -> None:
    try:
        amount = read_money(text)
    except ValueError:
        return
    assert write_money(amount).startswith(text)


TEXTS = st.text(min_size=1, max_size=40).filter(
    lambda text: text.strip() != "" and not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)
)
TIMES = st.builds(
    lambda second, minutes: datetime.fromtimestamp(second, timezone(timedelta(minutes=minutes))),
    st.integers(946_684_800, 1_790_000_000),
    st.integers(-840, 840),
)


@given(facts=TEXTS, name=TEXTS, note=TEXTS, received=TIMES, cents=st.integers(0, 10**12))
def test_a_case_written_and_read_again_is_the_same(
    facts: str, name: str, note: str, received: datetime, cents: int
) -> None:
    body = copy.deepcopy(SAMPLES[0][1])
    body["facts"], body["parties"][0]["name"], body["parties"][0]["occupation"] = facts, name, note
    body["received_at"] = received.isoformat()
    body["accepted_at"] = None
    body["amount"] = f"{cents // 100}.{cents % 100:02}"
    document = read(Case, json.dumps(body).encode(), now=NOW).document
    assert (document.facts, document.parties[0].name) == (facts, name)
    assert document.received_at == received
    assert document.received_at.utcoffset() == received.utcoffset()
    again = read(Case, document.to_json(), now=NOW).document
    assert again == document
    assert again.to_json() == document.to_json()


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if way:
        yield way
    if isinstance(value, dict):
        for key, member in value.items():
            yield from places(member, (*way, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*way, index))


CANARY = "ZQ7731-雷震子-13900007731"
HOSTILE = st.sampled_from(
    [
        CANARY,
        CANARY * 2000,
        [CANARY],
        {CANARY: CANARY},
        {"kind": CANARY},
        [[{"kind": CANARY, "role": CANARY, "id_number": CANARY}]],
        CANARY + "\u0000",
        f"2026-01-01T00:00:00{CANARY}",
    ]
).map(copy.deepcopy)


@st.composite
def broken(draw: st.DrawFn) -> tuple[type[Document], Any]:
    kind, body = draw(st.sampled_from(SAMPLES))
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 4))):
        way = draw(st.sampled_from(list(places(body))))
        inner: Any = body
        for step in way[:-1]:
            inner = inner[step]
        inner[way[-1]] = draw(HOSTILE)
    return kind, body


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken())
def test_no_finding_quotes_the_input(case: tuple[type[Document], Any]) -> None:
    kind, body = case
    refusal: DocumentRefused | None = None
    findings: tuple[Finding, ...] = ()
    try:
        findings = read(kind, json.dumps(body).encode(), now=NOW).warnings
    except DocumentRefused as refused:
        refusal = refused
    if refusal is not None:
        findings = refusal.findings
        assert refusal.errors
        assert CANARY not in str(refusal) + repr(refusal)
    for finding in findings:
        shown = f"{finding.message(Language.ZH)} {finding.message(Language.EN)} {dict(finding.params)}"
        assert "7731" not in shown
        assert "雷震子" not in shown


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_any_body_is_accepted_or_refused(sample: tuple[type[Document], Any], data: st.DataObject) -> None:
    kind, body = sample[0], copy.deepcopy(sample[1])
    way = data.draw(st.sampled_from(list(places(body))))
    inner: Any = body
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = data.draw(VALUES)
    document, refusal = None, None
    try:
        document = read(kind, json.dumps(body).encode(), now=NOW).document
    except DocumentRefused as refused:
        refusal = refused
    if document is not None:
        assert read(kind, document.to_json(), now=NOW).document == document
    assert document is not None or (refusal is not None and refusal.errors)


def repeated(change: Callable[[dict[str, Any]], None]) -> bytes:
    body = copy.deepcopy(SAMPLES[0][1])
    change(body)
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(claims=[{}] * 400_000),
        lambda body: body.update(parties=[{"kind": "person"}] * 1000, claims=[{}] * 1000, consents=[{}] * 1000),
        lambda body: body.update({f"k{number}": 1 for number in range(49_000)}),
        lambda body: body.update(facts=["x"] * 300_000),
        lambda body: body.update(parties=[body["parties"][0] | {"phone": "x", "id_number": "1"}] * 1000),
    ],
    ids=["claims", "empty parts", "unknown fields", "wrong list", "broken parties"],
)
def test_a_flood_of_errors_is_bounded(change: Callable[[dict[str, Any]], None]) -> None:
    raw = repeated(change)
    started = datetime.now(UTC)
    with pytest.raises(DocumentRefused) as refused:
        read(Case, raw, now=NOW)
    assert datetime.now(UTC) - started < timedelta(seconds=5)
    assert 0 < len(refused.value.findings) <= 1000
