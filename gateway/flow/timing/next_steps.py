"""What may be done next about a thing, until when, before whom and by which article (下一步): what the law leaves open.

Steps are advice for people, made anew at every reading from the standing of the thing, its clocks and its documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.case import Case
from contracts.chinese_calendar import beijing_day
from contracts.confirmation import is_about_labour_relation
from contracts.lists import ClaimKind
from contracts.referral import Referral
from contracts.status import frees_agreement
from gateway.store.casefile import CaseFile, Matter

_MEDIATION_LAW, _MEDIATION_LAW_EN = (
    "《中华人民共和国劳动争议调解仲裁法》",
    "Law on Labour-dispute Mediation and Arbitration",
)
_PROCEDURE, _PROCEDURE_EN = "《中华人民共和国民事诉讼法》（2023年修正）", "Civil Procedure Law (2023)"
_INTERPRETATION = "《最高人民法院关于审理劳动争议案件适用法律问题的解释（一）》"
_INTERPRETATION_EN = "Interpretation on Labour Disputes (I)"
_RULES, _RULES_EN = "《劳动人事争议仲裁办案规则》", "Rules of Labour and Personnel Dispute Arbitration (2017)"

_ARTICLES: dict[str, tuple[str, str]] = {
    "request_arbitration_review": (f"{_RULES}第74条", f"{_RULES_EN}, art. 74"),
    "request_judicial_confirmation": (f"{_PROCEDURE}第205条", f"{_PROCEDURE_EN}, art. 205"),
    "apply_for_arbitration": (f"{_MEDIATION_LAW}第27条", f"{_MEDIATION_LAW_EN}, art. 27"),
    "arbitrate_unperformed": (f"{_MEDIATION_LAW}第15条", f"{_MEDIATION_LAW_EN}, art. 15"),
    "apply_for_payment_order": (f"{_MEDIATION_LAW}第16条", f"{_MEDIATION_LAW_EN}, art. 16"),
    "sue_on_agreement": (f"{_INTERPRETATION}第51条第2款", f"{_INTERPRETATION_EN}, art. 51 ¶2"),
    "apply_for_enforcement": (f"{_PROCEDURE}第250条", f"{_PROCEDURE_EN}, art. 250"),
    "enforce_arbitration_statement": (f"{_MEDIATION_LAW}第51条", f"{_MEDIATION_LAW_EN}, art. 51"),
    "mediate_again": (f"{_PROCEDURE}第206条", f"{_PROCEDURE_EN}, art. 206"),
    "sue": (f"{_PROCEDURE}第206条", f"{_PROCEDURE_EN}, art. 206"),
    "object_to_ruling": (
        "《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》（2022年修正）第372条",
        "Interpretation on the Civil Procedure Law (2022), art. 372",
    ),
    "complain_to_labor_inspection": (f"{_MEDIATION_LAW}第9条", f"{_MEDIATION_LAW_EN}, art. 9"),
    "return_result_to_court": (
        "《人民法院在线调解规则》第21条",
        "Online Mediation Rules of the People's Courts, art. 21",
    ),
    "await_award": (f"{_MEDIATION_LAW}第43条", f"{_MEDIATION_LAW_EN}, art. 43"),
    "sue_without_award": (f"{_MEDIATION_LAW}第43条", f"{_MEDIATION_LAW_EN}, art. 43"),
    "extend_mediation": (f"{_MEDIATION_LAW}第14条第3款", f"{_MEDIATION_LAW_EN}, art. 14 ¶3"),
}
_MONEY_OWED = frozenset(
    {
        ClaimKind.LABOR_REMUNERATION,
        ClaimKind.OVERTIME,
        ClaimKind.WORK_INJURY_MEDICAL,
        ClaimKind.ECONOMIC_COMPENSATION,
        ClaimKind.DAMAGES,
    }
)
"""支付拖欠劳动报酬、工伤医疗费、经济补偿或者赔偿金事项: for these alone a payment order may be had (art. 16)."""

_WAGES = frozenset({ClaimKind.LABOR_REMUNERATION, ClaimKind.OVERTIME})
"""Where the agreement is about nothing else, its breach may be sued on without arbitration (解释一 art. 51 ¶2)."""

_ENDED_WITHOUT = frozenset({"failed", "terminated", "withdrawn", "partly_agreed", "declined"})
_COURT = {"court_delegated", "court_entrusted"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What steps are judged by: the file, the open clocks' last days by (thing, rule), those that expired, case and referral
    where known."""

    file: CaseFile | None
    until: dict[tuple[str, str], str]
    case: Case | None
    referral: Referral | None
    over: frozenset[tuple[str, str]] = frozenset()

    def day(self, rule: str, *things: str | None) -> str | None:
        """The last day of a running clock of one of the things."""
        return next((self.until[thing, rule] for thing in things if thing and (thing, rule) in self.until), None)

    @property
    def limitation(self) -> str | None:
        """Until when arbitration may be asked for (仲裁时效), where it is known."""
        return self.day("D13", None if self.file is None else self.file.subject)


