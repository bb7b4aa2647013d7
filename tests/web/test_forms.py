"""The description of the API is a sound OpenAPI 3.1 document: every answer of success has a named form, told in both
languages, and every example is one of what it is an example of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi.openapi.models import OpenAPI, Schema
from pydantic import BaseModel

from contracts.events import envelope_schema
from contracts.schemas import DOCUMENTS
from gateway.web import answered
from gateway.web.acts import ACTS
from gateway.web.console.api import said
from gateway.web.description import documents
from tests.web.described import CHECKED, REF, Description, description, schemas_in
from tests.web.site import Site

HAN, LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{2}")
WITHOUT_FORM = {"GET /v1/asyncapi.json", "GET /v1/schemas/{name}"}
"""Documents of other specifications."""


@pytest.fixture(scope="module")
def whole(shared: Site) -> Description:
    return description(shared.application.framework)


def answers_of(told: Description) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in sorted(told.calls):
        method, _, path = name.partition(" ")
        for status, one in told.whole["paths"][path][method.lower()]["responses"].items():
            yield name, status, one


def test_every_json_answer_of_success_has_a_named_form(whole: Description) -> None:
    named = {}
    for name, status, told in answers_of(whole):
        if status.startswith("2") and name not in WITHOUT_FORM:
            assert HAN.search(told["description"]), (name, status)
            for kind, content in told.get("content", {}).items():
                assert content["schema"], (name, status, kind)
                if kind == "application/json":
                    named[name, status] = content["schema"]["$ref"].removeprefix(REF)
    assert named == {
        (name, status): form.__name__
        for name, forms in answered.FORMS.items()
        for status, form in forms.items()
        if status.startswith("2")
    }
    for name in ("POST /v1/cases:batch", "GET /v1/events/stream"):
        (content,) = whole.answer_of(name, 200)["content"].values()
        assert content["x-item-schema"]["$ref"].removeprefix(REF) in whole.whole["components"]["schemas"]


def test_every_field_is_told_in_both_languages(whole: Description) -> None:
    for name, schema in answered.components().items():
        if name in documents():
            continue
        assert schema["description"], name
        for field, told in schema.get("properties", {}).items():
            if "x-title-zh" in told:
                assert told["title"], (name, field)
                continue
            assert both(told["description"]), (name, field)


def both(told: str) -> bool:
    chinese, english = said(told, True), said(told, False)
    one_way = f"{chinese} {english}" == told and not HAN.search(english)
    return bool(one_way and HAN.search(chinese) and LATIN.search(english))


def test_every_act_tells_its_body(whole: Description) -> None:
    for name in sorted(whole.calls):
        method, _, path = name.partition(" ")
        content = whole.whole["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None or "$ref" in schema:
            continue
        assert "properties" in schema, name
        if name in ACTS:
            for part in schemas_in(schema):
                for field, told in part.get("properties", {}).items():
                    assert both(told["description"]), (name, field)


def test_every_form_is_used_and_none_is_another(whole: Description) -> None:
    """A document inside an answer is the document that is posted."""
    schemas = whole.whole["components"]["schemas"]
    meant = {one["$ref"].removeprefix(REF) for one in schemas_in(whole.whole) if isinstance(one.get("$ref"), str)}
    told_alone = {model.__name__ for model in DOCUMENTS.values()}
    assert schemas.keys() - meant <= told_alone
    for name in answered.components().keys() & documents().keys():
        assert answered.components()[name] == documents()[name], name
    assert not [name for name in schemas if not re.fullmatch("[A-Z][A-Za-z0-9]*", name)]


def test_an_event_of_the_feed_is_the_one_of_the_topics(whole: Description) -> None:
    """OpenAPI and AsyncAPI tell the same envelope; the data's schema is where ``dataschema`` leads."""
    event = whole.whole["components"]["schemas"]["Event"]
    published: dict[str, Any] = envelope_schema("case.accepted")
    assert event["properties"].keys() == published["properties"].keys()
    assert set(published["required"]) - set(event["required"]) == {"sequence", "partitionkey"}, "where there is a case"
    for name in event["properties"].keys() - {"type", "data", "cursor"}:
        assert event["properties"][name] == published["properties"][name], name


def extras(part: Any, path: str = "") -> Iterator[str]:
    """What no object of OpenAPI knows, within a model that was read."""
    if isinstance(part, Schema):
        return  # its keywords are the dialect's
    if isinstance(part, BaseModel):
        for name in part.model_extra or {}:
            if not name.startswith("x-"):
                yield f"{path}/{name}"
        for name in part.model_fields_set:
            yield from extras(getattr(part, name, None), f"{path}/{name}")
    elif isinstance(part, dict):
        for name, one in part.items():
            yield from extras(one, f"{path}/{name}")
    elif isinstance(part, list):
        for place, one in enumerate(part):
            yield from extras(one, f"{path}/{place}")


def test_it_is_a_sound_document_of_openapi(whole: Description) -> None:
    assert whole.whole["openapi"].startswith("3.1.")
    assert list(extras(OpenAPI.model_validate(whole.whole))) == []
    for part in schemas_in(whole.whole["paths"]):
        if isinstance(part.get("schema"), dict):
            jsonschema.Draft202012Validator.check_schema(part["schema"])
            jsonschema.Draft202012Validator.check_schema({**part["schema"], "x": None})
    for name, schema in whole.whole["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        for keyword in ("nullable", "example"):
            assert not [one for one in schemas_in(schema) if isinstance(one.get("type"), str) and keyword in one], name
    for one in schemas_in(whole.whole):
        if isinstance(one.get("$ref"), str):
            assert one["$ref"].removeprefix(REF) in whole.whole["components"]["schemas"], one["$ref"]
        if one.get("in") == "path" and "schema" in one:
            assert one["required"] is True


def shown(told: Description) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example, with the schema that it is an example of."""
    for name in sorted(told.calls):
        method, _, path = name.partition(" ")
        call = told.whole["paths"][path][method.lower()]
        parts = {"body": call.get("requestBody", {}), **call["responses"]}
        for place, part in parts.items():
            for kind, content in part.get("content", {}).items():
                if "ndjson" in kind:
                    continue
                found = {"": content["example"]} if "example" in content else {}
                found |= {code: one["value"] for code, one in content.get("examples", {}).items()}
                for code, example in found.items():
                    yield f"{name} {place} {code}", content["schema"], example


def test_every_example_is_one(whole: Description) -> None:
    wrong = []
    for name, schema, example in shown(whole):
        for error in whole.schema(schema).iter_errors(example):
            wrong.append(f"{name}: {error.json_path}: {error.message[:200]}")
    assert wrong == []
    assert len(list(shown(whole))) > 400
    assert CHECKED.conforms("2026-10-10T09:00:00+08:00", "date-time")
    assert not CHECKED.conforms("2026-10-10T09:00:00", "date-time")


def test_a_form_that_is_not_held_is_seen(whole: Description) -> None:
    """The check itself: a field too many, one too few, another type, a time without its offset."""
    case = whole.answer_of("GET /v1/cases", 200)["content"]["application/json"]
    good = case["example"]
    whole.fits("x", case["schema"], good)
    item = good["items"][0]
    for bad in (
        item | {"more": 1},
        {name: value for name, value in item.items() if name != "version"},
        item | {"version": "1"},
        item | {"status": "lost"},
        item | {"created_at": "2026-10-10T12:00:02"},
        item | {"source_case_no": None},
    ):
        with pytest.raises(AssertionError):
            whole.fits("x", case["schema"], {"items": [bad]})
