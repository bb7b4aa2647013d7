"""The API describes itself, whole, without the internet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema
from fastapi.routing import APIRoute

from contracts.events import EVENT_TYPES, event_schema
from contracts.schemas import DOCUMENTS
from gateway.web.server import web
from tests.flow import papers
from tests.web.site import Site


def walked(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """Every API route, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from walked(route.original_router.routes)


def routes_of(site: Site) -> set[tuple[str, str]]:
    return {
        (method.lower(), route.path_format)
        for route in walked(site.application.framework.routes)
        if route.include_in_schema and not route.path.startswith("/callbacks")
        for method in route.methods or ()
    }


async def test_every_route_is_described(site: Site) -> None:
    response = await site.nobody.get("/v1/openapi.json")
    assert response.status_code == 200
    described = {(method, path) for path, found in response.json()["paths"].items() for method in found}
    assert described == routes_of(site)
    assert len(described) >= 45


async def test_every_call_of_the_contract_is_there(site: Site) -> None:
    paths = (await site.nobody.get("/v1/openapi.json")).json()["paths"]
    for method, path in (
        ("post", "/v1/cases"),
        ("post", "/v1/cases:batch"),
        ("put", "/v1/cases/{id}"),
        ("get", "/v1/cases/{id}/timeline"),
        ("get", "/v1/cases/{id}/platforms"),
        ("post", "/v1/cases/{id}/progress"),
        ("post", "/v1/cases/{id}/agreements"),
        ("post", "/v1/cases/{id}/transfers"),
        ("post", "/v1/cases/{id}/alerts"),
        ("post", "/v1/cases/{id}/follow-ups"),
        ("post", "/v1/agreements/{id}/confirmations"),
        ("post", "/v1/agreements/{id}/performances"),
        ("post", "/v1/confirmations/{id}/supplements"),
        ("post", "/v1/confirmations/{id}/withdrawal"),
        ("post", "/v1/referrals/{id}/answer"),
        ("post", "/v1/referrals/{id}/result"),
        ("put", "/v1/mediators/{id}"),
        ("get", "/v1/clocks"),
        ("get", "/v1/events"),
        ("get", "/v1/events/stream"),
        ("post", "/v1/attachments"),
    ):
        assert method in paths[path], path


async def test_every_schema_that_is_named_is_served_and_sound(site: Site) -> None:
    described = (await site.nobody.get("/v1/openapi.json")).json()["components"]["schemas"]
    assert {model.__name__ for model in DOCUMENTS.values()} <= described.keys()
    for schema in described.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for name in (*DOCUMENTS, *(f"event.{event}" for event in EVENT_TYPES)):
        response = await site.nobody.get(f"/v1/schemas/{name}")
        assert response.status_code == 200, name
        jsonschema.Draft202012Validator.check_schema(response.json())
        served, (kind, _, event) = response.json(), name.partition(".")
        assert served == event_schema(event) if kind == "event" else served["$id"] == f"/v1/schemas/{name}"
    for name in ("nothing", "event.nothing", "..%2f..%2fetc", "event."):
        assert (await site.nobody.get(f"/v1/schemas/{name}")).status_code == 404


async def test_the_samples_fit_the_schemas_that_are_served(site: Site) -> None:
    for sample, name in (
        ("wages", "case"),
        ("agreement", "agreement"),
        ("arbitration", "confirmation_request"),
        ("transfer", "transfer"),
    ):
        schema = (await site.nobody.get(f"/v1/schemas/{name}")).json()
        body = papers.body(sample)
        if sample == "agreement":
            body["document"] = "att_01M7Q5CQG057N683VPG2HEWAGG"
        jsonschema.Draft202012Validator(schema).validate(body)


async def test_the_docs_need_no_other_host(site: Site) -> None:
    """The page and everything that it loads come from this house."""
    page = await site.nobody.get("/docs")
    assert page.status_code == 200
    assert "/v1/openapi.json" in page.text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 2
    for address in loaded:
        assert urlsplit(address).netloc in ("", "gateway.test"), address
        found = await site.nobody.get(address)
        assert found.status_code == 200, address
        assert len(found.content) > 100
    outside = [one for one in re.findall(r"https?://[^\s'\"<>)]+", page.text) if "gateway.test" not in one]
    assert outside == []


async def test_health(busy: Site) -> None:
    assert (await busy.nobody.get("/healthz")).text == "ok"
    ready = await busy.nobody.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["ready"] is True
    figures = (await busy.nobody.get("/metrics")).text
    assert figures.startswith("#")
    assert "王建国" not in figures
    json.dumps(figures)


def refs_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from refs_in(value)
    elif isinstance(part, list):
        for one in part:
            yield from refs_in(one)


async def test_the_description_can_be_used_as_it_is(site: Site) -> None:
    """Every reference leads somewhere, every part of a path is a parameter, every refusal and the credential are described."""
    told = (await site.nobody.get("/v1/openapi.json")).json()
    names = set(told["components"]["schemas"])
    for ref in refs_in(told):
        assert ref.removeprefix("#/components/schemas/") in names, ref
    for path, calls in told["paths"].items():
        for method, call in calls.items():
            parameters = [(one["in"], one["name"]) for one in call["parameters"]]
            assert len(parameters) == len(set(parameters)), (method, path)
            assert {name for place, name in parameters if place == "path"} == set(re.findall(r"\{(\w+)\}", path)), path
            assert "application/problem+json" in call["responses"]["default"]["content"], (method, path)
    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert (
        told["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"] == "/v1/oauth2/token"
    )
    assert told["security"] == [{"key": []}, {"oauth2": []}]
    assert {"client": []} in told["paths"]["/v1/oauth2/token"]["post"]["security"]
    body = told["paths"]["/v1/cases"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Case"}


async def test_in_production_the_docs_are_behind_the_door(site: Site) -> None:
    site.house.settings = site.house.settings.model_copy(update={"env": "production"})
    application = web(site.house)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        page = "/docs/static/swagger-ui.css"
        assert (await site.nobody.get(page)).status_code == 200  # the same page elsewhere than in production
        for address in ("/docs", page, "/v1/openapi.json", "/v1/schemas/case", "/metrics"):
            assert (await client.get(address)).status_code == 401, address
            key = {"Authorization": site.op.headers["Authorization"]}
            assert (await client.get(address, headers=key)).status_code == 200, address
