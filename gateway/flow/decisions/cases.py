"""Cases, their progress, alerts and follow-ups (案件, 进展, 预警, 回访)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, FollowUp
from contracts.deadlines import Clock, Law, clocks_started_by, states_after
from contracts.findings import Code, Finding
from contracts.messages import MessageType
from contracts.moments import to_ms
from contracts.party import Person
from contracts.status import CaseStatus
from gateway.flow.decisions.keys import effect_key, origin_key
from gateway.flow.moving.order import ANY_VERSION, Decision, Known, Refused
from gateway.flow.moving.references import name_letters, phone_digits
from gateway.store.casefile import Matter
from gateway.store.unit import MatterMove, NewMatter

_UNDECIDED = frozenset(
    status.value
    for status in (CaseStatus.RECEIVED, CaseStatus.CORRECTION_REQUIRED, CaseStatus.ACCEPTED, CaseStatus.MEDIATING)
)


def submitted(case: Case, known: Known, case_id: str, message_id: str) -> Decision:
    """A new case (案件报送)."""
    status = CaseStatus.ACCEPTED if case.accepted_at is not None else CaseStatus.RECEIVED
    made = Decision(case_id, status.value, case.organization.code)
    made.matters.append(
        NewMatter(
            case_id,
            "case",
            None,
            f"{case.organization.code}|{case.source_case_no}",
            status.value,
            message_id,
            facet=case.source_case_no,
            since=to_ms(case.accepted_at or case.received_at),
        )
    )
    received = {"status": CaseStatus.RECEIVED.value, "at": case.received_at.isoformat()}
    made.events.append(("case.received", case_id, received))
    made.clocks += _of_receipt(case, case_id, known)
    if case.accepted_at is not None:
        _accepted(made, case_id, case.accepted_at, CaseStatus.RECEIVED.value, known.law)
    _come_of_referral(made, case, known)
    made.people = [*people(case), *telephones(case), *names(case)]
    return made


def _come_of_referral(made: Decision, case: Case, known: Known) -> None:
    """The case comes from its referral, as the only one."""
    if case.referral is None:
        return
    if known.referral_case is not None:
        raise Refused(409, "referral_has_case", about=known.referral_case)
    made.origin = origin_key(case.referral)
    made.references += _of_referral(known, made.about)


def _of_receipt(case: Case, case_id: str, known: Known) -> list[tuple[str, Clock]]:
    """The clocks that the application starts. Asking for mediation interrupts the limitation of arbitration, which runs anew
    (时效中断, 调解仲裁法 art. 27 ¶2): its end is known from then on."""
    facts = {"received_at": case.received_at, "limitation_from": case.received_at}
    return [(case_id, clock) for clock in clocks_started_by("case.received", facts, known.law)]


def _of_referral(known: Known, case_id: str) -> list[tuple[str, str, str, str]]:
    """The numbers of the referral that a case comes from: whoever knows one of them finds the case, too."""
    if known.referral_file is None:
        return []
    return [
        (found.endpoint, found.kind, found.value, case_id)
        for found in known.referral_file.references
        if found.kind in ("task_no", "letter_no", "case_no")
    ]


def _accepted(made: Decision, case_id: str, at: datetime, before: str, law: Law) -> None:
    facts = {"status": CaseStatus.ACCEPTED.value, "state_before": before, "at": at.isoformat()}
    made.events.append(("case.accepted", case_id, facts))
    told = {"accepted_at": at, "at": at}
    made.clocks += [(case_id, clock) for clock in clocks_started_by("case.accepted", told, law)]
    turns = states_after("case.accepted", told, law)
    made.clock_turns += [(case_id, rule, state.value) for rule, state in turns.items()]


def people(case: Case) -> list[tuple[str, str, str]]:
    """Kind, number and role of every party that has a number, for the blind index."""
    found = []
    for party in case.parties:
        number = party.id_number if isinstance(party, Person) else party.credit_code
        if number:
            found.append(("number", str(number), str(party.role)))
    return found


def telephones(case: Case) -> list[tuple[str, str, str]]:
    """The same of every party's telephone, for exact search alone: that two share one says nothing of a dispute."""
    found = []
    for party in case.parties:
        phone = party.phone if isinstance(party, Person) else party.contact.phone
        if phone:
            found.append(("phone", phone_digits(str(phone)), str(party.role)))
    return found


def names(case: Case) -> list[tuple[str, str, str]]:
    """The same of every party's whole name, for exact search alone: many people share one."""
    return [("name", name_letters(party.name), str(party.role)) for party in case.parties]


def comes_of(case: Case, known: Known) -> str | None:
    """The referral that a case is said to come from for the first time: by its first version, or by a later one where no
    earlier one named any."""
    before = None if known.case is None else known.case.referral
    return case.referral if before is None else None


