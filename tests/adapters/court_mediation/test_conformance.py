"""The court's adapter passes the port's one suite, before the mock of its page."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage
from tests.adapters.court_mediation.stage import CourtStage


class TestCourtMediation(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return CourtStage()
