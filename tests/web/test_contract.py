"""The contract's table of calls, as data: each is in the application, described with examples and refusals, and no 404."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from contracts.schemas import DOCUMENTS as NAMED
from contracts.schemas import packaged
from gateway.flow.moving.documents import DOCUMENTS
from gateway.web.api.documents import CALLS as BRINGING
from gateway.web.examples import examples
from tests.web.site import Site

CASE, AGREEMENT, CONFIRMATION = "/v1/cases/{id}", "/v1/agreements/{id}", "/v1/confirmations/{id}"
OPS, HOOKS, DELIVERY = "/v1/ops", "/v1/webhook-endpoints", "/v1/ops/deliveries/{id}"

CALLS = (
    ("POST", "/v1/cases"),
    ("POST", "/v1/cases:batch"),
    ("PUT", CASE),
    ("GET", CASE),
    ("GET", "/v1/cases"),
    ("PUT", AGREEMENT),
    ("PUT", CONFIRMATION),
    ("PUT", "/v1/transfers/{id}"),
    ("POST", f"{CASE}/progress"),
    ("POST", f"{CASE}/agreements"),
    ("POST", f"{CASE}/transfers"),
    ("POST", f"{CASE}/alerts"),
    ("POST", f"{CASE}/follow-ups"),
    ("POST", f"{AGREEMENT}/confirmations"),
    ("POST", f"{AGREEMENT}/performances"),
    ("POST", f"{CONFIRMATION}/supplements"),
    ("POST", f"{CONFIRMATION}/withdrawal"),
    ("GET", AGREEMENT),
    ("GET", CONFIRMATION),
    ("GET", "/v1/transfers/{id}"),
    ("GET", "/v1/referrals"),
    ("GET", "/v1/referrals/{id}"),
    ("POST", "/v1/referrals/{id}/answer"),
    ("POST", "/v1/referrals/{id}/result"),
    ("POST", "/v1/attachments"),
    ("GET", "/v1/attachments/{id}"),
    ("GET", f"{CASE}/timeline"),
    ("GET", f"{CASE}/platforms"),
    ("GET", "/v1/clocks"),
    ("GET", "/v1/events"),
    ("GET", "/v1/events/stream"),
    ("POST", HOOKS),
    ("GET", HOOKS),
    ("GET", f"{HOOKS}/{{id}}"),
    ("PATCH", f"{HOOKS}/{{id}}"),
    ("DELETE", f"{HOOKS}/{{id}}"),
    ("POST", f"{HOOKS}/{{id}}/test"),
    ("POST", f"{HOOKS}/{{id}}/rotate-secret"),
    ("PUT", "/v1/mediators/{id}"),
    ("GET", "/v1/mediators"),
    ("GET", "/v1/ledger"),
    ("GET", "/v1/statistics"),
    ("GET", "/v1/indicators"),
    ("GET", f"{OPS}/deliveries"),
    ("GET", DELIVERY),
    ("GET", f"{DELIVERY}/attempts"),
    ("GET", f"{DELIVERY}/wire"),
    ("POST", f"{DELIVERY}/redrive"),
    ("POST", f"{DELIVERY}/cancel"),
    ("POST", f"{DELIVERY}/resolve"),
    ("POST", f"{OPS}/redrives"),
    ("GET", f"{OPS}/endpoints"),
    ("POST", f"{OPS}/endpoints/{{name}}/pause"),
    ("POST", f"{OPS}/endpoints/{{name}}/resume"),
    ("GET", f"{OPS}/flow"),
    ("GET", f"{OPS}/tasks"),
    ("POST", f"{OPS}/tasks/{{id}}/assign"),
    ("POST", f"{OPS}/tasks/{{id}}/resolve"),
    ("GET", f"{OPS}/orphans"),
    ("POST", f"{OPS}/reconciliations"),
)
"""The rows of the contract's §3 that ask for a key. ``{id}`` stands for ``{certificate_no}`` at mediators."""

OPEN = ("/healthz", "/readyz", "/metrics", "/docs", "/v1/openapi.json", "/v1/asyncapi.json", "/v1/schemas/case")
NOT_JSON = {
    ("POST", "/v1/cases:batch"),
    ("GET", "/v1/attachments/{id}"),
    ("GET", "/v1/events/stream"),
    ("DELETE", f"{HOOKS}/{{id}}"),
}
"""Calls whose answer is no JSON document: nothing to show."""


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_a_call_is_there_and_asks_for_a_key(shared: Site, method: str, path: str) -> None:
    content = None if method in ("GET", "DELETE") else b"{}"
    answer = await shared.nobody.request(
        method, re.sub(r"\{\w+\}", "x", path), content=content, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_open_to_all_is_there(shared: Site) -> None:
    for path in OPEN:
        assert (await shared.nobody.get(path)).status_code == 200, path
    assert (await shared.nobody.get("/console")).status_code in (200, 303, 307, 308)
    for method in ("GET", "POST"):
        answer = await shared.nobody.request(method, "/callbacks/hr_arbitration/x")
        assert answer.status_code != 405


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_a_call_is_described_with_examples_and_refusals(shared: Site, method: str, path: str) -> None:
    whole = (await shared.nobody.get("/v1/openapi.json")).json()
    call = whole["paths"][path][method.lower()]
    assert re.search(r"[\u4e00-\u9fff]", call["summary"])
    assert re.search(r"[A-Za-z]{3}", call["summary"])
    success = [status for status in call["responses"] if status.startswith("2")]
    assert success
    if (method, path) not in NOT_JSON:
        shown = call["responses"][success[0]]["content"]["application/json"]
        assert shown["example"], (method, path)
    refused = {status for status in call["responses"] if status[0] in "45"}
    assert refused >= {"401", "403", "503"}
    if "{" in path:
        assert "404" in refused
    if method == "PUT" and "mediators" not in path:
        assert refused >= {"412", "428", "422"}
    for status in refused:
        for code, example in call["responses"][status]["content"]["application/problem+json"]["examples"].items():
            assert example["value"]["code"] == code
            assert example["value"]["status"] == int(status)
            assert example["value"]["title"]
    if (
        method in ("POST", "PATCH", "PUT")
        and (method, path) not in NOT_JSON
        and not path.endswith(("/test", "/attachments"))
    ):
        assert call["requestBody"]["content"]["application/json"]["example"]


def test_every_example_is_of_a_call_that_there_is(shared: Site) -> None:
    paths = shared.application.framework.openapi()["paths"]
    for name in examples():
        method, _, path = name.partition(" ")
        assert method.lower() in paths[path], name


@pytest.mark.parametrize("call", BRINGING, ids=lambda call: f"{call.method} {call.path}")
def test_an_example_of_a_document_fits_its_schema(call: Any) -> None:
    document = DOCUMENTS[call.type]
    name = next(name for name, kind in NAMED.items() if kind is document)
    example = examples()[f"{call.method} {call.path}"]["request"]
    jsonschema.Draft202012Validator(document_schema(name)).validate(example)
    document.model_validate_json(json.dumps(example))


def document_schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(packaged(name))
    return found
