"""SOAP 1.1 of this platform: request bytes from a payload, a stranger's reply bytes into a small tree (page §1, §3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from adapters.beijing import SECONDS
from adapters.one_stop.layout import HEAD, HEAD_ITEMS, OPERATIONS, PAGE, PAGE_ITEMS, PAGES, Item, Rows
from contracts.adapter import Json

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "urn:sdzz:mdjf:1"

REQUEST_LIMIT = 1024 * 1024
REPLY_LIMIT = 4 * 1024 * 1024
_MOST_TAGS = 100_000
"""A page of 100 changes has some ten thousand; each costs the parser some hundred bytes and us some microseconds, however
short it is."""
_DEEPEST = 32

_DECLARATION = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')"""
    rb"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]{0,39})["'])?"""
    rb"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](?:yes|no)["'])?[ \t\r\n]*\?>"""
)
_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}


class Unreadable(ValueError):
    """Bytes that are no sound reply. ``code`` says why and never quotes them."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# --------------------------------------------------------------------------------------------------------- what we send


def soap_action(operation: str) -> str:
    """The header value, with its quotes."""
    return f'"{NAMESPACE}#{operation}"'


def build(operation: str, payload: Json, sent_at: datetime) -> bytes:
    """The request's bytes: UTF-8 with declaration, items in the platform's order whatever the payload's.

    ``sent_at`` (aware) becomes 发送时间, the one item that differs from attempt to attempt.
    """
    prefixes = {"soap": SOAP, None: NAMESPACE}
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap=prefixes)  # type: ignore[arg-type]  # None: the default namespace
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    request = _element(body, f"{operation}Request")
    head = payload[HEAD] | {"发送时间": SECONDS.write(sent_at)}
    _items(_element(request, HEAD), HEAD_ITEMS, head)
    for entry in OPERATIONS[operation]:
        if isinstance(entry, Item):
            _items(request, (entry,), payload)
        elif entry.name in payload:
            _rows(request, entry, payload[entry.name])
    if PAGES in payload:
        _rows(request, Rows(PAGES, PAGE, PAGE_ITEMS), payload[PAGES])
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _element(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _items(parent: etree._Element, items: tuple[Item, ...], values: Json) -> None:
    for item in items:
        if item.name in values:
            _element(parent, item.name).text = values[item.name]


def _rows(parent: etree._Element, rows: Rows, entries: list[Json]) -> None:
    whole = _element(parent, rows.name)
    for entry in entries:
        _items(_element(whole, rows.row), rows.items, entry)


# --------------------------------------------------------------------------------------------------------- what we read


@dataclass(frozen=True, slots=True)
class Node:
    """One element: namespace, local name, its text exactly, its children. One with children has no text of its own."""

    namespace: str
    name: str
    text: str
    children: tuple[Node, ...]

    def all(self, name: str, namespace: str = NAMESPACE) -> Iterator[Node]:
        """The children of that name, in order."""
        return (child for child in self.children if child.name == name and child.namespace == namespace)

    def one(self, name: str, namespace: str = NAMESPACE) -> Node | None:
        """The child of that name, if there is one.

        Raises:
            Unreadable: there are several, so that nobody can say which counts.
        """
        found = list(self.all(name, namespace))
        if len(found) > 1:
            raise Unreadable("doubled_element")
        return found[0] if found else None

    def value(self, name: str, namespace: str = NAMESPACE) -> str | None:
        """The text of that child; ``None`` where it is absent or empty, which this platform means alike.

        Raises:
            Unreadable: it stands twice, or holds elements where text is due.
        """
        child = self.one(name, namespace)
        if child is None:
            return None
        if child.children:
            raise Unreadable("element_in_item")
        return child.text or None


def read_body(raw: bytes, limit: int = REPLY_LIMIT) -> Node:
    """The only child of ``soap:Body``.

    Raises:
        Unreadable: as for ``read``; no SOAP 1.1 envelope, no body, or a body without exactly one child.
    """
    envelope = read(raw, limit)
    if (envelope.namespace, envelope.name) != (SOAP, "Envelope"):
        raise Unreadable("no_envelope")
    body = envelope.one("Body", SOAP)
    if body is None or len(body.children) != 1:
        raise Unreadable("no_body")
    return body.children[0]


def read(raw: bytes, limit: int = REPLY_LIMIT) -> Node:
    """XML 1.0 of a stranger. The declaration's encoding counts (UTF-8 without one), never the HTTP header's.

    Raises:
        Unreadable: too large, empty, an encoding the page does not know, bytes that are not of it, a DOCTYPE of any
            kind, not well-formed, too many or too deep elements.
    """
    if len(raw) > limit:
        raise Unreadable("too_large")
    text = _decoded(raw)
    if _has_doctype(text):
        raise Unreadable("doctype")
    if text.count("<") > _MOST_TAGS:
        raise Unreadable("too_many_elements")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except UnicodeEncodeError:
        raise Unreadable("encoding") from None
    except etree.XMLSyntaxError:
        raise Unreadable("not_well_formed") from None
    return _node(root, _DEEPEST)


def _decoded(raw: bytes) -> str:
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip(b" \t\r\n"):
        raise Unreadable("empty")
    declaration = _DECLARATION.match(raw)
    encoding = "utf-8"
    if declaration is not None:
        named = (declaration.group(1) or b"utf-8").decode("ascii").lower()
        if named not in _ENCODINGS:
            raise Unreadable("encoding")
        encoding = _ENCODINGS[named]
        raw = raw[declaration.end() :]
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("encoding") from None


def _has_doctype(text: str) -> bool:
    """Whether something else than comments, instructions and white space stands before the root element.

    Only the prolog is looked at: a party may write ``<!DOCTYPE`` into a text, and the platform may send it as CDATA.
    """
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if text.startswith("<!--", at):
            end = text.find("-->", at + 4)
            at = end + 3
        elif text.startswith("<?", at):
            end = text.find("?>", at + 2)
            at = end + 2
        else:
            return text.startswith("<!", at)
        if end < 0:
            return False  # never closed: the parser says so


def _node(element: etree._Element, depth: int) -> Node:
    if depth == 0:
        raise Unreadable("too_deep")
    name = etree.QName(element)
    children = tuple(_node(child, depth - 1) for child in element if isinstance(child.tag, str))
    return Node(name.namespace or "", name.localname, "" if children else (element.text or ""), children)


# -------------------------------------------------------------------------------------- one element alone, in one form


def write(node: Node) -> bytes:
    """The element as a document of its own: one form for one content, whatever prefixes and white space it came with.

    The reader of a stored change gets exactly this; its digest tells a repeat from other content under the same number.
    """
    # A prefix, no default namespace: a child without namespace could not be told from one of ours.
    root = etree.Element(_tag(node), nsmap={"m": NAMESPACE})
    _fill(root, node)
    return etree.tostring(root, method="c14n", exclusive=True)


def _fill(element: etree._Element, node: Node) -> None:
    if not node.children:
        element.text = node.text or None
    for child in node.children:
        _fill(etree.SubElement(element, _tag(child)), child)


def _tag(node: Node) -> str:
    return f"{{{node.namespace}}}{node.name}" if node.namespace else node.name
