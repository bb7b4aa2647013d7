"""The union's own books: every item it took, the cases it knows, the tasks it handed over (union page §5, §8.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mocks.union.checks import Finding

_FREE_OF_MEMBERSHIP = frozenset({"alert", "support"})  # L5 never applies to them (§5)
_NEEDS_CASE = frozenset({"case.change", "progress", "agreement.notice"})
_NOTICES = frozenset({"case.notice", "case.change"})


@dataclass(slots=True)
class Item:
    """One item (§3), which is one ledger entry, whatever its ``xlh``."""

    seq: int
    number: int
    batch_no: str
    method: str
    xlh: str
    jgdm: str
    ajbh: str
    yjbh: str
    answer: str
    collective: bool
    received: datetime
    code: str = ""
    """Refusal code found at reception (``yy``); empty for a sound item."""
    reason: str = ""
    state: str = "waiting"
    """``waiting``, ``accepted`` or ``refused``."""
    slh: str = ""
    told: bool = False
    """Whether a result callback about it was queued."""
    status: str = ""
    """Last code of ``case.status`` about it."""


@dataclass(slots=True)
class Case:
    """A case as the union knows it: it stands while one of its notices was not refused."""

    collective: bool = False
    notices: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Task:
    """A case that was handed over (移交): ``offered``, ``accepted``, ``declined``, ``recalled`` or ``returned``."""

    yjbh: str
    jgdm: str
    due: datetime
    state: str = "offered"


class Ledger:
    """All items in order of arrival, and what follows from them."""

    def __init__(self, organization_codes: Sequence[str]) -> None:
        """``organization_codes`` are the organisations of this union; none means all."""
        self._members = frozenset(organization_codes)
        self.items: dict[int, Item] = {}
        self.cases: dict[tuple[str, str], Case] = {}
        self.tasks: dict[str, Task] = {}
        self._waiting: set[int] = set()
        self._untold: dict[str, dict[int, Item]] = {}
        self._support: set[int] = set()
        self._by_xlh: dict[str, list[int]] = {}
        self._by_ajbh: dict[str, list[int]] = {}
        self._by_slh: dict[str, int] = {}

    def judge(self, method: str, fields: dict[str, str], now: datetime) -> Finding | None:
        """What the books say against a well-formed item: L5, then L4, then T1; None when nothing does."""
        jgdm = fields["jgdm"]
        case = self.cases.get((jgdm, fields.get("ajbh", "")))
        known = case is not None and bool(case.notices)
        collective = "zd" in fields or (case is not None and case.collective)
        if self._members and jgdm not in self._members and method not in _FREE_OF_MEMBERSHIP and not collective:
            return Finding("L5", "jgdm", "机构不属于本工会")
        if method in _NEEDS_CASE and not known:
            return Finding("L4", "ajbh", "案件未通报")
        if "yjbh" in fields and not self._open(method, fields["yjbh"], jgdm, now):
            return Finding("T1", "yjbh", "移交任务不存在、已答复或已逾期")
        return None

    def _open(self, method: str, yjbh: str, jgdm: str, now: datetime) -> bool:
        task = self.tasks.get(yjbh)
        if task is None or task.jgdm != jgdm:
            return False
        match method:
            case "referral.answer":
                return task.state == "offered" and now <= task.due
            case "referral.result":
                return task.state == "accepted"
            case _:
                return task.state not in ("declined", "recalled")

    def take(self, item: Item) -> None:
        """Enter an item; a sound one takes effect at once and loses it again when the clerk refuses it."""
        self.items[item.seq] = item
        self._untold.setdefault(item.batch_no, {})[item.seq] = item
        self._by_xlh.setdefault(item.xlh, []).append(item.seq)
        if item.ajbh:
            self._by_ajbh.setdefault(item.ajbh, []).append(item.seq)
        if item.code:
            item.state = "refused"
            return
        self._waiting.add(item.seq)
        self._apply(item)

    def _apply(self, item: Item) -> None:
        if item.method in _NOTICES and item.ajbh:
            case = self.cases.setdefault((item.jgdm, item.ajbh), Case())
            case.collective = case.collective or item.collective
            if item.method == "case.notice":
                case.notices.add(item.seq)
        task = self.tasks.get(item.yjbh)
        if task is not None and item.method == "referral.answer":
            task.state = "accepted" if item.answer == "1" else "declined"
        elif task is not None and item.method == "referral.result":
            task.state = "returned"

    def accept(self, item: Item, slh: str) -> None:
        """The clerk agrees; the item gets the union's number (受理号)."""
        item.state, item.slh = "accepted", slh
        self._by_slh[slh] = item.seq
        if item.method == "support":
            self._support.add(item.seq)
        self._waiting.discard(item.seq)

    def refuse(self, item: Item, code: str, reason: str) -> None:
        """The clerk refuses a sound item; what it did is undone."""
        item.state, item.code, item.reason = "refused", code, reason
        self._waiting.discard(item.seq)
        if item.method == "case.notice":
            self.cases[item.jgdm, item.ajbh].notices.discard(item.seq)
        task = self.tasks.get(item.yjbh)
        if task is not None and task.state != "recalled":
            if item.method == "referral.answer":
                task.state = "offered"
            elif item.method == "referral.result":
                task.state = "accepted"

    def tell(self, items: list[Item]) -> None:
        """A result callback about these items was queued."""
        for item in items:
            item.told = True
            batch = self._untold.get(item.batch_no, {})
            batch.pop(item.seq, None)
            if not batch:
                self._untold.pop(item.batch_no, None)

    def hand_over(self, task: Task) -> None:
        """Enter a task that was handed over."""
        self.tasks[task.yjbh] = task

    def recall(self, task: Task) -> None:
        """Take a task back (撤回)."""
        task.state = "recalled"

    def waiting(self) -> list[Item]:
        """Sound items that wait for the clerk, oldest first."""
        return [self.items[seq] for seq in sorted(self._waiting)]

    def open_support(self) -> list[Item]:
        """Accepted support requests that were neither filed (71) nor refused (72), oldest first."""
        return [self.items[seq] for seq in sorted(self._support) if not self.items[seq].status]

    def untold(self, batch_no: str) -> list[Item]:
        """Items of the batch of which no result callback was queued, in their order."""
        return list(self._untold.get(batch_no, {}).values())

    def untold_batches(self) -> dict[str, datetime]:
        """The batches that have untold items, and when they came."""
        return {batch_no: next(iter(items.values())).received for batch_no, items in self._untold.items()}

    def find(self, ref: str) -> list[Item]:
        """The items under an ``xlh``, ``slh`` or ``ajbh``, oldest first."""
        if ref in self._by_slh:
            return [self.items[self._by_slh[ref]]]
        return [self.items[seq] for seq in self._by_xlh.get(ref) or self._by_ajbh.get(ref, [])]

    def records(self) -> list[dict[str, Any]]:
        """One entry per item and one per task that was handed over."""
        entries: list[dict[str, Any]] = [
            {
                "kind": item.method,
                "seq": item.seq,
                "ref": item.slh or item.batch_no,
                "batchNo": item.batch_no,
                "xlh": item.xlh,
                "slh": item.slh,
                "jgdm": item.jgdm,
                "ajbh": item.ajbh,
                "yjbh": item.yjbh,
                "state": item.state,
                "yy": item.code,
                "told": item.told,
                "zt": item.status,
            }
            for item in self.items.values()
        ]
        entries += [
            {
                "kind": "case.handover",
                "ref": task.yjbh,
                "yjbh": task.yjbh,
                "jgdm": task.jgdm,
                "state": task.state,
                "dfqx": f"{task.due:%Y%m%d%H%M%S}",
            }
            for task in self.tasks.values()
        ]
        return entries
