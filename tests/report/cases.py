"""Cases as rows, put together by hand or by chance: what ``gateway.report.entry`` reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from hypothesis import strategies as st

from contracts.lists import ClaimKind, EndReason, OrganizationType
from contracts.status import CASE_ENDS
from gateway.report.entry import Entry, entry_of
from tests.flow import papers

ENDS = sorted(str(end) for end in CASE_ENDS)


def moment(day: date) -> datetime:
    """A moment of a day in Beijing: shortly after its midnight, when it is still the day before in London."""
    return datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC) - timedelta(hours=8)


def ms(day: date) -> int:
    """The same in milliseconds since 1970."""
    return round(moment(day).timestamp() * 1000)


def case(
    number: int,
    received: date,
    *,
    accepted: date | None = None,
    steps: list[tuple[str, date, str | None]] | None = None,
    status: str = "received",
    limit: date | None = None,
    changes: dict[str, Any] | None = None,
) -> Entry:
    """The entry of a case. ``steps``: word, day, reason."""
    body = papers.body("wages", {"/source_case_no": f"N{number}", "/received_at": moment(received).isoformat()})
    body.pop("accepted_at", None)
    if accepted is not None:
        body["accepted_at"] = moment(accepted).isoformat()
    for pointer, value in (changes or {}).items():
        papers.put(body, pointer, value)
    last = max([received, *(day for _, day, _ in steps or ())])
    row = {
        "id": f"case_{number:026}",
        "organization": body["organization"]["code"],
        "business_key": f"{body['organization']['code']}|N{number}",
        "status": status,
        "since": ms(last),
        "created_at": ms(received),
        "updated_at": ms(last),
    }
    events: list[dict[str, Any]] = [
        {
            "type": f"case.{word}",
            "data": orjson.dumps(
                {"status": word, "at": moment(day).isoformat()} | ({"reason_code": reason} if reason else {})
            ),
        }
        for word, day, reason in steps or ()
    ]
    limits: list[dict[str, Any]] = (
        [] if limit is None else [{"rule": "D03", "due_on": limit.isoformat(), "state": "running"}]
    )
    return entry_of(row, orjson.dumps(body), (), events, limits)


@st.composite
def cases(draw: st.DrawFn) -> list[Entry]:
    """Some cases on their ways, each in a legal order of days."""
    made = []
    for number in range(draw(st.integers(0, 12))):
        received = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 200)))
        accepted = received + timedelta(days=draw(st.integers(0, 20)))
        ended = accepted + timedelta(days=draw(st.integers(0, 60)))
        way = draw(st.sampled_from(["received", "declined", "accepted", "posted_accepted", "mediating", *ENDS]))
        reason = draw(st.sampled_from([str(one) for one in EndReason]))
        steps: list[tuple[str, date, str | None]] = []
        if way == "declined":
            steps = [("declined", accepted, None)]
        elif way != "received":
            steps = [("accepted", accepted, None)]
        if way == "mediating":
            steps.append(("mediating", accepted, None))
        if way in ENDS:
            steps.append((way, ended, reason))
        if way in ENDS and draw(st.booleans()):
            steps.append(("transferred", ended + timedelta(days=3), None))
        status = "received" if way == "received" else steps[-1][0]
        changes: dict[str, Any] = {
            "/claims/0/kind": draw(st.sampled_from([str(one) for one in ClaimKind])),
            "/organization/type": draw(st.sampled_from([str(one) for one in OrganizationType])),
            "/amount": f"{draw(st.integers(0, 10**9))}.{draw(st.integers(0, 99)):02}",
        }
        if draw(st.booleans()):
            count = draw(st.integers(1, 60))
            changes["/collective"] = {"worker_count": count, "representatives": [], "major": draw(st.booleans())}
        made.append(
            case(
                number,
                received,
                accepted=accepted if way == "posted_accepted" or (draw(st.booleans()) and way in ENDS) else None,
                steps=steps,
                status=status,
                limit=received + timedelta(days=15),
                changes=changes,
            )
        )
    return made
