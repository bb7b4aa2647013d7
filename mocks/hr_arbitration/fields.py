"""Strict check of a plaintext against the field tables (hr_arbitration page §4, §8.1, §8.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mocks.hr_arbitration import tables
from mocks.hr_arbitration.layout import LONG_TEXT, PARTIES, PERSON, SERVICES, UNIT, Field, Form
from mocks.numbers import is_credit_code, is_resident_id

Json = dict[str, Any]

_MONEY = re.compile(r"(0|[1-9][0-9]{0,13})\.[0-9]{2}")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_REGION = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
_DAY = re.compile(r"[0-9]{8}")
_MOMENT = re.compile(r"[0-9]{14}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_ROWS = 20
_LONG_LIMIT = 2000

REQUIRED = "4001"
WRONG = "4002"
TOO_LONG = "4003"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a refusal: code of §3, field code, place such as ``BZP000[1]`` (rows count from 0), text."""

    code: str
    field: str
    place: str
    text: str

    def row(self) -> Json:
        """The row of ``BZR003``; an empty place is left out."""
        place = {"BZR005": self.place} if self.place else {}
        return {"BZR004": self.field, **place, "BZR006": self.text}


def check(service: str, content: Mapping[str, Any]) -> tuple[list[Finding], Json]:
    """All findings of a plaintext, in the order of the tables, and the content with long texts joined."""
    checker = _Checker()
    joined = checker.object(SERVICES[service], dict(content), "")
    if not checker.findings:
        checker.conditions(service, joined)
    return checker.findings, joined


def join(content: Any) -> Any:
    """``content`` (already checked) with every ``BZX000`` put back onto its fields."""
    if isinstance(content, list):
        return [join(item) for item in content]
    if not isinstance(content, dict):
        return content
    result = {key: join(value) for key, value in content.items() if key != LONG_TEXT.code}
    for row in content.get(LONG_TEXT.code, []):
        result[row["BZX001"]] += row["BZX003"]
    return result


def split(content: Any, service: str = "TJ1001") -> Any:
    """``content`` with texts over their limit as ``BZX000`` rows: how the platform itself writes a case (ZC5001)."""
    return _split(SERVICES[service], content)


def _split(fields: tuple[Field, ...], content: Json) -> Json:
    result: Json = {}
    rows: list[Json] = []
    known = {field.code: field for field in fields}
    for code, value in content.items():
        field = known.get(code)
        if field is PARTIES:
            result[code] = [_split(PERSON if row["BZP003"] == tables.PERSON else UNIT, row) for row in value]
        elif field is not None and field.form is Form.ROWS:
            result[code] = [_split(field.rows, row) for row in value]
        elif field is not None and field.form is Form.TEXT and field.limit and len(value) > field.limit:
            result[code] = value[: field.limit]
            rest = value[field.limit :]
            rows += [
                {"BZX001": code, "BZX002": str(number), "BZX003": rest[start : start + _LONG_LIMIT]}
                for number, start in enumerate(range(0, len(rest), _LONG_LIMIT), 2)
            ]
        else:
            result[code] = value
    if rows:
        result[LONG_TEXT.code] = rows
    return result


def moment(text: str) -> datetime:
    """A D14 as naive Beijing time. Raises ``ValueError``."""
    if _MOMENT.fullmatch(text) is None:
        raise ValueError("not 14 digits")
    return datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - all times of the page are Beijing time


