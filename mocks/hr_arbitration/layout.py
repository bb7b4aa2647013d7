"""The field tables of the hr_arbitration page (§4) as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mocks.hr_arbitration import tables as t


class Form(StrEnum):
    """The types of §4."""

    TEXT = "S"
    MONEY = "N"
    WHOLE = "I"
    DAY = "D8"
    MOMENT = "D14"
    CODE = "C"
    REGION = "region"
    DIGEST = "digest"
    FILE = "file"
    ROWS = "R"
    LIST = "list"
    LONG = "long text"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its code, form, limit (characters or digits; 0 = none stated), whether required, codes, rows."""

    code: str
    form: Form = Form.TEXT
    limit: int = 0
    required: bool = False
    codes: frozenset[str] = frozenset()
    rows: tuple[Field, ...] = ()


def _s(code: str, limit: int = 0, *, required: bool = False) -> Field:
    return Field(code, Form.TEXT, limit, required)


def _n(code: str, *, required: bool = False) -> Field:
    return Field(code, Form.MONEY, 0, required)


def _i(code: str, limit: int = 0, *, required: bool = False) -> Field:
    return Field(code, Form.WHOLE, limit, required)


def _d8(code: str, *, required: bool = False) -> Field:
    return Field(code, Form.DAY, 0, required)


def _d14(code: str, *, required: bool = False) -> Field:
    return Field(code, Form.MOMENT, 0, required)


def _c(code: str, codes: frozenset[str], *, required: bool = False) -> Field:
    return Field(code, Form.CODE, 0, required, codes)


def _region(code: str, *, required: bool = False) -> Field:
    return Field(code, Form.REGION, 12, required)


def _file(code: str, *, required: bool = False) -> Field:
    return Field(code, Form.FILE, 32, required)


def _list(code: str, limit: int = 0, *, required: bool = False) -> Field:
    return Field(code, Form.LIST, limit, required)


def _rows(code: str, *fields: Field, required: bool = False) -> Field:
    return Field(code, Form.ROWS, 0, required, rows=(*fields, LONG_TEXT))


#: BZX000, possible in every object: the rest of a text over its limit.
LONG_TEXT = Field("BZX000", Form.LONG)

_CASE_KEYS = (_s("BZA001", 40, required=True), _s("BZA002", 32, required=True))

_CLAIMS = (
    _i("BZQ001"),
    _c("BZQ002", t.CLAIM_KIND, required=True),
    _s("BZQ003", 500, required=True),
    _n("BZQ004"),
)
_MEDIATORS = _rows("BZM000", _s("BZM001", 40, required=True), _s("BZM002", 50, required=True))
_FILES = _rows("BZF000", _file("BZF001", required=True), _c("BZF005", t.FILE_CLASS, required=True))

_AGENTS = _rows(
    "BZP100",
    _c("BZP101", t.AGENT_KIND),
    _s("AAC003", 50),
    _c("AAC058", t.ID_TYPE),
    _s("AAC147", 30),
    _s("AAE005", 20),
    _c("BZP102", t.AUTHORITY),
)
_PARTY_HEAD = (
    _i("BZP001", required=True),
    _c("BZP002", t.ROLE, required=True),
    _c("BZP003", t.PARTY_KIND, required=True),
)
# The page lists agents and service address under the person alone, although any party may have agents: taken from all.
_PARTY_TAIL = (
    _region("AAB301", required=True),
    _s("AAE006", 200, required=True),
    _s("BZP005", 12),
    _s("BZP006", 200),
    _c("BZP007", t.FLAG),
    _AGENTS,
    LONG_TEXT,
)
PERSON = (
    *_PARTY_HEAD,
    _s("AAC003", 50, required=True),
    _c("AAC058", t.ID_TYPE, required=True),
    _s("AAC147", 30, required=True),
    _c("AAC161", frozenset({"CHN"})),
    _c("AAC004", t.SEX, required=True),
    _d8("AAC006", required=True),
    _c("AAC005", t.ETHNIC_GROUP),
    _s("AAE005", 20, required=True),
    _s("BZP004", 50),
    *_PARTY_TAIL,
)
UNIT = (
    *_PARTY_HEAD,
    _s("AAB004", 100, required=True),
    _s("AAB003", 18, required=True),
    _c("AAB019", t.UNIT_TYPE, required=True),
    _c("AAB020", t.ENTERPRISE_TYPE),
    _s("AAB022", 5),
    _c("BZP008", t.SIZE),
    _s("AAB013", 50),
    _s("BZP009", 50),
    _s("AAE004", 50),
    _s("AAE005", 20),
    *_PARTY_TAIL,
)
#: BZP000; the rows are :data:`PERSON` or :data:`UNIT` by their BZP003.
PARTIES = Field("BZP000", Form.ROWS, 0, required=True)

