"""What stands at the platform: every 业务主键 with its verdict, the cases and their steps, one record per effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from mocks.enterprise_confederation.words import Wrong
from mocks.platform import Json

DECLINED: Final = "不予受理"
CLOSED: Final = "已结案"
_FINAL: Final = frozenset((DECLINED, CLOSED))
_ENDS: Final = frozenset(("已达成协议", "部分达成", "未达成协议", "已撤回", "已终止"))
_WITHOUT_AGREEMENT: Final = frozenset(("未达成协议", "已撤回", "已终止", "已转出"))
_TRANSFERRED: Final = "已转出"


@dataclass(slots=True)
class Case:
    """A case 案件 as the platform has it. ``state`` is the last word, by whoever said it."""

    number: str
    organization: str
    state: str = "已登记"
    agreements: dict[str, list[str]] = field(default_factory=dict)


class Ledger:
    """The state, made of journal entries alone: the same entries give the same state."""

    def __init__(self) -> None:
        #: 业务主键 → platform number (empty when refused), code, text.
        self.seen: dict[str, tuple[str, str, str]] = {}
        #: Stem of each batch that was applied → the digits of its marker.
        self.batches: dict[str, str] = {}
        #: Stem → the highest nn of its replies.
        self.replies: dict[str, int] = {}
        self.cases: dict[str, Case] = {}
        self._case_of: dict[str, str] = {}
        self.records: list[Json] = []
        self.pending: dict[str, Json] = {}
        self.decisions: list[Json] = []
        self.last_status = 0
        self._numbers = 0

    # --- asked

    def check(self, op: str, cells: dict[str, str], detail: dict[str, Any]) -> None:
        """Hold a row against what stands. Raises :class:`Wrong` (E31, E32, E33)."""
        case = self.cases.get(cells["案件主键"])
        if op == "CASE":
            if (case is None) == (cells["操作"] == "修改"):
                raise Wrong("E32", "案件主键")
            if case is not None and case.state in _FINAL:
                raise Wrong("E33", "案件主键")
            return
        if case is None:
            raise Wrong("E31", "案件主键")
        if case.state in _FINAL:
            raise Wrong("E33", "案件主键")
        if op == "PROG":
            _check_step(case.state, cells["状态"])
        elif op == "AGRE":
            if case.state in _WITHOUT_AGREEMENT:
                raise Wrong("E33", "案件主键")
            if detail["协议编号"] in case.agreements:
                raise Wrong("E32", "协议编号")
        else:
            terms = case.agreements.get(detail["协议编号"])
            if terms is None:
                raise Wrong("E31", "协议编号")
            if detail["条款序号"] not in terms:
                raise Wrong("E31", "条款序号")

    def number_for(self, cells: dict[str, str], now: datetime) -> str:
        """The 平台编号 that a row will get: a new one, or that of the case that it revises."""
        if cells["操作"] == "修改":
            return self.cases[cells["案件主键"]].number
        return f"QL{now:%Y%m%d}{self._numbers % 1_000_000 + 1:06d}"

    def case_of(self, ref: str) -> tuple[str, Case] | None:
        """The case of a 平台编号 (its own or of a step) or of a 案件主键."""
        key = self._case_of.get(ref, ref)
        case = self.cases.get(key)
        return None if case is None else (key, case)

    # --- told

    def take(self, entry: Json) -> None:
        """What an entry of the journal says."""
        match entry["kind"]:
            case "decision":
                self.last_status = entry["number"]
                self.decisions.append(entry)
                case, word = self.cases[entry["business_key"]], entry["payload"]["状态"]
                if case.state not in _FINAL:
                    case.state = word
                self.settled(entry["ref"])
            case "batch":
                self.batches[entry["business_key"]] = entry["digest"]
            case "reply":
                self.replies[entry["business_key"]] = entry["number"]
            case _ if "verdict" in entry:
                self._row(entry)

    def settled(self, ref: str) -> None:
        """The clerk has looked at it."""
        record = self.pending.pop(ref, None)
        if record is not None:
            record["undecided"] = False

    def _row(self, entry: Json) -> None:
        if entry["effect"] == "repeated":
            return
        key = entry["message_id"]
        if key and key not in self.seen:
            self.seen[key] = (entry["ref"], entry["verdict"], entry["text"])
        if entry["effect"] != "created":
            return
        cells, detail = entry["payload"]["list"], entry["payload"]["detail"]
        kind, case_key, ref = entry["kind"], entry["business_key"], entry["ref"]
        if cells["操作"] != "修改":
            self._numbers += 1
        self._case_of[ref] = case_key
        if case_key not in self.cases:
            state = "已受理" if cells["受理时间"] else "已登记"
            self.cases[case_key] = Case(ref, cells["调解组织编码"], state)
        case = self.cases[case_key]
        if kind == "progress":
            case.state = cells["状态"]
        elif kind == "agreement":
            case.agreements[detail["协议编号"]] = [term["序号"] for term in detail["条款"]]
            if case.state not in _ENDS:
                case.state = "已达成协议"
        record = {
            "kind": kind,
            "business_key": case_key,
            "ref": ref,
            "message_id": key,
            "organization": cells["调解组织编码"],
            "state": "accepted",
            "undecided": kind == "case" and cells["操作"] == "新增",
            "matter": case_key,
            "files": entry["payload"]["files"],
        }
        self.records.append(record)
        if record["undecided"]:
            self.pending[ref] = record


def _check_step(state: str, word: str) -> None:
    """After an end: another end of a partial agreement, 已转出, 已结案; after 已转出: it again, 已结案."""
    if state == _TRANSFERRED and word not in (_TRANSFERRED, CLOSED):
        raise Wrong("E33", "状态")
    if state in _ENDS and word not in (state, _TRANSFERRED, CLOSED) and not (state == "部分达成" and word in _ENDS):
        raise Wrong("E33", "状态")
