"""What may be done next about a thing, until when and before whom (下一步): steps that the law leaves open."""

from __future__ import annotations

from typing import Any

from gateway.store.casefile import Matter

_CONFIRM = (
    ("request_arbitration_review", "D04", "arbitration_commission"),
    ("request_judicial_confirmation", "D07", "court"),
)
_AFTER_REFUSAL = (
    ("mediate_again", None, "organization"),
    ("apply_for_arbitration", "D13", "arbitration_commission"),
)


def next_steps(matter: Matter, clocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``[{action, until, authority}]``; ``until`` is the last day of the clock that runs for it, absent where none is known."""
    open_until = {clock["rule"]: clock["due"] for clock in clocks if clock["state"] == "running"}

    def step(action: str, rule: str | None, authority: str) -> dict[str, Any]:
        made: dict[str, Any] = {"action": action, "authority": authority}
        if rule is not None and rule in open_until:
            made["until"] = open_until[rule]
        return made

    if matter.kind == "agreement":
        return [step(action, rule, authority) for action, rule, authority in _CONFIRM if rule in open_until]
    if matter.kind == "confirmation":
        if matter.status == "correction_required":
            return [step("supplement", None, "organization"), step("withdraw", None, "organization")]
        if matter.status in ("not_accepted", "rejected"):
            return [step(action, rule, authority) for action, rule, authority in _AFTER_REFUSAL]
        if matter.status == "confirmed":
            return [step("apply_for_enforcement", "D26", "court")]
    if matter.kind == "case" and matter.status in ("failed", "terminated"):
        return [step("apply_for_arbitration", "D13", "arbitration_commission")]
    return []