class _Checker:
    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def find(self, code: str, field: str, place: str, text: str) -> None:
        self.findings.append(Finding(code, field, place, text))

    # --- form

    def object(self, fields: tuple[Field, ...], content: Json, place: str) -> Json:
        joined: Json = {}
        known = {field.code for field in fields}
        for code in content:
            if code not in known:
                self.find(WRONG, code[:40], place, "字段未定义")
        for field in fields:
            if field is LONG_TEXT:
                continue
            if field.code in content:
                joined[field.code] = self.value(field, content[field.code], place)
            elif field.required:
                self.find(REQUIRED, field.code, place, "必填项缺失")
        if LONG_TEXT.code in content and LONG_TEXT in fields:
            self.long_text(fields, content, joined, place)
        return joined

    def value(self, field: Field, value: Any, place: str) -> Any:
        if field.form is Form.ROWS:
            return self.rows(field, value, place)
        if field.form is Form.LIST:
            return self.list(field, value, place)
        if not isinstance(value, str):
            self.find(WRONG, field.code, place, "值必须为字符串")
        elif not value:
            self.find(REQUIRED if field.required else WRONG, field.code, place, "值为空")
        else:
            self.text(field, value, place)
        return value

    def text(self, field: Field, value: str, place: str) -> None:
        match field.form:
            case Form.MONEY:
                sound = _MONEY.fullmatch(value) is not None
            case Form.WHOLE:
                sound = _WHOLE.fullmatch(value) is not None and (not field.limit or len(value) <= field.limit)
            case Form.DAY:
                sound = _DAY.fullmatch(value) is not None and _is_moment(value + "000000")
            case Form.MOMENT:
                sound = _is_moment(value)
            case Form.CODE:
                sound = value in field.codes
            case Form.REGION:
                sound = _REGION.fullmatch(value) is not None
            case Form.DIGEST:
                sound = _DIGEST.fullmatch(value) is not None
            case _:
                sound = _SURROGATE.search(value) is None
        if not sound:
            self.find(WRONG, field.code, place, "格式或代码值不正确")
        elif field.form in (Form.TEXT, Form.FILE) and field.limit and len(value) > field.limit:
            self.find(TOO_LONG, field.code, place, f"超过{field.limit}个字符")

    def list(self, field: Field, value: Any, place: str) -> Any:
        if not isinstance(value, list) or not value:
            self.find(WRONG if value else REQUIRED, field.code, place, "应为非空列表")
            return []
        for index, item in enumerate(value):
            where = f"{place}{'.' if place else ''}{field.code}[{index}]"
            if not isinstance(item, str) or not item:
                self.find(WRONG, field.code, where, "值必须为非空字符串")
            else:
                self.text(Field(field.code, Form.TEXT, field.limit), item, where)
        return value

    def rows(self, field: Field, value: Any, place: str) -> Any:
        if not isinstance(value, list):
            self.find(WRONG, field.code, place, "应为列表")
            return []
        if not value:
            self.find(REQUIRED if field.required else WRONG, field.code, place, "列表为空")
        joined = []
        for index, row in enumerate(value):
            where = f"{place}{'.' if place else ''}{field.code}[{index}]"
            if not isinstance(row, dict):
                self.find(WRONG, field.code, where, "应为对象")
            elif field is PARTIES:
                fields = PERSON if row.get("BZP003") == tables.PERSON else UNIT
                joined.append(self.object(fields, row, where))
            else:
                joined.append(self.object(field.rows, row, where))
        return joined

    def long_text(self, fields: tuple[Field, ...], content: Json, joined: Json, place: str) -> None:
        rows = content[LONG_TEXT.code]
        if not isinstance(rows, list) or not rows:
            self.find(WRONG, LONG_TEXT.code, place, "应为非空列表")
            return
        texts = {field.code: field for field in fields if field.form is Form.TEXT and field.limit}
        last: dict[str, int] = {}
        for index, row in enumerate(rows):
            where = f"{place}{'.' if place else ''}{LONG_TEXT.code}[{index}]"
            if not isinstance(row, dict) or set(row) != {"BZX001", "BZX002", "BZX003"}:
                self.find(WRONG, LONG_TEXT.code, where, "应含BZX001、BZX002、BZX003")
                continue
            code, number, text = row["BZX001"], row["BZX002"], row["BZX003"]
            if not (isinstance(code, str) and isinstance(number, str) and isinstance(text, str)):
                self.find(WRONG, LONG_TEXT.code, where, "值必须为字符串")
                continue
            field = texts.get(code)
            head = content.get(code)
            if field is None or not isinstance(head, str) or len(head) != field.limit:
                self.find(WRONG, "BZX001", where, "该字段不存在或未达长度上限")
                continue
            expected = last.get(code, 1) + 1
            last[code] = expected
            if number != str(expected):
                self.find(WRONG, "BZX002", where, "序号不连续")
            elif expected > _LONG_ROWS + 1:
                self.find(TOO_LONG, "BZX002", where, f"每个字段最多{_LONG_ROWS}行")
            elif not text:
                self.find(REQUIRED, "BZX003", where, "值为空")
            elif len(text) > _LONG_LIMIT:
                self.find(TOO_LONG, "BZX003", where, f"超过{_LONG_LIMIT}个字符")
            else:
                joined[code] += text

    # --- conditions between fields

    def conditions(self, service: str, content: Json) -> None:
        match service:
            case "TJ1001" | "TJ1002":
                self.case(content)
            case "TJ1003":
                if content["BZS001"] in tables.ENDED and "BZS005" not in content:
                    self.find(REQUIRED, "BZS005", "", "该状态须填写原因")
            case "TJ1006":
                if content["BZS001"] not in tables.STATUS_OF[content["BZS002"]]:
                    self.find(WRONG, "BZS001", "", "状态不属于该类别")
            case "TJ2001":
                classes = {row["BZF005"] for row in content.get("BZF000", [])}
                for needed in ("01", "05"):
                    if needed not in classes:
                        self.find(REQUIRED, "BZF000", "", f"缺少{needed}类材料")
                for index, party in enumerate(content["BZC011"]):
                    if _WHOLE.fullmatch(party) is None:
                        self.find(WRONG, "BZC011", f"BZC011[{index}]", "应为当事人序号")
            case "TJ3001":
                self.numbered(content)
            case "TJ4001":
                self.identity(content, "")
            case "TJ5001":
                if content["BZJ004"] == "2" and "AAE013" not in content:
                    self.find(REQUIRED, "AAE013", "", "退回须说明理由")
            case "TJ5002":
                if content["BZJ005"] == "1" and "BZD001" not in content:
                    self.find(REQUIRED, "BZD001", "", "达成协议须填写协议编号")

    def case(self, content: Json) -> None:
        if content["BZA014"] == "0":
            for code in ("BZA015", "BZA016", "BZA017"):
                if code in content:
                    self.find(WRONG, code, "", "非集体争议不应填写")
        self.numbered(content)
        parties = content["BZP000"]
        for index, row in enumerate(content.get("BZN000", [])):
            if "BZN001" in row and int(row["BZN001"]) >= len(parties):
                self.find(WRONG, "BZN001", f"BZN000[{index}]", "当事人序号不存在")
        for index, party in enumerate(parties):
            self.party(index, party)

    def party(self, index: int, party: Json) -> None:
        place = f"BZP000[{index}]"
        if party["BZP001"] != str(index):
            self.find(WRONG, "BZP001", place, "序号应从0起按顺序")
        if party["BZP003"] == tables.PERSON:
            self.identity(party, place)
            if party["AAC058"] == tables.RESIDENT_ID and "AAC161" not in party:
                self.find(REQUIRED, "AAC161", place, "居民身份证持有人应为CHN")
            elif party["AAC058"] != tables.RESIDENT_ID and "AAC161" in party:
                self.find(WRONG, "AAC161", place, "非居民身份证持有人不应填写")
        else:
            if not is_credit_code(party["AAB003"]):
                self.find(WRONG, "AAB003", place, "统一社会信用代码校验位不正确")
            if party["AAB019"] == tables.ENTERPRISE and "AAB020" not in party:
                self.find(REQUIRED, "AAB020", place, "企业须填写登记注册类型")
            elif party["AAB019"] != tables.ENTERPRISE and "AAB020" in party:
                self.find(WRONG, "AAB020", place, "非企业不应填写")
        for number, agent in enumerate(party.get("BZP100", [])):
            self.identity(agent, f"{place}.BZP100[{number}]")

    def identity(self, row: Json, place: str) -> None:
        if row.get("AAC058") == tables.RESIDENT_ID and "AAC147" in row and not is_resident_id(row["AAC147"]):
            self.find(WRONG, "AAC147", place, "身份证号码校验不通过")

    def numbered(self, content: Json) -> None:
        for index, row in enumerate(content.get("BZQ000", [])):
            if row.get("BZQ001", str(index + 1)) != str(index + 1):
                self.find(WRONG, "BZQ001", f"BZQ000[{index}]", "序号应从1起按顺序")


def _is_moment(text: str) -> bool:
    try:
        moment(text)
    except ValueError:
        return False
    return True
