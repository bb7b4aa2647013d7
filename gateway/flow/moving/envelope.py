"""Events as others see them: thin CloudEvents 1.0, made from the event's row and its case's numbers (``webhook.md`` §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contracts.chinese_calendar import BEIJING
from contracts.events import EVENT_TYPES
from contracts.moments import written
from gateway.store.engine import many
from gateway.store.journal import EventRow
from gateway.store.store import Store

_HOMES = {
    "case_": "cases",
    "agr_": "agreements",
    "cnf_": "confirmations",
    "trf_": "transfers",
    "ref_": "referrals",
}

INTERNAL = frozenset(
    {
        "delivery.pending",
        "delivery.relayed",
        "mediator.listed",
        "statistics.reported",
        "case.linked",
        "case.kept_apart",
    }
)
"""Facts of the timeline that are not published."""

_MOST_LISTED = 30
"""The most clocks, and numbers, that one event lists: it stays thin, the rest is read by its links."""


_MOMENTS = frozenset({"at", "due_at", "effective_at", "mediation_due_at"})
"""Members of events' data that hold a moment."""


def compact(facts: dict[str, Any]) -> str:
    """Compact JSON of an event's data, or of an audit row's; what is absent is left out. Every moment is told in Beijing time,
    whatever offset its source wrote."""
    return orjson.dumps(
        {
            key: _in_beijing(value) if key in _MOMENTS and isinstance(value, str) else value
            for key, value in facts.items()
            if value is not None
        }
    ).decode()


def _in_beijing(moment: str) -> str:
    if moment.endswith("+08:00"):
        return moment
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return moment if found.tzinfo is None else found.astimezone(BEIJING).isoformat()


@dataclass(frozen=True, slots=True)
class Publisher:
    """Where and as whom events are published."""

    site: str
    public_base: str

    @property
    def source(self) -> str:
        """The CloudEvents source."""
        return f"urn:mediation-gateway:{self.site}"

    @property
    def schemas(self) -> str:
        """The address below which the schemas lie."""
        return f"{self.public_base}/v1/schemas"

    def links(self, about: str, case: str | None) -> dict[str, str]:
        """Absolute addresses, ids alone."""
        found: dict[str, str] = {}
        home = next((home for prefix, home in _HOMES.items() if about.startswith(prefix)), None)
        if home is not None:
            found["self"] = f"{self.public_base}/v1/{home}/{about.partition('/')[0]}"
        if case is not None:
            found.setdefault("self", f"{self.public_base}/v1/cases/{case}")
            found["case"] = f"{self.public_base}/v1/cases/{case}"
            found["timeline"] = f"{self.public_base}/v1/cases/{case}/timeline"
        return found

    def envelope(self, event: EventRow, source_case_no: str | None) -> dict[str, Any]:
        """The CloudEvents object of one numbered event."""
        data: dict[str, Any] = orjson.loads(event.data)
        made: dict[str, Any] = {
            "specversion": "1.0",
            "id": event.id,
            "source": self.source,
            "type": event.type,
            "subject": event.about.partition("/")[0],
            "time": written(event.at),
            "datacontenttype": "application/json",
            "dataschema": f"{self.schemas}/event.{event.type}",
        }
        if event.subject.startswith("case_"):
            made["sequence"] = f"{event.sequence:020d}"
            made["partitionkey"] = event.subject
            data.setdefault("case", event.subject)
            if source_case_no is not None:
                data.setdefault("source_case_no", source_case_no)
            data.setdefault("organization", {"code": event.organization})
            data.setdefault("links", self.links(event.about, event.subject))
        if event.position is not None:
            made["cursor"] = f"{event.position:016d}"
        kind = EVENT_TYPES.get(event.type)
        if kind is not None and "at" in kind.required:
            data.setdefault("at", made["time"])
        for name in ("clocks", "external_refs"):
            if name in data:
                data[name] = data[name][:_MOST_LISTED]
        made["data"] = data
        return made

    def direct(self, kind: str, event_id: str, webhook: str, at_ms: int, data: dict[str, Any]) -> dict[str, Any]:
        """The CloudEvents object of an event that is sent to one webhook alone: in no feed, without cursor."""
        return self.envelope(EventRow(event_id, webhook, 0, kind, webhook, "", compact(data), at_ms, None), None)


async def source_numbers(store: Store, events: list[EventRow]) -> dict[str, str]:
    """The upstream's case number of every case that the events are of."""
    subjects = sorted({event.subject for event in events if event.subject.startswith("case_")})
    rows = await store.runner.read(many, "matter", [(subject,) for subject in subjects])
    return {row["id"]: row["business_key"].partition("|")[2] for row in rows}
