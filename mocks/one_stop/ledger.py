"""The platform's own ledger: entries by 平台编号, cases, assignments, bindings, and the chain rules of page §8.4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mocks.clock import BEIJING
from mocks.one_stop import tables
from mocks.one_stop.refusal import BusinessRefusal
from mocks.one_stop.schema import Items

Json = dict[str, Any]
#: (机构编码, 案件外部编号), the business key of a case.
CaseKey = tuple[str, str]

TIME_FORM: Final = "%Y-%m-%d %H:%M:%S"
TRANSFER_REQUESTED: Final = "41"
TRANSFER_CORRECTION: Final = "44"
TRANSFER_OPEN: Final = (TRANSFER_REQUESTED, TRANSFER_CORRECTION)


class AssignmentState(StrEnum):
    """Where an assignment 分流指派 stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    RECALLED = "recalled"
    EXPIRED = "expired"
    FINISHED = "finished"


@dataclass(slots=True)
class Case:
    """A reported case: one entry, its record and what the platform itself said about it."""

    ref: str
    organization: str
    number: str
    record: Json
    transfers: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Assignment:
    """An assigned case, known by its 平台编号."""

    ref: str
    organization: str
    sign_by: datetime
    offered_at: datetime
    record: Json

    @property
    def state(self) -> AssignmentState:
        """Where it stands."""
        return AssignmentState(self.record["state"])

    @state.setter
    def state(self, state: AssignmentState) -> None:
        self.record["state"] = state.value


@dataclass(frozen=True, slots=True)
class Plan:
    """What a checked message will do: the 平台编号 (empty = a new one is made) and whether it is a repeat."""

    ref: str
    repeated: bool = False


