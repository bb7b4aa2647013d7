"""What can be wrong with a document: the closed list of codes, with their texts in Chinese and English.

A finding never holds an input value. Its pointer says where (the name of an unknown field stands there alone), its code
what, and its parameters only what is ours to say: limits, allowed values, dates, articles.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from contracts.titled import Titled

Param = str | int | tuple[str, ...]


class Severity(StrEnum):
    """An error refuses the document; a warning travels back with the acceptance."""

    ERROR = "error"
    WARNING = "warning"


class Language(StrEnum):
    """The two languages of every text."""

    ZH = "zh"
    EN = "en"


class Expected(Titled):
    """What a value should have been (``wrong_type``)."""

    TEXT = "text", "文本", "text"
    NUMBER = "number", "整数", "a whole number"
    COUNT = "count", "规定范围内的正整数", "a whole number from 1 within its limit"
    BOOLEAN = "boolean", "true 或 false", "true or false"
    OBJECT = "object", "对象", "an object"
    LIST = "list", "数组", "a list"
    TIME = "time", "带时区偏移的 RFC 3339 时间（1900 至 2099 年）", "an RFC 3339 time with offset, 1900 to 2099"
    DATE = "date", "日历上存在的日期 YYYY-MM-DD（1900 至 2099 年）", "a date of the calendar, YYYY-MM-DD, 1900 to 2099"
    ARTICLE = "article", "写明第几条的法条引用", "a citation with its article's number"
    VALUE = (
        "value",
        "非 null 的值；没有内容的选填字段应省略",
        "a value other than null; leave an optional field out",
    )
    ENDPOINT = "endpoint", "平台（端点）名称", "an endpoint's name"
    ORGANIZATION = "organization", "调解组织代码，1 至 32 个字符", "an organisation's code, 1 to 32 characters"
    PERSON = "person", "1 至 100 个可见字符的姓名或者账号", "a name or account of 1 to 100 printable characters"
    QUARTER = "quarter", "季度，如 2026Q3", "a quarter, such as 2026Q3"
    POINTER = (
        "pointer",
        "以 / 开头的 JSON 指针，至多 300 个字符",
        "a JSON pointer that begins with /, at most 300 characters",
    )
    WORDS = (
        "words",
        "1 至 200 个可见字符的文本，或者其数组",
        "a text of 1 to 200 printable characters, or a list of them",
    )
    IDS = "ids", "编号的数组", "a list of ids"
    FIGURE = "figure", "非负整数或金额文本", "a whole number from 0 or an amount as text"


class Measure(Titled):
    """What a limit counts (``too_long``)."""

    CHARACTERS = "characters", "个字符", "characters"
    ITEMS = "items", "项", "items"
    VALUES = "values", "个值（整个文档）", "values in the whole document"


class Signer(Titled):
    """Whose signature or seal is missing (``signature_missing``)."""

    PARTY = "party", "当事人", "party"
    REPRESENTATIVE = "representative", "当事人代表", "representative"
    MEDIATOR = "mediator", "调解员", "mediator"
    ORGANIZATION_SEAL = "organization_seal", "调解组织印章", "seal of the organisation"


class Code(StrEnum):
    """The codes of findings. Sources: the contract, §1; ``region_unknown`` and ``region_abolished`` name its
    warnings, ``number_repeated`` two terms of one number."""

    JSON_INVALID = "json_invalid"
    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    WRONG_TYPE = "wrong_type"
    NOT_IN_LIST = "not_in_list"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    ID_SHAPE = "id_shape"
    NAIVE_TIME = "naive_time"
    TIME_IN_FUTURE = "time_in_future"
    TIME_ORDER = "time_order"
    MONEY_FORMAT = "money_format"
    RESIDENT_ID_CHECKSUM = "resident_id_checksum"
    RESIDENT_ID_DATE = "resident_id_date"
    CREDIT_CODE_CHECKSUM = "credit_code_checksum"
    ID_FORMAT = "id_format"
    IDENTITY_NUMBER_MISMATCH = "identity_number_mismatch"
    REGION_FORMAT = "region_format"
    REGION_UNKNOWN = "region_unknown"
    REGION_ABOLISHED = "region_abolished"
    PHONE_FORMAT = "phone_format"
    CAUSE_UNKNOWN = "cause_unknown"
    SIDE_MISSING = "side_missing"
    COLLECTIVE_REQUIRED = "collective_required"
    PARTY_INDEX = "party_index"
    SIGNATURE_MISSING = "signature_missing"
    VAGUE_TERM = "vague_term"
    NUMBER_REPEATED = "number_repeated"
    AGREEMENT_NOT_EFFECTIVE = "agreement_not_effective"
    DEADLINE_PASSED = "deadline_passed"
    ONE_SIDE_ONLY = "one_side_only"
    CONFIRMATION_ACTIVE = "confirmation_active"
    LABOUR_RELATION = "labour_relation"
    PAPER_MISSING = "paper_missing"
    ILLEGAL_TRANSITION = "illegal_transition"
    CASE_CLOSED = "case_closed"
    ALREADY_DELIVERED = "already_delivered"
    VERSION_STALE = "version_stale"
    ATTACHMENT_UNKNOWN = "attachment_unknown"
    ORGANIZATION_UNKNOWN = "organization_unknown"
    ORGANIZATION_FOREIGN = "organization_foreign"
    REFERRAL_CLOSED = "referral_closed"
    REFERRAL_NOT_ACCEPTED = "referral_not_accepted"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one code in one language. ``message`` has the code's parameters as ``{name}``."""

    title: str
    message: str
    cause: str
    cure: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What the table says of one code."""

    severity: Severity
    params: frozenset[str]
    zh: Texts
    en: Texts

    def texts(self, language: Language) -> Texts:
        """The texts in one language."""
        return self.zh if language is Language.ZH else self.en


@cache
def register() -> Mapping[Code, Entry]:
    """The whole table, read once from ``codes/findings.toml``."""
    table = tomllib.loads((files("contracts") / "codes" / "findings.toml").read_text(encoding="utf-8"))
    return {
        Code(name): Entry(
            severity=Severity(row["severity"]),
            params=frozenset(row.get("params", ())),
            zh=Texts(**row["zh"]),
            en=Texts(**row["en"]),
        )
        for name, row in table.items()
    }


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth a warning, in a document.

    ``pointer`` is a JSON pointer (RFC 6901) into the document, ``""`` for the whole of it. ``params`` fill the places
    of the code's message. Made by :meth:`of`, which knows the severity and checks the parameters.
    """

    pointer: str
    code: Code
    severity: Severity
    params: Mapping[str, Param] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, pointer: str, code: Code, **params: Param) -> Finding:
        """A finding of that code at that place.

        Raises:
            ValueError: the parameters are not those of the code's message.
        """
        entry = register()[code]
        if entry.params != params.keys():
            raise ValueError(f"{code} takes the parameters {sorted(entry.params)}")
        return cls(pointer, code, entry.severity, params)

    @property
    def is_error(self) -> bool:
        """Whether it refuses the document."""
        return self.severity is Severity.ERROR

    def message(self, language: Language) -> str:
        """The sentence for people, with its parameters filled in."""
        shown = {name: _shown(value, language) for name, value in self.params.items()}
        return register()[self.code].texts(language).message.format_map(shown)

    def as_error(self) -> dict[str, str]:
        """The entry of ``errors`` in a problem answer, or of ``warnings`` in an acceptance: what is wrong, and what to do."""
        entry = register()[self.code]
        return {
            "pointer": self.pointer,
            "code": str(self.code),
            "message": self.message(Language.EN),
            "message_zh": self.message(Language.ZH),
            "cure": entry.en.cure,
            "cure_zh": entry.zh.cure,
        }


MOST_NAMED: Final = 16
"""Values of a list that a sentence names: as many as the longest closed list of the documents has."""


def named_few(values: Sequence[object]) -> tuple[str, ...]:
    """The values as far as a sentence names them; ``…`` stands for the rest."""
    shown = tuple(map(str, values[:MOST_NAMED]))
    return shown if len(values) <= MOST_NAMED else (*shown, "…")


_BETWEEN: Final = {Language.ZH: "、", Language.EN: ", "}
_NOTHING: Final = {Language.ZH: "无", Language.EN: "none"}


def _shown(value: Param, language: Language) -> str:
    if isinstance(value, tuple):
        return _BETWEEN[language].join(named_few(value)) or _NOTHING[language]
    if isinstance(value, Titled):
        return value.zh if language is Language.ZH else value.en
    return str(value)
