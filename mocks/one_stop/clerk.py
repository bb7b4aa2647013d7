"""The platform's clerk: the orders of a tester (page §7) as rows of the feed, and what he does by himself."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from mocks.clock import Clock
from mocks.numbers import reference
from mocks.one_stop import tables
from mocks.one_stop.checks import check_items
from mocks.one_stop.ledger import TIME_FORM, TRANSFER_OPEN, Assignment, AssignmentState, Json, Ledger
from mocks.one_stop.refusal import BusinessRefusal
from mocks.one_stop.sample import assigned_case
from mocks.one_stop.schema import CASE_CORE, Items, Operation, Rows
from mocks.one_stop.settings import Settings
from mocks.platform import Refused

#: What the order of each decision may have beside ref, decision and 机构编码.
_ORDERS: Final = {
    "status": {"code", "progress", "reason", "document_no"},
    "supervise": {"opinion", "deadline"},
    "recall": {"reason"},
    "expire": set[str](),
    "file": {"document_no"},
    "refuse": {"reason"},
    "correct": {"reason"},
}
_TRANSFER_CODES: Final = {"file": "42", "refuse": "43", "correct": "44"}
_ASSIGNED: Final = Operation("分流指派", CASE_CORE)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Clerk:
    """Turns orders into changes (without their 变更序号, which the feed gives)."""

    def __init__(self, settings: Settings, ledger: Ledger, clock: Clock) -> None:
        self._settings = settings
        self._ledger = ledger
        self._clock = clock

    # --- orders of a tester

    def decide(self, order: Json) -> Items:
        """The change for ``{ref, decision, …}``. Raises :class:`Refused` (422)."""
        decision = order["decision"]
        known = _ORDERS.get(decision)
        if known is None:
            raise Refused(422, f"one_stop decides {', '.join(_ORDERS)}")
        texts = _texts(order, {"ref", "decision", "机构编码", *known})
        ref = self._find(texts["ref"], texts.get("机构编码", ""))
        match decision:
            case "status":
                return self._status(ref, texts)
            case "supervise":
                opinion = texts.get("opinion", "请加快办理并反馈进展")
                return self.row(
                    tables.CHANGE_SUPERVISED, ref, {"督办意见": opinion, "反馈期限": texts.get("deadline", "")}
                )
            case "recall":
                self._open(ref, AssignmentState.OFFERED, AssignmentState.ACCEPTED)
                return self.recalled(ref, texts.get("reason", "另行指派"))
            case "expire":
                self._open(ref, AssignmentState.OFFERED)
                return self.recalled(ref, tables.EXPIRED_REASON)
            case _:
                case = self._ledger.case_at(ref)
                if case is None or not any(transfer["state"] in TRANSFER_OPEN for transfer in case.transfers):
                    raise Refused(422, f"{decision}: the case has no open transfer")
                return self._status(ref, texts | {"code": _TRANSFER_CODES[decision]})

    def refer(self, order: Json) -> tuple[str, Items]:
        """A new assignment 分流指派: its 平台编号 and its first change. Raises :class:`Refused` (422).

        ``order``: 机构编码, and what is to differ from a synthetic case: 签收期限 and 化解时限, the case items of
        reportCase from 名称 to 代理人列表 under their names (``null`` leaves one out).
        """
        organization = order.get("机构编码")
        if organization not in self._settings.organization_codes:
            raise Refused(422, "机构编码 must be one of organization_codes")
        names = {entry.name for entry in CASE_CORE}
        if unknown := sorted(set(order) - names - {"机构编码", "签收期限", "化解时限"}):
            raise Refused(422, f"unknown item {', '.join(unknown)}")
        now = self._clock.now()
        number = self._ledger.references + 1
        case: Json = {**assigned_case(number, now), **{name: order[name] for name in order if name in names}}
        items = _case_items(case)
        sign_by = order.get("签收期限", (now + timedelta(hours=self._settings.sign_h)).strftime(TIME_FORM))
        done_by = order.get("化解时限", f"{now + timedelta(days=self._settings.mediation_days):%Y-%m-%d}")
        _moment("签收期限", sign_by, TIME_FORM)
        if done_by is not None:
            _moment("化解时限", done_by, "%Y-%m-%d")
        ref = reference(_head(items, self._settings.region), now, number)
        more: Items = {
            "指派单号": f"ZP{now:%Y%m%d}{number:06d}",
            "签收期限": sign_by,
            "化解时限": done_by or "",
            **items,
        }
        return ref, self.row(tables.CHANGE_ASSIGNED, ref, more, organization)

    # --- rows

    def row(self, kind: str, ref: str, more: Items, organization: str | None = None) -> Items:
        """A change of 变更类型 ``kind`` about the entry ``ref``, as of now; empty items are left out."""
        row: Items = {
            "变更类型": kind,
            "平台编号": ref,
            "案件外部编号": self._ledger.number_of(ref),
            "机构编码": organization or self._ledger.organization_of(ref) or "",
            "变更时间": self._clock.now().strftime(TIME_FORM),
            **more,
        }
        return {name: value for name, value in row.items() if value}

    def recalled(self, ref: str, reason: str) -> Items:
        """指派撤回."""
        return self.row(tables.CHANGE_RECALLED, ref, {"原因": reason})

    def offered_again(self, assignment: Assignment) -> Items:
        """The assignment as type 1 once more."""
        first: Items = assignment.record["items"]
        kept = {name: value for name, value in first.items() if name not in ("变更序号", "变更时间")}
        return self.row(tables.CHANGE_ASSIGNED, assignment.ref, kept)

    def overdue(self) -> Items | None:
        """The next change that time alone brings: an expired assignment, or one that is offered again (page §5)."""
        now = self._clock.now()
        for assignment in self._ledger.waiting():
            if now > assignment.sign_by:
                return self.recalled(assignment.ref, tables.EXPIRED_REASON)
            # Times of the feed are whole seconds: a shorter period would never be over.
            period = max(timedelta(hours=self._settings.reoffer_h), timedelta(seconds=1))
            if now - assignment.offered_at >= period and not self._ledger.is_bound(assignment.ref):
                return self.offered_again(assignment)
        return None

    def early(self, operation: str, ref: str) -> Items | None:
        """What the clerk says at once about a write of ``operation``; ``None`` where 平台编号 is no case's."""
        if self._ledger.organization_of(ref) is None:
            return None
        match operation:
            case "reportTransfer":
                return self._status(ref, {"code": "42", "document_no": self._document_no()})
            case "reportCase":
                return self._status(ref, {"code": "02"})
            case _:
                return self.row(tables.CHANGE_SUPERVISED, ref, {"督办意见": "请及时反馈进展"})

    def forged(self, organization: str, how: str) -> Items:
        """A row that must never be applied: about a case of ``organization``, closed by a stranger (page §7)."""
        case = next((case for case in self._ledger.cases.values() if case.organization == organization), None)
        ref = case.ref if case is not None else reference(self._settings.region, self._clock.now(), 999_999)
        row = self.row(tables.CHANGE_STATUS, ref, {"进展类别": "1", "状态": "99"}, organization)
        match how:
            case "other_organization":
                return row | {"机构编码": "SD-XX-FORGED-999"}
            case "unknown_type":
                return row | {"变更类型": "9"}
            case _:
                return row

    # --- by himself

    def choice_of(self, record: Json) -> dict[str, float]:
        """The weights by which the autopilot decides a case or a transfer when the mix names none of them.

        Arbitration and court tell their own decision elsewhere, so this platform is silent about those transfers.
        """
        if record["kind"] != "reportTransfer":
            return {"nothing": 1, "supervise": 0, "accept": 0, "close": 0}
        if record["items"]["转往"] in ("1", "2"):
            return {"nothing": 1, "file": 0, "refuse": 0, "correct": 0}
        return {"nothing": 0, "file": 0.9, "refuse": 0.1, "correct": 0}

    def chosen(self, choice: str, record: Json, random: Random) -> Items | None:
        """The change that the autopilot's ``choice`` makes; ``None`` for nothing."""
        ref = record["ref"]
        match choice:
            case "supervise":
                return self.row(tables.CHANGE_SUPERVISED, ref, {"督办意见": "请在时限内办结并反馈"})
            case "accept":
                return self._status(ref, {"code": "02"})
            case "close":
                return self._status(ref, {"code": "99"})
            case "file":
                return self._status(ref, {"code": "42", "document_no": self._document_no(random.randrange(1, 10_000))})
            case "refuse" | "correct":
                return self._status(ref, {"code": _TRANSFER_CODES[choice], "reason": "99"})
            case _:
                return None

    # --- inside

    def _document_no(self, number: int = 1) -> str:
        return f"济综转〔{self._clock.now():%Y}〕第{number}号"

    def _status(self, ref: str, texts: dict[str, str]) -> Items:
        code = texts.get("code", "")
        progress = texts.get("progress") or tables.progress_of(code)
        if not code or progress is None:
            raise Refused(422, "status needs a code of the table 状态 (or any code with progress, its 进展类别)")
        more: Items = {
            "进展类别": progress,
            "状态": code,
            "原因": texts.get("reason", ""),
            "文书号": texts.get("document_no", ""),
        }
        return self.row(tables.CHANGE_STATUS, ref, more)

    def _find(self, ref: str, organization: str) -> str:
        if self._ledger.organization_of(ref) is not None:
            return ref
        found = self._ledger.entries_of(ref, organization)
        if len(found) != 1:
            raise Refused(422, "ref is no 平台编号 and no 案件外部编号" if not found else "ref needs its 机构编码")
        return found[0]

    def _open(self, ref: str, *states: AssignmentState) -> None:
        assignment = self._ledger.assignments.get(ref)
        if assignment is None or assignment.state not in states:
            raise Refused(422, f"ref is no assignment that is {' or '.join(states)}")