Step = dict[str, Any]


def next_steps(
    matter: Matter,
    clocks: list[dict[str, Any]],
    file: CaseFile | None = None,
    case: Case | None = None,
    referral: Referral | None = None,
) -> list[Step]:
    """``[{action, authority, until?, article, article_en, …}]``; ``until`` is the last day of the clock that runs for it,
    absent where none is known. A step that another thing bars for now names it in ``blocked_by``."""
    open_until = {(clock["about"], clock["rule"]): clock["due"] for clock in clocks if clock["state"] == "running"}
    over = frozenset((clock["about"], clock["rule"]) for clock in clocks if clock["state"] == "expired")
    standing = Standing(file, open_until, case, referral, over)
    match matter.kind:
        case "agreement":
            return _of_agreement(matter, standing)
        case "confirmation":
            return _of_confirmation(matter, standing)
        case "case":
            return _of_case(matter, standing)
        case "transfer":
            return _of_transfer(matter, standing)
        case "referral":
            return _of_referral(matter, standing)
    return []


def _step(action: str, authority: str, until: str | None = None, **more: Any) -> Step:
    made: Step = {"action": action, "authority": authority}
    if until is not None:
        made["until"] = until
    if action in _ARTICLES:
        made["article"], made["article_en"] = _ARTICLES[action]
    return made | {name: value for name, value in more.items() if value is not None}


def _routes(agreement: str, standing: Standing, blocked_by: str | None = None) -> list[Step]:
    """Which route to confirmation stays open, how long, and before whom."""
    found = []
    review = standing.day("D04", agreement)
    if review is not None and not (standing.case is not None and is_about_labour_relation(standing.case)):
        found.append(_step("request_arbitration_review", "arbitration_commission", review, blocked_by=blocked_by))
    judicial = standing.day("D07", agreement)
    if judicial is not None:
        inviting = None
        referral = standing.referral
        if referral is not None and str(referral.kind) in _COURT and referral.authority is not None:
            inviting = referral.authority.model_dump(mode="json")
        found.append(
            _step("request_judicial_confirmation", "court", judicial, blocked_by=blocked_by, inviting_court=inviting)
        )
    return found


def _of_agreement(matter: Matter, standing: Standing) -> list[Step]:
    held = [] if standing.file is None else standing.file.of_kind("confirmation")
    asked = [found for found in held if found.parent == matter.id]
    confirmed = next((found for found in asked if found.status in ("confirmed", "objected")), None)
    active = next((found for found in asked if not frees_agreement(found.status)), None)
    if confirmed is not None:
        return _enforcement(confirmed, standing)
    steps = [] if active is None else [_step("await_confirmation", _body_of(active), confirmation=active.id)]
    steps += _routes(matter.id, standing, None if active is None else active.id)
    if _breached(matter.id, standing):
        steps += _after_breach(standing)
    return steps


def _breached(agreement: str, standing: Standing) -> bool:
    held = [] if standing.file is None else standing.file.of_kind("fulfilment")
    return any(term.parent == agreement and term.status == "breached" for term in held)


def _performed(agreement: str | None, standing: Standing) -> bool:
    """Whether every term is performed: nothing is left to enforce."""
    held = [] if standing.file is None else standing.file.of_kind("fulfilment")
    terms = [term.status for term in held if term.parent == agreement]
    return bool(terms) and all(status == "performed" for status in terms)


def _after_breach(standing: Standing) -> list[Step]:
    """R3, R4, R5: an agreed term passed unperformed (履行期限届满未履行)."""
    kinds = set() if standing.case is None else {claim.kind for claim in standing.case.claims}
    steps = []
    if kinds & _MONEY_OWED:
        steps.append(_step("apply_for_payment_order", "court"))
    if kinds and kinds <= _WAGES:
        steps.append(_step("sue_on_agreement", "court"))
    steps.append(_step("arbitrate_unperformed", "arbitration_commission", standing.limitation))
    return steps


