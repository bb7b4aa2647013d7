"""Login, sessions, limits, forms and uploads of the court's mock (court_mediation §1, §2, §8.1)."""

import asyncio
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from mocks.court_mediation.court import CourtMediation
from mocks.court_mediation.settings import Settings
from tests.mocks.court_client import FORM, HEAD, PDF, PNG, agreement, court


async def test_login_gives_a_session_of_twenty_minutes(tmp_path: Path) -> None:
    async with court(tmp_path, log_in=False) as client:
        ping = await client.send("/fayuan/a/ping", b"", method="GET")
        assert (ping.status, ping.body) == (200, b"pong")
        reply = await client.login()
        assert reply.json == {"code": "200", "msg": "登录成功", "content": {"yxsj": "1200"}}
        assert reply.headers["Content-Type"].lower() == "application/json; charset=utf-8"
        name, *attributes = reply.headers["Set-Cookie"].split("; ")
        assert re.fullmatch(r"JSESSIONID=[0-9A-F]{32}", name)
        assert set(attributes) == {"Path=/fayuan", "HttpOnly"}
        assert await client.query("unknown") == []


async def test_a_wrong_login_gets_no_cookie_and_the_fifth_locks(tmp_path: Path) -> None:
    async with court(tmp_path, log_in=False) as client:
        right = client.yzsj()
        lower = client.password(right).lower()
        late = f"{client.now().replace(year=2020):%Y%m%d%H%M%S}"
        for yzsj, password in [("", "F" * 64), (right, lower), (late, ""), ("2026", "")]:
            reply = await client.login(yzsj, password)
            assert (reply.status, reply.code) == (200, "401")
            assert "Set-Cookie" not in reply.headers
        assert (await client.login(username="somebody")).code == "401"
        assert (await client.login(password="0" * 64)).code == "423"
        assert (await client.login()).code == "423"
        await client.mock("clock", {"shift_s": 30 * 60 + 1})
        assert (await client.login()).code == "200"


async def test_failures_more_than_ten_minutes_apart_do_not_lock(tmp_path: Path) -> None:
    async with court(tmp_path, log_in=False) as client:
        for _ in range(6):
            assert (await client.login(password="0" * 64)).code == "401"
            await client.mock("clock", {"shift_s": 151})


async def test_one_yzsj_serves_once_also_over_a_restart(tmp_path: Path) -> None:
    async with court(tmp_path, log_in=False) as client:
        yzsj = client.yzsj()
        assert (await client.login(yzsj)).code == "200"
        assert (await client.login(yzsj)).code == "401"
    async with court(tmp_path, log_in=False) as client:
        assert (await client.login(yzsj)).code == "401"


@pytest.mark.parametrize(
    "body",
    [
        "username=a&yzsj=b",
        "username=a&yzsj=b&password=c&more=d",
        "username=a&username=a&yzsj=b&password=c",
    ],
)
async def test_a_login_form_has_three_fields(tmp_path: Path, body: str) -> None:
    async with court(tmp_path, log_in=False) as client:
        assert (await client.send("/fayuan/a/login", body.encode())).code == "1001"


async def test_without_a_session_there_is_the_login_page(tmp_path: Path) -> None:
    async with court(tmp_path, log_in=False) as client:
        for cookie in ("", "0" * 32):
            client.cookie = cookie
            assert (await client.post("query/byTjbh", {"tjbh": "x"})).is_login_page
            assert (await client.upload("05")).is_login_page
            assert (await client.post("mediator/save", {"tjbh": "x"})).is_login_page
        assert await client.mock("records") == []


