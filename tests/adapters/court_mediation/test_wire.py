"""The platform's bytes: the page's worked request, forms, multipart bodies, cookies, the envelope."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.court_mediation import wire
from contracts.adapter import Json, Reply, Request
from tests.adapters.court_mediation.platform import LOGIN_PAGE, PORTAL, answer, html, login_page, parts_of, raw

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def test_the_worked_request_of_the_page() -> None:
    page = (
        '{"tjbh":"dlv_01JB2Z9K7Q4N","fydm":"鲁0102","jgdm":"SD-JN-LX-001",'
        '"jgmc":"济南市历下区劳动人事争议仲裁院调解中心","rwbh":"WP20260928000123","jieguo":"1"}'
    )
    body = wire.mediation_form(json.loads(page))
    assert body.startswith(
        b"mediationFormStr=%7B%22tjbh%22%3A%22dlv_01JB2Z9K7Q4N%22%2C%22fydm%22%3A%22%E9%B2%810102%22"
    )
    assert parse_qsl(body.decode("ascii"), strict_parsing=True) == [("mediationFormStr", page)]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_any_text_travels_through_a_form(payload: Json) -> None:
    fields = parse_qsl(wire.mediation_form(payload).decode("ascii"), strict_parsing=True)
    assert [name for name, _ in fields] == ["mediationFormStr"]
    assert json.loads(fields[0][1]) == payload


def test_the_size_of_a_form_is_known_before_its_files_are_uploaded() -> None:
    payload = {"a": "文", "docList": [{"text": "长" * 9000, "fjlx": "12", "wjmc": "a.txt"}]}
    sent = wire.with_file_ids(payload, lambda number: f"{number:032d}")
    assert sent["docList"] == [{"fileId": "0" * 32, "fjlx": "12", "wjmc": "a.txt"}]
    assert wire.largest_form(payload) == len(wire.mediation_form(sent))
    assert wire.with_file_ids({"a": "b"}, str) == {"a": "b"}


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\%'), min_size=1),
)
def test_a_multipart_body_reads_as_what_went_in(data: bytes, name: str) -> None:
    content_type, body = wire.multipart("f" * 32, "05", name, "application/pdf", data)
    request = Request("POST", "http://127.0.0.1", (("Content-Type", content_type),), body)
    head, _, rest = body.partition(b"\r\n\r\n05\r\n")
    assert head.endswith(b'Content-Disposition: form-data; name="fjlx"')
    assert f'name="file"; filename="{name}"\r\nContent-Type: application/pdf\r\n\r\n'.encode() in rest
    assert body.endswith(data + b"\r\n--" + b"f" * 32 + b"--\r\n")
    assert parts_of(request)[0] == "05"


def test_a_file_name_cannot_break_its_header() -> None:
    _, body = wire.multipart("f" * 32, "12", 'a"\r\nX: y\r\n\r\n', "application/pdf", b"data")
    assert b'filename="a%22%0D%0AX: y%0D%0A%0D%0A"\r\n' in body


@pytest.mark.parametrize(
    ("reply", "is_one"),
    [
        (login_page(), True),
        (raw(LOGIN_PAGE, 200, "text/html"), True),
        (raw(LOGIN_PAGE, 200, "TEXT/HTML; charset=GBK"), True),
        (html(PORTAL), False),
        (html(b"-1"), False),
        (html(LOGIN_PAGE, 500), False),
        (raw(LOGIN_PAGE), False),
        (Reply(200, (), LOGIN_PAGE), False),
        (answer("400", msg='id="loginForm"'), False),
    ],
)
def test_a_login_page_is_told_narrowly(reply: Reply, is_one: bool) -> None:
    assert wire.is_login_page(reply) is is_one


@pytest.mark.parametrize(
    ("headers", "cookie"),
    [
        ([("Set-Cookie", f"JSESSIONID={'A1' * 16}; Path=/fayuan; HttpOnly")], "A1" * 16),
        ([("Set-Cookie", "x=y"), ("set-cookie", f"JSESSIONID={'0' * 32}")], "0" * 32),
        ([("Set-Cookie", "JSESSIONID=short")], None),
        ([("Set-Cookie", "XJSESSIONID=" + "A" * 32)], None),
        ([("Cookie", "JSESSIONID=" + "A" * 32)], None),
        ([], None),
    ],
)
def test_the_session_cookie(headers: list[tuple[str, str]], cookie: str | None) -> None:
    assert wire.session_cookie(Reply(200, tuple(headers))) == cookie


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"-1", "minus_one"),
        (b" -1\r\n", "minus_one"),
        (b"", "not_json"),
        (b'{"code":"200","content":{"uuid":"6F', "not_json"),
        (PORTAL, "not_json"),
        ('{"code":"200","msg":"成功"}'.encode("gbk"), "not_utf8"),
        (b"\x1f\x8b\x08\x00", "not_utf8"),
        (b'{"code":"200","code":"500"}', "doubled_key"),
        (b"[]", "not_an_object"),
        (b'"200"', "not_an_object"),
        (b"{}", "no_code"),
        (b'{"code":""}', "no_code"),
        (b'{"code":null}', "no_code"),
        (b'{"code":true}', "no_code"),
        (b'{"code":200.5}', "no_code"),
        (b'{"code":["200"]}', "no_code"),
        (b'{"code":"200","content":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
    ],
)
def test_what_is_no_envelope(body: bytes, code: str) -> None:
    with pytest.raises(wire.Unreadable) as refused:
        wire.read_envelope(body)
    assert refused.value.code == code


@pytest.mark.parametrize("code", ['"200"', "200"])
def test_the_code_is_compared_as_text(code: str) -> None:
    envelope = wire.read_envelope(f'{{"code":{code},"msg":"操作成功","content":{{"uuid":"1"}}}}'.encode())
    assert envelope == wire.Envelope("200", "操作成功", {"uuid": "1"})


@pytest.mark.parametrize("content", ["null", "[]", '"x"', "7"])
def test_content_that_is_no_object_is_empty(content: str) -> None:
    assert wire.read_envelope(f'{{"code":"200","content":{content}}}'.encode()).content == {}


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ({"a": "1", "b": [{"c": "x"}, "y"], "d": {}}, True),
        ({"a": 1}, False),
        ({"a": None}, False),
        ({"a": [{"b": True}]}, False),
        ({"a": {"b": 1.5}}, False),
    ],
)
def test_all_values_are_strings(value: Any, holds: bool) -> None:
    assert wire.only_strings(value) is holds
