"""What is done under an ``Idempotency-Key`` beside the documents: the key is taken in the transaction of the act itself, in the
same table as theirs."""

from __future__ import annotations

from gateway.store.engine import Operation
from gateway.store.unit import Key


class KeyTaken(Exception):
    """Somebody came with this key before: nothing was done."""


def take_key(key: Key | None) -> Operation[None]:
    """Take the key, where there is one; part of the act's own transaction, which ends with it.

    Raises:
        KeyTaken: it is taken. The transaction is rolled back.
    """
    if key is None:
        return
    won = yield "reserve_key", [(key.client, key.key, key.digest, key.about, key.answer)]
    if not won:
        raise KeyTaken
