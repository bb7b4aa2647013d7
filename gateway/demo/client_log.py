"""The client's own ledger: every acknowledgement and every upload that it heard of, on disk before its next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A document that the gateway acknowledged: under which key, as which message type about what, owed to whom
    (delivery id, endpoint)."""

    key: str
    type: str
    about: str
    deliveries: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Kept:
    """What is known of one case that is not over: acknowledgements and uploads by their keys."""

    log: ClientLog
    number: int
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)

    def note(self, ack: Acknowledged) -> None:
        """Note an acknowledgement."""
        self.acknowledged[ack.key] = ack
        self.log.write(
            {"case": self.number, "key": ack.key, "type": ack.type, "about": ack.about, "deliveries": ack.deliveries}
        )

    def note_upload(self, key: str, attachment: str) -> None:
        """Note an upload: its id goes into documents that must stay the same."""
        self.uploads[key] = attachment
        self.log.write({"case": self.number, "key": key, "upload": attachment})

    def end(self) -> None:
        """The case is over: memory forgets it, the file does not."""
        self.log.over.add(self.number)
        self.log.living.pop(self.number, None)
        self.log.write({"case": self.number, "over": True})


class ClientLog:
    """``client.ndjson``, one line per acknowledgement, upload or end of a case; a last line that was cut by a crash is dropped.

    Memory holds the cases that are not over (``living``) and the numbers of those that are (``over``). ``lines`` counts what
    this process wrote.
    """

    def __init__(self, path: Path) -> None:
        self.living: dict[int, Kept] = {}
        self.over: set[int] = set()
        self.lines = 0
        self._path = path
        drop_cut_line(path)
        for entry in _entries(path):
            self._take(entry)
        self._file = path.open("ab", buffering=0)

    def case(self, number: int) -> Kept:
        """What is known of a case."""
        return self.living.setdefault(number, Kept(self, number))

    def acknowledged(self) -> Iterator[Acknowledged]:
        """Every acknowledgement, from the file."""
        for entry in _entries(self._path):
            if "deliveries" in entry:
                yield _acknowledged(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        number = entry["case"]
        if "over" in entry:
            self.over.add(number)
            self.living.pop(number, None)
        elif "upload" in entry:
            self.case(number).uploads[entry["key"]] = entry["upload"]
        else:
            self.case(number).acknowledged[entry["key"]] = _acknowledged(entry)

    def write(self, entry: dict[str, Any]) -> None:
        """Write one line."""
        self._file.write(orjson.dumps(entry) + b"\n")
        self.lines += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def drop_cut_line(path: Path) -> None:
    """Take off what a crash left behind the last end of line; a file that is not there is made."""
    with path.open("ab+") as file:
        end = start = file.tell()
        tail = b""
        while start and b"\n" not in tail:
            start = max(0, start - 65_536)
            file.seek(start)
            tail = file.read(end - start)
        file.truncate(start + tail.rfind(b"\n") + 1)


def _acknowledged(entry: dict[str, Any]) -> Acknowledged:
    owed = tuple((delivery, endpoint) for delivery, endpoint in entry["deliveries"])
    return Acknowledged(entry["key"], entry["type"], entry["about"], owed)


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from map(orjson.loads, file)
