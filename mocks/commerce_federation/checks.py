"""One row of ``TJ_OUT`` held against §1–§4 by itself: its columns, its ``NR``, its privacy; not what stands elsewhere."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from mocks.commerce_federation import digests, moments
from mocks.commerce_federation.digests import Row
from mocks.commerce_federation.findings import Wrong
from mocks.commerce_federation.settings import Settings
from mocks.commerce_federation.shape import SHAPES, check
from mocks.numbers import is_credit_code

#: (BIZ_TYPE, OPERATE_TYPE) → op.
OPERATIONS: Final = {
    ("01", 1): "case.submit",
    ("01", 2): "case.revise",
    ("01", 3): "case.delete",
    ("02", 1): "case.progress",
    ("03", 1): "agreement.submit",
    ("04", 1): "performance.submit",
}
ENDED: Final = "6"
_DELETE: Final = 3
PERSON: Final = "0"
EMPLOYER: Final = "1"
_PERSONS_NAME: Final = 50
_NUMBER_LIMIT: Final = 64

_OUT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BLANK = re.compile(r"[ \t\r\n]")
_RESIDENT = re.compile(r"[0-9]{6}\*{8}[0-9]{3}[0-9X]", re.ASCII)
_LONG = re.compile(r"[^*]{6}\*{8}[^*]{4}")
_SHORT = re.compile(r"[^*]{2}\*+[^*]{2}")
_RESIDENT_ID: Final = "1"
_CREDIT_CODE: Final = "7"
_ALL_STARS: Final = 4
_FULL: Final = 18


def operation(row: Mapping[str, Any]) -> str:
    """The ``op`` of a row; ``case.submit`` for a pair that the page does not have."""
    return OPERATIONS.get((row["BIZ_TYPE"], row["OPERATE_TYPE"]), "case.submit")


def check_nr(row: Row, settings: Settings) -> dict[str, Any]:
    """The object in ``NR``. Raises :class:`Wrong` for the first thing that is wrong."""
    values = _read(row["NR"], settings.nr_limit)
    if row["OPERATE_TYPE"] == _DELETE:
        if row["NR"] != "{}":
            raise Wrong("E12", min(values, default="NR"))
        if row["FILE_COUNT"]:
            raise Wrong("E14", "FILE_COUNT")
        return values
    _texts(values, "")
    check(values, SHAPES[row["BIZ_TYPE"]])
    if values["ah"] != row["CASE_KEY"].partition("#")[2]:
        raise Wrong("E14", "ah")
    if row["BIZ_TYPE"] == "01":
        _case(values)
    elif row["BIZ_TYPE"] == "02":
        _progress(values)
    elif row["BIZ_TYPE"] == "03":
        numbers = [term["xh"] for term in values["xy"]["xynr"]]
        for place, number in enumerate(numbers):
            if number in numbers[:place]:
                raise Wrong("E14", f"xy.xynr[{place}].xh")
    return values


def check_columns(row: Row, settings: Settings) -> None:
    """All columns but ``NR``. Raises :class:`Wrong` for the first thing that is wrong."""
    if _OUT_ID.fullmatch(row["OUT_ID"]) is None:
        raise Wrong("E14", "OUT_ID")
    if row["DIGEST"] != digests.of_out(row):
        raise Wrong("E20", "DIGEST")
    if (row["BIZ_TYPE"], row["OPERATE_TYPE"]) not in OPERATIONS:
        raise Wrong("E14", "OPERATE_TYPE")
    if row["SEQ_NO"] < 1:
        raise Wrong("E14", "SEQ_NO")
    if row["FILE_COUNT"] < 0:
        raise Wrong("E14", "FILE_COUNT")
    if moments.read(row["CREATED_AT"]) is None:
        raise Wrong("E14", "CREATED_AT")
    if row["ORG_CODE"] not in settings.organizations:
        raise Wrong("E30", "ORG_CODE")
    organization, mark, number = row["CASE_KEY"].partition("#")
    if not mark or organization != row["ORG_CODE"] or not number.strip():
        raise Wrong("E14", "CASE_KEY")
    if len(number) > _NUMBER_LIMIT:
        raise Wrong("E13", "CASE_KEY")


def _read(text: str, limit: int) -> dict[str, Any]:
    if len(text.encode("utf-8", "surrogatepass")) > limit:
        raise Wrong("E13", "NR")
    try:
        values = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Wrong("E10", "NR") from None
    if not isinstance(values, dict) or _BLANK.search(_STRING.sub("", text)):
        raise Wrong("E10", "NR")
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice")
    return values


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _texts(value: Any, path: str) -> None:
    match value:
        case str():
            if "\0" in value or not unicodedata.is_normalized("NFC", value) or _lone(value):
                raise Wrong("E14", path)
        case dict():
            for key, inner in value.items():
                _texts(inner, f"{path}.{key}" if path else key)
        case list():
            for place, inner in enumerate(value):
                _texts(inner, f"{path}[{place}]")


def _lone(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _case(values: dict[str, Any]) -> None:
    received = moments.read(values["djrq"])
    accepted = moments.read(values["slrq"]) if "slrq" in values else None
    if accepted is not None:
        if received is not None and accepted < received:
            raise Wrong("E14", "slrq")
        if "tjy" not in values:
            raise Wrong("E11", "tjy")
    roles = {party["ssdw"] for party in values["dsr"]}
    if not {"4", "5"} <= roles:
        raise Wrong("E11", "dsr")
    for place, party in enumerate(values["dsr"]):
        _party(party, f"dsr[{place}].")


def _party(party: dict[str, str], path: str) -> None:
    kind = party["dsrlx"]
    foreign: tuple[str, ...] = ("lxr", "fddbr") if kind == PERSON else ("xb", "nl")
    if kind not in (PERSON, EMPLOYER):
        foreign = (*foreign, "zjlx", "zjhm")
    for key in foreign:
        if key in party:
            raise Wrong("E12", path + key)
    if kind == PERSON and len(party["dsrxm"]) > _PERSONS_NAME:
        raise Wrong("E13", f"{path}dsrxm")
    pair = [key for key in ("zjlx", "zjhm") if key in party]
    if kind == PERSON or len(pair) == 1:
        for key in ("zjlx", "zjhm"):
            if key not in party:
                raise Wrong("E11", path + key)
    if not pair:
        return
    if (party["zjlx"] == _CREDIT_CODE) != (kind == EMPLOYER):
        raise Wrong("E15", f"{path}zjlx")
    if kind == EMPLOYER:
        if not is_credit_code(party["zjhm"]):
            raise Wrong("E17", f"{path}zjhm")
    elif not is_masked(party["zjhm"], party["zjlx"]):
        raise Wrong("E16", f"{path}zjhm")


def is_masked(number: str, kind: str) -> bool:
    """Whether an identity number has the mask of the page: 18 characters 6 + 8 stars + 4; else 2 + stars + 2; ≤ 4 all stars."""
    if len(number) <= _ALL_STARS:
        return set(number) == {"*"}
    if len(number) == _FULL:
        return (_RESIDENT if kind == _RESIDENT_ID else _LONG).fullmatch(number) is not None
    return _SHORT.fullmatch(number) is not None


def _progress(values: dict[str, Any]) -> None:
    if (values["zt"] == ENDED) != ("tjjg" in values):
        raise Wrong("E11" if values["zt"] == ENDED else "E12", "tjjg")
    if values.get("tjjg") == "0" and "jsyy" not in values:
        raise Wrong("E11", "jsyy")
