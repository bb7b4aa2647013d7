"""用户: who may sign in, with which role; made, changed and given a new password by administrators; in 三员分立 by two."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from gateway.flow.moving.acts import ActRefused
from gateway.security.data_scope import EVERYTHING, kept_scope
from gateway.security.passwords import make_password
from gateway.web.console.desk import Page, Visit

_LONGEST_SCOPE: Final = 4_000


async def users(visit: Visit) -> Response:
    """The list."""
    return await _list(visit)


async def _list(
    visit: Visit, status: int = 200, problem: str | None = None, fresh: Any = None, scope: str = ""
) -> Response:
    rows = await visit.desk.hands.accounts.listed()
    return visit.render(
        "users.html",
        status,
        rows=rows,
        problem=problem,
        fresh=fresh,
        done=visit.query.get("done", ""),
        unseen=await visit.desk.names.unseen(kept_scope(scope or visit.query.get("scope", "")).organizations),
        added=visit.kept(visit.path("users")),
    )


async def _again(visit: Visit, refusal: ActRefused) -> Response:
    return await _list(visit, refusal.status, problem=refusal.text)


async def add(visit: Visit) -> Response:
    """A new user with a password that is shown once."""
    name, title, role = visit.form.text("name", 32), visit.form.text("title", 60), visit.form.text("role", 32)
    scope = visit.form.text("scope", _LONGEST_SCOPE) if visit.form.has("scope") else EVERYTHING
    password = make_password(name)
    await visit.desk.hands.accounts.add(visit.actor, name, title, role, password, scope=scope)
    await _granted_apart(visit, name)
    return await _list(visit, fresh={"name": name, "password": password}, scope=scope)


async def change(visit: Visit) -> Response:
    """Another title, role or standing."""
    name = visit.request.path_params["name"]
    enabled = visit.form.text("enabled") == "yes"
    scope = visit.form.text("scope", _LONGEST_SCOPE) if visit.form.has("scope") else None
    await visit.desk.hands.accounts.change(
        visit.actor, name, visit.form.text("title", 60), visit.form.text("role", 32), enabled=enabled, scope=scope
    )
    return visit.to("users", done="change", scope="" if scope == EVERYTHING else scope)


async def reset(visit: Visit) -> Response:
    """A new password, shown once, to be changed at the next sign-in."""
    name = visit.request.path_params["name"]
    password = make_password(name)
    await visit.desk.hands.accounts.set_password(visit.actor, name, password, must_change=True)
    await _granted_apart(visit, name)
    return await _list(visit, fresh={"name": name, "password": password})


async def drop_second(visit: Visit) -> Response:
    """For somebody who has lost the second factor."""
    name = visit.request.path_params["name"]
    await visit.desk.hands.accounts.drop_second(visit.actor, name)
    await _granted_apart(visit, name)
    return visit.to("users", done="change")


async def _granted_apart(visit: Visit, name: str) -> None:
    """Whoever may not grant hands out no account that is open: the one who may enables it."""
    if not visit.may("grants"):
        await visit.desk.hands.accounts.disable(visit.actor, name)


PAGES = (
    Page("/users", users, "users"),
    Page("/users", add, "enrol", "POST", again=_again),
    Page("/users/{name:str}", change, "grants", "POST", again=_again),
    Page("/users/{name:str}/password", reset, "enrol", "POST", again=_again),
    Page("/users/{name:str}/second", drop_second, "enrol", "POST", again=_again),
)
