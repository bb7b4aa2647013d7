"""What stands at the platform: every ``OUT_ID`` with its digest, the cases and their steps, one record per effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from mocks.commerce_federation import moments
from mocks.commerce_federation.checks import ENDED, operation
from mocks.commerce_federation.digests import Row
from mocks.commerce_federation.findings import Wrong
from mocks.platform import Json

DECLINED: Final = "10"
CLOSED: Final = "99"
TRANSFERRED: Final = frozenset(("8", "11"))
_FINAL: Final = frozenset((DECLINED, CLOSED))
_AFTER_THE_END: Final = TRANSFERRED | {ENDED, CLOSED}


@dataclass(slots=True)
class Seen:
    """An ``OUT_ID`` that was judged: its digest, and its number where it was accepted."""

    digest: str
    plat_no: str
    at: datetime


@dataclass(slots=True)
class Case:
    """A case 案件 as the platform has it. ``state`` is the last code of D6, by whoever said it."""

    plat_no: str
    organization: str
    state: str = "1"
    stands: bool = True
    agreed: bool | None = None
    agreements: dict[str, list[str]] = field(default_factory=dict)


class Ledger:
    """The state, made of journal entries alone: the same entries give the same state."""

    def __init__(self, memory_days: float) -> None:
        self._memory = timedelta(days=memory_days)
        self._seen: dict[str, Seen] = {}
        self._judged: set[str] = set()
        self.cases: dict[str, Case] = {}
        self._case_of: dict[str, str] = {}
        self.records: list[Json] = []
        self.pending: dict[str, Json] = {}
        self.last_in = 0
        self._numbers = 0

    # --- asked

    def known(self, row: Row, now: datetime) -> Seen | None:
        """What is kept of this ``OUT_ID``. Raises :class:`Wrong` (E23) when it came with another ``DIGEST``."""
        seen = self._seen.get(row["OUT_ID"])
        if seen is None or now - seen.at > self._memory:
            return None
        if seen.digest != row["DIGEST"]:
            raise Wrong("E23", "OUT_ID")
        return seen

    def judged(self, out_id: str) -> bool:
        """Whether a row of this id was ever worked."""
        return out_id in self._judged

    def check(self, row: Row, values: dict[str, Any]) -> None:
        """Hold a row against what stands. Raises :class:`Wrong` (E31, E32, E33)."""
        op = operation(row)
        case = self.cases.get(row["CASE_KEY"])
        if op == "case.submit":
            if case is not None and case.stands:
                raise Wrong("E32", "CASE_KEY")
            return
        if case is None:
            raise Wrong("E32" if op == "case.revise" else "E31", "CASE_KEY")
        if not case.stands:
            raise Wrong("E31", "CASE_KEY")
        if op == "case.delete":
            return
        if case.state in _FINAL:
            raise Wrong("E33", "CASE_KEY")
        if op == "case.progress":
            _check_progress(case, values)
        elif op == "agreement.submit":
            if case.agreed is False:
                raise Wrong("E33", "CASE_KEY")
            if values["xy"]["xybh"] in case.agreements:
                raise Wrong("E32", "xy.xybh")
        elif op == "performance.submit":
            terms = case.agreements.get(values["lx"]["xybh"])
            if terms is None:
                raise Wrong("E31", "lx.xybh")
            if values["lx"]["xh"] not in terms:
                raise Wrong("E31", "lx.xh")

    def case_of(self, ref: str) -> tuple[str, Case] | None:
        """The case of a ``PLAT_NO`` (its own or of a step) or of a ``CASE_KEY``."""
        key = self._case_of.get(ref, ref)
        case = self.cases.get(key)
        return None if case is None else (key, case)

    def number_for(self, row: Row, now: datetime) -> str:
        """The ``PLAT_NO`` that a row will get: a new one, or that of the record that it edits or deletes."""
        if operation(row) in ("case.revise", "case.delete"):
            return self.cases[row["CASE_KEY"]].plat_no
        return f"SHTJ{now:%Y%m%d}{self._numbers % 1_000_000 + 1:06d}"

    # --- told

    def take(self, entry: Json) -> None:
        """What an entry of the journal says. Other entries than verdicts and decisions change nothing."""
        self.last_in = max(self.last_in, entry.get("in_id", 0))
        if entry["kind"] == "decision":
            case, zt = self.cases[entry["business_key"]], entry["zt"]
            if zt in _FINAL or (zt and case.state not in _AFTER_THE_END | _FINAL):
                case.state = zt
            self.settled(entry["ref"])
        elif "verdict" in entry:
            at = moments.read(entry["happened_at"])
            if at is None:
                raise ValueError("a stored time is unreadable")
            self._judged.add(entry["message_id"])
            if entry["verdict"] not in ("E20", "E23"):  # a digest that proves nothing is not kept
                self._seen[entry["message_id"]] = Seen(entry["digest"], entry["ref"], at)
            if entry["effect"] == "created":
                self._effect(entry)

    def settled(self, ref: str) -> None:
        """The clerk has looked at it."""
        record = self.pending.pop(ref, None)
        if record is not None:
            record["undecided"] = False

    def _effect(self, entry: Json) -> None:
        op, key, ref, payload = entry["kind"], entry["business_key"], entry["ref"], entry["payload"]
        values = payload["NR"]
        if op not in ("case.revise", "case.delete"):
            self._numbers += 1
        self._case_of[ref] = key
        if op == "case.submit":
            self.cases[key] = Case(ref, payload["ORG_CODE"], "2" if "slrq" in values else "1")
        case = self.cases[key]
        if op == "case.delete":
            case.stands = False
            self.settled(ref)
        elif op == "case.progress":
            case.state = values["zt"]
            if values["zt"] == ENDED:
                case.agreed = values["tjjg"] == "1"
        elif op == "agreement.submit":
            case.agreements[values["xy"]["xybh"]] = [term["xh"] for term in values["xy"]["xynr"]]
        record = {
            "kind": op,
            "business_key": key,
            "ref": ref,
            "message_id": entry["message_id"],
            "organization": payload["ORG_CODE"],
            "state": "deleted" if op == "case.delete" else "accepted",
            "undecided": op == "case.submit",
            "matter": key,
            "files": payload["files"],
        }
        self.records.append(record)
        if op == "case.submit":
            self.pending[ref] = record


def _check_progress(case: Case, values: dict[str, Any]) -> None:
    if case.state == ENDED and values["zt"] not in _AFTER_THE_END:
        raise Wrong("E33", "zt")
    if case.state in TRANSFERRED and values["zt"] not in TRANSFERRED | {CLOSED}:
        raise Wrong("E33", "zt")
