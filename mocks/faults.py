"""Scripted faults: what the tester asked the next answers of a mock platform to be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

#: Played by the core for every platform (``transport.py``).
TRANSPORT = (
    "reset",
    "stall",
    "drip",
    "http",
    "garbage",
    "accept_then_silent",
    "accept_then_reset",
    "slow",
)
#: Played by the sender of callbacks (``pushes.py``) or, where the platform is polled, by the platform.
CALLBACK = ("duplicate_callback", "reorder_callbacks", "early_callback", "forge_callback")
#: Every action there is. ``refuse`` acts at once, ``maintenance`` is a state, the rest count down.
ACTIONS = frozenset(("refuse", "maintenance", "business_error", "expire_session", *TRANSPORT, *CALLBACK))
#: Kinds of garbage: ``slip`` (a zip entry outside its folder) where archives are exchanged alone.
GARBAGE_KINDS = frozenset(("html", "truncated", "empty", "gbk", "bomb", "slip"))


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of ``POST /_mock/faults``.

    ``op`` is the platform's name of an operation (exact), ``<noun>.*`` or ``*``. ``times``: how many answers (0 =
    until cleared). ``after_ms``: length of ``refuse`` and ``maintenance``, delay of ``slow``, milliseconds between two
    bytes of ``drip``, else a wait before the fault strikes. ``text``: what a ``business_error`` says beside its code, as
    real platforms quote the document there. ``rotate``: an ``expire_session`` changes the platform's key too. The other
    fields belong to single actions.
    """

    op: str
    action: str
    times: int = 1
    after_ms: int = 0
    status: int = 0
    retry_after: str | None = None
    code: str = ""
    text: str = ""
    kind: str = ""
    n: int = 0
    how: str = ""
    location: str = ""
    rotate: bool = False

    def fits(self, op: str) -> bool:
        """Whether this fault is meant for the operation ``op``."""
        return self.op in ("*", op) or (self.op.endswith(".*") and op.startswith(self.op[:-1]))


def _any(_: Fault) -> bool:
    return True


class Faults:
    """The scripted faults of one platform, oldest first."""

    def __init__(self) -> None:
        self._scripted: list[tuple[Fault, int, float]] = []  # fault, answers left (-1 = until cleared), added at

    @staticmethod
    def parse(items: Any) -> list[Fault]:
        """Read the JSON list of a tester. Raises ``ValueError`` with a plain text for whatever is wrong in it."""
        if not isinstance(items, list):
            raise _wrong("a list of faults is needed: [{op, action, …}]")
        return [_fault(item, index) for index, item in enumerate(items)]

    def add(self, items: list[dict[str, Any]]) -> list[Fault]:
        """Script the faults in ``items``, all or none; returns them. Raises ``ValueError`` as :meth:`parse` does."""
        faults = self.parse(items)
        now = time.monotonic()
        self._scripted.extend((fault, fault.times or -1, now) for fault in faults)
        return faults

    def clear(self) -> None:
        """Forget every fault."""
        self._scripted.clear()

    def pending(self) -> list[dict[str, Any]]:
        """The faults still to be played, as JSON objects, with ``left`` (-1 = until cleared)."""
        return [
            {field.name: getattr(fault, field.name) for field in fields(fault)} | {"left": left}
            for fault, left, _ in self._scripted
        ]

    def take(self, op: str, *actions: str, where: Callable[[Fault], bool] = _any) -> Fault | None:
        """The oldest fault for ``op`` among ``actions``, counted down by one; ``None`` when there is none.

        ``where``: what it must be beside, for a platform of which two parts look for faults of one action.
        """
        for index, (fault, left, added) in enumerate(self._scripted):
            if fault.action in actions and fault.fits(op) and where(fault):
                if left == 1:
                    del self._scripted[index]
                elif left > 1:
                    self._scripted[index] = (fault, left - 1, added)
                return fault
        return None

    def standing(self, op: str, action: str, *, where: Callable[[Fault], bool] = _any) -> Fault | None:
        """A fault that is a state: until it is cleared, or ``after_ms`` after it was scripted; never counted down."""
        self._expire()
        for fault, _, _ in self._scripted:
            if fault.action == action and fault.fits(op) and where(fault):
                return fault
        return None

    def maintenance(self, op: str) -> tuple[Fault, float] | None:
        """The maintenance that holds for ``op``, with the seconds to its end.

        With ``after_ms`` it lasts that long; without, it counts down ``times`` answers (seconds to its end: 60).
        """
        self._expire()
        for fault, _, added in self._scripted:
            if fault.action == "maintenance" and fault.fits(op):
                if fault.after_ms:
                    return fault, max(0.0, added + fault.after_ms / 1000 - time.monotonic())
                self.take(op, "maintenance")
                return fault, 60.0
        return None

    def _expire(self) -> None:
        now = time.monotonic()
        self._scripted = [
            (fault, left, added)
            for fault, left, added in self._scripted
            if not (
                fault.action in ("maintenance", "expire_session")
                and fault.after_ms
                and now >= added + fault.after_ms / 1000
            )
        ]


def _wrong(text: str) -> ValueError:
    return ValueError(text)


def _fault(item: Any, index: int) -> Fault:
    place = f"fault {index}"
    if not isinstance(item, dict):
        raise _wrong(f"{place}: an object {{op, action, …}} is needed")
    known = {field.name for field in fields(Fault)}
    if unknown := sorted(set(item) - known):
        raise ValueError(f"{place}: unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    action = item.get("action")
    if action not in ACTIONS:
        raise ValueError(f"{place}: unknown action {action!r}; known: {', '.join(sorted(ACTIONS))}")
    values: dict[str, Any] = {"op": "*", **item}
    if isinstance(values.get("retry_after"), int):
        values["retry_after"] = str(values["retry_after"])
    if isinstance(values.get("code"), int) and not isinstance(values["code"], bool):
        values["code"] = str(values["code"])
    for name in ("times", "after_ms", "status", "n"):
        number = values.get(name, 0)
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise _wrong(f"{place}: {name} must be a whole number, 0 or more")
    for name in ("op", "code", "text", "kind", "how", "location"):
        if not isinstance(values.get(name, ""), str):
            raise _wrong(f"{place}: {name} must be a text")
    if not isinstance(values.get("rotate", False), bool):
        raise _wrong(f"{place}: rotate must be true or false")
    if not isinstance(values.get("retry_after"), str | None):
        raise _wrong(f"{place}: retry_after must be seconds or an HTTP date")
    if action == "http" and not 200 <= values.get("status", 0) <= 599:
        raise ValueError(f"{place}: http needs a status between 200 and 599")
    if action == "garbage" and values.get("kind") not in GARBAGE_KINDS:
        raise ValueError(f"{place}: garbage needs a kind: {', '.join(sorted(GARBAGE_KINDS))}")
    if action == "business_error" and not values.get("code"):
        raise ValueError(f"{place}: business_error needs a code")
    if action == "forge_callback" and not values.get("how"):
        raise ValueError(f"{place}: forge_callback needs how")
    return Fault(**values)
