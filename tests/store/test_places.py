"""The places of seals, letter by letter: what is kept under one opens under no other spelling."""

from __future__ import annotations

import inspect

import pytest

from gateway.store import places

PINNED = [
    (places.of_document("msg_1"), "messages.document:msg_1"),
    (places.of_wire("dlv_1"), "deliveries.wire:dlv_1"),
    (places.of_reasons("dlv_1"), "deliveries.reasons:dlv_1"),
    (places.of_steps("dlv_1", 2), "attempts.steps:dlv_1/2"),
    (places.of_call("cbk_1"), "callbacks.call:cbk_1"),
    (places.of_task("tsk_1"), "tasks.detail:tsk_1"),
    (places.of_paper("ppr_1"), "papers.link:ppr_1"),
    (places.of_changes("crr_1"), "corrections.changes:crr_1"),
    (places.of_answer("cli_1", "key"), "idempotency_keys.answer:cli_1/key"),
    (places.of_address("whe_1"), "webhook_endpoints.address:whe_1"),
    (places.of_keys("whe_1"), "webhook_endpoints.keys:whe_1"),
    (places.of_old_keys("whe_1"), "webhook_endpoints.old_keys:whe_1"),
    (places.of_memory("union", "token"), "memory.value:union/token"),
    (places.of_file_name("att_1"), "attachments.name:att_1"),
    (places.of_file("ab" * 32), f"attachment:{'ab' * 32}"),
    (places.of_second_factor("chen"), "users.totp:chen"),
]


@pytest.mark.parametrize(("made", "kept"), PINNED, ids=[kept for _, kept in PINNED])
def test_a_place_is_spelled_as_it_always_was(made: str, kept: str) -> None:
    assert made == kept


def test_every_place_is_pinned() -> None:
    assert len(PINNED) == len(inspect.getmembers(places, inspect.isfunction))
    assert len({kept for _, kept in PINNED}) == len(PINNED)
