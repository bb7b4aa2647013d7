"""Files that spreadsheets open unharmed."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.report import sheets
from gateway.report.sheets import TooManyRows, cell, csv_rows, csv_stream, xlsx_file


async def some(rows: Sequence[Sequence[str]]) -> AsyncIterator[Sequence[str]]:
    for row in rows:
        yield row


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "＝1", '=HYPERLINK("x")'])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


@given(st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=3), max_size=5))
def test_csv_reads_back_as_it_was_but_for_formulas(rows: list[list[str]]) -> None:
    text = csv_rows(rows).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[cell(value) for value in row] for row in rows]


async def test_csv_has_its_mark_once_and_no_separator_line() -> None:
    rows = [[f"案{number}", "1,5", 'a"b'] for number in range(1_234)]
    pieces = [piece async for piece in csv_stream(["案号", "金额", "x"], some(rows))]
    assert len(pieces) > 2
    whole = b"".join(pieces)
    assert whole.startswith(b"\xef\xbb\xbf\xe6")
    assert whole.count(b"\xef\xbb\xbf") == 1
    assert b"sep=" not in whole
    assert len(list(csv.reader(io.StringIO(whole.decode("utf-8-sig"), newline="")))) == 1_235


async def test_xlsx_holds_text_alone_and_says_who_took_it() -> None:
    rows = [["370102199003071238", "0012", "=1+1", "𠮷\x01\x0b\ufffe\uffff", "-3"] for _ in range(600)]
    file = await xlsx_file(["a", "b", "c", "d", "e"], some(rows), [("who", "cli_1"), ("filter", "=x")])
    with file:
        book = openpyxl.load_workbook(file)
    sheet, notes = book.worksheets
    found = [[value.value for value in row] for row in sheet.iter_rows(min_row=2)]
    assert found == [["370102199003071238", "0012", "'=1+1", "𠮷", "'-3"]] * 600
    assert {value.data_type for row in sheet.iter_rows() for value in row} == {"s"}
    assert [[value.value for value in row] for row in notes.iter_rows()] == [["who", "cli_1"], ["filter", "'=x"]]


async def test_xlsx_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 10)
    with pytest.raises(TooManyRows):
        await xlsx_file(["a"], some([["x"]] * 11), [])
    (await xlsx_file(["a"], some([["x"]] * 10), [])).close()
