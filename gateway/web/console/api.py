"""接口文档: the API as the OpenAPI file describes it, in plain pages that every browser shows: calls, documents, errors.

The page that runs in the browser (``/docs``) needs a newer kernel than many intranets have (``console.md`` §3.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from starlette.responses import Response

from contracts.findings import Language, register
from gateway.flow.moving.order import Refused
from gateway.texts import problem_codes, problem_texts
from gateway.web.console.desk import Page, Visit

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_BOTH: Final = re.compile(r"^(.*[\u3400-\u9fff）)])\s+([A-Za-z].*)$", re.DOTALL)
_REF: Final = "#/components/schemas/"
_DEEPEST: Final = 6
_EXAMPLES: Final[Mapping[str, str]] = {
    "date-time": "2026-10-08T09:00:00+08:00",
    "date": "2026-10-08",
    "uri": "https://receiver.example/events",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation. ``key`` names it in an address: method and path. ``responses``: status, text, the schema of its JSON."""

    method: str
    path: str
    title: str
    tag: str
    parameters: list[Json] = field(default_factory=list)
    body: Json | None = None
    responses: list[tuple[str, str, str]] = field(default_factory=list)
    open: bool = False

    @property
    def key(self) -> str:
        """``post /v1/cases``."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a schema: its names, what it is, whether it must be there, the schemas that it refers to."""

    name: str
    title: str
    kind: str
    refs: list[str]
    required: bool
    limits: str
    text: str


def said(text: str, chinese: bool) -> str:
    """The half of a text in both languages (``报送案件 Submit a case``); the whole where it is of one."""
    found = _BOTH.match(text.strip())
    if found is None:
        return text.strip()
    return found.group(1 if chinese else 2)


