"""Logging by allow-list: only named keys pass, everything else is dropped before it is written. One JSON line per event."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import re
import sys
import threading
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "logger",
        "adapter",
        "address",
        "callback",
        "case",
        "cases",
        "client",
        "code",
        "codes",
        "conflict",
        "count",
        "delivery",
        "duplicate",
        "duration_ms",
        "endpoint",
        "error",
        "fresh",
        "host",
        "items",
        "loop",
        "message",
        "method",
        "offset",
        "outcomes",
        "paper",
        "partition",
        "port",
        "reason",
        "request",
        "route",
        "state",
        "status",
        "subject",
        "task",
        "topic",
        "tries",
        "type",
        "version",
    }
)
"""The keys that may be logged. None of them ever holds a value out of a document."""

_SHORTEST = 11
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z_])[0-9]{11,19}[Xx]?(?![0-9A-Za-z_])")


def keep_allowed(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Drop every key that is not on the list; mask what looks like an identity, phone or account number all the same."""
    return {key: _masked(value) for key, value in entry.items() if key in ALLOWED}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) < _SHORTEST:
            return value
        return _LONG_NUMBER.sub(lambda found: "*" * len(found.group()), value)
    if isinstance(value, list | tuple):
        return [_masked(part) for part in value]
    return value if isinstance(value, int | float | bool | None) else type(value).__name__


class _Lines:
    """Writes finished lines to a stream. What one turn of an event loop says goes out together, at its end: a write for every
    line costs the loop more than the line. Warnings and worse go at once, with all that waits. A process that is killed takes
    the quiet lines of its last turn with it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._promised: asyncio.AbstractEventLoop | None = None
        self._lock = threading.RLock()  # a collection of garbage in here may have something to say, in the same thread
        atexit.register(self._write)

    def msg(self, line: str) -> None:
        """Write one line, with the others of this turn."""
        with self._lock:
            self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # none runs here
            self._write()
            return
        if loop is not self._promised:
            self._promised = loop
            loop.call_soon(self._write)

    def at_once(self, line: str) -> None:
        """Write one line, and what waits before it."""
        with self._lock:
            self._waiting.append(line)
        self._write()

    def _write(self) -> None:
        with self._lock:
            lines, self._waiting, self._promised = self._waiting, [], None
            if lines:
                # A full disk behind the stream ends nothing but the lines: whoever told of it would be told of it again.
                with contextlib.suppress(OSError, ValueError):
                    self._stream.write("\n".join(lines) + "\n")
                    self._stream.flush()

    debug = info = msg
    warning = error = critical = exception = log = at_once


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Set structlog and the standard library up, once per process. Other packages' loggers speak from WARNING on, through
    the same door."""
    logging.basicConfig(level=logging.WARNING, handlers=[_Bridge()], force=True)
    lines = _Lines(stream or sys.stderr)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            structlog.processors.JSONRenderer(serializer=lambda entry, **_: orjson.dumps(entry).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )


class _Bridge(logging.Handler):
    """Other packages' records, by logger, level and kind of exception alone: their texts may quote data."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().warning("library", logger=record.name, code=record.levelname, error=error)
