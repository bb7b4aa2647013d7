"""Our batch in ``up/``: data files, manifest, marker (page §2), and whether it stands there already (page §5)."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta

from adapters.enterprise_confederation import layout
from adapters.enterprise_confederation.layout import BAD, DONE, DOWN, UP
from adapters.enterprise_confederation.medium import Medium, Unsound
from adapters.enterprise_confederation.watching import maintenance
from adapters.enterprise_confederation.wire import Batch
from contracts.errors import AdapterError, EndpointError, RetryableError

PART_AFTER = timedelta(hours=1)
"""How old a ``.part`` of ours must be before it is removed."""
_MOST_SWEPT = 1000


async def look(medium: Medium, batch: Batch, now: datetime, period: timedelta) -> bool:
    """Whether the marker stands already, in ``up/`` or among what was taken.

    Raises:
        RetryableError: ``MAINTENANCE``, the share is gone.
        EndpointError: ``other_content``, ``folder_missing``.
    """
    await medium.stands()
    if await _taken_in(medium, batch):
        return True
    if (waits := await maintenance(medium, now, period)) is not None:
        raise waits
    return False


async def write(medium: Medium, batch: Batch) -> None:
    """Data files, then the manifest; nobody reads them yet."""
    for part in batch.parts:
        await layout.put(medium, UP, part.name, part.data)
    await medium.flush(UP)
    await layout.put(medium, UP, batch.manifest.name, batch.manifest.data)
    await medium.flush(UP)


async def mark(medium: Medium, batch: Batch) -> bool:
    """The marker, last, and the directory flushed; whether it stood there before.

    Raises:
        RetryableError: what was lost from its rename on may have been accepted.
        EndpointError: ``other_content``.
    """
    known = await _taken_in(medium, batch)
    if not known:
        await _write_marker(medium, batch)
    try:
        await medium.flush(UP)
    except AdapterError:
        raise RetryableError(
            "broken_off", "the share failed while the marker was flushed", maybe_accepted=True
        ) from None
    return known


async def _write_marker(medium: Medium, batch: Batch) -> None:
    for part in (*batch.parts, batch.manifest):
        found = await medium.facts(f"{UP}/{part.name}")
        if found is None or found.size != len(part.data):
            raise RetryableError("broken_off", "a file of the batch is not whole yet")
    data = f"{batch.digits}\n".encode()
    await layout.write_part(medium, UP, batch.marker, data)
    try:
        await layout.give_name(medium, UP, batch.marker, data)
    except RetryableError as lost:
        if lost.code == "share_full":  # an answer, and a clear one
            raise
        raise RetryableError(lost.code, lost.text, maybe_accepted=True) from None


async def find(medium: Medium, batch: Batch) -> bool:
    """Whether the platform has it: our marker in ``up/``, ``done/``, ``bad/``, or a reply to it.

    Raises:
        RetryableError: the share is gone.
        EndpointError: ``other_content``, ``folder_missing``.
    """
    await medium.stands()
    if await _taken_in(medium, batch):
        return True
    for path in await medium.present([f"{day}/{batch.marker}" for day in await layout.days(medium, BAD)]):
        with suppress(EndpointError):  # another's batch was refused for its name: says nothing of ours
            if await _marked(medium, path, batch):
                return True
    answered = re.compile(re.escape(batch.stem) + r"\.R[0-9]{2,4}\.(ok|taken)")
    return bool(await medium.names(DOWN, lambda name: answered.fullmatch(name) is not None, most=1))


async def _taken_in(medium: Medium, batch: Batch) -> bool:
    if await _marked(medium, f"{UP}/{batch.marker}", batch):
        return True
    # Only now: a marker that left ``up/`` a moment ago stands in a folder that may have been made for it.
    for path in await medium.present([f"{day}/{batch.marker}" for day in await layout.days(medium, DONE)]):
        if await _marked(medium, path, batch):
            return True
    return False


async def _marked(medium: Medium, path: str, batch: Batch) -> bool:
    try:
        found = await medium.read(path, 128)
    except Unsound:
        found = b""
    if found is None:
        return False
    if found.strip() != batch.digits.encode():
        raise EndpointError("other_content", "the exchange directory holds another batch under our name")
    return True


async def sweep(medium: Medium, sender: str, now: datetime) -> None:
    """Remove our own ``.part`` files that an earlier run left behind."""
    before = (now - PART_AFTER).timestamp()
    ours = re.compile(rf"QLTJ_{re.escape(sender)}_[A-Z]{{4}}_[0-9]{{8}}_[0-9A-F]{{32}}[A-Za-z0-9_.]*\.part")
    for name in await medium.names(UP, lambda name: ours.fullmatch(name) is not None, most=_MOST_SWEPT):
        with suppress(AdapterError):  # the next start tries again
            found = await medium.facts(f"{UP}/{name}")
            if found is not None and found.changed < before:
                await medium.remove(f"{UP}/{name}")
