"""What a word about a delivery does (投递回执): it settles one that is relayed or in doubt, and makes no message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

import orjson

from contracts.deliveries import Hand, may_move
from contracts.update import DeliveryWord, StatusUpdate
from gateway.flow.applying.draft import Draft
from gateway.flow.moving.moves import move_delivery
from gateway.flow.retry import asked_ms
from gateway.store.casefile import DeliveryRow
from gateway.store.places import of_reasons
from gateway.store.store import Store

_AFTER: Final[Mapping[str, str]] = {
    DeliveryWord.ACCEPTED: "delivered",
    DeliveryWord.REFUSED: "rejected",
    DeliveryWord.POSTPONED: "pending",
    DeliveryWord.TAKEN: "relayed",
}

_ANSWERED: Final = {
    "delivered": ("in_doubt", "word_overdue", "rejected", "dead", "statutory_late", "blocked", "alert_unanswered"),
    "rejected": ("in_doubt", "word_overdue"),
    "pending": ("in_doubt", "word_overdue"),
    "relayed": ("in_doubt",),
}
"""Tasks about a delivery that its new state has answered."""


class DeliveryWords:
    """Settles deliveries by their platform's word. ``word_within_ms``: by endpoint, how long a relayed one may wait for it;
    ``unasked``: the endpoints of class ``neither``, whose first acceptance counts, whatever they say afterwards."""

    def __init__(self, store: Store, word_within_ms: Mapping[str, int], unasked: Collection[str]) -> None:
        self._store = store
        self._word_within_ms = word_within_ms
        self._unasked = frozenset(unasked)

    def settle(self, draft: Draft, delivery: DeliveryRow) -> str | None:
        """Write what the word does to the delivery; returns the reason to pause the endpoint, if any."""
        update = draft.update
        draft.numbers(delivery.about)
        if update.status == DeliveryWord.FAILED:
            return update.reason_code or "platform_failed"
        after = _AFTER.get(update.status)
        if after is None:
            draft.unmapped(delivery.id)
            return None
        if not may_move(Hand.WORD, delivery.state, after):
            if after == "rejected" and delivery.state == "delivered" and delivery.endpoint not in self._unasked:
                draft.task("contradiction", delivery.id, update.reason_code)
            return None
        if after in ("rejected", "pending") and _of_another_sending(delivery, update):
            return None
        move_delivery(
            draft.unit,
            self._store.ids,
            Hand.WORD,
            delivery,
            after,
            update.reason_code,
            reasons=self._reasons(delivery.id, update),
            reference=update.references[0].value if update.references else None,
            wait_ms=self._wait_ms(delivery.endpoint, after, update),
            at=update.at,
        )
        if after == "rejected":
            draft.task("rejected", delivery.id, update.reason_code)
        draft.unit.closed_tasks += [(kind, delivery.id, after) for kind in _ANSWERED[after]]
        return None

    def _reasons(self, delivery: str, update: StatusUpdate) -> bytes | None:
        """The platform's reasons, sealed: its sentences may name people."""
        if not update.reasons:
            return None
        told = [{"code": reason.code, "place": reason.place, "text": reason.text} for reason in update.reasons]
        return self._store.seal(orjson.dumps(told), of_reasons(delivery))

    def _wait_ms(self, endpoint: str, after: str, update: StatusUpdate) -> int:
        """Until the next word where it stays relayed; else until it may go out again."""
        if after == "relayed":
            return self._word_within_ms[endpoint]
        return asked_ms(timedelta(seconds=update.retry_after_s or 0))


def _of_another_sending(delivery: DeliveryRow, update: StatusUpdate) -> bool:
    """Whether a refusal names an earlier sending than the one that was taken in last: it takes nothing from that one."""
    if delivery.state != "relayed" or delivery.attempts < 2 or update.sending is None or delivery.reference is None:
        return False
    return update.sending != delivery.reference
