"""How the platform says no (page §4): a code with its status, findings with their fields, never a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Status of each code of the page.
STATUS: Final[Mapping[str, int]] = {
    "BODY_UNREADABLE": 400,
    "IDEMPOTENCY_KEY_MISSING": 400,
    "TOKEN_EXPIRED": 401,
    "TOKEN_INVALID": 401,
    "CLIENT_DISABLED": 401,
    "SCOPE_MISSING": 403,
    "IP_NOT_ALLOWED": 403,
    "ORG_NOT_BOUND": 403,
    "PATH_UNKNOWN": 404,
    "CASE_UNKNOWN": 404,
    "REFERRAL_UNKNOWN": 404,
    "FILE_NOT_READY": 404,
    "IDEMPOTENCY_IN_PROGRESS": 409,
    "DUPLICATE": 409,
    "CASE_CLOSED": 409,
    "REFERRAL_RECALLED": 409,
    "REFERRAL_EXPIRED": 409,
    "REFERRAL_ANSWERED": 409,
    "PERIOD_CLOSED": 409,
    "CURSOR_EXPIRED": 410,
    "VERSION_STALE": 412,
    "TOO_LARGE": 413,
    "TYPE_REFUSED": 415,
    "IDEMPOTENCY_MISMATCH": 422,
    "VALIDATION_FAILED": 422,
    "RATE_LIMITED": 429,
    "INTERNAL": 500,
    "BUSY": 503,
    "MAINTENANCE": 503,
}

#: Cause, then cure, of each code.
TEXTS: Final[Mapping[str, str]] = {
    "BODY_UNREADABLE": "报文不是合法的 JSON 对象，请按 UTF-8（无 BOM）编码重新提交",
    "IDEMPOTENCY_KEY_MISSING": "缺少 Idempotency-Key 或其格式不符，请使用 8 至 64 位字母、数字、下划线或连字符",
    "TOKEN_EXPIRED": "访问令牌已过期，请重新申请",
    "TOKEN_INVALID": "访问令牌无效，请重新申请",
    "CLIENT_DISABLED": "接入方已停用，请联系平台管理员",
    "SCOPE_MISSING": "访问令牌缺少该操作的权限，请申请相应 scope",
    "IP_NOT_ALLOWED": "来源地址不在允许范围内，请联系平台管理员",
    "ORG_NOT_BOUND": "机构未绑定到该接入方，请联系平台管理员",
    "PATH_UNKNOWN": "地址不存在，请核对接口文档",
    "CASE_UNKNOWN": "案件不存在，请先报送案件",
    "REFERRAL_UNKNOWN": "转办件不存在，请核对编号",
    "FILE_NOT_READY": "文件尚未生成，请稍后再取",
    "IDEMPOTENCY_IN_PROGRESS": "同一请求正在处理，请稍后重试",
    "DUPLICATE": "该编号已报送，请使用已有记录",
    "CASE_CLOSED": "案件已归档，不再接受变更",
    "REFERRAL_RECALLED": "转办件已被撤回",
    "REFERRAL_EXPIRED": "转办件已逾期未答复",
    "REFERRAL_ANSWERED": "转办件已答复",
    "PERIOD_CLOSED": "该季度不在报送期内",
    "CURSOR_EXPIRED": "游标已失效，请按时间重新开始",
    "VERSION_STALE": "版本已变化，请取得最新版本后重试",
    "TOO_LARGE": "内容超过大小限制，请缩减后重试",
    "TYPE_REFUSED": "不支持该媒体类型，请核对 Content-Type 与内容",
    "IDEMPOTENCY_MISMATCH": "同一 Idempotency-Key 对应的报文不一致，请更换编号",
    "VALIDATION_FAILED": "报文校验未通过，请按 errors 逐项修改",
    "RATE_LIMITED": "调用过于频繁，请稍后重试",
    "INTERNAL": "系统内部错误，请稍后重试",
    "BUSY": "系统繁忙，请稍后重试",
    "MAINTENANCE": "系统维护中，请稍后重试",
}

#: Cause, then cure, of each code of a finding.
FINDINGS: Final[Mapping[str, str]] = {
    "FIELD_MISSING": "缺少必填项，请补充",
    "FIELD_UNKNOWN": "此处没有该项，请删除",
    "FIELD_TOO_LONG": "超过长度或数量限制，请缩减",
    "CODE_UNKNOWN": "不在代码表中，请核对",
    "FORMAT": "格式不符，请按接口文档填写",
    "CHECKSUM": "校验不符，请核对",
    "SUM_MISMATCH": "合计不平，请核对各分项",
    "ORDER": "先后顺序不符，请核对",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One wrong field: its path (``parties[0].idNumber``) and what is wrong with it."""

    field: str
    code: str


class Problem(Exception):
    """A refusal with a code of the page; ``existing`` names what was there before, ``words`` stand in place of the code's."""

    def __init__(
        self,
        code: str,
        findings: Sequence[Finding] = (),
        *,
        existing: Mapping[str, str] | None = None,
        retry_after: str | None = None,
        words: str = "",
    ) -> None:
        super().__init__(code)
        self.code = code
        self.findings = tuple(findings)
        self.existing = existing
        self.retry_after = retry_after
        self._words = words

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return STATUS[self.code]

    def document(self, trace: str) -> dict[str, Any]:
        """The body of ``application/problem+json``."""
        text = TEXTS[self.code]
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": text.partition("，")[0],
            "status": self.status,
            "detail": self._words or text,
            "code": self.code,
            "traceId": trace,
            "errors": [
                {"field": finding.field, "code": finding.code, "message": FINDINGS[finding.code]}
                for finding in self.findings
            ],
        }
        if self.existing is not None:
            document["existing"] = dict(self.existing)
        return document


def scripted(code: str, field: str, words: str, retry_after: str | None) -> Problem:
    """What a fault ``business_error`` asks for: a code of the page, or that of a finding about ``field``."""
    findings: tuple[Finding, ...] = ()
    if code in FINDINGS:
        findings, code = (Finding(field or "facts", code),), "VALIDATION_FAILED"
    return Problem(code, findings, retry_after=retry_after, words=words)


def refused(*findings: Finding) -> Problem:
    """``VALIDATION_FAILED`` with these findings."""
    return Problem("VALIDATION_FAILED", findings)
