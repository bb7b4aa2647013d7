"""Field tables of the union's services, as data (union page §4); lengths are bytes in GB18030."""

from dataclasses import dataclass
from enum import StrEnum

from mocks.union import codes


class Form(StrEnum):
    """How a value must look."""

    TEXT = "text"
    CODE = "code"
    MONEY = "fen"  # 分, an integer of at most 17 digits
    COUNT = "count"
    TIME = "yyyyMMddHHmmss"
    DATE = "yyyyMMdd"
    MASK = "masked number"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name on the wire, form, greatest length in bytes (0 = by its form), codes, whether required."""

    name: str
    form: Form
    required: bool = False
    limit: int = 0
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rows:
    """A list ``<name>.<m>.<field>`` with m from 1.

    Each row takes the first shape whose marking field (the key) it holds; ``""`` marks a shape that needs no marking.
    """

    name: str
    shapes: tuple[tuple[str, tuple[Field, ...]], ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """One service: the fields of an item beside the common ones, and its lists."""

    fields: tuple[Field, ...]
    rows: tuple[Rows, ...] = ()


def _text(name: str, limit: int, *, required: bool = False) -> Field:
    return Field(name, Form.TEXT, required, limit)


def _code(name: str, values: frozenset[str], *, required: bool = False) -> Field:
    return Field(name, Form.CODE, required, codes=values)


COMMON = (_text("xlh", 40, required=True), _text("jgdm", 32, required=True), _text("jgmc", 100))
"""Fields of every item (§4): 序列号, 机构代码, 机构名称."""

PERSON = (
    _text("xm", 60, required=True),
    _code("zjlx", codes.ID_TYPE, required=True),
    Field("zjhm", Form.MASK, required=True, limit=30),
    _code("xb", codes.SEX),
    _text("dh", 20, required=True),
    _text("gz", 60),
    _text("dzqh", 12, required=True),
)
EMPLOYER = (
    _text("mc", 200, required=True),
    _text("xydm", 18),
    _text("dwlx", 60),
    _text("fr", 60),
    _text("lxr", 60),
    _text("dh", 20),
    _text("dzqh", 12, required=True),
    _text("dz", 400),
    _code("gm", codes.SIZE),
)
AGENT = (
    _text("xm", 60, required=True),
    Field("dsr", Form.COUNT),
    Field("zjhm", Form.MASK, limit=30),
    _text("dh", 20),
    _code("dlx", codes.AGENT),
)
CLAIM = (
    _code("lx", codes.CLAIM, required=True),
    _text("nr", 300, required=True),
    Field("je", Form.MONEY),
)
TERM = (
    Field("xh", Form.COUNT, required=True),
    _text("nr", 600, required=True),
    Field("je", Form.MONEY),
    Field("rq", Form.DATE),
)

_PARTY = (("mc", EMPLOYER), ("", PERSON))

NOTICE = Layout(
    fields=(
        _text("ajbh", 60, required=True),
        _code("zzlx", codes.ORGANIZATION_TYPE, required=True),
        _text("qh", 12, required=True),
        _code("ly", codes.CHANNEL, required=True),
        Field("sqsj", Form.TIME, required=True),
        Field("slsj", Form.TIME),
        _code("lb", codes.CAUSE_CLASS, required=True),
        _text("ay", 200, required=True),
        _text("jq", 1000, required=True),
        Field("je", Form.MONEY, required=True),
        Field("rs", Form.COUNT, required=True),
        _code("zd", codes.FLAG),
        _text("dbr", 200),
        _text("tjy", 60),
        _text("yjbh", 40),
    ),
    rows=(
        Rows("qq", (("", CLAIM),), required=True),
        Rows("sqr", _PARTY),
        Rows("bsqr", _PARTY),
        Rows("dsr", _PARTY),
        Rows("dlr", (("", AGENT),)),
    ),
)
"""案件通报 and 变更, with the parties' rows."""

LAYOUTS: dict[str, Layout] = {
    "case.notice": NOTICE,
    "case.change": NOTICE,
    "progress": Layout(
        fields=(
            _text("ajbh", 60, required=True),
            _code("zt", codes.CASE_STATUS | codes.FULFILMENT, required=True),
            Field("sj", Form.TIME, required=True),
            _code("yy", codes.END_REASON),
            _text("sm", 1000),
            Field("kssj", Form.TIME),
            Field("jssj", Form.TIME),
            Field("je", Form.MONEY),
            _text("xybh", 100),
        ),
    ),
    "agreement.notice": Layout(
        fields=(
            _text("ajbh", 60, required=True),
            _text("xybh", 100, required=True),
            _code("jg", codes.SETTLED, required=True),
            _text("nr", 1000, required=True),
            Field("sxsj", Form.TIME, required=True),
        ),
        rows=(Rows("tk", (("", TERM),), required=True),),
    ),
    "alert": Layout(
        fields=(
            _text("ajbh", 60, required=True),
            _code("dj", codes.ALERT_LEVEL, required=True),
            Field("rs", Form.COUNT, required=True),
            Field("je", Form.MONEY, required=True),
            _text("qk", 1000, required=True),
            _text("cs", 1000, required=True),
            _text("lxr", 60, required=True),
            _text("dh", 20, required=True),
            Field("sj", Form.TIME, required=True),
        ),
    ),
    "support": Layout(
        fields=(
            _text("ajbh", 60, required=True),
            _text("sqbh", 40, required=True),
            _code("yy", codes.SUPPORT_REASON, required=True),
            _text("jq", 1000, required=True),
            Field("je", Form.MONEY, required=True),
        ),
        rows=(Rows("sqr", _PARTY, required=True), Rows("qq", (("", CLAIM),))),
    ),
    "referral.answer": Layout(
        fields=(
            _text("yjbh", 40, required=True),
            _code("df", codes.ANSWER, required=True),
            _text("yy", 300),
        ),
    ),
    "referral.result": Layout(
        fields=(
            _text("yjbh", 40, required=True),
            _code("jg", codes.OUTCOME, required=True),
            _code("yyd", codes.END_REASON),
            _text("bg", 1000, required=True),
            _text("xybh", 100),
        ),
    ),
}
"""The services of §4 by ``method``."""
