"""Defects planted into a running engine: a simulation that finds nothing must be shown to be able to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contracts.adapter import DeliveryClass, Exchange, Receipt, Wire
from contracts.errors import RetryableError
from gateway.flow.delivering.settlement import Attempted
from gateway.store.engine import Operation, Row
from gateway.store.inbox import NewCallback, Stored
from gateway.store.settlement import Claim, FrozenWire, Settlement
from tests.simulation.platforms import ASKED, BYTES
from tests.simulation.process import Process
from tests.simulation.world import Plant


def token_not_checked(process: Process) -> None:
    """An outcome is taken from whoever brings it, also from one whose lane was taken over."""
    process.runner.replace(
        "hold_lane",
        lambda sql: sql.replace("AND l.token = given.token", "").replace(
            "SELECT l.head, l.token", "SELECT l.head, given.token"
        ),
    )


def new_id_per_attempt(process: Process) -> None:
    """A repeat goes out under an id of its own."""
    sent: set[str] = set()
    for line in _lines(process).values():
        adapter, send = line.endpoint.adapter, line.endpoint.adapter.send

        async def renamed(wire: Wire, exchange: Exchange, send: Any = send) -> Receipt:
            again = wire.id in sent
            sent.add(wire.id)
            receipt: Receipt = await send(replace(wire, id=f"{wire.id}-again") if again else wire, exchange)
            return receipt

        adapter.send = renamed


def requirement_ignored(process: Process) -> None:
    """A delivery does not wait for what it requires."""
    process.runner.replace("rehead", lambda sql: sql.replace("OR r.state = 'delivered'", "OR r.state IS NOT NULL"))


def wire_not_frozen(process: Process) -> None:
    """Each attempt translates anew, with today's mapping."""
    store = _house(process).store

    async def kept_nowhere(wire: FrozenWire) -> bool:
        return True

    store.freeze = kept_nowhere


def lookup_skipped(process: Process) -> None:
    """A queryable platform is not asked before a repeat."""

    async def nothing_found(wire: Wire, exchange: Exchange) -> None:
        return None

    _lines(process)[ASKED].endpoint.adapter.lookup = nothing_found


def settled_before_sent(process: Process) -> None:
    """The outcome is written before the filing leaves."""
    house = _house(process)
    deliverer = house.worker._deliverer
    bring = deliverer.bring

    async def hasty(claim: Claim) -> None:
        line = house.lines[claim.endpoint]
        judge = deliverer._judge
        receipt = Receipt("N00000")
        made = judge.delivered(claim, line.limits, receipt, Attempted("schedule", 0, 0, None))
        await house.store.settle(made)
        await bring(claim)

    deliverer.bring = hasty


def doubt_freed(process: Process) -> None:
    """A delivery in doubt does not hold its lane."""
    open_ones, pending = "n.state IN ('pending', 'in_doubt')", "n.state = 'pending'"
    process.runner.replace("rehead", lambda sql: sql.replace(open_ones, pending))


def word_applied_twice(process: Process) -> None:
    """Nobody remembers which words were applied."""
    process.runner.replace("was_applied", lambda sql: sql + " WHERE 1 = 0")
    process.runner.replace("add_applied", lambda sql: sql.replace("DO NOTHING", "DO UPDATE SET at = excluded.at"))


def crash_not_counted(process: Process) -> None:
    """A claim that died without an outcome leaves no memory of it."""
    settled = "1 + (SELECT d.attempts FROM deliveries d WHERE d.id = lanes.head)"
    process.runner.replace("claim", lambda sql: sql.replace("tries = tries + 1", f"tries = {settled}"))


def timeout_taken_for_failure(process: Process) -> None:
    """A lost answer counts as: nothing happened."""
    judge = _house(process).worker._deliverer._judge
    retryable = judge._retryable

    def sure(claim: Claim, info: Any, limits: Any, error: RetryableError, how: Any, now: int) -> Settlement:
        error.maybe_accepted = False
        settled: Settlement = retryable(claim, info, limits, error, how, now)
        return settled

    judge._retryable = sure


def doubtful_sent_again(process: Process) -> None:
    """What a platform cannot repeat is repeated."""
    for line in _lines(process).values():
        if line.endpoint.name == BYTES:
            kind = type(line.endpoint.adapter)
            kind.info = replace(kind.info, delivery_class=DeliveryClass.IDEMPOTENT)


def answered_before_kept(process: Process) -> None:
    """A call is answered before it is stored."""
    house = _house(process)
    keep = house.store.keep_callback

    async def later(call: NewCallback) -> Stored:
        process.spawn(keep(call))
        return Stored(call.id, fresh=True)

    house.store.keep_callback = later


def marked_before_published(process: Process) -> None:
    """The mark moves on before the broker has the events."""
    house = _house(process)
    run = house.store.runner.run

    async def hasty(operation: Callable[..., Operation[Any]], *arguments: Any) -> Any:
        result = await run(operation, *arguments)
        if len(arguments) == 2 and arguments[0] == "lease_mark" and result:
            row: Row = (await house.store.rows("log_position"))[0]
            consumer, token, _ = arguments[1][0]
            await run(operation, "advance_mark", [(consumer, token, row["position"])])
        return result

    house.store.runner.run = hasty


def sent_after_the_lease(process: Process) -> None:
    """The attempt's time counts from its sending, not from its claim: who was stopped in between sends beside another."""
    _house(process).worker._deliverer._left_s = lambda claim: 1e6


def wall_clock_believed(process: Process) -> None:
    """Leases and schedules go by the machine's clock, whatever somebody sets it to."""
    process.believe_wall()


def _house(process: Process) -> Any:
    assert process.house is not None
    return process.house


def _lines(process: Process) -> dict[str, Any]:
    lines: dict[str, Any] = _house(process).lines
    return lines


BUGS: dict[str, Plant] = {
    bug.__name__: bug
    for bug in (
        token_not_checked,
        new_id_per_attempt,
        requirement_ignored,
        wire_not_frozen,
        lookup_skipped,
        settled_before_sent,
        doubt_freed,
        word_applied_twice,
        crash_not_counted,
        timeout_taken_for_failure,
        doubtful_sent_again,
        answered_before_kept,
        marked_before_published,
        sent_after_the_lease,
        wall_clock_believed,
    )
}
"""By name."""
