"""Our batch in ``up/``: data files, manifest, marker (page §2), and whether it stands there already (page §5)."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from adapters.enterprise_confederation import directory
from adapters.enterprise_confederation.directory import Folder, Unsound, of_os
from adapters.enterprise_confederation.watching import maintenance
from adapters.enterprise_confederation.wire import Batch
from contracts.errors import EndpointError, RetryableError

PART_AFTER = timedelta(hours=1)
"""How old a ``.part`` of ours must be before it is removed."""
_MOST_SWEPT = 1000


def look(folder: Folder, batch: Batch, now: datetime, period: timedelta) -> bool:
    """Whether the marker stands already, in ``up/`` or among what was taken.

    Raises:
        RetryableError: ``MAINTENANCE``, the share is gone.
        EndpointError: ``other_content``, ``folder_missing``.
    """
    folder.stands()
    if _taken_in(folder, batch):
        return True
    if (waits := maintenance(folder, now, period)) is not None:
        raise waits
    return False


def write(folder: Folder, batch: Batch) -> None:
    """Data files, then the manifest; nobody reads them yet."""
    for part in batch.parts:
        directory.put(folder.up, part.name, part.data)
    directory.flush(folder.up)
    directory.put(folder.up, batch.manifest.name, batch.manifest.data)
    directory.flush(folder.up)


def mark(folder: Folder, batch: Batch) -> bool:
    """The marker, last, and the directory flushed; whether it stood there before.

    Raises:
        RetryableError: what was lost from its rename on may have been accepted.
        EndpointError: ``other_content``.
    """
    known = _taken_in(folder, batch)
    if not known:
        _write_marker(folder, batch)
    try:
        directory.flush(folder.up)
    except OSError:
        raise RetryableError(
            "broken_off", "the share failed while the marker was flushed", maybe_accepted=True
        ) from None
    return known


def _write_marker(folder: Folder, batch: Batch) -> None:
    for part in (*batch.parts, batch.manifest):
        if os.stat(folder.up / part.name, follow_symlinks=False).st_size != len(part.data):
            raise RetryableError("broken_off", "a file of the batch is not whole yet")
    data = f"{batch.digits}\n".encode()
    directory.write_part(folder.up, batch.marker, data)
    try:
        directory.give_name(folder.up, batch.marker, data)
    except OSError as error:
        raise of_os(error, filing=True) from None


def find(folder: Folder, batch: Batch) -> bool:
    """Whether the platform has it: our marker in ``up/``, ``done/``, ``bad/``, or a reply to it.

    Raises:
        RetryableError: the share is gone.
        EndpointError: ``other_content``, ``folder_missing``.
    """
    folder.stands()
    if _taken_in(folder, batch):
        return True
    for day in folder.days(folder.bad):
        with suppress(EndpointError):  # another's batch was refused for its name: says nothing of ours
            if _marked(day, batch):
                return True
    answered = re.compile(re.escape(batch.stem) + r"\.R[0-9]{2,4}\.(ok|taken)")
    return bool(directory.matching(folder.down, lambda name: answered.fullmatch(name) is not None, most=1))


def _taken_in(folder: Folder, batch: Batch) -> bool:
    return _marked(folder.up, batch) or any(_marked(day, batch) for day in folder.days(folder.done))


def _marked(place: Path, batch: Batch) -> bool:
    try:
        found = directory.read(place / batch.marker, 128)
    except Unsound:
        found = b""
    if found is None:
        return False
    if found.strip() != batch.digits.encode():
        raise EndpointError("other_content", "the exchange directory holds another batch under our name")
    return True


def sweep(folder: Folder, sender: str, now: datetime) -> None:
    """Remove our own ``.part`` files that an earlier run left behind."""
    before = (now - PART_AFTER).timestamp()
    ours = re.compile(rf"QLTJ_{re.escape(sender)}_[A-Z]{{4}}_[0-9]{{8}}_[0-9A-F]{{32}}[A-Za-z0-9_.]*\.part")
    for name in directory.matching(folder.up, lambda name: ours.fullmatch(name) is not None, most=_MOST_SWEPT):
        with suppress(OSError):  # the next start tries again
            if os.stat(folder.up / name, follow_symlinks=False).st_mtime < before:
                os.unlink(folder.up / name)
