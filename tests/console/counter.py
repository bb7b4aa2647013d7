"""The console as people use it without a script: they sign in, read pages, send forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from contracts.errors import PermanentError, Reason, RetryableError
from contracts.messages import COURT, HR, UNION
from gateway.flow.moving.order import Principal
from gateway.flow.reconciling.reconciliations import Reconciliations
from gateway.flow.registering.accounts import Accounts
from gateway.security.passwords import Hasher
from gateway.security.roles import role_book
from gateway.security.sessions import form_token
from gateway.store.lists import list_deliveries
from tests.flow.stage import until
from tests.web.site import Site

BASE = "http://gateway.test"
PASSWORDS = {role: f"Rather-long-{number}-words" for number, role in enumerate(sorted(role_book().roles))}
PLATFORM_TEXT = "重复：王建国（37010219900307123X）已登记"
"""A refusal that quotes what it should not."""


def name_of(role: str) -> str:
    """The user of a role."""
    return f"{role[:4]}01"


@dataclass
class Visitor:
    """Somebody at the counter."""

    http: httpx.AsyncClient

    @property
    def token(self) -> str:
        """The session's token."""
        return self.http.cookies.get("gw_session") or ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return await self.http.get(f"/console/{path}", headers=headers)

    async def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """A form, as a page of ours sends it."""
        sent = {"form_token": form_token(self.token), **(fields or {})}
        return await self.http.post(f"/console/{path}", data=sent, headers={"Origin": BASE, **headers})

    async def sign_in(self, name: str, password: str, **fields: str) -> httpx.Response:
        """The form of the front page."""
        sent = {"name": name, "password": password, **fields}
        return await self.http.post("/console/login", data=sent, headers={"Origin": BASE})


@dataclass
class Counter:
    """A site with one visitor of each role. ``ids`` names things by what they are."""

    site: Site
    accounts: Accounts
    visitors: dict[str, Visitor] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def viewer(self) -> Visitor:
        """Who may look."""
        return self.visitors["viewer"]

    @property
    def operator(self) -> Visitor:
        """Who may act."""
        return self.visitors["operator"]

    async def stranger(self) -> Visitor:
        """Somebody who is not signed in."""
        return Visitor(await self.site.client())

    async def journey(self) -> None:
        """A case with agreement and confirmation; what the union took is in doubt, what the court got is refused, and the
        arbitration's line is tried again."""
        stage = self.site.stage
        lost = RetryableError("timeout", maybe_accepted=True)
        stage.puppet(UNION).acts["case.submitted"].append(lost)
        refusal = PermanentError("E2003", reasons=(Reason("E2003", PLATFORM_TEXT, "/sqr/0/xm"),))
        stage.puppet(COURT).acts["confirmation.requested"].append(refusal)
        collective = await self.site.case(name="collective")
        case = await self.site.case()
        agreement = await self.site.agreement(case)
        await self.site.confirmation(agreement, "judicial")
        self.ids |= {"case": case, "collective": collective, "agreement": agreement}

        async def settled() -> bool:
            store = self.site.house.store
            rejected = await store.run(list_deliveries, "rejected", "", "", 9)
            doubt = await store.run(list_deliveries, "in_doubt", "", "", 9)
            if rejected and doubt:
                self.ids |= {"rejected": rejected[0]["id"], "doubt": doubt[0]["id"], "message": rejected[0]["message"]}
            tasks = await store.rows("list_tasks", "open", "rejected", "", 9)
            if tasks:
                self.ids["task"] = tasks[0]["id"]
            delivered = await store.run(list_deliveries, "delivered", HR, "", 9)
            if delivered:
                self.ids["delivered"] = delivered[0]["id"]
            return bool(rejected and doubt and tasks and delivered)

        await until(settled, "the journey has its troubles")
        orphan = stage.word("confirmation", "confirmed", ("reference", "ZZ-19900307", "platform_no"))
        await stage.say(orphan, HR)
        calls = await self.site.house.store.rows("newest_callbacks", "stored", "zzz", 9)
        calls = calls or await self.site.house.store.rows("newest_callbacks", "orphan", "zzz", 9)
        self.ids["callback"] = calls[0]["id"]
        await self.reconciled()

    async def reconciled(self, endpoint: str = HR) -> str:
        """Compare today with what a platform holds; returns the reconciliation's id."""
        house = self.site.house
        desk = Reconciliations(house.store, house.endpoints, house.bells.committed)
        now = house.store.now_ms()
        identifier = await desk.ask(Principal("op", frozenset({"*"}), frozenset()), endpoint, now - 86_400_000, now)

        async def done() -> bool:
            row = await house.store.row("reconciliation", identifier)
            return row is not None and row["state"] == "done"

        await until(done, "the reconciliation is done")
        self.ids["reconciliation"] = identifier
        return identifier

    async def tallied(self) -> None:
        """Wait until the figures know of everything that is numbered."""

        async def done() -> bool:
            store = self.site.house.store
            mark = await store.row("read_mark", "tally")
            log = await store.row("log_position")
            return mark is not None and log is not None and mark["position"] == log["position"] > 0

        await until(done, "everything is counted")

    def addresses(self) -> list[str]:
        """Every page that can be read, with real ids in it."""
        ids = self.ids
        return [
            *("", "wall", "messages", "messages/newer", "cases", "failures", "platforms", "waiting", "tasks", "audit"),
            *("jobs", "ledger", "ledger/export.csv", "ledger?figure=A01", "alerts", "clients", "adapters", "users"),
            *(
                "health",
                "search",
                "account",
                "messages?state=failed",
                "messages?q=platform:court_mediation",
                "nothing-here",
            ),
            *(f"waiting?kind={kind}" for kind in ("stored", "orphan", "unreadable", "duplicate", "applied")),
            *(f"deliveries/{ids[name]}" for name in ("rejected", "doubt", "delivered")),
            *(f"cases/{ids[name]}" for name in ("case", "collective", "agreement")),
            *(f"messages/{ids['message']}", f"tasks/{ids['task']}", f"callbacks/{ids['callback']}"),
            f"reconciliations/{ids['reconciliation']}",
            *(f"platforms/{name}" for name in sorted(self.site.house.endpoints)),
            *(
                "statistics",
                "statistics?from=2026-01-01&to=2026-12-31",
                "statistics?period=1999Q1",
                "statistics/export.csv",
            ),
            *("audit/export.csv", "codes", "api", "api?call=post+/v1/cases", "api?schema=Case", "api?errors=all"),
            *("search?q=00001", "search?q=370102-LX001-2026-00001"),
        ]


@asynccontextmanager
async def open_counter(site: Site) -> AsyncIterator[Counter]:
    """A counter with everybody signed in."""
    hasher = Hasher()
    accounts = Accounts(site.house.store, hasher)
    made = Counter(site, accounts)
    for role, password in PASSWORDS.items():
        await accounts.add("cli", name_of(role), f"{role} 甲", role, password, must_change=False)
        visitor = await made.stranger()
        answer = await visitor.sign_in(name_of(role), password)
        assert answer.status_code == 303, answer.text
        made.visitors[role] = visitor
    try:
        yield made
    finally:
        hasher.close()
        site.application.framework.state.desk.close()


def links(html: str) -> set[str]:
    """Every address that a page names."""
    return set(re.findall(r"""(?:href|src|action|data-stream|data-ask)="([^"]*)\"""", html))
