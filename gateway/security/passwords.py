"""Passwords of people: argon2id at rest, hashed in a few threads of their own so that a flood of sign-ins starves nobody."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

SHORTEST: Final = 12
"""Characters of a password at the least; longest 200."""

LONGEST: Final = 200

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
"""RFC 9106's algorithm with OWASP's parameters: 19 MiB, two passes, about 30 ms."""

_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class TooBusy(Exception):
    """More sign-ins wait than places: come again in a moment."""


def weakness(name: str, password: str) -> str | None:
    """Why a password is not taken: ``short``, ``long``, ``like_name``, ``plain`` (fewer than five different characters)."""
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    if name and name.lower() in password.lower():
        return "like_name"
    if len(set(password)) < 5:
        return "plain"
    return None


def make_password(name: str) -> str:
    """A fresh password for the account of this name, about 59 bits, that can be read over the telephone: ``k7mf-2xqp-9tda``.

    A short name turns up in drawn letters by chance, so what ``weakness`` would refuse is drawn again; not for ever, since a
    name may come from a form and be no name at all (``-``).
    """
    for _ in range(100):
        letters = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        password = "-".join((letters[:4], letters[4:8], letters[8:]))
        if weakness(name, password) is None:
            break
    return password


def hash_password(password: str) -> str:
    """The argon2id string that is kept. Slow by intent; on the event loop use ``Hasher``."""
    return _HASHER.hash(password)


def same_password(kept: str, password: str) -> bool:
    """Whether it is the password. Slow by intent; on the event loop use ``Hasher``."""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


class Hasher:
    """Hashes in ``threads`` threads of its own, at most ``waiting`` in line.

    The computation releases the interpreter's lock; one thread of two cores at the most is what a flood can take."""

    def __init__(self, threads: int = 1, waiting: int = 16) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._waiting = waiting
        self._inside = 0

    @cached_property
    def _nobody(self) -> str:
        return hash_password(secrets.token_hex(16))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; ``None`` (no such account) takes as long and is never.

        Raises:
            TooBusy: the line is full.
        """

        def compare() -> bool:
            nobody = self._nobody  # whoever is asked about first makes it, known or not: its time tells nothing
            return same_password(kept or nobody, password)

        return await self._run(compare) and kept is not None

    async def hash(self, password: str) -> str:
        """See ``hash_password``.

        Raises:
            TooBusy: the line is full.
        """
        return await self._run(lambda: hash_password(password))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._inside >= self._waiting:
            raise TooBusy
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
