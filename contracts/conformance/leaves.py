"""The values inside documents and payloads: where a pointer leads, which strings there are, which of them are personal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from contracts.adapter import Context
from contracts.document import Document
from contracts.message import Message

_D = TypeVar("_D", bound=Document | None)

ABSENT = object()
"""What a pointer that leads nowhere leads to."""

_PERSONAL = frozenset({"id_number", "phone", "account_no", "detail", "name"})


def tree(document: Document) -> dict[str, Any]:
    """The document as JSON, with every optional field that has no value."""
    return document.model_dump(mode="json", by_alias=True)


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) leads to, or ``ABSENT``."""
    if pointer and not pointer.startswith("/"):
        return ABSENT
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return ABSENT
    return value


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no object and no list, in its order, under the name of its field. A form's ``list.0.field`` is
    ``field``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, key.rpartition(".")[2])
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from fields(inner, name)
    else:
        yield name, value


_OTHERS = {"sex": ("male", "female"), "ethnic_group": ("汉族", "回族"), "occupation": ("厨师", "保安")}
"""What tells people apart in few words. A person has one of the two."""


def of_others(document: _D) -> _D:
    """The same document about people of the other sex, another ethnic group and another occupation (性别、民族、职业)."""
    if not isinstance(document, Document):
        return document
    told = document.model_dump(mode="json", by_alias=True, exclude_none=True)
    return type(document).model_validate_json(json.dumps(_of_others(told)))


def _of_others(value: Any) -> Any:
    if isinstance(value, list):
        return [_of_others(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _of_others(inner) for key, inner in value.items()}
    for key, (one, other) in _OTHERS.items():
        if key in value:
            changed[key] = one if value[key] != one else other
    return changed


def documents(message: Message, context: Context) -> list[Document]:
    """The message's document and all that its context brings."""
    brought = (context.case, context.agreement, context.confirmation, context.referral)
    return [message.document, *(document for document in brought if document is not None)]


def personal(message: Message, context: Context) -> set[str]:
    """Values of persons: names, numbers, phones, accounts, addresses."""
    found: set[str] = set()
    for document in documents(message, context):
        _gather(tree(document), found)
    return found


def _gather(value: Any, found: set[str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _PERSONAL and isinstance(inner, str) and len(inner) > 1:
                found.add(inner)
            _gather(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _gather(inner, found)
