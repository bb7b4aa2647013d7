"""The envelope around one canonical document: what travels through the house."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.document import Document
from contracts.messages import MessageType


@dataclass(frozen=True, slots=True)
class Message:
    """One document or status on its way (消息). Immutable: a correction is a new message.

    ``subject`` is the case (else the referral, certificate or period) in whose lane it travels; ``about`` the id of the
    thing that the document is or changes (``case_…``, ``agr_…``, ``cnf_…``, ``trf_…``, ``ref_…``); ``version`` counts the
    versions of that thing from 1; ``source`` is the upstream client or the endpoint that said it; ``correlation`` ties
    together what one call set off. ``created_at`` is the moment of acceptance.
    """

    id: str
    type: MessageType
    subject: str
    about: str
    version: int
    source: str
    correlation: str
    created_at: datetime
    document: Document
