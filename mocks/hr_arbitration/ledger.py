"""What the platform knows: cases, agreements, reviews, transfers, tasks, mediators, files (hr_arbitration page §4)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mocks.hr_arbitration.fields import Json, join

#: Callback and its result field → the state that it gives a matter.
_REVIEW_RESULT = {"1": "confirmed", "2": "rejected", "3": "withdrawn", "4": "deemed_withdrawn"}
_TRANSFER_RESULT = {"1": "filed", "2": "refused", "3": "correction_required"}
#: States of a review that is decided; all others are active (4021).
DECIDED = frozenset({"not_accepted", *_REVIEW_RESULT.values()})
_FIRST_REFERENCE = 90071992547409930000
_REFERENCE = re.compile(r"[0-9]{20}")


@dataclass(slots=True)
class Matter:
    """One thing a callback can be about. ``noun``: case, review, transfer, task; ``number``: the gateway's own."""

    noun: str
    number: str
    ref: str
    content: Json
    state: str
    record: Json
    corrected: bool = False
    withdrawing: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """The first answer to a serial number."""

    digest: str
    ref: str
    time: str


@dataclass(slots=True)
class Ledger:
    """All state, built from journal entries alone: :meth:`apply` is the only way in, live and at a restart."""

    answers: dict[tuple[str, str], Stored] = field(default_factory=dict)
    cases: dict[tuple[str, str], Matter] = field(default_factory=dict)
    agreements: dict[tuple[str, str], Json] = field(default_factory=dict)
    reviews: dict[str, Matter] = field(default_factory=dict)
    #: (BZA002, BZD001) → all reviews ever asked for this agreement.
    reviews_of: dict[tuple[str, str], list[Matter]] = field(default_factory=dict)
    transfers: dict[str, Matter] = field(default_factory=dict)
    tasks: dict[str, Matter] = field(default_factory=dict)
    left_mediators: set[str] = field(default_factory=set)
    files: dict[str, Json] = field(default_factory=dict)
    by_ref: dict[str, Matter] = field(default_factory=dict)
    records: list[Json] = field(default_factory=list)
    #: References that the gateway has been told.
    known: set[str] = field(default_factory=set)
    _references: int = 0
    _events: int = 0

    def new_reference(self) -> str:
        """A reference of 20 digits (above 2^53)."""
        self._references += 1
        return str(_FIRST_REFERENCE + self._references)

    def new_event(self, day: str) -> str:
        """The serialno of a callback: the platform's event number."""
        self._events += 1
        return f"EV{day}{self._events:010d}"

    def restore(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Apply a journal from its beginning."""
        for entry in entries:
            self.apply(entry)
            self._events += entry["kind"] == "push_queued"
            if _REFERENCE.fullmatch(entry["ref"]):
                self._references = max(self._references, int(entry["ref"]) - _FIRST_REFERENCE)
                self.known.add(entry["ref"])

    def apply(self, entry: Mapping[str, Any]) -> None:
        """Take one journal entry: a stored message, or a callback that was queued (it carries the clerk's decision)."""
        if entry["kind"] == "push_queued":
            payload = entry["payload"]
            self._told(payload["op"], payload["content"], entry["ref"])
        elif entry["kind"] == "document":
            self._keep_file(entry["ref"], entry["payload"])
        elif entry["kind"] == "lost":
            self._lost(entry["message_id"])
        elif entry["effect"] == "created" and entry["kind"].startswith("TJ"):
            self._stored(entry)

    def _lost(self, message_id: str) -> None:
        """What came under this serial number is gone, with what it had opened."""
        for service, serial in [key for key in self.answers if key[1] == message_id]:
            del self.answers[service, serial]
        gone = [record for record in self.records if record.get("message_id") == message_id]
        self.records = [record for record in self.records if record.get("message_id") != message_id]
        for record in gone:
            content = record["content"]
            self.by_ref.pop(record["ref"], None)
            match record["kind"]:
                case "TJ1001":
                    self.cases.pop((content["BZA002"], content["BZA001"]), None)
                case "TJ1004":
                    self.agreements.pop((content["BZA002"], content["BZD001"]), None)
                case "TJ2001":
                    self.reviews.pop(content["BZC002"], None)
                    self.reviews_of.pop((content["BZA002"], content["BZD001"]), None)
                case "TJ3001":
                    self.transfers.pop(content["BZG001"], None)

    # --- messages of the gateway

    def _stored(self, entry: Mapping[str, Any]) -> None:
        service, ref, content = entry["kind"], entry["ref"], join(entry["payload"])
        self.answers[service, entry["message_id"]] = Stored(entry["digest"], ref, entry["time"])
        if service == "TJ9002":
            self._keep_file(ref, content)
            return
        record: Json = {
            "kind": service,
            "ref": ref,
            "business_key": entry["business_key"],
            "message_id": entry["message_id"],
            "at": entry["time"],
            "state": "stored",
            "content": content,
        }
        self.records.append(record)
        key = (content.get("BZA002", ""), content.get("BZA001", ""))
        match service:
            case "TJ1001" | "TJ1002":
                self._case(key, ref, content, record)
            case "TJ1003":
                self._state(self.cases[key], content["BZS001"])
                record["state"] = content["BZS001"]
            case "TJ1004":
                self.agreements[content["BZA002"], content["BZD001"]] = content
            case "TJ2001":
                review = Matter("review", content["BZC002"], ref, content, "requested", record)
                self._open(self.reviews, review)
                self.reviews_of.setdefault((content["BZA002"], content["BZD001"]), []).append(review)
            case "TJ2002":
                self._state(self.reviews[content["BZC002"]], "requested")
            case "TJ2003":
                self.reviews[content["BZC002"]].withdrawing = True
            case "TJ3001":
                self._open(self.transfers, Matter("transfer", content["BZG001"], ref, content, "requested", record))
            case "TJ4001":
                left = content.get("BZM003") == "0"
                (self.left_mediators.add if left else self.left_mediators.discard)(content["BZM001"])
                record["state"] = "left" if left else "valid"
            case "TJ5001":
                record["state"] = "accepted" if content["BZJ004"] == "1" else "declined"
                self._state(self.tasks[content["BZJ001"]], record["state"])
            case "TJ5002":
                record["state"] = "returned"
                self._state(self.tasks[content["BZJ001"]], "returned")

    def _case(self, key: tuple[str, str], ref: str, content: Json, record: Json) -> None:
        known = self.cases.get(key)
        if known is None:
            state = "02" if "BZA021" in content else "01"
            self.cases[key] = self.by_ref[ref] = Matter("case", key[1], ref, content, state, record)
        else:
            known.content = content
            known.record = record
            self.by_ref[ref] = known
            state = known.state
        record["state"] = state

    def _open(self, table: dict[str, Matter], matter: Matter) -> None:
        table[matter.number] = matter
        self.by_ref[matter.ref] = matter
        matter.record["state"] = matter.state

    def _keep_file(self, ref: str, content: Mapping[str, Any]) -> None:
        self.files[ref] = {code: content[code] for code in ("BZF002", "BZF003", "BZF004")}

    @staticmethod
    def _state(matter: Matter, state: str) -> None:
        matter.state = state
        matter.record["state"] = state

    # --- words of the platform

    def _told(self, op: str, content: Mapping[str, Any], ref: str) -> None:
        if op == "ZC5001":
            number = content["BZJ001"]
            record: Json = {
                "kind": op,
                "ref": number,
                "business_key": number,
                "message_id": "",
                "at": content.get("AAE036", ""),
                "state": "offered",
                "content": join(dict(content)),
            }
            self.records.append(record)
            self.tasks[number] = Matter("task", number, number, record["content"], "offered", record)
            self.by_ref.setdefault(number, self.tasks[number])
            return
        matter = self.by_ref.get(ref)
        if matter is None:
            return
        match op:
            case "ZC1001":
                self._state(matter, content.get("BZS001", matter.state))
            case "ZC2001":
                self._state(matter, "accepted")
            case "ZC2002":
                self._state(matter, "not_accepted")
            case "ZC2003":
                matter.corrected = True
                self._state(matter, "correction_required")
            case "ZC2004":
                self._state(matter, _REVIEW_RESULT.get(content.get("BZC010", ""), matter.state))
            case "ZC3001":
                self._state(matter, _TRANSFER_RESULT.get(content.get("BZG005", ""), matter.state))
            case "ZC5002":
                self._state(matter, "recalled")

    # --- look-ups

    def find(self, name: str) -> Matter | None:
        """The matter of a platform reference or of the gateway's number (a case number if one organisation has it)."""
        for table in (self.by_ref, self.reviews, self.transfers, self.tasks):
            if (matter := table.get(name)) is not None:
                return matter
        owner, _, number = name.partition("/")
        if (case := self.cases.get((owner, number))) is not None:
            return case
        cases = [matter for (_, number), matter in self.cases.items() if number == name]
        return cases[0] if len(cases) == 1 else None

    def undecided(self) -> list[Matter]:
        """Reviews and transfers that wait for the clerk; a correction waits for the applicant."""
        reviews = [
            review
            for review in self.reviews.values()
            if review.state in ("requested", "accepted") or (review.withdrawing and review.state not in DECIDED)
        ]
        return reviews + [transfer for transfer in self.transfers.values() if transfer.state == "requested"]


def business_key(service: str, content: Mapping[str, Any]) -> str:
    """The business key of §4; "BZA002 + BZA001" is written with a slash between."""
    case = f"{content.get('BZA002', '')}/{content.get('BZA001', '')}"
    names = {
        "TJ1001": case,
        "TJ1002": case,
        "TJ1003": case,
        "TJ1004": content.get("BZD001", ""),
        "TJ1005": content.get("BZD001", ""),
        "TJ1006": f"{content.get('BZS003', '')}/{content.get('BZS004', '')}",
        "TJ2001": content.get("BZC002", ""),
        "TJ2002": content.get("BZC002", ""),
        "TJ2003": content.get("BZC002", ""),
        "TJ3001": content.get("BZG001", ""),
        "TJ3002": case,
        "TJ4001": content.get("BZM001", ""),
        "TJ5001": content.get("BZJ001", ""),
        "TJ5002": content.get("BZJ001", ""),
    }
    key = names.get(service, "")
    return key if isinstance(key, str) else ""


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 over the plaintext as JSON values (order of keys and spacing do not count)."""
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
