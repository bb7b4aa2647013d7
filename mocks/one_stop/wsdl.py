"""The WSDL of the page's table (§1), with the schema made from the same data as the checks."""

from __future__ import annotations

from mocks.one_stop.schema import HEADER, HEADER_ITEMS, NAMESPACE, OPERATIONS, PAGE_ITEMS, PAGES, Item, Operation, Rows


def wsdl(address: str) -> str:
    """WSDL 1.1, SOAP 1.1, document/literal; ``address`` of the port."""
    messages = "".join(
        f'<w:message name="{name}{part}"><w:part name="parameters" element="t:{name}{part}"/></w:message>'
        for name in OPERATIONS
        for part in ("Request", "Response")
    )
    port = "".join(
        f'<w:operation name="{name}"><w:input message="t:{name}Request"/><w:output message="t:{name}Response"/>'
        "</w:operation>"
        for name in OPERATIONS
    )
    binding = "".join(
        f'<w:operation name="{name}"><s:operation soapAction="{NAMESPACE}#{name}"/>'
        '<w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>'
        for name in OPERATIONS
    )
    requests = "".join(_request(operation) + _response(operation) for operation in OPERATIONS.values())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"'
        f' xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
        f'<w:types><x:schema targetNamespace="{NAMESPACE}" elementFormDefault="qualified">{requests}</x:schema>'
        "</w:types>"
        f'{messages}<w:portType name="DisputeExchangePort">{port}</w:portType>'
        '<w:binding name="DisputeExchangeBinding" type="t:DisputeExchangePort">'
        f'<s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{binding}</w:binding>'
        '<w:service name="DisputeExchangeService"><w:port name="DisputeExchangePort"'
        f' binding="t:DisputeExchangeBinding"><s:address location="{address}"/></w:port></w:service></w:definitions>'
    )


def _request(operation: Operation) -> str:
    inner = _group(HEADER, "".join(map(_element, HEADER_ITEMS)))
    inner += "".join(_rows(entry) if isinstance(entry, Rows) else _element(entry) for entry in operation.items)
    if operation.paged:
        inner += _rows(Rows(PAGES, "续页", PAGE_ITEMS))
    return _group(f"{operation.name}Request", inner)


def _response(operation: Operation) -> str:
    names = ("retCode", "retMessage", "errCode", "外部编号", "平台编号", "重复标志")
    inner = "".join(f'<x:element name="{name}" type="x:string"/>' for name in names)
    inner += '<x:element name="项名" type="x:string" minOccurs="0"/>'
    if operation.name == "pullChanges":
        inner += '<x:element name="变更列表" type="x:anyType" minOccurs="0"/>'
        inner += "".join(f'<x:element name="{name}" type="x:string" minOccurs="0"/>' for name in ("新游标", "EOPSIGN"))
    return _group(f"{operation.name}Response", inner)


def _rows(rows: Rows) -> str:
    inner = "".join(map(_element, rows.items))
    row = _group(rows.row, inner).replace("<x:element ", '<x:element maxOccurs="unbounded" ', 1)
    return _group(rows.name, row, optional=not rows.required)


def _element(item: Item) -> str:
    optional = "" if item.required else ' minOccurs="0"'
    return f'<x:element name="{item.name}" type="x:string"{optional}/>'


def _group(name: str, inner: str, *, optional: bool = False) -> str:
    least = ' minOccurs="0"' if optional else ""
    return (
        f'<x:element name="{name}"{least}><x:complexType><x:sequence>{inner}</x:sequence></x:complexType></x:element>'
    )
