"""What operators do about what is owed to webhooks, and a handshake that may be killing its senders."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.flow.moving.order import Principal
from gateway.flow.operating import operate
from gateway.flow.operating.operate import Operator
from gateway.flow.operating.replay import Replayer, ReplayKind
from gateway.store.settlement import EndpointEffect
from tests.store.bench import LEASE_MS, Bench, VirtualClock
from tests.store.test_webhooks import Desk


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


async def test_a_handshake_that_may_kill_goes_alone(desk: Desk, clock: VirtualClock) -> None:
    killer, other = await desk.subscribe(), await desk.subscribe()
    for _ in range(2):
        for claim in await desk.store.claim_probes(LEASE_MS):
            if claim.endpoint == other:
                assert await desk.settle(claim, "pending", wait_ms=LEASE_MS, code="x", effect=EndpointEffect())
        clock.pass_ms(LEASE_MS)
    [claim] = await desk.store.claim_probes(LEASE_MS)
    assert (claim.endpoint, claim.alone) == (other, False)
    assert await desk.settle(claim, effect=EndpointEffect())
    assert await desk.store.claim_probes(LEASE_MS, 1) == [], "what flies lands first"
    [claim] = await desk.store.claim_probes(LEASE_MS)
    assert (claim.endpoint, claim.alone) == (killer, True)


async def test_an_operators_act_and_its_audit_row_are_one(
    desk: Desk, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = await desk.verified()
    await bench.committed(bench.case("case_1", ()))
    await desk.relay()
    [claim] = await desk.claim(identifier)
    await desk.settle(claim, "pending", step=1, wait_ms=10, code="timeout")
    acts = len(await desk.store.rows("audit_after", 0, 100))
    operator, principal = Operator(desk.store), Principal("op", frozenset({"*"}), frozenset())
    with monkeypatch.context() as broken:
        broken.setattr(operate, "append_audit", _torn)
        with pytest.raises(RuntimeError):
            await operator.cancel(principal, claim.delivery, "x")
    assert await bench.state(claim.delivery) == "pending"
    assert (await operator.cancel(principal, claim.delivery, "x")).refused is None
    assert await bench.state(claim.delivery) == "cancelled"
    assert [row["act"] for row in await desk.store.rows("audit_after", acts, 100)] == ["delivery.cancel"]


async def test_an_event_is_sent_again_as_it_is_and_never_translated(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    await bench.committed(bench.case("case_1", ()))
    await desk.relay()
    [claim] = await desk.claim(identifier)
    await desk.settle(claim, "dead", code="timeout")
    operator = Principal("op", frozenset({"*"}), frozenset())
    standing = await Replayer(desk.store).replay(operator, claim.delivery, "x", ReplayKind.RETRANSLATE)
    assert (standing.refused, standing.state) == ("not_translated", "dead")
    assert (await Replayer(desk.store).replay(operator, claim.delivery, "x")).refused is None
    assert await bench.state(claim.delivery) == "pending"


def _torn(entries: object, at: int) -> Any:
    raise RuntimeError("the audit row cannot be written")
