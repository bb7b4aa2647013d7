"""The platform's own ledger: cases, agreements, referrals, quarterly reports and files; built from the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mocks.national_mediation import moments, tables
from mocks.national_mediation.problems import Finding, Problem, refused
from mocks.national_mediation.reading import Json

#: Kinds of journal entries that are no call of the client.
CHANGE, REFERRAL, FILE, PAPER = "change", "referral.offered", "file.upload", "paper"


class ReferralState(StrEnum):
    """Where a referral 转办件 stands."""

    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    RECALLED = "RECALLED"
    EXPIRED = "EXPIRED"
    RETURNED = "RETURNED"


@dataclass(slots=True)
class Case:
    """A case that was filed."""

    case_id: str
    case_no: str
    organization: str
    external_no: str
    record: Json
    version: int = 1
    status: str = tables.RECEIVED
    result: str = ""
    referral_id: str = ""
    #: ``agreementNo`` → ``agreementId``, and the terms of each ``agreementId``.
    agreements: dict[str, str] = field(default_factory=dict)
    terms: dict[str, frozenset[int]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """``orgCode``/``externalNo``."""
        return f"{self.organization}/{self.external_no}"


@dataclass(slots=True)
class Referral:
    """A case that is handed over; its ``case_id`` is that of the case which continues it."""

    referral_id: str
    referral_no: str
    case_id: str
    case_no: str
    organization: str
    offered_at: datetime
    due_at: datetime
    case: Json
    docs: list[Json]
    record: Json
    answer: ReferralState | None = None

    @property
    def state(self) -> ReferralState:
        """Where it stands."""
        return ReferralState(self.record["state"])

    @state.setter
    def state(self, state: ReferralState) -> None:
        self.record["state"] = state.value

    def item(self) -> Json:
        """As it stands in the list (page §6): no personal data."""
        more: Json = {name: self.case[name] for name in ("regionCode", "causeCode") if name in self.case}
        return {
            "referralId": self.referral_id,
            "referralNo": self.referral_no,
            "state": self.state.value,
            "orgCode": self.organization,
            **more,
            "offeredAt": moments.write(self.offered_at),
            "dueAt": moments.write(self.due_at),
        }


@dataclass(slots=True)
class File:
    """A file that lies here."""

    file_id: str
    kind: str
    name: str
    media: str
    sha256: str
    size: int
    ready_at: datetime | None = None

    def named(self) -> Json:
        """As an item of ``docs`` names it."""
        return {
            "fileId": self.file_id,
            "kind": self.kind,
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
        }


class Ledger:
    """All state but the pages and the idempotency memory; changed by :meth:`apply` alone, live and from the journal."""

    def __init__(self) -> None:
        self.records: list[Json] = []
        self.cases: dict[str, Case] = {}
        self.referrals: dict[str, Referral] = {}
        self.files: dict[str, File] = {}
        self._by_number: dict[tuple[str, str], str] = {}
        self._by_content: dict[str, str] = {}
        self._reports: dict[tuple[str, str], int] = {}
        self._latest: dict[tuple[str, str], Json] = {}
        self._referral_numbers: dict[str, str] = {}
        #: How many numbers were given out, of all kinds.
        self.numbers = 0
        #: Cases that the autopilot has not looked at.
        self.pending: dict[str, Json] = {}

    # --- what is asked before a call is taken

    def case(self, case_id: str) -> Case:
        """A filed case that is open. Raises :class:`Problem` ``CASE_UNKNOWN`` or ``CASE_CLOSED``."""
        case = self.cases.get(case_id)
        if case is None:
            raise Problem("CASE_UNKNOWN")
        if case.status == tables.CLOSED:
            raise Problem("CASE_CLOSED")
        return case

    def find(self, organization: str, external_no: str) -> Case | None:
        """The case of (``orgCode``, ``externalNo``)."""
        case_id = self._by_number.get((organization, external_no))
        return None if case_id is None else self.cases[case_id]

    def check_new(self, organization: str, external_no: str, referral_id: str | None) -> Referral | None:
        """The referral that a new case continues. Raises :class:`Problem`, ``DUPLICATE`` where the case is known."""
        known = self.find(organization, external_no)
        referral = None
        if known is None and referral_id is not None:
            referral = self._continued(organization, referral_id)
            known = self.cases.get(referral.case_id)
        if known is not None:
            raise Problem("DUPLICATE", existing={"caseId": known.case_id, "caseNo": known.case_no})
        return referral

    def _continued(self, organization: str, referral_id: str) -> Referral:
        referral = self.referral(referral_id)
        if referral.organization != organization:
            raise Problem("REFERRAL_UNKNOWN")
        match referral.state:
            case ReferralState.OFFERED:
                raise refused(Finding("referralId", "ORDER"))
            case ReferralState.DECLINED:
                raise answered(ReferralState.DECLINED)
            case _:
                self.check_standing(referral)
                return referral

    def referral(self, referral_id: str) -> Referral:
        """Raises :class:`Problem` ``REFERRAL_UNKNOWN``."""
        referral = self.referrals.get(referral_id)
        if referral is None:
            raise Problem("REFERRAL_UNKNOWN")
        return referral

    def check_standing(self, referral: Referral) -> None:
        """Raises :class:`Problem` for a referral that was recalled or has expired."""
        match referral.state:
            case ReferralState.RECALLED:
                raise Problem("REFERRAL_RECALLED")
            case ReferralState.EXPIRED:
                raise Problem("REFERRAL_EXPIRED")

    def check_answerable(self, referral: Referral) -> None:
        """Raises :class:`Problem` for a referral that takes no answer."""
        self.check_standing(referral)
        if referral.answer is not None:
            raise answered(referral.answer)

    def check_returnable(self, referral: Referral) -> None:
        """Raises :class:`Problem` for a referral that takes no result."""
        self.check_standing(referral)
        match referral.state:
            case ReferralState.OFFERED:
                raise refused(Finding("referralId", "ORDER"))
            case ReferralState.DECLINED | ReferralState.RETURNED:
                raise answered(referral.state)
        case = self.cases.get(referral.case_id)
        if case is not None and case.status == tables.CLOSED:
            raise Problem("CASE_CLOSED")

    def is_filed(self, case_id: str, agreement_id: str) -> bool:
        """Whether the agreement was filed for the case."""
        case = self.cases.get(case_id)
        return case is not None and agreement_id in case.terms

    def report_version(self, organization: str, period: str) -> int:
        """The version of the quarter's figures that stands here, 0 = none."""
        return self._reports.get((organization, period), 0)

    def same_content(self, sha256: str) -> File | None:
        """The file with these bytes that the client uploaded."""
        file_id = self._by_content.get(sha256)
        return None if file_id is None else self.files[file_id]

    def found(self, ref: str) -> Case | Referral | tuple[str, str] | None:
        """What a clerk means by ``ref``: a caseId, an externalNo, a referral's id or number, or ``orgCode/period``."""
        if ref in self.cases:
            return self.cases[ref]
        if (referral := self.referrals.get(self._referral_numbers.get(ref, ref))) is not None:
            return referral
        organization, _, period = ref.rpartition("/")
        if (organization, period) in self._reports:
            return organization, period
        named = [case for case in self.cases.values() if ref in (case.external_no, case.key)]
        return named[0] if len(named) == 1 else None

    def waiting(self, now: datetime) -> Iterator[Referral]:
        """The referrals whose time to answer is over."""
        for referral in self.referrals.values():
            if referral.state is ReferralState.OFFERED and now > referral.due_at:
                yield referral

    # --- what happened

    def apply(self, entry: Json) -> None:
        """Take one entry of the journal: ``created`` by a call, or ``announced`` by the platform."""
        kind, payload = entry["kind"], entry["payload"]
        if entry.get("numbered"):
            self.numbers += 1
        match kind:
            case "change":
                self._announced(payload)
            case "referral.offered":
                self._offered(entry)
            case "file.upload" | "paper":
                self._stored(payload, own=kind == PAPER)
            case _:
                self._taken(entry, kind, payload)

    def _stored(self, payload: Json, *, own: bool) -> None:
        ready = payload.get("readyAt")
        file = File(
            file_id=payload["fileId"],
            kind=payload["kind"],
            name=payload["name"],
            media=payload["media"],
            sha256=payload["sha256"],
            size=payload["size"],
            ready_at=None if ready is None else moments.known(ready),
        )
        self.files[file.file_id] = file
        if not own:
            self._by_content[file.sha256] = file.file_id

    def _taken(self, entry: Json, kind: str, payload: Json) -> None:
        record = {
            "kind": kind,
            "business_key": entry["business_key"],
            "ref": entry["ref"],
            "message_id": entry["message_id"],
            "organization": entry["organization"],
            "state": "taken",
            "items": payload,
        }
        match kind:
            case "case.submit":
                self._filed(entry, payload, record)
            case "case.revise":
                self._revised(self.cases[entry["ref"]], payload, record)
            case "case.progress":
                record["state"] = payload["status"]
                if payload["status"] not in tables.ROUTED:
                    self._moves(self.cases[entry["case_id"]], payload["status"], payload.get("result", ""))
            case "agreement.submit":
                case = self.cases[entry["case_id"]]
                case.agreements[payload["agreementNo"]] = entry["ref"]
                case.terms[entry["ref"]] = frozenset(term["no"] for term in payload["terms"])
                self._moves(case, tables.ENDED, payload["settled"])
            case "performance.submit":
                record["state"] = payload["status"]
            case "referral.answer":
                self._answered(self.referrals[entry["ref"]], accepts=payload["accept"])
            case "referral.result":
                self.referrals[entry["ref"]].state = ReferralState.RETURNED
            case "statistics.submit":
                self._reported(entry, record)
        self.records.append(record)

    def _filed(self, entry: Json, payload: Json, record: Json) -> None:
        reply = entry["reply"]
        case = Case(reply["caseId"], reply["caseNo"], payload["orgCode"], payload["externalNo"], record)
        case.referral_id = payload.get("referralId", "")
        self.cases[case.case_id] = case
        self._by_number[case.organization, case.external_no] = case.case_id
        self._moves(case, tables.ACCEPTED if "acceptedAt" in payload else tables.RECEIVED)
        record["version"] = 1
        record["undecided"] = True
        record["matter"] = case.key
        self.pending[case.case_id] = record

    def _revised(self, case: Case, payload: Json, record: Json) -> None:
        case.version += 1
        case.record["state"] = "superseded"
        case.record = record
        record["version"] = case.version
        if case.status in (tables.RECEIVED, tables.CORRECTION):
            case.status = tables.ACCEPTED if "acceptedAt" in payload else tables.RECEIVED
        self._moves(case, case.status, case.result)

    def _moves(self, case: Case, status: str, result: str = "") -> None:
        case.status = status
        case.result = result
        case.record["state"] = status

    def _answered(self, referral: Referral, *, accepts: bool) -> None:
        referral.answer = ReferralState.ACCEPTED if accepts else ReferralState.DECLINED
        referral.state = referral.answer

    def _reported(self, entry: Json, record: Json) -> None:
        key = (entry["organization"], entry["reply"]["period"])
        version = entry["reply"]["version"]
        self._reports[key] = version
        if key in self._latest:
            self._latest[key]["state"] = "superseded"
        self._latest[key] = record
        record["version"] = version

    def _offered(self, entry: Json) -> None:
        payload: dict[str, Any] = entry["payload"]
        record = {
            "kind": REFERRAL,
            "business_key": payload["referralNo"],
            "ref": payload["referralId"],
            "message_id": "",
            "organization": payload["orgCode"],
            "state": ReferralState.OFFERED.value,
            "items": payload,
        }
        referral = Referral(
            referral_id=payload["referralId"],
            referral_no=payload["referralNo"],
            case_id=payload["caseId"],
            case_no=payload["caseNo"],
            organization=payload["orgCode"],
            offered_at=moments.known(payload["offeredAt"]),
            due_at=moments.known(payload["dueAt"]),
            case=payload["case"],
            docs=payload["docs"],
            record=record,
        )
        self.referrals[referral.referral_id] = referral
        self._referral_numbers[referral.referral_no] = referral.referral_id
        self.records.append(record)

    def _announced(self, change: Json) -> None:
        referral = self.referrals.get(change.get("referralId", ""))
        case = self.cases.get(change["caseId"])
        match change["kind"]:
            case "REFERRAL_RECALLED" if referral is not None:
                referral.state = ReferralState.RECALLED
            case "REFERRAL_EXPIRED" if referral is not None:
                referral.state = ReferralState.EXPIRED
            case "STAT_RETURNED":
                organization, _, period = change["caseId"].rpartition("/")
                self._latest[organization, period]["state"] = "returned"
            case "CASE_STATUS" | "CORRECTION" if case is not None:
                self.settled(case.case_id)
                status = change.get("status")
                if status in tables.STATUS:
                    self._moves(case, status, change.get("result", ""))

    def settled(self, case_id: str) -> None:
        """The clerk has looked at the case."""
        record = self.pending.pop(case_id, None)
        if record is not None:
            record["undecided"] = False


def answered(state: ReferralState) -> Problem:
    """``REFERRAL_ANSWERED``: what the answer was, or that the result is here."""
    return Problem("REFERRAL_ANSWERED", existing={"state": state.value})
