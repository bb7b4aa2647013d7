"""Step 2, route: which endpoints receive a message, and what each must have before it. Pure.

The rules stand in ``contracts.messages``; here they are judged. The configuration may add a recipient or take one away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.lists import Channel, OrganizationType
from contracts.messages import MESSAGE_TYPES, Condition, MessageKind, MessageType, Recipient
from contracts.report import StatusReport
from contracts.status import CaseStatus, TransferStatus
from contracts.transfer import Transfer
from gateway.registry import Endpoint
from gateway.settings import RouteSettings
from gateway.store.casefile import CaseFile, DeliveryRow

_ONLINE = frozenset({Channel.WEB, Channel.APP, Channel.MINI_PROGRAM, Channel.OFFICIAL_ACCOUNT})
_REGISTERS = frozenset({MessageType.CASE_SUBMITTED, MessageType.CASE_REVISED})


@dataclass(frozen=True, slots=True)
class Question:
    """What the router must know: the message, the case it belongs to, what was routed before, and who sent the referral."""

    type: MessageType
    about: str
    document: Document
    case: Case | None
    file: CaseFile | None
    source: str
    referral_sender: str | None = None
    referral_file: CaseFile | None = None
    agreement_id: str | None = None
    agreement_file: CaseFile | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """One recipient. ``requires`` is the delivery that must be delivered there first."""

    endpoint: str
    requires: str | None


class Router:
    """Judges recipients over the configured endpoints."""

    def __init__(self, endpoints: Mapping[str, Endpoint], routes: Sequence[RouteSettings] = ()) -> None:
        self._endpoints = endpoints
        self._never = {(route.type, route.endpoint) for route in routes if route.never}
        self._always = {(route.type, route.endpoint) for route in routes if not route.never}
        self._takers = {
            kind: [(name, one) for name, one in sorted(endpoints.items()) if one.adapter.info.takes(kind)]
            for kind in MessageType
        }

    def hops(self, question: Question) -> list[Hop]:
        """The recipients, by endpoint name. A type that no recipient takes is kept, not refused: the list is then empty."""
        kind = MESSAGE_TYPES[question.type]
        if kind.retry is None:
            return []
        chosen = [
            name
            for name, endpoint in self._takers[question.type]
            if (question.type, name) not in self._never
            and not _own_word(question, name)
            and (
                (question.type, name) in self._always
                or any(self._fits(row, question, name, endpoint) for row in kind.recipients)
            )
        ]
        if (
            question.type is MessageType.CONFIRMATION_REQUESTED
            and question.referral_sender is not None
            and (question.referral_sender in chosen)
        ):
            # What a court invited to mediate goes to that court (民事诉讼法 art. 205 (1)), not to every court.
            chosen = [question.referral_sender]
        return [Hop(name, self._required(kind, question, name)) for name in chosen]

    def _fits(self, row: Recipient, question: Question, name: str, endpoint: Endpoint) -> bool:
        adapter = endpoint.adapter.info.name
        if adapter in row.but or row.adapter not in ("*", adapter):
            return False
        return all(self._holds(condition, question, name, endpoint) for condition in row.conditions)

    def _holds(self, condition: Condition, question: Question, name: str, endpoint: Endpoint) -> bool:
        case, document, file = question.case, question.document, question.file
        match condition:
            case Condition.HOLDS_CASE:
                return file is not None and name in file.holders
            case Condition.HOLDS_AGREEMENT:
                return self._was_routed(file, name, MessageType.AGREEMENT_CONCLUDED, _agreement_id(question))
            case Condition.HOLDS_CONFIRMATION:
                return self._was_routed(file, name, MessageType.CONFIRMATION_REQUESTED, question.about)
            case Condition.REFERRAL_SENDER:
                return question.referral_sender == name
            case Condition.COLLECTIVE:
                return case is not None and case.collective is not None
            case Condition.UNION_ORGANIZATION:
                return _is_type(case, OrganizationType.UNION_NEGOTIATION_ROOM)
            case Condition.CHAMBER_ORGANIZATION:
                return _is_type(case, OrganizationType.CHAMBER_OF_COMMERCE)
            case Condition.CONFEDERATION_ORGANIZATION:
                return _is_type(case, OrganizationType.ENTERPRISE_CONFEDERATION)
            case Condition.ONLINE_CHANNEL:
                return case is not None and case.channel in _ONLINE
            case Condition.ORGANIZATION_LISTED:
                return case is not None and case.organization.code in (endpoint.organizations or ())
            case Condition.ORGANIZATION_ALLOWED:
                listed = endpoint.organizations
                return listed is None or (case is not None and case.organization.code in listed)
            case Condition.NOT_CORRECTION:
                return not (isinstance(document, CaseProgress) and document.status is CaseStatus.CORRECTION_REQUIRED)
            case Condition.ROUTE_ARBITRATION_REVIEW:
                return isinstance(document, ConfirmationRequest) and document.route == "arbitration_review"
            case Condition.ROUTE_JUDICIAL_CONFIRMATION:
                return isinstance(document, ConfirmationRequest) and document.route == "judicial_confirmation"
            case Condition.TO_ARBITRATION:
                return isinstance(document, Transfer) and document.to == "arbitration"
            case Condition.TO_COURT:
                return isinstance(document, Transfer) and document.to == "court"
            case Condition.TO_LEGAL_AID:
                return isinstance(document, Transfer) and document.to == "legal_aid"
            case Condition.NOT_SOURCE:
                return question.source != name
            case Condition.KNOWN_STATUS:
                return isinstance(document, StatusReport) and document.status != "unknown"
            case Condition.NOT_ABOUT_REFERRAL:
                return isinstance(document, StatusReport) and document.about != "referral"
            case Condition.ABOUT_CONFIRMATION_OR_FILED_TRANSFER:
                return isinstance(document, StatusReport) and (
                    document.about == "confirmation"
                    or (document.about == "transfer" and document.status == TransferStatus.FILED)
                )

    @staticmethod
    def _was_routed(file: CaseFile | None, endpoint: str, kind: MessageType, about: str | None) -> bool:
        return file is not None and file.last_delivery(endpoint, frozenset({kind}), about) is not None

    def _required(self, kind: MessageKind, question: Question, name: str) -> str | None:
        """The newest delivery of a required type that was routed to this endpoint: later ones imply the earlier."""
        found: list[DeliveryRow] = []
        for required in kind.required_at(self._endpoints[name].adapter.info.name):
            types = _REGISTERS if required is MessageType.CASE_SUBMITTED else frozenset({required})
            about = question.about if required is MessageType.CONFIRMATION_REQUESTED else None
            if required is MessageType.AGREEMENT_CONCLUDED:
                about = _agreement_id(question)
                if about is None:
                    continue
            file = question.file
            if required is MessageType.AGREEMENT_CONCLUDED and question.agreement_file is not None:
                file = question.agreement_file
            if required is MessageType.REFERRAL_ANSWERED and question.referral_file is not None:
                file = question.referral_file
            delivery = None if file is None else self._met_or_waiting(file, name, types, about)
            if delivery is not None:
                found.append(delivery)
        waiting = [delivery for delivery in found if delivery.state != "delivered"]
        last = max(waiting or found, key=lambda delivery: delivery.sequence, default=None)
        return None if last is None else last.id

    @staticmethod
    def _met_or_waiting(
        file: CaseFile, name: str, types: frozenset[MessageType], about: str | None
    ) -> DeliveryRow | None:
        """A delivered one where there is one (the requirement is met), else the newest that may yet be."""
        routed = [
            delivery
            for delivery in file.deliveries
            if delivery.endpoint == name and delivery.type in types and about in (None, delivery.about)
        ]
        met = [delivery for delivery in routed if delivery.state == "delivered"]
        waiting = [delivery for delivery in routed if delivery.state != "superseded"]
        found = met or waiting
        return found[-1] if found else None


def _own_word(question: Question, name: str) -> bool:
    """Whether a platform would be told its own word: no configuration adds that."""
    return question.type is MessageType.STATUS_REPORTED and question.source == name


def _agreement_id(question: Question) -> str | None:
    if question.agreement_id is not None:
        return question.agreement_id
    if question.about.startswith("agr_"):
        return question.about
    if question.file is not None and question.about in question.file.matters:
        parent = question.file.matters[question.about].parent
        if parent is not None and parent.startswith("agr_"):
            return parent
    named = getattr(question.document, "agreement", None)
    return named if isinstance(named, str) else None


def _is_type(case: Case | None, kind: OrganizationType) -> bool:
    return case is not None and case.organization.type is kind
