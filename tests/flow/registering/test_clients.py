"""Clients and their keys: every act leaves its audit row, and an act that fails leaves neither."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from gateway.flow.moving.acts import ActRefused
from gateway.flow.registering.clients import Clients
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES, hash_secret, make_key
from gateway.store import journal
from gateway.store.engine import Row
from gateway.store.store import Store
from tests.flow.stage import Stage

CODES = ("SD-JN-LX-001", " SD-LY-LS-007 ", " ")


async def acts(store: Store) -> list[tuple[str, str, str, dict[str, object]]]:
    """What the audit chain tells, oldest first."""
    rows = await store.rows("newest_audit", 2**62, 99)
    return [(row["actor"], row["act"], row["target"], json.loads(row["data"])) for row in reversed(rows)]


async def keys(store: Store) -> dict[str, Row]:
    return {row["prefix"]: row for row in await store.rows("all_keys")}


async def test_each_act_leaves_its_audit_row(still: Stage) -> None:
    store, clients = still.house.store, still.house.hands.clients
    made = await clients.add("cli", " 历下区系统 ", UPSTREAM_SCOPES, CODES)
    old, _, secret = made.key.partition(".")
    row = await store.row("find_client", old)
    assert row is not None
    assert (row["client"], row["name"], bytes(row["secret_hash"])) == (made.client, "历下区系统", hash_secret(secret))
    codes = ["SD-JN-LX-001", "SD-LY-LS-007"]
    assert (json.loads(row["scopes"]), json.loads(row["organizations"])) == (list(UPSTREAM_SCOPES), codes)
    turned = await clients.rotate("user:admin", made.client, 24)
    new = turned.key.partition(".")[0]
    assert (turned.client, turned.name) == (made.client, made.name)
    await clients.disable("user:admin", old)
    held = await keys(store)
    assert {prefix: bool(one["enabled"]) for prefix, one in held.items()} == {old: False, new: True}
    assert (held[new]["scopes"], held[new]["organizations"]) == (row["scopes"], row["organizations"])
    assert held[new]["expires_at"] is None
    ends = held[old]["expires_at"]
    assert ends is not None
    assert 0 <= ends - held[old]["created_at"] - 24 * 3_600_000 < 60_000
    assert await acts(store) == [
        ("cli", "client.add", made.client, {"scopes": list(UPSTREAM_SCOPES), "organizations": codes}),
        ("user:admin", "client.rotate", made.client, {"hours": 24}),
        ("user:admin", "client.disable_key", old, {}),
    ]
    assert made.key not in str(await acts(store))


async def test_what_is_refused_leaves_no_trace(still: Stage) -> None:
    store, clients, key = still.house.store, still.house.hands.clients, make_key()
    await clients.add("demo", "演示", OPERATOR_SCOPES, ["*"], key)
    await clients.disable("demo", key.prefix)
    before = (await keys(store), await acts(store))
    for name, codes in ((" ", CODES), ("x" * 101, CODES), ("无组织", (" ",))):
        with pytest.raises(ActRefused, match="client_form"):
            await clients.add("cli", name, UPSTREAM_SCOPES, codes)
    for code in ("bad code!!", "x" * 33, "SD<JN"):
        with pytest.raises(ActRefused, match="organization_code"):
            await clients.add("cli", "历下区系统", UPSTREAM_SCOPES, ("SD-JN-LX-001", code))
    for scopes in (OPERATOR_SCOPES, ("cases:read", "ops:read"), ("audit:read",)):
        with pytest.raises(ActRefused, match="operator_scope"):
            await clients.add("cli", "部分运维", scopes, CODES)
    with pytest.raises(ActRefused, match="taken"):
        await clients.add("cli", "又一个", UPSTREAM_SCOPES, CODES, key)
    with pytest.raises(ActRefused, match="not_found"):
        await clients.rotate("cli", "cli_none", 0)
    for prefix in ("mg000000000000", key.prefix):
        with pytest.raises(ActRefused, match="not_found"):
            await clients.disable("cli", prefix)
    assert (await keys(store), await acts(store)) == before


@pytest.mark.parametrize("act", ["add", "rotate", "disable"])
async def test_an_act_that_cannot_be_audited_is_not_done(
    still: Stage, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clients = still.house.store, still.house.hands.clients
    made = await clients.add("cli", "历下区系统", UPSTREAM_SCOPES, CODES)
    does: dict[str, Callable[[], Awaitable[object]]] = {
        "add": lambda: clients.add("cli", "又一个", UPSTREAM_SCOPES, CODES),
        "rotate": lambda: clients.rotate("cli", made.client, 0),
        "disable": lambda: clients.disable("cli", made.key.partition(".")[0]),
    }
    before = (await keys(store), await acts(store))

    def broken(*_: object) -> bytes:
        raise RuntimeError("no more hashes")

    with monkeypatch.context() as broke:
        broke.setattr(journal, "audit_hash", broken)
        with pytest.raises(RuntimeError):
            await does[act]()
    assert (await keys(store), await acts(store)) == before
    await does[act]()
    assert len(await acts(store)) == len(before[1]) + 1


async def test_of_two_rotations_at_once_one_key_stays(still: Stage) -> None:
    store = still.house.store
    made = await still.house.hands.clients.add("cli", "历下区系统", UPSTREAM_SCOPES, CODES)
    other = await Clients(store).add("cli", "莒南系统", UPSTREAM_SCOPES, CODES)
    await asyncio.gather(*(Clients(store).rotate("cli", made.client, 1) for _ in range(4)))
    endless = Counter(row["client"] for row in (await keys(store)).values() if row["expires_at"] is None)
    assert endless == {made.client: 1, other.client: 1}
