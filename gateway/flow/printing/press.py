"""Prints papers off the event loop, one at a time, and refuses more than may wait (文书打印)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

import structlog

from contracts.titled import Titled
from gateway.flow.moving.order import Refused
from gateway.flow.printing.blocks import read
from gateway.flow.printing.fonts import Typefaces
from gateway.flow.printing.pages import print_pdf
from gateway.flow.printing.word import template_of, write
from gateway.flow.printing.wording import Sheet

log = structlog.get_logger("gateway.papers")

_MAY_WAIT: Final = 64
_TURN: Final = Lock()
"""Opened typefaces belong to the whole process and to one thread at a time."""

T = TypeVar("T")


class Form(Titled):
    """In which form a paper is given out, by the ending of its name."""

    PDF = "pdf", "PDF", "PDF"
    DOCX = "docx", "Word 文档", "Word document"

    @property
    def media_type(self) -> str:
        """Its media type (IANA)."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final = {
    Form.PDF: "application/pdf",
    Form.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@dataclass(frozen=True, slots=True)
class Printed:
    """A finished paper: its name as a file, its media type, its bytes."""

    name: str
    media_type: str
    data: bytes


class Press:
    """Makes bytes of sheets.

    Args:
        fonts: the operator's own font files, best first.
        templates: a directory whose ``<paper>.docx`` replace the packaged templates; one that cannot be filled is left for
            the packaged one, with a warning in the log.
        embed: whether a PDF brings its font; else the reader's own is asked for.
    """

    def __init__(self, fonts: Iterable[Path] = (), templates: Path | None = None, embed: bool = True) -> None:
        self._own_fonts = tuple(fonts)
        self._own_templates = templates
        self._embed = embed
        self._hand = ThreadPoolExecutor(1, "papers")
        self._waiting = 0

    async def print(self, sheet: Sheet, form: Form = Form.PDF) -> Printed:
        """The paper. The same sheet gives the same bytes.

        Raises:
            Refused: 503 ``busy``: more papers wait than may wait.
        """
        data = await self._off_the_loop(partial(self._printed, sheet, form))
        return Printed(f"{sheet.paper.zh}.{form}", form.media_type, data)

    async def close(self) -> None:
        """Let the paper in hand end; what waits is not printed."""
        await asyncio.to_thread(self._hand.shutdown, cancel_futures=True)

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MAY_WAIT:
            raise Refused(503, "busy")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hand, work)
        finally:
            self._waiting -= 1

    def _printed(self, sheet: Sheet, form: Form) -> bytes:
        document = self._document(sheet)
        if form is Form.DOCX:
            return document
        layout = read(document)
        with _TURN:
            return print_pdf(layout, _typefaces(self._own_fonts) if self._embed else Typefaces({}))

    def _document(self, sheet: Sheet) -> bytes:
        if self._own_templates is not None:
            own = self._own_templates / f"{sheet.paper}.docx"
            try:
                if own.is_file():
                    return write(own.read_bytes(), sheet.paper.zh, sheet.fields, sheet.at)
            except (
                Exception
            ) as error:  # whatever is wrong in a file that a person edited: a paper comes out all the same
                log.warning("template_unusable", file=own.name, code=type(error).__name__)
        return write(template_of(sheet.paper), sheet.paper.zh, sheet.fields, sheet.at)


@cache
def _typefaces(own: tuple[Path, ...]) -> Typefaces:
    return Typefaces.found(own)
