"""The layout under the root (page §1), and how one file gets its name there without overwriting (page §2), over any medium."""

from __future__ import annotations

from contextlib import suppress

from adapters.enterprise_confederation.medium import Medium, Unsound
from contracts.errors import AdapterError, EndpointError, RetryableError

UP, DOWN, DONE, BAD = "up", "down", "done", "bad"
HEARTBEAT = "heartbeat.json"
_MOST_DAYS = 60


async def days(medium: Medium, folder: str) -> list[str]:
    """The dated folders under ``done`` or ``bad``, the newest first, no more than sixty."""
    found = await medium.names(folder, lambda name: len(name) == 8 and name.isascii() and name.isdigit())
    return [f"{folder}/{name}" for name in sorted(found, reverse=True)[:_MOST_DAYS]]


async def put(medium: Medium, folder: str, name: str, data: bytes) -> None:
    """Write ``name.part``, flush it, and give it its name without overwriting. The same bytes that stand there already are
    kept; a leftover of other bytes goes. Only for a batch that has no marker."""
    there = await standing(medium, f"{folder}/{name}", len(data))
    if there == data:
        return
    if there is not None:
        await medium.remove(f"{folder}/{name}")
    await write_part(medium, folder, name, data)
    await give_name(medium, folder, name, data)


async def write_part(medium: Medium, folder: str, name: str, data: bytes) -> None:
    """``name.part``, on disk."""
    part = f"{folder}/{name}.part"
    await medium.remove(part)
    await medium.create(part, data)


async def give_name(medium: Medium, folder: str, name: str, data: bytes) -> None:
    """The rename that never overwrites.

    Raises:
        EndpointError: ``other_content``, somebody else was here first.
        RetryableError: ``broken_off``, another attempt writes the same file at this moment.
    """
    part, target = f"{folder}/{name}.part", f"{folder}/{name}"
    if await medium.give_name(part, target):
        found = await medium.facts(target)
        # A marker of ours that is gone again was taken by the reader in this very moment.
        if found is not None and found.size != len(data):
            raise RetryableError("broken_off", "a file of the batch is not whole yet")
        return
    there = await standing(medium, target, len(data))
    if there is None:
        raise RetryableError("broken_off", "another writer was here")
    if there != data:
        raise EndpointError("other_content", "the exchange directory holds another file under our name")
    with suppress(AdapterError):  # what is left of it is swept an hour later
        await medium.remove(part)


async def standing(medium: Medium, path: str, size: int) -> bytes | None:
    """What stands there; a file of another size than ours is other bytes, whatever they are.

    Raises:
        Unsound: it is no file.
    """
    found = await medium.facts(path)
    if found is None:
        return None
    if not found.plain:
        raise Unsound
    return await medium.read(path, size) if found.size == size else b"\0other"
