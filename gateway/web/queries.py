"""What may be asked for in the address of each call: its query parameters, their forms, in both languages. The calls keep to
this table, and the description of the interface is drawn from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.deliveries import DeliveryState
from contracts.lists import ConfirmationRoute
from contracts.status import CallbackState, CaseStatus, ClockState, ReferralStatus, TaskKind
from gateway.report.definitions import Basis
from gateway.store.console_tables import JOB_ITEM_STATES


@dataclass(frozen=True, slots=True)
class Query:
    """One query parameter. ``words``: the closed list that it is out of; ``repeated``: it may come more than once."""

    name: str
    zh: str
    en: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    words: tuple[str, ...] = ()
    repeated: bool = False

    @property
    def described(self) -> dict[str, Any]:
        """As the description of the interface shows it."""
        schema = dict(self.schema) | ({"enum": list(self.words)} if self.words else {})
        if self.repeated:
            schema = {"type": "array", "items": schema}
        return {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": f"{self.zh} {self.en}",
            "schema": schema,
        }


def _words(name: str, zh: str, en: str, words: Iterable[str], default: str | None = None) -> Query:
    schema = {"type": "string"} | ({} if default is None else {"default": str(default)})
    return Query(name, zh, en, schema, tuple(map(str, words)))


_MOMENT: Final = {"type": "string", "format": "date-time"}
_DAY: Final = {"type": "string", "format": "date"}
_LIMIT: Final = Query(
    "limit",
    "每页条数，1 至 1000；超过此列表上限的按上限给出",
    "items of a page, 1 to 1000; more than the list's most are cut to it",
    {"type": "integer", "minimum": 1, "maximum": 1000},
)
_CURSOR: Final = Query("cursor", "上一页返回的游标，原样带回", "the cursor of the page before, as it was given")
_PAGED: Final = (_CURSOR, _LIMIT)
_SINCE: Final = Query(
    "updated_after",
    "此刻起变更过的，RFC 3339 时间，带时区偏移",
    "changed at this moment or later; an RFC 3339 time with offset",
    _MOMENT,
)
_CASE: Final = Query("case", "案件编号 case_…", "the case's id, case_…")
_ENDPOINT: Final = Query("endpoint", "平台（端点）名称", "the endpoint's name")
_AFTER: Final = Query(
    "after", "从此游标之后读起", "read on after this cursor", {"type": "string", "pattern": "^[0-9]{1,18}$"}
)
_TYPE: Final = Query(
    "type",
    "事件类型，或者 case.* 这样的一类；可重复",
    "a type of event, or all of a noun such as case.*; may be repeated",
    repeated=True,
)
_FILED: Final = (
    Query("organization", "调解组织代码", "the organisation's code", {"type": "string", "maxLength": 32}),
    Query("from", "期间首日", "the period's first day", _DAY),
    Query("to", "期间末日", "the period's last day", _DAY),
    Query(
        "period",
        "季度，如 2026Q3；不与 from、to 同用",
        "a quarter, such as 2026Q3; not beside from and to",
        {"type": "string", "pattern": "^[0-9]{4}Q[1-4]$"},
    ),
)

QUERIES: Final[Mapping[str, tuple[Query, ...]]] = {
    "POST /v1/cases": (
        Query(
            "dry_run",
            "true：只试转换，什么也不保存",
            "true: translate only, store nothing",
            {"type": "boolean", "default": False},
        ),
    ),
    "GET /v1/cases": (
        Query("source_case_no", "上报系统的案件编号", "the sender's own number of the case"),
        Query(
            "external_ref",
            "平台给出的案号、流水号、任务号等，写法不限",
            "a number that a platform gave, in any spelling",
        ),
        _words("status", "案件状态", "the case's status", CaseStatus),
        _SINCE,
        *_PAGED,
    ),
    "GET /v1/referrals": (
        _words("status", "委派委托状态", "the referral's status", ReferralStatus),
        _SINCE,
        *_PAGED,
    ),
    "GET /v1/mediators": (
        _words("status", "在册或者已离册", "on the roster or gone from it", ("active", "left")),
        _SINCE,
        *_PAGED,
    ),
    "GET /v1/cases/{id}/platforms": (
        Query(
            "at",
            "所问的时刻，RFC 3339 时间，带时区偏移；缺省为现在",
            "the moment asked for, an RFC 3339 time with offset; absent: now",
            _MOMENT,
        ),
    ),
    **{
        f"GET /v1/{home}/{{id}}/papers/{{kind}}": (
            _words("route", "确认途径", "the route of the confirmation", ConfirmationRoute),
        )
        for home in ("cases", "agreements", "confirmations")
    },
    "GET /v1/clocks": (
        _CASE,
        Query("due_before", "截止日早于此日", "due before this day", _DAY),
        _words(
            "state",
            "期限状态；缺省为 running，指明 case 时缺省为全部",
            "the clock's state; absent: running, beside case: every one",
            ClockState,
        ),
        *_PAGED,
    ),
    "GET /v1/events": (_AFTER, _TYPE, _LIMIT),
    "GET /v1/events/stream": (_AFTER, _TYPE),
    "GET /v1/ledger": (
        *_FILED,
        _words(
            "basis", "口径：登记、受理或者结案日", "by the day of receipt, acceptance or end", Basis, Basis.RECEIVED
        ),
        _words(
            "plain",
            "true：明文（须有 X-Reason）",
            "true: not masked (needs X-Reason)",
            ("true", "false"),
            "false",
        ),
        *_PAGED,
    ),
    "GET /v1/statistics": _FILED,
    "GET /v1/indicators": _FILED,
    "GET /v1/ops/deliveries": (
        _words("state", "投递状态", "the delivery's state", DeliveryState),
        _ENDPOINT,
        _CASE,
        *_PAGED,
    ),
    "GET /v1/ops/tasks": (
        _words("state", "待办状态", "the task's state", ("open", "resolved"), "open"),
        _words("kind", "待办种类", "the task's kind", TaskKind),
        *_PAGED,
    ),
    "GET /v1/ops/orphans": (
        _words("state", "回调状态", "the callback's state", CallbackState, CallbackState.ORPHAN),
        *_PAGED,
    ),
    "GET /v1/ops/reconciliations": (_ENDPOINT, *_PAGED),
    "GET /v1/ops/reconciliations/{id}": _PAGED,
    "GET /v1/ops/redrives": _PAGED,
    "GET /v1/ops/redrives/{id}/items": (
        _words("state", "作业中投递的状态", "the item's state", JOB_ITEM_STATES, "failed"),
        *_PAGED,
    ),
}
"""By ``METHOD path`` the query parameters of each call that takes any."""
