"""Set pages as PDF: with an embedded font of their own characters, else with the Chinese font that every reader brings.

The same pages are the same bytes: they are kept under their SHA-256.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from gateway.flow.printing.blocks import Block, Layout, Look
from gateway.flow.printing.embedding import embedded
from gateway.flow.printing.fonts import EM, Role, Typefaces
from gateway.flow.printing.setting import Measure, pages

_READERS_FONT: Final = "STSong-Light"
_FOOTER: Final = Look(size=14.0, align="center")
_INK: Final = 0.018
"""Width of a bold character's outline, in sizes."""
_FILL, _FILL_AND_STROKE = 0, 2
_MOST_DISTINCT: Final = 4_000
"""A paper of more different characters than people write is not worth the cutting."""
_FOOTER_SIGNS: Final = "— 0123456789"

Has = Callable[[Role, str], bool]
"""Whether a character can be printed as itself."""


def print_pdf(layout: Layout, typefaces: Typefaces) -> bytes:
    """The paper as PDF. Characters that no typeface has come out as 〔U+20BB7〕, so that nobody reads a name that is not
    there."""
    distinct = {sign for block in layout.blocks for line in block.lines for sign in line}
    if typefaces and len(distinct) <= _MOST_DISTINCT:
        return _embedded(layout, typefaces)
    return _plain(layout)


# ------------------------------------------------------------------------------------------------------------- fonts


def _embedded(layout: Layout, typefaces: Typefaces) -> bytes:
    for role, signs in _signs(layout.blocks).items():
        typefaces.draw(role, signs)
    legible = _legible(layout, typefaces.has)
    cuts = {role: typefaces.cut(role, signs) for role, signs in _signs(legible.blocks).items()}
    names = {role: embedded(role, cut) for role, cut in cuts.items()}

    def measure(look: Look, text: str) -> float:
        widths = cuts[look.role].widths
        return sum(widths.get(sign, EM) for sign in text) * look.size / EM

    return _drawn(legible, names, measure)


def _plain(layout: Layout) -> bytes:
    if _READERS_FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_READERS_FONT))
    legible = _legible(layout, lambda _, sign: ord(sign) < 0x10000)

    def measure(look: Look, text: str) -> float:
        return float(pdfmetrics.stringWidth(text, _READERS_FONT, look.size))

    return _drawn(legible, dict.fromkeys(Role, _READERS_FONT), measure)


def _signs(blocks: Iterable[Block]) -> dict[Role, set[str]]:
    used: dict[Role, set[str]] = {Role.TEXT: set(_FOOTER_SIGNS)}
    for block in blocks:
        signs = used.setdefault(block.look.role, set())
        for line in block.lines:
            signs.update(line)
    return used


# ----------------------------------------------------------------------------------------------------------- drawing


def _drawn(layout: Layout, names: Mapping[Role, str], measure: Measure) -> bytes:
    sheet = layout.sheet
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(sheet.width, sheet.height), invariant=1, pageCompression=1, lang="zh-CN")
    canvas.setTitle(layout.title)
    for number, page in enumerate(pages(layout, measure), 1):
        for line in page:
            _write(canvas, names[line.look.role], line.look, line.x, sheet.height - line.y, line.text, line.gap)
        footer = f"— {number} —"
        x = (sheet.width - measure(_FOOTER, footer)) / 2
        _write(canvas, names[_FOOTER.role], _FOOTER, x, sheet.footer, footer, 0.0)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _write(canvas: Canvas, name: str, look: Look, x: float, y: float, text: str, gap: float) -> None:
    written = canvas.beginText(x, y)
    written.setFont(name, look.size)
    if look.bold:
        canvas.setLineWidth(look.size * _INK)
        written.setTextRenderMode(_FILL_AND_STROKE)
    written.setCharSpace(gap)
    written.textOut(text)
    if look.bold:
        written.setTextRenderMode(_FILL)
    canvas.drawText(written)


# --------------------------------------------------------------------------------------------------------- characters


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
