"""What a difference between our ledger and a platform's is (对账): pure decisions over one row of each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.holdings import Holding, Listing
from contracts.identifiers import resident_id_holds
from contracts.lifecycle import Outcome
from contracts.status import Noun, move
from contracts.update import About, DeliveryWord, StatusUpdate
from gateway.registry import AnyAdapter
from gateway.security.field_classes import FieldClass, masked
from gateway.store.engine import Row

_LONGEST = 100
_RESIDENT: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
_MOBILE: Final = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])")
_NOUNS: Final = {
    About.CASE: Noun.CASE,
    About.CONFIRMATION: Noun.CONFIRMATION,
    About.TRANSFER: Noun.TRANSFER,
    About.REFERRAL: Noun.REFERRAL,
}
_OF_DELIVERIES: Final[dict[str, str]] = {DeliveryWord.ACCEPTED: "delivered", DeliveryWord.REFUSED: "rejected"}


class Kind(StrEnum):
    """The kinds of differences."""

    MISSING = "missing"
    """We say that they have it, and they do not."""
    FOREIGN = "foreign"
    """They have it, and nothing of ours is known by it."""
    DIFFERING = "differing"
    """Both have it, and number, version or status differ, or a word of theirs was never heard."""
    UNDECIDED = "undecided"
    """In doubt or given up here, and they can say whether it is there."""


class Method(StrEnum):
    """How a platform can be compared with, by what its page offers."""

    LISTING = "listing"
    """Its list of what was filed, and the other way round."""
    ASKING = "asking"
    """A question for each of our deliveries: what is foreign cannot be seen."""
    WORDS = "words"
    """Its list of what it said: whether it has what we filed cannot be seen."""
    ASKING_WORDS = "asking_words"
    """Both."""
    NOTHING = "nothing"
    """Neither list nor question: it cannot be compared."""

    @property
    def sees(self) -> tuple[Kind, ...]:
        """The kinds that it can tell."""
        return _SEES[self]

    @property
    def phases(self) -> tuple[str, ...]:
        """What is gone through: ``theirs``, their list; ``ours``, our deliveries."""
        return _PHASES[self]


_SEES: Final[dict[Method, tuple[Kind, ...]]] = {
    Method.LISTING: tuple(Kind),
    Method.ASKING: (Kind.MISSING, Kind.DIFFERING, Kind.UNDECIDED),
    Method.WORDS: (Kind.FOREIGN, Kind.DIFFERING),
    Method.ASKING_WORDS: tuple(Kind),
    Method.NOTHING: (),
}
_PHASES: Final[dict[Method, tuple[str, ...]]] = {
    Method.LISTING: ("theirs", "ours"),
    Method.ASKING: ("ours",),
    Method.WORDS: ("theirs",),
    Method.ASKING_WORDS: ("theirs", "ours"),
    Method.NOTHING: (),
}


def method_of(adapter: AnyAdapter) -> Method:
    """How this adapter's platform can be compared with."""
    listing, asked = adapter.info.lists, adapter.can_be_asked()
    if listing is Listing.FILINGS:
        return Method.LISTING
    if listing is Listing.WORDS:
        return Method.ASKING_WORDS if asked else Method.WORDS
    return Method.ASKING if asked else Method.NOTHING


@dataclass(frozen=True, slots=True)
class Difference:
    """One finding: ids, numbers and codes. ``name`` is the platform's name of its row, ``reference`` its number;
    ``ours`` and ``theirs`` are the two standings."""

    kind: Kind
    code: str
    delivery: str | None = None
    about: str | None = None
    name: str | None = None
    reference: str | None = None
    ours: str | None = None
    theirs: str | None = None

    @property
    def key(self) -> str:
        """What the finding is known by inside its reconciliation."""
        return f"{self.kind}:{self.delivery or ''}:{named(self.name) or ''}"

    def row(self, reconciliation: str) -> tuple[str | None, ...]:
        """For the store; what came from outside is bounded, and cleaned of people's numbers."""
        return (
            reconciliation,
            self.key,
            self.kind,
            self.code,
            self.delivery,
            self.about,
            named(self.name),
            number(self.reference),
            plain(self.ours),
            plain(self.theirs),
        )


def of_delivery(row: Row, held: Holding | None, version: int | None = None) -> Difference | None:
    """One of our deliveries against what the platform holds under its id (``None``: nothing). ``version`` is the version of
    the document that we sent. How its matter stands is ``of_word``'s."""
    state = row["state"]
    if held is None:
        if state == "delivered":
            return Difference(Kind.MISSING, "absent", row["id"], row["about"], None, row["reference"], state, "absent")
        if state == "in_doubt":
            return Difference(Kind.UNDECIDED, "absent", row["id"], row["about"], None, None, state, "absent")
        return None
    named = (row["id"], row["about"], held.name, held.reference)
    if held.filed_twice:
        return Difference(Kind.DIFFERING, "filed_twice", *named, state, "filed_twice")
    if state in ("in_doubt", "dead", "expired"):
        return Difference(Kind.UNDECIDED, "found", *named, state, "found")
    if state != "delivered":
        return None
    if row["reference"] is not None and held.reference is not None and row["reference"] != held.reference:
        return Difference(Kind.DIFFERING, "reference", *named, number(row["reference"]), number(held.reference))
    if held.version is not None and version is not None and held.version != version:
        return Difference(Kind.DIFFERING, "version", *named, str(version), str(held.version))
    return None


def of_word(word: StatusUpdate, status: str) -> str | None:
    """Why the platform's word differs from our status of the same thing; ``None``: it does not.

    Of a case, whose status others move as well, a word that lies behind is that platform's own view and no difference."""
    if word.about is About.DELIVERY:
        expected = _OF_DELIVERIES.get(word.status)
        return None if expected in (None, status) else "status"
    if not word.status:
        return "unheard" if word.note else None
    noun = _NOUNS.get(word.about)
    if noun is None:  # a term's performance: it stands in no status that could be compared
        return "unheard"
    if word.status == status:
        return None
    if noun is Noun.CASE and word.status != "unknown":
        return None if move(noun, status, word.status).outcome is Outcome.BACKWARD else "status"
    return "status"


def plain(text: str | None) -> str | None:
    """A text from outside as far as it may stand in a report: bounded, without control characters and people's numbers."""
    if text is None:
        return None
    kept = "".join(letter for letter in text[:_LONGEST] if letter.isprintable())
    kept = _RESIDENT.sub(_resident_masked, kept)
    return _MOBILE.sub(lambda found: masked(FieldClass.PHONE, found[0]), kept)


def _resident_masked(found: re.Match[str]) -> str:
    return masked(FieldClass.ID_NO, found[0]) if resident_id_holds(found[0].upper()) else found[0]


def named(text: str | None) -> str | None:
    """The platform's name of a row; of one that is no number, its fingerprint."""
    if text is None:
        return None
    return number(text) or f"#{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"


def number(text: str | None) -> str | None:
    """A platform's number; what holds no digit is none, and is left out."""
    kept = plain(text)
    return kept if kept is None or any(letter.isdigit() for letter in kept) else None
