"""The one-stop platform's adapter passes the port's one suite, before the mock of its page."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage
from tests.adapters.one_stop.stage import OneStopStage


class TestOneStop(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return OneStopStage()
