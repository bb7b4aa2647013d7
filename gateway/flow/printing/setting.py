"""Blocks become lines and lines become pages (排版): 避头尾, justified lines, headings that stay with what follows. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.flow.printing.blocks import Block, Layout, Look

_NEVER_FIRST: Final = frozenset("，。、；：？！）〕】》〉」』”’…—％%,.;:?!)]}·．")
_NEVER_LAST: Final = frozenset("（〔【《〈「『“‘([{￥¥")
_PIECES: Final = re.compile(r"[A-Za-z0-9.,:/@_\-]+|[ \t]+|.", re.DOTALL)
_STRETCH: Final = 1.5
"""Points between two characters that a line may be stretched by; a line that wants more stays ragged."""

Measure = Callable[[Look, str], float]
"""Width of a text in points."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line where it stands: ``x`` from the left, ``y`` of its baseline from the top, ``gap`` more after each character."""

    x: float
    y: float
    text: str
    look: Look
    gap: float = 0.0


Page = tuple[Line, ...]


def pages(layout: Layout, measure: Measure) -> list[Page]:
    """All pages, at least one."""
    sheet = layout.sheet
    room = sheet.height - sheet.bottom
    done: list[Page] = []
    here: list[Line] = []
    y = sheet.top
    waiting: list[Block] = []
    for block in layout.blocks:
        waiting.append(block)
        if block.look.keep and len(waiting) < 8 and block is not layout.blocks[-1]:
            continue
        first = waiting[-1]
        needed = sum(len(list(_lines(one, layout, measure))) * one.look.line + one.look.before for one in waiting[:-1])
        if len(waiting) > 1 and here and y + needed + first.look.before + first.look.line > room:
            done.append(tuple(here))
            here, y = [], sheet.top
        for one in waiting:
            y += one.look.before if here else 0
            for x, text, gap in _lines(one, layout, measure):
                if y + one.look.line > room + 0.01 and here:
                    done.append(tuple(here))
                    here, y = [], sheet.top
                baseline = y + one.look.line / 2 + one.look.size * 0.38
                here.append(Line(x, baseline, text, one.look, gap))
                y += one.look.line
            y += one.look.after
        waiting = []
    done.append(tuple(here))
    return done


def _lines(block: Block, layout: Layout, measure: Measure) -> Iterator[tuple[float, str, float]]:
    look, sheet = block.look, layout.sheet
    whole = sheet.width - sheet.left - sheet.right - look.left - look.right
    start = sheet.left + look.left
    for number, text in enumerate(block.lines):
        indent = look.first if number == 0 or look.first > 0 else 0.0
        rows = list(_broken(text, look, whole - indent, whole, measure))
        for place, row in enumerate(rows):
            room = whole - (indent if place == 0 else 0.0)
            x = start + (indent if place == 0 else 0.0)
            shown = row.rstrip(" ")
            left = room - measure(look, shown)
            gap = 0.0
            if look.align == "center":
                x += left / 2
            elif look.align == "right":
                x += left
            elif look.align == "justify" and place < len(rows) - 1 and len(shown) > 1:
                wanted = left / (len(shown) - 1)
                gap = wanted if 0 < wanted <= _STRETCH else 0.0
            yield x, shown, gap


def _broken(text: str, look: Look, first: float, rest: float, measure: Measure) -> Iterator[str]:
    row: list[str] = []
    width, room = 0.0, first
    for piece in _pieces(text, look, min(first, rest), measure):
        more = measure(look, piece)
        while row and width + more > room + 0.01 and not piece.isspace():
            row, carried = _mended(row, piece)
            yield "".join(row)
            row, room = carried, rest
            width = sum(measure(look, one) for one in row)
        row.append(piece)
        width += more
    yield "".join(row)


def _mended(row: list[str], piece: str) -> tuple[list[str], list[str]]:
    """Where to break before ``piece``: what may not begin a line draws one down, what may not end one goes down itself."""
    cut = len(row)
    if piece[0] in _NEVER_FIRST:
        cut -= 1
    while cut > 0 and (row[cut - 1][-1] in _NEVER_LAST or (cut < len(row) and row[cut][0] in _NEVER_FIRST)):
        cut -= 1
    if cut < len(row) - 4 or cut < 1:  # nothing but such signs: break anywhere
        return row, []
    return row[:cut], row[cut:]


def _pieces(text: str, look: Look, room: float, measure: Measure) -> Iterator[str]:
    """Words and numbers whole, Chinese character by character; a word longer than a line in characters."""
    for found in _PIECES.finditer(text):
        piece = found.group()
        if len(piece) > 1 and measure(look, piece) > room:
            yield from piece
        else:
            yield piece
