"""Any document that the contract lets through, for the properties of these tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from contracts import causes, lists
from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import PROGRESS_STATUSES, Case, CaseProgress
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.mediator import Mediator
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.titled import Titled
from contracts.transfer import Transfer
from tests.adapters.hr_arbitration.documents import made

Json = dict[str, Any]

_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('劳动争议😀𠮷&=\\/"\t\n ')


def text(longest: int) -> st.SearchStrategy[str]:
    """Text with at least one visible character; now and then as long as is allowed."""
    short = st.text(_CHARACTERS, max_size=12).map(lambda found: "甲" + found)
    long = st.tuples(short, st.integers(1, longest)).map(
        lambda pair: (pair[0] * (pair[1] // len(pair[0]) + 1))[: pair[1]]
    )
    return short.map(lambda found: found[:longest]) | long


NAME, SHORT, LONG = text(100), text(500), text(20_000)
MONEY = st.decimals(0, 99_999_999_999_999, places=2).map(lambda amount: f"{amount:.2f}")
DAY = st.dates(date(1950, 1, 1), date(2090, 1, 1)).map(lambda day: day.isoformat())
PHONE = st.sampled_from(["13853100001", "0531-86000001", "010-65000001-12", "+85212345678"])
REGION = st.sampled_from(["370102", "371302001", "370102001002"])
CREDIT = st.sampled_from(["91370102MA0DEM013R", "91371302MA0DEM021B", "91110105MA0DEM03XH"])
NUMBER = st.sampled_from(["370102199003071238", "E12345678", "H12345678"])
PARTY = st.integers(0, 3)


@st.composite
def times(draw: st.DrawFn) -> str:
    """An RFC 3339 time with any offset and fraction."""
    day = draw(DAY)
    hour, minute, second = draw(st.integers(0, 23)), draw(st.integers(0, 59)), draw(st.integers(0, 59))
    fraction = draw(st.sampled_from(["", ".5", ".000001"]))
    offset = draw(st.sampled_from(["Z", "+08:00", "-11:30", "+14:00"]))
    return f"{day}T{hour:02d}:{minute:02d}:{second:02d}{fraction}{offset}"


def of(kind: type[Titled]) -> st.SearchStrategy[str]:
    """A value of a closed list."""
    return st.sampled_from([str(member) for member in kind])


def some(_at_least: int = 0, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Json]]:
    """A short list of objects."""
    return st.lists(st.fixed_dictionaries(fields), min_size=_at_least, max_size=3)


def thing(_optional: Json | None = None, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """An object; ``_optional`` fields may be absent."""
    return st.fixed_dictionaries(fields, optional=_optional or {})


FILES = st.lists(
    thing(
        id=st.sampled_from([f"att_01JB2Z9K7Q4N{letter * 14}" for letter in "ABCD"]),
        kind=of(lists.AttachmentKind),
        name=NAME,
    ),
    max_size=3,
)
ADDRESS = thing(region_code=REGION, detail=SHORT)
CONTACT = thing(name=NAME, phone=PHONE)
CLAIMS = st.lists(thing({"amount": MONEY}, kind=of(lists.ClaimKind), text=LONG), min_size=1, max_size=3)
MEDIATORS = some(certificate_no=text(40), name=NAME)
AUTHORITY = thing(kind=of(lists.AuthorityKind), code=text(12), name=NAME)
AGENTS = st.lists(
    thing(
        {"id_type": of(lists.IdType), "id_number": NUMBER, "phone": PHONE},
        kind=of(lists.AgentKind),
        name=NAME,
        authority=of(lists.AgentAuthority),
    ),
    max_size=2,
)
ETHNIC = st.sampled_from(["汉族", "汉", "土家族", "土族", "高山", "穿青人", "其他"])
PERSON = thing(
    {"ethnic_group": ETHNIC, "occupation": SHORT},
    kind=st.just("person"),
    role=of(lists.PartyRole),
    name=NAME,
    id_type=of(lists.IdType),
    id_number=NUMBER,
    sex=of(lists.Sex),
    birth_date=DAY,
    phone=PHONE,
    address=ADDRESS,
    service_address=thing(region_code=REGION, detail=SHORT, electronic_consent=st.booleans()),
    agents=AGENTS,
)
UNIT = thing(
    {"industry": text(20), "size": of(lists.UnitSize)},
    kind=st.sampled_from(["employer", "other_organization"]),
    role=of(lists.PartyRole),
    name=NAME,
    credit_code=CREDIT,
    unit_type=of(lists.UnitType),
    legal_representative=thing(name=NAME, position=SHORT),
    contact=CONTACT,
    address=ADDRESS,
    agents=AGENTS,
)
CAUSE = st.sampled_from(
    [
        {"table": str(table), "path": list(path)}
        for matter in causes.matters()
        for table, path in matter.paths.items()
        if path
    ]
)


def document(kind: type[Document], optional: Json, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """A document of that kind."""
    return thing(optional, **fields).map(lambda values: made(kind, **values))


CASES = document(
    Case,
    {
        "accepted_at": times(),
        "collective": thing(
            worker_count=st.integers(1, 999_999), representatives=st.lists(text(50), max_size=3), major=st.booleans()
        ),
        "referral": st.just("ref_01JB2Z9K7Q4NAAAAAAAAAAAAAA"),
    },
    source_case_no=text(40),
    organization=thing(
        {"credit_code": CREDIT}, code=text(32), name=NAME, type=of(lists.OrganizationType), region_code=REGION
    ),
    channel=of(lists.Channel),
    application_form=of(lists.ApplicationForm),
    received_at=times(),
    cause=CAUSE,
    facts=LONG,
    claims=CLAIMS,
    amount=MONEY,
    parties=st.lists(PERSON | UNIT, min_size=1, max_size=3),
    mediators=MEDIATORS,
    attachments=FILES,
    consents=some(party=PARTY, scope=of(lists.ConsentScope), at=times()),
)
PROGRESSES = document(
    CaseProgress,
    {
        "reason_code": of(lists.EndReason),
        "note": SHORT,
        "mediators": MEDIATORS,
        "session": st.fixed_dictionaries(
            {"from": times(), "to": times(), "place": SHORT, "method": of(lists.SessionMethod)}
        ),
    },
    status=st.sampled_from([str(status) for status in PROGRESS_STATUSES]),
    at=times(),
)
AGREEMENTS = document(
    Agreement,
    {"performance_notice_sent_at": times()},
    agreement_no=text(50),
    facts=LONG,
    effect_rule=of(lists.EffectRule),
    settled_claims=of(lists.SettledClaims),
    copies=st.integers(1, 99),
    document=st.just("att_01JB2Z9K7Q4NAAAAAAAAAAAAAA"),
    organization_seal=thing({"seal_id": SHORT}, sealed_at=times()),
    terms=st.lists(
        thing(
            {
                "amount": MONEY,
                "due_date": DAY,
                "payee": thing(party=PARTY, account_name=NAME, bank=NAME, account_no=text(40)),
                "installments": some(amount=MONEY, due_date=DAY),
            },
            no=st.integers(1, 99),
            kind=of(lists.TermKind),
            text=LONG,
        ),
        max_size=3,
    ),
    signatures=st.lists(
        thing(
            {"party": PARTY},
            signer=of(lists.SignerRole),
            name=NAME,
            method=of(lists.SignatureMethod),
            signed_at=times(),
        ),
        max_size=2,
    ).map(
        lambda more: [
            {"signer": "party", "party": 0, "name": "王", "method": "seal", "signed_at": "2026-01-01T00:00:00Z"},
            *more,
        ]
    ),
)
PERFORMANCES = document(
    Performance,
    {"amount": MONEY},
    term_no=st.integers(1, 99),
    status=st.sampled_from(["performed", "partly_performed", "breached"]),
    at=times(),
    evidence=FILES,
)
REQUESTS = document(
    ConfirmationRequest,
    {"late_reason": SHORT},
    route=st.just("arbitration_review"),
    authority=AUTHORITY,
    applicants=st.lists(PARTY, min_size=1, max_size=3),
    applied_at=times(),
    service_addresses=some(
        party=PARTY, region_code=REGION, detail=SHORT, phone=PHONE, electronic_consent=st.booleans()
    ),
    attachments=FILES,
)
SUPPLEMENTS = document(ConfirmationSupplement, {"note": SHORT}, at=times(), attachments=FILES)
WITHDRAWALS = document(ConfirmationWithdrawal, {}, at=times(), reason=SHORT)
TRANSFERS = document(
    Transfer,
    {"claims": CLAIMS},
    to=of(lists.TransferTo),
    authority=AUTHORITY,
    reason_code=of(lists.TransferReason),
    attachments=FILES,
)
ALERTS = document(
    CollectiveAlert,
    {},
    level=of(lists.AlertLevel),
    worker_count=st.integers(1, 999_999),
    amount=MONEY,
    situation=LONG,
    measures=LONG,
    contact=CONTACT,
    at=times(),
)
MEDIATOR_ROWS = document(
    Mediator,
    {"sex": of(lists.Sex), "phone": PHONE, "id_type": of(lists.IdType), "id_number": NUMBER},
    certificate_no=text(40),
    certificate_valid_until=DAY,
    name=NAME,
    organization_code=text(32),
    employment=of(lists.Employment),
    specialities=st.lists(SHORT, max_size=2),
    active=st.booleans(),
)
ANSWERS = document(ReferralAnswer, {"reason": SHORT}, answer=of(lists.ReferralDecision), at=times())
REPORTS = st.sampled_from(
    [("case", "closed"), ("confirmation", "objected"), ("transfer", "filed"), ("fulfilment", "performing")]
).flatmap(
    lambda words: document(
        StatusReport,
        {"document_no": text(60), "case_no": text(60), "note": LONG, "term_no": st.integers(1, 9), "reason_code": NAME},
        source_endpoint=NAME,
        source_platform=st.sampled_from(["court_mediation", "one_stop", "union", "national_mediation", "elsewhere"]),
        event_id=text(64),
        about=st.just(words[0]),
        about_id=NAME,
        status=st.just(words[1]),
        raw_status=NAME,
        at=times(),
    )
)
RESULTS = document(
    ReferralResult,
    {"reason_code": of(lists.EndReason), "agreement": st.just("agr_01JB2Z9K7Q4NAAAAAAAAAAAAAA")},
    outcome=of(lists.ReferralOutcome),
    at=times(),
    report=LONG,
)