def _texts(order: Json, known: set[str]) -> dict[str, str]:
    if unknown := sorted(set(order) - known):
        raise Refused(422, f"unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    texts: dict[str, str] = {}
    for name, value in order.items():
        if not isinstance(value, str) or _FORBIDDEN.search(value):
            raise Refused(422, f"{name} must be a text that XML can hold")
        texts[name] = value
    return texts


def _case_items(case: Json) -> Items:
    """The case items in the order of the page, checked as strictly as those of reportCase."""
    items: Items = {}
    for entry in CASE_CORE:
        value = case.get(entry.name)
        if value is None:
            continue
        if isinstance(entry, Rows):
            if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
                raise Refused(422, f"{entry.name} must be a list of objects")
            rows = [_texts(row, {item.name for item in entry.items}) for row in value]
            items[entry.name] = [
                {item.name: row[item.name] for item in entry.items if row.get(item.name)} for row in rows
            ]
        else:
            items[entry.name] = _texts({entry.name: value}, {entry.name})[entry.name]
    try:
        kept = check_items(_ASSIGNED, items, [], page_units=0, most_pages=0)
    except BusinessRefusal as refusal:
        raise Refused(422, f"{refusal.item}: {refusal.text}") from None
    if kept != items:
        raise Refused(422, "a text is over its limit: this platform sends no 续页")
    return items


def _moment(name: str, text: Any, form: str) -> None:
    try:
        right = isinstance(text, str) and datetime.strptime(text, form).strftime(form) == text  # noqa: DTZ007 -- form only
    except ValueError:
        right = False
    if not right:
        raise Refused(422, f"{name} must look like {datetime(2026, 9, 30, 17, 5, 3).strftime(form)}")  # noqa: DTZ001 -- an example


def _head(items: Items, region: str) -> str:
    place = items.get("发生地点")
    return place[:6] if isinstance(place, str) else region
