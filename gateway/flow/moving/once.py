"""Acts under an ``Idempotency-Key``: done once, and answered alike as often as they are asked for (``contract.md`` §3).

The key is taken in the act's own transaction, so that no crash divides the two; the answer is kept behind it, sealed. Where a
crash took the answer, the thing that was made is told as it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.flow.moving.order import Refused
from gateway.store.engine import Row
from gateway.store.once import KeyTaken
from gateway.store.places import of_answer
from gateway.store.store import Store
from gateway.store.unit import Key


@dataclass(frozen=True, slots=True)
class Once:
    """A call under a key: whose, which, and the digest of what is asked."""

    client: str
    key: str
    digest: bytes

    @staticmethod
    def of(client: str, key: str, place: str, asked: bytes) -> Once:
        """``place``: method and address; ``asked``: the body, in one spelling."""
        return Once(client, key, hashlib.sha256(f"{place}\0".encode() + asked).digest())

    def about(self, thing: str) -> Key:
        """The key as it is taken for what the act makes or moves; its answer is not known yet."""
        return Key(self.client, self.key, self.digest, thing, b"")

    @property
    def place(self) -> str:
        """Where its answer is sealed for."""
        return of_answer(self.client, self.key)


def taken_for(once: Once | None, thing: str) -> Key | None:
    """The key to be taken, where the call has one."""
    return None if once is None else once.about(thing)


async def answered(
    store: Store, once: Once | None, act: Callable[[], Awaitable[str]], tell: Callable[[str], Awaitable[bytes]]
) -> tuple[bytes, bool]:
    """The answer, and whether it is a repeat's. ``act`` returns what it made or moved; ``tell`` makes the answer of that.

    Raises:
        Refused: 422, the key came with something else before; what ``act`` raises, which leaves the key free.
    """
    if once is None:
        return await tell(await act()), False
    row = await _known(store, once)
    if row is not None:
        return await _kept(store, once, row, tell), True
    try:
        about = await act()
    except (KeyTaken, Refused) as refusal:
        row = await _known(store, once)
        if row is not None:  # a twin of this very call was quicker
            return await _kept(store, once, row, tell), True
        raise Refused(409, "busy") if isinstance(refusal, KeyTaken) else refusal from None
    row = await _known(store, once)
    if row is None:  # it changed nothing
        return await tell(about), False
    return await _kept(store, once, row, tell), False


async def _known(store: Store, once: Once) -> Row | None:
    row = await store.row("read_key", once.client, once.key)
    if row is not None and row["digest"] != once.digest:
        raise Refused(422, "idempotency_key_reused")
    return row


async def _kept(store: Store, once: Once, row: Row, tell: Callable[[str], Awaitable[bytes]]) -> bytes:
    """The answer behind the key. Of twins that made it at once the first one's is everybody's."""
    answer = row["answer"]
    if not answer:
        answer = store.seal(await tell(row["about"]), once.place)
        await store.write("answer_key", (once.client, once.key, answer))
        kept = await store.row("read_key", once.client, once.key)
        answer = answer if kept is None else kept["answer"]
    return store.unseal(answer, once.place)
