"""1,000 orders of each confirmation's callbacks: one final status, and a history that keeps every word."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest

from contracts.chinese_calendar import BEIJING
from contracts.messages import HR
from contracts.update import About, Key, KeyKind, StatusUpdate
from gateway.flow.applying.matter_words import Background
from gateway.flow.applying.words import Words
from gateway.flow.moving.speaker import Speaker
from gateway.flow.route import Router
from gateway.store.unit import MatterMove, Unit
from tests.flow import papers
from tests.flow.stage import Stage

ORDERS = 1000
SAID = datetime(2026, 10, 1, 2, 0, tzinfo=UTC)

WAYS: dict[str, tuple[str, ...]] = {
    "confirmed": ("accepted", "reviewing", "confirmed"),
    "confirmed after a correction": ("correction_required", "requested", "accepted", "reviewing", "confirmed"),
    "confirmed after two": (
        "correction_required",
        "requested",
        "correction_required",
        "requested",
        "accepted",
        "confirmed",
    ),
    "confirmed, then objected to": ("accepted", "reviewing", "confirmed", "objected"),
    "dismissed": ("correction_required", "requested", "accepted", "reviewing", "rejected"),
    "not accepted": ("correction_required", "requested", "not_accepted"),
    "withdrawn": ("accepted", "reviewing", "withdrawn"),
    "deemed withdrawn": ("correction_required", "deemed_withdrawn"),
}


def words(way: tuple[str, ...]) -> list[StatusUpdate]:
    return [
        StatusUpdate(
            f"EV-{place}",
            About.CONFIRMATION,
            (Key(KeyKind.CONFIRMATION, papers.CONFIRMATION),),
            status,
            status,
            SAID + timedelta(hours=place),
        )
        for place, status in enumerate(way)
    ]


def orders(words_said: list[StatusUpdate]) -> list[tuple[StatusUpdate, ...]]:
    """1,000 orders, some words said twice: all there are where that is fewer than can be drawn."""
    random = Random(42)
    every = list(itertools.islice(itertools.permutations(words_said), ORDERS))
    while len(every) < ORDERS:
        many = [*words_said, random.choice(words_said)]
        random.shuffle(many)
        every.append(tuple(many))
    random.shuffle(every)
    return every


class Told:
    """One confirmation to which words are said, each decided from the standing that the ones before it left."""

    def __init__(self, stage: Stage, route: str) -> None:
        self._words = Words(stage.house.store, Router(stage.house.endpoints), {})
        self.matter = papers.matter(
            papers.CONFIRMATION, "confirmation", "requested", parent=papers.AGREEMENT, facet=route
        )
        self.history: list[tuple[str, dict[str, Any]]] = []
        self.applied: set[str] = set()
        self.tasks: list[str] = []

    def say(self, word: StatusUpdate) -> None:
        if word.event_id in self.applied:
            return  # the store answers a repeat of the same event (``AlreadyApplied``)
        self.applied.add(word.event_id)
        early = tuple(
            (data["status"], datetime.fromisoformat(data["at"])) for _, data in self.history if data.get("early")
        )
        file = papers.file(matters=(self.matter,), holders=(HR,))
        background = Background(papers.case(), early=early)
        unit = self._words.about_matter(file, self.matter, Speaker(HR, HR), word, background)
        self._keep(unit)

    def _keep(self, unit: Unit) -> None:
        for event in unit.events:
            if event.about == self.matter.id and event.type.startswith("confirmation."):
                self.history.append((event.type, orjson.loads(event.data)))
        self.tasks += [task.kind for task in unit.tasks]
        for move in unit.matter_moves:
            assert isinstance(move, MatterMove)
            if move.id == self.matter.id:
                self.matter = papers.matter(
                    self.matter.id,
                    "confirmation",
                    move.status,
                    parent=papers.AGREEMENT,
                    facet=self.matter.facet,
                    since=move.since if move.since is not None else self.matter.since,
                    active=move.active,
                )


@pytest.mark.parametrize("route", ["arbitration_review", "judicial_confirmation"])
@pytest.mark.parametrize("name", list(WAYS))
async def test_every_order_ends_alike_and_keeps_every_word(still: Stage, name: str, route: str) -> None:
    way = WAYS[name]
    for order in orders(words(way)):
        told = Told(still, route)
        for word in order:
            told.say(word)
        assert told.matter.status == way[-1], [word.status for word in order]
        said = {(kind, data["at"]) for kind, data in told.history}
        for place, status in enumerate(way):
            at = (SAID + timedelta(hours=place)).astimezone(BEIJING).isoformat()
            assert (f"confirmation.{status}", at) in said, "no word is lost"
        assert told.tasks.count("contradiction") == (1 if way[-1] == "objected" else 0)
