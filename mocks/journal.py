"""The append-only journal of a mock platform: what was received and done, on disk before anybody is answered."""

from __future__ import annotations

import asyncio
import json
import os
from array import array
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO

BEIJING = timezone(timedelta(hours=8), "UTC+08:00")


class JournalDamaged(Exception):
    """A line in the middle of the file is not one JSON object with the next seq; the file is left as it is."""


class Journal:
    """``journal.ndjson``: one JSON object a line, ``seq`` from 1 without gaps, ``at`` in RFC 3339 (real time, +08:00).

    An append returns only after ``fsync``; ``fsync`` runs in a thread and several waiting appends share one. Lines stay
    on disk, memory holds their offsets alone. An existing file is read at start; a last line that was cut is dropped.
    After a failed write the journal takes nothing more: what was not written must not be acknowledged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._offsets: array[int] = array("Q")
        self._end = 0
        self._scan()
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._seq = len(self._offsets)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None

    def _scan(self) -> None:
        if not self.path.exists():
            self.path.touch()
            directory = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
            return
        good = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                # Its contents are read by the replay: twice would double the time of a start with a long journal.
                if not line.startswith(b'{"seq":%d,' % (len(self._offsets) + 1)) or not line.endswith(b"}\n"):
                    raise JournalDamaged(f"{self.path.name}: line {len(self._offsets) + 1} has a wrong seq")
                self._offsets.append(good)
                good += len(line)
        if good < self.path.stat().st_size:
            with self.path.open("r+b") as file:
                file.truncate(good)
                os.fsync(file.fileno())
        self._end = good

    async def append(
        self,
        *,
        kind: str,
        business_key: str,
        message_id: str,
        digest: str,
        effect: str,
        ref: str,
        payload: Any,
        **more: Any,
    ) -> int:
        """Write one entry and return its seq once it is on disk.

        ``effect`` of a received message is ``created``, ``repeated`` or ``refused``; ``payload`` is what was received,
        in clear. ``more`` adds keys of the platform's own (what a restart needs). Raises ``OSError`` when the disk
        refuses.
        """
        if self._broken is not None:
            raise OSError("the journal is broken by an earlier failed write") from self._broken
        self._seq += 1
        seq = self._seq
        entry = {
            "seq": seq,
            "at": datetime.now(BEIJING).isoformat(timespec="milliseconds"),
            "kind": kind,
            "business_key": business_key,
            "message_id": message_id,
            "digest": digest,
            "effect": effect,
            "ref": ref,
            "payload": payload,
            **more,
        }
        line = json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((line, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        # A caller that is cancelled (client gone) must not cancel the write for the others that share it.
        await asyncio.shield(written)
        return seq

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._to_disk, b"".join(line for line, _ in batch))
            except OSError as error:
                self._broken = error
                for _, written in batch + self._waiting:
                    if not written.done():
                        written.set_exception(OSError("journal not written"))
                        written.exception()  # seen here: the caller may be gone
                self._waiting = []
                return
            for line, written in batch:
                self._offsets.append(self._end)
                self._end += len(line)
                if not written.done():
                    written.set_result(None)

    def _to_disk(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        os.fsync(self._file.fileno())

    def replay(self) -> Iterator[dict[str, Any]]:
        """All entries that are on disk, oldest first, one at a time. Raises :class:`JournalDamaged`."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise JournalDamaged(f"{self.path.name}: line {number} is not JSON") from error

    def entries(self, after: int = 0, limit: int | None = None, containing: str = "") -> list[dict[str, Any]]:
        """The entries with seq > ``after`` that are on disk, oldest first, at most ``limit``; of these the ones whose line
        contains a text."""
        count = len(self._offsets)
        first = max(after, 0)
        last = count if limit is None else min(count, first + limit)
        if first >= last:
            return []
        start = self._offsets[first]
        end = self._offsets[last] if last < count else self._end
        with self.path.open("rb") as file:
            file.seek(start)
            lines = file.read(end - start).splitlines()
        sought = json.dumps(containing)[1:-1].encode("ascii")
        return [json.loads(line) for line in lines if sought in line]

    async def close(self) -> None:
        """Wait for what is being written, then close the file."""
        if self._writer is not None:
            await self._writer
        self._file.close()
