"""Answers held against the description of the API: by status a described one, in its form, with nothing left over."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

import httpx
import jsonschema
from fastapi import FastAPI
from jsonschema.protocols import Validator

from contracts.events import event_schema
from gateway.web.description import described

REF = "#/components/schemas/"
CHECKED = jsonschema.FormatChecker(formats=())
"""Formats are tested by what they mean here, whatever else is installed."""


@CHECKED.checks("date-time", raises=ValueError)
def _moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@CHECKED.checks("date", raises=ValueError)
def _day(value: object) -> bool:
    return not isinstance(value, str) or (bool(date.fromisoformat(value)) and len(value) == len("2026-10-10"))


@CHECKED.checks("uri")
def _address(value: object) -> bool:
    return not isinstance(value, str) or re.match(r"https?://[^\s]+$", value) is not None


def schemas_in(part: Any) -> Iterator[dict[str, Any]]:
    """Every object within a piece of the description."""
    if isinstance(part, dict):
        yield part
        for one in part.values():
            yield from schemas_in(one)
    elif isinstance(part, list):
        for one in part:
            yield from schemas_in(one)


class Description:
    """The description of one application, and the calls that were seen to succeed. Its copy is closed: what a form does not
    name, no answer may have."""

    def __init__(self, framework: FastAPI) -> None:
        self.whole: dict[str, Any] = described(framework.openapi())
        self._closed = copy.deepcopy(self.whole)
        for schema in schemas_in(self._closed["components"]["schemas"]):
            if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
                schema.setdefault("additionalProperties", False)
        for name in ("Problem",):  # beside what all have, each code has its own
            self._closed["components"]["schemas"][name].pop("additionalProperties")
        paths = sorted(self.whole["paths"], key=lambda path: path.count("{"))
        self._paths = [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$"), path) for path in paths]

    @property
    def calls(self) -> set[str]:
        """``METHOD path`` of everything that is described."""
        return {f"{method.upper()} {path}" for path, methods in self.whole["paths"].items() for method in methods}

    def call_of(self, method: str, raw_path: str) -> str | None:
        """The described call that a request is."""
        for form, path in self._paths:
            if form.match(raw_path) and method.lower() in self.whole["paths"][path]:
                return f"{method} {path}"
        return None

    def schema(self, schema: dict[str, Any], *, closed: bool = True) -> Validator:
        """A validator of one schema of the description."""
        components = (self._closed if closed else self.whole)["components"]
        return jsonschema.Draft202012Validator({**schema, "components": components}, format_checker=CHECKED)

    def answer_of(self, name: str, status: int) -> dict[str, Any]:
        """What the description says of a call's answer."""
        method, _, path = name.partition(" ")
        told: dict[str, Any] = self.whole["paths"][path][method.lower()]["responses"]
        assert str(status) in told, f"{name}: {status} is not described"
        one: dict[str, Any] = told[str(status)]
        return one

    def refuses(self, name: str, response: httpx.Response) -> None:
        """Hold a refusal against the description: its media type, its form."""
        method, _, path = name.partition(" ")
        told = self.whole["paths"][path][method.lower()]["responses"]
        content = told.get(str(response.status_code), told["default"])["content"]
        kind = response.headers["content-type"]
        assert kind in content, f"{name}: {response.status_code} {kind} is not described"
        self.fits(name, content[kind]["schema"], response.json())

    def holds(self, name: str, response: httpx.Response) -> None:
        """Hold an answer of success against the description: its status, its media type, its headers, its form."""
        told = self.answer_of(name, response.status_code)
        for header in ("ETag", "Location"):
            assert (header in told["headers"]) is (header in response.headers), f"{name}: {header}"
        if response.status_code == 204:
            assert not response.content
            return
        kind = response.headers["content-type"].partition(";")[0]
        assert kind in told["content"], f"{name}: {kind} is not described"
        if kind == "application/json":
            self.fits(name, told["content"][kind]["schema"], response.json())
        elif kind == "application/x-ndjson":
            for line in response.text.splitlines():
                self.fits(name, told["content"][kind]["x-item-schema"], json.loads(line))

    def takes(self, name: str, request: httpx.Request) -> None:
        """Hold what was taken against the description: the body of an act; documents have their own rules."""
        method, _, path = name.partition(" ")
        content = self.whole["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if "properties" in schema and request.content:
            for error in self.schema(schema, closed=False).iter_errors(json.loads(request.content)):
                raise AssertionError(f"{name}: body: {error.json_path}: {error.message[:300]}")

    def fits(self, name: str, schema: dict[str, Any], value: Any) -> None:
        """Hold a value against a schema, closed; events by the schema of their type as well."""
        for error in self.schema(schema).iter_errors(value):
            raise AssertionError(f"{name}: {error.json_path}: {error.message[:300]}")
        if schema == {"$ref": f"{REF}EventPage"}:
            for event in value["items"]:
                jsonschema.Draft202012Validator(event_schema(event["type"])).validate(event["data"])


@cache
def description(framework: FastAPI) -> Description:
    """The description of an application, made once."""
    return Description(framework)
