"""JSON as bodies may hold it: RFC 8259 in UTF-8, and nothing that two readers could read in two ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NoReturn, TypeAlias

from contracts.findings import Code, Finding
from contracts.titled import Titled

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

DEPTH_LIMIT: Final = 64
SIZE_LIMIT: Final = 2 * 1024 * 1024
_NUMBER_LIMIT: Final = 100


class Flaw(Titled):
    """Why a body is not acceptable JSON."""

    SIZE = "size", "正文过大", "the body is too large"
    ENCODING = (
        "encoding",
        "不是 UTF-8 编码（GB18030、GBK 等须先转换）",
        "it is not UTF-8 (convert GB18030 or GBK first)",
    )
    MARK = (
        "mark",
        "以字节顺序标记（BOM）开头，应为不带 BOM 的 UTF-8",
        "it begins with a byte order mark (BOM); leave it out",
    )
    SYNTAX = "syntax", "语法错误", "a syntax error"
    DEPTH = "depth", "嵌套超过 64 层", "it is more than 64 levels deep"
    DUPLICATE_KEY = "duplicate_key", "对象中有重复的键名", "an object has the same key twice"
    CONSTANT = "constant", "含有 NaN 或 Infinity", "NaN or Infinity is no JSON"
    SURROGATE = "surrogate", "含有孤立的代理字符", "a lone surrogate"
    NUMBER = "number", "数字过长", "a number is too long"


class NotJson(Exception):
    """The body is not acceptable JSON (400 ``json_invalid``).

    ``flaw`` says why, ``offset`` is the byte where it was seen, ``line`` and ``column`` count from 1 (column in
    characters). Nothing of the body is kept, neither here nor in a chained exception. ``Flaw.SIZE`` is 413 where HTTP
    answers.
    """

    def __init__(self, flaw: Flaw, offset: int = 0, line: int = 1, column: int = 1) -> None:
        super().__init__(f"json_invalid: {flaw.en} (line {line}, column {column})")
        self.flaw = flaw
        self.offset = offset
        self.line = line
        self.column = column

    @property
    def finding(self) -> Finding:
        """The same as a finding about the whole document."""
        return Finding.of("", Code.JSON_INVALID, reason=self.flaw, line=self.line, column=self.column)


class _Doubled(Exception):
    """An object with the same key twice; where, the slow pass will tell."""


class _Constant(Exception):
    """NaN or Infinity outside a string."""


class _LongNumber(Exception):
    """A number of more characters than any use has."""


def parse(raw: bytes, *, limit: int = SIZE_LIMIT) -> Json:
    """The value of a body.

    Raises:
        NotJson: larger than ``limit`` bytes, not UTF-8, not JSON, deeper than 64 levels (checked without recursion),
            a key twice in one object, NaN or Infinity, a lone surrogate, a number of more than 100 characters.
    """
    if len(raw) > limit:
        raise NotJson(Flaw.SIZE)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        start = error.start
    else:
        return _parse_text(text)
    # Raised here and not where it was seen, so that the exception does not drag the body along as its context.
    sound = raw[:start].decode("utf-8")
    raise _not_json(sound, Flaw.ENCODING, len(sound))


def _parse_text(text: str) -> Json:
    if text.count("[") + text.count("{") > DEPTH_LIMIT:
        _check_depth(text)
    if "\\u" in text:
        _check_surrogates(text)
    try:
        return _DECODER.decode(text)  # type: ignore[no-any-return]  # what a JSON decoder returns is JSON
    except json.JSONDecodeError as error:
        flaw, position = Flaw.MARK if text.startswith("\ufeff") else Flaw.SYNTAX, error.pos
    except _Doubled:
        flaw, position = Flaw.DUPLICATE_KEY, _where_doubled(text)
    except _Constant:
        flaw, position = Flaw.CONSTANT, _where(text, _CONSTANT_TOKEN)
    except _LongNumber:
        flaw, position = Flaw.NUMBER, _where(text, _LONG_NUMBER_TOKEN)
    raise _not_json(text, flaw, position)


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Doubled
    return members


def _constant(_: str) -> NoReturn:
    raise _Constant


def _whole(digits: str) -> int:
    if len(digits) > _NUMBER_LIMIT:
        raise _LongNumber
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > _NUMBER_LIMIT:
        raise _LongNumber
    return float(digits)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_constant, parse_int=_whole, parse_float=_fraction
)

# ------------------------------------------------------------------------------------- where: only for refused bodies

_STRING_FORM: Final = r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)'
"""A string, or what begins as one and never ends: a match always succeeds, so hostile quotes cost one pass, not one
each."""

_TOKEN: Final = re.compile(_STRING_FORM + r'|[^"\[\]{}:,\s]++|[\[\]{}:,]', re.DOTALL)
_STRING: Final = re.compile(_STRING_FORM, re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|.)", re.DOTALL)
_CONSTANT_TOKEN: Final = re.compile(r"-?(?:NaN|Infinity)")
_LONG_NUMBER_TOKEN: Final = re.compile(rf"[-+0-9.eE]{{{_NUMBER_LIMIT + 1},}}")
_HIGH: Final = range(0xD800, 0xDC00)
_LOW: Final = range(0xDC00, 0xE000)


def _not_json(text: str, flaw: Flaw, position: int) -> NotJson:
    """The refusal for the character at ``position``."""
    before = text[:position]
    column = position - (before.rfind("\n") + 1) + 1
    return NotJson(flaw, len(before.encode("utf-8")), before.count("\n") + 1, column)


def _check_depth(text: str) -> None:
    """Raise where the 65th level opens. Strings are blanked first, so that brackets in them do not count."""
    if max(_depths(_STRING.sub('""', text)), default=0) <= DEPTH_LIMIT:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > DEPTH_LIMIT:
            raise _not_json(text, Flaw.DEPTH, token.start())


def _depths(skeleton: str) -> Iterator[int]:
    return accumulate(1 if bracket in "[{" else -1 for bracket in re.findall(r"[\[\]{}]", skeleton))


def _check_surrogates(text: str) -> None:
    """Raise at the first escape of half a surrogate pair whose other half does not follow or precede."""
    for string in _STRING.finditer(text):
        if "\\u" not in string[0]:
            continue
        open_high: int | None = None
        open_end = -1
        for escape in _ESCAPE.finditer(string[0]):
            unit = int(escape[1], 16) if escape[1] else None
            at = string.start() + escape.start()
            if open_high is not None:
                if unit in _LOW and escape.start() == open_end:
                    open_high = None
                    continue
                raise _not_json(text, Flaw.SURROGATE, open_high)
            if unit in _LOW:
                raise _not_json(text, Flaw.SURROGATE, at)
            if unit in _HIGH:
                open_high, open_end = at, escape.end()
        if open_high is not None:
            raise _not_json(text, Flaw.SURROGATE, open_high)


def _where(text: str, wanted: re.Pattern[str]) -> int:
    return next((token.start() for token in _TOKEN.finditer(text) if wanted.fullmatch(token[0])), 0)


def _where_doubled(text: str) -> int:
    """The second of the first pair of equal keys in one object."""
    open_objects: list[set[str] | None] = []
    pending: tuple[int, str] | None = None
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in ("{", "["):
            open_objects.append(set() if mark == "{" else None)
        elif mark in ("}", "]"):
            open_objects.pop()
        elif mark == ":" and pending is not None:
            keys = open_objects[-1] if open_objects else None
            if keys is not None:
                if pending[1] in keys:
                    return pending[0]
                keys.add(pending[1])
        pending = (token.start(), json.loads(mark)) if mark.startswith('"') else None
    return 0