async def test_a_session_ends_by_idleness_and_by_age(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        for _ in range(6):
            await client.mock("clock", {"shift_s": 19 * 60})
            assert await client.query("x") == []
        await client.mock("clock", {"shift_s": 7 * 60})
        assert (await client.post("query/byTjbh", {"tjbh": "x"})).is_login_page
        await client.login()
        await client.mock("clock", {"shift_s": 20 * 60})
        assert (await client.post("query/byTjbh", {"tjbh": "x"})).is_login_page


async def test_the_fourth_login_ends_the_oldest_session(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        cookies = [client.cookie]
        for _ in range(3):
            await client.login()
            cookies.append(client.cookie)
        alive = [
            not (await client.send("/fayuan/a/query/byTjbh", b"x", cookie=cookie)).is_login_page for cookie in cookies
        ]
        assert alive == [False, True, True, True]


async def test_the_sixth_request_of_a_second_is_429(tmp_path: Path) -> None:
    async with court(tmp_path, rate_per_s=5) as client:  # the login was the first
        codes = [(await client.post("query/byTjbh", {"tjbh": "x"})).code for _ in range(6)]
        assert codes == ["200"] * 4 + ["429"] * 2
        assert (await client.login()).code == "429"
        await asyncio.sleep(1)
        assert (await client.login()).code == "200"


async def test_every_fifth_reply_has_its_code_as_a_number(tmp_path: Path) -> None:
    async with court(tmp_path, number_every=5) as client:  # the login was the first reply
        codes = [(await client.post("query/byTjbh", {"tjbh": "x"})).json["code"] for _ in range(9)]
        assert codes == ["200"] * 3 + [200] + ["200"] * 4 + [200]


def _form(text: str) -> bytes:
    return urlencode({"mediationFormStr": text}).encode()


_GOOD = json.dumps({"tjbh": "dlv_1", **HEAD, "zsbh": "LDTJ-1", "xm": "李明"}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (_form(_GOOD), "application/json"),
        (_form(_GOOD), "application/x-www-form-urlencoded"),
        (_form(_GOOD), "application/x-www-form-urlencoded; charset=GBK"),
        (_form(_GOOD) + b"&x=1", FORM),
        (b"x=1&" + _form(_GOOD), FORM),
        (_form(_GOOD) * 2, FORM),
        (b"form=" + quote(_GOOD).encode(), FORM),
        (b"mediationFormStr=" + quote(_GOOD.encode("gbk")).encode(), FORM),
        (b"mediationFormStr=%7B%2", FORM),
        (("mediationFormStr=" + _GOOD).encode(), FORM),
        (_form(_GOOD[:-1]), FORM),
        (_form(f"[{_GOOD}]"), FORM),
        (_form(_GOOD[:-1] + ', "xb": 0}'), FORM),
        (_form(_GOOD[:-1] + ', "xb": null}'), FORM),
        (_form(_GOOD[:-1] + ', "xb": true}'), FORM),
        (_form(_GOOD[:-1] + ', "xb": NaN}'), FORM),
        (_form(_GOOD[:-1] + ', "xm": "李明"}'), FORM),
        (_form(_GOOD[:-1] + ', "dh": "\\ud800"}'), FORM),
        (_form('{"a":' * 2000 + "1" + "}" * 2000), FORM),
        (_form("[" * 100000), FORM),
        (_form("1" * 5000), FORM),
        (b"", FORM),
    ],
)
async def test_a_form_that_is_no_such_form_is_1001(tmp_path: Path, body: bytes, content_type: str) -> None:
    async with court(tmp_path) as client:
        reply = await client.send("/fayuan/a/mediator/save", body, content_type)
        assert (reply.status, reply.code) == (200, "1001")
        assert "<br>" in reply.json["msg"]
        assert await client.mock("records") == []


async def test_spaces_may_be_written_in_both_ways(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        text = json.dumps({"tjbh": "a b", **HEAD, "zsbh": "LDTJ 1", "xm": "李 明"}, ensure_ascii=False)
        for body in (b"mediationFormStr=" + quote(text).encode(), _form(text)):
            reply = await client.send(
                "/fayuan/a/mediator/save", body, "application/x-www-form-urlencoded;charset=utf-8"
            )
            assert (reply.code, reply.content["tjbh"]) == ("200", "a b")


async def test_sizes_over_the_limit_are_413(tmp_path: Path) -> None:
    async with court(tmp_path, file_limit=20000, form_limit=1024) as client:
        full = PDF + b"x" * (20000 - len(PDF))
        assert (await client.upload("05", full)).content["wjdx"] == "20000"
        assert (await client.upload("05", full + b"x")).code == "413"
        assert (await client.upload("05", PDF + bytes(200000))).code == "413"
        assert (await client.post("query/byTjbh", {"tjbh": "x" * 1024})).code == "413"
        assert (await client.send("/fayuan/a/login", b"x" * 1025)).code == "413"


async def test_the_pages_sizes_are_the_defaults() -> None:
    settings = Settings.model_validate(CourtMediation.default_config("http://127.0.0.1:1", "http://127.0.0.1:2"))
    assert (settings.form_limit, settings.file_limit) == (1 << 20, 20 << 20)
    assert list(settings.callback_waits_s) == [30, 120, 600, 1800, 7200, 21600, 86400]
    assert (settings.rate_per_s, settings.index_lag_s, settings.link_life_s) == (5, 10, 600)
    assert (settings.session_idle_s, settings.session_life_s, settings.sessions) == (1200, 7200, 3)


@pytest.mark.parametrize("key", ["00" * 32, "ab" * 31, "xy" * 32, ""])
async def test_a_weak_callback_key_is_no_configuration(key: str) -> None:
    config = CourtMediation.default_config("http://127.0.0.1:1", "http://127.0.0.1:2")
    with pytest.raises(ValueError, match="callback_key"):
        Settings.model_validate({**config, "callback_key": key})


def _archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (PDF, "调解协议书.pdf", "application/pdf"),
        (PNG, "照片.png", "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(8), "照片.jpg", "image/jpeg"),
        (_archive("OFD.xml", "Doc_0/Document.xml"), "裁决.ofd", "application/ofd"),
        ("全文……".encode(), "agreement.txt", "text/plain; charset=utf-8"),
    ],
)
async def test_five_kinds_of_files_are_taken(tmp_path: Path, content: bytes, name: str, media_type: str) -> None:
    async with court(tmp_path) as client:
        first, second = [await client.upload("12", content, name, media_type) for _ in range(2)]
        assert re.fullmatch(r"[0-9A-Za-z]{32}", first.content["fileId"])
        assert first.content["fileId"] != second.content["fileId"]
        assert first.content["wjdx"] == str(len(content))
        assert first.content["sha256"] == hashlib.sha256(content).hexdigest()
        assert [entry["payload"]["wjmc"] for entry in await client.journal("file/upload")] == [name, name]


@pytest.mark.parametrize(
    ("fjlx", "content"),
    [
        ("05", b"MZ\x90\x00" + bytes(60)),
        ("05", _archive("word/document.xml")),
        ("05", b"PK\x03\x04" + bytes(30)),
        ("05", b""),
        ("05", bytes(10)),
        ("14", PDF),
        ("5", PDF),
        ("", PDF),
    ],
)
async def test_other_files_and_classes_are_refused(tmp_path: Path, fjlx: str, content: bytes) -> None:
    async with court(tmp_path) as client:
        assert (await client.upload(fjlx, content)).code == "1001"


@pytest.mark.parametrize(
    "parts",
    [
        [("file", b'; filename="a.pdf"', PDF), ("fjlx", b"", b"05")],
        [("fjlx", b"", b"05")],
        [("fjlx", b"", b"05"), ("file", b"", PDF)],
        [("fjlx", b"", b"05"), ("file", b'; filename="a.pdf"', PDF), ("more", b"", b"x")],
        [("fjlx", b"", b"05"), ("other", b'; filename="a.pdf"', PDF)],
    ],
)
async def test_an_upload_is_class_then_file(tmp_path: Path, parts: list[tuple[str, bytes, bytes]]) -> None:
    async with court(tmp_path) as client:
        body = b""
        for name, more, content in parts:
            head = b'Content-Disposition: form-data; name="%s"%s\r\nContent-Type: application/pdf' % (
                name.encode(),
                more,
            )
            body += b"--cut\r\n" + head + b"\r\n\r\n" + content + b"\r\n"
        kind = "multipart/form-data; boundary=cut"
        assert (await client.send("/fayuan/a/file/upload", body + b"--cut--\r\n", kind)).code == "1001"
        assert (await client.send("/fayuan/a/file/upload", body, kind)).code == "1001"
        assert (await client.send("/fayuan/a/file/upload", body, "multipart/form-data")).code == "1001"


async def test_a_file_lives_a_day_unless_it_is_linked(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        linked = await agreement(client)
        loose = await agreement(client, "dlv_9")
        assert (await client.post("offline/addOffline", linked)).code == "200"
        await client.mock("clock", {"shift_s": 24 * 60 * 60 + 1})
        await client.login()
        assert (await client.post("offline/addOffline", loose)).code == "1002"
        assert (await client.post("offline/addOffline", linked)).code == "200"
        loose["docList"][0]["fileId"] = "0" * 32
        assert (await client.post("offline/addOffline", loose)).code == "1002"


async def test_the_wrong_method_or_address_is_no_service(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        assert (await client.send("/fayuan/a/mediator/save", b"", method="GET")).status == 405
        assert (await client.send("/fayuan/a/nowhere", b"x")).status == 404
