"""The three toys pass the port's suite."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage
from tests.seam.stages import IdempotentStage, NeitherStage, QueryableStage


class TestToyIdempotent(AdapterConformance):
    """The same id again has one effect."""

    def set_up(self) -> Stage:
        return IdempotentStage()


class TestToyQueryable(AdapterConformance):
    """It is asked before a repeat."""

    def set_up(self) -> Stage:
        return QueryableStage()


class TestToyNeither(AdapterConformance):
    """A person decides."""

    def set_up(self) -> Stage:
        return NeitherStage()
