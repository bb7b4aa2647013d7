"""What the gateway answers, as values. Keys that this client does not know are ignored: the contract may grow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Owed(_Answer):
    """A delivery that the gateway owes to one platform (投递)."""

    id: str
    endpoint: str
    state: str


class Remark(_Answer):
    """A finding about a document: JSON pointer, code, and the sentence in both languages."""

    pointer: str = ""
    code: str
    message: str = ""
    message_zh: str = ""


class Taken(_Answer):
    """A document that is durable at the gateway (202). ``replayed``: the same key came before, this is the first answer.
    ``effective_at``: when an agreement takes effect."""

    id: str
    status: str
    version: int = 1
    effective_at: datetime | None = None
    warnings: tuple[Remark, ...] = ()
    deliveries: tuple[Owed, ...] = ()
    clocks: tuple[dict[str, JsonValue], ...] = ()
    links: dict[str, str] = {}
    replayed: bool = False


class Uploaded(_Answer):
    """An attachment that is kept (附件): ``id`` is what documents name; ``size`` in bytes."""

    id: str
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str


class Event(_Answer):
    """One CloudEvent of the feed, thin: ids, states, clocks. ``partitionkey`` is the case, ``cursor`` its place in the feed."""

    id: str
    type: str
    subject: str
    time: str
    cursor: str
    sequence: str | None = None
    partitionkey: str | None = None
    data: dict[str, JsonValue]

    def text(self, key: str) -> str:
        """A text of ``data``, empty where there is none."""
        value = self.data.get(key)
        return value if isinstance(value, str) else ""


class EventPage(_Answer):
    """One page of the feed; ``cursor`` is where the next one begins, also after an empty page."""

    items: tuple[Event, ...]
    cursor: str


class GatewayUnreachable(Exception):
    """No answer came: no connection, a broken one, or silence. Whether the call arrived is not known; the same key again is
    safe."""


class CallRefused(Exception):
    """The gateway refused a call (RFC 9457). ``code`` is the contract's, ``errors`` are all findings at once."""

    def __init__(self, status: int, problem: Mapping[str, JsonValue], retry_after_s: float | None = None) -> None:
        self.status = status
        self.code = _text(problem, "code") or f"http_{status}"
        self.title = _text(problem, "title")
        self.detail = _text(problem, "detail")
        self.link = _text(problem, "link") or None
        self.problem = dict(problem)
        self.errors = _remarks(problem, "errors")
        self.warnings = _remarks(problem, "warnings")
        self.retry_after_s = retry_after_s
        super().__init__(f"{status} {self.code}")


def _text(problem: Mapping[str, JsonValue], key: str) -> str:
    value = problem.get(key)
    return value if isinstance(value, str) else ""


def _remarks(problem: Mapping[str, JsonValue], key: str) -> tuple[Remark, ...]:
    found = problem.get(key)
    if not isinstance(found, list):
        return ()
    return tuple(Remark.model_validate(each) for each in found if isinstance(each, dict) and "code" in each)