CASE = (
    *_CASE_KEYS,
    _s("BZA003", 100, required=True),
    _c("BZA004", t.ORGANIZATION_TYPE, required=True),
    _region("AAB301", required=True),
    _s("BZA005", 18),
    _c("BZA006", t.CHANNEL, required=True),
    _c("BZA007", t.APPLICATION_FORM, required=True),
    _c("BZA008", t.CAUSE, required=True),
    _s("BZA009", 200, required=True),
    _s("BZA010", 2000, required=True),
    _n("BZA013", required=True),
    _d14("BZA020", required=True),
    _d14("BZA021"),
    _c("BZA014", t.FLAG, required=True),
    _i("BZA015", 6),
    _list("BZA016", 50),
    _c("BZA017", t.FLAG),
    _rows("BZQ000", *_CLAIMS, required=True),
    _MEDIATORS,
    _rows("BZN000", _i("BZN001"), _s("BZN002", 50), _d14("BZN003")),
    _FILES,
    _s("BZJ001", 40),
    PARTIES,
    LONG_TEXT,
)

PROGRESS = (
    *_CASE_KEYS,
    _c("BZS001", t.CASE_STATUS, required=True),
    _d14("AAE036", required=True),
    _c("BZS005", t.END_REASON),
    _s("AAE013", 1000),
    _MEDIATORS,
    _d14("BZS010"),
    _d14("BZS011"),
    _s("BZS012", 100),
    _c("BZS013", t.SESSION_METHOD),
    LONG_TEXT,
)

AGREEMENT = (
    *_CASE_KEYS,
    _s("BZD001", 60, required=True),
    _s("BZD002", 2000, required=True),
    _c("BZD003", t.EFFECT_RULE, required=True),
    _d14("BZD004", required=True),
    _c("BZD005", t.ONE_TWO, required=True),
    _i("BZD006", 2),
    _file("BZD007", required=True),
    _d14("BZD008"),
    _rows(
        "BZD100",
        _s("BZD101"),
        _c("BZD102", t.TERM_KIND),
        _s("BZD103", 1000),
        _n("BZD104"),
        _d8("BZD105"),
        _i("BZD106"),
        _s("BZD107", 100),
        _s("AAE008", 100),
        _s("BZD108", 40),
        _rows("BZD110", _n("BZD111"), _d8("BZD112")),
        required=True,
    ),
    _rows(
        "BZD200",
        _c("BZD201", t.ONE_TWO),
        _i("BZD202"),
        _s("BZD203"),
        _c("BZD204", t.SIGNATURE_METHOD),
        _d14("BZD205"),
        required=True,
    ),
    _s("BZD210"),
    _d14("BZD211", required=True),
    LONG_TEXT,
)

PERFORMANCE = (
    *_CASE_KEYS,
    _s("BZD001", 60, required=True),
    _s("BZD101", required=True),
    _c("BZD301", t.ONE_TO_THREE, required=True),
    _d14("AAE036", required=True),
    _n("BZD302"),
    _FILES,
    LONG_TEXT,
)

STATUS = (
    *_CASE_KEYS,
    _c("BZS002", t.ONE_TO_FOUR, required=True),
    _c("BZS003", t.SOURCE, required=True),
    _s("BZS004", 64, required=True),
    _s("BZS001", 2, required=True),
    _s("BZS006", 50),
    _d14("AAE036", required=True),
    _s("BZC009", 60),
    _s("AAE013", 500),
    LONG_TEXT,
)

