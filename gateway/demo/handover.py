"""Cases that platforms hand over to the organisations (委派、委托、指派): the order goes to the platform's clerk, once, also
through a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from contracts.lists import ReferralKind
from contracts.messages import COURT, HR, ONE_STOP, UNION
from gateway.demo.client_log import Kept
from gateway.demo.platforms import Platform
from gateway.demo.script import Script

SENDERS: Final[Mapping[ReferralKind, str]] = {
    ReferralKind.COURT_DELEGATED: COURT,
    ReferralKind.COURT_ENTRUSTED: COURT,
    ReferralKind.ARBITRATION_ENTRUSTED: HR,
    ReferralKind.ONE_STOP_ASSIGNED: ONE_STOP,
    ReferralKind.UNION_HANDED_OVER: UNION,
}
"""Whose platform hands over by each kind."""

_USED = 422
"""How a clerk refuses a task number that he has given already."""


async def hand_over(kind: ReferralKind, script: Script, platform: Platform, kept: Kept, key: str) -> str:
    """Have the case handed over to its organisation; returns the task number (任务号) that the referral will carry."""
    known = kept.uploads.get(key)
    if known is not None:
        return known
    number = f"DEMO{script.seed}-{script.number:05d}"
    order, own_number = _order(kind, script, number)
    if own_number:
        await _once(platform, order)
    else:
        number = await _by_mark(platform, order, number, kept, f"{key}-asked")
    kept.note_upload(key, number)
    return number


def _order(kind: ReferralKind, script: Script, number: str) -> tuple[dict[str, Any], bool]:
    """The order, and whether it may choose the task's number."""
    organization = script.home.code
    match kind:
        case ReferralKind.COURT_DELEGATED | ReferralKind.COURT_ENTRUSTED:
            way = "1" if kind is ReferralKind.COURT_DELEGATED else "2"
            return {"jgdm": organization, "wplx": way, "fydm": script.home.court_code, "rwbh": number}, True
        case ReferralKind.ARBITRATION_ENTRUSTED:
            return {"organization_code": organization, "task_no": number}, True
        case ReferralKind.UNION_HANDED_OVER:
            return {"jgdm": organization, "yjbh": number}, True
        case ReferralKind.ONE_STOP_ASSIGNED:
            return {"机构编码": organization, "简述": f"{script.case.facts[:200]}（{number}）"}, False
        case _:
            raise ValueError(f"no platform of the demonstration hands over by {kind}")


async def _once(platform: Platform, order: dict[str, Any]) -> None:
    try:
        await platform.refer(order)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != _USED:
            raise


async def _by_mark(platform: Platform, order: dict[str, Any], mark: str, kept: Kept, asked: str) -> str:
    """Where the platform numbers by itself, an order that may have arrived is looked for by the mark in its text."""
    if asked in kept.uploads:
        found = await platform.referred(mark)
        if found is not None:
            return found
    else:
        kept.note_upload(asked, mark)
    return str((await platform.refer(order))["ref"])
