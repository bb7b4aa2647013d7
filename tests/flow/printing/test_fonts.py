"""Typefaces: found in order, cut to the characters of one paper, filled up from the next file."""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path

import pytest
from fontTools.ttLib import TTCollection, TTFont, newTable

from gateway.flow.printing.fonts import EM, Role, Typefaces

PACKAGE = "pylopdf_fonts_zh_cn"


def packaged(name: str) -> Path:
    return Path(str(files(PACKAGE).joinpath(name)))


@pytest.fixture(scope="module")
def typefaces() -> Typefaces:
    return Typefaces({Role.TEXT: (packaged("NotoSerifSC-Regular.otf"),), Role.HEADING: ()})


def test_own_files_come_first_then_the_packages(tmp_path: Path) -> None:
    own = tmp_path / "own.ttf"
    found = Typefaces.found([own])
    assert found.files[Role.TEXT][0] == own
    assert found.files[Role.TEXT][1].name == "NotoSerifSC-Regular.otf"
    assert found.files[Role.HEADING][1].name == "NotoSansSC-Regular.otf"


def test_a_file_that_is_no_font_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font at all")
    good = packaged("NotoSerifSC-Regular.otf")
    faces = Typefaces({Role.TEXT: (tmp_path / "absent.ttf", broken, good), Role.HEADING: ()})
    assert faces
    assert faces.has(Role.TEXT, "甲")
    assert not Typefaces({Role.TEXT: (broken,), Role.HEADING: ()})
    assert not Typefaces({Role.TEXT: (), Role.HEADING: ()})


def test_a_cut_holds_what_was_asked_for_and_is_always_the_same(typefaces: Typefaces) -> None:
    cut = typefaces.cut(Role.TEXT, "甲乙A1，　")
    assert cut == typefaces.cut(Role.TEXT, "　，1A乙甲甲")
    font = TTFont(io.BytesIO(cut.data))
    assert set(font.getBestCmap()) == {ord(sign) for sign in "甲乙A1，　"}
    assert cut.widths["甲"] == EM
    assert 0 < cut.widths["1"] < EM
    assert len(cut.data) < 10_000


def _bounds(faces: Typefaces, sign: str) -> tuple[int, int, int, int]:
    cut = TTFont(io.BytesIO(faces.cut(Role.TEXT, sign).data))
    glyph = cut["glyf"][cut.getBestCmap()[ord(sign)]]
    glyph.recalcBounds(cut["glyf"])
    return glyph.numberOfContours, glyph.xMin, glyph.xMax, glyph.yMax


def test_outlines_are_those_of_the_file(typefaces: Typefaces) -> None:
    contours, left, right, top = _bounds(typefaces, "国")
    assert contours >= 3
    assert (40 < left < 200, 800 < right < 960, 700 < top < 900) == (True, True, True)


def test_what_no_file_has_is_left_out(typefaces: Typefaces) -> None:
    assert not typefaces.has(Role.TEXT, "\U0010fffd")
    assert "\U0010fffd" not in typefaces.cut(Role.TEXT, "甲\U0010fffd").widths


def test_a_role_without_files_takes_from_the_other(typefaces: Typefaces) -> None:
    assert typefaces.has(Role.HEADING, "甲")


def test_true_type_is_taken_as_it_is(typefaces: Typefaces, tmp_path: Path) -> None:
    path = tmp_path / "true.ttf"
    path.write_bytes(typefaces.cut(Role.TEXT, "甲国").data)
    again = Typefaces({Role.TEXT: (path,), Role.HEADING: ()})
    assert again.cut(Role.TEXT, "甲国").widths == typefaces.cut(Role.TEXT, "甲国").widths
    assert _bounds(again, "国") == _bounds(typefaces, "国")
    assert not again.has(Role.TEXT, "乙")


def test_of_a_collection_the_simplified_face_is_chosen(typefaces: Typefaces, tmp_path: Path) -> None:
    collection = TTCollection()
    for family, signs in (("Song JP", "甲"), ("Song Mono SC", "甲"), ("Song SC", "甲国")):
        font = TTFont(io.BytesIO(typefaces.cut(Role.TEXT, signs).data))
        font["name"] = newTable("name")
        font["name"].setName(family, 1, 3, 1, 0x409)
        collection.fonts.append(font)
    path = tmp_path / "all.ttc"
    collection.save(path)
    found = Typefaces({Role.TEXT: (path,), Role.HEADING: ()})
    assert found.has(Role.TEXT, "国")
