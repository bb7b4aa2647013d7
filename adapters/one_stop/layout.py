"""The items of every service in the platform's order, with limits and duties, as data (page §4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.one_stop.pages import MOST_PAGES, TooLong, pages, units, without_forbidden
from contracts.adapter import Json
from contracts.errors import PermanentError

HEAD = "报文头"
PAGES, PAGE = "续页列表", "续页"


@dataclass(frozen=True, slots=True)
class Item:
    """One element with text. ``limit`` in UTF-16 units; ``exact``: marked † on the page, refused over its limit."""

    name: str
    limit: int | None = None
    exact: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A repeated item: a list element ``name`` with one element ``row`` for each entry."""

    name: str
    row: str
    items: tuple[Item, ...]
    required: bool = False


Layout = tuple[Item | Rows, ...]
"""What stands in one request element after the head, in order."""


def _text(name: str, limit: int, *, required: bool = False) -> Item:
    return Item(name, limit, required=required)


def _exact(name: str, limit: int | None = None, *, required: bool = False) -> Item:
    return Item(name, limit, exact=True, required=required)


_DATE, _TIME, _MONEY, _PHONE, _COUNT = 10, 19, 19, 20, 6

HEAD_ITEMS: tuple[Item, ...] = (
    _exact("外部编号", 64, required=True),
    _exact("机构编码", 64, required=True),
    _exact("发送时间", _TIME, required=True),
)

PAGE_ITEMS: tuple[Item, ...] = (
    _exact("项名", required=True),
    _exact("页号", 2, required=True),
    _exact("页数", 2, required=True),
    _exact("内容", 1000, required=True),
)

CLAIMS = Rows(
    "请求事项列表",
    "请求事项",
    (_exact("种类", 2, required=True), _text("内容", 300, required=True), _exact("金额", _MONEY)),
)

PERSONS = Rows(
    "主要当事人列表",
    "主要当事人",
    (
        _exact("角色", 1, required=True),
        _exact("证件代码", 3, required=True),
        _exact("号码", 30, required=True),
        _text("姓名", 50, required=True),
        _exact("性别", 1, required=True),
        _exact("民族", 2),
        _exact("人员类别", 4),
        _text("居住详址", 200, required=True),
        _exact("联系方式", _PHONE),
    ),
    required=True,
)

UNITS = Rows(
    "单位当事人列表",
    "单位当事人",
    (
        _exact("角色", 1, required=True),
        _text("单位名称", 100, required=True),
        _exact("统一社会信用代码", 18, required=True),
        _text("法定代表人", 50),
        _text("联系人", 50),
        _exact("联系方式", _PHONE),
        _text("地址", 200, required=True),
    ),
)

AGENTS = Rows(
    "代理人列表",
    "代理人",
    (
        _exact("代理当事人序号", required=True),
        _text("姓名", 50, required=True),
        _exact("证件代码", 3),
        _exact("号码", 30),
        _exact("联系方式", _PHONE),
    ),
)

_CASE_NO = _exact("案件外部编号", 60, required=True)
_REFERENCE = _exact("平台编号", 20, required=True)

CASE_ITEMS: Layout = (
    _text("名称", 100, required=True),
    _exact("发生日期", _DATE, required=True),
    _exact("发生地点", 12, required=True),
    _exact("规模", 2, required=True),
    _exact("类别", 4, required=True),
    _text("案由", 100, required=True),
    _exact("涉及人数", _COUNT, required=True),
    _text("简述", 1000, required=True),
    Rows(CLAIMS.name, CLAIMS.row, CLAIMS.items, required=True),
    _exact("涉案金额", _MONEY, required=True),
    _text("涉及单位", 100),
    PERSONS,
    UNITS,
    AGENTS,
)
"""The items from 名称 to 代理人列表, which an assigned case (分流指派) has as well."""

