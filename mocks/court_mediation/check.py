"""Checks a document against a field table (court_mediation §8.2): keys, lengths, forms, codes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mocks.court_mediation.fields import Field, Form, Table
from mocks.court_mediation.moments import read_date, read_time
from mocks.court_mediation.reading import Denied, Document, Finding, Node

_MONEY: Final = re.compile(r"(0|[1-9][0-9]{0,14})\.[0-9]{2}")
_YEAR: Final = re.compile(r"[0-9]{4}")
_DIGITS: Final = re.compile(r"[0-9]+")


@dataclass
class Findings:
    """What is wrong with a document: field errors (code 400) and values outside their code table (code 1001)."""

    fields: list[Finding] = field(default_factory=list)
    codes: list[Finding] = field(default_factory=list)

    def add(self, path: str, reason: str) -> None:
        """Note a field error."""
        self.fields.append(Finding(path, reason))

    def settle(self) -> None:
        """Raises Denied 400 with every finding, or 1001 where only code values are wrong."""
        if self.fields:
            raise Denied("400", "字段校验不通过<br>详见 errors", [*self.fields, *self.codes])
        if self.codes:
            raise Denied("1001", "代码值错误<br>" + "<br>".join(f"{item.path}：{item.reason}" for item in self.codes))


def text_of(document: Document, key: str) -> str:
    """The string under `key`, empty where it is absent ("" is read as absent, §3)."""
    value = document.get(key, "")
    return value if isinstance(value, str) else ""


def objects_of(document: Document, key: str) -> Iterator[tuple[str, Document]]:
    """The objects of the list under `key`, each with its path."""
    value = document.get(key)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield f"{key}[{index}]", item


def check(document: Document, table: Table, findings: Findings, path: str = "") -> None:
    """Note every breach of `table`; key paths are written as in §3 (`applicantPartyList[0].applicantName`)."""
    known = {item.key for item in table}
    for key in document:
        if key not in known:
            # The name is the sender's: it is bounded before it is sent back.
            findings.add(f"{path}{key[:64]}", "未知字段")
    for item in table:
        _check_key(document.get(item.key, ""), item, findings, f"{path}{item.key}")


def _check_key(value: Node, item: Field, findings: Findings, path: str) -> None:
    if value == "":
        if item.required:
            findings.add(path, "必填")
        return
    if item.form in (Form.TEXTS, Form.OBJECTS):
        _check_list(value, item, findings, path)
    elif not isinstance(value, str):
        findings.add(path, "应为字符串")
    else:
        _check_text(value, item, findings, path)


def _check_list(value: Node, item: Field, findings: Findings, path: str) -> None:
    if not isinstance(value, list):
        findings.add(path, "应为列表")
        return
    if len(value) < item.at_least:
        findings.add(path, "必填")
    for index, entry in enumerate(value):
        place = f"{path}[{index}]"
        if item.form is Form.TEXTS:
            if not isinstance(entry, str) or entry == "":
                findings.add(place, "应为字符串")
        elif not isinstance(entry, dict):
            findings.add(place, "应为对象")
        else:
            check(entry, item.of, findings, f"{place}.")


def _check_text(value: str, item: Field, findings: Findings, path: str) -> None:
    match item.form:
        case Form.MONEY if _MONEY.fullmatch(value) is None:
            findings.add(path, "金额应为两位小数")
        case Form.DATE if read_date(value) is None:
            findings.add(path, "日期应为 yyyyMMdd")
        case Form.TIME if read_time(value) is None:
            findings.add(path, "时间应为 yyyyMMdd HH:mm")
        case Form.YEAR if _YEAR.fullmatch(value) is None:
            findings.add(path, "年份应为 yyyy")
        case Form.DIGITS if _DIGITS.fullmatch(value) is None:
            findings.add(path, "应为整数")
        case Form.CODE if value not in item.codes:
            findings.codes.append(Finding(path, "代码值不在代码表内"))
        case _:
            pass
    if item.limit is not None and len(value) > item.limit:
        findings.add(path, f"超过 {item.limit} 字")