def revised(case: Case, known: Known, message_id: str, if_match: int | None) -> Decision:
    """A complete new version of a case (案件更正): only from the version that the sender has seen. What it comes from stays:
    the platform that handed it over waits for its result."""
    matter = known.target
    if matter is None:
        raise Refused(404, "not_found")
    check_version(matter.version, if_match)
    check_key(matter, f"{case.organization.code}|{case.source_case_no}")
    fresh = comes_of(case, known)
    if fresh is None and known.case is not None and case.referral != known.case.referral:
        raise Refused(422, "business_key_changed")
    status = matter.status
    made = Decision(matter.id, status, matter.organization, version=matter.version + 1)
    if case.accepted_at is not None and status == CaseStatus.RECEIVED.value:
        status = made.status = CaseStatus.ACCEPTED.value
    made.moves.append(MatterMove(matter.id, status, made.version, message_id))
    facts = {"status": status, "state_before": matter.status, "version": made.version}
    made.events.append(("case.revised", matter.id, facts))
    if status != matter.status and case.accepted_at is not None:
        _accepted(made, matter.id, case.accepted_at, matter.status, known.law)
    if known.case is not None and known.case.received_at != case.received_at and status in _UNDECIDED:
        accepted = status not in (CaseStatus.RECEIVED.value, CaseStatus.CORRECTION_REQUIRED.value)
        made.clocks += [
            found for found in _of_receipt(case, matter.id, known) if not (accepted and found[1].rule == "D01")
        ]
    made.supersedes = frozenset({MessageType.CASE_SUBMITTED, MessageType.CASE_REVISED})
    if fresh is not None:
        _come_of_referral(made, case, known)
    made.people = [*people(case), *telephones(case), *names(case)]
    return made


def progressed(progress: CaseProgress, known: Known) -> Decision:
    """Upstream's own step (进展); the same status again is no step and no error."""
    matter = known.case_matter
    if matter is None:
        raise Refused(404, "not_found")
    word = str(progress.status)
    made = Decision(matter.id, word, matter.organization, version=matter.version)
    made.business_key = effect_key(progress, matter.id)
    if word == matter.status:
        made.repeated = True
        return made
    made.moves.append(MatterMove(matter.id, word, matter.version, matter.message, since=to_ms(progress.at)))
    made.closed_tasks += corrected(matter, word)
    facts: dict[str, Any] = {"status": word, "state_before": matter.status, "at": progress.at.isoformat()}
    if progress.reason_code is not None:
        facts["reason_code"] = str(progress.reason_code)
    made.events.append((f"case.{word}", matter.id, facts))
    told = {"at": progress.at, "accepted_at": progress.at}
    made.clocks = [(matter.id, clock) for clock in clocks_started_by(f"case.{word}", told, known.law)]
    turns = states_after(f"case.{word}", told, known.law)
    transfers = [] if known.file is None else [found.id for found in known.file.of_kind("transfer")]
    made.clock_turns = [
        (thing, rule, state.value) for thing in (matter.id, *transfers) for rule, state in turns.items()
    ]
    return made


def alerted(alert: CollectiveAlert, known: Known) -> Decision:
    """An alert (重大集体争议预警) moves nothing and overtakes the rest of its lane."""
    matter = known.case_matter
    if matter is None:
        raise Refused(404, "not_found")
    made = Decision(matter.id, matter.status, matter.organization, version=matter.version)
    made.business_key = effect_key(alert, matter.id)
    made.events.append(("case.alerted", matter.id, {"level": str(alert.level), "at": alert.at.isoformat()}))
    return made


def followed_up(visit: FollowUp, known: Known) -> Decision:
    """A follow-up (回访) is kept; nobody is sent it."""
    matter = known.case_matter
    if matter is None:
        raise Refused(404, "not_found")
    made = Decision(matter.id, matter.status, matter.organization, version=matter.version)
    made.business_key = effect_key(visit, matter.id)
    made.events.append(("case.followed_up", matter.id, {"at": visit.at.isoformat()}))
    return made


def corrected(matter: Matter, word: str) -> list[tuple[str, str, str]]:
    """The task of a correction (补正) that a step of the organisation's own ends: the next one is a task of its own."""
    return [("correction_due", matter.id, word)] if matter.status == CaseStatus.CORRECTION_REQUIRED else []


def check_key(matter: Matter, key: str) -> None:
    """Refuse a revision that would be another thing: whoever looks for its business key must find it."""
    if key != matter.business_key:
        raise Refused(422, "business_key_changed")


def check_version(version: int, if_match: int | None) -> None:
    """Refuse a revision that was made from an older version."""
    if if_match is None:
        raise Refused(428, "if_match_missing")
    if if_match not in (ANY_VERSION, version):
        raise Refused(412, Code.VERSION_STALE, (Finding.of("", Code.VERSION_STALE),))