class Ledger:
    """All state of the platform but the feed of changes; built by :meth:`apply` alone, live and from the journal."""

    def __init__(self) -> None:
        self.records: list[Json] = []
        self.cases: dict[CaseKey, Case] = {}
        self.assignments: dict[str, Assignment] = {}
        self._messages: dict[str, tuple[str, str]] = {}
        self._bindings: dict[CaseKey, str] = {}
        self._numbers_of: dict[str, list[CaseKey]] = {}
        self._case_of: dict[str, CaseKey] = {}
        self._mediators: dict[str, str] = {}
        #: How many 平台编号 were made.
        self.references = 0
        #: Cases and transfers that the autopilot has not looked at, by 案件外部编号 with its 机构编码, or 转办编号.
        self.pending: dict[str, Json] = {}

    # --- what is asked before a message is taken

    def known(self, message_id: str, digest: str) -> str | None:
        """The 平台编号 of the message taken under this 外部编号; ``None`` for a new one.

        Raises :class:`BusinessRefusal` E409 when its content was other.
        """
        known = self._messages.get(message_id)
        if known is None:
            return None
        if known[0] != digest:
            raise BusinessRefusal("E409")
        return known[1]

    def plan(self, operation: str, organization: str, items: Items) -> Plan:
        """Check the chain rules. Raises :class:`BusinessRefusal` E404, E420, E423, E424 or E425."""
        ref = _text(items, "平台编号")
        key = (organization, _text(items, "案件外部编号"))
        match operation:
            case "reportCase":
                return Plan(self._revised(key, ref) if items["操作类型"] == "2" else self._added(key, ref))
            case "saveMediator":
                return Plan(self._mediators.get(_text(items, "证号"), ""))
            case "bindId":
                return self._bound(key, ref)
            case "answerAssign":
                return Plan(self._answerable(organization, ref, accepts=items["答复"] == "1"))
            case "finishAssign":
                return Plan(self._finishable(organization, ref))
            case _:
                return Plan(self._case(key).ref)

    def _case(self, key: CaseKey) -> Case:
        case = self.cases.get(key)
        if case is None:
            raise BusinessRefusal("E404")
        return case

    def _revised(self, key: CaseKey, ref: str) -> str:
        case = self._case(key)
        if ref and ref != case.ref:
            raise BusinessRefusal("E423")
        return case.ref

    def _added(self, key: CaseKey, ref: str) -> str:
        if key in self.cases:
            raise BusinessRefusal("E420")
        bound = self._bindings.get(key, "")
        if ref and bound and bound != ref:
            raise BusinessRefusal("E423")
        ref = ref or bound
        if not ref:
            return ""
        if ref not in self.assignments:
            # A number bound to the entry of another case cannot become a case of its own.
            raise BusinessRefusal("E423" if ref in self._case_of else "E404")
        assignment = self._assignment(key[0], ref)
        if assignment.state not in (AssignmentState.OFFERED, AssignmentState.ACCEPTED, AssignmentState.FINISHED):
            raise BusinessRefusal("E425")
        if ref in self._case_of:
            raise BusinessRefusal("E420")
        return ref

    def _bound(self, key: CaseKey, ref: str) -> Plan:
        if self.organization_of(ref) != key[0]:
            raise BusinessRefusal("E404")
        bound = self._bindings.get(key)
        if bound is not None and bound != ref:
            raise BusinessRefusal("E423")
        return Plan(ref, repeated=bound == ref)

    def _assignment(self, organization: str, ref: str) -> Assignment:
        assignment = self.assignments.get(ref)
        if assignment is None:
            raise BusinessRefusal("E404")
        if assignment.organization != organization:
            raise BusinessRefusal("E425")
        return assignment

    def _answerable(self, organization: str, ref: str, *, accepts: bool) -> str:
        if self._assignment(organization, ref).state is not AssignmentState.OFFERED:
            raise BusinessRefusal("E425")
        if accepts and not self.is_bound(ref):
            raise BusinessRefusal("E424")
        return ref

    def _finishable(self, organization: str, ref: str) -> str:
        match self._assignment(organization, ref).state:
            case AssignmentState.ACCEPTED:
                return ref
            case AssignmentState.OFFERED:
                raise BusinessRefusal("E420")
            case _:
                raise BusinessRefusal("E425")

    # --- what is asked by the clerk

    def is_bound(self, ref: str) -> bool:
        """Whether any number is bound to ``ref``."""
        return bool(self._numbers_of.get(ref))

    def organization_of(self, ref: str) -> str | None:
        """The 机构编码 of the entry ``ref``; ``None`` when there is no such entry."""
        if (assignment := self.assignments.get(ref)) is not None:
            return assignment.organization
        key = self._case_of.get(ref)
        return None if key is None else key[0]

    def number_of(self, ref: str) -> str:
        """The 案件外部编号 to name beside ``ref``: of the reported case, else the number bound last, else empty."""
        key = self._case_of.get(ref) or next(reversed(self._numbers_of.get(ref, [])), None)
        return "" if key is None else key[1]

    def case_at(self, ref: str) -> Case | None:
        """The reported case of the entry ``ref``."""
        key = self._case_of.get(ref)
        return None if key is None else self.cases[key]

    def entries_of(self, number: str, organization: str = "") -> list[str]:
        """The 平台编号 that have the 案件外部编号 ``number``, of all organisations or of one."""
        return [ref for (owner, name), ref in self._bindings.items() if name == number and organization in ("", owner)]

    def waiting(self) -> Iterator[Assignment]:
        """The assignments that are unanswered and that no case continues."""
        for assignment in self.assignments.values():
            if assignment.state is AssignmentState.OFFERED and assignment.ref not in self._case_of:
                yield assignment

    # --- what happened

    def remember(self, entry: Json) -> None:
        """Take a repeat: a pair bound before may have come under a new 外部编号, which is known from now on."""
        self._messages.setdefault(entry["message_id"], (entry["digest"], entry["ref"]))

    def apply(self, entry: Json) -> None:
        """Take one entry of the journal with effect ``created``, or a change that was ``announced``."""
        kind, ref, items = entry["kind"], entry["ref"], entry["payload"]
        if kind == "change":
            self._announced(ref, items)
            return
        organization = items["报文头"]["机构编码"]
        self._messages[entry["message_id"]] = (entry["digest"], ref)
        record = {
            "kind": kind,
            "business_key": entry["business_key"],
            "ref": ref,
            "message_id": entry["message_id"],
            "organization": organization,
            "state": "registered",
            "items": {name: value for name, value in items.items() if name != "报文头"},
        }
        if entry.get("new_ref"):
            self.references += 1
        key = (organization, _text(items, "案件外部编号"))
        match kind:
            case "reportCase":
                self._registered(key, ref, items, record)
            case "bindId":
                self._bind(key, ref)
            case "saveMediator":
                self._mediators[items["证号"]] = ref
            case "reportProgress":
                record["state"] = items["状态"]
                if items["进展类别"] == tables.PROGRESS_CASE and items["来源"] == tables.OURSELVES:
                    self.cases[key].record["state"] = items["状态"]
            case "reportAgreement":
                self.cases[key].record["state"] = "06" if items["是否成功"] == "1" else "07"
            case "reportTransfer":
                record["state"] = TRANSFER_REQUESTED
                record["matter"] = items["转办编号"]
                self.cases[key].transfers.append(record)
                self.pending[f"transfer {items['转办编号']}"] = record
            case "answerAssign":
                accepted = items["答复"] == "1"
                self.assignments[ref].state = AssignmentState.ACCEPTED if accepted else AssignmentState.RETURNED
            case "finishAssign":
                self.assignments[ref].state = AssignmentState.FINISHED
        self.records.append(record)

    def _registered(self, key: CaseKey, ref: str, items: Json, record: Json) -> None:
        record["state"] = "02" if "受理时间" in items else "01"
        case = self.cases.get(key)
        if case is None:
            record["version"] = 1
            self.cases[key] = Case(ref, *key, record)
            self._case_of[ref] = key
            self._bind(key, ref)
            record["matter"] = "/".join(key)
            self.pending[f"case {'/'.join(key)}"] = record
            return
        record["version"] = case.record["version"] + 1
        record["state"] = case.record["state"]
        case.record["state"] = "superseded"
        case.record = record

    def _bind(self, key: CaseKey, ref: str) -> None:
        if self._bindings.get(key) != ref:
            self._bindings[key] = ref
            self._numbers_of.setdefault(ref, []).append(key)

    def _announced(self, ref: str, row: Json) -> None:
        at = _time(row["变更时间"])
        match row["变更类型"]:
            case tables.CHANGE_ASSIGNED:
                self._offered(ref, row, at)
            case tables.CHANGE_RECALLED:
                expired = row.get("原因") == tables.EXPIRED_REASON
                self.assignments[ref].state = AssignmentState.EXPIRED if expired else AssignmentState.RECALLED
            case tables.CHANGE_STATUS:
                self._told(ref, row["进展类别"], row["状态"])
            case tables.CHANGE_SUPERVISED:
                self.settled(ref)

    def _told(self, ref: str, progress: str, status: str) -> None:
        case = self.case_at(ref)
        if case is None:
            return
        case.record["platform_status"] = status
        if progress != tables.PROGRESS_TRANSFER:
            self.settled(ref)
            return
        for transfer in case.transfers:
            if transfer["state"] in TRANSFER_OPEN:
                transfer["state"] = status
                if status not in TRANSFER_OPEN:
                    self.settled(ref, transfer["matter"])

    def settled(self, ref: str, transfer: str | None = None) -> None:
        """The clerk has looked at the case of the entry ``ref``, or at one of its transfers."""
        key = self._case_of.get(ref)
        if transfer is not None:
            self.pending.pop(f"transfer {transfer}", None)
        elif key is not None:
            self.pending.pop(f"case {'/'.join(key)}", None)

    def _offered(self, ref: str, row: Json, at: datetime) -> None:
        assignment = self.assignments.get(ref)
        if assignment is not None:
            assignment.offered_at = at
            assignment.record["offers"] += 1
            return
        self.references += 1
        record = {
            "kind": "assignment",
            "business_key": ref,
            "ref": ref,
            "message_id": row["指派单号"],
            "organization": row["机构编码"],
            "state": AssignmentState.OFFERED.value,
            "offers": 1,
            "items": row,
        }
        self.records.append(record)
        self.assignments[ref] = Assignment(ref, row["机构编码"], _time(row["签收期限"]), at, record)


def _text(items: Json | Items, name: str) -> str:
    value = items.get(name, "")
    return value if isinstance(value, str) else ""


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORM).replace(tzinfo=BEIJING)
