"""Tables as files that Excel opens unharmed: CSV in UTF-8 with a byte order mark, XLSX with text cells, no formulas."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import IO, Final

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv"
BOM: Final = b"\xef\xbb\xbf"

MOST_ROWS: Final = 50_000
"""Rows of an XLSX file; it is made whole before its first byte is sent. CSV flows and has no such end."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NO_XML: Final = "\ufffe\uffff"
"""What XML cannot carry beside control characters (XML 1.0 §2.2): one such letter in a name, and no file could be made."""

_CHUNK: Final = 64 * 1024
_ROWS: Final = 500


class TooManyRows(Exception):
    """A table that is too long for an XLSX file."""


def cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula, and that holds nothing that XML cannot."""
    kept = "".join(character for character in value if character >= " " or character in "\t\r\n")
    kept = kept.translate(dict.fromkeys(map(ord, _NO_XML)))
    return f"'{kept}" if kept.lstrip(" ").startswith(_FORMULA) else kept


def csv_rows(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows of a CSV file (RFC 4180)."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return made.getvalue().encode()


async def csv_stream(titles: Sequence[str], rows: AsyncIterator[Sequence[str]]) -> AsyncIterator[bytes]:
    """The file in pieces, with a byte order mark and no ``sep=`` line: so Excel reads Chinese."""
    yield BOM + csv_rows([titles])
    held: list[Sequence[str]] = []
    async for row in rows:
        held.append(row)
        if len(held) >= _ROWS:
            yield csv_rows(held)
            held = []
    if held:
        yield csv_rows(held)


async def xlsx_file(
    titles: Sequence[str],
    rows: AsyncIterator[Sequence[str]],
    notes: Sequence[tuple[str, str]],
    name: str = "台账",
) -> IO[bytes]:
    """The whole file, on disk where it is large, at its beginning: the caller closes it. Every cell is text; a second sheet
    (导出说明) says who took it, when, and by which filter.

    Raises:
        TooManyRows: more than ``MOST_ROWS``.
    """
    from openpyxl import Workbook  # 9 MB: for the processes that write such a file

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    sheet.append(list(titles))
    many = 0
    held: list[list[str]] = []

    def write(block: list[list[str]]) -> None:
        for row in block:
            sheet.append(row)

    try:
        async for row in rows:
            many += 1
            if many > MOST_ROWS:
                raise TooManyRows
            held.append([cell(value) for value in row])
            if len(held) >= _ROWS:
                await asyncio.to_thread(write, held)
                held = []
    except BaseException:
        book.save(io.BytesIO())  # it keeps its rows in a file of its own until it is saved
        raise
    write(held)
    mark = book.create_sheet("导出说明")
    for told in notes:
        mark.append([cell(value) for value in told])
    file = tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024)  # noqa: SIM115 -- the caller closes it
    await asyncio.to_thread(book.save, file)
    file.seek(0)
    return file


async def pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file piece by piece; closed at its end."""
    try:
        while piece := file.read(_CHUNK):
            yield piece
    finally:
        file.close()
