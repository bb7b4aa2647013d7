"""Who may do what: keys, scopes, and every thing of another organisation behind one and the same 404."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from gateway.security.clients import SCOPES
from tests.flow import papers
from tests.house import Gateways
from tests.web.site import Site

PUBLIC = {"/healthz", "/readyz", "/metrics", "/v1/oauth2/token"}
OPEN_PREFIXES = ("/v1/schemas/", "/console", "/docs", "/v1/openapi.json", "/v1/asyncapi.json")
METHODS = ("get", "post", "put", "patch", "delete")


def operations(site: Site) -> list[tuple[str, str]]:
    """Every (method, path) of the API that asks for a key."""
    paths = site.application.framework.openapi()["paths"]
    return [
        (method, path)
        for path, found in sorted(paths.items())
        for method in METHODS
        if method in found and path not in PUBLIC and not path.startswith(OPEN_PREFIXES)
    ]


def filled(path: str, things: dict[str, str]) -> str:
    """The path with ids that exist, by what stands before them."""
    for home, identifier in things.items():
        path = re.sub(rf"(/{home})/\{{\w+\}}", rf"\1/{identifier}", path)
    return re.sub(r"\{\w+\}", "nothing", path)


@pytest.fixture
async def things(site: Site) -> dict[str, str]:
    """One thing of each kind, of the first organisation."""
    case = await site.case()
    agreement = await site.agreement(case)
    return {
        "cases": case,
        "agreements": agreement,
        "confirmations": await site.confirmation(agreement),
        "transfers": (await site.post(f"/v1/cases/{case}/transfers", papers.raw("transfer"))).json()["id"],
        "attachments": await site.upload(),
        "mediators": "LDTJ-3701-2023-0456",
        "endpoints": "hr_arbitration",
        "deliveries": (await site.up.get(f"/v1/cases/{case}")).json()["deliveries"][0]["id"],
    }


async def sent(client: httpx.AsyncClient, method: str, path: str, content: bytes = b"{}") -> httpx.Response:
    headers = {"Content-Type": "application/json"} if method != "get" else {}
    return await client.request(method, path, content=content if method != "get" else None, headers=headers)


async def test_without_a_key_every_call_is_401(site: Site, things: dict[str, str]) -> None:
    found = operations(site)
    assert len(found) >= 45
    for method, path in found:
        response = await sent(site.nobody, method, filled(path, things))
        assert response.status_code == 401, (method, path, response.text)
        assert response.json()["code"] == "unauthorized"


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer ",
        "Bearer .",
        "Bearer mg000000000000.x",
        "Basic dXA6eA==",
        "Bearer {key}x",
        "Bearer {prefix}.",
        "bearer {key} {key}",
        "Bearer " + "x" * 300,
        "Bearer {prefix}.\u738b",
    ],
)
async def test_a_wrong_key_is_401(site: Site, value: str) -> None:
    key = await site.key("up2")
    wrong = value.format(key=key, prefix=key.partition(".")[0])
    response = await site.nobody.get("/v1/cases", headers={b"Authorization": wrong.encode()})
    assert response.status_code == 401
    assert key.partition(".")[2] not in response.text
    assert (await site.nobody.get("/v1/cases", headers={"Authorization": f"bearer {key}"})).status_code == 200


async def test_a_key_ends_with_its_time(gateway: Gateways, site: Site) -> None:
    key = await site.key("up2", expires_at=gateway.clock.ms() + 60_000)
    other = await site.key("up3", expires_at=gateway.clock.ms() - 1)
    assert (await site.nobody.get("/v1/cases", headers={"Authorization": f"Bearer {key}"})).status_code == 200
    assert (await site.nobody.get("/v1/cases", headers={"Authorization": f"Bearer {other}"})).status_code == 401


async def test_a_call_asks_for_its_own_scope(site: Site, things: dict[str, str]) -> None:
    """A caller with every scope but the one that the answer names is refused; a caller with none is refused everywhere."""
    none = await site.caller("none", ())
    for method, path in operations(site):
        refused = await sent(none, method, filled(path, things))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), (method, path)
        scope = refused.json()["scope"]
        assert scope in SCOPES
        others = await site.caller(f"all-but-{scope}", tuple(one for one in SCOPES if one != scope), ("*",))
        assert (await sent(others, method, filled(path, things))).status_code == 403, (method, path)


async def test_scopes_are_what_they_say(site: Site) -> None:
    found = {}
    none = await site.caller("none", ())
    for method, path in operations(site):
        found[method, path] = (await sent(none, method, path.replace("{", "").replace("}", ""))).json()["scope"]
    assert {scope for (_, path), scope in found.items() if path.startswith("/v1/ops")} <= {
        "ops:read",
        "ops:write",
        "audit:read",
    }
    for (method, path), scope in found.items():
        if path.startswith("/v1/ops"):
            assert scope == ("ops:read" if method == "get" else "ops:write"), path
        elif path.startswith("/v1/events"):
            assert scope == "events:read", path
        elif path.startswith("/v1/webhook"):
            assert scope == "webhooks:write", path
        elif path.startswith(("/v1/ledger", "/v1/statistics", "/v1/indicators")):
            assert scope == "ledger:read", path
        else:
            assert scope == ("cases:read" if method == "get" else "cases:write"), path


async def test_another_clients_things_are_the_same_404_as_nothing(site: Site, things: dict[str, str]) -> None:
    """Every call that names a thing, with a thing of another organisation and with one that was never there."""
    never = {name: identifier[:-1] + ("0" if identifier[-1] != "0" else "1") for name, identifier in things.items()}
    bodies: dict[str, Any] = {
        "/progress": papers.raw("failed"),
        "/agreements": papers.raw("agreement"),
        "/transfers": papers.raw("transfer"),
        "/alerts": papers.raw("alert"),
        "/confirmations": papers.raw("arbitration"),
    }
    looked = 0
    for method, path in operations(site):
        if "{" not in path or path.startswith(("/v1/ops", "/v1/webhook", "/v1/mediators")):
            continue
        content = next((body for end, body in bodies.items() if path.endswith(end)), None)
        if method != "get" and content is None:
            continue
        foreign = await sent(site.stranger, method, filled(path, things), content or b"{}")
        nothing = await sent(site.stranger, method, filled(path, never), content or b"{}")
        assert (foreign.status_code, nothing.status_code) == (404, 404), (method, path, foreign.text)
        first, second = foreign.json(), nothing.json()
        assert {**first, "instance": ""} == {**second, "instance": ""}
        looked += 1
    assert looked >= 13


async def test_a_stranger_finds_nothing_in_lists(site: Site, things: dict[str, str]) -> None:
    number = (await site.up.get(f"/v1/cases/{things['cases']}")).json()["document"]["source_case_no"]
    for path in (
        "/v1/cases",
        f"/v1/cases?source_case_no={number}",
        "/v1/clocks",
        "/v1/referrals",
        "/v1/mediators",
        "/v1/events",
    ):
        assert (await site.stranger.get(path)).json()["items"] == [], path
    assert (await site.up.get(f"/v1/cases?source_case_no={number}")).json()["items"][0]["id"] == things["cases"]
    assert (await site.stranger.get(f"/v1/clocks?case={things['cases']}")).status_code == 404


async def test_a_case_for_another_organisation_is_403(site: Site) -> None:
    before = await site.counts()
    response = await site.post("/v1/cases", papers.raw("wages"), by=site.stranger)
    assert (response.status_code, response.json()["code"]) == (403, "organization_foreign")
    assert await site.counts() == before


async def test_another_clients_upload_is_unknown(site: Site) -> None:
    other = await site.caller("other-client")
    response = await other.post("/v1/attachments", files={"file": ("x.pdf", b"%PDF-1.4 x")}, data={"kind": "evidence"})
    foreign = response.json()["id"]
    body = site.case_body({"/attachments/-": {"id": foreign, "kind": "evidence", "name": "证据"}})
    refused = await site.post("/v1/cases", body)
    assert refused.status_code == 422
    assert [one["code"] for one in refused.json()["errors"]] == ["attachment_unknown"]


async def test_an_operators_calls_are_closed_to_a_key_of_some_organisations(site: Site, things: dict[str, str]) -> None:
    """Whatever its scopes: these calls know no organisations. Its own things it reads and writes like an upstream."""
    some = await site.caller("some", SCOPES, ("SD-QD-SN-002",))
    all_of_them = await site.caller("all", SCOPES, ("*",))
    over_all = [(method, path) for method, path in operations(site) if path.startswith("/v1/ops")]
    assert len(over_all) >= 25
    for method, path in over_all:
        response = await sent(some, method, filled(path, things))
        assert (response.status_code, response.json()["code"]) == (403, "out_of_scope"), (method, path)
    assert (await all_of_them.get("/v1/ops/deliveries")).json()["items"]
    assert (await some.get("/v1/cases")).json()["items"] == []
    client, _, secret = (await site.key("more", SCOPES, ("SD-QD-SN-002",))).partition(".")
    grant = {"grant_type": "client_credentials"}
    token = await site.nobody.post("/v1/oauth2/token", data=grant, auth=(client, secret))
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    assert (await site.nobody.get("/v1/ops/tasks", headers=bearer)).json()["code"] == "out_of_scope"


async def test_an_operator_reads_all_and_writes_no_documents(site: Site, things: dict[str, str]) -> None:
    assert (await site.op.get(f"/v1/cases/{things['cases']}")).status_code == 200
    refused = await site.post("/v1/cases", papers.raw("wages"), by=site.op)
    assert (refused.status_code, refused.json()["scope"]) == (403, "cases:write")
