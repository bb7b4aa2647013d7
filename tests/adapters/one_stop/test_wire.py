"""SOAP bytes: what we build, and what we make of a stranger's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.one_stop.pages import without_forbidden
from adapters.one_stop.wire import (
    NAMESPACE,
    REPLY_LIMIT,
    Node,
    Unreadable,
    build,
    read,
    read_body,
    soap_action,
    write,
)

from .platform import envelope, response

AT = datetime(2026, 9, 30, 9, 5, 3, tzinfo=UTC)
HEAD = {"外部编号": "dlv_1", "机构编码": "SD-JN-LX-001"}


def test_the_order_is_the_platforms_whatever_the_payloads() -> None:
    raw = build("bindId", {"案件外部编号": "ref_1", "平台编号": "1", "报文头": HEAD}, AT)
    request = read_body(raw)
    assert [child.name for child in request.children] == ["报文头", "平台编号", "案件外部编号"]
    head = request.one("报文头")
    assert head is not None
    assert [(child.name, child.text) for child in head.children] == [
        ("外部编号", "dlv_1"),
        ("机构编码", "SD-JN-LX-001"),
        ("发送时间", "2026-09-30 17:05:03"),
    ]


def test_bytes_are_utf_8_without_mark_attributes_or_other_namespaces() -> None:
    raw = build("ping", {"报文头": HEAD}, AT)
    assert raw.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    root = etree.fromstring(raw)
    for element in root.iter():
        assert not element.attrib
    body = root[0]
    assert etree.QName(body).namespace == "http://schemas.xmlsoap.org/soap/envelope/"
    assert {etree.QName(element).namespace for element in body.iterdescendants()} == {NAMESPACE}


def test_carriage_returns_survive() -> None:
    raw = build("bindId", {"报文头": HEAD, "平台编号": "1", "案件外部编号": "a\r\nb\rc"}, AT)
    assert b"a&#13;\nb&#13;c" in raw
    assert read_body(raw).value("案件外部编号") == "a\r\nb\rc"


def test_soap_action_has_its_quotes() -> None:
    assert soap_action("reportCase") == '"urn:sdzz:mdjf:1#reportCase"'


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_goes_over_exactly(text: str) -> None:
    kept = without_forbidden(text)
    raw = build("bindId", {"报文头": HEAD, "平台编号": "1", "案件外部编号": kept}, AT)
    assert (read_body(raw).value("案件外部编号") or "") == kept


# ----------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("encoding", ["UTF-8", "utf-8", "GB18030", "gb18030", "GBK", "gb2312"])
def test_the_declaration_decides(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + response("ping", "x", message="成功")
    assert read_body(text.encode(encoding)).value("retMessage") == "成功"


def test_four_byte_gb18030() -> None:
    text = '<?xml version="1.0" encoding="GB18030"?>' + response("ping", "x", message="𠮷野家ḿ")
    assert read_body(text.encode("gb18030")).value("retMessage") == "𠮷野家ḿ"


def test_no_declaration_is_utf_8_and_a_mark_is_passed_over() -> None:
    assert read_body(response("ping", "x").encode()).value("retMessage") == "成功"
    assert read_body(b"\xef\xbb\xbf" + response("ping", "x").encode()).value("retMessage") == "成功"
    single = b"<?xml version='1.0' encoding='gb18030' standalone='yes' ?>\n" + response("ping", "x").encode("gb18030")
    assert read_body(single).value("retMessage") == "成功"


# ------------------------------------------------------------------------------------------------------- hostile bytes

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
SOUND = response("ping", "x")

HOSTILE = {
    "empty": (b"", "empty"),
    "white": (b" \r\n\t", "empty"),
    "bomb": ((BOMB + envelope("<a>&c;</a>")).encode(), "doctype"),
    "doctype": (b"<!DOCTYPE html>" + SOUND.encode(), "doctype"),
    "doctype behind a comment": (
        b"<!-- x --> <?pi y?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'>" + SOUND.encode(),
        "doctype",
    ),
    "html page": (b"<!DOCTYPE html><html><body>maintenance</body></html>", "doctype"),
    "html without doctype": (b"<html><body><p>maintenance</p></body></html>", "no_envelope"),
    "html unclosed": (b"<html><body><br></body></html>", "not_well_formed"),
    "json": (b'{"retCode": 1}', "not_well_formed"),
    "truncated": (SOUND.encode()[:-30], "not_well_formed"),
    "truncated in a character": (SOUND.encode()[: SOUND.encode().index("成".encode()) + 1], "encoding"),
    "gbk declared utf-8": (b'<?xml version="1.0" encoding="UTF-8"?>' + SOUND.encode("gbk"), "encoding"),
    "gbk undeclared": (SOUND.encode("gbk"), "encoding"),
    "utf-8 declared gb18030": (b'<?xml version="1.0" encoding="GB18030"?>' + SOUND.encode(), None),
    "utf-16": (SOUND.encode("utf-16"), "encoding"),
    "unknown encoding": (b'<?xml version="1.0" encoding="latin1"?>' + SOUND.encode(), "encoding"),
    "deep": (envelope("<a>" * 200 + "</a>" * 200).encode(), "too_deep"),
    "deeper": (envelope("<a>" * 5000 + "</a>" * 5000).encode(), "not_well_formed"),
    "many": (envelope("<a/>" * 100_001).encode(), "too_many_elements"),
    "large": (envelope("<a>" + "x" * REPLY_LIMIT + "</a>").encode(), "too_large"),
    "undeclared entity": (envelope("<a>&x;</a>").encode(), "not_well_formed"),
    "two roots": (SOUND.encode() * 2, "not_well_formed"),
    "no body": (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>', "no_body"),
    "empty body": (envelope("").encode(), "no_body"),
    "two elements in the body": (envelope("<a/><b/>").encode(), "no_body"),
    "another namespace": (SOUND.replace("schemas.xmlsoap.org", "example.org").encode(), "no_envelope"),
    "soap 1.2": (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><a/></e:Body></e:Envelope>',
        "no_envelope",
    ),
    "nul": (envelope("<a>\0</a>").encode(), "not_well_formed"),
    "cdata never closed": (envelope("<a><![CDATA[").encode(), "not_well_formed"),
    "comment never closed": (b"<!-- " + SOUND.encode(), "not_well_formed"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_unreadable_and_quoted_nowhere(name: str) -> None:
    raw, code = HOSTILE[name]
    with pytest.raises(Unreadable) as caught:
        read_body(raw)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    if code is not None:
        assert caught.value.code == code


def test_a_doctype_inside_a_text_is_text() -> None:
    written = response("ping", "x", message="<![CDATA[<!DOCTYPE html> wrote the party]]>")
    assert read_body(written.encode()).value("retMessage") == "<!DOCTYPE html> wrote the party"
    escaped = response("ping", "x", message="&lt;!DOCTYPE&gt;")
    assert read_body(escaped.encode()).value("retMessage") == "<!DOCTYPE>"


def test_comments_and_instructions_do_not_break_a_text() -> None:
    found = read_body(response("ping", "x", message="成<!-- x -->功<?pi?>了").encode())
    assert found.value("retMessage") == "成功了"


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_else_than_be_read_or_refused(raw: bytes) -> None:
    for given_bytes in (raw, b"<a>" + raw + b"</a>", b'<?xml version="1.0" encoding="GB18030"?><a>' + raw + b"</a>"):
        try:
            assert isinstance(read(given_bytes), Node)
        except Unreadable:
            continue


# --------------------------------------------------------------------------------------------------------------- nodes


def test_prefixes_and_white_space_are_free() -> None:
    pretty = """
    <S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="urn:sdzz:mdjf:1">
      <S:Header/>
      <S:Body>
        <m:pingResponse>
          <m:retCode>1</m:retCode> <m:retMessage> 成功 </m:retMessage>
        </m:pingResponse>
      </S:Body>
    </S:Envelope>"""
    found = read_body(pretty.encode())
    assert (found.namespace, found.name) == (NAMESPACE, "pingResponse")
    assert found.value("retCode") == "1"
    assert found.value("retMessage") == " 成功 "


def test_a_doubled_element_and_one_with_elements_in_it_are_unreadable() -> None:
    doubled = read_body(envelope('<a xmlns="urn:sdzz:mdjf:1"><b>0</b><b>1</b><c><d/></c></a>').encode())
    with pytest.raises(Unreadable, match="doubled_element"):
        doubled.value("b")
    with pytest.raises(Unreadable, match="element_in_item"):
        doubled.value("c")


def test_empty_is_absent() -> None:
    found = read_body(envelope('<a xmlns="urn:sdzz:mdjf:1"><b/><c></c></a>').encode())
    assert found.value("b") is None
    assert found.value("c") is None
    assert found.value("d") is None


NAMES = st.sampled_from(["变更", "变更序号", "内容", "x"])
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8).map(without_forbidden)
NODES = st.recursive(
    st.builds(Node, st.sampled_from([NAMESPACE, "", "urn:other"]), NAMES, TEXTS, st.just(())),
    lambda below: st.builds(
        Node,
        st.sampled_from([NAMESPACE, "", "urn:other"]),
        NAMES,
        st.just(""),
        st.lists(below, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=8,
)


@given(NODES)
def test_an_element_written_alone_reads_the_same(node: Node) -> None:
    assert read(write(node)) == node


def test_one_content_has_one_form() -> None:
    one = '<变更 xmlns="urn:sdzz:mdjf:1"><变更序号>1</变更序号></变更>'
    other = '<x:变更 xmlns:x="urn:sdzz:mdjf:1" a="b">\n  <x:变更序号>1</x:变更序号><!-- x --></x:变更>'
    assert write(read(one.encode())) == write(read(other.encode()))
