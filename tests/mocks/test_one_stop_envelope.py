"""The one-stop platform's envelope: SOAPAction, strict XML, encodings of its replies, sizes, WSDL."""

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mocks.one_stop_client import NS, ORGANIZATION, SOAP, Client, envelope, ping, running, xml


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "one_stop") as there:
        yield there


async def test_soapaction_must_name_the_operation_of_the_body(client: Client) -> None:
    for action in (f'"{NS}#pullChanges"', f"{NS}#ping", '"ping"', f'"{NS}#pong"', '""'):
        reply = await client.post(ping(), client.headers("ping", SOAPAction=action))
        assert reply.fault == ("S007", "soap:Client", ""), action
    headers = client.headers("ping")
    del headers["SOAPAction"]
    assert (await client.post(ping(), headers)).fault[0] == "S007"
    assert (await client.post(ping().replace("pingRequest", "pongRequest"), client.headers("ping"))).fault[0] == "S007"


async def test_content_type_is_text_xml_in_utf8(client: Client) -> None:
    for wrong in ("application/xml; charset=UTF-8", "text/xml", "text/xml; charset=GB18030"):
        assert (await client.post(ping(), client.headers("ping", **{"Content-Type": wrong}))).fault[0] == "S006"
    fine = client.headers("ping", **{"Content-Type": 'text/xml;charset="utf-8"'})
    assert (await client.post(ping(), fine))["retCode"] == "1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\xef\xbb\xbf" + ping().encode(),
        ping("\u4e2d").encode("gb18030"),
        b'<?xml version="1.0" encoding="GB18030"?>' + ping().encode(),
        b'<?xml version="1.1"?>' + ping().encode(),
        b"<!DOCTYPE x>" + ping().encode(),
        b'<?xml version="1.0"?><!-- c --><!DOCTYPE x [<!ENTITY a "b">]>' + ping().encode(),
        ping().replace(">p1<", ">&a;<").encode(),
        b"<?pi x?>" + ping().encode(),
        ping().replace("<pingRequest>", '<pingRequest a="1">').encode(),
        ping().replace("<外部编号>", '<外部编号 xml:space="preserve">').encode(),
        ping().replace("<pingRequest>", "<pingRequest>text").encode(),
        ping().replace("</报文头>", "</报文头>text").encode(),
        ping().replace("</报文头>", "</报文头><附加>1</附加>").encode(),
        ping().replace("<报文头>", '<报文头 xmlns="urn:other">').encode(),
        ping().replace(f' xmlns="{NS}"', "").encode(),
        ping().replace(SOAP, "http://www.w3.org/2003/05/soap-envelope").encode(),
        ping().replace("<soap:Body>", "<soap:Header/><soap:Body>").encode(),
        ping().replace("</soap:Body>", "<x/></soap:Body>").encode(),
        ping().replace("<发送时间>", "<发送时间><b/>").encode(),
        ping()
        .replace("<外部编号>p1</外部编号>", "")
        .replace("</发送时间>", "</发送时间><外部编号>p1</外部编号>")
        .encode(),
        ping().replace("</外部编号>", "</外部编号><外部编号>p2</外部编号>").encode(),
        envelope("ping", "").encode(),
        ping().replace(">p1<", ">p\x01<").encode(),
        ping().replace(">p1<", ">&#1;<").encode(),
        ping()[:-4].encode(),
    ],
)
async def test_what_is_not_of_the_schema_is_s006(client: Client, body: bytes) -> None:
    reply = await client.post(body, client.headers("ping"))
    assert reply.status == 500
    assert reply.fault == ("S006", "soap:Client", "")


async def test_what_the_page_leaves_free_is_taken(client: Client) -> None:
    header = {"外部编号": "p-2", "机构编码": ORGANIZATION, "发送时间": "2026-09-30 17:05:03"}
    inner = xml(header).replace("<", "\n <n:").replace("<n:/", "</n:")
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<e:Envelope xmlns:e="{SOAP}">\r\n<e:Body><!-- x -->\n'
        f'<n:pingRequest xmlns:n="{NS}">\n<n:报文头>{inner}</n:报文头>\n</n:pingRequest>\n</e:Body></e:Envelope>\n'
    ).replace("\n </n:", "</n:")
    reply = await client.post(body, client.headers("ping"))
    assert (reply["retCode"], reply["外部编号"]) == ("1", "p-2")


async def test_every_third_reply_is_gb18030_and_its_charset_is_missing_or_wrong(client: Client) -> None:
    replies = [await client.call("ping", {}) for _ in range(9)]
    assert [b'encoding="GB18030"' in reply.raw[:60] for reply in replies] == [False, False, True] * 3
    assert all(reply["retMessage"] == "成功" for reply in replies)
    assert {replies[number].headers["Content-Type"] for number in (2, 5)} == {"text/xml", "text/xml; charset=utf-8"}
    assert {reply.raw.startswith(b"<?xml") for reply in replies if b"GB18030" not in reply.raw[:60]} == {True, False}


async def test_the_size_of_a_request_is_bounded(client: Client) -> None:
    body = ping().replace("</报文头>", "</报文头>" + " " * (1024 * 1024 - len(ping().encode())))
    assert len(body.encode()) == 1024 * 1024
    assert (await client.post(body, client.headers("ping")))["retCode"] == "1"
    assert (await client.post(body + " ", client.headers("ping"))).status == 413


async def test_the_wsdl_has_the_table_of_the_page(client: Client) -> None:
    async with client.session.get(f"{client.address}?wsdl") as answer:
        assert answer.status == 200
        root = ET.fromstring(await answer.text())  # noqa: S314 -- the mock's own answer
    wsdl, soap = "{http://schemas.xmlsoap.org/wsdl/}", "{http://schemas.xmlsoap.org/wsdl/soap/}"
    assert root.attrib["targetNamespace"] == NS
    assert root.find(f"{wsdl}service").attrib["name"] == "DisputeExchangeService"  # type: ignore[union-attr] # asserted
    names = [element.attrib["name"] for element in root.findall(f"{wsdl}portType/{wsdl}operation")]
    actions = [element.attrib["soapAction"] for element in root.iter(f"{soap}operation")]
    assert len(names) == 11
    assert actions == [f"{NS}#{name}" for name in names]
    async with client.session.get(client.address) as answer:
        assert answer.status == 405
