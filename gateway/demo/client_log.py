"""The client's own ledger: every acknowledgement and every upload that it heard of, on disk before its next step."""

from __future__ import annotations

from dataclasses import dataclass
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


class ClientLog:
    """``client.ndjson``, one line per acknowledgement or upload; a last line that was cut by a crash is dropped."""

    def __init__(self, path: Path) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.uploads: dict[str, str] = {}
        self._restore(path)
        self._file = path.open("ab", buffering=0)

    def _restore(self, path: Path) -> None:
        if not path.exists():
            return
        whole = path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        if kept != whole:
            path.write_bytes(kept)
        for line in kept.splitlines():
            self._take(orjson.loads(line))

    def _take(self, entry: dict[str, Any]) -> None:
        if "upload" in entry:
            self.uploads[entry["key"]] = entry["upload"]
            return
        owed = tuple((delivery, endpoint) for delivery, endpoint in entry["deliveries"])
        self.acknowledged[entry["key"]] = Acknowledged(entry["key"], entry["type"], entry["about"], owed)

    def note(self, ack: Acknowledged) -> None:
        """Note an acknowledgement."""
        self.acknowledged[ack.key] = ack
        self._write({"key": ack.key, "type": ack.type, "about": ack.about, "deliveries": ack.deliveries})

    def note_upload(self, key: str, attachment: str) -> None:
        """Note an upload: its id goes into documents that must stay the same."""
        self.uploads[key] = attachment
        self._write({"key": key, "upload": attachment})

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(entry) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
