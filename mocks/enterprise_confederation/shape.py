"""The detail field by field (page §4), as data: what may stand where, and the code when it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mocks.enterprise_confederation import words
from mocks.enterprise_confederation.names import is_date, is_time
from mocks.enterprise_confederation.words import Wrong

#: Returns the code of what is wrong with a text, or nothing.
Check = Callable[[str], str | None]

_MONEY: Final = re.compile(r"(0|[1-9][0-9]{0,14})\.[0-9]{2}", re.ASCII)
_CREDIT: Final = re.compile(r"[0-9A-Z]{18}", re.ASCII)
_UNBOUNDED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Text:
    """A text value."""

    check: Check
    required: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """An object."""

    fields: Mapping[str, Field]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of objects, at least one."""

    fields: Mapping[str, Field]
    required: bool = True


Field = Text | Group | Rows


def most(length: int = _UNBOUNDED) -> Check:
    """A text of at most so many characters."""
    return lambda text: "E13" if len(text) > length else None


def word(*tables: Collection[str]) -> Check:
    """A word of a table."""
    return lambda text: None if any(text in table for table in tables) else "E15"


def form(pattern: str) -> Check:
    """A text of this form."""
    sought = re.compile(pattern, re.ASCII)
    return lambda text: None if sought.fullmatch(text) else "E14"


def money(text: str) -> str | None:
    """元 with exactly two decimals."""
    return None if _MONEY.fullmatch(text) else "E14"


def time(text: str) -> str | None:
    """``yyyy-MM-dd HH:mm:ss``."""
    return None if is_time(text) else "E14"


def date(text: str) -> str | None:
    """``yyyy-MM-dd``."""
    return None if is_date(text) else "E14"


def credit(text: str) -> str | None:
    """A credit code 统一社会信用代码: 18 characters."""
    return None if _CREDIT.fullmatch(text) else "E17"


def masked(text: str) -> str | None:
    """An identity number under the mask of the page."""
    if len(text) == 18:
        shown, stars = text[:6] + text[-4:], text[6:-4]
    elif len(text) <= 4:
        shown, stars = "", text
    else:
        shown, stars = text[:2] + text[-2:], text[2:-2]
    return None if "*" not in shown and set(stars) == {"*"} else "E16"


_digits = form(r"0|[1-9][0-9]{0,8}")
_any = most()
_KEYS: Final[dict[str, Field]] = {"业务主键": Text(most(64)), "案件主键": Text(most(100))}
_PARTY: Final[dict[str, Field]] = {
    "角色": Text(word(("申请人", "被申请人", "第三人"))),
    "类型": Text(word(("自然人", "用人单位", "其他组织"))),
    "名称": Text(_any),
    "证件类型": Text(word(words.T6), required=False),
    "证件号": Text(masked, required=False),
    "信用代码": Text(credit, required=False),
    "性别": Text(word(("男", "女")), required=False),
    "电话": Text(_any, required=False),
    "地址": Text(_any, required=False),
    "区划": Text(form(r"[0-9]{6}([0-9]{3}){0,2}"), required=False),
    "法定代表人": Text(_any, required=False),
    "联系人": Text(_any, required=False),
}

#: OP → the fields of its detail.
SHAPES: Final[dict[str, dict[str, Field]]] = {
    "CASE": _KEYS
    | {
        "来源": Text(word(words.T4)),
        "申请方式": Text(word(("书面", "口头"))),
        "案情": Text(most(3000)),
        "请求": Rows({"类别": Text(word(words.T5)), "内容": Text(most(500)), "金额": Text(money, required=False)}),
        "当事人": Rows(_PARTY),
        "集体": Group({"人数": Text(_digits), "重大": Text(word(("是", "否")))}, required=False),
        "调解员": Rows({"证书编号": Text(_any), "姓名": Text(_any)}, required=False),
    },
    "PROG": _KEYS
    | {
        "状态": Text(word(words.T2)),
        "时间": Text(time),
        "说明": Text(most(500), required=False),
        "场次": Group(
            {
                "开始": Text(time),
                "结束": Text(time),
                "地点": Text(_any),
                "方式": Text(word(("现场", "电话", "视频", "书面"))),
            },
            required=False,
        ),
    },
    "AGRE": _KEYS
    | {
        "协议编号": Text(_any),
        "事实": Text(most(3000)),
        "生效规则": Text(word(("调解仲裁法", "委派纸质", "法院在线"))),
        "生效时间": Text(time),
        "范围": Text(word(("全部", "部分"))),
        "份数": Text(_digits),
        "条款": Rows(
            {
                "序号": Text(_digits),
                "内容": Text(most(1000)),
                "金额": Text(money, required=False),
                "期限": Text(date, required=False),
            }
        ),
    },
    "PERF": _KEYS
    | {
        "协议编号": Text(_any),
        "条款序号": Text(_digits),
        "履行状态": Text(word(words.PERFORMED)),
        "时间": Text(time),
        "金额": Text(money, required=False),
    },
}


def check(values: Any, fields: Mapping[str, Field], path: str = "") -> None:
    """Hold an object against its fields. Raises :class:`Wrong` with the first thing that is wrong and its key path."""
    if not isinstance(values, dict):
        raise Wrong("E14", path.rstrip(".") or "明细文件")
    for key in values:
        if key not in fields:
            raise Wrong("E12", path + key)
    for key, field in fields.items():
        if key in values:
            _check_one(values[key], field, path + key)
        elif field.required:
            raise Wrong("E11", path + key)
    if fields is _PARTY and values["类型"] == "自然人":
        for key in ("证件类型", "证件号"):
            if key not in values:
                raise Wrong("E11", path + key)


def _check_one(value: Any, field: Field, path: str) -> None:
    match field:
        case Text():
            # An absent value is a key left out, never null or an empty text.
            if not isinstance(value, str) or not value.strip():
                raise Wrong("E14", path)
            if (wrong := field.check(value)) is not None:
                raise Wrong(wrong, path)
        case Group():
            check(value, field.fields, f"{path}.")
        case Rows():
            if not isinstance(value, list):
                raise Wrong("E14", path)
            if not value:
                raise Wrong("E11", path)
            for place, row in enumerate(value):
                check(row, field.fields, f"{path}[{place}].")
