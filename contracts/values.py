"""The kinds of values that documents are made of: texts, times, amounts, numbers of persons and units, regions, ids.

Each kind knows its JSON form, what refuses it, and how it is written back (the contract, §1).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from contracts.findings import Code
from contracts.identifiers import IdPrefix, credit_code_holds, id_pattern, normal_identity_number
from contracts.regions import REGION_PATTERN
from contracts.titled import Titled

LIST_LIMIT: Final = 1000

# ---------------------------------------------------------------------------------------------------------------- text

_CONTROL: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
TEXT_PATTERN: Final = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
"""At least one visible character, and no control character but tab and line ends."""

CONTROL_CHARACTER: Final = re.compile(rf"[{_CONTROL}]")


def _text(limit: int) -> StringConstraints:
    return StringConstraints(min_length=1, max_length=limit, pattern=TEXT_PATTERN)


CaseNo = Annotated[str, _text(40)]
CertificateNo = Annotated[str, _text(40)]
AgreementNo = Annotated[str, _text(50)]
OrganizationCode = Annotated[str, _text(32)]
Name = Annotated[str, _text(100)]
ShortText = Annotated[str, _text(500)]
LongText = Annotated[str, _text(20_000)]
"""Facts, texts and reports (事实, 请求, 报告)."""

# ------------------------------------------------------------------------------------------------------ ids and numbers

CaseId = Annotated[str, StringConstraints(pattern=id_pattern(IdPrefix.CASE))]
AgreementId = Annotated[str, StringConstraints(pattern=id_pattern(IdPrefix.AGREEMENT))]
ReferralId = Annotated[str, StringConstraints(pattern=id_pattern(IdPrefix.REFERRAL))]
AttachmentId = Annotated[str, StringConstraints(pattern=id_pattern(IdPrefix.ATTACHMENT))]

IdentityNumber = Annotated[str, _text(100), AfterValidator(normal_identity_number)]
"""Number of an identity document (证件号码), normalised; judged together with its kind by a rule."""


def _sound_credit_code(code: str) -> str:
    if not credit_code_holds(code):
        raise PydanticCustomError("credit_code_checksum", "check character")
    return code


CreditCode = Annotated[str, AfterValidator(_sound_credit_code)]
"""Unified social credit code (统一社会信用代码), GB 32100."""

PHONE_PATTERN: Final = r"^(?:1[3-9][0-9]{9}|0[1-9][0-9]{1,2}-?[1-9][0-9]{6,7}(?:-[0-9]{1,6})?|\+[1-9][0-9]{6,14})$"
Phone = Annotated[str, StringConstraints(pattern=PHONE_PATTERN)]
"""Mainland mobile, landline with area code (with or without extension), or E.164 (电话)."""


class InRegionTable:
    """Mark of a region code: the walk over a document looks it up and warns."""


RegionCode = Annotated[str, StringConstraints(pattern=REGION_PATTERN), InRegionTable()]
"""Region (行政区划代码): 6, 9 or 12 digits, GB/T 2260 and town codes."""

PARTY_INDEX_LIMIT: Final = LIST_LIMIT - 1
PartyIndex = Annotated[int, Field(ge=0, le=PARTY_INDEX_LIMIT)]
"""A party by its place in the case's ``parties``, from 0 (当事人序号)."""

Count = Annotated[int, Field(ge=1, le=999_999)]

# --------------------------------------------------------------------------------------------------------------- times

_DAY_PATTERN: Final = r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"
DATE_PATTERN: Final = rf"^{_DAY_PATTERN}$"
TIME_PATTERN: Final = (
    rf"^{_DAY_PATTERN}[Tt][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]{{1,9}})?(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})$"
)
"""RFC 3339, in the years 1900 to 2099: what a calendar, a database and every platform can hold."""

NAIVE_TIME: Final = re.compile(rf"{_DAY_PATTERN}(?:[Tt ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]+)?)?)?")
"""A time without offset, or a mere date where a time is meant."""


class _Moment:
    """A ``datetime`` or ``date`` that JSON writes in exactly one form; in Python only the type itself is taken."""

    def __init__(self, pattern: str, form: str, python: CoreSchema, text: CoreSchema) -> None:
        self._pattern = pattern
        self._form = form
        self._schema = core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([core_schema.str_schema(pattern=pattern, strict=True), text]),
            python_schema=python,
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self._schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": self._form, "pattern": self._pattern}


