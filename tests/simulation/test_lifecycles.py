"""Random histories of deliveries, calls and cases, shrunk to the shortest that breaks what must hold.

``GATEWAY_TEST_EXAMPLES=2000`` tries more of them, and others each time.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.lifecycles import Lifecycles

_ASKED_FOR = os.environ.get("GATEWAY_TEST_EXAMPLES", "")


@pytest.mark.timeout(int(_ASKED_FOR or 30) * 10)
def test_no_history_breaks_a_lifecycle() -> None:
    run_state_machine_as_test(
        Lifecycles,
        settings=settings(
            max_examples=int(_ASKED_FOR or 30),
            derandomize=not _ASKED_FOR,
            stateful_step_count=50 if _ASKED_FOR else 30,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
            print_blob=True,
        ),
    )
