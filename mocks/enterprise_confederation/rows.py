"""A row by itself (page §3, §4): its cells, its detail as data, its attachments, and that the two agree."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final

from mocks.enterprise_confederation import words
from mocks.enterprise_confederation.batch import Batch, once
from mocks.enterprise_confederation.names import is_time
from mocks.enterprise_confederation.settings import Settings
from mocks.enterprise_confederation.shape import SHAPES, check, credit, masked, money
from mocks.enterprise_confederation.words import Wrong

_GUARDED: Final = tuple("=+-@\t\r")
_ALWAYS: Final = ("操作", "业务主键", "案件主键", "调解组织编码", "状态", "发生时间", "明细文件", "附件数")
_CASE: Final = (
    *("调解组织名称", "组织类型", "行政区划", "登记时间", "案由表", "案由", "涉案金额", "涉及人数"),
    *("申请人", "被申请人"),
)
_CASE_ALONE: Final = (
    *("调解组织名称", "组织类型", "行政区划", "登记时间", "受理时间", "案由表", "案由", "涉及人数"),
    *("申请人", "申请人证件号", "被申请人", "统一社会信用代码"),
)
_LIMITS: Final = {
    "业务主键": 64,
    "案件主键": 100,
    "调解组织编码": 32,
    "调解组织名称": 100,
    "案由": 200,
    "申请人": 50,
    "被申请人": 100,
}
_STATES: Final = {
    "CASE": frozenset(("已登记",)),
    "PROG": words.T2,
    "AGRE": frozenset(("已达成协议",)),
    "PERF": words.PERFORMED,
}
_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_HEADS: Final = {"pdf": (b"%PDF-",), "ofd": (b"PK\x03\x04",), "jpg": (b"\xff\xd8\xff",), "png": (b"\x89PNG\r\n\x1a\n",)}


def check_row(batch: Batch, number: int, settings: Settings) -> tuple[dict[str, str], dict[str, Any], list[str]]:
    """The cells, the detail and the attachments' names of row ``number``. Raises :class:`Wrong` (E…)."""
    cells = {name: _bare(name, cell) for name, cell in batch.rows[number - 1].items()}
    _check_cells(cells, number, batch, settings)
    detail = _detail(batch, number)
    for key in ("业务主键", "案件主键"):
        if detail.get(key, cells[key]) != cells[key]:
            raise Wrong("E18", key)
    check(detail, SHAPES[batch.stem.op])
    _compare(batch.stem.op, cells, detail)
    return cells, detail, _attachments(batch, number, cells["附件数"])


def _bare(name: str, cell: str) -> str:
    if cell.startswith("'") and cell[1:].startswith(_GUARDED):
        return cell[1:]
    if cell.startswith(_GUARDED):
        raise Wrong("E14", name)
    return cell


def _check_cells(cells: dict[str, str], number: int, batch: Batch, settings: Settings) -> None:
    op = batch.stem.op
    if cells["行号"] != str(number):
        raise Wrong("E14", "行号")
    for name in (*_ALWAYS, *(_CASE if op == "CASE" else ())):
        if not cells[name].strip():
            raise Wrong("E11", name)
    if op != "CASE":
        for name in _CASE_ALONE:
            if cells[name]:
                raise Wrong("E14", name)
    for name, most in _LIMITS.items():
        if len(cells[name]) > most:
            raise Wrong("E13", name)
    if cells["操作"] not in ("新增", "修改") or (cells["操作"] == "修改" and op != "CASE"):
        raise Wrong("E15", "操作")
    code, bar, source = cells["案件主键"].partition("|")
    if not bar or not code or not source.strip():
        raise Wrong("E14", "案件主键")
    if code != cells["调解组织编码"]:
        raise Wrong("E18", "调解组织编码")
    if code not in settings.organizations:
        raise Wrong("E30", "调解组织编码")
    if [row["业务主键"] for row in batch.rows].index(batch.rows[number - 1]["业务主键"]) != number - 1:
        raise Wrong("E14", "业务主键")
    for name, table in (
        ("状态", _STATES[op]),
        ("组织类型", words.T1),
        ("案由表", words.CAUSES),
        ("办结原因", words.T3),
    ):
        if cells[name] and cells[name] not in table:
            raise Wrong("E15", name)
    if cells["状态"] in words.WITH_REASON and not cells["办结原因"]:
        raise Wrong("E11", "办结原因")
    if cells["办结原因"] and op != "PROG":
        raise Wrong("E14", "办结原因")
    for name in ("登记时间", "受理时间", "发生时间"):
        if cells[name] and not is_time(cells[name]):
            raise Wrong("E14", name)
    if cells["行政区划"] and re.fullmatch("[0-9]{6}", cells["行政区划"], re.ASCII) is None:
        raise Wrong("E14", "行政区划")
    if cells["涉及人数"] and _DIGITS.fullmatch(cells["涉及人数"]) is None:
        raise Wrong("E14", "涉及人数")
    _check_amount(op, cells["涉案金额"])
    if cells["申请人证件号"] and (wrong := masked(cells["申请人证件号"])):
        raise Wrong(wrong, "申请人证件号")
    if cells["统一社会信用代码"] and (wrong := credit(cells["统一社会信用代码"])):
        raise Wrong(wrong, "统一社会信用代码")
    if cells["明细文件"] != f"{batch.part(number)}.json":
        raise Wrong("E14", "明细文件")
    if _DIGITS.fullmatch(cells["附件数"]) is None:
        raise Wrong("E14", "附件数")


