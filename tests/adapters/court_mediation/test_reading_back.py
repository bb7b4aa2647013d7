"""Whatever the loss report does not name comes back from the form as it went out: any case, agreement, application."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.court_mediation import codes
from adapters.court_mediation.translate import translate
from contracts import causes, lists
from contracts.adapter import Context, Json, LossKind, Wire
from contracts.agreement import Agreement
from contracts.case import Case
from contracts.confirmation import ConfirmationRequest
from contracts.messages import MessageType as M
from contracts.titled import Titled
from contracts.transfer import Transfer
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.documents import made
from tests.adapters.court_mediation.platform import settings as configured
from tests.adapters.court_mediation.reader import (
    FLAG,
    Leaves,
    leaves,
    minute,
    of,
    read_agreement,
    read_case,
    read_files,
    read_parties,
    reader,
)

_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('劳动争议𠮷&=+%\\"\t\n ')


def text(longest: int) -> st.SearchStrategy[str]:
    """Text with something visible; now and then as long as is allowed."""
    short = st.text(_CHARACTERS, max_size=8).map(lambda found: ("甲" + found)[:longest])
    return short | st.integers(1, longest).map(lambda length: ("甲乙丙\n" * length)[:length])


MONEY = st.decimals(0, 99_999_999_999, places=2).map(lambda amount: f"{amount:.2f}")
DAY = st.dates(date(1950, 1, 1), date(2090, 1, 1)).map(lambda found: found.isoformat())
PHONE = st.sampled_from(["13853100001", "0531-86000001", "010-65000001-12", "+85212345678"])
REGION = st.sampled_from(["370102", "371302001", "370102001002"])
ADDRESS = st.fixed_dictionaries({"region_code": REGION, "detail": text(199)})
NUMBER = st.sampled_from(["370102199003071238", "E12345678", "H12345678"])
_TIMES = st.tuples(
    DAY, st.integers(0, 23), st.integers(0, 59), st.sampled_from(["00", "31", "00.5"]), st.sampled_from(["Z", "+08:00"])
)
TIME = _TIMES.map(lambda parts: f"{parts[0]}T{parts[1]:02d}:{parts[2]:02d}:{parts[3]}{parts[4]}")


def one_of(kind: type[Titled], *left_out: str) -> st.SearchStrategy[str]:
    """A value of a closed list."""
    return st.sampled_from([str(member) for member in kind if str(member) not in left_out])


def thing(optional: Json | None = None, **fields: Any) -> st.SearchStrategy[Json]:
    """An object; the optional fields may be absent."""
    return st.fixed_dictionaries(fields, optional=optional or {})


AGENTS = st.lists(
    thing(
        {"id_type": one_of(lists.IdType), "id_number": NUMBER, "phone": PHONE},
        kind=one_of(lists.AgentKind),
        name=text(100),
        authority=one_of(lists.AgentAuthority),
    ),
    max_size=2,
)
SERVICE = thing(region_code=REGION, detail=text(199), electronic_consent=st.booleans())
PERSON = thing(
    {"ethnic_group": text(20), "occupation": text(500)},
    kind=st.just("person"),
    role=one_of(lists.PartyRole),
    name=text(100),
    id_type=one_of(lists.IdType),
    id_number=st.just("370102199003071238"),
    sex=one_of(lists.Sex, "unknown"),
    birth_date=DAY,
    phone=PHONE,
    address=ADDRESS,
    service_address=SERVICE,
    agents=AGENTS,
)
UNIT = thing(
    {"industry": text(20), "size": one_of(lists.UnitSize)},
    kind=st.sampled_from(["employer", "other_organization"]),
    role=one_of(lists.PartyRole),
    name=text(100),
    credit_code=st.sampled_from(["91370102MA0DEM013R", "91371302MA0DEM021B"]),
    unit_type=one_of(lists.UnitType),
    legal_representative=thing(name=text(50), position=text(50)),
    contact=thing(name=text(50), phone=PHONE),
    address=ADDRESS,
    agents=AGENTS,
)
CAUSES = st.sampled_from([(table, path) for matter in causes.matters() for table, path in matter.paths.items()])
CLAIMS = st.lists(thing({"amount": MONEY}, kind=one_of(lists.ClaimKind), text=text(6000)), min_size=1, max_size=3)
FILES = st.lists(
    thing(id=st.sampled_from(sorted(docs.ATTACHMENTS)), kind=one_of(lists.AttachmentKind), name=text(100)), max_size=3
)
AUTHORITY = thing(kind=one_of(lists.AuthorityKind), code=st.sampled_from(["鲁0102", "鲁01"]), name=text(100))
SIDES = st.tuples(
    PERSON.map(lambda party: party | {"role": "applicant"}), UNIT.map(lambda party: party | {"role": "respondent"})
)
CASES = st.builds(
    lambda sides, parties, cause, fields: made(
        Case, **fields, parties=[*parties, *sides], cause={"table": cause[0], "path": list(cause[1])}
    ),
    SIDES,
    st.lists(PERSON | UNIT, max_size=2),
    CAUSES,
    thing(
        {
            "accepted_at": TIME,
            "collective": thing(
                worker_count=st.integers(1, 999_999),
                representatives=st.lists(text(100), max_size=2),
                major=st.booleans(),
            ),
            "attachments": FILES,
        },
        source_case_no=text(40),
        organization=thing(
            {"credit_code": st.just("1137010200DEM004X4")},
            code=text(32),
            name=text(100),
            type=one_of(lists.OrganizationType),
            region_code=REGION,
        ),
        channel=one_of(lists.Channel),
        application_form=one_of(lists.ApplicationForm),
        received_at=TIME,
        facts=text(6000),
        claims=CLAIMS,
        amount=MONEY,
        mediators=st.lists(thing(certificate_no=text(40), name=text(100)), min_size=1, max_size=3),
        consents=st.lists(thing(party=st.integers(0, 3), scope=one_of(lists.ConsentScope), at=TIME), max_size=2),
    ),
)
TERMS = st.lists(
    thing(
        {
            "amount": MONEY,
            "due_date": DAY,
            "payee": thing(party=st.integers(0, 3), account_name=text(100), bank=text(100), account_no=text(60)),
            "installments": st.lists(thing(amount=MONEY, due_date=DAY), max_size=2),
        },
        kind=one_of(lists.TermKind),
        text=text(6000),
    ),
    min_size=1,
    max_size=3,
).map(lambda terms: [term | {"no": number} for number, term in enumerate(terms, start=1)])
SIGNATURES = st.lists(
    thing(
        {"party": st.integers(0, 3)},
        signer=one_of(lists.SignerRole),
        name=text(100),
        method=one_of(lists.SignatureMethod),
        signed_at=TIME,
    ),
    max_size=2,
).map(lambda found: [{"signer": "party", "name": "甲", "method": "seal", "signed_at": "2026-09-24T15:00:00Z"}, *found])
AGREEMENTS = thing(
    {"performance_notice_sent_at": TIME},
    agreement_no=text(50),
    facts=text(6000),
    effect_rule=one_of(lists.EffectRule),
    settled_claims=one_of(lists.SettledClaims),
    terms=TERMS,
    signatures=SIGNATURES,
    organization_seal=thing({"seal_id": text(60)}, sealed_at=TIME),
    copies=st.integers(1, 999_999),
    document=st.just(docs.PAPER),
).map(lambda fields: made(Agreement, **fields))


def _compare(wire: Wire, back: Leaves, **documents: Any) -> None:
    """Every value of the documents comes back, or the report names it or what holds it."""
    lost = {loss.pointer for loss in wire.losses}
    # An over-long text is told, but comes back from its file all the same.
    lost -= {loss.pointer for loss in wire.losses if loss.kind is LossKind.MAPPED and "whole in the file" in loss.note}
    for name, document in documents.items():
        at = "" if name == "own" else f"/{name}"
        for pointer, value in leaves(json.loads(document.to_json()), at):
            held = any(pointer == one or pointer.startswith(f"{one}/") for one in lost)
            assert held or back.get(pointer) == value, pointer


def _places(case: Case, only: set[int] | None = None) -> dict[str, list[int]]:
    """Which parties of the case stand on each side, in order."""
    found: dict[str, list[int]] = {}
    for place, party in enumerate(case.parties):
        if only is None or place in only:
            found.setdefault(str(party.role), []).append(place)
    return found


def _read_cause(payload: Json, case: Case, back: Leaves, at: str) -> None:
    """The cause comes back by its code, where that is a row of its own."""
    assert payload["disputeType"] == case.cause.path[-1]
    found = codes.cause_path(payload["causeCode"])
    if found is not None:
        back[f"{at}/cause/table"] = str(found[0])
        back |= {f"{at}/cause/path/{number}": name for number, name in enumerate(found[1])}


def _context(case: Case, agreement: Agreement, **changes: Any) -> Context:
    return docs.context(case=case, agreement=agreement, attachments={}, **changes)


@settings(max_examples=80, deadline=None)
@given(CASES, AGREEMENTS)
def test_a_filing(case: Case, agreement: Agreement) -> None:
    wire = translate(docs.message(M.AGREEMENT_CONCLUDED, agreement), _context(case, agreement), configured())
    back: Leaves = {"/document": wire.payload["docList"][0]["attachment"]}
    form = reader(wire.payload, back)
    read_case(form, "/case", "mediationCaseNo", _places(case))
    read_agreement(form, "")
    _read_cause(wire.payload, case, back, "/case")
    _compare(wire, back, own=agreement, case=case)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Case, ConfirmationRequest]:
    """A case with an application by some of its parties, both sides among them."""
    case = draw(CASES)
    last = len(case.parties) - 1
    others = draw(st.sets(st.integers(0, last - 2))) if last >= 2 else set()
    address = thing(
        party=st.integers(0, last), region_code=REGION, detail=text(500), phone=PHONE, electronic_consent=st.booleans()
    )
    fields = draw(
        thing(
            {"late_reason": text(500)},
            authority=AUTHORITY,
            applied_at=TIME,
            service_addresses=st.lists(address, min_size=1, max_size=3),
            attachments=FILES,
        )
    )
    request = made(
        ConfirmationRequest,
        **fields,
        route="judicial_confirmation",
        applicants=[last, *sorted(others), last - 1],
    )
    return case, request


@settings(max_examples=80, deadline=None)
@given(requests(), AGREEMENTS)
def test_an_application(pair: tuple[Case, ConfirmationRequest], agreement: Agreement) -> None:
    case, request = pair
    message = docs.message(M.CONFIRMATION_REQUESTED, request, docs.CONFIRMATION_ID)
    wire = translate(message, _context(case, agreement), configured())
    payload = wire.payload
    back: Leaves = {"/route": "judicial_confirmation", "/authority/kind": "court"}
    form = reader(payload, back)
    places = _places(case, set(request.applicants))
    read_case(form, "/case", "tjzh", places)
    read_agreement(form, "/agreement")
    _read_cause(payload, case, back, "/case")
    read_files(form, "/attachments", len(request.attachments))
    form.take("fydm", "/authority/code")
    form.take("slfymc", "/authority/name")
    form.take("sqsj", "/applied_at", minute)
    form.take("yqyy", "/late_reason")
    applying = sorted(place for side in places.values() for place in side)
    assert applying == sorted(set(request.applicants))
    back |= {f"/applicants/{number}": place for number, place in enumerate(request.applicants)}
    for number, row in form.rows("sddzList"):
        at = f"/service_addresses/{number}"
        party = request.service_addresses[number].party
        assert row.payload["xm"] == case.parties[party].name
        back[f"{at}/party"] = party
        row.take("dqdm", f"{at}/region_code")
        row.take("dz", f"{at}/detail")
        row.take("dh", f"{at}/phone")
        row.take("dzsd", f"{at}/electronic_consent", FLAG)
    told = [entry["attachment"] for entry in payload["docList"] if "attachment" in entry]
    for number, paper in enumerate(case.attachments):
        if paper.id in told[len(request.attachments) :]:
            back |= {f"/case/attachments/{number}/{key}": value for key, value in paper.model_dump(mode="json").items()}
    back["/agreement/document"] = docs.PAPER
    assert docs.PAPER in told or any(paper.kind == "mediation_agreement" for paper in request.attachments)
    _compare(wire, back, own=request, case=case, agreement=agreement)


@settings(max_examples=60, deadline=None)
@given(CASES, AUTHORITY, one_of(lists.TransferReason), st.none() | CLAIMS, FILES)
def test_a_transfer(case: Case, authority: Json, reason: str, claims: list[Json] | None, files: list[Json]) -> None:
    fields: Json = {"to": "court", "authority": authority, "reason_code": reason, "attachments": files}
    transfer = made(Transfer, **fields, **({} if claims is None else {"claims": claims}))
    context = _context(case, docs.AGREEMENT)
    wire = translate(docs.message(M.TRANSFER_REQUESTED, transfer, docs.TRANSFER_ID), context, configured())
    payload = wire.payload
    back: Leaves = {"/to": "court", "/authority/kind": "court"}
    form = reader(payload, back)
    form.take("fydm", "/authority/code")
    form.take("yy", "/reason_code", of(c1="mediation_failed", c2="limit_passed", c3="not_performed", c9="other"))
    read_parties(form, "/case/parties", _places(case))
    read_files(form, "/attachments", len(files))
    form.take_long("ssqq", "ssqq")
    sent = case.claims if transfer.claims is None else transfer.claims
    assert back.pop("ssqq") == "\n".join(claim.text for claim in sent)
    back |= {f"/claims/{number}/text": claim.text for number, claim in enumerate(transfer.claims or ())}
    assert payload["tjzh"] == case.source_case_no
    assert payload["bdje"] == f"{case.amount:.2f}"
    assert payload["docList"]
    _compare(wire, back, own=transfer)
    parties = {
        f"/case{pointer}": value for pointer, value in leaves(json.loads(case.to_json())) if "/parties/" in pointer
    }
    lost = {loss.pointer for loss in wire.losses}
    for pointer, value in parties.items():
        held = any(pointer == one or pointer.startswith(f"{one}/") for one in lost)
        assert held or back.get(pointer) == value, pointer