def calls(drawn: Json, chinese: bool) -> list[Call]:
    """Every call in the order of the file."""
    return [
        _call(method, path, operation, chinese)
        for path, operations in drawn["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]


def _call(method: str, path: str, operation: Json, chinese: bool) -> Call:
    content = operation.get("requestBody", {}).get("content", {})
    body = next((one.get("schema") for kind, one in content.items() if kind == "application/json"), None)
    return Call(
        method,
        path,
        said(operation.get("summary", ""), chinese),
        said(next(iter(operation.get("tags", [])), ""), chinese),
        operation.get("parameters", []),
        body,
        [
            (code, said(one.get("description", ""), chinese), _form_of(one))
            for code, one in operation.get("responses", {}).items()
        ],
        operation.get("security") == [],
    )


def _form_of(response: Json) -> str:
    """The named schema of an answer's JSON, empty where it has none."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).removeprefix(_REF)


def fields(schema: Json, chinese: bool) -> list[Field]:
    """The fields of an object's schema."""
    required = set(schema.get("required", []))
    return [_field(name, one, name in required, chinese) for name, one in schema.get("properties", {}).items()]


def _field(name: str, schema: Json, required: bool, chinese: bool) -> Field:
    bare = _bare(schema)
    inner = _bare(bare.get("items", {})) if bare.get("type") == "array" else bare
    ref = inner.get("$ref", "").removeprefix(_REF)
    choices = [one["$ref"].removeprefix(_REF) for one in inner.get("oneOf", []) if "$ref" in one]
    kind = str(ref or inner.get("type", "") or " | ".join(choices) or ("enum" if "enum" in inner else ""))
    text = said(str(schema.get("description", "")), chinese)
    title = schema.get("x-title-zh", "") if chinese else schema.get("title", "")
    return Field(
        name,
        str(title) or text,
        f"{kind}[]" if bare.get("type") == "array" else kind,
        [ref] if ref else choices,
        required,
        _limits(bare, inner),
        text,
    )


def _bare(schema: Json) -> Json:
    """A schema without the "or nothing" around it."""
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return options[0] if len(options) == 1 else schema


def _limits(bare: Json, inner: Json) -> str:
    found = [str(inner["format"])] if "format" in inner else []
    if "const" in inner:
        found.append(f"= {inner['const']}")
    if "enum" in inner:
        found.append(" | ".join(str(one) for one in inner["enum"]))
    low, high = inner.get("minLength", inner.get("minimum")), inner.get("maxLength", inner.get("maximum"))
    if low is not None or high is not None:
        found.append(f"{'' if low is None else low}…{'' if high is None else high}")
    if "maxItems" in bare:
        found.append(f"≤ {bare['maxItems']}")
    return " · ".join(found)


def example(drawn: Json, schema: Json, depth: int = 0) -> Any:
    """A skeleton of a document: what must be there, with values that show their kind. It is no valid case."""
    schema = _bare(schema)
    if "$ref" in schema:
        schema = drawn["components"]["schemas"].get(schema["$ref"].removeprefix(_REF), {})
    for key in ("const", "default"):
        if schema.get(key) is not None:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if "oneOf" in schema or "anyOf" in schema:
        return example(drawn, (schema.get("oneOf") or schema["anyOf"])[0], depth + 1)
    kind = schema.get("type")
    if kind == "object" and depth < _DEEPEST:
        names = schema.get("required", [])
        return {name: example(drawn, schema["properties"][name], depth + 1) for name in names}
    if kind == "array":
        return [example(drawn, schema.get("items", {}), depth + 1)] if depth < _DEEPEST else []
    plain: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "object": {}}
    return plain.get(str(kind), _EXAMPLES.get(str(schema.get("format", "")), "…"))


def as_curl(call: Call, base: str, body: str) -> str:
    """The call as a line of the shell."""
    lines = [f"curl -sS -X {call.method.upper()} '{base}{call.path}'"]
    lines += [f"  -H '{name}: {value}'" for name, value in _headers(call)]
    if body:
        lines.append(f"  --data-binary @- <<'JSON'\n{body}\nJSON")
    return " \\\n".join(lines)


def as_python(call: Call, base: str, body: str) -> str:
    """The call as a script; it needs nothing but Python itself."""
    headers = dict(_headers(call))
    parts = [f'"{base}{call.path}"']
    if body:
        parts.append("data=json.dumps(document).encode()")
    parts += [f"headers={orjson.dumps(headers).decode()}", f'method="{call.method.upper()}"']
    lines = ["import json", "import urllib.request", ""]
    if body:
        lines += [f"document = json.loads('''{body}''')", ""]
    inside = ",\n    ".join(parts)
    lines += [f"request = urllib.request.Request(\n    {inside},\n)"]
    lines += ["with urllib.request.urlopen(request) as answer:", "    print(answer.status, json.load(answer))"]
    return "\n".join(lines)


def _headers(call: Call) -> Iterable[tuple[str, str]]:
    if not call.open:
        yield "Authorization", "Bearer PREFIX.SECRET"
    for one in call.parameters:
        if one["in"] == "header":
            yield one["name"], '"1"' if one["name"] == "If-Match" else "0198c2f0-0000-7000-8000-000000000001"
    if call.body is not None:
        yield "Content-Type", "application/json"


def _drawn(visit: Visit) -> Json:
    application = visit.desk.application
    if application is None:
        raise Refused(404, "not_found")
    from gateway.web.description import described

    return described(application.openapi())


async def api(visit: Visit) -> Response:
    """The list of calls; one call, one schema, or the errors where the address asks for them."""
    if "errors" in visit.query:
        return visit.render("api_errors.html", problems=_problems(), findings=_findings())
    drawn = _drawn(visit)
    every = calls(drawn, visit.chinese)
    schemas: Json = drawn["components"]["schemas"]
    if "call" in visit.query:
        found = next((call for call in every if call.key == visit.query["call"]), None)
        if found is None:
            raise Refused(404, "not_found")
        return _one_call(visit, drawn, found)
    if "schema" in visit.query:
        name = visit.query["schema"]
        if name not in schemas:
            raise Refused(404, "not_found")
        one = schemas[name]
        return visit.render(
            "api_schema.html",
            name=name,
            text=said(str(one.get("description", "")), visit.chinese),
            fields=fields(one, visit.chinese),
            values=[str(value) for value in one.get("enum", [])],
            options=[option["$ref"].removeprefix(_REF) for option in one.get("oneOf", []) if "$ref" in option],
        )
    tags: dict[str, list[Call]] = {}
    for call in every:
        tags.setdefault(call.tag, []).append(call)
    return visit.render("api.html", tags=tags, schemas=sorted(schemas), version=drawn["info"]["version"])


def _one_call(visit: Visit, drawn: Json, call: Call) -> Response:
    ref = "" if call.body is None else call.body.get("$ref", "").removeprefix(_REF)
    schema = drawn["components"]["schemas"].get(ref, call.body or {})
    body = ""
    if call.body is not None:
        body = orjson.dumps(example(drawn, call.body), option=orjson.OPT_INDENT_2).decode()
    base = visit.desk.house.settings.public_base.rstrip("/")
    return visit.render(
        "api_call.html",
        call=call,
        ref=ref,
        fields=fields(schema, visit.chinese),
        curl=as_curl(call, base, body),
        python=as_python(call, base, body),
    )


def _problems() -> list[tuple[str, Mapping[str, str]]]:
    return [(code, texts) for code in problem_codes() if (texts := problem_texts(code)) is not None]


def _findings() -> list[tuple[str, Any, Any]]:
    return [
        (code.value, entry.texts(Language.ZH), entry.texts(Language.EN))
        for code, entry in sorted(register().items(), key=lambda item: item[0].value)
    ]


PAGES = (Page("/api", api, "view", narrows=True),)
