"""数据范围: whose a thing is that an address names; what is not known to be an account's own does not exist for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from gateway.flow.moving.order import Refused
from gateway.store.engine import Row
from gateway.web.console.desk import Page, Visit


async def admit(visit: Visit, page: Page) -> None:
    """Let an account with a data scope onto pages that narrow what they show, and there to its own things alone.

    Raises:
        Refused: 403 ``out_of_scope`` for the page, 404 for the thing.
    """
    if not visit.scoped:
        return
    if not page.narrows:
        raise Refused(403, "out_of_scope")
    identifier = visit.request.path_params.get("id")
    if identifier is None:
        return
    owner = _OWNERS.get(page.path.split("/")[1])
    if owner is None or not visit.within(await owner(visit, str(identifier))):
        raise Refused(404, "not_found")


async def own_matters(visit: Visit, subjects: Iterable[str]) -> dict[str, Row]:
    """The matters of these ids that the person may see, in their order."""
    found = {}
    for subject in dict.fromkeys(subjects):
        matter = await visit.desk.store.row("matter", subject)
        if matter is not None and visit.within(matter["organization"]):
            found[subject] = matter
    return found


async def _of_matter(visit: Visit, identifier: str) -> str | None:
    """The organisation of a thing's subject."""
    matter = await visit.desk.store.row("matter", identifier)
    if matter is not None and matter["subject"] != identifier:
        matter = await visit.desk.store.row("matter", matter["subject"])
    return None if matter is None else str(matter["organization"])


async def _of_message(visit: Visit, identifier: str) -> str | None:
    row = await visit.desk.store.row("message", identifier)
    return None if row is None else await _of_matter(visit, row["subject"])


async def _of_delivery(visit: Visit, identifier: str) -> str | None:
    row = await visit.desk.store.row("delivery", identifier)
    return None if row is None else await _of_matter(visit, row["subject"])


async def _of_task(visit: Visit, identifier: str) -> str | None:
    row = await visit.desk.store.row("task", identifier)
    return None if row is None else row["organization"]


async def _of_view(visit: Visit, identifier: str) -> str | None:
    """A view is its maker's: the person's own are opened by whichever organisation is the person's first."""
    row = await visit.desk.store.row("view", identifier)
    mine = visit.person is not None and row is not None and row["user_name"] == visit.person.name
    return next(iter(visit.reach or ()), None) if mine else None


_OWNERS: Final[dict[str, Callable[[Visit, str], Awaitable[str | None]]]] = {
    "cases": _of_matter,
    "messages": _of_message,
    "deliveries": _of_delivery,
    "tasks": _of_task,
    "views": _of_view,
}
"""By the first part of an address, how the organisation of the thing is found."""
