"""Reading a SOAP 1.1 request (page §1, §3, §8.1): UTF-8, no DOCTYPE, no attributes, known elements in their order."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from mocks.one_stop.refusal import SoapFault
from mocks.one_stop.schema import (
    HEADER,
    HEADER_ITEMS,
    NAMESPACE,
    OPERATIONS,
    PAGE_ITEMS,
    PAGES,
    Item,
    Items,
    Operation,
    Row,
    Rows,
)

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"

_SPACE: Final = " \t\r\n"
_PROLOG = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)", re.DOTALL)
_DECLARATION = re.compile(
    rb"""<\?xml\s+version\s*=\s*(["'])1\.0\1(?:\s+encoding\s*=\s*(["'])([A-Za-z0-9._-]+)\2)?"""
    rb"""(?:\s+standalone\s*=\s*(["'])(?:yes|no)\4)?\s*\?>"""
)
_PAGES = Rows(PAGES, "续页", PAGE_ITEMS)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was read: nothing is checked yet but its structure. Empty elements are absent."""

    operation: Operation
    header: Row
    items: Items
    pages: list[Row] = field(default_factory=list)

    @property
    def message_id(self) -> str:
        """外部编号."""
        return self.header.get("外部编号", "")

    @property
    def organization(self) -> str:
        """机构编码."""
        return self.header.get("机构编码", "")

    @property
    def digest(self) -> str:
        """SHA-256 over the content that a repeat must have again: all but 发送时间 (page §3)."""
        header = {name: text for name, text in self.header.items() if name != "发送时间"}
        content = json.dumps([self.operation.name, header, self.items, self.pages], ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(content.encode("ascii")).hexdigest()


def read(body: bytes) -> Request:
    """Read the envelope in ``body``.

    Raises :class:`SoapFault` S006 for what is no well-formed XML of this schema, S007 for an unknown operation.
    """
    content = _only(_parse(body))
    name = _local(content).removesuffix("Request")
    operation = OPERATIONS.get(name)
    if operation is None or _local(content) != f"{name}Request":
        raise SoapFault("S007", "操作不存在")
    children = _children(content)
    if not children or _local(children[0]) != HEADER:
        raise SoapFault("S006", HEADER)
    entries: tuple[Item | Rows, ...] = (*operation.items, _PAGES) if operation.paged else operation.items
    items = _read(children[1:], entries, content)
    pages = items.pop(PAGES, [])
    return Request(operation, _fields(children[0], HEADER_ITEMS), items, pages if isinstance(pages, list) else [])


def _parse(body: bytes) -> etree._Element:
    if body.startswith(b"\xef\xbb\xbf"):
        raise SoapFault("S006", "BOM")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SoapFault("S006", "UTF-8") from error
    if body.startswith(b"<?xml"):
        declaration = _DECLARATION.match(body)
        if declaration is None or (declaration[3] or b"utf-8").lower() != b"utf-8":
            raise SoapFault("S006", "XML 声明")
    _refuse_doctype(body)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        recover=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SoapFault("S006", "XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise SoapFault("S006", "DOCTYPE")
    if root.getprevious() is not None or root.getnext() is not None:
        raise SoapFault("S006", "处理指令")  # SOAP 1.1 §3
    return root


def _refuse_doctype(body: bytes) -> None:
    """A DOCTYPE stands before the root alone: it is refused before the parser sees any entity."""
    position = 0
    while (match := _PROLOG.match(body, position)) is not None:
        position = match.end()
    if body.startswith(b"<!", position):
        raise SoapFault("S006", "DOCTYPE")


def _only(envelope: etree._Element) -> etree._Element:
    """The one business element in soap:Envelope/soap:Body."""
    if envelope.tag != f"{{{SOAP}}}Envelope":
        raise SoapFault("S006", "Envelope")
    parts = _children(envelope, SOAP)
    if len(parts) != 1 or parts[0].tag != f"{{{SOAP}}}Body":
        raise SoapFault("S006", "Body")
    contents = _children(parts[0])
    if len(contents) != 1:
        raise SoapFault("S006", "Body")
    return contents[0]


def _read(children: list[etree._Element], entries: tuple[Item | Rows, ...], parent: etree._Element) -> Items:
    """The items among ``children`` in the order of ``entries``; each at most once."""
    items: Items = {}
    places = {entry.name: place for place, entry in enumerate(entries)}
    last = -1
    for child in children:
        name = _local(child)
        place = places.get(name, -1)
        if place <= last:
            # An unknown name is not repeated: it is the sender's text.
            raise SoapFault("S006", f"{_local(parent)}: {name if place >= 0 else '未知数据项'}")
        last = place
        entry = entries[place]
        if isinstance(entry, Item):
            if text := _text(child):
                items[name] = text
        elif rows := _rows(child, entry):
            items[name] = rows
    return items


def _rows(element: etree._Element, rows: Rows) -> list[Row]:
    found = []
    for child in _children(element):
        if _local(child) != rows.row:
            raise SoapFault("S006", f"{rows.name}: 未知数据项")
        found.append(_fields(child, rows.items))
    return found


def _fields(element: etree._Element, items: tuple[Item, ...]) -> Row:
    read_items = _read(_children(element), items, element)
    return {name: text for name, text in read_items.items() if isinstance(text, str)}


def _children(element: etree._Element, namespace: str = NAMESPACE) -> list[etree._Element]:
    """The child elements of an element that has no text of its own."""
    _refuse_attributes(element)
    if (element.text or "").strip(_SPACE):
        raise SoapFault("S006", f"{_local(element)}: 多余文字")
    children = list(element)
    for child in children:
        if not isinstance(child.tag, str) or not child.tag.startswith(f"{{{namespace}}}"):
            raise SoapFault("S006", f"{_local(element)}: 命名空间")
        if (child.tail or "").strip(_SPACE):
            raise SoapFault("S006", f"{_local(element)}: 多余文字")
    return children


def _text(element: etree._Element) -> str:
    _refuse_attributes(element)
    if len(element):
        raise SoapFault("S006", f"{_local(element)}: 多余数据项")
    return element.text or ""


def _refuse_attributes(element: etree._Element) -> None:
    if element.attrib:
        raise SoapFault("S006", f"{_local(element)}: 属性")


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname
