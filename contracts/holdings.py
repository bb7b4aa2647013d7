"""What a platform can be asked about what it holds (对账): one filing by its id, or a list of a period, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.http import Exchange
from contracts.update import KeyKind, Reference, StatusUpdate
from contracts.wire import PolledItem, Receipt, Wire


class Listing(StrEnum):
    """What a platform's list of a period is a list of. What is no list of filings proves nothing by what it lacks."""

    NOTHING = "nothing"
    """Its page has no such call."""
    FILINGS = "filings"
    """Everything that was filed there, each under the sender's id: what is not in it is not there."""
    WORDS = "words"
    """What it has said (变更): each can be held against what was heard; of filings without a word it says nothing."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` on, before ``until``; aware times."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return self.since <= moment < self.until


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing that the platform holds, as far as it must be recognised: ids, numbers and codes, no personal data.

    ``name`` is the platform's own name of the row, the same at every listing. ``filing`` is the id under which it was filed
    (``Wire.id``), ``reference`` the platform's number for it, ``references`` all that name a thing of ours, with their kinds,
    ``version`` the document's version where it tells it, ``at`` when it came (of a word: when it was said). ``word`` is how
    the matter stands there, in canonical words. ``item``: of a list of words the raw item, as a poll would have brought it.
    ``filed_twice``: more than one filing under the one id.
    """

    name: str
    at: datetime | None = None
    filing: str | None = None
    reference: str | None = None
    references: tuple[Reference, ...] = ()
    version: int | None = None
    word: StatusUpdate | None = None
    item: PolledItem | None = None
    filed_twice: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """One page of a listing. ``cursor`` leads to the next one; ``more``: there is one. The last cursor of a list of words may
    begin a later listing: what it left behind does not come again."""

    items: tuple[Holding, ...]
    cursor: str
    more: bool


class Answering:
    """The questions of a reconciliation, as every adapter has them; a platform that cannot be asked keeps these refusals."""

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        """Ask whether the platform has what was filed under the wire's id. ``None``: it does not (yet).

        Only for platforms of class queryable, and for idempotent ones that can be asked (operator's look-up)."""
        raise NotImplementedError(f"{type(self).__name__} cannot be asked")

    async def held(self, wire: Wire, exchange: Exchange) -> Holding | None:
        """The same question with all that its answer tells: also how the matter stands there.

        Raises:
            RetryableError, EndpointError: as for ``lookup``.
        """
        receipt = await self.lookup(wire, exchange)
        if receipt is None:
            return None
        return Holding(
            receipt.reference or wire.id,
            receipt.at,
            wire.id,
            receipt.reference,
            receipt.references,
            filed_twice=receipt.filed_twice,
        )

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        """One page of what the platform holds of a period (``AdapterInfo.lists``), after ``cursor``. Changes nothing there.

        Raises:
            RetryableError, EndpointError: never an empty page in their place.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be listed")

    @classmethod
    def can_be_asked(cls) -> bool:
        """Whether there is a question by the id of one filing (``lookup``)."""
        return cls.lookup is not Answering.lookup


def reference_of(word: StatusUpdate) -> str | None:
    """The platform's number for what a word is about, where it names one."""
    named = [key.value for key in word.keys if key.kind is KeyKind.REFERENCE]
    return named[0] if named else next((found.value for found in word.references), None)
