"""What all pages share, and what one request brings: who asks, in which language, how an answer is rendered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.flow.accounts import Accounts, Person, actor_of
from gateway.flow.house import House
from gateway.flow.operating.bulk import Bulk
from gateway.flow.operating.operate import Operator
from gateway.flow.operating.replay import Replayer
from gateway.flow.order import Principal
from gateway.flow.reconciling.reconciliations import Reconciliations
from gateway.security.passwords import Hasher
from gateway.security.roles import role_book
from gateway.security.sessions import Throttle, form_token
from gateway.texts import console_text, console_texts
from gateway.web.console import assets, words
from gateway.web.console.forms import FORM_FIELD, Form
from gateway.web.console.live import Pulse
from gateway.web.console.names import Names

LANGUAGE_COOKIE: Final = "gw_language"


def _environment(mode: str) -> Environment:
    made = Environment(
        loader=PackageLoader("gateway.web.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["fit"] = words.fit
    made.filters["yuan"] = words.yuan
    made.filters["halves"] = words.halves
    made.globals |= {
        "title": words.title,
        "signs": words.SIGNS,
        "full_time": words.full_time,
        "short_time": words.short_time,
        "clock_time": words.clock_time,
        "local_input": words.local_input,
        "span": words.span,
        "day_end": words.day_end,
        "short_day": words.short_day,
        "roles": role_book(mode),
        "token_field": FORM_FIELD,
    }
    return made


class Desk:
    """What all pages share."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.application: FastAPI | None = None
        """What the console is mounted on; it describes its own API."""
        self.store = house.store
        self.hasher = Hasher()
        own = house.settings.console
        self.accounts = Accounts(house.store, self.hasher, own.idle_minutes * 60, own.session_hours * 3600, own.roles)
        self.operator = Operator(house.store, house.bells.committed)
        self.reconciliations = Reconciliations(house.store, house.endpoints, house.bells.committed)
        self.bulk = Bulk(house.store, house.endpoints, house.bells.committed, house.lines)
        self.replayer = Replayer(house.store, house.lines, house.bells.committed)
        self.names = Names(house)
        self.throttle = Throttle()
        self.counting = asyncio.Semaphore(2)
        """Statistics that are counted at the same time; others wait their turn."""
        self.pulse = Pulse(house)
        self.templates = _environment(own.roles)
        self.narrowed: frozenset[str] = frozenset()
        """The places of the pages that narrow what they show to a person's data scope."""

    def close(self) -> None:
        """Let streams end and the hashing threads go."""
        self.pulse.end()
        self.hasher.close()

    def secure(self, request: Request) -> bool:
        """Whether browsers reach us by https."""
        return request.url.scheme == "https" or self.house.settings.public_base.startswith("https:")

    def cookie(self, request: Request) -> str:
        """The session cookie's name: bound to this host where https allows it."""
        return "__Host-gw_session" if self.secure(request) else "gw_session"

    async def visit(self, request: Request) -> Visit:
        """The request with who asks. What a page fetches by itself does not count as a person's act."""
        token = request.cookies.get(self.cookie(request), "")
        quiet = "x-fragment" in request.headers or request.headers.get("accept", "") == "text/event-stream"
        person = await self.accounts.person(token, active=not quiet) if token else None
        reach = frozenset[str]() if person is None else await self.names.reach(person.scope)
        return Visit(self, request, _language(request), person, token, reach)