OPERATIONS: Mapping[str, Layout] = {
    "reportCase": (
        _exact("操作类型", 1, required=True),
        _exact("平台编号", 20),
        _CASE_NO,
        *CASE_ITEMS,
        _exact("化解时限", _DATE, required=True),
        _exact("化解方式", 4, required=True),
        _text("化解组织", 100, required=True),
        _exact("组织类型", 2, required=True),
        _exact("行政区划", 12, required=True),
        _text("责任人姓名", 100),
        _exact("责任人证号", 40),
        _exact("来源渠道", 1, required=True),
        _exact("受理时间", _TIME),
        _exact("重大标志", 1),
    ),
    "reportProgress": (
        _CASE_NO,
        _exact("进展类别", 1, required=True),
        _exact("来源", 1, required=True),
        _exact("来源事件号", 64),
        _exact("状态", 2, required=True),
        _text("原状态", 50),
        _exact("发生时间", _TIME, required=True),
        _exact("原因", 2),
        _text("化解情况", 1000),
        _text("文书号", 100),
        _exact("调解开始", _TIME),
        _exact("调解结束", _TIME),
        _text("调解地点", 100),
        _exact("调解形式", 1),
    ),
    "reportAgreement": (
        _CASE_NO,
        _exact("协议编号", 60, required=True),
        _exact("是否成功", 1, required=True),
        _text("化解情况", 1000, required=True),
        _exact("生效规则", 1, required=True),
        _exact("生效时间", _TIME, required=True),
        _exact("化解日期", _DATE, required=True),
        _exact("给付总额", _MONEY),
        _exact("履行期限", _DATE),
        _exact("份数"),
    ),
    "reportTransfer": (
        _CASE_NO,
        _exact("转办编号", 40, required=True),
        _exact("转往", 1, required=True),
        _text("接收机构", 100),
        _exact("接收机构代码", 20),
        _exact("原因", 2, required=True),
        CLAIMS,
    ),
    "reportAlert": (
        _CASE_NO,
        _exact("等级", 1, required=True),
        _exact("涉及人数", _COUNT, required=True),
        _exact("涉案金额", _MONEY, required=True),
        _text("现场情况", 1000, required=True),
        _text("处置措施", 1000, required=True),
        _text("联系人", 50, required=True),
        _exact("联系方式", _PHONE, required=True),
        _exact("发生时间", _TIME, required=True),
    ),
    "saveMediator": (
        _exact("证号", 40, required=True),
        _text("姓名", 50, required=True),
        _exact("性别", 1),
        _exact("联系方式", _PHONE),
        _text("所属组织", 100, required=True),
    ),
    "bindId": (_REFERENCE, _CASE_NO),
    "answerAssign": (_REFERENCE, _exact("答复", 1, required=True), _text("原因", 300)),
    "finishAssign": (
        _REFERENCE,
        _exact("结果", 1, required=True),
        _exact("原因", 2),
        _exact("协议编号", 60),
        _text("办结报告", 1000, required=True),
    ),
    "pullChanges": (_exact("游标", 64, required=True), _exact("每页条数", 3, required=True)),
    "ping": (),
}

WRITING = frozenset(OPERATIONS) - {"pullChanges", "ping"}
"""Operations whose success must carry a 平台编号 (page §3)."""


def fit(operation: str, values: Mapping[str, object]) -> Json:
    """The payload of one request: present items alone, each within its limit, what is over it in 续页列表.

    ``values`` maps item names to texts and list names to lists of such maps; ``None`` and empty texts are absent.

    Raises:
        PermanentError: ``required_missing`` (a required item is absent), ``too_long`` (a † item, or more than
            20 pages of another one). The text names the item, never its value.
    """
    layout = OPERATIONS[operation]
    payload: Json = {}
    continued: list[Json] = []
    for entry in layout:
        given = values.get(entry.name)
        if isinstance(entry, Item):
            kept = _fit_item(entry, given, entry.name, continued)
            if kept is not None:
                payload[entry.name] = kept
            continue
        rows = [_fit_row(entry, row, number, continued) for number, row in enumerate(_rows(given), start=1)]
        if rows:
            payload[entry.name] = rows
        elif entry.required:
            raise PermanentError("required_missing", f"{entry.name}: the platform demands it")
    if continued:
        payload[PAGES] = continued
    strange = values.keys() - {entry.name for entry in layout}
    if strange:
        raise ValueError(f"{operation} has no item {sorted(strange)[0]}")
    return payload


def _rows(given: object) -> Iterator[Mapping[str, object]]:
    if given is None:
        return
    if not isinstance(given, list):
        raise TypeError("a repeated item is a list")
    yield from given


def _fit_row(rows: Rows, given: Mapping[str, object], number: int, continued: list[Json]) -> Json:
    kept = {
        item.name: _fit_item(item, given.get(item.name), f"{rows.row}[{number}]/{item.name}", continued)
        for item in rows.items
    }
    return {name: value for name, value in kept.items() if value is not None}


def _fit_item(item: Item, given: object, place: str, continued: list[Json]) -> str | None:
    if given is None or given == "":
        if item.required:
            raise PermanentError("required_missing", f"{place}: the platform demands it")
        return None
    if not isinstance(given, str):
        raise TypeError(f"{place}: an item is a text")
    if without_forbidden(given) != given:
        raise PermanentError("forbidden_character", f"{place}: a character that XML cannot carry")
    if item.limit is None or (item.exact and units(given) <= item.limit):
        return given
    if item.exact:
        raise PermanentError("too_long", f"{place}: longer than {item.limit} UTF-16 units")
    try:
        first, *rest = pages(given, item.limit)
    except TooLong:
        raise PermanentError("too_long", f"{place}: longer than {MOST_PAGES} pages") from None
    total = str(1 + len(rest))
    continued.extend(
        {"项名": place, "页号": str(number), "页数": total, "内容": text} for number, text in enumerate(rest, start=2)
    )
    return first