class Past:
    """Mark of a time or date that should be past: the walk over a document compares it with now."""


Time = Annotated[
    datetime,
    _Moment(
        TIME_PATTERN,
        "date-time",
        core_schema.datetime_schema(strict=True, tz_constraint="aware"),
        core_schema.datetime_schema(strict=False, tz_constraint="aware"),
    ),
]
"""An aware time; its offset is kept (时间)."""

Day = Annotated[
    date,
    _Moment(DATE_PATTERN, "date", core_schema.date_schema(strict=True), core_schema.date_schema(strict=False)),
]
"""A date, where only the day matters (日期)."""

PastTime = Annotated[Time, Past()]
PastDay = Annotated[Day, Past()]

# --------------------------------------------------------------------------------------------------------------- money

MONEY_PATTERN: Final = r"^(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,2})?$"
_MONEY: Final = re.compile(MONEY_PATTERN)
_LARGEST: Final = Decimal("9999999999999999.99")


def read_money(text: str) -> Decimal:
    """An amount in yuan from its text: digits, at most 16 of them before and 2 after the point; the result has 2
    decimals.

    Raises:
        ValueError: any other form.
    """
    if not _MONEY.fullmatch(text):
        raise ValueError("not an amount")
    yuan, _, cents = text.partition(".")
    return Decimal(f"{yuan}.{cents:0<2}")


def write_money(amount: Decimal) -> str:
    """The text of an amount, always with 2 decimals."""
    return f"{amount:.2f}"


def _money_in_python(value: object) -> Decimal:
    if not isinstance(value, Decimal) or not value.is_finite() or value.is_signed() or value > _LARGEST:
        raise PydanticCustomError("money_format", "not an amount")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -2:
        raise PydanticCustomError("money_format", "more than two decimals")
    return value


class _Amount:
    """JSON text ⇄ ``Decimal``. Numbers are refused: a binary fraction is no amount."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=MONEY_PATTERN, strict=True)
        return core_schema.custom_error_schema(
            core_schema.json_or_python_schema(
                json_schema=core_schema.no_info_after_validator_function(read_money, text),
                python_schema=core_schema.no_info_plain_validator_function(_money_in_python),
            ),
            custom_error_type="money_format",
            custom_error_message="not an amount",
            serialization=core_schema.plain_serializer_function_ser_schema(write_money, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": MONEY_PATTERN, "examples": ["18600.00"]}


Money = Annotated[Decimal, _Amount()]
"""An amount in yuan (金额, 元), not negative, at most 2 decimals."""


def _figure(value: object) -> int | Decimal:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, Decimal):
        return _money_in_python(value)
    if isinstance(value, str) and _MONEY.fullmatch(value):
        return read_money(value)
    raise PydanticCustomError("figure", "not a figure")


def _write_figure(value: int | Decimal) -> int | str:
    return write_money(value) if isinstance(value, Decimal) else value


class _Figure:
    """A count as a JSON number, or a sum of money as text."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(_write_figure, when_used="json")
        return core_schema.no_info_plain_validator_function(_figure, serialization=write)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": MONEY_PATTERN}]}


Figure = Annotated[int | Decimal, _Figure()]
"""A figure of a statistical report: a count (``int``) or an amount in yuan (``Decimal``)."""

# --------------------------------------------------------------------------------------------------------------- lists


class Only:
    """Narrows a closed list to some of its members: ``Annotated[CaseStatus, Only(…)]``."""

    def __init__(self, *members: Titled) -> None:
        self._members = list(members)

    def _narrowed(self, member: Titled) -> Titled:
        # The enum validator knows the members it was given, but falls back on the class, which knows all.
        if member not in self._members:
            raise PydanticKnownError("enum", {"expected": ", ".join(f"'{known}'" for known in self._members)})
        return member

    def __get_pydantic_core_schema__(self, source: type[Titled], handler: GetCoreSchemaHandler) -> CoreSchema:
        members = core_schema.enum_schema(source, self._members, sub_type="str")
        return core_schema.no_info_after_validator_function(self._narrowed, members)


# ------------------------------------------------------------------------------------- how a refusal becomes a finding

PATTERN_CODES: Final = {
    PHONE_PATTERN: Code.PHONE_FORMAT,
    REGION_PATTERN: Code.REGION_FORMAT,
    **{id_pattern(prefix): Code.ID_SHAPE for prefix in IdPrefix},
}
"""The code of a text that does not match its pattern; texts, times and dates are judged by what they hold instead."""
