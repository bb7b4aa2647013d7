"""Events as others see them: thin CloudEvents 1.0, made from the event's row and its case's numbers (``webhook.md`` §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson

from gateway.store.journal import EventRow
from gateway.store.store import Store

BEIJING = timezone(timedelta(hours=8))

_HOMES = {
    "case_": "cases",
    "agr_": "agreements",
    "cnf_": "confirmations",
    "trf_": "transfers",
    "ref_": "referrals",
}

INTERNAL = frozenset({"delivery.relayed"})
"""Facts of the timeline that are not published."""


def compact(facts: dict[str, Any]) -> str:
    """Compact JSON of an event's data; what is absent is left out."""
    return orjson.dumps({key: value for key, value in facts.items() if value is not None}).decode()


@dataclass(frozen=True, slots=True)
class Publisher:
    """Where and as whom events are published."""

    site: str
    public_base: str

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
            "source": f"urn:mediation-gateway:{self.site}",
            "type": event.type,
            "subject": event.about.partition("/")[0],
            "time": datetime.fromtimestamp(event.at / 1000, UTC).astimezone(BEIJING).isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "dataschema": f"{self.public_base}/v1/schemas/event.{event.type}",
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
        if event.type.startswith("delivery."):
            data.setdefault("at", made["time"])
        made["data"] = data
        return made


async def source_numbers(store: Store, events: list[EventRow]) -> dict[str, str]:
    """The upstream's case number of every case that the events are of."""
    found = {}
    for subject in {event.subject for event in events if event.subject.startswith("case_")}:
        row = await store.row("matter", subject)
        if row is not None:
            found[subject] = row["business_key"].partition("|")[2]
    return found
