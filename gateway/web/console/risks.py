"""Deadlines that run out, with the case, the days that are left, and whom the case waits for (期限风险)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from contracts.statutes import NoRuleInForce, Rule, packaged_rulebook
from gateway.store import console
from gateway.store.engine import Row, Rows
from gateway.web.console import words
from gateway.web.console.desk import Visit


@dataclass(frozen=True, slots=True)
class Risk:
    """One running clock."""

    case: str
    number: str
    organization: str
    rule: str
    title: str
    article: str
    due: int
    safe: int
    left: int
    provisional: bool
    stuck: str
    tone: str


def rule_of(rule: str, day: str) -> Rule | None:
    """The rule in the version that holds for the day."""
    try:
        return packaged_rulebook().in_force(rule, date.fromisoformat(day))
    except (NoRuleInForce, ValueError):
        return next((found for found in packaged_rulebook().rules if found.id == rule), None)


async def risks(visit: Visit, clocks: Sequence[Row], most: int) -> list[Risk]:
    """The most urgent clocks, one row each."""
    shown = clocks[:most]
    subjects = sorted({row["subject"] for row in shown})
    store = visit.desk.store
    opened = await store.runner.read(console.for_subjects, subjects, "open_deliveries_of")
    matters = {subject: await store.row("matter", subject) for subject in subjects}
    return [_risk(visit, row, matters[row["subject"]], opened[row["subject"]]) for row in shown]


def _risk(visit: Visit, row: Row, matter: Row | None, opened: Rows) -> Risk:
    rule = rule_of(row["rule"], row["due_on"])
    due = words.day_end(row["due_on"])
    left = due - visit.now
    number = matter["business_key"].partition("|")[2] if matter is not None else row["subject"]
    tone = "bad" if left < 86_400_000 else "warn" if left < 3 * 86_400_000 else "quiet"
    return Risk(
        case=row["subject"],
        number=number,
        organization=row["organization"],
        rule=row["rule"],
        title=(rule.zh if visit.chinese else rule.en) if rule is not None else row["rule"],
        article=(rule.citation if visit.chinese else rule.citation_en) if rule is not None else "",
        due=due,
        safe=row["safe_at"],
        left=left,
        provisional=bool(row["provisional"]),
        stuck=stuck_at(visit, opened, matter["status"] if matter is not None else ""),
        tone=tone,
    )


def stuck_at(visit: Visit, opened: Rows, status: str) -> str:
    """Whom a case waits for: the platforms with an open delivery, else the organisation, else nobody."""
    places = []
    for row in opened:
        state = "retrying" if row["state"] == "pending" and row["code"] else row["state"]
        word = visit.say("state", state)
        place = f"{visit.platform(row['endpoint'])} {word}"
        if place not in places:
            places.append(place)
    if places:
        more = f" +{len(places) - 2}" if len(places) > 2 else ""
        return ("、" if visit.chinese else ", ").join(places[:2]) + more
    return "" if words.is_final("case", status) else visit.t("case.with_organization")
