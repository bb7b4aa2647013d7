"""Randomness from the system, drawn in blocks: ids, nonces and tokens are many and small, and every draw asks the kernel."""

from __future__ import annotations

import os
import threading

_BLOCK = 4096


class Entropy:
    """Random bytes as from ``os.urandom``, each handed out once. Safe between threads; a forked child draws anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._block = b""
        self._at = 0
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self, size: int) -> bytes:
        """So many bytes."""
        if size > _BLOCK:
            return os.urandom(size)
        with self._lock:
            start, self._at = self._at, self._at + size
            if self._at > len(self._block):
                self._block, start, self._at = os.urandom(_BLOCK), 0, size
            return self._block[start : self._at]

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._block, self._at = b"", 0


random_bytes = Entropy()
"""The process's own."""
