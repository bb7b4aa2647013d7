"""失败原因与处理: failures by cause, platform and type; a note on each group, and the list behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from contracts.deliveries import FAILED_STATES
from gateway.store import console
from gateway.store.console import made_at
from gateway.store.engine import Rows
from gateway.store.journal import AuditEntry
from gateway.web.console import holds
from gateway.web.console.desk import Page, Visit

_RECENT_MS: Final = 3_600_000
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Group:
    """Failures with one cause at one platform."""

    key: str
    endpoint: str
    code: str
    type: str
    state: str
    many: int
    recent: int
    first: int
    last: int
    sample: str
    cause: str
    advice: str

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state != "retrying"


def group_rows(visit: Visit, rows: Rows) -> list[Group]:
    """Groups, those that wait for a person first, then the largest."""
    found = []
    for row in rows:
        state = "retrying" if row["state"] == "pending" else row["state"]
        sampled = made_at(row["sample"]) or visit.now
        if state == "retrying":
            first, last, recent = made_at(row["first_id"]) or sampled, sampled, 0
        else:
            first, last, recent = row["first_at"] or sampled, row["last_at"] or sampled, row["recent"] or 0
        found.append(
            Group(
                key="|".join((row["endpoint"], row["code"] or "", row["type"], state)),
                endpoint=row["endpoint"],
                code=row["code"] or "",
                type=row["type"],
                state=state,
                many=row["many"],
                recent=recent,
                first=first,
                last=last,
                sample=row["sample"],
                cause=visit.cause(row["code"]) or visit.say("state", state),
                advice=visit.advice(row["code"], state),
            )
        )
    return sorted(found, key=lambda group: (not group.ended, -group.many, group.key))


async def groups(visit: Visit) -> Response:
    """The page."""
    names = [row["name"] for row in await visit.desk.store.rows("all_endpoints")]
    endpoint, state = visit.query.get("endpoint", ""), visit.query.get("state", "")
    asked = [endpoint] if endpoint in names else names
    rows = await visit.desk.store.runner.read(console.groups, asked, visit.now - _RECENT_MS)
    found = [group for group in group_rows(visit, rows) if not state or group.state == state][:_SHOWN]
    notes = {}
    for group in found:
        note = await visit.desk.store.row("group_note", group.key)
        if note is not None:
            notes[group.key] = note
    return visit.render(
        "failures.html",
        groups=found,
        notes=notes,
        names=names,
        endpoint=endpoint,
        state=state,
        states=(*FAILED_STATES, "in_doubt", "retrying"),
        waiting=sum(group.many for group in found if group.ended),
        trying=sum(group.many for group in found if not group.ended),
        queued=(await visit.desk.pulse.look("1h")).total("pending"),
        held=await holds.held(visit),
    )


async def note(visit: Visit) -> Response:
    """Write beside a group what the next person must know."""
    key, text = visit.form.text("key", 300), visit.form.text("note", 300)
    if key.count("|") == 3:
        entry = AuditEntry(visit.actor, "group.note", key[:200])
        await visit.desk.store.audited("set_group_note", (key, text, visit.actor), entry)
    return visit.to("failures")


PAGES = (Page("/failures", groups, "view"), Page("/failures/note", note, "notes", "POST"))
