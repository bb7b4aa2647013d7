"""What the platform reads, files joined, is what the documents said, up to the declared losses: for any Unicode."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.court_mediation.translate import translate
from contracts.adapter import Json, LossKind, Wire
from contracts.agreement import Agreement
from contracts.case import Case
from contracts.lists import PartyRole
from contracts.messages import MessageType as M
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import settings as configured

CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from('𠮷吉\r\n\t"\\&=+%<>（全文见附件）')
)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Short texts of anything, and long ones."""
    short = st.text(CHARACTERS, max_size=20).map(lambda found: "甲" + found)
    long = st.builds(lambda text, length: (text * length)[:length], short, st.integers(1, longest))
    return st.one_of(short.map(lambda text: text[:longest]), long)


MONEY = st.decimals(0, 999_999_999_999_999, places=2)
PART = st.none() | st.decimals(0, 99_999_999_999_999, places=2)


def read(payload: Json, place: str, key: str) -> str:
    """A long text as the platform has it: from its file where it says so."""
    shown = str(payload[key]) if place == key else ""
    if place != key:
        found: Any = payload
        for step in place.replace("]", "").replace("[", ".").split("."):
            found = found[int(step)] if step.isdigit() else found[step]
        shown = str(found)
    assert len(shown) <= 5000
    files = [entry["text"] for entry in payload["docList"] if entry["wjmc"] == f"{place}.txt"]
    if not files:
        return shown
    assert len(files) == 1
    assert shown == files[0][:4980] + "（全文见附件）"
    return str(files[0])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """The sample of wages with other texts, amounts and parties."""
    case = docs.WAGES
    person, employer = case.parties
    count = draw(st.integers(1, 4))
    claims = tuple(
        case.claims[0].model_copy(update={"text": draw(texts(7000)), "amount": draw(PART)}) for _ in range(count)
    )
    people = tuple(
        person.model_copy(
            update={
                "name": draw(texts(100)),
                "role": draw(st.sampled_from([PartyRole.APPLICANT, PartyRole.THIRD_PARTY]))
                if number
                else PartyRole.APPLICANT,
                "address": person.address.model_copy(update={"detail": draw(texts(200))}),
            }
        )
        for number in range(draw(st.integers(1, 3)))
    )
    return case.model_copy(
        update={"facts": draw(texts(20_000)), "claims": claims, "amount": draw(MONEY), "parties": (*people, employer)}
    )


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """The sample agreement with other texts."""
    agreement = docs.AGREEMENT
    terms = tuple(
        agreement.terms[number % 2].model_copy(update={"no": number + 1, "text": draw(texts(7000))})
        for number in range(draw(st.integers(1, 3)))
    )
    return agreement.model_copy(update={"facts": draw(texts(9000)), "terms": terms})


def _filed(case: Case, agreement: Agreement) -> Wire:
    changes = {"case": case, "agreement": agreement}
    return translate(docs.message(M.AGREEMENT_CONCLUDED, agreement), docs.context(**changes), configured())


SIDES = {
    "applicant": ("applicantPartyList", "applicant"),
    "respondent": ("respondentPartyList", "respondent"),
    "third_party": ("thirdPartyList", "third"),
}


@settings(max_examples=60, deadline=None)
@given(cases(), agreements())
def test_no_text_of_a_filing_is_lost(case: Case, agreement: Agreement) -> None:
    wire = _filed(case, agreement)
    payload = wire.payload
    assert read(payload, "dispute", "dispute") == case.facts
    lines = [agreement.facts, *(f"{term.no}. {term.text}" for term in agreement.terms)]
    assert read(payload, "agreement", "agreement") == "\n".join(lines)
    for number, claim in enumerate(case.claims):
        assert read(payload, f"claims[{number}].nr", "") == claim.text
        assert payload["claims"][number].get("je") == (None if claim.amount is None else f"{claim.amount:.2f}")
    for number, term in enumerate(agreement.terms):
        assert read(payload, f"xyx[{number}].nr", "") == term.text
    amounts = [claim.amount for claim in case.claims if claim.amount is not None]
    assert payload.get("claimMoney") == (f"{sum(amounts, Decimal(0)):.2f}" if amounts else None)
    assert payload["money"] == f"{case.amount:.2f}"
    _assert_parties(case, payload)
    dropped = {loss.pointer for loss in wire.losses if loss.kind is LossKind.DROPPED}
    prose = ("/text", "/facts", "/name", "/detail", "/amount")
    assert {pointer for pointer in dropped if pointer.endswith(prose)} == {"/case/mediators/0/name"}
    mapped = {loss.pointer for loss in wire.losses if loss.kind is LossKind.MAPPED}
    assert ("/case/facts" in mapped) == (len(case.facts) > 5000)


def _assert_parties(case: Case, payload: Json) -> None:
    for role, (key, prefix) in SIDES.items():
        sent = [party for party in case.parties if party.role == role]
        rows = payload.get(key, [])
        assert [row[f"{prefix}Name"] for row in rows] == [party.name for party in sent]
        assert [row[f"{prefix}Address"] for row in rows] == [party.address.detail for party in sent]
        assert all(row["areaCode"] == party.address.region_code for row, party in zip(rows, sent, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.lists(texts(6000), min_size=1, max_size=3))
def test_no_claim_of_a_transfer_is_lost(claims: list[str]) -> None:
    transfer = docs.transfer()
    own = tuple((transfer.claims or ())[0].model_copy(update={"text": text}) for text in claims)
    message = docs.message(M.TRANSFER_REQUESTED, transfer.model_copy(update={"claims": own}), docs.TRANSFER_ID)
    payload = translate(message, docs.context(), configured()).payload
    assert payload["docList"][0]["text"] == "\n".join(claims)
    if len("\n".join(claims)) <= 5000:
        assert payload["ssqq"] == "\n".join(claims)
    else:
        assert read(payload, "ssqq", "ssqq") == "\n".join(claims)


@settings(max_examples=40, deadline=None)
@given(texts(500), texts(20_000))
def test_no_note_and_no_report_is_lost(note: str, report: str) -> None:
    supplement = docs.SUPPLEMENT.model_copy(update={"note": note})
    message = docs.message(M.CONFIRMATION_SUPPLEMENTED, supplement, docs.CONFIRMATION_ID)
    assert translate(message, docs.context(), configured()).payload["bz"] == note
    result = docs.FAILED.model_copy(update={"report": report})
    message = docs.message(M.REFERRAL_RETURNED, result, docs.REFERRAL_ID)
    payload = translate(message, docs.context(referral=docs.REFERRAL), configured()).payload
    assert read({"docList": [], **payload}, "qkbg", "qkbg") == report
