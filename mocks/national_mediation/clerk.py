"""The platform's clerk (page §9): orders of a tester as changes and referrals, and what he does by himself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mocks.clock import Clock
from mocks.national_mediation import moments, tables
from mocks.national_mediation.checks import Checker, check_draft
from mocks.national_mediation.ledger import Case, Ledger, Referral, ReferralState
from mocks.national_mediation.reading import Json
from mocks.national_mediation.sample import filed_case
from mocks.national_mediation.settings import Settings
from mocks.platform import Refused

#: What a change says for each decision about a case: kind, status, result.
_CASE_DECISIONS: Final = {
    "accept": ("CASE_STATUS", tables.ACCEPTED, ""),
    "refuse": ("CASE_STATUS", tables.DECLINED, ""),
    "file": ("CASE_STATUS", tables.CLOSED, ""),
    "withdraw": ("CASE_STATUS", tables.ENDED, tables.WITHDRAWN),
    "correct": ("CORRECTION", tables.CORRECTION, ""),
}
_REASONS: Final = {"correct": "请补充被申请人的联系电话", "refuse": "不属于受理范围", "recall": "另行转办"}
_RETURNED: Final = ("correct", "refuse")
_KNOWN: Final = ("accept", "correct", "refuse", "file", "withdraw", "recall", "status")
#: What the autopilot does where its mix says nothing. Closing is left out: nothing more would be taken after it.
_CHOICES: Final = {"nothing": 6.0, "accept": 4.0}
#: Never there in a case that is handed over: these are the client's own.
_OURS: Final = ("externalNo", "fileIds", "referralId", "mediators")


@dataclass(frozen=True, slots=True)
class Order:
    """A change to be announced, and the papers that belong to it (kind, name)."""

    change: Json
    papers: tuple[tuple[str, str], ...] = ()


class Clerk:
    """Turns orders into changes, without the numbers that the list gives."""

    def __init__(self, settings: Settings, ledger: Ledger, clock: Clock) -> None:
        self._settings = settings
        self._ledger = ledger
        self._clock = clock

    def decide(self, order: Json) -> Order:
        """What ``{ref, decision, …}`` says. Raises :class:`Refused` (422)."""
        decision = order["decision"]
        if decision not in _KNOWN:
            raise Refused(422, f"national_mediation decides {', '.join(_KNOWN)}")
        more = {"status", "result", "kind"} if decision == "status" else set()
        texts = _texts(order, {"ref", "decision", "reason", *more})
        papers = _papers(order)
        reason = texts.get("reason", _REASONS.get(decision, ""))
        match self._ledger.found(texts["ref"]):
            case Case() as case:
                return Order(self._about_case(case, decision, texts, reason), papers)
            case Referral() as referral if decision == "recall":
                if referral.state not in (ReferralState.OFFERED, ReferralState.ACCEPTED):
                    raise Refused(422, "the referral is no longer offered or accepted")
                return Order(self.about_referral(referral, "REFERRAL_RECALLED", "RECALLED", reason), papers)
            case (str(organization), str(period)) if decision in _RETURNED:
                return Order(self._returned(f"{organization}/{period}", reason), papers)
            case None:
                raise Refused(422, "ref is no caseId, externalNo, referralId, referralNo or orgCode/period")
            case _:
                raise Refused(422, f"{decision} does not apply to this ref")

    def _about_case(self, case: Case, decision: str, texts: dict[str, str], reason: str) -> Json:
        if decision == "status":
            if not texts.get("status"):
                raise Refused(422, "status needs a status (of the table T6, or any other)")
            kind = texts.get("kind", "CASE_STATUS")
            return self.about_case(case, kind, texts["status"], texts.get("result", ""), reason)
        if decision not in _CASE_DECISIONS:
            raise Refused(422, f"{decision} does not apply to a case")
        kind, status, result = _CASE_DECISIONS[decision]
        return self.about_case(case, kind, status, result, reason)

    def refer(self, order: Json) -> tuple[Json, tuple[tuple[str, str], ...]]:
        """A referral to be announced, without its numbers. Raises :class:`Refused` (422).

        ``order``: orgCode, and where a synthetic case will not do: channel (T2: 3, 4 or 5), case (in the form of §5),
        docs ``[{kind, name}]``.
        """
        if unknown := sorted(set(order) - {"orgCode", "channel", "case", "docs"}):
            raise Refused(422, f"unknown key {', '.join(unknown)}; known: case, channel, docs, orgCode")
        if order.get("orgCode") not in self._settings.organizations:
            raise Refused(422, "orgCode must be one of organizations")
        channel = order.get("channel", "3")
        if channel not in tables.CITIZENS_CHANNEL:
            raise Refused(422, "channel must be 3 (web), 4 (app) or 5 (mini program)")
        now = self._clock.now()
        case = order.get("case")
        if case is None:
            case = filed_case(self._ledger.numbers + 1, channel, self._settings.region, now)
        if not isinstance(case, dict):
            raise Refused(422, "case must be an object in the form of the page's §5")
        case = {"sourceChannel": channel, **case}
        checker = Checker(lambda _: False, whole=False)
        check_draft(checker, case)
        wrong = [f"{finding.field} {finding.code}" for finding in checker.findings]
        wrong += [f"{name} FIELD_UNKNOWN" for name in _OURS if name in case]
        if wrong:
            raise Refused(422, f"case: {', '.join(wrong)}")
        referral: Json = {
            "orgCode": order["orgCode"],
            "offeredAt": moments.write(now),
            "dueAt": moments.write(moments.working_days_after(now, self._settings.answer_working_days)),
            "case": case,
        }
        return referral, _papers(order)

    # --- changes

    def about_case(self, case: Case, kind: str, status: str, result: str = "", reason: str = "") -> Json:
        """A change about a filed case."""
        change: Json = {
            "kind": kind,
            "caseId": case.case_id,
            "externalNo": case.external_no,
            "referralId": case.referral_id,
            "status": status,
            "result": result,
            "rawStatus": status,
            "reason": reason,
        }
        return self._dated(change)

    def about_referral(self, referral: Referral, kind: str, raw: str, reason: str = "") -> Json:
        """A change about a referral."""
        case = self._ledger.cases.get(referral.case_id)
        change: Json = {
            "kind": kind,
            "caseId": referral.case_id,
            "externalNo": "" if case is None else case.external_no,
            "referralId": referral.referral_id,
            "rawStatus": raw,
            "reason": reason,
        }
        return self._dated(change)

    def _returned(self, report: str, reason: str) -> Json:
        # The page gives the change no key of its own for a report: it is named as its receipt names it.
        change: Json = {
            "kind": "STAT_RETURNED",
            "caseId": report,
            "externalNo": report,
            "rawStatus": "RETURNED",
            "reason": reason,
        }
        return self._dated(change)

    def _dated(self, change: Json) -> Json:
        return {"at": moments.write(self._clock.now()), **{name: value for name, value in change.items() if value}}

    def overdue(self) -> Json | None:
        """The next change that time alone brings: a referral that nobody answered."""
        for referral in self._ledger.waiting(self._clock.now()):
            return self.about_referral(referral, "REFERRAL_EXPIRED", "EXPIRED", "逾期未答复")
        return None

    def early(self, op: str, ref: str, case_id: str) -> Json | None:
        """What the clerk says at once about a call of ``op``; ``None`` where there is nothing to say."""
        if op == "statistics.submit":
            return self._returned(ref, _REASONS["correct"])
        if op.startswith("referral."):
            return self.about_referral(self._ledger.referrals[ref], "REFERRAL_RECALLED", "RECALLED")
        case = self._ledger.cases.get(case_id)
        if case is None:
            return None
        status = tables.ACCEPTED if op == "case.submit" else case.status
        return self.about_case(case, "CASE_STATUS", status, case.result)

    # --- by himself

    def chosen(self, choice: str, case_id: str) -> Json | None:
        """The change of the autopilot's ``choice`` about a case; ``None`` = he says nothing."""
        if choice not in _CASE_DECISIONS:
            return None
        kind, status, result = _CASE_DECISIONS[choice]
        return self.about_case(self._ledger.cases[case_id], kind, status, result, _REASONS.get(choice, ""))


