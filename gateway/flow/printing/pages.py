"""Set pages as PDF: with an embedded font of their own characters, else with the Chinese font that every reader brings.

The same pages are the same bytes: they are kept under their SHA-256.
"""

from __future__ import annotations

import io
import tempfile
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from gateway.flow.printing.blocks import Block, Layout, Look
from gateway.flow.printing.fonts import EM, Cut, Role, Typefaces
from gateway.flow.printing.setting import Page, pages

_READERS_FONT: Final = "STSong-Light"
_FOOTER: Final = Look(size=14.0, align="center")
_INK: Final = 0.018
"""Width of a bold character's outline, in sizes."""
_MOST_DISTINCT: Final = 4_000
"""A paper of more different characters than people write is not worth the cutting."""
_FOOTER_SIGNS: Final = "— 0123456789"

Has = Callable[[Role, str], bool]
"""Whether a character can be printed as itself."""


def print_pdf(layout: Layout, typefaces: Typefaces, at: datetime) -> bytes:
    """The paper as PDF; ``at`` stands in it for the time of its making. Characters that no typeface has come out as
    〔U+20BB7〕, so that nobody reads a name that is not there."""
    distinct = {sign for block in layout.blocks for line in block.lines for sign in line}
    if typefaces and len(distinct) <= _MOST_DISTINCT:
        return _embedded(layout, typefaces, at)
    return _plain(layout)


# ------------------------------------------------------------------------------------------------- with a font of its own


def _embedded(layout: Layout, typefaces: Typefaces, at: datetime) -> bytes:
    legible = _legible(layout, typefaces.has)
    used = _signs(legible.blocks)
    cuts = {role: typefaces.cut(role, signs) for role, signs in used.items()}

    def measure(look: Look, text: str) -> float:
        widths = cuts[look.role].widths
        return sum(widths.get(sign, EM) for sign in text) * look.size / EM

    sheet = legible.sheet
    pdf = FPDF(unit="pt", format=(sheet.width, sheet.height))
    pdf.set_auto_page_break(False)
    pdf.set_title(layout.title)
    pdf.set_lang("zh-CN")
    pdf.set_producer("")
    pdf.set_creation_date(at.astimezone(UTC).replace(microsecond=0))
    with tempfile.TemporaryDirectory(prefix="paper-") as room:
        for role, cut in cuts.items():
            _add(pdf, Path(room), role, cut)
        for number, page in enumerate(pages(legible, measure), 1):
            pdf.add_page()
            _draw(pdf, page)
            footer = f"— {number} —"
            pdf.set_char_spacing(0)
            _write(pdf, _FOOTER, (sheet.width - measure(_FOOTER, footer)) / 2, sheet.height - sheet.footer, footer)
        return bytes(pdf.output())


def _add(pdf: FPDF, room: Path, role: Role, cut: Cut) -> None:
    path = room / f"{role}.ttf"
    path.write_bytes(cut.data)
    pdf.add_font(str(role), fname=path)
    added = pdf.fonts[str(role)]
    if isinstance(added, TTFFont):
        added.ttfont.recalcBBoxes = False  # they are right: the outlines go in as they are


def _draw(pdf: FPDF, page: Page) -> None:
    for line in page:
        pdf.set_char_spacing(line.gap)
        _write(pdf, line.look, line.x, line.y, line.text)


def _write(pdf: FPDF, look: Look, x: float, y: float, text: str) -> None:
    if not text:
        return
    pdf.set_font(str(look.role), size=look.size)
    if look.bold:
        with pdf.local_context(text_mode="FILL_STROKE", line_width=look.size * _INK):
            pdf.text(x, y, text)
    else:
        pdf.text(x, y, text)


def _signs(blocks: Iterable[Block]) -> dict[Role, set[str]]:
    used: dict[Role, set[str]] = {Role.TEXT: set(_FOOTER_SIGNS)}
    for block in blocks:
        signs = used.setdefault(block.look.role, set())
        for line in block.lines:
            signs.update(line)
    return used


# ------------------------------------------------------------------------------------------------ with the reader's font


def _plain(layout: Layout) -> bytes:
    if _READERS_FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_READERS_FONT))
    legible = _legible(layout, lambda _, sign: ord(sign) < 0x10000)

    def measure(look: Look, text: str) -> float:
        return float(pdfmetrics.stringWidth(text, _READERS_FONT, look.size))

    sheet = legible.sheet
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(sheet.width, sheet.height), invariant=1)
    canvas.setTitle(layout.title)
    for number, page in enumerate(pages(legible, measure), 1):
        for line in page:
            canvas.setFont(_READERS_FONT, line.look.size)
            canvas.drawString(line.x, sheet.height - line.y, line.text, charSpace=line.gap)
        canvas.setFont(_READERS_FONT, _FOOTER.size)
        canvas.drawCentredString(sheet.width / 2, sheet.footer, f"— {number} —")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _legible(layout: Layout, has: Has) -> Layout:
    """The layout in characters that can be printed: others by their compatible form, else by their number."""
    shown: dict[tuple[Role, str], str] = {}

    def printed(role: Role, sign: str) -> str:
        key = (role, sign)
        if key not in shown:
            shown[key] = _stand_in(role, sign, has)
        return shown[key]

    blocks = tuple(
        replace(block, lines=tuple("".join(printed(block.look.role, sign) for sign in line) for line in block.lines))
        for block in layout.blocks
    )
    return replace(layout, blocks=blocks)


def _stand_in(role: Role, sign: str, has: Has) -> str:
    if sign == "\t":
        return "    "
    if "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef":  # asks for a variant of the one before
        return ""
    if has(role, sign):
        return sign
    folded = unicodedata.normalize("NFKC", sign)
    if folded != sign and all(has(role, one) for one in folded):
        return folded
    return f"〔U+{ord(sign):04X}〕"