def _check_amount(op: str, amount: str) -> None:
    if op == "AGRE" and not amount:
        raise Wrong("E11", "涉案金额")
    if amount and (op == "PROG" or money(amount)):
        raise Wrong("E14", "涉案金额")


def _detail(batch: Batch, number: int) -> dict[str, Any]:
    data = batch.files.get(f"{batch.part(number)}.json")
    if data is None:
        raise Wrong("E11", "明细文件")
    try:
        detail = json.loads(data.decode("utf-8"), object_pairs_hook=once)
        json.dumps(detail, ensure_ascii=False).encode()  # no lone surrogates
    except (ValueError, RecursionError):
        raise Wrong("E14", "明细文件") from None
    if not isinstance(detail, dict):
        raise Wrong("E14", "明细文件")
    return detail


def _same(cell: str, text: str, column: str) -> None:
    """A cell says the text of the detail: on one line, and cut to the column's limit."""
    flat = re.sub(r"\r\n|\r|\n", " ", text)
    if cell not in (flat, flat[: _LIMITS.get(column, len(flat))]):
        raise Wrong("E18", column)


def _compare(op: str, cells: dict[str, str], detail: dict[str, Any]) -> None:
    match op:
        case "CASE":
            _compare_case(cells, detail)
        case "PROG":
            _same(cells["状态"], detail["状态"], "状态")
            _same(cells["发生时间"], detail["时间"], "发生时间")
        case "AGRE":
            _same(cells["发生时间"], detail["生效时间"], "发生时间")
            total = sum((Decimal(term.get("金额", "0")) for term in detail["条款"]), Decimal("0.00"))
            _same(cells["涉案金额"], f"{total:.2f}", "涉案金额")
        case _:
            _same(cells["状态"], detail["履行状态"], "状态")
            _same(cells["发生时间"], detail["时间"], "发生时间")
            _same(cells["涉案金额"], detail.get("金额", ""), "涉案金额")


def _compare_case(cells: dict[str, str], detail: dict[str, Any]) -> None:
    _same(cells["发生时间"], cells["登记时间"], "发生时间")
    applicants = [party for party in detail["当事人"] if party["角色"] == "申请人"]
    respondents = [party for party in detail["当事人"] if party["角色"] == "被申请人"]
    if not applicants or not respondents:
        raise Wrong("E11", "当事人.角色")
    persons = [party for party in applicants if party["类型"] == "自然人"]
    people = detail["集体"]["人数"] if "集体" in detail else str(len(persons))
    _same(cells["涉及人数"], people, "涉及人数")
    _same(cells["申请人"], applicants[0]["名称"], "申请人")
    number = applicants[0]["证件号"] if applicants[0]["类型"] == "自然人" else ""
    _same(cells["申请人证件号"], number, "申请人证件号")
    _same(cells["被申请人"], respondents[0]["名称"], "被申请人")
    _same(cells["统一社会信用代码"], respondents[0].get("信用代码", ""), "统一社会信用代码")


def _attachments(batch: Batch, number: int, count: str) -> list[str]:
    head = f"{batch.part(number)}_"
    names = sorted(name for name in batch.files if name.startswith(head))
    if [name[len(head) : len(head) + 2] for name in names] != [f"{mm:02d}" for mm in range(1, int(count) + 1)]:
        raise Wrong("E21", "附件数")
    for name in names:
        if not batch.files[name].startswith(_HEADS[name.rpartition(".")[2]]):
            raise Wrong("E21", name)
    return names
