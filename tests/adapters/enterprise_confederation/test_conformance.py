"""The confederations' platform's adapter passes the port's one suite, before a directory of its page and that of its mock."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage

from .stage import ConfederationStage, MockStage


class TestEnterpriseConfederation(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return ConfederationStage()


class TestBeforeTheMock(AdapterConformance):
    """The same, in the directory that the mock made."""

    def set_up(self) -> Stage:
        return MockStage()
