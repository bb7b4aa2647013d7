"""What is read beside a thing itself: what a platform asked for, where it came from, what each platform knew and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from contracts.case import Case
from contracts.chinese_calendar import beijing_day
from contracts.deadlines import Law
from contracts.moments import from_ms, to_ms
from contracts.referral import Referral
from contracts.statutes import NoRuleInForce
from gateway.flow.house import House
from gateway.flow.moving.task_details import open_detail
from gateway.store.casefile import CaseFile, DeliveryRow, Matter
from gateway.store.engine import Row
from gateway.store.store import Store


async def correction_asked(store: Store, file: CaseFile, matter: Matter) -> dict[str, Any] | None:
    """``{reasons: [{code, place, text}], due?, note?}``: what the platform wants supplied (补正), field by field, and until
    which day; ``None`` where it waits for nothing."""
    rows = [
        row
        for row in await store.rows("tasks_of", file.subject)
        if row["kind"] == "correction_due" and row["about"] == matter.id and row["state"] == "open"
    ]
    if matter.status != "correction_required" or not rows:
        return None
    task = rows[-1]
    found: dict[str, Any] = {"reasons": []}
    if task["due_at"] is not None:
        found["due"] = beijing_day(from_ms(task["due_at"])).isoformat()
    kept = open_detail(store, task)
    if kept:
        rows_of = zip(kept["codes"], kept["places"], kept["reasons"], strict=True)
        found["reasons"] = [
            {name: value for name, value in (("code", code), ("place", place), ("text", text)) if value}
            for code, place, text in rows_of
        ]
        if kept.get("note"):
            found["note"] = kept["note"]
    return found


async def origin(house: House, file: CaseFile, matter: Matter) -> tuple[Case | None, Referral | None]:
    """The case that a thing belongs to, and the referral that the case came from, or that the thing is."""
    case = await house.contexts.case_of(file)
    identifier = matter.id if matter.kind == "referral" else None if case is None else case.referral
    return case, None if identifier is None else await house.contexts.referral(identifier)


async def case_from(store: Store, referral: Referral) -> str | None:
    """The case that came of a referral, once its organisation has posted it."""
    rows = await store.rows("find_reference", referral.endpoint, "task_no", referral.task_no)
    return next((row["about"] for row in rows if row["about"].startswith("case_")), None)


async def draft_of(house: House, referral_id: str, referral: Referral) -> dict[str, Any]:
    """The Case to post after accepting, filled in as far as the platform told (案件草稿): what it did not send is absent, never
    invented. The organisation is that of its latest case where the platform wrote less."""
    made: dict[str, Any] = {"schema_version": "1.0", "channel": "referral"}
    made |= referral.case.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    made |= {"referral": referral_id, "channel": "referral"}
    known = await house.contexts.organization(referral.organization_code, referral)
    if known is not None:
        made["organization"] = known.model_dump(mode="json", exclude_none=True)
    else:
        made["organization"] = made.get("organization", {}) | {"code": referral.organization_code}
    return made


async def platforms_of(store: Store, file: CaseFile, at: datetime | None) -> list[dict[str, Any]]:
    """What each platform had been told and had said at a moment (default: now), and which numbers it had given by then."""
    limit = None if at is None else to_ms(at)
    events = [row for row in await store.rows("events_of", file.subject) if limit is None or row["at"] <= limit]
    states = {row["about"]: row["type"].partition(".")[2] for row in events if row["type"].startswith("delivery.")}
    views: dict[str, dict[str, Any]] = {}

    def view(endpoint: str) -> dict[str, Any]:
        return views.setdefault(endpoint, {"endpoint": endpoint, "told": [], "said": []})

    for delivery in file.deliveries:
        if limit is None or delivery.created_at <= limit:
            state = delivery.state if limit is None else states.get(delivery.id, "pending")
            told = {"type": delivery.type, "about": delivery.about, "state": state, "delivery": delivery.id}
            if limit is None and state != "delivered":
                told |= _why(delivery)
            view(delivery.endpoint)["told"].append(told)
    for row in events:
        data = orjson.loads(row["data"])
        if data.get("endpoint") is not None and not row["type"].startswith("delivery."):
            said = {"type": row["type"], "about": row["about"], "status": data.get("status"), "at": data.get("at")}
            view(data["endpoint"])["said"].append(said)
    for row in await store.rows("references_of", file.subject):
        if row["endpoint"] in views and (limit is None or row["created_at"] <= limit):
            number = {"kind": row["kind"], "value": row["value"], "about": row["about"]}
            views[row["endpoint"]].setdefault("external_refs", []).append(number)
    return [views[name] for name in sorted(views)]


def _why(delivery: DeliveryRow) -> dict[str, Any]:
    """Why a delivery is not there yet: the code of its last try, and what it waits for."""
    why: dict[str, Any] = {"code": delivery.code, "attempts": delivery.attempts, "requires": delivery.requires}
    return {name: value for name, value in why.items() if value is not None}


def rule_titles(row: Row, law: Law) -> dict[str, Any]:
    """What a clock's rule is called and where the law says so, in the version that was in force when the clock began."""
    try:
        rule = law.rulebook.in_force(row["rule"], datetime.fromisoformat(row["started_on"]).date())
    except NoRuleInForce:
        return {}
    return {
        "title": rule.zh,
        "title_en": rule.en,
        "article": rule.citation,
        "article_en": rule.citation_en,
        "verified": rule.verified,
    }
