"""How the platform says no: SOAP faults (S codes) and business refusals (E codes), page §3."""

from __future__ import annotations

from typing import ClassVar


class SoapFault(Exception):
    """A Fault with an S code, HTTP 500; ``retry_after`` in seconds where the caller is told to wait (S004)."""

    #: Chinese fault strings by code.
    TEXTS: ClassVar[dict[str, str]] = {
        "S001": "身份认证失败",
        "S002": "时间戳超出允许范围",
        "S003": "随机数重复",
        "S004": "请求过于频繁",
        "S005": "系统维护中",
        "S006": "报文不符合规范",
        "S007": "SOAPAction 不符或操作不存在",
        "S009": "系统内部错误",
    }
    #: Codes that the caller must mend himself; the rest is the server's.
    CLIENT: ClassVar[frozenset[str]] = frozenset(("S001", "S002", "S006", "S007"))

    def __init__(self, code: str, detail: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @property
    def text(self) -> str:
        """The faultstring: the code's text and, where there is one, the place."""
        text = self.TEXTS.get(self.code, "系统错误")
        return f"{text}：{self.detail}" if self.detail else text


class BusinessRefusal(Exception):
    """``retCode`` 0 with an E code; ``item`` is the 项名 with its path (``主要当事人[2]/居住详址``), never a value."""

    #: Chinese retMessage by code.
    TEXTS: ClassVar[dict[str, str]] = {
        "E101": "必填项缺失",
        "E102": "代码不在代码表中",
        "E103": "格式错误",
        "E104": "长度超限",
        "E105": "校验码错误",
        "E106": "续页错误",
        "E107": "数据项之间不一致",
        "E403": "机构不属于本接入方",
        "E404": "案件不存在",
        "E409": "外部编号已用于其他内容",
        "E410": "游标已失效",
        "E420": "当前状态不允许该操作",
        "E423": "编号已绑定其他平台编号",
        "E424": "尚未绑定",
        "E425": "指派已结束、已撤回或已答复",
        "E900": "系统繁忙",
    }

    def __init__(self, code: str, item: str = "", words: str = "") -> None:
        super().__init__(f"{code} {item}".strip())
        self.code = code
        self.item = item
        self._words = words

    @property
    def text(self) -> str:
        """The retMessage: that of the code, or the words of a scripted refusal."""
        return self._words or self.TEXTS.get(self.code, "处理失败")
