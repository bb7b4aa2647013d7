"""The national platform's adapter passes the port's one suite, before the mock of its page."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage

from .stage import NationalStage


class TestNationalMediation(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return NationalStage()
