"""The claim of due deliveries, and the settlement of what became of them."""

from __future__ import annotations

from collections.abc import Container, Mapping

from contracts.deliveries import BARRING_STATES
from gateway.store import health, webhooks
from gateway.store.commit import free_successors, open_blocked_tasks
from gateway.store.engine import Operation, Rows
from gateway.store.ids import Ids
from gateway.store.inbox import wake
from gateway.store.pauses import pause
from gateway.store.settlement import Claim, FrozenWire, Settlement
from gateway.store.webhooks import Webhook

BREAKER_AFTER = 5
"""Failures in a row that open an endpoint's breaker."""

BREAKER_CAP_MS = 300_000
"""The longest an open breaker waits before its next probe."""


_MOMENT_MS = 1_000
"""What the first tries of a word that nobody knows yet bridge in any case."""


def shares(free: dict[str, int], batch: int, turn: int) -> list[tuple[str, int]]:
    """Split ``batch`` places over endpoints with ``free`` slots: equal shares, the smallest first so that what they leave is
    used. Where there are more endpoints than places, ``turn`` decides where the list begins."""
    names = sorted(name for name, slots in free.items() if slots > 0)
    if not names:
        return []
    start = turn % len(names)
    names = sorted((names[start:] + names[:start])[:batch], key=lambda name: free[name])
    split = []
    for place, name in enumerate(names):
        got = min(free[name], -(-batch // (len(names) - place)))
        batch -= got
        if got:
            split.append((name, got))
    return split


def claim(
    batch: int,
    token: int,
    leases: Mapping[str, int],
    ready: Container[str],
    flying: int = 0,
    patience_ms: int = 0,
    room: Mapping[str, int] | None = None,
) -> Operation[list[Claim]]:
    """At most ``batch`` due heads of the ``ready`` endpoints, leased under ``token`` for ``leases[endpoint]`` ms. An endpoint
    whose breaker is open gets one place: its probe.

    ``flying``: claims of this process that are in flight. Where a suspect is due it comes alone, and before it nothing: what
    flies lands first. One that is not due for ``patience_ms`` yet is left to a process that has nothing in flight.
    ``room``: how many more of an endpoint's this process can use; what it could not send soon is left to the others."""
    found = yield "open_endpoints", [()]
    mine = [row for row in found if row["name"] in ready]
    if not mine:
        return []
    live = {row["endpoint"]: row["live"] for row in (yield "count_live", [(row["name"],) for row in mine])}
    free = {row["name"]: (row["slots"] if row["breaker"] == "closed" else 1) - live[row["name"]] for row in mine}
    for name in free.keys() & (room or {}).keys():
        free[name] = min(free[name], (room or {})[name])
    suspects = [row for row in mine if row["suspect"] is not None and free[row["name"]] > 0]
    if suspects and not flying:
        # The innocent are through before the poison.
        first = min(suspects, key=lambda row: (row["suspect"], row["name"]))
        taken = yield "claim_suspect", [(first["name"], token, leases[first["name"]])]
        alone = yield from _loaded(taken, token)
        return alone
    if any(row["suspect_at"] is not None and row["now"] - row["suspect_at"] >= patience_ms for row in suspects):
        return []
    quota = shares(free, batch, token)
    if not quota:
        return []
    taken = yield "claim", [(endpoint, places, token, leases[endpoint]) for endpoint, places in quota]
    claims = yield from _loaded(taken, token)
    return claims


def may_leave_at_once(taken: list[Claim]) -> bool:
    """Whether one of these may be sent under its claim alone. Where none has a wire yet, nothing leaves before the commit that
    freezes it, and that one holds the claim too."""
    return any(claim.wire_sealed is not None for claim in taken)


def claim_probes(token: int, lease: int, flying: int = 0) -> Operation[list[Claim]]:
    """What is due of webhooks that have no slots: handshakes, and the oldest delivery of each unhealthy one. Those of a webhook
    with a suspect come alone, as ``claim`` does it."""
    due = yield "due_probes", [()]
    chosen = [row["id"] for row in due if not row["suspect"]]
    if not chosen and not flying:
        chosen = [row["id"] for row in due][:1]
    taken = yield "claim_probe", [(name, token, lease) for name in chosen]
    claims = yield from _loaded(taken, token)
    return claims


def _loaded(taken: Rows, token: int) -> Operation[list[Claim]]:
    if not taken:
        return []
    rows = yield "load_claimed", [(row["head"],) for row in taken]
    loaded = {row["id"]: row for row in rows}
    return [
        Claim(
            delivery=lane["head"],
            message=row["message"],
            type=row["type"],
            about=row["about"],
            endpoint=lane["endpoint"],
            subject=lane["subject"],
            sequence=row["sequence"],
            retry_class=row["class"],
            safe_at=row["safe_at"],
            created_at=row["created_at"],
            step=row["step"],
            crashes=row["crashes"],
            doubt_at=row["doubt_at"],
            wire_sealed=row["wire_sealed"],
            tries=lane["tries"],
            token=token,
            claimed_at=row["now"],
            lost=lane["tries"] - 1 - row["attempts"],
            organization=row["organization"] or "",
        )
        for lane in taken
        for row in (loaded[lane["head"]],)
    ]


def acquit(held: Claim) -> Operation[None]:
    """A suspect that has lived on for a while, alone, is not what kills: its dead claims are forgotten."""
    row = (held.endpoint, held.subject, held.token)
    yield "acquit_delivery", [row]
    yield "acquit_lane", [row]


def give_back(unsent: list[Claim]) -> Operation[None]:
    """Let claims go under which nothing went out: each is due again at once, as if it had not been claimed."""
    yield "give_back", _lanes(unsent)
    yield "notify_due", [()]


def freeze(wires: list[FrozenWire]) -> Operation[list[bool]]:
    """Store wires under their claims' tokens; ``False`` for a claim that was taken over."""
    held = yield "hold_lane", _lanes([wire.claim for wire in wires])
    kept = {(row["head"], row["token"]) for row in held}
    good = [wire for wire in wires if (wire.claim.delivery, wire.claim.token) in kept]
    if good:
        yield "freeze_wire", [(wire.claim.delivery, wire.operation, wire.mapping, wire.wire_sealed) for wire in good]
    return [(wire.claim.delivery, wire.claim.token) in kept for wire in wires]


def still_held(claims: list[Claim]) -> Operation[list[Claim]]:
    """Those of these claims whose lease stands: what became of a claim whose commit nobody answered."""
    held = yield "hold_lane", _lanes(claims)
    kept = {(row["head"], row["token"]) for row in held}
    return [claim for claim in claims if (claim.delivery, claim.token) in kept]


def is_settled(results: list[Settlement], kept: list[bool]) -> Operation[bool]:
    """Whether a settlement whose commit nobody answered holds: its attempts are there, or its lanes were let go."""
    won = [result for result, ok in zip(results, kept, strict=True) if ok]
    if not won:
        return True
    held = yield "hold_lane", _lanes([result.claim for result in won])  # whoever still writes it is waited for
    attempts: list[tuple[object, ...]] = [(r.claim.delivery, r.claim.tries) for r in won if r.attempt is not None]
    if not attempts:
        return not held
    known = yield "known_attempts", attempts
    return bool(known)


def _lanes(claims: list[Claim]) -> list[tuple[object, ...]]:
    ordered = sorted(claims, key=lambda claim: (claim.endpoint, claim.subject))
    return [(claim.endpoint, claim.subject, claim.delivery, claim.token) for claim in ordered]


def settle(results: list[Settlement], ids: Ids) -> Operation[list[bool]]:
    """Write outcomes under their tokens: delivery, attempt, events, references, tasks, the endpoint's standing, and the lane's
    next head. A stale one (its lane was taken over) changes nothing and is told ``False``."""
    told = {result.claim.endpoint for result in results if result.health is not None}
    subjects = sorted({result.claim.subject for result in results} | told)
    locked = yield "lock_subject", [(subject,) for subject in subjects]
    at: dict[str, int] = {row["id"]: row["sequence"] for row in locked}
    found = yield from webhooks.lock(told)
    held = yield "hold_lane", _lanes([result.claim for result in results])
    kept = {(row["head"], row["token"]) for row in held}
    good = [result for result in results if (result.claim.delivery, result.claim.token) in kept]
    if good:
        for result in good:
            if result.health is not None:
                known = found.get(result.claim.endpoint)
                health.prepare(result, None if known is None else known[0], result.health)
        yield from _settle_held(good, at, ids, found)
    return [(result.claim.delivery, result.claim.token) in kept for result in results]


def _settle_held(
    good: list[Settlement], at: dict[str, int], ids: Ids, told: dict[str, tuple[Webhook, int]]
) -> Operation[None]:
    events: list[tuple[object, ...]] = []
    for result in good:
        subject = result.claim.subject
        for event in result.events:
            at[subject] += 1
            events.append(
                (subject, at[subject], event.id, event.type, event.about, result.claim.organization, event.data)
            )
    yield "settle_delivery", [_settled_row(result) for result in good]
    attempts = [
        (r.claim.delivery, r.claim.tries, a.trigger, a.outcome, a.code, a.exchanges, a.duration_ms, a.steps_sealed)
        for r in good
        for a in [r.attempt]
        if a is not None
    ]
    if attempts:
        yield "add_attempt", attempts
    if events:
        yield "add_event", events
        yield "move_subject", sorted({r.claim.subject: at[r.claim.subject] for r in good if r.events}.items())
    traced = [(thing, r.trace) for r in good if r.trace for thing in (r.claim.delivery, *(e.id for e in r.events))]
    if traced:
        yield "add_trace", traced
    references = [
        (ref.endpoint, ref.kind, ref.value, ref.about, r.claim.subject, ref.folded)
        for r in good
        for ref in r.references
    ]
    if references:
        yield "add_reference", references
    yield from wake((r.claim.endpoint, r.claim.about) for r in good if _was_spoken_of(r))
    closed = [row for r in good for row in r.closed_tasks]
    if closed:
        yield "close_task", closed
    tasks = [task.row(r.claim.subject, r.claim.organization) for r in good for task in r.tasks]
    if tasks:
        yield "open_task", tasks
    yield from _affect_endpoints(good, ids)
    yield "release_lane", [(r.claim.endpoint, r.claim.subject, r.claim.token) for r in good]
    yield from health.stand(good, told, at, ids)
    touched = {(r.claim.endpoint, r.claim.subject) for r in good}
    yield from free_successors([r.claim.delivery for r in good if r.state == "delivered"], touched)
    yield from open_blocked_tasks([r.claim.delivery for r in good if r.state in BARRING_STATES], ids)
    yield "rehead", sorted(touched)
    if any(r.state != "pending" for r in good):
        yield "notify_due", [()]


def _was_spoken_of(result: Settlement) -> bool:
    """Whether the platform may have said something by the number that we hear only now: it may have the filing from a try
    before this one, or took its time to answer. Else the word's own waits are longer than it took us."""
    if result.health is not None or not (result.references or result.reference):
        return False
    return result.claim.tries > 1 or result.attempt is None or result.attempt.duration_ms >= _MOMENT_MS


def _settled_row(result: Settlement) -> tuple[object, ...]:
    claim = result.claim
    return (
        claim.delivery,
        result.state,
        result.code,
        result.reasons_sealed,
        result.reference,
        claim.tries,
        0 if result.attempt else claim.crashes + claim.lost,
        result.step,
        result.doubt_at,
        result.wait_ms,
        result.word_wait_ms,
    )


def _affect_endpoints(good: list[Settlement], ids: Ids) -> Operation[None]:
    judged = [result for result in good if result.effect.failed is not None]
    if judged:
        rows = yield "read_breaker", [(name,) for name in sorted({result.claim.endpoint for result in judged})]
        standing = {row["name"]: (row["failures"], row["breaker"]) for row in rows}
        failed = {result.claim.endpoint for result in judged if result.effect.failed}
        # An endpoint that is well and stays well is not locked: the lock would keep every claimer away until the commit.
        names = [name for name in sorted(standing) if name in failed or standing[name] != (0, "closed")]
        rows = yield "lock_breaker", [(name,) for name in names]
        changes = []
        open_for = []
        for row in rows:
            failures, breaker = row["failures"], row["breaker"]
            for result in judged:
                if result.claim.endpoint == row["name"]:
                    failures = failures + 1 if result.effect.failed else 0
            state = "open" if failures >= BREAKER_AFTER else "closed"
            if state == "open":
                first = max(r.effect.breaker_ms for r in judged if r.claim.endpoint == row["name"])
                open_for.append((row["name"], min(first << min(failures - BREAKER_AFTER, 8), BREAKER_CAP_MS)))
            if (failures, state) != (row["failures"], breaker):
                changes.append((row["name"], failures, state))
        if changes:
            yield "set_breaker", changes
        if open_for:
            yield "hush_endpoint", open_for
    hushes: dict[str, int] = {}
    for result in good:
        if result.effect.hush_ms:
            hushes[result.claim.endpoint] = max(result.effect.hush_ms, hushes.get(result.claim.endpoint, 0))
    if hushes:
        yield "hush_endpoint", sorted(hushes.items())
    pauses = [(r.claim.endpoint, "gateway", r.effect.pause_reason) for r in good if r.effect.pause_reason]
    if pauses:
        yield from pause(pauses, ids)
