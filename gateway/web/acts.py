"""What operators' calls bring (运维操作的正文), for the description of the API: each field in both languages, with its list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.deliveries import DeliveryState
from contracts.messages import MessageType
from gateway.flow.operating.bulk import CAP
from gateway.flow.operating.case_links import KEEP_APART, LINK
from gateway.flow.operating.replay import STATES, ReplayKind
from gateway.flow.operating.reveal import Side
from gateway.flow.reconciling.comparing import Kind
from gateway.web.api.redrives import RATES

Json = dict[str, Any]


def text(told: str, **more: Any) -> Json:
    """A text and what it is."""
    return {"type": "string", "description": told, **more}


def _flag(told: str, **more: Any) -> Json:
    return {"type": "boolean", "description": told, **more}


def _number(told: str, low: float, high: float, default: float) -> Json:
    return {"type": "number", "description": told, "minimum": low, "maximum": high, "default": default}


def _word(told: str, words: Iterable[str], **more: Any) -> Json:
    return text(told, enum=[*map(str, words)], **more)


def _some(told: str, one: Json) -> Json:
    """One text or a list of them."""
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": 50}
    return {"anyOf": [one, many], "description": told}


def _body(required: tuple[str, ...], **properties: Json) -> Json:
    return {"type": "object", "required": [*required], "properties": properties}


REASON: Final = text("理由，留痕审计 why, kept in the audit trail", minLength=1, maxLength=500)
ACT: Final = _body(("reason",), reason=REASON)
_KIND: Final = _word(
    "重投方式：原样、重新转换或者只查询 the same bytes, translated anew, or only asked after",
    ReplayKind,
    default=ReplayKind.SAME.value,
)
_OVERTAKEN: Final = _flag("已被后来者超过的也重投 also what something later has overtaken", default=False)
_LISTED: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_TIME: Final = "，RFC 3339 时间，带时区偏移"

_FILTER: Final[Json] = {
    "type": "object",
    "description": "筛选条件，至少一项；deliveries 不与其他条件同用 the filter, one field at least; deliveries stand alone",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "endpoint": _some("平台（端点）名称 names of endpoints", _LISTED),
        "state": _some(
            "投递状态，视重投方式而定 states of deliveries, as far as the kind takes them",
            {
                "type": "string",
                "enum": [str(one) for one in DeliveryState if any(one in found for found in STATES.values())],
            },
        ),
        "type": _some("消息类型 types of messages", {"type": "string", "enum": [str(one) for one in MessageType]}),
        "code": _some("失败代码 codes of failures", _LISTED),
        "organization": _some("调解组织编码 codes of organisations", _LISTED),
        "case": _some("案件编号或者案号，写法不限 ids of cases, or their numbers in any spelling", _LISTED),
        "from": text(f"自此时起生成的投递{_TIME} made at this time or later", format="date-time"),
        "to": text(f"至此时止生成的投递{_TIME} made before this time", format="date-time"),
        "deliveries": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": CAP,
            "description": "逐一选定的投递 deliveries that are chosen one by one",
        },
    },
}
_REDRIVE: Final[Json] = {
    **_body(
        ("filter",),
        filter=_FILTER,
        kind=_KIND,
        overtaken=_OVERTAKEN,
        preview=_flag("只预览，什么也不做 look only, do nothing", default=False),
        bound=text("预览给出的清单上界 the upper bound that a preview gave"),
        reason={**REASON, "description": "理由，开始时必填 why; needed for a start"},
        rate=_number("每秒件数 deliveries a second", *RATES, 1),
        canary=_number("先行件数 how many go first", 1, 100, 10),
        stop_percent=_number("失败率达此百分比即停 the share of failures that stops it, in per cent", 1, 100, 20),
    ),
    "additionalProperties": False,
}

ACTS: Final[Mapping[str, Json]] = {
    **{
        f"POST /v1/ops/{path}": ACT
        for path in (
            "deliveries/{id}/cancel",
            "endpoints/{name}/pause",
            "endpoints/{name}/resume",
            "papers/{id}/fetch",
            *(f"redrives/{{id}}/{act}" for act in ("approve", "pause", "continue", "cancel")),
        )
    },
    "POST /v1/ops/deliveries/{id}/redrive": _body(("reason",), reason=REASON, kind=_KIND, overtaken=_OVERTAKEN),
    "POST /v1/ops/deliveries/{id}/resolve": _body(
        ("arrived", "evidence"),
        arrived=_flag("平台是否已经收到 whether it arrived at the platform"),
        evidence=text("依据，留痕审计 by what it is known, kept in the audit trail", minLength=1, maxLength=500),
    ),
    "POST /v1/ops/deliveries/{id}/wire/reveal": _body(
        ("reason", "pointer"),
        reason=REASON,
        side=_word("原文或者译文 as it was posted, or as it was translated", Side, default=Side.WIRE.value),
        pointer=text("要看的位置（JSON 指针） the place, a JSON pointer", pattern="^/", maxLength=300),
    ),
    "POST /v1/ops/tasks/{id}/assign": _body(
        ("reason", "assignee"),
        reason=REASON,
        assignee=text("指派给谁：姓名或者账号 whose it is: a name or account", minLength=1, maxLength=100),
    ),
    "POST /v1/ops/tasks/{id}/resolve": _body(
        ("reason",),
        reason=REASON,
        decision=_word(
            "疑似重复案件的待办必填：关联或者各自独立 of a possible duplicate: link or keep apart", (LINK, KEEP_APART)
        ),
        cases={
            "type": "array",
            "items": {"type": "string"},
            "description": "所关联的案件，缺省全部 the cases that are linked; absent: all",
        },
    ),
    "POST /v1/ops/redrives": _REDRIVE,
    "POST /v1/ops/reconciliations": _body(
        ("endpoint", "from", "to"),
        endpoint=text("平台（端点）名称 the endpoint's name", minLength=1, maxLength=100),
        **{
            "from": text(
                "期间起：日期或者带时区偏移的 RFC 3339 时间 the period's beginning: a day, or a time with offset"
            ),
            "to": text("期间止：日期或者带时区偏移的 RFC 3339 时间 the period's end: a day, or a time with offset"),
        },
    ),
    "POST /v1/ops/reconciliations/{id}/heal": _body(
        ("reason",),
        reason={**REASON, "maxLength": 400},
        kinds={
            "type": "array",
            "items": {"type": "string", "enum": [str(kind) for kind in Kind]},
            "description": "要修复的差异种类，缺省全部 the kinds that are mended; absent: all",
        },
    ),
    "POST /v1/ops/reports": _body(
        ("reason", "organization", "period"),
        reason=REASON,
        organization=text("调解组织编码 the organisation's code", minLength=1, maxLength=32),
        period=text("季度（如 2026Q3） a quarter, such as 2026Q3", pattern="^[0-9]{4}Q[1-4]$"),
    ),
}
"""By ``METHOD path`` the body of each operator's call."""
