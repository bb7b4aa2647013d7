"""The fields of the page (§5, §7) as data: what each body may hold, and which form each value has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from mocks.national_mediation import tables

MOST_FEN: Final = 10**15


class Form(Enum):
    """What a value looks like."""

    TEXT = auto()
    CODE = auto()
    TIME = auto()
    DATE = auto()
    FEN = auto()
    COUNT = auto()
    FLAG = auto()
    REGION = auto()
    TOWN = auto()
    PHONE = auto()
    CREDIT_CODE = auto()
    FILE = auto()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value. ``limit`` in characters (0 = none), ``least`` of a COUNT."""

    name: str
    form: Form = Form.TEXT
    required: bool = False
    limit: int = 0
    codes: frozenset[str] = frozenset()
    least: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """An object inside."""

    name: str
    entries: tuple[Entry, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of at most ``most`` objects (0 = any number), or of values of the form ``leaf``; a required one is not empty.

    ``by_kind``: further entries of a row by its ``kind``.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    required: bool = False
    most: int = 0
    leaf: Leaf | None = None
    by_kind: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)


Entry = Leaf | Group | Rows


def text(name: str, limit: int = 0, *, need: bool = False) -> Leaf:
    """A text of at most ``limit`` characters."""
    return Leaf(name, Form.TEXT, need, limit)


def code(name: str, codes: frozenset[str], *, need: bool = False) -> Leaf:
    """A value of a table."""
    return Leaf(name, Form.CODE, need, 0, codes)


def of(name: str, form: Form, *, need: bool = False, least: int = 0) -> Leaf:
    """A value of another form."""
    return Leaf(name, form, need, least=least)


_AGENTS: Final = Rows("agents", (text("name", 50, need=True), of("phone", Form.PHONE)), most=2)
_ADDRESS: Final = (of("regionCode", Form.REGION, need=True), text("detail", 200, need=True))
_PERSON: Final[tuple[Entry, ...]] = (
    text("name", 50, need=True),
    code("idType", tables.ID_TYPE, need=True),
    text("idNumber", need=True),
    code("sex", tables.SEX),
    of("birthDate", Form.DATE),
    of("phone", Form.PHONE),
    Group("address", _ADDRESS),
    Group("serviceAddress", (*_ADDRESS, of("eConsent", Form.FLAG))),
    _AGENTS,
)
_UNIT: Final[tuple[Entry, ...]] = (
    text("name", 100, need=True),
    of("creditCode", Form.CREDIT_CODE),
    text("legalName", 100),
    text("contactName", 100),
    of("contactPhone", Form.PHONE),
    Group("address", _ADDRESS),
    _AGENTS,
)

#: What a case must have wherever it comes from (§6): of each party its name, role and kind, and the facts.
CASE: Final[tuple[Entry, ...]] = (
    text("externalNo", 64, need=True),
    text("orgCode", 32, need=True),
    text("orgName", 100, need=True),
    code("orgType", tables.ORGANIZATION_TYPE, need=True),
    of("regionCode", Form.REGION, need=True),
    of("townCode", Form.TOWN),
    code("sourceChannel", tables.CHANNEL, need=True),
    code("form", tables.APPLICATION_FORM, need=True),
    of("receivedAt", Form.TIME, need=True),
    of("acceptedAt", Form.TIME),
    code("causeCode", tables.CAUSE, need=True),
    text("causeName", 200, need=True),
    text("facts", 2000, need=True),
    Rows(
        "claims",
        (code("kind", tables.CLAIM_KIND, need=True), text("text", 500, need=True), of("amountFen", Form.FEN)),
        required=True,
        most=20,
    ),
    of("amountFen", Form.FEN, need=True),
    Rows(
        "parties",
        (code("role", tables.ROLE, need=True), code("kind", tables.PARTY_KIND, need=True)),
        required=True,
        by_kind={"1": _PERSON, "2": _UNIT, "3": _UNIT},
    ),
    of("workerCount", Form.COUNT, least=10),
    of("collectiveMajor", Form.FLAG),
    Rows("mediators", (text("certNo", need=True), text("name", need=True)), most=5),
    Rows("fileIds", most=20, leaf=of("", Form.FILE)),
    text("referralId", 64),
)

PROGRESS: Final[tuple[Entry, ...]] = (
    code("status", tables.STATUS, need=True),
    code("result", tables.RESULT),
    code("route", tables.ROUTE),
    of("at", Form.TIME, need=True),
    code("endReason", tables.END_REASON),
    text("note", 500),
    Group(
        "session",
        (
            of("from", Form.TIME, need=True),
            of("to", Form.TIME, need=True),
            text("place", 100, need=True),
            code("method", tables.SESSION_METHOD, need=True),
        ),
    ),
)

AGREEMENT: Final[tuple[Entry, ...]] = (
    text("agreementNo", 64, need=True),
    text("facts", 2000, need=True),
    code("settled", tables.SETTLED, need=True),
    of("fileId", Form.FILE),
    Rows(
        "terms",
        (
            of("no", Form.COUNT, need=True, least=1),
            code("kind", tables.TERM_KIND, need=True),
            text("text", need=True),
            of("amountFen", Form.FEN),
            of("dueDate", Form.DATE),
        ),
        required=True,
    ),
    code("effectRule", tables.EFFECT_RULE, need=True),
    of("effectiveAt", Form.TIME, need=True),
)

PERFORMANCE: Final[tuple[Entry, ...]] = (
    text("agreementId", need=True),
    of("termNo", Form.COUNT, need=True, least=1),
    code("status", tables.FULFILMENT, need=True),
    of("at", Form.TIME, need=True),
    of("amountFen", Form.FEN),
)

ANSWER: Final[tuple[Entry, ...]] = (
    of("accept", Form.FLAG, need=True),
    text("reason", 200),
    of("answeredAt", Form.TIME, need=True),
)

RESULT: Final[tuple[Entry, ...]] = (
    code("result", tables.RESULT, need=True),
    code("endReason", tables.END_REASON),
    text("agreementId"),
    text("report", 2000, need=True),
)

#: The quarter's figures: by dispute, by organisation, by outcome, amount, collective cases.
DISPUTES: Final = ("D1", "D2", "D3", "D4", "D5", "D9")
ORGANIZATIONS: Final = ("O1", "O2", "O3", "O4", "O9")
OUTCOMES: Final = ("R1", "R2", "R3", "R4")
FIGURES: Final = ("A01", *DISPUTES, *ORGANIZATIONS, *OUTCOMES, "R0", "M1", "C1", "C2", "C3")

STATISTICS: Final[tuple[Entry, ...]] = (
    text("orgCode", 32, need=True),
    of("version", Form.COUNT, need=True, least=1),
    of("filledAt", Form.TIME, need=True),
    Group("items", tuple(of(name, Form.COUNT, need=True) for name in FIGURES), required=True),
)
