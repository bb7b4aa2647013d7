"""Signing in and out, the own password, the language."""

from __future__ import annotations

import math

from starlette.responses import Response

from gateway.flow.moving.acts import ActRefused
from gateway.security import totp
from gateway.security.data_scope import scope_text
from gateway.security.passwords import SHORTEST, TooBusy
from gateway.web.console import tasks
from gateway.web.console.desk import LANGUAGE_COOKIE, Page, Visit


async def login_page(visit: Visit) -> Response:
    """The form; who is signed in goes on."""
    if visit.person is not None:
        return visit.to("")
    lost = visit.query.get("lost") == "1"
    return visit.render("login.html", next=visit.query.get("next", "")[:2000], name="", problem=None, lost=lost)


async def login(visit: Visit) -> Response:
    """Check name and password; the answer to a wrong one is the same for every cause."""
    name, after = _asked(visit)
    wait = visit.desk.throttle.wait_s(_address(visit))
    if wait > 0:
        return _refused(visit, 429, visit.t("login.wait", minutes=math.ceil(wait / 60)), name, after, wait)
    try:
        token = await visit.desk.hands.accounts.sign_in(
            name, visit.form.secret("password"), visit.form.text("code", 12)
        )
    except TooBusy:
        return _refused(visit, 503, visit.t("login.busy"), name, after, 5)
    response = _go(visit, after) if after else await _first(visit, token)
    response.set_cookie(
        visit.desk.cookie(visit.request),
        token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=visit.desk.secure(visit.request),
    )
    return response


async def _not_in(visit: Visit, refusal: ActRefused) -> Response:
    name, after = _asked(visit)
    if refusal.why == "account.code":
        return _refused(visit, 401, visit.t("login.code_wanted"), name, after)
    visit.desk.throttle.failed(_address(visit))
    if refusal.why == "account.locked":
        problem = visit.t("login.wait", minutes=math.ceil(refusal.wait_s / 60))
        return _refused(visit, 429, problem, name, after, refusal.wait_s)
    return _refused(visit, 401, visit.t("login.wrong"), name, after)


def _asked(visit: Visit) -> tuple[str, str]:
    """Who asks, and where he wanted to go."""
    return visit.form.text("name", 64).lower(), visit.form.text("next", 2000)


def _address(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client is not None else ""


async def _first(visit: Visit, token: str) -> Response:
    """The first page: the own open tasks (我的待办) of whoever has some, else the overview."""
    person = await visit.desk.hands.accounts.person(token, active=True)
    if person is not None and person.may("tasks") and await tasks.has_own(visit.desk.store, person.name):
        return visit.to("tasks", mine="1")
    return visit.to("")


def _go(visit: Visit, after: str) -> Response:
    response = visit.to("")
    response.headers["location"] = visit.back(f"{visit.root}/{after}")
    return response


def _refused(visit: Visit, status: int, problem: str, name: str, after: str, wait: float = 0) -> Response:
    response = visit.render("login.html", status, next=after, name=name, problem=problem, lost=False)
    if wait:
        response.headers["Retry-After"] = str(math.ceil(wait))
    return response


async def logout(visit: Visit) -> Response:
    """End the session."""
    await visit.desk.hands.accounts.sign_out(visit.token)
    response = visit.to("login")
    response.delete_cookie(visit.desk.cookie(visit.request), path="/", secure=visit.desk.secure(visit.request))
    return response


async def account(visit: Visit) -> Response:
    """Who I am, what I may, my password."""
    return await _account(visit)


async def _account(
    visit: Visit, status: int = 200, problem: str | None = None, secret: bytes | None = None
) -> Response:
    """The page; ``secret`` is offered to the authenticator until it is proven by a code."""
    name = visit.person.name if visit.person is not None else ""
    offered = secret or totp.make_secret()
    text = totp.as_text(offered)
    return visit.render(
        "account.html",
        status,
        problem=problem,
        done=visit.query.get("done", ""),
        shortest=SHORTEST,
        scope="" if visit.person is None else scope_text(visit.person.scope),
        second=await visit.desk.hands.accounts.has_second(name),
        secret=text,
        groups=" ".join(text[place : place + 4] for place in range(0, len(text), 4)),
        address=totp.address(offered, visit.t("product"), name),
    )


async def second(visit: Visit) -> Response:
    """A second factor from now on."""
    secret = totp.read_text(visit.form.text("secret", 64))
    if visit.person is None or secret is None:
        return visit.to("account")
    password, code = visit.form.secret("old"), visit.form.text("code", 12)
    await visit.desk.hands.accounts.own_second(visit.person.name, password, secret, code)
    return visit.to("account", done="second")


async def _not_second(visit: Visit, refusal: ActRefused) -> Response:
    return await _account(visit, refusal.status, refusal.text, totp.read_text(visit.form.text("secret", 64)))


async def change_password(visit: Visit) -> Response:
    """A new password; the session ends and begins anew with it."""
    if visit.person is None:
        return visit.to("login")
    new = visit.form.secret("new")
    if new != visit.form.secret("again"):
        raise ActRefused("account.password_differs")
    await visit.desk.hands.accounts.own_password(visit.person.name, visit.form.secret("old"), new)
    return visit.to("login")


async def _not_changed(visit: Visit, refusal: ActRefused) -> Response:
    return await _account(visit, refusal.status, refusal.text)


async def language(visit: Visit) -> Response:
    """Choose a language and go back."""
    response = visit.to("")
    response.headers["location"] = visit.back(visit.query.get("back", ""))
    if visit.query.get("to") in ("zh", "en"):
        response.set_cookie(
            LANGUAGE_COOKIE,
            visit.query["to"],
            max_age=31_536_000,
            path="/",
            httponly=True,
            samesite="lax",
            secure=visit.desk.secure(visit.request),
        )
    return response


PAGES = (
    Page("/login", login_page, None),
    Page("/login", login, None, "POST", again=_not_in),
    Page("/language", language, None),
    Page("/logout", logout, "view", "POST", fresh=True, narrows=True),
    Page("/account", account, "view", fresh=True, narrows=True),
    Page("/account", change_password, "view", "POST", fresh=True, narrows=True, again=_not_changed),
    Page("/account/second", second, "view", "POST", narrows=True, again=_not_second),
)
