"""How words move a status: the rules that every lifecycle shares, whatever its words.

A platform's word is never refused. What is no legal step moves nothing and is kept as that platform's view and as an
event; a contradiction to a final status goes to a person (``messages.md`` §3, §4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

S_co = TypeVar("S_co", bound=StrEnum, covariant=True)


class Outcome(StrEnum):
    """What one word does to one status."""

    MOVED = "moved"
    REPEATED = "repeated"
    EARLY = "early"
    """Lies ahead, but a stage between may not be skipped (closed while mediating): nothing moves until it comes."""
    BACKWARD = "backward"
    """No way leads there: late, or another branch. Kept as an event, moves nothing."""
    CONTRADICTION = "contradiction"
    """The status is final and the word is another final one: both are kept and a person decides."""
    UNKNOWN = "unknown"
    """The platform's word has no canonical form. Kept with its raw value, moves nothing."""


@dataclass(frozen=True, slots=True)
class Step(Generic[S_co]):
    """The answer to one word: ``outcome``, the ``status`` after it, and ``since`` when that status holds."""

    outcome: Outcome
    status: S_co
    since: datetime | None = None


class Lifecycle(Generic[S_co]):
    """One noun's words with its table of steps. Statuses are given as members or as their plain text values.

    ``start`` is where a thing begins, ``final`` the statuses that another final word contradicts. ``renewed`` are those that
    the sender ends by a new version, with which the thing begins again: no word leads back. Every method raises ``ValueError``
    for a word that is not of the noun's list.
    """

    def __init__(
        self,
        start: S_co,
        table: Mapping[S_co, Collection[S_co]],
        final: Collection[S_co],
        renewed: Collection[S_co] = (),
    ) -> None:
        self._words: type[S_co] = type(start)
        self.start = start
        self.final = frozenset(final)
        self._renewed = frozenset(renewed)
        self._steps = {word: frozenset(table.get(word, ())) for word in self._words}
        for word in self._words:
            if word == "unknown":
                self._steps[word] = frozenset(self._words) - {word}
        self._ahead = {word: self._reachable(word) for word in self._words}

    def _reachable(self, origin: str) -> frozenset[S_co]:
        found: set[S_co] = set()
        waiting = [self._words(origin)]
        while waiting:
            for following in self._steps[waiting.pop()] - found:
                found.add(following)
                waiting.append(following)
        return frozenset(found)

    def legal_steps(self, status: str) -> frozenset[S_co]:
        """Every status that may follow ``status`` at once, allowed skips included. Of ``unknown``: every known one."""
        return self._steps[self._words(status)]

    def is_final(self, status: str) -> bool:
        """Whether another final word after this one is a contradiction."""
        return self._words(status) in self.final

    def move(self, current: str, word: str, *, since: datetime | None = None, at: datetime | None = None) -> Step[S_co]:
        """What a platform's ``word`` of time ``at`` does to a status that holds ``since``.

        The times matter only where two statuses lead to each other (correction loop, breach and later performance; a new
        version after a correction): there a word older than the status is a late repeat and moves nothing. Without times,
        order of arrival decides.
        """
        here, there = self._words(current), self._words(word)
        if there == "unknown":
            return Step(Outcome.UNKNOWN, here, since)
        if there == here:
            return Step(Outcome.REPEATED, here, max((t for t in (since, at) if t is not None), default=None))
        if there in self._steps[here]:
            loops = here in self._ahead[there] or (here == self.start and there in self._renewed)
            if loops and since is not None and at is not None and at < since:
                return Step(Outcome.BACKWARD, here, since)
            return Step(Outcome.MOVED, there, at)
        if here in self.final and there in self.final and here not in self._ahead[there]:
            return Step(Outcome.CONTRADICTION, here, since)
        return Step(Outcome.EARLY if there in self._ahead[here] else Outcome.BACKWARD, here, since)

    def onward(
        self, status: str, since: datetime | None, early: Iterable[tuple[str, datetime]]
    ) -> Iterator[tuple[tuple[str, datetime], Step[S_co]]]:
        """What words that came before their turn do once a status was reached: each that moves it on, with its step.

        So a final word that overtook its predecessors on the way ends in the same status as if it had come last.
        """
        waiting = list(early)
        while True:
            for word in waiting:
                step = self.move(status, word[0], since=since, at=word[1])
                if step.outcome is Outcome.MOVED:
                    break
            else:
                return
            waiting.remove(word)
            status, since = step.status, step.since
            yield word, step
