"""The adapter of the union's platform passes the port's one suite, against the mock of its page."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage
from tests.adapters.union.stage import UnionStage


class TestUnion(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return UnionStage()