def choices() -> dict[str, float]:
    """All decisions of the autopilot with their weights where its mix names none of them."""
    return {name: _CHOICES.get(name, 0.0) for name in ("nothing", *_CASE_DECISIONS)}


def paper_text(about: str, at: datetime) -> list[str]:
    """The lines of a synthetic paper."""
    return ["Synthetic paper of a mock platform", about, moments.write(at)]


def _papers(order: Json) -> tuple[tuple[str, str], ...]:
    docs: Any = order.get("docs", [])
    if not isinstance(docs, list):
        raise Refused(422, "docs must be a list of {kind, name}")
    papers: list[tuple[str, str]] = []
    for doc in docs:
        match doc:
            case {"kind": str(kind), "name": str(name), **rest} if not rest and kind in tables.FILE_KIND and name:
                papers.append((kind, name))
            case _:
                raise Refused(422, "docs must be a list of {kind of the table T7, name}")
    return tuple(papers)


def _texts(order: Json, known: set[str]) -> dict[str, str]:
    known = {*known, "docs"}
    if unknown := sorted(set(order) - known):
        raise Refused(422, f"unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    texts: dict[str, str] = {}
    for name, value in order.items():
        if name == "docs":
            continue
        if not isinstance(value, str) or not value or not value.isprintable():
            raise Refused(422, f"{name} must be a text")
        texts[name] = value
    return texts
