"""Bytes → document: the one way in for what an upstream system posts, with all findings at once or none.

A sound body takes the straight road: JSON proven, pydantic's validation in one pass, the rules over the result. A
refused one takes the long road, where every error of shape becomes a finding and the rules run over the fields that
are sound.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from pydantic import ValidationError

from contracts.document import Document, Unsound, examine
from contracts.findings import Code, Finding, Measure
from contracts.json_text import SIZE_LIMIT, Json, parse
from contracts.shape import is_crowded, overlong_lists, shape_findings, shortened
from contracts.sound import sound_part
from contracts.values import LIST_LIMIT

D = TypeVar("D", bound=Document)

VALUE_LIMIT: Final = 50_000
"""Most values in one document, at all depths: more than a collective case of a thousand parties has."""

FINDINGS_LIMIT: Final = 1_000
"""Most findings that one refusal carries."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[D]):
    """An accepted document and the warnings that go back with the acceptance."""

    document: D
    warnings: tuple[Finding, ...] = ()


class DocumentRefused(Exception):
    """The body is JSON but no acceptable document (422). ``findings`` holds all of them, errors before warnings.

    Where there are more than :data:`FINDINGS_LIMIT` the rest is left out and ``more`` is true. The exception's own
    text names codes alone.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        ordered = sorted(dict.fromkeys(findings), key=lambda finding: not finding.is_error)
        self.findings = tuple(ordered[:FINDINGS_LIMIT])
        self.more = len(ordered) > FINDINGS_LIMIT
        super().__init__("document refused: " + ", ".join(sorted({str(finding.code) for finding in self.findings})))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that refuse the document."""
        return tuple(finding for finding in self.findings if finding.is_error)


@dataclass(frozen=True, slots=True)
class Look(Generic[D]):
    """A body as far as it can be read: ``document`` where its shape is sound, ``sound`` the document or else its sound fields
    (``None``: no object), ``findings`` about its shape and by its own rules. What is not sound is for rules alone."""

    document: D | None
    sound: D | None
    findings: tuple[Finding, ...]


def look(kind: type[D], raw: bytes, *, now: datetime, limit: int = SIZE_LIMIT) -> Look[D]:
    """Read a body as a document of that kind, as far as it is one.

    Args:
        kind: ``Case``, ``Agreement``, …
        raw: the body as it came; what is accepted may be stored as it is.
        now: an aware time, against which times that should be past are judged.
        limit: most bytes of the body.

    Raises:
        NotJson: the body is not acceptable JSON, or larger than ``limit``.
        DocumentRefused: it holds more values than any document does.
    """
    value = parse(raw, limit=limit)
    findings: list[Finding] = []
    if raw.count(b",") >= LIST_LIMIT:
        findings += overlong_lists(value)
        if findings or is_crowded(value):
            value = shortened(value)
            raw = json.dumps(value).encode()
    if sum(map(raw.count, _OPENERS)) > VALUE_LIMIT and _count_values(value) > VALUE_LIMIT:
        raise DocumentRefused([*findings, Finding.of("", Code.TOO_LONG, limit=VALUE_LIMIT, measure=Measure.VALUES)])
    document: D | None = None
    try:
        document = kind.model_validate_json(raw)
    except ValidationError as error:
        findings += shape_findings(kind, error, value)
    sound = document
    if sound is None and isinstance(value, dict):
        sound = sound_part(kind, value)
    if sound is not None:
        findings += examine(sound, now)
    return Look(document, sound, tuple(findings))


def read(
    kind: type[D],
    raw: bytes,
    *,
    now: datetime,
    limit: int = SIZE_LIMIT,
    against: Callable[[D], Iterable[Finding]] | None = None,
) -> Reading[D]:
    """Read a body as a document of that kind, or refuse it.

    Args:
        kind, raw, now, limit: as for :func:`look`.
        against: one of the checks against other documents (``examine_agreement`` and its like), so that its findings
            come together with all others: ``lambda agreement: examine_agreement(agreement, case)``.

    Raises:
        NotJson: the body is not acceptable JSON, or larger than ``limit``.
        DocumentRefused: with all findings at once.
    """
    found = look(kind, raw, now=now, limit=limit)
    findings = found.findings
    if found.sound is not None:
        findings += _findings_against(found.sound, against)
    if found.document is None or any(finding.is_error for finding in findings):
        raise DocumentRefused(findings)
    return Reading(found.document, findings)


def _findings_against(document: D, against: Callable[[D], Iterable[Finding]] | None) -> tuple[Finding, ...]:
    if against is None:
        return ()
    try:
        return tuple(against(document))
    except Unsound:
        return ()


_OPENERS: Final = (b",", b"{", b"[")
"""Every value follows one of these, so that counting them bounds the number of values."""


def _count_values(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count_values, value.values()))
    return 1 + sum(map(_count_values, value)) if isinstance(value, list) else 1
