"""A house among puppets: what an upstream posts, what platforms say, and what is seen afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson

from contracts.messages import HR, ONE_STOP, MessageType
from gateway.flow.house import House
from gateway.flow.intake import Accepted
from gateway.flow.moving.order import Order, Principal
from gateway.store.casefile import CaseFile
from tests.flow import papers
from tests.flow.puppets import WORDS, Puppet

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
PRINCIPAL = Principal("upstream", frozenset({"SD-JN-LX-001", "SD-LY-LS-007"}), frozenset())
OPERATOR = Principal("operator", frozenset({"*"}), frozenset())
BASE = datetime.fromisoformat("2026-10-09T09:00:00+08:00")


def at(hour: int) -> str:
    """So many hours after a moment that lies a day before the clock's beginning."""
    return (BASE + timedelta(hours=hour)).isoformat()


def ms(text: str) -> int:
    """A time in milliseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


async def until(check: Callable[[], Awaitable[Any]], what: str, seconds: float = 8.0) -> Any:
    """Wait until the check gives something, and give that."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := await check()):
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"in vain: {what}") from None
    return found


class Stage:
    """Acts on one house whose platforms are puppets."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._numbers = count(1)
        self._events = count(1)

    def puppet(self, endpoint: str = HR) -> Puppet:
        """The platform behind an endpoint."""
        adapter = self.house.endpoints[endpoint].adapter
        assert isinstance(adapter, Puppet)
        return adapter

    # ---- an upstream

    async def post(
        self, kind: MessageType, content: dict[str, Any] | bytes, target: str | None = None, **more: Any
    ) -> Accepted:
        """Post a document."""
        raw = content if isinstance(content, bytes) else orjson.dumps(content)
        return await self.house.intake.take(Order(kind, more.pop("principal", PRINCIPAL), raw, target, **more))

    async def case(self, changes: dict[str, Any] | None = None, name: str = "wages") -> str:
        """A case under a number of its own; returns its id."""
        number = {"/source_case_no": f"370102-LX001-2026-{next(self._numbers):05}"}
        return (await self.post(MessageType.CASE_SUBMITTED, papers.body(name, number | (changes or {})))).about

    async def agreement(self, case: str, changes: dict[str, Any] | None = None) -> str:
        """An agreement on the case; returns its id."""
        paper = await self.house.attachments.keep("SD-JN-LX-001", "mediation_agreement", "协议.pdf", PDF)
        number = f"历下劳人调〔2026〕{next(self._numbers)}号"
        made = {"/document": paper.id, "/agreement_no": number} | (changes or {})
        return (await self.post(MessageType.AGREEMENT_CONCLUDED, papers.body("agreement", made), case)).about

    async def confirmation(self, agreement: str, route: str = "arbitration") -> str:
        """A request for confirmation; returns its id."""
        return (await self.post(MessageType.CONFIRMATION_REQUESTED, papers.body(route), agreement)).about

    async def transfer(self, case: str, to: str = "arbitration") -> str:
        """A transfer; returns its id."""
        return (await self.post(MessageType.TRANSFER_REQUESTED, papers.body("transfer", {"/to": to}), case)).about

    async def progress(self, case: str, status: str, at: str = "2026-10-09T10:00:00+08:00") -> None:
        """A step of the organisation's own."""
        changes: dict[str, Any] = {"/status": status, "/at": at}
        if status in ("accepted", "mediating", "received", "closed", "transferred"):
            changes["/reason_code"] = papers.DROP
        await self.post(MessageType.CASE_PROGRESSED, papers.body("failed", changes), case)

    async def chain(self, route: str = "arbitration") -> tuple[str, str, str]:
        """Case, agreement and confirmation."""
        case = await self.case()
        agreement = await self.agreement(case)
        return case, agreement, await self.confirmation(agreement, route)

    # ---- platforms

    def word(self, about: str, status: str, *keys: tuple[str, str, str], **more: Any) -> dict[str, Any]:
        """A word about one thing, under an event number of its own."""
        made = {
            "event": f"EV-{next(self._events)}",
            "about": about,
            "status": status,
            "keys": [list(key) for key in keys],
            "at": "2026-10-10T09:00:00+08:00",
        }
        return made | more

    async def say(self, body: dict[str, Any] | bytes, endpoint: str = HR, headers: dict[str, str] | None = None) -> int:
        """A platform calls; returns the status of our answer."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        given = tuple((WORDS if headers is None else headers).items())
        return (await self.house.receiver.receive(endpoint, "POST", "/x", "", given, raw)).status

    async def heard(self) -> None:
        """Wait until every stored call is dealt with (orphans that wait their turn aside)."""

        async def nothing_is_stored() -> bool:
            return not await self.house.store.rows("list_callbacks", "stored", "", 1)

        await until(nothing_is_stored, "every call is applied")

    async def numbered(self) -> None:
        """Wait until every event has its place in the feed."""

        async def none_is_left() -> bool:
            row = await self.house.store.row("count_unnumbered", 1)
            return row is not None and row["many"] == 0

        await until(none_is_left, "every event is numbered")

    async def tell(self, *bodies: dict[str, Any], endpoint: str = HR) -> None:
        """Say words one after the other, each applied before the next."""
        for body in bodies:
            assert await self.say(body, endpoint) == 200
            await self.heard()

    # ---- what is seen

    async def file(self, subject: str) -> CaseFile:
        """A subject's file."""
        found = await self.house.store.load(subject)
        assert found is not None
        return found

    async def status(self, matter: str) -> str:
        """A matter's status."""
        row = await self.house.store.row("matter", matter)
        assert row is not None
        return str(row["status"])

    async def history(self, subject: str, about: str | None = None) -> list[dict[str, Any]]:
        """The subject's events, oldest first: type, about and data."""
        rows = await self.house.store.rows("events_of", subject)
        return [
            {"type": row["type"], "about": row["about"], **orjson.loads(row["data"])}
            for row in rows
            if about in (None, row["about"])
        ]

    async def said(self, subject: str, about: str | None = None, endpoint: str = HR) -> list[dict[str, Any]]:
        """What an endpoint's words left in the subject's history."""
        ours = ("delivery.", "task.", "clock.", "endpoint.")
        events = await self.history(subject, about)
        return [one for one in events if one.get("endpoint") == endpoint and not one["type"].startswith(ours)]

    async def types(self, subject: str, about: str | None = None) -> list[str]:
        """The types of the subject's events."""
        return [event["type"] for event in await self.history(subject, about)]

    async def tasks(self, kind: str = "") -> list[Any]:
        """Open tasks."""
        return await self.house.store.rows("list_tasks", "open", kind, "", 1000)

    async def callbacks(self, state: str) -> list[Any]:
        """Stored calls in a state."""
        return await self.house.store.rows("list_callbacks", state, "", 1000)

    async def delivered(self, subject: str, *types: str, endpoint: str | None = None) -> None:
        """Wait until every delivery of the subject (of these types, at this endpoint) is over."""

        async def all_over() -> bool:
            return not [
                row
                for row in (await self.file(subject)).deliveries
                if row.state in ("pending",)
                and (not types or row.type in types)
                and (endpoint is None or row.endpoint == endpoint)
            ]

        await until(all_over, f"deliveries of {subject} are over")


HELD = (HR, ONE_STOP)
"""Where a plain case lives."""