def _language(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("zh", "en"):
        return chosen
    first = request.headers.get("accept-language", "zh").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


@dataclass(slots=True)
class Visit:
    """One request."""

    desk: Desk
    request: Request
    language: str
    person: Person | None
    token: str
    reach: frozenset[str] | None = frozenset()
    """The organisations whose things the person may see (数据范围); ``None``: everybody's."""
    form: Form = field(default_factory=lambda: Form([]))

    @property
    def chinese(self) -> bool:
        """Whether the page is in Chinese."""
        return self.language == "zh"

    @property
    def root(self) -> str:
        """Where the console lies, with every prefix that a proxy put before it."""
        root: str = self.request.scope.get("root_path", "")
        return root

    @property
    def now(self) -> int:
        """The store's clock in ms."""
        return self.desk.store.now_ms()

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters, the last of each name."""
        return self.request.query_params

    @property
    def actor(self) -> str:
        """How the person stands in the audit trail."""
        return actor_of(self.person.name) if self.person is not None else ""

    @property
    def principal(self) -> Principal:
        """The person as a caller of the engine's verbs."""
        return Principal(self.actor, frozenset({"*"}) if self.reach is None else self.reach, frozenset())

    @property
    def scoped(self) -> bool:
        """Whether the person may see some organisations' things alone."""
        return self.reach is not None

    def within(self, organization: str | None) -> bool:
        """Whether the person may see what is of this organisation."""
        return self.reach is None or organization in self.reach

    def sees(self, place: str) -> bool:
        """Whether the page at a place is for this person, as far as the data scope goes."""
        return self.reach is None or place in self.desk.narrowed

    def may(self, permission: str) -> bool:
        """Whether the person holds the permission."""
        return self.person is not None and self.person.may(permission)

    def t(self, key: str, **values: object) -> str:
        """A text of the catalogue."""
        return console_text(key, self.language, **values)

    def known(self, key: str) -> bool:
        """Whether the catalogue has a text of that key."""
        return key in console_texts()

    def cause(self, code: str | None) -> str:
        """What a failure's code means, the code itself where only the platform knows."""
        if not code:
            return ""
        known = self.words_of("cause", code)
        return known if known is not None else self.t("cause_unknown", code=code)

    def advice(self, code: str | None, state: str) -> str:
        """What helps against a cause."""
        return self.words_of("advice", code or "") or self.t(f"advice_state.{state}")

    def words_of(self, group: str, name: str) -> str | None:
        """A text of a group, ``None`` where the catalogue has none of that name."""
        key = f"{group}.{name.partition(':')[0]}"
        return self.t(key) if self.known(key) else None

    def say(self, group: str, name: str) -> str:
        """A text of a group for a word that comes from data; the word itself where the catalogue does not have it."""
        return self.words_of(group, name.replace(".", "_")) or name

    def type_title(self, kind: str) -> str:
        """A message type's title."""
        return self.title("type", kind)

    def platform(self, endpoint: str | None) -> str:
        """A platform's short name."""
        return self.desk.names.platform(endpoint, self.language) if endpoint else ""

    def title(self, listed: str, value: str | None) -> str:
        """The title of a closed list's value."""
        return words.title(listed, value, self.chinese)

    def who(self, actor: str | None) -> str:
        """An actor of the audit trail without its prefix."""
        return (actor or "").removeprefix("user:")

    def path(self, place: str = "", **query: object) -> str:
        """An address of the console; what is empty is left out of the query."""
        given = [(name, str(value)) for name, value in query.items() if value not in (None, "", False)]
        return f"{self.root}/{place}" + (f"?{urlencode(given)}" if given else "")

    def static(self, name: str) -> str:
        """The address of one of our files."""
        return f"{self.root}/{assets.address(name)}"

    def form_token(self) -> str:
        """What every form of this session carries."""
        return form_token(self.token) if self.token else ""

    def to(self, place: str, **query: object) -> Response:
        """Go on to another page, after something was done."""
        return RedirectResponse(self.path(place, **query), 303)

    def back(self, given: str, otherwise: str = "") -> str:
        """An address of the console that a form or query named, or another one: never one outside."""
        inside = given.startswith(f"{self.root}/") and not any(c in given for c in "\\\r\n\t") and ".." not in given
        return given if inside else self.path(otherwise)

    def render(self, template: str, status: int = 200, /, **values: Any) -> Response:
        """A page; where the page asked for regions of itself, only those, as JSON."""
        found = self.desk.templates.get_template(template)
        context = {**_shared(self), **values}
        wanted = self.request.headers.get("x-fragment")
        if wanted is None:
            return HTMLResponse(found.render(context), status)
        page = found.render(context)
        regions = {name: _region(page, name) for name in wanted.split(",")[:20] if f"<!--[{name}]-->" in page}
        body = orjson.dumps(regions)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.request.headers.get("if-none-match") == tag:
            return Response(None, 304, {"ETag": tag})
        return Response(body, 200, {"ETag": tag}, "application/json")


def _region(page: str, name: str) -> str:
    """What stands between a region's marks."""
    return page.partition(f"<!--[{name}]-->")[2].partition(f"<!--[/{name}]-->")[0]


def _shared(visit: Visit) -> dict[str, Any]:
    return {
        "v": visit,
        "t": visit.t,
        "path": visit.path,
        "person": visit.person,
        "now": visit.now,
        "demo": visit.desk.house.settings.env == "demo",
        "here": visit.request.url.path.removeprefix(visit.root).lstrip("/").partition("/")[0],
    }


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One route. ``permission``: what the person's role must hold; ``None``: everybody, signed in or not. ``fresh``: also
    for somebody who must first choose a password. ``narrows``: it shows and does nothing beyond the person's data scope;
    others are closed to accounts that have one."""

    path: str
    handler: Handler
    permission: str | None
    method: str = "GET"
    fresh: bool = False
    narrows: bool = False
