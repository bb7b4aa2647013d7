"""The chambers' platform's adapter passes the port's one suite, before the tables of its page and those of its mock."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage

from .stage import CommerceStage, MockStage


class TestCommerceFederation(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return CommerceStage()


class TestBeforeTheMock(AdapterConformance):
    """The same, on the tables that the mock made."""

    def set_up(self) -> Stage:
        return MockStage()
