"""The toy platforms as ledgers in memory, in the dialects of ``tests.seam.adapters``. They know nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qs

IDS, ASKED, BYTES = "ids", "asked", "bytes"
"""The three of them, by endpoint name: idempotent, queryable, neither."""

KEY = "simulated-key"


@dataclass(slots=True)
class Booking:
    """One business effect. ``thing`` names it without the sender's id; ``refused``: the platform's later
    ``word`` takes it back."""

    id: str
    number: str
    thing: tuple[str, str, int, str]
    content: str
    at: float
    refused: bool = False
    word: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """Something that the platform has to say; ``event`` is its number there."""

    event: str
    body: bytes


@dataclass(slots=True)
class Ledger:
    """What a platform holds: bookings in order of arrival, requests by operation, words it has to say."""

    name: str
    clock: Callable[[], str]
    random: Random
    booked: list[Booking] = field(default_factory=list)
    arrived: dict[str, int] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    say: Callable[[Word, float], None] = lambda word, after: None
    trouble: bool = True
    """Whether words are refusals and postponements now and then."""
    lag_s: float = 0.0
    tokens: set[str] = field(default_factory=set)
    files: int = 0
    news: list[Word] = field(default_factory=list)
    moment: float = 0.0
    """When the request that is handled came in."""
    _events: int = 0

    def of(self, identifier: str) -> list[Booking]:
        """The effects under a sender's id that the platform has not taken back."""
        return [one for one in self.booked if one.id == identifier and not one.refused]

    # ---- what it hears
    def handle(self, operation: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> bytes:
        """The answer to one request."""
        self.arrived[operation] = self.arrived.get(operation, 0) + 1
        if self.name == BYTES:
            return self._batch(body)
        match operation:
            case "session":
                token = f"{self.random.getrandbits(48):012x}"
                self.tokens.add(token)
                return _json(code="OK", token=token)
            case "find":
                visible = self.moment - self.lag_s
                numbers = [one.number for one in self.booked if one.id == query["id"] and one.at <= visible]
                return _json(id=query["id"], code="OK", numbers=numbers)
            case "news":
                after = int(query["after"])
                items = [json.loads(word.body) for word in self.news[after : after + 3]]
                cursor = after + len(items)
                return _json(code="OK", items=items, cursor=str(cursor), more=cursor < len(self.news))
        if self.name == ASKED and headers.get("x-token") not in self.tokens:
            return _json(code="EXPIRED", text="会话已过期")
        if operation == "upload":
            self.files += 1
            return _json(code="OK", file=f"F{self.files}")
        return self._file(json.loads(body))

    def _file(self, found: dict[str, Any]) -> bytes:
        content = json.dumps([found["operation"], found["document"], found.get("files", [])], ensure_ascii=False)
        if self.name == IDS:
            known = next((one for one in self.booked if one.id == found["id"]), None)
            if known is not None:
                if known.content != content:
                    self.changed.append(found["id"])
                    return _json(id=found["id"], code="CONFLICT", text="同一编号内容不同")
                return _json(id=found["id"], code="KNOWN", number=known.number)
        booking = self._book(found["id"], found["operation"], found["document"], content)
        return _json(id=found["id"], code="OK", number=booking.number)

    def _batch(self, body: bytes) -> bytes:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        booking = self._book(form["id"], form["operation"], json.loads(form["content"]), form["content"])
        self._answer_later(booking)
        return f"RECEIVED;{form['id']};{booking.number}".encode()

    def _book(self, identifier: str, operation: str, document: dict[str, Any], content: str) -> Booking:
        thing = (operation, document["about"], document["version"], document.get("status", document["text"]))
        booking = Booking(identifier, f"N{len(self.booked) + 1:05d}", thing, content, self.moment)
        self.booked.append(booking)
        if self.name != BYTES:
            self._decide(operation, booking)
        return booking

    # ---- what it says
    def _decide(self, operation: str, booking: Booking) -> None:
        """A clerk looks at what came in; now and then the answers overtake each other, or come twice."""
        words = {"T1": ("HEARD", "TALKS"), "T6": ("TAKEN", "BOUND")}.get(operation, ())
        about = "case" if operation == "T1" else "confirmation"
        after = 0.0
        for word in words:
            after += self.random.choice((0.0, 0.1, 1.0, 3.0))
            self._speak(self._word(word, about, number=booking.number), after)

    def _answer_later(self, booking: Booking) -> None:
        kind = self.random.choice(("OK", "OK", "OK", "OK", "NO", "WAIT")) if self.trouble else "OK"
        booking.refused = kind != "OK"
        more = {"wait": 500} if kind == "WAIT" else {}
        word = self._word(kind, "delivery", id=booking.id, batch=booking.number, **more)
        booking.word = word.event
        self._speak(word, self.random.choice((0.0, 0.2, 2.0)))

    def _word(self, word: str, about: str, **more: Any) -> Word:
        self._events += 1
        event = f"{self.name.upper()}{self._events:05d}"
        at = f"{self.clock()}.{self._events:06d}+00:00"
        return Word(event, _json(event=event, about=about, word=word, at=at, **more))

    def _speak(self, word: Word, after: float) -> None:
        if self.name == ASKED:
            place = len(self.news)
            if self.news and self.random.random() < 0.2:
                self.news.append(self.random.choice(self.news))  # an item comes twice
                place = len(self.news)
            self.news.insert(place, word)
        else:
            self.say(word, after)


def refusal(name: str, body: bytes) -> bytes:
    """The platform refuses the document."""
    if name == BYTES:
        return b"BAD;;no"
    return _json(id=json.loads(body)["id"], code="REFUSED", text="不符合要求")


def denial(name: str) -> bytes:
    """Our key is not taken: the operator must heal it."""
    return b"DENIED;;" if name == BYTES else _json(id="", code="KEY", text="密钥不符")


def somebody_elses(name: str, answer: bytes) -> bytes:
    """The same answer, about another filing."""
    if name == BYTES:
        return b"RECEIVED;dlv_of_another;N99999"
    return json.dumps(json.loads(answer) | {"id": "dlv_of_another"}).encode()


def _json(**fields: Any) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()
