"""``gateway find`` says why a delivery waits, in the reader's words."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.cli.finding import Found, _platform


def waits(endpoint: dict[str, Any], *told: dict[str, Any]) -> list[str]:
    """What the case waits for at one platform."""
    found = Found("case_1", "LX-1", "SD-JN-LX-001", "agreed")
    _platform(found, {"endpoint": "one_stop", "told": list(told)}, endpoint)
    return [wait.what for wait in found.waits]


def entry(state: str, delivery: str = "dlv_2", **more: Any) -> dict[str, Any]:
    return {"type": "case.progressed", "state": state, "delivery": delivery, **more}


@pytest.mark.parametrize(
    ("endpoint", "told", "reason"),
    [
        ({"paused": True, "reason": "credential"}, entry("pending"), "已暂停 paused: credential"),
        ({"breaker": "open"}, entry("pending", code="http_503", attempts=4), "keeps failing"),
        ({}, entry("pending", code="http_503", attempts=4), "http_503，已试 tries 4"),
        ({}, entry("rejected", code="E102", attempts=1), "E102"),
        ({}, entry("pending", requires="dlv_1"), "须先送达 needs first dlv_1"),
    ],
)
def test_why_it_waits(endpoint: dict[str, Any], told: dict[str, Any], reason: str) -> None:
    found = waits(endpoint, entry("rejected", "dlv_1", code="E1"), told)
    assert reason in found[-1]


def test_what_is_there_is_not_waited_for() -> None:
    assert waits({"paused": True}, entry("delivered", "dlv_1"), entry("superseded")) == []
    (wait,) = waits({"breaker": "closed"}, entry("delivered", "dlv_1"), entry("pending", requires="dlv_1"))
    assert "needs first" not in wait
