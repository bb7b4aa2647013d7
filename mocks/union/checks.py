"""What the union finds wrong with one item, by itself and without the ledger (union page §4 to §8)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from mocks.union import privacy
from mocks.union.layout import COMMON, LAYOUTS, Field, Form, Rows

_MONEY = re.compile(r"0|[1-9][0-9]{0,16}")
_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")
_DIGITS = re.compile(r"[0-9]+")
_ROW = re.compile(r"([A-Za-z]+)\.([1-9][0-9]{0,3})\.([A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """A refusal code of §5 (``yy``), the path of the field inside the item, and the reason; never a value."""

    code: str
    path: str
    reason: str


def findings(method: str, fields: dict[str, str]) -> list[Finding]:
    """Everything wrong with an item: privacy (P1) first, then form (L3), required fields (L2), lengths (L1).

    ``fields`` are the item's own, without ``i<k>.`` and without the empty ones, which count as left out (§3).
    """
    layout = LAYOUTS[method]
    found = [Finding("P1", path, "未脱敏或不应提供的信息") for path in privacy.breaches(fields.items())]
    plain = {path: value for path, value in fields.items() if "." not in path}
    found += _shape("", (*COMMON, *layout.fields), plain)
    rows = {rows.name: rows for rows in layout.rows}
    grid: dict[str, dict[int, dict[str, str]]] = {}
    for path, value in fields.items():
        if "." not in path:
            continue
        match = _ROW.fullmatch(path)
        if match is None or match[1] not in rows:
            found.append(Finding("L3", path, "未知字段"))
        else:
            grid.setdefault(match[1], {}).setdefault(int(match[2]), {})[match[3]] = value
    for name, table in rows.items():
        found += _rows(table, grid.get(name, {}))
    found += _agents(grid)
    if method == "referral.answer" and fields.get("df") == "2" and "yy" not in fields:
        found.append(Finding("L2", "yy", "拒绝须说明理由"))
    breached = {finding.path for finding in found if finding.code == "P1"}
    kept = [finding for finding in found if finding.code == "P1" or finding.path not in breached]
    return sorted(kept, key=lambda finding: _RANK[finding.code])


_RANK = {"P1": 0, "L3": 1, "L2": 2, "L1": 3}


def _rows(table: Rows, rows: dict[int, dict[str, str]]) -> list[Finding]:
    found: list[Finding] = []
    if table.required and not rows:
        found.append(Finding("L2", table.name, "缺少必填列表"))
    if rows and sorted(rows) != list(range(1, len(rows) + 1)):
        found.append(Finding("L3", table.name, "行号不连续"))
    for number, row in sorted(rows.items()):
        shape = next(fields for marking, fields in table.shapes if not marking or marking in row)
        found += _shape(f"{table.name}.{number}.", shape, row)
    return found


def _agents(grid: dict[str, dict[int, dict[str, str]]]) -> list[Finding]:
    parties = sum(len(grid.get(name, {})) for name in ("sqr", "bsqr", "dsr"))
    return [
        Finding("L3", f"dlr.{number}.dsr", "当事人序号超出范围")
        for number, row in grid.get("dlr", {}).items()
        if _COUNT.fullmatch(row.get("dsr", "")) and int(row["dsr"]) >= parties
    ]


def _shape(prefix: str, shape: tuple[Field, ...], values: dict[str, str]) -> list[Finding]:
    known = {field.name for field in shape}
    found = [Finding("L3", prefix + name, "未知字段") for name in values if name not in known]
    for field in shape:
        value = values.get(field.name)
        if value is None:
            if field.required:
                found.append(Finding("L2", prefix + field.name, "缺少必填字段"))
            continue
        found += _value(prefix + field.name, field, value)
    return found


def _value(path: str, field: Field, value: str) -> list[Finding]:
    if not _formed(field, value):
        return [Finding("L3", path, f"格式或代码不符: {field.form}")]
    if field.limit and len(value.encode("gb18030")) > field.limit:
        return [Finding("L1", path, f"超过{field.limit}字节")]
    return []


def _formed(field: Field, value: str) -> bool:
    match field.form:
        case Form.CODE:
            return value in field.codes
        case Form.MONEY:
            return _MONEY.fullmatch(value) is not None
        case Form.COUNT:
            return _COUNT.fullmatch(value) is not None
        case Form.TIME:
            return is_time(value)
        case Form.DATE:
            return is_date(value)
        case Form.TEXT | Form.MASK:
            return not any(character != "\n" and unicodedata.category(character) == "Cc" for character in value)


def is_time(value: str) -> bool:
    """Whether the text is a real ``yyyyMMddHHmmss``."""
    return _moment(value, 14, "%Y%m%d%H%M%S")


def is_date(value: str) -> bool:
    """Whether the text is a real ``yyyyMMdd``."""
    return _moment(value, 8, "%Y%m%d")


def _moment(value: str, length: int, form: str) -> bool:
    # strptime takes single digits and blanks, therefore the length and the digits are looked at first.
    if len(value) != length or _DIGITS.fullmatch(value) is None:
        return False
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 - only the shape is judged, no instant is made
    except ValueError:
        return False
    return True
