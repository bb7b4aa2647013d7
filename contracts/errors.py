"""What can go wrong between us and a platform, sorted by who heals it.

::

    AdapterError
    ├── RetryableError      time heals it: the same delivery again, later
    │     retry_after           how long the whole endpoint must be left alone
    │     maybe_accepted        the answer was lost on the way: the platform may have it
    ├── EndpointError       the operator heals it: pause the endpoint, keep the queue, burn no try
    │   └── EndpointGone        a webhook's receiver is gone for good: nothing more is owed to it
    └── PermanentError      the sender heals it: this document must change
    CallbackRejected        the door: an inbound call is not what it claims to be; answered in the platform's dialect
    UnreadableCallback      authentic, stored, but nobody here can read it: a person looks

Codes and texts of these errors reach operators and logs: they carry the platform's code and our own words, never the
platform's text (which may quote the document) and never a value of the document. Texts of the platform travel in
``reasons`` alone, which the store seals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts.http import Reply


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding of a platform about our document (平台退回原因).

    ``code`` is the platform's own, ``place`` its field path, ``text`` its words. May hold personal data: sealed at rest,
    shown to the sender and the operator alone.
    """

    code: str
    text: str = ""
    place: str = ""


class AdapterError(Exception):
    """The root of what an adapter may raise from ``translate``, ``send``, ``lookup``, ``poll``, ``probe``."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code[:64]
        self.text = text


class RetryableError(AdapterError):
    """Time heals it. ``maybe_accepted``: the filing left us and no answer told what became of it."""

    def __init__(
        self, code: str, text: str = "", *, retry_after: timedelta | None = None, maybe_accepted: bool = False
    ) -> None:
        super().__init__(code, text)
        self.retry_after = retry_after
        self.maybe_accepted = maybe_accepted


class EndpointError(AdapterError):
    """The operator heals it: wrong key, clock, address, right. The endpoint is paused; no delivery loses a try."""


class EndpointGone(EndpointError):
    """A webhook's receiver says that it is gone for good (410): the subscription ends, nothing more is owed to it."""


class PermanentError(AdapterError):
    """The sender heals it: the platform (or the translation) refuses this document as it stands."""

    def __init__(self, code: str, text: str = "", *, reasons: tuple[Reason, ...] = ()) -> None:
        super().__init__(code, text)
        self.reasons = reasons


class CallbackRejected(Exception):
    """An inbound call failed at the door. ``reply`` is the refusal in the platform's own dialect."""

    def __init__(self, code: str, reply: Reply) -> None:
        super().__init__(code)
        self.code = code[:64]
        self.reply = reply


class UnreadableCallback(Exception):
    """An authentic, stored call that cannot be parsed. ``code`` says why, without quoting it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code[:64]
