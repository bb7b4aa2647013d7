"""The platform's codes (page §5), and how a row is refused with one of them."""

from __future__ import annotations

from typing import Final

FAIL_CODES: Final = {
    "E10": "内容无法解析",
    "E11": "缺少字段",
    "E12": "未知字段",
    "E13": "内容过长",
    "E14": "格式、金额或时间有误",
    "E15": "代码不在字典内",
    "E16": "身份号码未脱敏或含银行账户",
    "E17": "统一社会信用代码有误",
    "E20": "摘要不符",
    "E21": "附件缺失或摘要不符",
    "E22": "附件类型不符",
    "E23": "同一编号内容不同",
    "E30": "机构未绑定",
    "E31": "案件不存在、已删除或前序失败",
    "E32": "修改未登记的记录或重复登记",
    "E33": "案件已结束，不允许该步骤",
    "E80": "系统繁忙",
    "E81": "处理超时",
    "E90": "系统内部错误",
    "E91": "授权许可问题",
}
DUPLICATE: Final = "D01"
REASON_LIMIT: Final = 200


class Wrong(Exception):
    """A row that fails with ``code``; ``reason`` names the place (a key path or a column), never a value."""

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.reason = (reason or FAIL_CODES[code])[:REASON_LIMIT]


def again(code: str) -> bool:
    """Whether a row that failed with this code may be set to 0 again (E8x, E9x)."""
    return code[:2] in ("E8", "E9")
