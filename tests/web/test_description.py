"""The description of the API tells what its users need: bodies, answers, headers, parameters and scopes, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.findings import Code
from gateway.texts import problem_texts
from gateway.web.api.documents import CALLS
from gateway.web.queries import QUERIES
from tests.web.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

HAN, LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{3}")
SILENT = {"DELETE", "GET", "POST /v1/webhook-endpoints/{id}/test"}
"""Methods and calls without a body."""


async def described(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = (await site.nobody.get("/v1/openapi.json")).json()
    return found


def calls_of(whole: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in whole["paths"].items():
        for method, call in methods.items():
            yield method.upper(), path, call


def both(text: str) -> bool:
    return bool(HAN.search(text) and LATIN.search(text))


async def test_every_text_is_in_both_languages(shared: Site) -> None:
    whole = await described(shared)
    assert both(whole["info"]["description"])
    for method, path, call in calls_of(whole):
        assert both(call["summary"]), (method, path)
        assert "description" not in call, (method, path)
        for one in call["parameters"]:
            assert both(one["description"]), (method, path, one["name"])


async def test_every_act_shows_its_body(shared: Site) -> None:
    for method, path, call in calls_of(await described(shared)):
        if method not in SILENT and f"{method} {path}" not in SILENT:
            for kind, content in call["requestBody"]["content"].items():
                assert kind not in ("application/json",) or content["example"], (method, path)


async def test_every_call_names_its_scope(shared: Site) -> None:
    whole = await described(shared)
    known = set(whole["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"])
    for method, path, call in calls_of(whole):
        if path in ("/healthz", "/readyz", "/v1/oauth2/token"):
            continue
        scopes = [scope for way in call["security"] for found in way.values() for scope in found]
        assert len(set(scopes)) == 1, (method, path)
        assert set(scopes) <= known


@pytest.mark.parametrize("way", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_the_scope_is_the_one_that_is_asked_for(shared: Site, way: str) -> None:
    """A key without any scope is told which one it lacks."""
    none = await shared.caller(f"none-{way}", ("audit:read",), ("*",))
    for method, path, call in calls_of(await described(shared)):
        if method != way or path in ("/healthz", "/readyz", "/v1/oauth2/token", "/metrics") or "schemas" in path:
            continue
        if path == "/v1/asyncapi.json":
            continue
        answer = await none.request(method, re.sub(r"\{\w+\}", "x", path))
        assert (answer.status_code, answer.json()["scope"]) == (403, call["security"][0]["key"][0]), (method, path)


async def test_names_of_operations_are_words_of_their_own(shared: Site) -> None:
    names = [call["operationId"] for _, _, call in calls_of(await described(shared))]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", name) for name in names)
    assert {"post_cases", "get_cases_id_timeline", "post_cases_id_follow_ups"} <= set(names)


async def test_what_is_no_json_is_not_called_so(shared: Site) -> None:
    whole = await described(shared)
    for name, kinds in (
        ("post /v1/cases:batch", {"application/x-ndjson"}),
        ("get /v1/attachments/{id}", {"application/pdf", "application/ofd", "image/jpeg", "image/png"}),
        ("get /v1/events/stream", {"text/event-stream"}),
        ("get /healthz", {"text/plain"}),
        ("get /metrics", {"text/plain"}),
    ):
        method, _, path = name.partition(" ")
        assert set(whole["paths"][path][method]["responses"]["200"]["content"]) == kinds
    upload = whole["paths"]["/v1/attachments"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert upload["required"] == ["file", "kind"]
    assert "mediation_agreement" in upload["properties"]["kind"]["enum"]


async def test_documents_tell_their_headers(shared: Site) -> None:
    whole = await described(shared)
    for call in CALLS:
        told = whole["paths"][call.path][call.method.lower()]
        asked = {one["name"]: one["required"] for one in told["parameters"] if one["in"] == "header"}
        assert asked["Idempotency-Key"] is False
        if call.method == "PUT":
            assert asked["If-Match"] is call.revises
        accepted = told["responses"]["202"]
        assert set(accepted["headers"]) == {"X-Request-Id", "ETag", "Location", "Idempotency-Replayed"}
        assert accepted["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Accepted"}
        assert {"400", "401", "403", "409", "413", "415", "422", "503"} <= told["responses"].keys()


async def test_the_table_of_parameters_is_the_descriptions(shared: Site) -> None:
    whole = await described(shared)
    for name, queries in QUERIES.items():
        method, _, path = name.partition(" ")
        shown = [one["name"] for one in whole["paths"][path][method.lower()]["parameters"] if one["in"] == "query"]
        assert shown == [query.name for query in queries]
    for method, path, call in calls_of(whole):
        if any(one["in"] == "query" for one in call["parameters"]):
            assert f"{method} {path}" in QUERIES
            assert "parameter_unknown" in call["responses"]["400"]["content"]["application/problem+json"]["examples"]


async def test_every_refusal_that_is_shown_is_one_that_there_is(shared: Site) -> None:
    for method, path, call in calls_of(await described(shared)):
        for status, told in call["responses"].items():
            assert told["headers"]["X-Request-Id"], (method, path, status)
            shown = told.get("content", {}).get("application/problem+json", {}).get("examples", {})
            for code in shown:
                assert problem_texts(code) is not None or code in set(Code), (method, path, code)


async def test_an_attempts_steps_show_their_time(shared: Site) -> None:
    whole = await described(shared)
    attempts = whole["paths"]["/v1/ops/deliveries/{id}/attempts"]["get"]["responses"]["200"]["content"]
    step = attempts["application/json"]["example"]["items"][0]["steps"][0]
    assert re.fullmatch(r"2026-10-10T12:00:02\.750\+08:00", step["at"])
