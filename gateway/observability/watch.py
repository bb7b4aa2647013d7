"""What the journey tells of itself while it runs. The base hears and forgets: who watches nothing pays nothing."""

from __future__ import annotations


class Watch:
    """One word for each thing that is worth counting. Names are the configuration's and the contract's own; nothing that is
    told comes from a document. Times are seconds."""

    def taken(self, kind: str, outcome: str, seconds: float) -> None:
        """Intake ended: message type, ``accepted``, ``replayed`` or the refusal's code."""

    def answered(self, status: int) -> None:
        """A call was answered, with this status."""

    def exchanged(self, endpoint: str, retry_class: str, outcome: str, code: str | None, seconds: float) -> None:
        """An attempt ended: the state that its delivery has now, and why where that is no success."""

    def delivered(self, endpoint: str, retry_class: str, seconds: float) -> None:
        """A delivery is there, so long after its message was accepted."""

    def called(self, endpoint: str, outcome: str) -> None:
        """A platform called: ``stored``, ``duplicate``, ``conflict`` or ``rejected``."""

    def applied(self, endpoint: str, outcome: str, seconds: float) -> None:
        """A stored call was looked at: the state that it has now, so long after it came."""

    def committed(self, group: str, size: int, seconds: float) -> None:
        """A group commit of so many units took so long."""

    def published(self, events: int) -> None:
        """So many events are safe on the broker."""


SILENT = Watch()
"""Nobody watches."""
