"""What the receiver remembers of each endpoint: ids, order, handshake, refusals in force (webhook page §5, §6, §8)."""

import time
from asyncio import Task
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mocks.webhook.catalogue import VERIFICATION
from mocks.webhook.inspection import Finding
from mocks.webhook.trust import DEFAULT

Json = dict[str, Any]


@dataclass(slots=True)
class Entry:
    """One event as received: the ledger's entry."""

    webhook_id: str
    type: str
    subject: str
    partitionkey: str
    sequence: str
    times: int = 1


@dataclass(slots=True)
class Standing:
    """One endpoint of the gateway as this receiver knows it; times are of the monotonic clock."""

    verified: bool = False
    digests: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    """``partitionkey`` → highest ``sequence`` taken."""
    gone_since: float | None = None
    silent_from: float = 0.0
    silent_until: float = 0.0
    """The window of a ``Retry-After`` that was answered."""


@dataclass(slots=True)
class Flight:
    """A request that is not answered yet."""

    endpoint: str
    case: str
    task: "Task[Any]"
    gone: Callable[[], bool]


class Memory:
    """All endpoints, and the requests in flight."""

    def __init__(self, grace_s: float) -> None:
        """``grace_s``: what was on its way when 410 or ``Retry-After`` was answered may still arrive for that long."""
        self._grace_s = grace_s
        self._known: dict[str, Standing] = {}
        self._flights: list[Flight] = []

    def of(self, endpoint: str) -> Standing:
        """The standing of an endpoint, made when it is first asked for."""
        return self._known.setdefault(endpoint, Standing())

    def judge(self, finding: Finding) -> list[str]:
        """Breaches against what is remembered, of a request with a right signature; notes its digest."""
        if finding.endpoint is None:
            return []
        standing, now = self.of(finding.endpoint), time.monotonic()
        found: list[str] = []
        if standing.digests.setdefault(finding.webhook_id, finding.digest) != finding.digest:
            found.append("body_changed")
        verification = finding.type == VERIFICATION
        if not standing.verified and not verification:
            found.append("before_handshake")
        if standing.gone_since is not None and now > standing.gone_since + self._grace_s and not verification:
            found.append("after_gone")
        if standing.silent_from + self._grace_s < now < standing.silent_until:
            found.append("during_retry_after")
        case, sequence = finding.text("partitionkey"), finding.text("sequence")
        new = finding.webhook_id not in standing.entries
        if new and case and sequence and sequence <= standing.last.get(case, ""):
            found.append("sequence")
        if case and any(flight.case == case for flight in self._in_flight(finding.endpoint)):
            found.append("case_concurrency")
        return found

    def _in_flight(self, endpoint: str) -> list[Flight]:
        self._flights = [flight for flight in self._flights if not flight.task.done() and not flight.gone()]
        return [flight for flight in self._flights if flight.endpoint == endpoint]

    def depart(self, finding: Finding, task: "Task[Any]", gone: Callable[[], bool]) -> None:
        """The request is in flight until ``task`` ends or its sender is ``gone``."""
        if finding.endpoint is not None and finding.text("partitionkey"):
            self._flights.append(Flight(finding.endpoint, finding.text("partitionkey"), task, gone))

    def answered(self, task: "Task[Any]") -> None:
        """The sender has the status already, although the task goes on (an endless body)."""
        self._flights = [flight for flight in self._flights if flight.task is not task]

    def take(self, finding: Finding) -> str:
        """Enter a sound request: ``created`` or ``repeated``."""
        standing = self.of(finding.endpoint or DEFAULT)
        known = standing.entries.get(finding.webhook_id)
        if known is not None:
            known.times += 1
            return "repeated"
        case, sequence = finding.text("partitionkey"), finding.text("sequence")
        standing.entries[finding.webhook_id] = Entry(
            finding.webhook_id, finding.type, finding.text("subject"), case, sequence
        )
        if case:
            standing.last[case] = sequence
        return "created"

    def verified(self, endpoint: str) -> None:
        """The handshake was answered: events may come."""
        standing = self.of(endpoint)
        standing.verified = True
        standing.gone_since = None

    def answered_gone(self, endpoint: str) -> None:
        """410 was answered: nothing may come after it but a new handshake."""
        self.of(endpoint).gone_since = time.monotonic()

    def answered_wait(self, endpoint: str, seconds: float) -> None:
        """``Retry-After`` was answered: nothing may come for so long."""
        standing, now = self.of(endpoint), time.monotonic()
        if now + seconds > standing.silent_until:
            standing.silent_from = now
            standing.silent_until = now + seconds

    def records(self) -> list[Json]:
        """One entry per event and endpoint, in order of arrival."""
        return [
            {
                "ref": entry.webhook_id,
                "endpoint_id": endpoint,
                "type": entry.type,
                "subject": entry.subject,
                "partitionkey": entry.partitionkey,
                "sequence": entry.sequence,
                "state": "received",
                "times": entry.times,
            }
            for endpoint, standing in self._known.items()
            for entry in standing.entries.values()
        ]

    def restore(self, entry: Json) -> None:
        """Take up one journal entry of a request."""
        endpoint = entry["endpoint"]
        if endpoint is None:
            return
        standing = self.of(endpoint)
        standing.digests.setdefault(entry["message_id"], entry["digest"])
        if entry["verified"]:
            self.verified(endpoint)
        if entry["answer"] == 410:
            standing.gone_since = time.monotonic()
        if entry["effect"] == "repeated":
            standing.entries[entry["message_id"]].times += 1
        elif entry["effect"] == "created":
            event = entry["payload"]
            case, sequence = event.get("partitionkey", ""), event.get("sequence", "")
            standing.entries[entry["message_id"]] = Entry(
                entry["message_id"], event["type"], event["subject"], case, sequence
            )
            if case:
                standing.last[case] = sequence
