"""A finished Word paper as the plain blocks that a page is set from: each paragraph with the looks of its style.

The PDF follows the DOCX: who edits a template in Word, changes both. What is followed: paper size and margins, of each style
size, 黑体 or not, bold, alignment, indents, spacing, keeping with the next paragraph; and the text. Pictures, tables and looks
set by hand on single words are not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Length
from docx.styles.style import ParagraphStyle

from gateway.flow.printing.fonts import Role

_SIZE: Final = 16.0
_LINE_HEIGHT: Final = 1.75


@dataclass(frozen=True, slots=True)
class Look:
    """How a paragraph is set; lengths in points. ``align`` is left, right, center or justify."""

    size: float = _SIZE
    role: Role = Role.TEXT
    bold: bool = False
    align: str = "justify"
    first: float = 0.0
    left: float = 0.0
    right: float = 0.0
    before: float = 0.0
    after: float = 0.0
    line: float = _SIZE * _LINE_HEIGHT
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph: its lines (a forced line end is a new one) and its look."""

    lines: tuple[str, ...]
    look: Look


@dataclass(frozen=True, slots=True)
class PaperSize:
    """Paper size, margins and the footer's distance, in points."""

    width: float
    height: float
    top: float
    bottom: float
    left: float
    right: float
    footer: float


A4: Final = PaperSize(595.28, 841.89, 104.88, 99.21, 73.64, 73.64, 70.87)
"""A4 with the margins of 公文 (GB/T 9704: 37 mm above, 35 mm below) and 28 characters of 三号 in a line."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole paper to be set."""

    title: str
    sheet: PaperSize
    blocks: tuple[Block, ...]


_ALIGNED: Final = {
    WD_ALIGN_PARAGRAPH.LEFT: "left",
    WD_ALIGN_PARAGRAPH.RIGHT: "right",
    WD_ALIGN_PARAGRAPH.CENTER: "center",
}


def read(document: bytes) -> Layout:
    """The blocks of a DOCX that :func:`gateway.flow.printing.word.write` made."""
    opened = Document(io.BytesIO(document))
    looks: dict[str, Look] = {}
    blocks = []
    for paragraph in opened.paragraphs:
        style = paragraph.style
        name = style.style_id if style is not None else ""
        if name not in looks:
            looks[name] = _look(style) if isinstance(style, ParagraphStyle) else Look()
        blocks.append(Block(tuple(paragraph.text.split("\n")), looks[name]))
    return Layout(opened.core_properties.title, _sheet(opened.sections[0]), tuple(blocks))


def _sheet(section: Section) -> PaperSize:
    def points(length: Length | None, otherwise: float) -> float:
        return otherwise if length is None else length.pt

    return PaperSize(
        points(section.page_width, A4.width),
        points(section.page_height, A4.height),
        points(section.top_margin, A4.top),
        points(section.bottom_margin, A4.bottom),
        points(section.left_margin, A4.left),
        points(section.right_margin, A4.right),
        points(section.footer_distance, A4.footer),
    )


def _look(style: ParagraphStyle) -> Look:
    size, east, bold, align = _SIZE, "", False, None
    lengths: dict[str, float] = {}
    keep = False
    for one in reversed(list(_line_of(style))):
        form, font = one.paragraph_format, one.font
        size = font.size.pt if font.size is not None else size
        bold = font.bold if font.bold is not None else bold
        align = form.alignment if form.alignment is not None else align
        keep = form.keep_with_next if form.keep_with_next is not None else keep
        fonts = one.element.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
        east = (fonts.get(qn("w:eastAsia")) if fonts is not None else None) or east
        given = {
            "first": form.first_line_indent,
            "left": form.left_indent,
            "right": form.right_indent,
            "before": form.space_before,
            "after": form.space_after,
        }
        lengths |= {name: length.pt for name, length in given.items() if length is not None}
        spacing = form.line_spacing
        if spacing is not None:
            lengths["line"] = spacing.pt if isinstance(spacing, Length) else spacing * size * 1.3
    return Look(
        size=size,
        role=Role.HEADING if "黑" in east else Role.TEXT,
        bold=bold,
        align="justify" if align is None else _ALIGNED.get(align, "justify"),
        keep=keep,
        **({"line": size * _LINE_HEIGHT} | lengths),
    )


def _line_of(style: ParagraphStyle) -> Iterator[ParagraphStyle]:
    seen: set[str] = set()
    found: object = style
    while isinstance(found, ParagraphStyle) and found.style_id not in seen:
        seen.add(found.style_id)
        yield found
        found = found.base_style
