"""How the platform answers (court_mediation §3, §7): its envelope and the oddities that are always on."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from mocks.court_mediation.reading import Denied, Finding

LOGIN_PAGE: Final = (
    '<!DOCTYPE html><html><head><meta charset="UTF-8"><title>人民法院调解平台</title></head><body>'
    '<form id="loginForm" method="post" action="/fayuan/a/login"><p>请登录</p></form></body></html>'
)
MAYBE: Final = "-1"
"""The body of two characters that says nothing about what was done."""

_FAULT_TEXTS: Final[Mapping[str, str]] = {
    "400": "字段校验不通过",
    "401": "用户名或密码错误",
    "403": "无该法院权限",
    "413": "内容过大",
    "423": "账号已锁定",
    "429": "请求过于频繁",
    "500": "系统异常",
    "503": "系统维护中",
    "1001": "表单或代码值错误",
    "1002": "附件不存在或已过期",
    "1003": "超过三十日未说明理由",
    "1004": "该协议已有申请",
    "1005": "非本院案件",
    "1006": "协议未备案",
    "1007": "当前状态不允许",
    "1008": "任务不存在、已处理、已撤回或已逾期",
}


class Replies:
    """Counts the JSON replies: every fifth (setting `number_every`, 0 = none) has its code as a number."""

    def __init__(self, number_every: int) -> None:
        self._number_every = number_every
        self._count = 0

    def envelope(
        self, code: str, msg: str, content: Mapping[str, Any] | None = None, status: int = 200
    ) -> web.Response:
        """`{"code","msg","content"}`; content is left out where there is none."""
        self._count += 1
        as_number = self._number_every > 0 and self._count % self._number_every == 0 and code.isdigit()
        body: dict[str, Any] = {"code": int(code) if as_number else code, "msg": msg}
        if content is not None:
            body["content"] = content
        text = json.dumps(body, ensure_ascii=False)
        return web.Response(status=status, text=text, content_type="application/json", charset="UTF-8")

    def denial(self, denied: Denied) -> web.Response:
        """A refusal; code 400 lists its findings."""
        if not denied.findings:
            return self.envelope(denied.code, denied.msg)
        errors = [{"zd": finding.path, "yy": finding.reason} for finding in denied.findings]
        return self.envelope(denied.code, denied.msg, {"errors": errors})

    def scripted(self, code: str, text: str) -> web.Response:
        """The reply of the fault `business_error`; `text` stands in place of the code's own words."""
        findings = [Finding("tjbh", text or "格式错误")] if code == "400" else []
        return self.denial(Denied(code, text or _FAULT_TEXTS.get(code, f"业务错误<br>{code}"), findings))


def page(text: str) -> web.Response:
    """A body of `text/html`."""
    return web.Response(text=text, content_type="text/html", charset="UTF-8")
