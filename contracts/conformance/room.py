"""What the checks share: an adapter made for one attempt, its errors gathered, and what no text may show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from contracts.adapter import Adapter, Receipt, Wire
from contracts.conformance.line import Line
from contracts.conformance.samples import AnySample
from contracts.conformance.stage import Fault, Stage
from contracts.conformance.stand_ins import tools
from contracts.errors import AdapterError


@dataclass(slots=True)
class Attempt:
    """One attempt: what came of it, and the calls that it made."""

    line: Line
    receipt: Receipt | None = None
    error: AdapterError | None = None

    @property
    def said(self) -> str:
        """What came of it, in a word, for messages."""
        if self.error is not None:
            return f"{type(self.error).__name__}({self.error.code})"
        return "a Receipt" if self.receipt is not None else "nothing"


@dataclass(slots=True)
class Room:
    """One adapter with one memory, at one stage."""

    stage: Stage
    adapter: Adapter[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.adapter = self.stage.make(tools(self.stage.now, self.stage.attachments()))

    def translate(self, sample: AnySample) -> Wire:
        """The sample's wire."""
        return sample.made(self.adapter)

    def line(self, fault: Fault | None = None, **more: Any) -> Line:  # Any: the fields of Line
        """A way out that breaks by itself, at the call that is ``struck``."""
        return Line(self.stage.exchange(), fault, **more)

    async def send(self, wire: Wire, fault: Fault | None = None, **more: Any) -> Attempt:
        """One attempt to file the wire, into a fault where one is given: of the filing, or of the call that is ``struck``.

        Raises:
            AssertionError: it ended in neither a receipt nor an error of the port's tree.
        """
        played = fault in self.stage.plays and "struck" not in more
        if fault is not None and played:
            await self.stage.arm(fault)
        attempt = Attempt(self.line(None if played else fault, **more))
        try:
            attempt.receipt = await self.adapter.send(wire, attempt.line)
        except AdapterError as error:
            attempt.error = error
        except Exception as error:
            raise AssertionError(
                f"send let a {type(error).__name__} out ({fault or 'no fault'}): only Receipt or AdapterError end it"
            ) from error
        assert attempt.error is not None or isinstance(attempt.receipt, Receipt), "send returned no Receipt"
        return attempt

    async def lookup(self, wire: Wire, **more: Any) -> Attempt:
        """One look-up."""
        attempt = Attempt(self.line(**more))
        try:
            attempt.receipt = await self.adapter.lookup(wire, attempt.line)
        except AdapterError as error:
            attempt.error = error
        return attempt


def assert_clean(stage: Stage, text: str, where: str) -> None:
    """No secret of the settings and no person's value of the samples stands in this text."""
    for place, secret in enumerate(stage.secrets()):
        assert secret not in text, f"{where} shows secret number {place}"
    for sample in stage.samples():
        for value in sample.persons():
            assert value not in text, f"{where} shows a person's value ({len(value)} characters)"


def assert_clean_error(stage: Stage, error: BaseException) -> None:
    """What an operator or a log would see of the error."""
    shown = [str(error), repr(error), str(getattr(error, "code", "")), str(getattr(error, "text", ""))]
    assert_clean(stage, "\n".join(shown), f"the text of {type(error).__name__}")


def assert_clean_addresses(stage: Stage, line: Line) -> None:
    """Addresses end up in logs of every machine on the way."""
    for call in line.calls:
        assert_clean(stage, unquote(call.request.url), f"the address of step {call.step!r}")
