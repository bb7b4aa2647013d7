"""Foreign forms made fit to be seen: wires, requests and replies of platforms, whose fields have no classes of their own.

Fail closed. A value is shown only if it cannot tell of a person: it is a public value of the documents behind it, a title of
a closed list, an id of ours, a time, an amount, or a short code that is no piece of a personal number and stands in no field
whose codes tell of a person (``AdapterInfo.personal_fields``). A personal value is masked as its class is; every other text
is covered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from lxml import etree

from gateway.security.field_classes import FieldClass, Leaf, covered, masked

MOST_BYTES: Final = 256 * 1024
MOST_VALUES: Final = 1_500
MOST_DEPTH: Final = 40

_OWN_ID: Final = re.compile(r"(case|agr|cnf|trf|ref|att|msg|dlv|evt|med|cor|req)_[0-9A-Z]{26}")
_TIME: Final = re.compile(r"(19|20)\d\d([-/]?\d\d){2}([ T]?\d\d(:?\d\d){0,2}(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?")
_AMOUNT: Final = re.compile(r"-?(\d{1,6}|\d{1,9}\.\d{1,2})")
_CODE: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,12}")
_LONG_RUN: Final = re.compile(r"\d{7}")
_OLDEST_YEAR: Final = 2015
"""Times before it are somebody's birthday rather than a step of a case."""
_NUMBER: Final = re.compile(r"\d")
_PERSONAL_PIECE: Final = 5
"""Digits in a row that are taken for a piece of a personal number, if one holds them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One value of a foreign form: where it stands, what may be seen of it, whether that is less than the value, and the
    pointer of the document's value that it equals."""

    pointer: str
    depth: int
    name: str
    text: str
    hidden: bool
    origin: str = ""


def _masked_match(kind: FieldClass, found: re.Match[str]) -> str:
    return masked(kind, found.group())


def _tells(folded: str) -> bool:
    """Whether that two values are equal says that one comes from the other: not of 0, 1 and Y."""
    return len(folded) >= (4 if folded.isascii() else 2)


