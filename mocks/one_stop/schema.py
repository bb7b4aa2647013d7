"""The business XML as data: the items of each operation in their order, with form, limit and codes (page §3–§5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mocks.one_stop import tables

#: A row of a repeated item.
Row = dict[str, str]
#: The items of a request, a reply or a change, in the order of the page; absent ones are left out.
Items = dict[str, str | list[Row]]

NAMESPACE = "urn:sdzz:mdjf:1"
HEADER = "报文头"
PAGES = "续页列表"


class Form(StrEnum):
    """What the text of an item must look like."""

    TEXT = "text"  # cut silently over its limit, may have 续页
    FIXED = "fixed"  # † without code table: refused over its limit
    MESSAGE_ID = "message_id"  # [0-9A-Za-z_-]
    CODE = "code"
    DATE = "date"
    TIME = "time"
    MONEY = "money"  # 万元, 6 decimals
    NUMBER = "number"
    REFERENCE = "reference"  # 平台编号, 20 digits
    REGION = "region"
    CREDIT_CODE = "credit_code"


@dataclass(frozen=True, slots=True)
class Item:
    """One element with text. ``limit`` in UTF-16 units (digits for numbers); ``codes`` for :attr:`Form.CODE`."""

    name: str
    form: Form
    limit: int = 0
    required: bool = False
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rows:
    """A list element ``name`` with one or more ``row`` elements."""

    name: str
    row: str
    items: tuple[Item, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the 11 operations: its request items after the 报文头, and whether it writes to the ledger."""

    name: str
    items: tuple[Item | Rows, ...] = ()
    writes: bool = True

    @property
    def paged(self) -> bool:
        """Whether the request may carry a 续页列表: some item may be longer than its limit."""
        return any(
            item.form is Form.TEXT
            for entry in self.items
            for item in (entry.items if isinstance(entry, Rows) else (entry,))
        )


def _text(name: str, limit: int, *, need: bool = False) -> Item:
    return Item(name, Form.TEXT, limit, need)


def _fixed(name: str, limit: int, *, need: bool = False) -> Item:
    return Item(name, Form.FIXED, limit, need)


def _code(name: str, codes: frozenset[str], *, need: bool = False) -> Item:
    return Item(name, Form.CODE, required=need, codes=codes)


def _form(name: str, form: Form, *, need: bool = False, limit: int = 0) -> Item:
    return Item(name, form, limit, need)


HEADER_ITEMS = (
    _form("外部编号", Form.MESSAGE_ID, need=True, limit=64),
    _fixed("机构编码", 64, need=True),
    _form("发送时间", Form.TIME, need=True),
)
PAGE_ITEMS = (
    _fixed("项名", 100, need=True),
    _form("页号", Form.NUMBER, need=True, limit=2),
    _form("页数", Form.NUMBER, need=True, limit=2),
    _fixed("内容", 1000, need=True),
)

CASE_NUMBER = _fixed("案件外部编号", 60, need=True)
REFERENCE = _form("平台编号", Form.REFERENCE, need=True)


def _claims(*, need: bool) -> Rows:
    return Rows(
        "请求事项列表",
        "请求事项",
        (
            _code("种类", tables.CLAIM_KIND, need=True),
            _text("内容", 300, need=True),
            _form("金额", Form.MONEY),
        ),
        need,
    )


#: 名称 to 代理人列表 of reportCase; an assigned case has the same items (§5).
CASE_CORE: tuple[Item | Rows, ...] = (
    _text("名称", 100, need=True),
    _form("发生日期", Form.DATE, need=True),
    _form("发生地点", Form.REGION, need=True, limit=12),
    _code("规模", tables.SCALE, need=True),
    _code("类别", tables.CATEGORY, need=True),
    _text("案由", 100, need=True),
    _form("涉及人数", Form.NUMBER, need=True, limit=6),
    _text("简述", 1000, need=True),
    _claims(need=True),
    _form("涉案金额", Form.MONEY, need=True),
    _text("涉及单位", 100),
    Rows(
        "主要当事人列表",
        "主要当事人",
        (
            _code("角色", tables.ROLE, need=True),
            _code("证件代码", tables.ID_TYPE, need=True),
            _fixed("号码", 30, need=True),
            _text("姓名", 50, need=True),
            _code("性别", tables.SEX, need=True),
            _code("民族", tables.ETHNIC_GROUP),
            _code("人员类别", tables.PERSON_TYPE),
            _text("居住详址", 200, need=True),
            _fixed("联系方式", 20),
        ),
        required=True,
    ),
    Rows(
        "单位当事人列表",
        "单位当事人",
        (
            _code("角色", tables.ROLE, need=True),
            _text("单位名称", 100, need=True),
            _form("统一社会信用代码", Form.CREDIT_CODE, need=True, limit=18),
            _text("法定代表人", 50),
            _text("联系人", 50),
            _fixed("联系方式", 20),
            _text("地址", 200, need=True),
        ),
    ),
    Rows(
        "代理人列表",
        "代理人",
        (
            _form("代理当事人序号", Form.NUMBER, need=True, limit=6),
            _text("姓名", 50, need=True),
            _code("证件代码", tables.ID_TYPE),
            _fixed("号码", 30),
            _fixed("联系方式", 20),
        ),
    ),
)

