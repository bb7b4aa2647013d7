"""Attachments: known by content, bounded, given back to their owner alone, never shown inline."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from gateway.flow.moving.attachments import file_name
from tests.flow.puppets import PUPPETS
from tests.flow.stage import PDF
from tests.house import Gateways
from tests.web.conftest import ENDPOINTS
from tests.web.site import Site
from tests.web.site import site as open_site

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17) + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


def ofd() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "OFD.xml", '<?xml version="1.0" encoding="UTF-8"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016"/>'
        )
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (PDF, "协议书.pdf", "application/pdf"),
        (PDF, "misnamed.png", "application/pdf"),
        (PNG, "扫描件.png", "image/png"),
        (JPEG, "照片.jpg", "image/jpeg"),
        (ofd(), "文书.ofd", "application/ofd"),
    ],
)
async def test_a_file_is_what_its_content_says(site: Site, data: bytes, name: str, media_type: str) -> None:
    response = await site.up.post(
        "/v1/attachments", files={"file": (name, data, "text/html")}, data={"kind": "evidence"}
    )
    assert response.status_code == 201, response.text
    body = response.json()
    assert (body["media_type"], body["size"], body["name"], body["kind"]) == (media_type, len(data), name, "evidence")
    assert body["sha256"] == hashlib.sha256(data).hexdigest()
    assert response.headers["Location"] == body["links"]["self"]
    back = await site.up.get(f"/v1/attachments/{body['id']}")
    assert (back.status_code, back.content, back.headers["content-type"]) == (200, data, media_type)
    disposition = back.headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''")
    assert unquote(disposition.partition("''")[2]) == name
    assert back.headers["repr-digest"] == f"sha-256=:{b64encode(hashlib.sha256(data).digest()).decode()}:"
    assert back.headers["x-content-type-options"] == "nosniff"
    assert back.headers["cache-control"] == "no-store"


STRANGE = {
    "html": b"<html><script>1</script></html>",
    "exe": b"MZ\x90\x00",
    "a cut pdf": b"%PD",
    "a zip": b"PK\x03\x04 no ofd",
    "gif": b"GIF89a",
    "text": "纯文本".encode(),
    "nothing": b"\x00" * 40,
}


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
async def test_another_content_is_415(site: Site, data: bytes) -> None:
    before = await site.counts()
    files = {"file": ("x.pdf", data, "application/pdf")}
    response = await site.up.post("/v1/attachments", files=files, data={"kind": "evidence"})
    assert (response.status_code, response.json()["code"]) == (415, "attachment_type")
    assert await site.counts() == before
    assert files_of(site) == []


async def test_an_empty_file_is_422(site: Site) -> None:
    response = await site.up.post("/v1/attachments", files={"file": ("x.pdf", b"")}, data={"kind": "evidence"})
    assert (response.status_code, response.json()["code"]) == (422, "attachment_empty")


@pytest.fixture
async def narrow(gateway: Gateways) -> AsyncIterator[Site]:
    house = await gateway(ENDPOINTS, adapters=PUPPETS, start=False, limits={"attachment": 20_000})
    async with open_site(house) as made:
        yield made


async def test_a_file_over_the_limit_is_413_declared_or_not(narrow: Site) -> None:
    before = await narrow.counts()
    small = PDF + bytes(20_000 - len(PDF))
    response = await narrow.up.post("/v1/attachments", files={"file": ("x.pdf", small)}, data={"kind": "evidence"})
    assert response.status_code == 201
    over = await narrow.up.post("/v1/attachments", files={"file": ("x.pdf", small + b"x")}, data={"kind": "evidence"})
    huge = await narrow.up.post(
        "/v1/attachments", files={"file": ("x.pdf", PDF + bytes(200_000))}, data={"kind": "evidence"}
    )

    async def form() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.pdf"\r\n\r\n%PDF-1.4'
        for _ in range(300):
            yield bytes(1000)
        yield b'\r\n--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nevidence\r\n--b--\r\n'

    streamed = await narrow.up.post(
        "/v1/attachments", content=form(), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    for refused in (over, huge, streamed):
        assert (refused.status_code, refused.json()["code"]) == (413, "attachment_too_large")
        assert refused.json()["limit"] == 20_000
    assert (await narrow.counts())["attachments"] == before["attachments"] + 1


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"files": {"file": ("x.pdf", PDF)}}, 422, "attachment_form"),
        ({"files": {"paper": ("x.pdf", PDF)}, "data": {"kind": "evidence"}}, 422, "attachment_form"),
        ({"files": {"file": ("x.pdf", PDF)}, "data": {"kind": "selfie"}}, 422, "not_in_list"),
        (
            {"files": [("file", ("a.pdf", PDF)), ("file", ("b.pdf", PDF))], "data": {"kind": "evidence"}},
            400,
            "attachment_form",
        ),
        ({"files": {"file": ("x.pdf", PDF)}, "data": {f"f{place}": "x" for place in range(9)}}, 400, "attachment_form"),
        ({"data": {"kind": "evidence"}}, 415, "media_type"),
        ({"json": {"kind": "evidence"}}, 415, "media_type"),
        ({"content": b"--x--", "headers": {"Content-Type": "multipart/form-data"}}, 400, "attachment_form"),
        (
            {"content": b"nothing", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            400,
            "attachment_form",
        ),
    ],
)
async def test_another_form_is_refused(site: Site, form: dict[str, object], status: int, code: str) -> None:
    response = await site.up.post("/v1/attachments", **form)  # type: ignore[arg-type] # the cases above
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert files_of(site) == []


async def test_a_file_is_its_owners(site: Site) -> None:
    mine = await site.upload()
    assert (await site.stranger.get(f"/v1/attachments/{mine}")).status_code == 404
    second = await site.caller("second")
    assert (await second.get(f"/v1/attachments/{mine}")).status_code == 404
    assert (await site.op.get(f"/v1/attachments/{mine}")).status_code == 200
    assert (await site.up.get("/v1/attachments/att_01M7Q5CQG057N683VPG2HEWAGG")).status_code == 404


async def test_files_are_sealed_at_rest_and_kept_once(site: Site) -> None:
    first, second = await site.upload(), await site.upload()
    assert first != second
    (path,) = files_of(site)
    assert path.name == hashlib.sha256(PDF).hexdigest()
    assert b"%PDF" not in path.read_bytes()
    rows = await site.house.store.rows("upload", first)
    assert "协议".encode() not in bytes(rows[0]["name_sealed"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\协议书.pdf", "协议书.pdf"),
        ("a/b\\c/", "attachment"),
        ("", "attachment"),
        (" .. ", "attachment"),
        ("x\u202efdp.exe", "xfdp.exe"),
        ("line\r\nbreak\x00.pdf", "linebreak.pdf"),
        ("e\u0301.pdf", "\u00e9.pdf"),
        ("名" * 300 + ".pdf", "名" * 96 + ".pdf"),
        ("a" * 300, "a" * 100),
        ("a." + "b" * 300, "a." + "b" * 98),
        ("𠮷.ofd", "𠮷.ofd"),
    ],
)
def test_a_name_is_the_last_part_of_a_path(given: str, kept: str) -> None:
    assert file_name(given) == kept
    assert file_name(kept) == kept


async def test_the_same_bytes_at_once_are_kept_once(site: Site) -> None:
    """One bytes object, many writers: none of them takes another's unfinished file."""
    data = PDF + b" " * 200_000

    async def keep(number: int) -> str:
        return (await site.house.attachments.keep("client:up", "evidence", f"{number}.pdf", data)).id

    for _ in range(3):
        kept = await asyncio.gather(*(keep(number) for number in range(16)))
        assert len(set(kept)) == 16
        for identifier in kept:
            assert await site.house.attachments.read(identifier) == data
        (path,) = files_of(site)
        assert path.name == hashlib.sha256(data).hexdigest()
        path.unlink()


async def test_a_long_or_hostile_name_is_only_a_name(site: Site) -> None:
    for name in ("../../etc/passwd", "a" * 300 + ".pdf", 'x";.pdf', "x\u202efdp.exe"):
        response = await site.up.post("/v1/attachments", files={"file": (name, PDF)}, data={"kind": "evidence"})
        assert response.status_code == 201
        assert len(response.json()["name"]) <= 100
        back = await site.up.get(f"/v1/attachments/{response.json()['id']}")
        assert "\n" not in back.headers["content-disposition"]
        assert back.headers["content-disposition"].isascii()
    assert {path.parent.parent for path in files_of(site)} == {site.house.settings.data / "attachments"}


def files_of(site: Site) -> list[Path]:
    room = site.house.settings.data / "attachments"
    return [path for path in room.rglob("*") if path.is_file()] if room.exists() else []
