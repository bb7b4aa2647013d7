"""What a document is once and no more (业务键): by this a repeat without an ``Idempotency-Key`` is known."""

from __future__ import annotations

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, FollowUp
from contracts.confirmation import ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.transfer import Transfer


def effect_key(document: Document, target: str) -> str | None:
    """The key of what is appended to a thing and is none itself; ``target`` is the thing's id. ``None``: a document that opens
    a thing, whose key is the thing's own (``thing_key``)."""
    match document:
        case CaseProgress():
            return f"progress|{target}|{document.status}|{document.at.isoformat()}"
        case CollectiveAlert():
            return f"alert|{target}|{document.at.isoformat()}"
        case FollowUp():
            return f"follow_up|{target}|{document.party}|{document.at.isoformat()}"
        case Performance():
            return f"performance|{target}/{document.term_no}|{document.status}|{document.at.isoformat()}"
        case ConfirmationSupplement():
            return f"supplement|{target}|{document.at.isoformat()}"
        case ConfirmationWithdrawal():
            return f"withdrawal|{target}"
        case ReferralAnswer():
            return f"answer|{target}"
        case ReferralResult():
            return f"result|{target}"
    return None


def thing_key(document: Document, target: str | None, organization: str) -> tuple[str, str] | None:
    """Kind and key of the thing that a document opens, which one active thing alone may have. A confirmation's is told by its
    agreement."""
    match document:
        case Case():
            return "case", f"{document.organization.code}|{document.source_case_no}"
        case Agreement():
            return "agreement", f"{organization}|{document.agreement_no}"
        case Transfer():
            return "transfer", f"{target}|{document.to}"
    return None


def origin_key(referral: str) -> str:
    """What one case alone may have: to come from this referral."""
    return f"case_of|{referral}"
