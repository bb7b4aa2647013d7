"""Who may come in, what each role may do, and what a browser is told about every answer."""

from __future__ import annotations

import re

import pytest

from gateway.flow.moving.acts import ActRefused
from gateway.security.roles import role_book
from gateway.web.console.headers import POLICY
from gateway.web.console.mount import PAGES
from tests.console.counter import PASSWORDS, Counter, Visitor, links, name_of
from tests.house import Gateways

STAYS = {"/logout", "/login", "/language", "/account"}
"""Routes of everybody's own session: tried apart."""


def filled(counter: Counter, path: str) -> str:
    """A route with real ids."""
    ids = {
        "/messages/": counter.ids["message"],
        "/deliveries/": counter.ids["rejected"],
        "/cases/": counter.ids["case"],
        "/callbacks/": counter.ids["callback"],
        "/tasks/": counter.ids["task"],
        "/reconciliations/": counter.ids["reconciliation"],
        "/platforms/": "court_mediation",
        "/users/": "nobody",
    }
    for start, value in ids.items():
        if path.startswith(start):
            path = re.sub(r"\{(id|name):str\}", value, path)
    return path.replace("{act:str}", "probe" if path.startswith("/platforms") else "cancel").lstrip("/")


async def test_every_route_is_for_the_roles_of_the_table_alone(counter: Counter) -> None:
    await counter.journey()
    for page in PAGES:
        if page.path in STAYS or page.path == "/stream":
            continue
        for role, visitor in counter.visitors.items():
            path = filled(counter, page.path)
            answer = await (visitor.get(path) if page.method == "GET" else visitor.post(path))
            assert page.permission is not None
            allowed = role_book().may(role, page.permission)
            assert (answer.status_code != 403) == allowed, (role, page.method, page.path, answer.status_code)
            assert answer.status_code < 500, (role, page.method, page.path)


async def test_nobody_comes_in_without_signing_in(counter: Counter) -> None:
    await counter.journey()
    stranger = await counter.stranger()
    for page in PAGES:
        if page.permission is None:
            continue
        path = filled(counter, page.path)
        answer = await (stranger.get(path) if page.method == "GET" else stranger.post(path))
        assert answer.status_code in (303, 401), page.path
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/console/login")
    fragment = await stranger.get("", **{"X-Fragment": "flow"})
    assert fragment.status_code == 401


async def test_a_form_without_its_token_or_from_elsewhere_changes_nothing(counter: Counter) -> None:
    path = "platforms/court_mediation/pause"
    operator = counter.operator
    told = {"reason": "维护"}
    foreign = await operator.post(path, told, Origin="http://evil.test")
    blind = await operator.http.post(
        f"/console/{path}", data=told | {"form_token": ""}, headers={"Origin": "http://gateway.test"}
    )
    silent = await operator.http.post(f"/console/{path}", data=told)
    null = await operator.post(path, told, Origin="null")
    typed = await operator.http.post(f"/console/{path}", json=told, headers={"Origin": "http://gateway.test"})
    of_another = await operator.post(path, told | {"form_token": "0" * 64})
    assert [a.status_code for a in (foreign, blind, silent, null, typed, of_another)] == [403, 403, 403, 403, 415, 403]
    rows = await counter.site.house.store.rows("all_endpoints")
    assert not any(row["paused"] for row in rows)
    assert (await operator.post(path, told)).status_code == 303


async def test_every_answer_carries_the_policy_and_names_no_other_host(counter: Counter) -> None:
    await counter.journey()
    for path in counter.addresses():
        for visitor in (counter.visitors["administrator"], await counter.stranger()):
            answer = await visitor.get(path)
            assert answer.headers["content-security-policy"] == POLICY, path
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cache-control"] == "no-store"
            for link in links(answer.text):
                assert link.startswith(("/console/", "#")), (path, link)
            assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=|javascript:", answer.text), path
    assert "unsafe" not in POLICY


async def test_files_are_kept_by_content(counter: Counter) -> None:
    page = (await (await counter.stranger()).get("login")).text
    found = [link for link in links(page) if "/static/" in link]
    assert {link.rpartition(".")[2] for link in found} == {"css", "js", "svg"}
    for link in found:
        answer = await counter.viewer.http.get(link)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert (await counter.viewer.http.get(re.sub(r"/[0-9a-f]{16}/", "/0000000000000000/", link))).status_code == 404


async def test_the_session_is_a_strict_cookie_that_signing_out_ends(counter: Counter) -> None:
    visitor = await counter.stranger()
    answer = await visitor.sign_in(name_of("viewer"), PASSWORDS["viewer"], next="messages?state=dead")
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert answer.headers["location"] == "/console/messages?state=dead"
    token = visitor.token
    assert (await visitor.get("")).status_code == 200
    assert (await visitor.post("logout")).status_code == 303
    visitor.http.cookies.set("gw_session", token)
    assert (await visitor.get("")).status_code == 303