def _folded(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).split()).upper()


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a value stands: in a form whose keys are ours, in a field (``personal``) whose values tell of a person."""

    ours: bool
    personal: bool = False


class Redactor:
    """Judges foreign values by the documents that they were made from.

    ``public``: words that tell of nobody. ``personal_fields``: names of foreign fields whose every value is covered.
    """

    def __init__(
        self, leaves: Iterable[Leaf], public: Iterable[str] = (), personal_fields: Collection[str] = ()
    ) -> None:
        self._fields = frozenset(personal_fields)
        self._public: dict[str, str] = {}
        self._personal: dict[str, tuple[FieldClass, str]] = {}
        numbers: list[str] = []
        for leaf in leaves:
            folded = _folded(leaf.text)
            if not folded:
                continue
            if leaf.kind.open:
                self._open(folded, leaf.pointer)
                if leaf.listed is not None:
                    self._list_titles(leaf)
            else:
                self._personal.setdefault(folded, (leaf.kind, leaf.pointer))
                if _NUMBER.search(folded):
                    numbers.append(folded)
                    numbers.append("".join(filter(str.isdigit, folded)))
        for value in public:
            self._public.setdefault(_folded(value), "")
        for value in self._personal:
            self._public.pop(value, None)  # what is personal anywhere is personal everywhere
        self._numbers = "\n".join(numbers)
        texts = sorted((value for value in self._personal if len(value) >= 2), key=len, reverse=True)
        self._inside = re.compile("|".join(map(re.escape, texts))) if texts else None

    def _open(self, folded: str, pointer: str) -> None:
        """What several fields of the document hold alike comes from none of them in particular."""
        known = self._public.setdefault(folded, pointer)
        if known != pointer and known.startswith("/") and pointer.startswith("/"):
            self._public[folded] = ""

    def _list_titles(self, leaf: Leaf) -> None:
        if leaf.listed is None:
            return
        try:
            title = leaf.listed(leaf.text)
        except ValueError:
            return
        self._open(_folded(title.zh), leaf.pointer)
        self._open(_folded(title.en), leaf.pointer)

    def value(self, text: str) -> tuple[str, bool, str]:
        """What may be seen of a value, whether that is less than all, and the pointer that it comes from."""
        folded = _folded(text)
        if not folded:
            return text, False, ""
        held = self._personal.get(folded)
        if held is not None:
            return masked(held[0], text), True, held[1]
        if folded in self._public:
            return text, False, self._public[folded] if _tells(folded) else ""
        if self._harmless(text, folded):
            return text, False, ""
        return covered(text), True, ""

    def _harmless(self, text: str, folded: str) -> bool:
        if _OWN_ID.fullmatch(text):
            return True
        if self._inside is not None and self._inside.search(folded):
            return False
        if self._is_piece(folded):
            return False
        if _TIME.fullmatch(text):
            return int(text[:4]) >= _OLDEST_YEAR
        return bool(_AMOUNT.fullmatch(text) or (_CODE.fullmatch(text) and not _LONG_RUN.search(text)))

    def _is_piece(self, folded: str) -> bool:
        """Whether it is a piece of a personal number, or holds one: seven digits of an id number are somebody's birthday."""
        digits = "".join(filter(str.isdigit, folded))
        return len(digits) >= _PERSONAL_PIECE and any(
            piece in self._numbers
            for piece in (folded, digits, digits[:8], digits[-8:])
            if len(piece) >= _PERSONAL_PIECE
        )

    def prose(self, text: str) -> str:
        """A platform's sentence with what is known as personal masked, and every long number. For those who must understand a
        refusal; it may still tell what the documents do not hold, so it is not for everybody."""
        plain = text
        for value, (kind, _) in sorted(self._personal.items(), key=lambda item: -len(item[0])):
            if len(value) >= 2:
                plain = re.sub(re.escape(value), partial(_masked_match, kind), plain, flags=re.IGNORECASE)
        return re.sub(r"(?<![A-Za-z_0-9])\d{7,}[Xx]?", lambda found: "*" * len(found.group()), plain)

    def tree(self, value: Any, *, ours: bool = False) -> list[Shown]:
        """The values of a JSON object in order, objects and lists as rows of their own. ``ours``: an adapter of ours named the
        keys, so they are shown but where they hold something personal; foreign keys are judged like values."""
        return list(islice(self._rows(value, "", 0, "", _Field(ours)), MOST_VALUES))

    def json(self, value: Any) -> Any:
        """A payload that an adapter of ours made, in its own form: what may not be seen is masked or covered."""
        return self._json(value, 0, personal=False)

    def _json(self, value: Any, depth: int, personal: bool) -> Any:
        if depth > MOST_DEPTH:
            return covered("")
        if isinstance(value, dict):
            return {
                self._key(str(key), ours=True): self._json(inner, depth + 1, personal or self._is_personal(str(key)))
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._json(inner, depth + 1, personal) for inner in value]
        if value is None:
            return None
        if personal:
            return covered("")
        if isinstance(value, bool):
            return value
        text, hidden, _ = self.value(value if isinstance(value, str) else str(value))
        return text if hidden else value

    def _is_personal(self, key: str) -> bool:
        """Whether every value of this field tells of a person. A form names a row's field ``list.0.field``, a second element
        of one name is ``field#1``."""
        return key.rpartition(".")[2].partition("#")[0].lstrip("@") in self._fields

    def _key(self, key: str, ours: bool) -> str:
        if not ours:
            return self.value(key)[0]
        folded = _folded(key)
        personal = folded in self._personal or (self._inside is not None and self._inside.search(folded) is not None)
        return covered(key) if personal or self._is_piece(folded) else key

    def _rows(self, value: Any, at: str, depth: int, name: str, field: _Field) -> Iterator[Shown]:
        if depth > MOST_DEPTH:
            yield Shown(at, depth, name, covered(""), True)
        elif isinstance(value, dict | list):
            if at:
                yield Shown(at, depth, name, "", False)
            pairs = value.items() if isinstance(value, dict) else ((str(i), item) for i, item in enumerate(value))
            for key, inner in pairs:
                below = replace(field, personal=field.personal or self._is_personal(str(key)))
                yield from self._rows(inner, f"{at}/{key}", depth + 1, self._key(str(key), field.ours), below)
        elif value is None:
            yield Shown(at, depth, name, "null", False)
        elif field.personal:
            yield Shown(at, depth, name, covered(""), True)
        elif isinstance(value, bool):
            yield Shown(at, depth, name, str(value).lower(), False)
        else:
            text, hidden, origin = self.value(value if isinstance(value, str) else str(value))
            yield Shown(at, depth, name, text, hidden, origin)

    def body(self, raw: bytes) -> list[Shown] | None:
        """A request's or reply's body, read as JSON, XML or form; ``None`` where it is none of them (it is not shown)."""
        if not raw.strip() or len(raw) > MOST_BYTES:
            return None
        head = raw.lstrip()[:1]
        try:
            if head in (b"{", b"["):
                return self.tree(orjson.loads(raw))
            if head == b"<":
                return self.tree(_xml(raw))
            return self._form(raw)
        except (ValueError, etree.XMLSyntaxError, RecursionError):
            return None

    def _form(self, raw: bytes) -> list[Shown] | None:
        text = raw.decode("ascii")
        if "=" not in text or any(c in text for c in "\r\n<>{}"):
            return None
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=500, encoding="utf-8", errors="surrogateescape")
        if any(not value.isprintable() for _, value in fields):
            fields = parse_qsl(text, keep_blank_values=True, max_num_fields=500, encoding="gb18030", errors="replace")
        return self.tree(dict(fields))


def _xml(raw: bytes) -> dict[str, Any]:
    if b"<!DOCTYPE" in raw.upper():
        raise ValueError("doctype")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(raw, parser)
    return {_local(root.tag): _element(root, 0)}


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _element(element: etree._Element, depth: int) -> Any:
    if depth > MOST_DEPTH:
        return "…"
    children = [child for child in element if isinstance(child.tag, str)]
    if not children and not element.attrib:
        return element.text or ""
    made: dict[str, Any] = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    if element.text and element.text.strip():
        made["#"] = element.text.strip()
    for place, child in enumerate(children):
        name = _local(child.tag)
        made[name if name not in made else f"{name}#{place}"] = _element(child, depth + 1)
    return made
