"""What was at hand a moment ago, so that it need not be read again: few, and not for long."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Lately(Generic[T]):
    """At most twice ``most`` things by their names, in two generations: a new one begins when the newest is full, or when
    ``age`` is called, and the one before the last is forgotten. Only for what never changes. Nothing is kept while ``most`` is
    0: where nobody asks, nothing is to lie about."""

    def __init__(self) -> None:
        self.most = 0
        self._new: dict[str, T] = {}
        self._old: dict[str, T] = {}

    def keep(self, name: str, thing: T) -> None:
        """Remember it for a while."""
        if len(self._new) >= self.most:
            self.age()
        if self.most:
            self._new[name] = thing

    def get(self, name: str) -> T | None:
        """It, if it is still remembered."""
        found = self._new.get(name)
        return self._old.get(name) if found is None else found

    def age(self) -> None:
        """Forget what was kept before the last call."""
        self._old, self._new = self._new, {}
