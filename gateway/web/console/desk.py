"""What all pages share, and what one request brings: who asks, in which language, how an answer is rendered."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.flow.house import House
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.order import Principal
from gateway.flow.registering.accounts import Person, actor_of
from gateway.security.field_classes import covered
from gateway.security.roles import role_book
from gateway.security.sessions import Throttle, form_token
from gateway.texts import console_text, console_texts
from gateway.web.accepts import language
from gateway.web.console import assets, words
from gateway.web.console.badges import MOST, Badges
from gateway.web.console.forms import FORM_FIELD, Form
from gateway.web.console.live import Pulse
from gateway.web.console.names import Names
from gateway.web.console.places import Places

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
        "clock_seconds": words.clock_seconds,
        "local_input": words.local_input,
        "within": words.within,
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
        self.hands = house.hands
        self.names = Names(house)
        self.throttle = Throttle()
        self.counting = asyncio.Semaphore(2)
        """Statistics that are counted at the same time; others wait their turn."""
        self.pulse = Pulse(house)
        self.badges = Badges(house)
        self.templates = _environment(house.settings.console.roles)
        self.places = Places(())
        self.narrowed: frozenset[str] = frozenset()
        """The places of the pages that narrow what they show to a person's data scope."""

    def close(self) -> None:
        """Let streams end."""
        self.pulse.end()

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
        person = await self.hands.accounts.person(token, active=not quiet) if token else None
        reach = frozenset[str]() if person is None else await self.names.reach(person.scope)
        people = {} if person is None else await self.names.people()
        return Visit(self, request, _language(request), person, token, reach, people)


