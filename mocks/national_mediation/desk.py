"""What a call that writes will do (page §3, §5, §9): the order of the checks, and the reply."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mocks.clock import BEIJING, Clock
from mocks.national_mediation import checks, moments
from mocks.national_mediation.checks import Checker
from mocks.national_mediation.ledger import Case, Ledger
from mocks.national_mediation.problems import Problem, refused
from mocks.national_mediation.reading import Json
from mocks.national_mediation.settings import Settings

_PERIOD = re.compile(r"20[0-9]{2}Q[1-4]", re.ASCII)
_VERSION = re.compile(r'"([0-9]{1,9})"', re.ASCII)


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked call: its reply without the receipt, and what the journal says of it."""

    status: int
    reply: Json
    ref: str
    business_key: str
    organization: str
    case_id: str = ""


class Desk:
    """Plans calls; changes nothing. Every method raises :class:`Problem` for what the page refuses."""

    def __init__(self, settings: Settings, ledger: Ledger, clock: Clock) -> None:
        self._settings = settings
        self._ledger = ledger
        self._clock = clock
        self._plans: Final[Mapping[str, Callable[[Mapping[str, str], Json], Plan]]] = {
            "case.submit": self._submit,
            "case.progress": self._progress,
            "agreement.submit": self._agreement,
            "performance.submit": self._performance,
            "referral.answer": self._answer,
            "referral.result": self._result,
            "statistics.submit": self._statistics,
        }

    def plan(self, op: str, where: Mapping[str, str], body: Json, if_match: Sequence[str]) -> Plan:
        """What ``op`` at the address ``where`` will do with ``body``."""
        if op == "case.revise":
            return self._revise(where, body, if_match)
        return self._plans[op](where, body)

    def bound(self, organization: object) -> None:
        """Raises :class:`Problem` ``ORG_NOT_BOUND`` for an organisation that is not the client's."""
        if isinstance(organization, str) and organization and organization not in self._settings.organizations:
            raise Problem("ORG_NOT_BOUND")

    def number(self, head: str = "") -> str:
        """The next reference under ``head``: day and running number."""
        return f"{head}{self._clock.now():%Y%m%d}{self._ledger.numbers + 1:08d}"

    def case_no(self, region: str) -> str:
        """The next 国调 number."""
        return f"国调〔{self._clock.now():%Y}〕{region}第{self._ledger.numbers + 1}号"

    # --- cases

    def _checker(self) -> Checker:
        return Checker(self._ledger.files.__contains__)

    def _case_body(self, checker: Checker, body: Json) -> None:
        self.bound(body.get("orgCode"))
        latest = self._clock.now() + timedelta(seconds=self._settings.clock_tolerance_s)
        checks.check_case(checker, body, latest)

    def _submit(self, _: Mapping[str, str], body: Json) -> Plan:
        checker = self._checker()
        self._case_body(checker, body)
        _done(checker)
        referral = self._ledger.check_new(body["orgCode"], body["externalNo"], body.get("referralId"))
        case_id = self.number() if referral is None else referral.case_id
        case_no = self.case_no(body["regionCode"]) if referral is None else referral.case_no
        key = f"{body['orgCode']}/{body['externalNo']}"
        reply: Json = {"caseId": case_id, "caseNo": case_no, "version": 1}
        return Plan(201, reply, case_id, key, body["orgCode"], case_id)

    def _revise(self, where: Mapping[str, str], body: Json, if_match: Sequence[str]) -> Plan:
        case = self._ledger.case(where["case_id"])
        checker = self._checker()
        version = _VERSION.fullmatch(if_match[0]) if len(if_match) == 1 else None
        if version is None:
            checker.add("If-Match", "FORMAT" if if_match else "FIELD_MISSING")
        self._case_body(checker, body)
        for name, ours in (("externalNo", case.external_no), ("orgCode", case.organization)):
            if isinstance(body.get(name), str) and body[name] != ours:
                checker.add(name, "ORDER")
        if body.get("referralId", case.referral_id) != case.referral_id:
            checker.add("referralId", "ORDER")
        _done(checker)
        if version is not None and int(version[1]) != case.version:
            raise Problem("VERSION_STALE")
        reply: Json = {"caseId": case.case_id, "version": case.version + 1}
        return self._below(case, 200, reply, case.case_id)

    def _progress(self, where: Mapping[str, str], body: Json) -> Plan:
        case = self._ledger.case(where["case_id"])
        checker = self._checker()
        checks.check_progress(checker, body)
        _done(checker)
        progress = self.number("JZ")
        return self._below(case, 201, {"progressId": progress}, progress)

    def _agreement(self, where: Mapping[str, str], body: Json) -> Plan:
        case = self._ledger.case(where["case_id"])
        checker = self._checker()
        checks.check_agreement(checker, body)
        _done(checker)
        if (known := case.agreements.get(body["agreementNo"])) is not None:
            raise Problem("DUPLICATE", existing={"agreementId": known})
        agreement = self.number("XY")
        return self._below(case, 201, {"agreementId": agreement}, agreement, body["agreementNo"])

    def _performance(self, where: Mapping[str, str], body: Json) -> Plan:
        case = self._ledger.case(where["case_id"])
        checker = self._checker()
        checks.check_performance(checker, body, case.terms.get)
        _done(checker)
        performance = self.number("LX")
        return self._below(case, 201, {"performanceId": performance}, performance)

    def _below(self, case: Case, status: int, reply: Json, ref: str, more: str = "") -> Plan:
        key = f"{case.key}/{more}" if more else case.key
        return Plan(status, reply, ref, key, case.organization, case.case_id)

    # --- referrals

    def _answer(self, where: Mapping[str, str], body: Json) -> Plan:
        referral = self._ledger.referral(where["referral_id"])
        checker = self._checker()
        checks.check_answer(checker, body)
        _done(checker)
        self._ledger.check_answerable(referral)
        state = "ACCEPTED" if body["accept"] else "DECLINED"
        reply: Json = {"referralId": referral.referral_id, "state": state}
        return Plan(200, reply, referral.referral_id, referral.referral_no, referral.organization)

    def _result(self, where: Mapping[str, str], body: Json) -> Plan:
        referral = self._ledger.referral(where["referral_id"])
        checker = self._checker()
        checks.check_result(checker, body, lambda agreement: self._ledger.is_filed(referral.case_id, agreement))
        _done(checker)
        self._ledger.check_returnable(referral)
        reply: Json = {"referralId": referral.referral_id, "state": "RETURNED"}
        return Plan(200, reply, referral.referral_id, referral.referral_no, referral.organization, referral.case_id)

    # --- statistics

    def _statistics(self, where: Mapping[str, str], body: Json) -> Plan:
        organization, period = where["organization"], where["period"]
        self.bound(organization)
        self.bound(body.get("orgCode"))
        checker = self._checker()
        if _PERIOD.fullmatch(period) is None:
            checker.add("period", "FORMAT")
        checks.check_statistics(checker, body, organization)
        _done(checker)
        settings = self._settings
        first, last = moments.quarter_window(period, settings.statistics_first_day, settings.statistics_last_day)
        if not first <= self._clock.now().astimezone(BEIJING).date() <= last:
            raise Problem("PERIOD_CLOSED")
        version = self._ledger.report_version(organization, period) + 1
        if body["version"] != version:
            raise Problem("VERSION_STALE")
        key = f"{organization}/{period}"
        return Plan(200, {"period": period, "version": version}, key, key, organization)


def _done(checker: Checker) -> None:
    if checker.findings:
        raise refused(*checker.findings)
