"""What the outcome of a delivery means for its webhook: verified, unhealthy, recovered, disabled. Pure, but for the writing.

::

    unverified ── handshake answered ──▶ verified ── 10 failures in a row, or one dead ──▶ unhealthy ── first 2xx ──▶ verified
        │ three tries                       │                                                 │ 120 h of failures
        ▼                                   └── 410 ──────────▶ disabled (gone) ◀─────────────┘ disabled (failing)
      failed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.store import webhooks
from gateway.store.engine import Operation
from gateway.store.ids import Ids
from gateway.store.settlement import Health, Settlement
from gateway.store.unit import NewEvent
from gateway.store.webhooks import SLOTS, Change, Webhook

HANDSHAKE = "handshake"
_OPEN = ("pending", "dead")


def prepare(result: Settlement, webhook: Webhook | None, health: Health) -> None:
    """Bend an outcome to where its webhook stands by now.

    To one that is disabled or gone nothing is owed any more; an unhealthy one burns no tries; of several handshakes the newest
    counts.
    """
    if result.state not in _OPEN:
        return
    claim = result.claim
    outdated = webhook is not None and claim.retry_class == HANDSHAKE and claim.delivery != webhook.handshake
    if webhook is None or webhook.state == "disabled" or outdated:
        result.state = "cancelled"
    elif webhook.state == "unhealthy" and claim.retry_class != HANDSHAKE and result.effect.failed is not False:
        result.state, result.step = "pending", claim.step
        result.wait_ms = max(result.wait_ms, health.probe_ms)


def stand(
    results: Sequence[Settlement], found: dict[str, tuple[Webhook, int]], at: dict[str, int], ids: Ids
) -> Operation[None]:
    """Write what these outcomes make of their webhooks (``found``: locked, with the engine's time), the breakers' counts being
    written already. ``at`` holds the sequences of the locked subjects."""
    names = sorted({result.claim.endpoint for result in results if result.claim.endpoint in found})
    if not names:
        return
    failures = {row["name"]: row["failures"] for row in (yield "read_breaker", [(name,) for name in names])}
    for name in names:
        webhook, now = found[name]
        whole = Change(webhook)
        for result in results:
            if result.claim.endpoint == name and result.health is not None:
                step = after(whole.webhook, result, result.health, failures.get(name, 0), now, ids)
                moved = step.slots is not None or step.news is not None
                whole = step if moved else replace(whole, webhook=step.webhook)
        if whole.webhook != webhook:
            at[name] = yield from webhooks.write(whole, at[name])


def after(webhook: Webhook, result: Settlement, health: Health, failures: int, now: int, ids: Ids) -> Change:
    """One outcome's change."""
    handshake = result.claim.retry_class == HANDSHAKE
    if handshake and (result.claim.delivery != webhook.handshake or webhook.state != "unverified"):
        return Change(webhook)
    if not handshake and webhook.state not in ("verified", "unhealthy"):
        return Change(webhook)
    if result.effect.hush_ms:
        webhook = replace(webhook, waits_until=max(webhook.waits_until, now + result.effect.hush_ms))
    if result.state == "delivered":
        return _answered(webhook, now, ids)
    if result.effect.failed is None and not handshake and result.state != "dead":
        # Nothing was tried, or an operator must act first: no failure of the receiver.
        code = result.effect.pause_reason
        return Change(webhook if code is None else _failed(webhook, code, now))
    return _not_answered(webhook, result, health, failures, now, ids)


def _answered(webhook: Webhook, now: int, ids: Ids) -> Change:
    healed = replace(webhook, state="verified", reason=None, last_success_at=now, failing_since=None)
    if webhook.state == "unverified":
        return Change(healed, slots=SLOTS)
    if webhook.state == "unhealthy":
        return Change(healed, slots=SLOTS, wakes=True, news=news("recovered", webhook, "failing", ids))
    return Change(healed)


def tested(webhook: Webhook, code: str | None, gone: bool, wait_ms: int, now: int, ids: Ids) -> Change:
    """What a client's own test (``endpoint.test``) makes of its webhook: a 2xx heals, 410 ends; other failures are noted, but
    count for nothing."""
    if webhook.state not in ("verified", "unhealthy"):
        return Change(webhook)
    if code is None:
        return replace(_answered(webhook, now, ids), resumes=True)
    failing = replace(_failed(webhook, code, now), waits_until=max(webhook.waits_until, now + wait_ms))
    return disabled(failing, "gone", ids) if gone else Change(failing)


def _not_answered(webhook: Webhook, result: Settlement, health: Health, failures: int, now: int, ids: Ids) -> Change:
    failing = _failed(webhook, result.code or "unknown", now)
    if result.effect.gone:
        return disabled(failing, "gone", ids)
    if result.claim.retry_class == HANDSHAKE:
        if result.state == "dead":
            return Change(replace(failing, state="failed"), slots=0)
        return Change(failing)
    since = failing.failing_since if failing.failing_since is not None else now
    failing = replace(failing, failing_since=since)
    if now - since >= health.disabled_after_ms:
        return disabled(failing, "failing", ids)
    if webhook.state == "unhealthy":
        return Change(replace(failing, probe_at=now + health.probe_ms))
    if failures >= health.failures or result.state == "dead":
        sick = replace(failing, state="unhealthy", reason="failing", probe_at=now + health.probe_ms)
        return Change(sick, slots=0, news=news("unhealthy", webhook, "failing", ids))
    return Change(failing)


def _failed(webhook: Webhook, code: str, now: int) -> Webhook:
    return replace(webhook, last_failure_at=now, last_failure_code=code[:64])


def disabled(webhook: Webhook, reason: str, ids: Ids) -> Change:
    """Nothing more is sent: what is open is cancelled, events stay readable by cursor."""
    ended = replace(webhook, state="disabled", reason=reason, mark=None, failing_since=None)
    return Change(ended, slots=0, cancels=True, news=news("disabled", webhook, reason, ids))


def news(word: str, webhook: Webhook, reason: str, ids: Ids) -> NewEvent:
    """News of a webhook for its client's other ones."""
    data = f'{{"webhook_endpoint":"{webhook.id}","reason":"{reason}"}}'
    return NewEvent(ids.new("event"), f"endpoint.{word}", webhook.id, data)
