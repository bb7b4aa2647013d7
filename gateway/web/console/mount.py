"""Puts the console together: its pages with their permissions, its files, its refusals; mounted below ``/console``."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.flow.house import House
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.order import Refused
from gateway.security.passwords import TooBusy
from gateway.web.console import (
    adapters,
    alerts,
    api,
    assets,
    audit,
    callbacks,
    cases,
    clients,
    clock_acts,
    codes,
    corrections,
    failures,
    health,
    jobs,
    ledger,
    message,
    messages,
    overview,
    platforms,
    reconciliations,
    search,
    sign_in,
    statistics,
    stream,
    tasks,
    users,
    views,
    waiting,
)
from gateway.web.console.desk import Desk, Page, Visit
from gateway.web.console.forms import check_token, read_form
from gateway.web.console.headers import Headers
from gateway.web.console.places import Places
from gateway.web.console.reach import admit

log = structlog.get_logger("gateway.console")

PAGES: Final[tuple[Page, ...]] = (
    *sign_in.PAGES,
    *overview.PAGES,
    *messages.PAGES,
    *corrections.PAGES,
    *message.PAGES,
    *views.PAGES,
    *cases.PAGES,
    *clock_acts.PAGES,
    *failures.PAGES,
    *platforms.PAGES,
    *waiting.PAGES,
    *reconciliations.PAGES,
    *callbacks.PAGES,
    *tasks.PAGES,
    *jobs.PAGES,
    *ledger.PAGES,
    *statistics.PAGES,
    *alerts.PAGES,
    *clients.PAGES,
    *adapters.PAGES,
    *codes.PAGES,
    *api.PAGES,
    *audit.PAGES,
    *health.PAGES,
    *search.PAGES,
    *users.PAGES,
    *stream.PAGES,
)
"""Every route of the console but its files. The matrix of roles and routes is tested over this table."""


def mount(application: FastAPI, house: House) -> None:
    """Mount the console below ``/console``, and lead there from the root."""
    desk = Desk(house)
    application.state.desk = desk
    desk.application = application
    application.mount("/console", console(desk), name="console")

    @application.get("/console", include_in_schema=False)
    @application.get("/", include_in_schema=False)
    async def root(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/console/", 303)


def console(desk: Desk) -> Starlette:
    """The console's application."""
    desk.places = Places(page.path for page in PAGES if page.method == "GET")
    desk.narrowed = frozenset(page.path.strip("/") for page in PAGES if page.narrows and page.method == "GET")

    async def asset(request: Request) -> Response:
        packed = "gzip" in request.headers.get("accept-encoding", "")
        return assets.serve(request.path_params["digest"], request.path_params["name"], packed=packed)

    routes = [Route("/static/{digest}/{name}", asset)]
    for page in PAGES:
        routes.append(Route(page.path, _handler(desk, page), methods=[page.method]))
        if desk.places.acts(page.path):
            routes.append(Route(page.path, _lead(desk.places, page.path), methods=["GET"]))
    made = Starlette(
        routes=routes,
        middleware=[Middleware(Headers)],
        exception_handlers={HTTPException: _on_http(desk)},
    )
    made.router.redirect_slashes = False  # it would lead to whatever host the request names
    return made


def _handler(desk: Desk, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        visit = await desk.visit(request)
        visit.page = page
        try:
            return await _acted(visit, page)
        except Refused as refusal:
            return failed(visit, refusal.status, refusal.code)
        except TooBusy:
            return failed(visit, 503, "busy")
        except sqlite3.OperationalError as error:
            log.error("store_failed", error=type(error).__name__)
            return failed(visit, 503, "unavailable")
        except Exception as error:  # told as a page of ours, with the headers of every page
            log.error("page_failed", error=type(error).__name__, route=page.path)
            return failed(visit, 500, "internal")

    return handle


def _lead(places: Places, route: str) -> Callable[[Request], Awaitable[Response]]:
    """Whoever asks for an act's address (a reload, an opened link) is led to the page that the act belongs to."""

    async def handle(request: Request) -> Response:
        root: str = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/{places.home(route, request.scope['path'].removeprefix(root))}", 303)

    return handle


async def _acted(visit: Visit, page: Page) -> Response:
    """An act that is refused comes back with its form, or is told on a page of its own."""
    try:
        return await _answer(visit, page)
    except ActRefused as refusal:
        if refusal.status == 404:
            return failed(visit, 404, "not_found")
        if page.again is None:
            return failed(visit, refusal.status, refusal.text.removeprefix("error."))
        visit.wrong = refusal.field
        return await page.again(visit, refusal)


async def _answer(visit: Visit, page: Page) -> Response:
    if page.method == "POST":
        visit.form = await read_form(visit.request, visit.desk.house.settings.public_base)
    if page.permission is None:
        return await page.handler(visit)
    if visit.person is None:
        return _to_sign_in(visit, page)
    if page.method == "POST":
        check_token(visit.form, visit.token)
    if visit.person.must_change and not page.fresh:
        return visit.to("account")
    if not visit.may(page.permission):
        return failed(visit, 403, "forbidden")
    await admit(visit, page)
    if "x-fragment" not in visit.request.headers:
        visit.badges = await visit.desk.badges.of(visit.person.scope, visit.reach)
    response = await page.handler(visit)
    if page.method == "POST":
        visit.desk.badges.forget()
    return response


def _to_sign_in(visit: Visit, page: Page) -> Response:
    if "x-fragment" in visit.request.headers or page.path == "/stream":
        return Response(None, 401)
    if visit.request.headers.get("sec-fetch-site") == "cross-site" and page.method == "GET":
        # The strict cookie is withheld from a link on another site: the same address, asked again by our own page.
        return visit.render("again.html", address=str(visit.request.url.path), query=visit.request.url.query)
    inside = visit.request.url.path.removeprefix(visit.root).lstrip("/")
    if visit.request.url.query:
        inside = f"{inside}?{visit.request.url.query}"
    if page.method == "POST":
        # Nothing was done and what was typed is gone: it is said, and the way leads back to the form.
        return visit.to("login", next=visit.desk.places.home(page.path, f"/{inside.partition('?')[0]}"), lost="1")
    return visit.to("login", next=inside)


def failed(visit: Visit, status: int, code: str) -> Response:
    """The page that says why not."""
    known = visit.known(f"error.{code}")
    key = code if known else "other"
    return visit.render("error.html", status, code=key, status=status)


def _on_http(desk: Desk) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        visit = await desk.visit(request)
        return failed(visit, status, "not_found" if status == 404 else "other")

    return handle
