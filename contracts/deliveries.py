"""The life of one delivery (投递), the engine's own: its states, which may follow which and by whose hand, and what they are
together to those who look at them.

Source: ``design.md`` §5; the acts of people: ``messages.md`` §2 (replay) and §3 (words about a delivery).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from contracts.lifecycle import Lifecycle
from contracts.titled import Titled


class DeliveryState(Titled):
    """The engine's own word about one delivery. *Delivered* means that they have it, not that they agree."""

    PENDING = "pending", "排队中", "Queued"
    RELAYED = "relayed", "待回执", "Awaiting reply"
    DELIVERED = "delivered", "已送达", "Delivered"
    REJECTED = "rejected", "被拒绝", "Rejected"
    DEAD = "dead", "重试用尽", "Retries exhausted"
    IN_DOUBT = "in_doubt", "结果不明", "In doubt"
    CANCELLED = "cancelled", "已取消", "Cancelled"
    SUPERSEDED = "superseded", "已被取代", "Superseded"
    EXPIRED = "expired", "逾期未达", "Expired"


_PENDING, _RELAYED, _DELIVERED = DeliveryState.PENDING, DeliveryState.RELAYED, DeliveryState.DELIVERED
_REJECTED, _DEAD, _IN_DOUBT = DeliveryState.REJECTED, DeliveryState.DEAD, DeliveryState.IN_DOUBT
_CANCELLED, _SUPERSEDED, _EXPIRED = DeliveryState.CANCELLED, DeliveryState.SUPERSEDED, DeliveryState.EXPIRED

OPEN_STATES: Final = (_PENDING, _RELAYED, _IN_DOUBT)
"""Not over: the engine or the platform still has a word to say."""

FAILED_STATES: Final = (_REJECTED, _DEAD, _EXPIRED)
"""Over without having arrived; a person may send it again."""

TAKEN_STATES: Final = frozenset({_DELIVERED, _RELAYED, _IN_DOUBT})
"""The platform has it, or may have it."""

YIELDING_STATES: Final = frozenset({_PENDING, *FAILED_STATES, _CANCELLED})
"""The platform has it not: a newer version takes its place (one that waits with a doubt is settled first)."""

BARRING_STATES: Final = frozenset({*FAILED_STATES, _CANCELLED, _SUPERSEDED})
"""Whoever requires it waits for somebody's hand."""


class Hand(StrEnum):
    """Who moves a delivery."""

    SENDER = "sender"
    """The engine: by what an attempt or a look-up brought, or because its time is over."""
    WORD = "word"
    """The platform, later."""
    OPERATOR = "operator"
    """A person, with a reason that is kept."""
    VERSION = "version"
    """The newer version of what it carries."""


MOVES: Final[Mapping[Hand, Mapping[DeliveryState, frozenset[DeliveryState]]]] = {
    Hand.SENDER: {
        state: frozenset({_PENDING, _IN_DOUBT}) for state in (_RELAYED, _DELIVERED, _REJECTED, _DEAD, _EXPIRED)
    }
    | {_IN_DOUBT: frozenset({_PENDING}), _PENDING: frozenset({_IN_DOUBT})},
    Hand.WORD: {
        # That they have it counts whatever we thought of it, unless we took it back ourselves.
        _DELIVERED: frozenset({*OPEN_STATES, *FAILED_STATES}),
        _REJECTED: frozenset(OPEN_STATES),
        _PENDING: frozenset(OPEN_STATES),
        _RELAYED: frozenset({_IN_DOUBT}),
    },
    Hand.OPERATOR: {
        # Sent again; found not to have arrived; what counts as delivered found missing there.
        _PENDING: frozenset({*FAILED_STATES, _IN_DOUBT, _DELIVERED}),
        _DELIVERED: frozenset({_IN_DOUBT, _DEAD, _EXPIRED}),
        _CANCELLED: frozenset({_PENDING, *FAILED_STATES}),
        _SUPERSEDED: frozenset(FAILED_STATES),
    },
    Hand.VERSION: {_SUPERSEDED: YIELDING_STATES},
}
"""By whose hand, to which state, from which ones."""


def may_move(hand: Hand, before: str, after: str) -> bool:
    """Whether this hand moves a delivery so."""
    return before in MOVES[hand].get(DeliveryState(after), ())


DELIVERY: Final = Lifecycle(
    _PENDING,
    {
        before: {
            after
            for moves in MOVES.values()
            for after, froms in moves.items()
            if before in froms and after is not before
        }
        for before in DeliveryState
    },
    final=(_SUPERSEDED,),
)
"""All these moves together."""
