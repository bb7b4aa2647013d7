"""The adapter of the arbitration's exchange passes the port's one suite, against the mock of its page."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage
from tests.adapters.hr_arbitration.stage import HrArbitrationStage


class TestHrArbitration(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return HrArbitrationStage()
