"""A consumer of the feed that was killed goes on where it was, and has each event once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from gateway.client import Event, EventPage, GatewayClient
from gateway.demo.feed import Feed, Word

PAGE = 2


def event(number: int, kind: str, **data: Any) -> Event:
    return Event.model_validate(
        {
            "cursor": f"{number:04d}",
            "id": f"evt_{number}",
            "type": kind,
            "subject": "case_a",
            "specversion": "1.0",
            "source": "/",
            "time": "2026-11-25T18:30:00Z",
            "partitionkey": "case_a",
            "sequence": f"{number:04d}",
            "data": data,
        }
    )


EVENTS = [
    event(1, "case.received"),
    event(2, "referral.offered", task_no="NO-1", referral="ref_1"),
    event(3, "confirmation.accepted", confirmation="cnf_1", status="accepted", endpoint="one"),
    event(4, "confirmation.confirmed", confirmation="cnf_1", status="confirmed", endpoint="one", moved=False),
    event(5, "transfer.filed", transfer="trf_1", status="filed", endpoint="one"),
    event(6, "delivery.delivered", delivery="dlv_1", endpoint="one"),
]


class Served:
    """Serves ``EVENTS`` in pages and notes the cursors that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def events(self, after: str) -> EventPage:
        self.asked.append(after)
        items = tuple(one for one in EVENTS if one.cursor > after)[:PAGE]
        return EventPage.model_construct(items=items, cursor=items[-1].cursor if items else after)


def feed_of(served: Served, path: Path) -> Feed:
    return Feed(cast("GatewayClient", served), path)


async def test_it_goes_on_behind_the_last_event_that_is_on_disk(tmp_path: Path) -> None:
    path, served = tmp_path / "feed.ndjson", Served()
    killed = feed_of(served, path)
    await killed.read()
    await killed.read()
    killed.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])  # the line of the fourth is cut
    again = feed_of(served, path)
    await again.drain()
    assert served.asked == ["0", "0002", "0003", "0005", "0006"]
    assert list(again) == [(one.cursor, one.id, "case_a", one.sequence) for one in EVENTS]
    again.close()


async def test_what_a_case_waits_for_outlives_a_kill(tmp_path: Path) -> None:
    path, served = tmp_path / "feed.ndjson", Served()
    killed = feed_of(served, path)
    await killed.drain()
    killed.close()
    again = feed_of(served, path)
    assert await again.referral("NO-1") == "ref_1"
    await again.arrived(["dlv_1"])
    assert await again.word("case_a", 0) == Word("confirmation", "cnf_1", "accepted")
    assert await again.word("case_a", 1) == Word("transfer", "trf_1", "filed")  # the one that moved nothing is no word
    again.close()
