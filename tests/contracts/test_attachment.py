"""What a file is by its bytes."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.attachment import sniff
from contracts.lists import MediaType


def container(*names: str, comment: bytes = b"", body: bytes = b"<x/>") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, body)
        archive.comment = comment
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", MediaType.PDF),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", MediaType.JPEG),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", MediaType.PNG),
        (container("OFD.xml", "Doc_0/Document.xml"), MediaType.OFD),
        (container("Doc_0/Document.xml", "OFD.xml"), MediaType.OFD),
        (container("Doc_0/Document.xml", "OFD.xml", comment=b"signed"), MediaType.OFD),
        (container("word/document.xml", "[Content_Types].xml"), None),
        (container("Doc_0/OFD.xml"), None),
        (container("OFD.xml.exe"), None),
        (b"PK\x05\x06" + bytes(18), None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b" %PDF-1.7", None),
        (b"<html>%PDF-1.7", None),
        (b"GIF89a", None),
        (b"MZ\x90\x00", None),
        (b"", None),
    ],
)
def test_by_bytes(content: bytes, media_type: MediaType | None) -> None:
    assert sniff(content) is media_type


def test_the_first_entry_is_enough_where_the_directory_is_cut_off() -> None:
    assert sniff(container("OFD.xml", "Doc_0/Document.xml")[:64]) is MediaType.OFD
    assert sniff(container("Doc_0/Document.xml", "OFD.xml")[:64]) is None


@given(st.binary(max_size=300))
def test_no_bytes_raise(content: bytes) -> None:
    sniff(content)
    sniff(b"PK\x03\x04" + content + b"PK\x01\x02" + content + b"PK\x05\x06" + content)
