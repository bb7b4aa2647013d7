"""What an attempt's end means for its delivery and its endpoint: one outcome in, one settlement out. Nothing is asked or
written: ids, seal and dice are handed in, the time with each outcome.

::

    Receipt                  delivered, or relayed (they have the bytes, their word comes later)
    RetryableError           pending, by the class's schedule; maybe accepted:
                               idempotent   the same id again
                               queryable    ask first, not before the platform's lag
                               neither      in doubt, before a person
    EndpointError            pending, no step burnt; the endpoint is paused
    EndpointGone             cancelled; the webhook is disabled
    PermanentError           rejected with the platform's reasons, before a person
    cut off by a stop        as maybe accepted if it had left, else pending; due at once, no step burnt, no failure of anybody's
    five dead claims         dead: whatever kills the worker is kept away from it (poison). Who dies beside others may be as
                             innocent as they: after two deaths it is claimed alone, and dies alone three times before it counts
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import orjson

from contracts.adapter import AdapterInfo, DeliveryClass, Receipt
from contracts.errors import AdapterError, EndpointError, EndpointGone, PermanentError, RetryableError
from contracts.messages import MessageType
from gateway.flow.delivering.exchange import Limits
from gateway.flow.moving.moves import told
from gateway.flow.moving.references import fold
from gateway.flow.retry import Over, after_failure, asked_ms
from gateway.settings import RetrySettings
from gateway.store.health import HANDSHAKE
from gateway.store.ids import Ids
from gateway.store.places import of_reasons
from gateway.store.settlement import SUSPECT_AFTER, AttemptRow, Claim, EndpointEffect, Health, Settlement
from gateway.store.unit import NewReference, NewTask
from gateway.store.webhooks import CLASSES

QUARANTINE_AFTER = SUSPECT_AFTER + 3
"""Claims in a row that died without an outcome, the last three of them alone: a process that is killed again and again from
outside hardly ever meets the same innocent in its one moment alone thrice. (With two, some of 10,000 deliveries came near it
in rounds of forty kills, one every seven seconds.)"""

CUT_OFF = "cut_off_by_stop"
"""The code of an attempt that a planned stop of the process ended."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """How an attempt went: its trigger, its length, its sealed steps, the requests it made."""

    trigger: str
    duration_ms: int
    exchanges: int
    steps_sealed: bytes | None


class Judge:
    """Turns outcomes into settlements. ``seal`` seals bytes for a place; times are in ms."""

    def __init__(self, ids: Ids, seal: Callable[[bytes, str], bytes], settings: RetrySettings, random: Random) -> None:
        self._ids = ids
        self._seal = seal
        self._settings = settings
        self._random = random

    def delivered(self, claim: Claim, limits: Limits, receipt: Receipt, how: Attempted) -> Settlement:
        """The platform has it, or (``relayed``) its bytes."""
        state = "relayed" if receipt.relayed else "delivered"
        settled = self._ended(claim, state, None, how, reference=receipt.reference)
        settled.word_wait_ms = round(limits.word_within_s * 1000)
        settled.effect = EndpointEffect(failed=False)
        settled.references = [
            NewReference(claim.endpoint, found.kind, found.value, claim.about, fold(found.value))
            for found in receipt.references
            if claim.type != MessageType.STATUS_REPORTED  # the number of a report is no number of what it reports
        ]
        if receipt.filed_twice:
            settled.tasks.append(self._task("filed_twice", claim))
        if not receipt.relayed:
            settled.closed_tasks = [(kind, claim.delivery, "delivered") for kind in _HEALED]
        return settled

    def failed(
        self, claim: Claim, info: AdapterInfo, limits: Limits, error: AdapterError, how: Attempted | None, now: int
    ) -> Settlement:
        """An attempt ended in one of the three kinds of error."""
        if isinstance(error, PermanentError):
            return self._rejected(claim, error, how)
        if isinstance(error, EndpointGone) and claim.retry_class in CLASSES:
            settled = self._ended(claim, "cancelled", error.code, how)
            settled.effect = EndpointEffect(failed=True, gone=True)
            return settled
        if isinstance(error, EndpointError):
            return self.paused(claim, error, how)
        if not isinstance(error, RetryableError):
            raise TypeError("an adapter error of no known kind")
        return self._retryable(claim, info, limits, error, how, now)

    def paused(self, claim: Claim, error: EndpointError, how: Attempted | None) -> Settlement:
        """The operator must act first: no step is burnt, the endpoint is paused."""
        settled = self._pending(claim, error.code, claim.step, 0, how)
        settled.doubt_at = claim.doubt_at
        settled.effect = EndpointEffect(pause_reason=error.code)
        return settled

    def _retryable(
        self, claim: Claim, info: AdapterInfo, limits: Limits, error: RetryableError, how: Attempted | None, now: int
    ) -> Settlement:
        quiet_ms = asked_ms(error.retry_after)
        # Where nothing went out (a translation that broke) the platform has not failed.
        failed = True if how is not None and how.exchanges else None
        effect = EndpointEffect(hush_ms=quiet_ms, failed=failed, breaker_ms=round(self._settings.breaker * 1000))
        doubt = claim.doubt_at
        at_least = quiet_ms
        if error.maybe_accepted:
            if info.delivery_class is DeliveryClass.NEITHER:
                return replace(self.in_doubt(claim, error.code, how, now), effect=effect)
            doubt = now
            if info.delivery_class is DeliveryClass.QUERYABLE:
                at_least = max(at_least, round(limits.lookup_lag_s * 1000))
        next_try = after_failure(
            retry_class=claim.retry_class,
            step=claim.step,
            created_at=claim.created_at,
            safe_at=claim.safe_at,
            now=now,
            settings=self._settings,
            random=self._random,
            at_least_ms=at_least,
        )
        if isinstance(next_try, Over):
            return replace(self._over(claim, next_try.state, error.code, doubt, how), effect=effect)
        settled = self._pending(claim, error.code, next_try.step, next_try.wait_ms, how)
        settled.doubt_at = doubt
        settled.effect = effect
        if next_try.late:
            settled.tasks.append(self._task("statutory_late", claim, error.code))
        return settled

    def cut_off(
        self, claim: Claim, info: AdapterInfo, limits: Limits, how: Attempted, now: int, *, doubt: bool
    ) -> Settlement:
        """The process was told to end while the attempt was on the wire. ``doubt``: the platform may have it. The next process
        goes on at once, a look-up not before the platform's lag."""
        if doubt and info.delivery_class is DeliveryClass.NEITHER:
            return self.in_doubt(claim, CUT_OFF, how, now)
        asks = doubt and info.delivery_class is DeliveryClass.QUERYABLE
        settled = self._pending(claim, CUT_OFF, claim.step, round(limits.lookup_lag_s * 1000) if asks else 0, how)
        settled.doubt_at = now if doubt else claim.doubt_at
        return settled

    def in_doubt(self, claim: Claim, code: str, how: Attempted | None, now: int) -> Settlement:
        """Nobody can say whether the platform has it: a person decides, or the platform's later word."""
        settled = self._ended(claim, "in_doubt", code, how)
        settled.doubt_at = claim.doubt_at or now
        settled.tasks.append(self._task("in_doubt", claim, code))
        return settled

    def not_yet(self, claim: Claim, wait_ms: int, doubt_at: int | None) -> Settlement:
        """The platform's look-up would not be conclusive before ``wait_ms``: nothing is asked, nothing is burnt."""
        settled = self._pending(claim, None, claim.step, wait_ms, None)
        settled.doubt_at = doubt_at
        return settled

    def of_webhook(self, settled: Settlement) -> Settlement:
        """The settlement of what was owed to a webhook: its outcome moves the webhook's health, makes no event of its own, and
        asks a person only where an event was not fit to leave the house."""
        settled.health = Health(
            self._settings.webhook_failures,
            round(self._settings.webhook_probe * 1000),
            round(self._settings.webhook_disabled_after * 1000),
        )
        settled.events = []
        settled.closed_tasks = []
        if settled.state != "rejected":
            settled.tasks = []
        if settled.claim.retry_class == HANDSHAKE:
            settled.effect = replace(settled.effect, failed=None)  # its tries are counted by its own schedule
        return settled

    def gone(self, claim: Claim) -> Settlement:
        """The webhook that it was owed to is there no more."""
        return self._ended(claim, "cancelled", "endpoint_gone", None)

    def quarantined(self, claim: Claim, doubt_at: int | None) -> Settlement:
        """Claims of it died one after the other: it may be what kills the worker."""
        return self._over(claim, "dead", "crash_loop", doubt_at, None)

    def _rejected(self, claim: Claim, error: PermanentError, how: Attempted | None) -> Settlement:
        settled = self._ended(claim, "rejected", error.code, how)
        if error.reasons:
            reasons = [{"code": r.code, "place": r.place, "text": r.text} for r in error.reasons]
            settled.reasons_sealed = self._seal(orjson.dumps(reasons), of_reasons(claim.delivery))
        settled.tasks.append(self._task("rejected", claim, error.code))
        settled.effect = EndpointEffect(failed=False if how else None)
        return settled

    def _over(self, claim: Claim, state: str, code: str, doubt_at: int | None, how: Attempted | None) -> Settlement:
        settled = self._ended(claim, state, code, how)
        settled.doubt_at = doubt_at
        settled.tasks.append(self._task("dead" if state == "dead" else "statutory_late", claim, code))
        return settled

    def _task(self, kind: str, claim: Claim, code: str | None = None) -> NewTask:
        return NewTask(self._ids.new("task"), kind, claim.delivery, claim.endpoint, code)

    def _pending(self, claim: Claim, code: str | None, step: int, wait_ms: int, how: Attempted | None) -> Settlement:
        return Settlement(claim, "pending", code=code, step=step, wait_ms=wait_ms, attempt=_row("pending", code, how))

    def _ended(
        self, claim: Claim, state: str, code: str | None, how: Attempted | None, reference: str | None = None
    ) -> Settlement:
        event = told(self._ids, claim.delivery, claim.message, claim.endpoint, state, claim.tries, code)
        return Settlement(
            claim,
            state,
            code=code,
            reference=reference,
            step=claim.step,
            attempt=_row(state, code, how),
            events=[event],
        )


_HEALED = ("in_doubt", "statutory_late", "word_overdue", "blocked", "alert_unanswered")


def _row(outcome: str, code: str | None, how: Attempted | None) -> AttemptRow | None:
    if how is None:
        return None
    return AttemptRow(how.trigger, outcome, code, how.exchanges, how.duration_ms, how.steps_sealed)
