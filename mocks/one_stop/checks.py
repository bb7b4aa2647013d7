"""Strict checks of the items of a request (page §8.2, §8.3): forms, codes, check characters, silent cut and 续页."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from mocks import numbers
from mocks.one_stop import tables
from mocks.one_stop.refusal import BusinessRefusal
from mocks.one_stop.schema import HEADER, HEADER_ITEMS, PAGES, Form, Item, Items, Operation, Row, Rows
from mocks.one_stop.units import cut, units

_MONEY = re.compile(r"(?:0|[1-9][0-9]{0,11})\.[0-9]{6}", re.ASCII)
_MESSAGE_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_REGION = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)


def check_header(header: Row) -> None:
    """Check the items of the 报文头. Raises :class:`BusinessRefusal` (E1xx) with ``报文头/<item>``."""
    for item in HEADER_ITEMS:
        _check(item, header.get(item.name), f"{HEADER}/{item.name}")


def check_items(operation: Operation, items: Items, pages: list[Row], *, page_units: int, most_pages: int) -> Items:
    """The items as the ledger keeps them: 续页 joined, other text over its limit cut silently.

    Raises :class:`BusinessRefusal` (E1xx) for the first wrong item in the order of the page.
    """
    joined = _Pages(pages, page_units, most_pages)
    kept: Items = {}
    for entry in operation.items:
        if isinstance(entry, Item):
            value = items.get(entry.name)
            text = value if isinstance(value, str) else None
            _keep(kept, entry, text, entry.name, joined)
            continue
        rows = items.get(entry.name)
        if not isinstance(rows, list) or not rows:
            if entry.required:
                raise BusinessRefusal("E101", entry.name)
            continue
        kept[entry.name] = [
            _row(entry, row, f"{entry.row}[{number}]", joined) for number, row in enumerate(rows, start=1)
        ]
    joined.all_used()
    _check_rules(operation.name, kept)
    return kept


def _row(rows: Rows, row: Row, path: str, joined: _Pages) -> Row:
    kept: Items = {}
    for item in rows.items:
        _keep(kept, item, row.get(item.name), f"{path}/{item.name}", joined)
    return {name: text for name, text in kept.items() if isinstance(text, str)}


def _keep(kept: Items, item: Item, text: str | None, path: str, joined: _Pages) -> None:
    _check(item, text, path)
    if text is None:
        return
    kept[item.name] = joined.whole(item, text, path) if item.form is Form.TEXT else text


def _check(item: Item, text: str | None, path: str) -> None:
    if text is None:
        if item.required:
            raise BusinessRefusal("E101", path)
        return
    if not _fits(item, text):
        raise BusinessRefusal("E104", path)
    match item.form:
        case Form.CODE:
            if text not in item.codes:
                raise BusinessRefusal("E102", path)
        case Form.CREDIT_CODE:
            if not numbers.is_credit_code(text):
                raise BusinessRefusal("E105", path)
        case _:
            if not _well_formed(item.form, text):
                raise BusinessRefusal("E103", path)


def _fits(item: Item, text: str) -> bool:
    if item.form in (Form.TEXT, Form.CODE) or item.limit == 0:
        return True
    return units(text) <= item.limit


def _well_formed(form: Form, text: str) -> bool:
    match form:
        case Form.MESSAGE_ID:
            return _MESSAGE_ID.fullmatch(text) is not None
        case Form.DATE:
            return _DATE.fullmatch(text) is not None and _real(text, "%Y-%m-%d")
        case Form.TIME:
            return _TIME.fullmatch(text) is not None and _real(text, "%Y-%m-%d %H:%M:%S")
        case Form.MONEY:
            return _MONEY.fullmatch(text) is not None
        case Form.NUMBER:
            return _DIGITS.fullmatch(text) is not None
        case Form.REFERENCE:
            return len(text) == 20 and _DIGITS.fullmatch(text) is not None
        case Form.REGION:
            return _REGION.fullmatch(text) is not None
        case _:
            return True


def _real(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 -- a Beijing wall-clock text: only its form is of interest
    except ValueError:
        return False
    return True


class _Pages:
    """The 续页 of a request by 项名."""

    def __init__(self, rows: list[Row], page_units: int, most_pages: int) -> None:
        self._page_units = page_units
        self._most_pages = most_pages
        self._by_item: dict[str, list[Row]] = {}
        for number, row in enumerate(rows, start=1):
            name = row.get("项名")
            if name is None or any(row.get(key) is None for key in ("页号", "页数", "内容")):
                raise BusinessRefusal("E101", f"续页[{number}]")
            self._by_item.setdefault(name, []).append(row)

    def whole(self, item: Item, first: str, path: str) -> str:
        """``first`` joined with its 续页, else cut to the limit. Raises :class:`BusinessRefusal` E106."""
        rows = self._by_item.pop(path, None)
        if rows is None:
            return cut(first, item.limit)
        by_number: dict[int, str] = {}
        for row in rows:
            number, count = _small(row["页号"]), _small(row["页数"])
            wrong = (
                number in by_number
                or count != len(rows) + 1
                or count > self._most_pages
                or not 2 <= number <= count
                or units(row["内容"]) > self._page_units
            )
            if wrong:
                raise BusinessRefusal("E106", path)
            by_number[number] = row["内容"]
        rest = "".join(by_number[number] for number in sorted(by_number))
        full = units(first) == item.limit or (units(first) == item.limit - 1 and rest[0] > "\uffff")
        if not full:
            raise BusinessRefusal("E106", path)
        return first + rest

    def all_used(self) -> None:
        """Raises :class:`BusinessRefusal` E106 for 续页 of an item that is absent, unknown or marked †."""
        if self._by_item:
            # The unknown name is the sender's own text, so the list is named instead.
            raise BusinessRefusal("E106", PAGES)


def _small(text: str) -> int:
    return int(text) if len(text) <= 2 and _DIGITS.fullmatch(text) else 0


def _check_rules(operation: str, items: Items) -> None:
    match operation:
        case "reportCase":
            _check_people(items)
        case "reportProgress":
            if items["状态"] not in tables.STATUS[str(items["进展类别"])]:
                raise BusinessRefusal("E107", "状态")
            if items["来源"] != tables.OURSELVES and "来源事件号" not in items:
                raise BusinessRefusal("E101", "来源事件号")
        case "answerAssign":
            if items["答复"] == "2" and "原因" not in items:
                raise BusinessRefusal("E101", "原因")


def _check_people(items: Items) -> None:
    for path, row in _rows(items, "主要当事人列表", "代理人列表"):
        if row.get("证件代码") == "111" and "号码" in row and not _resident_id(row["号码"]):
            raise BusinessRefusal("E105", f"{path}/号码")
    parties = sum(1 for _ in _rows(items, "主要当事人列表", "单位当事人列表"))
    for path, row in _rows(items, "代理人列表"):
        if int(row["代理当事人序号"]) >= parties:
            raise BusinessRefusal("E107", f"{path}/代理当事人序号")


def _rows(items: Items, *lists: str) -> Iterator[tuple[str, Row]]:
    for name in lists:
        rows = items.get(name)
        if isinstance(rows, list):
            for number, row in enumerate(rows, start=1):
                yield f"{name.removesuffix('列表')}[{number}]", row


def _resident_id(number: str) -> bool:
    if re.fullmatch(r"[0-9]{17}[0-9X]", number, re.ASCII) is None:
        return False
    return numbers.resident_id_check(number[:17]) == number[17]
