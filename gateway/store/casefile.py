"""The file of one subject (卷宗): everything a decision about it may need, read at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.store.engine import Operation, Row


@dataclass(frozen=True, slots=True)
class Matter:
    """A thing with a status of its own, as it stands. ``message`` holds its current document."""

    id: str
    kind: str
    subject: str
    parent: str | None
    organization: str
    business_key: str
    facet: str | None
    status: str
    since: int | None
    version: int
    message: str
    active: bool
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery without its sealed parts."""

    id: str
    message: str
    type: str
    about: str
    endpoint: str
    subject: str
    sequence: int
    retry_class: str
    requires: str | None
    state: str
    next_at: int
    safe_at: int | None
    attempts: int
    step: int
    doubt_at: int | None
    code: str | None
    reference: str | None
    operation: str | None
    created_at: int
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A platform's number for one of our things."""

    endpoint: str
    kind: str
    value: str
    about: str


@dataclass(slots=True)
class CaseFile:
    """One subject: its sequence (the optimistic lock of every decision), matters, deliveries, holders and references."""

    subject: str
    kind: str
    sequence: int
    matters: dict[str, Matter] = field(default_factory=dict)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    holders: tuple[str, ...] = ()
    references: list[ReferenceRow] = field(default_factory=list)

    @property
    def organization(self) -> str:
        """The organisation that owns the subject."""
        return next((matter.organization for matter in self.matters.values()), "")

    def of_kind(self, kind: str) -> list[Matter]:
        """Matters of a kind, oldest first."""
        return [matter for matter in self.matters.values() if matter.kind == kind]

    def last_delivery(self, endpoint: str, types: frozenset[str], about: str | None = None) -> DeliveryRow | None:
        """The newest delivery of one of these message types at an endpoint that was not superseded."""
        return next(
            (
                delivery
                for delivery in reversed(self.deliveries)
                if delivery.endpoint == endpoint
                and delivery.type in types
                and (about is None or delivery.about == about)
                and delivery.state != "superseded"
            ),
            None,
        )


def load(subject: str) -> Operation[CaseFile | None]:
    """Read the file, or ``None`` where there is no such subject."""
    files = yield from load_all([subject])
    return files.get(subject)


def load_all(subjects: Sequence[str]) -> Operation[dict[str, CaseFile]]:
    """Read the files of those subjects that there are."""
    wanted = [(subject,) for subject in subjects]
    found = yield "subject_of", wanted
    files = {row["id"]: CaseFile(row["id"], row["kind"], row["sequence"]) for row in found}
    wanted = [(subject,) for subject in files]
    if not wanted:
        return files
    for row in (yield "matters_of", wanted):
        files[row["subject"]].matters[row["id"]] = matter_of(row)
    for row in (yield "deliveries_of", wanted):
        files[row["subject"]].deliveries.append(delivery_of(row))
    for row in (yield "holders_of", wanted):
        files[row["subject"]].holders += (row["endpoint"],)
    for row in (yield "references_of", wanted):
        reference = ReferenceRow(row["endpoint"], row["kind"], row["value"], row["about"])
        files[row["subject"]].references.append(reference)
    return files


def load_of_matter(matter: str) -> Operation[CaseFile | None]:
    """The file that a matter lies in."""
    found = yield "matter", [(matter,)]
    if not found:
        return None
    file = yield from load(found[0]["subject"])
    return file


def matter_of(row: Row) -> Matter:
    """A matter from its row."""
    return Matter(
        row["id"],
        row["kind"],
        row["subject"],
        row["parent"],
        row["organization"],
        row["business_key"],
        row["facet"],
        row["status"],
        row["since"],
        row["version"],
        row["message"],
        bool(row["active"]),
        row["created_at"],
        row["updated_at"],
    )


def delivery_of(row: Row) -> DeliveryRow:
    """A delivery from its row."""
    return DeliveryRow(
        row["id"],
        row["message"],
        row["type"],
        row["about"],
        row["endpoint"],
        row["subject"],
        row["sequence"],
        row["class"],
        row["requires"],
        row["state"],
        row["next_at"],
        row["safe_at"],
        row["attempts"],
        row["step"],
        row["doubt_at"],
        row["code"],
        row["reference"],
        row["operation"],
        row["created_at"],
        row["finished_at"],
    )
