"""The webhook adapter passes the port's one suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from adapters.webhook import Webhook
from contracts.adapter import Exchange, Json
from contracts.conformance import AdapterConformance, Announced, AnySample, Fault, Stage, Verdict
from tests.adapters.webhook.receiver import OLD_SECRET, SECRET, SEED, Upstream, event, private_key, settings


class WebhookStage(Stage):
    """One subscription and its receiver."""

    adapter_type = Webhook
    plays: ClassVar[frozenset[Fault]] = frozenset()
    lacks: ClassVar[frozenset[Fault]] = frozenset({Fault.BUSINESS_REFUSAL, Fault.OPERATOR_PROBLEM})
    """§6: no receiver can refuse a fact; what the operator heals (the policy for addresses) lies outside the adapter."""
    answers_name_the_filing: ClassVar[bool] = False

    def __init__(self) -> None:
        self.upstream = Upstream()

    def settings(self) -> Json:
        return settings()

    def secrets(self) -> tuple[str, ...]:
        return (SECRET, OLD_SECRET, private_key(SEED))

    def samples(self) -> Sequence[AnySample]:
        return [
            Announced(event()),
            Announced(event("evt_01K6EXAMPLE0000000000000X", "confirmation.confirmed", status="confirmed")),
        ]

    def impossible(self) -> Sequence[AnySample]:
        return [
            Announced(event(phone="13800000000")),
            Announced(event(clocks=[{"rule": "D06", "name": "王"}])),
            Announced(event(raw="x" * 20_480)),
        ]

    def verdict(self, fault: Fault) -> Verdict:
        """§6: the HTTP status alone is the answer."""
        return Verdict(None) if fault is Fault.GARBAGE else super().verdict(fault)

    def exchange(self) -> Exchange:
        return self.upstream

    async def arm(self, fault: Fault) -> None:
        raise NotImplementedError(f"{fault} is not played here")

    async def effects(self) -> Sequence[str]:
        return list(self.upstream.taken)


class TestWebhook(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return WebhookStage()
