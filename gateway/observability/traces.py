"""One trace over the whole journey: spans, and the W3C ``traceparent`` that joins them through the database and the bus.

This room knows no library. Where the extra ``otel`` is absent or no exporter is named, ``QUIET`` stands for all tracing and
nothing is made, stored or sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final, Literal, Self

Kind = Literal["internal", "server", "client", "producer", "consumer"]

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_current: ContextVar[str | None] = ContextVar("current", default=None)
_upstream: ContextVar[str | None] = ContextVar("upstream", default=None)


def read_traceparent(given: str | None) -> str | None:
    """A caller's ``traceparent`` (W3C Trace Context, version 00), ``None`` where it is none."""
    return given if given is not None and _TRACEPARENT.fullmatch(given) else None


def come_from(given: str | None) -> Token[str | None]:
    """Note what the call that is being answered brought."""
    return _upstream.set(read_traceparent(given))


def upstream() -> str | None:
    """What the call that is being answered brought."""
    return _upstream.get()


def current() -> str | None:
    """The ``traceparent`` of the span that is open here, ``None`` where nothing is traced."""
    return _current.get()


class Span:
    """One step, open between ``with`` and its end. The base is the step that nobody records."""

    traceparent: str | None = None

    def set(self, **attributes: str | int | float | bool) -> None:
        """Say more about it: ids, names and codes of ours, never a value out of a document."""

    def failed(self, code: str) -> None:
        """It went wrong, and why in one word."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class OpenSpan(Span):
    """A step that is recorded; what is begun inside it becomes its child."""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent
        self._before: Token[str | None] | None = None

    def __enter__(self) -> Self:
        self._before = _current.set(self.traceparent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            _current.reset(self._before)
        if kind is not None:
            self.failed(kind.__name__)
        self.end()

    def end(self) -> None:
        """It is over."""


class Tracer:
    """Begins steps. The base records nothing."""

    on = False

    def span(
        self,
        name: str,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        kind: Kind = "internal",
        **attributes: str | int | float | bool,
    ) -> Span:
        """Begin a step: below ``parent`` (a ``traceparent``) or, without one, below the step that is open here; ``links`` are
        steps that it has to do with."""
        return _NONE

    def close(self) -> None:
        """Send what is not sent yet; may take a while, and blocks."""


_NONE: Final = Span()
QUIET: Final = Tracer()