async def test_behind_https_the_cookie_is_bound_to_the_host(counter: Counter) -> None:
    visitor = Visitor(await counter.site.client())
    visitor.http.base_url = "https://gateway.test"
    fields = {"name": name_of("viewer"), "password": PASSWORDS["viewer"]}
    answer = await visitor.http.post("/console/login", data=fields, headers={"Origin": "https://gateway.test"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-gw_session=")
    assert "Secure" in cookie


@pytest.mark.parametrize(
    "after", ["//evil.test", "https://evil.test/", "/\\evil.test", "../../v1/cases", "%2F%2Fevil.test"]
)
async def test_no_address_leads_outside(counter: Counter, after: str) -> None:
    visitor = await counter.stranger()
    answer = await visitor.sign_in(name_of("viewer"), PASSWORDS["viewer"], next=after)
    assert answer.headers["location"].startswith("/console/")
    assert ".." not in answer.headers["location"]
    chosen = await visitor.http.get("/console/language", params={"to": "en", "back": after})
    assert chosen.headers["location"] == "/console/"


async def test_guessing_a_password_locks_the_account_and_tells_nothing(counter: Counter) -> None:
    visitor = await counter.stranger()
    known = [await visitor.sign_in(name_of("viewer"), f"guess number {n}") for n in range(6)]
    unknown = [await visitor.sign_in("nobody99", f"guess number {n}") for n in range(6)]
    assert [answer.status_code for answer in known] == [401] * 5 + [429]
    varying = r'value="[a-z0-9]*"|\d\d:\d\d:\d\d'
    for ours, nobodys in zip(known, unknown, strict=True):
        assert nobodys.status_code == ours.status_code
        assert re.sub(varying, "", nobodys.text) == re.sub(varying, "", ours.text)
    assert (await visitor.sign_in(name_of("viewer"), PASSWORDS["viewer"])).status_code == 429
    row = await counter.site.house.store.row("find_user", name_of("viewer"))
    assert row is not None
    assert row["failures"] == 5


async def test_one_address_may_not_guess_for_ever(counter: Counter) -> None:
    visitor = await counter.stranger()
    answers = [await visitor.sign_in(f"nobody{n:02}", "guess") for n in range(25)]
    assert [answer.status_code for answer in answers].count(401) == 20
    assert {answer.status_code for answer in answers[20:]} == {429}
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_first_password_must_be_changed_before_anything_else(counter: Counter) -> None:
    await counter.accounts.add("cli", "fresh01", "新人", "operator", "First-password-11")
    visitor = await counter.stranger()
    await visitor.sign_in("fresh01", "First-password-11")
    assert (await visitor.get("messages")).headers["location"] == "/console/account"
    weak = await visitor.post("account", {"old": "First-password-11", "new": "short", "again": "short"})
    assert weak.status_code == 422
    wrong = await visitor.post("account", {"old": "wrong", "new": "Second-password-22", "again": "Second-password-22"})
    assert wrong.status_code == 422
    new = {"old": "First-password-11", "new": "Second-password-22", "again": "Second-password-22"}
    assert (await visitor.post("account", new)).status_code == 303
    assert (await visitor.get("messages")).headers["location"].startswith("/console/login")
    assert (await visitor.sign_in("fresh01", "Second-password-22")).status_code == 303
    assert (await visitor.get("messages")).status_code == 200


async def test_an_idle_session_ends_and_a_page_that_looks_by_itself_keeps_none_alive(
    counter: Counter, gateway: Gateways
) -> None:
    assert (await counter.viewer.get("")).status_code == 200
    gateway.clock.skip(20 * 60)
    assert (await counter.viewer.get("", **{"X-Fragment": "flow"})).status_code == 200
    gateway.clock.skip(11 * 60)
    assert (await counter.viewer.get("", **{"X-Fragment": "flow"})).status_code == 401
    assert (await counter.viewer.get("")).status_code == 303


async def test_an_administrator_changes_rights_at_once_but_not_his_own(counter: Counter) -> None:
    admin = counter.visitors["administrator"]
    change = {"title": "乙", "role": "viewer", "enabled": "no"}
    assert (await admin.post(f"users/{name_of('operator')}", change)).status_code == 303
    assert (await counter.operator.get("")).status_code == 303
    assert (await counter.operator.sign_in(name_of("operator"), PASSWORDS["operator"])).status_code == 401
    assert (await admin.post(f"users/{name_of('administrator')}", change)).status_code == 422
    made = await admin.post("users", {"name": "newone", "title": "新人", "role": "auditor"})
    password = re.search(r'<b class="mono">([a-z0-9-]+)</b>', made.text)
    assert password is not None
    stranger = await counter.stranger()
    assert (await stranger.sign_in("newone", password.group(1))).status_code == 303
    with pytest.raises(ActRefused, match="taken"):
        await counter.accounts.add("cli", "newone", "另一个", "viewer", "Rather-long-9-words")
    acts = [row["act"] for row in await counter.site.house.store.rows("newest_audit", 2**62, 50)]
    assert {"user.add", "user.change", "session.refused", "session.open"} <= set(acts)