def _body_of(confirmation: Matter) -> str:
    return "arbitration_commission" if confirmation.facet == "arbitration_review" else "court"


def _enforcement(confirmed: Matter, standing: Standing) -> list[Step]:
    until, performed = standing.day("D26", confirmed.id), _performed(confirmed.parent, standing)
    if confirmed.facet == "arbitration_review":
        return [] if performed else [_step("enforce_arbitration_statement", "court", until)]
    objection = standing.day("D09", confirmed.id)
    steps = [] if performed else [_step("apply_for_enforcement", "court", until)]
    return steps if objection is None else [*steps, _step("object_to_ruling", "court", objection)]


def _of_confirmation(matter: Matter, standing: Standing) -> list[Step]:
    review = matter.facet == "arbitration_review"
    match matter.status:
        case "correction_required":
            return [_step("supplement", "organization"), _step("withdraw", "organization")]
        case "not_accepted" | "rejected":
            steps = [_step("mediate_again", "organization")]
            steps += _routes(matter.parent or "", standing)
            steps.append(_step("apply_for_arbitration", "arbitration_commission", standing.limitation))
            if not review and standing.case is not None and {c.kind for c in standing.case.claims} <= _WAGES:
                steps.append(_step("sue", "court"))
            return steps
        case "withdrawn" | "deemed_withdrawn":
            return _routes(matter.parent or "", standing)
        case "confirmed" | "objected":
            return _enforcement(matter, standing)
    return []


def _of_case(matter: Matter, standing: Standing) -> list[Step]:
    if matter.status in ("accepted", "mediating"):
        limit = standing.day("D03", matter.id)
        return [] if limit is None else [_step("extend_mediation", "organization", limit)]
    if matter.status not in _ENDED_WITHOUT:
        return []
    referral = standing.referral
    steps = []
    if referral is not None and str(referral.kind) in _COURT:
        due = referral.mediation_due_at
        steps.append(_step("return_result_to_court", "court", None if due is None else beijing_day(due).isoformat()))
    steps.append(_step("apply_for_arbitration", "arbitration_commission", standing.limitation))
    kinds = set() if standing.case is None else {claim.kind for claim in standing.case.claims}
    if kinds & (_WAGES | {ClaimKind.SOCIAL_INSURANCE, ClaimKind.WORKING_TIME}):
        steps.append(_step("complain_to_labor_inspection", "labor_inspection"))
    steps.append(_step("ask_for_legal_aid", "legal_aid_center"))
    return steps


def _of_transfer(matter: Matter, standing: Standing) -> list[Step]:
    if matter.status == "refused" and matter.facet == "arbitration":
        return [_step("sue_after_refusal", "court", None, **_SILENCE)]
    if matter.status == "correction_required":
        return [_step("transfer_again", "organization", standing.limitation)]
    if matter.status == "requested" and matter.facet == "arbitration":
        answer = standing.day("D14", matter.id)
        return [] if answer is None else [_step("await_filing", "arbitration_commission", answer, **_SILENCE)]
    if matter.status == "requested" and matter.facet == "court":
        answer = standing.day("D25", matter.id)
        return [] if answer is None else [_step("await_filing", "court", answer, **_FILING)]
    if matter.status == "filed" and matter.facet == "arbitration":
        award = standing.day("D17", matter.id)
        if award is not None:
            return [_step("await_award", "arbitration_commission", award)]
        # After that day a party may sue about the dispute itself.
        return [_step("sue_without_award", "court")] if (matter.id, "D17") in standing.over else []
    return []


_FILING = {"article": f"{_PROCEDURE}第126条", "article_en": f"{_PROCEDURE_EN}, art. 126"}
_SILENCE = {"article": f"{_MEDIATION_LAW}第29条", "article_en": f"{_MEDIATION_LAW_EN}, art. 29"}


def _of_referral(matter: Matter, standing: Standing) -> list[Step]:
    if matter.status == "offered":
        until = standing.day("D21", matter.id) or standing.day("D27-answer", matter.id)
        return [_step("accept", "organization", until), _step("decline", "organization", until)]
    if matter.status == "accepted":
        rules = ("D23", "D24", "D24-summary", "D27", "D27-assigned")
        until = next((day for rule in rules if (day := standing.day(rule, matter.id)) is not None), None)
        return [_step("post_case", "organization", until), _step("return_result", "organization", until)]
    return []