_OPERATIONS = (
    Operation(
        "reportCase",
        (
            _code("操作类型", tables.OPERATION_TYPE, need=True),
            _form("平台编号", Form.REFERENCE),
            CASE_NUMBER,
            *CASE_CORE,
            _form("化解时限", Form.DATE, need=True),
            _code("化解方式", tables.METHOD, need=True),
            _text("化解组织", 100, need=True),
            _code("组织类型", tables.ORGANIZATION_TYPE, need=True),
            _form("行政区划", Form.REGION, need=True, limit=12),
            _text("责任人姓名", 100),
            _fixed("责任人证号", 40),
            _code("来源渠道", tables.CHANNEL, need=True),
            _form("受理时间", Form.TIME),
            _code("重大标志", tables.MAJOR),
        ),
    ),
    Operation(
        "reportProgress",
        (
            CASE_NUMBER,
            _code("进展类别", tables.PROGRESS, need=True),
            _code("来源", tables.SOURCE, need=True),
            _fixed("来源事件号", 64),
            _code("状态", tables.ANY_STATUS, need=True),
            _text("原状态", 50),
            _form("发生时间", Form.TIME, need=True),
            _code("原因", tables.PROGRESS_REASON),
            _text("化解情况", 1000),
            _text("文书号", 100),
            _form("调解开始", Form.TIME),
            _form("调解结束", Form.TIME),
            _text("调解地点", 100),
            _code("调解形式", tables.SESSION_METHOD),
        ),
    ),
    Operation(
        "reportAgreement",
        (
            CASE_NUMBER,
            _fixed("协议编号", 60, need=True),
            _code("是否成功", tables.SUCCESS, need=True),
            _text("化解情况", 1000, need=True),
            _code("生效规则", tables.EFFECT_RULE, need=True),
            _form("生效时间", Form.TIME, need=True),
            _form("化解日期", Form.DATE, need=True),
            _form("给付总额", Form.MONEY),
            _form("履行期限", Form.DATE),
            _form("份数", Form.NUMBER, limit=6),
        ),
    ),
    Operation(
        "reportTransfer",
        (
            CASE_NUMBER,
            _fixed("转办编号", 40, need=True),
            _code("转往", tables.TRANSFER_TO, need=True),
            _text("接收机构", 100),
            _fixed("接收机构代码", 20),
            _code("原因", tables.TRANSFER_REASON, need=True),
            _claims(need=False),
        ),
    ),
    Operation(
        "reportAlert",
        (
            CASE_NUMBER,
            _code("等级", tables.LEVEL, need=True),
            _form("涉及人数", Form.NUMBER, need=True, limit=6),
            _form("涉案金额", Form.MONEY, need=True),
            _text("现场情况", 1000, need=True),
            _text("处置措施", 1000, need=True),
            _text("联系人", 50, need=True),
            _fixed("联系方式", 20, need=True),
            _form("发生时间", Form.TIME, need=True),
        ),
    ),
    Operation(
        "saveMediator",
        (
            _fixed("证号", 40, need=True),
            _text("姓名", 50, need=True),
            _code("性别", tables.SEX),
            _fixed("联系方式", 20),
            _text("所属组织", 100, need=True),
        ),
    ),
    Operation("bindId", (REFERENCE, CASE_NUMBER)),
    Operation(
        "answerAssign",
        (REFERENCE, _code("答复", tables.ANSWER, need=True), _text("原因", 300)),
    ),
    Operation(
        "finishAssign",
        (
            REFERENCE,
            _code("结果", tables.RESULT, need=True),
            _code("原因", tables.END_REASON),
            _fixed("协议编号", 60),
            _text("办结报告", 1000, need=True),
        ),
    ),
    Operation(
        "pullChanges",
        (_fixed("游标", 64, need=True), _form("每页条数", Form.NUMBER, need=True, limit=3)),
        writes=False,
    ),
    Operation("ping", writes=False),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _OPERATIONS}

#: The rows of every list element by its name, for writing a change (§5).
ROW_NAMES: dict[str, str] = {entry.name: entry.row for entry in CASE_CORE if isinstance(entry, Rows)}
