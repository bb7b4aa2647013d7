"""Strict reading of what arrives (court_mediation §1, §8.1): one form field, UTF-8, JSON without numbers and null."""

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Final, TypeAlias

from mocks.court_mediation.forms import TEXT_KEY

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
Document: TypeAlias = "dict[str, Node]"

_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_DEEPEST: Final = 12
"""Levels of nesting; the deepest form of the page has six."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One error of `content.errors`: zd = key path, yy = reason."""

    path: str
    reason: str


@dataclass(eq=False)
class Denied(Exception):
    """A refusal: `code` and `msg` of the envelope, with the findings that code 400 lists."""

    code: str
    msg: str
    findings: list[Finding] = field(default_factory=list)


def form_error(why: str) -> Denied:
    """Code 1001, 表单或代码值错误."""
    # Paths carry the sender's keys: bounded before they are sent back.
    return Denied("1001", f"表单错误<br>{why[:200]}")


def read_form(content_type: str | None, body: bytes) -> dict[str, str]:
    """The form fields. Raises Denied 1001 for another media type or charset, bad coding, a doubled field."""
    if content_type is None or not _is_form_type(content_type):
        raise form_error("Content-Type 应为 application/x-www-form-urlencoded; charset=UTF-8")
    fields: dict[str, str] = {}
    for pair in body.split(b"&"):
        name, equals, value = pair.partition(b"=")
        if not equals:
            raise form_error("表单格式不正确")
        key = _percent_decoded(name)
        if key in fields:
            raise form_error("表单字段重复")
        fields[key] = _percent_decoded(value)
    return fields


def _is_form_type(content_type: str) -> bool:
    message = Message()
    message["Content-Type"] = content_type
    charset = message.get_param("charset")
    return (
        message.get_content_type() == _FORM_TYPE
        and content_type.split(";", 1)[0].strip().lower() == _FORM_TYPE
        and isinstance(charset, str)
        and charset.lower() == "utf-8"
    )


def _percent_decoded(raw: bytes) -> str:
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise form_error("表单未按百分号编码") from error
    out = bytearray()
    first, *rest = text.replace("+", " ").split("%")
    out += first.encode("ascii")
    for part in rest:
        if len(part) < 2 or part[0] not in _HEX or part[1] not in _HEX:
            raise form_error("百分号编码不正确")
        out.append(int(part[:2], 16))
        out += part[2:].encode("ascii")
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError as error:
        raise form_error("表单不是 UTF-8") from error


def read_document(content_type: str | None, body: bytes) -> Document:
    """The JSON object in `mediationFormStr`. Raises Denied 1001 for everything §8.1 forbids."""
    fields = read_form(content_type, body)
    if set(fields) != {TEXT_KEY}:
        raise form_error(f"表单只能有一个字段 {TEXT_KEY}")
    return read_json(fields[TEXT_KEY])


def read_json(text: str) -> Document:
    """A JSON object whose values are strings, lists and objects. Raises Denied 1001."""
    try:
        value: object = json.loads(text, object_pairs_hook=_no_doubles, parse_int=_no_number, parse_float=_no_number)
    except (ValueError, RecursionError) as error:
        raise form_error("JSON 无法解析") from error
    if not isinstance(value, dict):
        raise form_error("JSON 应为对象")
    return {key: _node(item, key, 1) for key, item in value.items()}


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise form_error("JSON 键重复")
        found[key] = value
    return found


def _no_number(literal: str) -> object:
    raise form_error("值应为字符串")


def _node(value: object, path: str, depth: int) -> Node:
    if depth > _DEEPEST:
        raise form_error("JSON 层次过深")
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise form_error(f"{path} 不是有效文字") from error
        return value
    if isinstance(value, list):
        return [_node(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _node(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
    raise form_error(f"{path} 应为字符串")