def _language(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("zh", "en"):
        return chosen
    return language(request)


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
    people: Mapping[str, str] = field(default_factory=dict)
    """What the users are called, by their names."""
    badges: Mapping[str, int] = field(default_factory=dict)
    """What waits for a person, by place of the menu."""
    form: Form = field(default_factory=lambda: Form([]))
    page: Page | None = None
    """The route that was taken; ``None``: there is none."""
    wrong: str = "reason"
    """The field of a form that must be put right."""
    told: bool = False
    """Whether the form that came back says itself what is wrong."""

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
    def here(self) -> str:
        """The address of what is shown: where this page was made by a form, that of the page the form belongs to."""
        path = self.request.url.path.removeprefix(self.root)
        if self.page is not None and self.request.method == "POST":
            return self.path(self.desk.places.home(self.page.path, path))
        query = self.request.url.query
        return self.path(path.lstrip("/")) + (f"?{query}" if query else "")

    @property
    def place(self) -> str:
        """The menu's page that the address lies below; empty where the menu has none."""
        first = self.request.url.path.removeprefix(self.root).lstrip("/").partition("/")[0]
        below = {"deliveries": "messages", "callbacks": "waiting", "reconciliations": "waiting"}.get(first, first)
        return below if self.known(f"nav.{below}") and self.sees(below) else ""

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

    @property
    def badge_most(self) -> int:
        """What a badge counts to."""
        return MOST

    def badge(self, place: str) -> str:
        """What stands beside the menu's word: a count, ``99+``, or nothing."""
        many = self.badges.get(place, 0)
        return f"{MOST}+" if many > MOST else str(many) if many else ""

    def may(self, permission: str) -> bool:
        """Whether the person holds the permission."""
        return self.person is not None and self.person.may(permission)

    def t(self, key: str, **values: object) -> str:
        """A text of the catalogue."""
        return console_text(key, self.language, **values)

    @property
    def colon(self) -> str:
        """What stands between a name and its value."""
        return "：" if self.chinese else ": "

    def seen(self, text: str) -> str:
        """A value as a redactor left it, in words where it is covered."""
        if text == covered(""):
            return self.t("covered")
        return self.t("folded", n=text[1:-1]) if text.startswith("[") else text

    def known(self, key: str) -> bool:
        """Whether the catalogue has a text of that key."""
        return key in console_texts()

    def cause(self, code: str | None) -> str:
        """What a failure's code means, the code itself where only the platform knows."""
        if not code:
            return ""
        known = self.words_of("cause", code)
        if known is not None:
            return known
        answer = _HTTP.fullmatch(code)
        if answer is not None:
            return self.t("cause_http.refused" if answer[1] < "500" else "cause_http.failed", status=answer[1])
        return self.t("cause_unknown", code=code)

    def paused(self, actor: str | None, reason: str | None) -> str:
        """Who paused a platform and why; what the gateway did by itself it did for a cause."""
        if actor in _ITSELF:
            return self.t("platform.paused_itself", reason=self.cause(reason))
        return self.t("platform.paused", who=self.who(actor), reason=reason or "")

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
        """An actor of the audit trail as people know it: a person's title, the gateway, the command line."""
        name = (actor or "").removeprefix("user:")
        return self.people.get(name) or self.words_of("actor", name) or name

    def standing(self, word: str | None) -> str:
        """A status of whatever list has it, ours or a platform's, by its title; other words as they are."""
        for listed in ("delivery", "case", "confirmation", "transfer", "referral", "fulfilment"):
            if word and (found := self.title(listed, word)) != word:
                return found
        return word or ""

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

    def kept(self, action: str, name: str = "") -> Kept:
        """What was typed into the form of this action and name, where it is the one that was just sent."""
        sent = self.request.method == "POST" and self.request.url.path == action
        opened = sent and self.form.text("form", 64) in ("", name)
        self.told = self.told or opened
        return Kept(self.form, opened, self.wrong)

    def problem_text(self, problem: str) -> str:
        """What is wrong: a text of the catalogue by its key or code, else the sentence itself."""
        if self.known(problem):
            return self.t(problem)
        if self.known(f"problem.{problem}"):
            return self.t(f"problem.{problem}")
        return self.t(f"error.{problem}") if self.known(f"error.{problem}") else problem

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
        page = found.render(context)
        if wanted is None:
            return HTMLResponse(_without(page, "problem") if self.told else page, status)
        regions = {name: _region(page, name) for name in wanted.split(",")[:20] if f"<!--[{name}]-->" in page}
        body = orjson.dumps(regions)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.request.headers.get("if-none-match") == tag:
            return Response(None, 304, {"ETag": tag})
        return Response(body, 200, {"ETag": tag}, "application/json")


def _region(page: str, name: str) -> str:
    """What stands between a region's marks."""
    return page.partition(f"<!--[{name}]-->")[2].partition(f"<!--[/{name}]-->")[0]


def _without(page: str, name: str) -> str:
    """The page without a region."""
    before, _, rest = page.partition(f"<!--[{name}]-->")
    return before + rest.partition(f"<!--[/{name}]-->")[2] if rest else page


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


@dataclass(frozen=True, slots=True)
class Kept:
    """What somebody typed into a form that comes back to be put right; of a form that was not sent nothing."""

    form: Form
    open: bool
    wrong: str

    def __getitem__(self, name: str) -> str:
        return self.form.text(name, 5_000) if self.open else ""

    def all(self, name: str) -> list[str]:
        """The values of a repeated field."""
        return self.form.all(name) if self.open else []

    def at(self, name: str) -> Markup:
        """The attributes of a field: the cursor stands in the one that is wrong."""
        return _HERE if self.open and name == self.wrong else Markup()


_HERE: Final = Markup(' autofocus aria-invalid="true"')

_HTTP: Final = re.compile(r"http_([45]\d\d)")
_ITSELF: Final = ("gateway", "platform")
"""Actors who pause a platform without a person."""

Handler = Callable[[Visit], Awaitable[Response]]
Again = Callable[[Visit, ActRefused], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One route. ``permission``: what the person's role must hold; ``None``: everybody, signed in or not. ``fresh``: also
    for somebody who must first choose a password. ``narrows``: it shows and does nothing beyond the person's data scope;
    others are closed to accounts that have one. ``again``: shows the form of an act that was refused; without, a page of its
    own says why not."""

    path: str
    handler: Handler
    permission: str | None
    method: str = "GET"
    fresh: bool = False
    narrows: bool = False
    again: Again | None = None