CONFIRMATION = (
    *_CASE_KEYS,
    _s("BZC002", 40, required=True),
    _s("BZD001", 60, required=True),
    _s("BZC003", 12, required=True),
    _s("BZC004", 100, required=True),
    _list("BZC011", required=True),
    _d14("BZC012", required=True),
    _rows(
        "BZC100",
        _i("BZP001"),
        _s("BZP005", 12),
        _s("BZP006", 200),
        _s("AAE005", 20),
        _c("BZP007", t.FLAG),
        required=True,
    ),
    _s("BZC013", 500),
    _FILES,
    LONG_TEXT,
)

SUPPLEMENT = (*_CASE_KEYS, _s("BZC002", 40, required=True), _FILES, _s("AAE013", 1000), LONG_TEXT)

WITHDRAWAL = (
    *_CASE_KEYS,
    _s("BZC002", 40, required=True),
    _s("AAE013", 500, required=True),
    _d14("AAE036", required=True),
    LONG_TEXT,
)

TRANSFER = (
    *_CASE_KEYS,
    _s("BZG001", 40, required=True),
    _s("BZC003", 12, required=True),
    _s("BZC004", 100, required=True),
    _c("BZG002", t.TRANSFER_REASON, required=True),
    _rows("BZQ000", *_CLAIMS),
    _FILES,
    LONG_TEXT,
)

ALERT = (
    *_CASE_KEYS,
    _c("BZH001", t.ONE_TO_THREE, required=True),
    _i("BZA015", 6, required=True),
    _n("BZA013", required=True),
    _s("BZH002", 2000, required=True),
    _s("BZH003", 2000, required=True),
    _s("AAE004", 50, required=True),
    _s("AAE005", 20, required=True),
    _d14("AAE036", required=True),
    LONG_TEXT,
)

MEDIATOR = (
    _s("BZM001", 40, required=True),
    _s("BZM002", 50, required=True),
    _s("BZA002", 32, required=True),
    _c("AAC004", t.SEX),
    _s("AAE005", 20),
    _c("AAC058", t.ID_TYPE),
    _s("AAC147", 30),
    _c("BZM003", t.FLAG),
    LONG_TEXT,
)

_TASK_KEYS = (_s("BZJ001", 40, required=True), _s("BZA002", 32, required=True))

REFERRAL_ANSWER = (
    *_TASK_KEYS,
    _c("BZJ004", t.ONE_TWO, required=True),
    _s("AAE013"),
    _d14("AAE036", required=True),
    LONG_TEXT,
)

REFERRAL_RESULT = (
    *_TASK_KEYS,
    _c("BZJ005", t.ONE_TO_THREE, required=True),
    _c("BZS005", t.END_REASON),
    _s("BZD001", 60),
    _s("BZJ006", 2000, required=True),
    _d14("AAE036", required=True),
    LONG_TEXT,
)

PROBE = (_c("BZR002", frozenset({"PING"}), required=True),)

QUERY = (_s("BZR007", required=True), _s("BZR008", required=True))

UPLOAD = (
    Field("BZF002", Form.DIGEST, 64, required=True),
    _c("BZF003", t.MEDIA_TYPE, required=True),
    _i("BZF004", required=True),
    _s("BZF006", required=True),
)

DOWNLOAD = (_file("BZF001", required=True),)

#: serviceid → fields of its plaintext.
SERVICES: dict[str, tuple[Field, ...]] = {
    "TJ0001": PROBE,
    "TJ1001": CASE,
    "TJ1002": CASE,
    "TJ1003": PROGRESS,
    "TJ1004": AGREEMENT,
    "TJ1005": PERFORMANCE,
    "TJ1006": STATUS,
    "TJ2001": CONFIRMATION,
    "TJ2002": SUPPLEMENT,
    "TJ2003": WITHDRAWAL,
    "TJ3001": TRANSFER,
    "TJ3002": ALERT,
    "TJ4001": MEDIATOR,
    "TJ5001": REFERRAL_ANSWER,
    "TJ5002": REFERRAL_RESULT,
    "TJ9001": QUERY,
    "TJ9002": UPLOAD,
    "TJ9003": DOWNLOAD,
}
#: Services that store something and are idempotent by serialno.
WRITING = frozenset(SERVICES) - {"TJ0001", "TJ9001", "TJ9003"}
