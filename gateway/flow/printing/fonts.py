"""Chinese typefaces for printed papers: which files there are, and the few glyphs that one paper needs, cut out of them.

A paper embeds a small TrueType font of its own characters, so it reads the same on every desk. The files are looked for in
this order: those of the configuration, the package of the extra ``papers`` (Noto Serif SC 宋体, Noto Sans SC 黑体, SIL OFL
1.1), those that the system has. A character that the first file lacks is taken from the next one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import structlog
import uharfbuzz as hb
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph

log = structlog.get_logger("gateway.papers")

EM: Final = 1000
"""Units of a cut font; widths are in thousandths of the size."""

_PACKAGE: Final = "pylopdf_fonts_zh_cn"
_KEPT_GLYPHS: Final = 20_000
_AT_ONCE: Final = 10
"""Characters drawn from a file before it is closed: each brings sixteen pages of it into memory."""
_HALF_UNIT: Final = 0.5
_MOST_FACES: Final = 64
_MADE: Final = 3_850_000_000
"""A fixed moment (seconds since 1904) in place of the time of the cut."""
_BLANK: Final = (0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x3000)


class Role(StrEnum):
    """What a typeface is for."""

    TEXT = "text"
    """正文: 宋体 or 仿宋."""
    HEADING = "heading"
    """小标题: 黑体."""


_PACKAGED: Final = {Role.TEXT: "NotoSerifSC-Regular.otf", Role.HEADING: "NotoSansSC-Regular.otf"}
_SYSTEM: Final = {
    Role.TEXT: (
        "simfang.ttf",  # 仿宋, Windows
        "NotoSerifSC-Regular.otf",
        "SourceHanSerifSC-Regular.otf",
        "NotoSerifCJK-Regular.ttc",  # Debian, Ubuntu: fonts-noto-cjk
        "SourceHanSerif-Regular.ttc",
        "simsun.ttc",
        "Songti.ttc",  # macOS
        "uming.ttc",
    ),
    Role.HEADING: (
        "simhei.ttf",
        "NotoSansSC-Regular.otf",
        "SourceHanSansSC-Regular.otf",
        "NotoSansCJK-Regular.ttc",
        "SourceHanSans-Regular.ttc",
        "msyh.ttc",
        "STHeiti Light.ttc",
        "wqy-zenhei.ttc",
        "wqy-microhei.ttc",
    ),
}
_DIRECTORIES: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
_SIMPLIFIED: Final = ("SC", "Simplified")


@dataclass(frozen=True, slots=True)
class Cut:
    """A font of few characters: a TrueType file and the width of each, in thousandths of the size."""

    data: bytes
    widths: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Glyph:
    """A drawn character, as the bytes of a TrueType outline (empty: a blank)."""

    data: bytes
    width: int
    left: int
    points: int
    contours: int


@dataclass(frozen=True, slots=True)
class _Face:
    """One opened file. HarfBuzz maps it: of tens of megabytes those pages are in memory that hold what was drawn."""

    font: hb.Font
    cubic: bool

    def glyph(self, code: int) -> _Glyph | None:
        number = self.font.get_nominal_glyph(code)
        if not number:
            return None
        pen = TTGlyphPen(None)
        self.font.draw_glyph_with_pen(number, Cu2QuPen(pen, _HALF_UNIT, reverse_direction=self.cubic))
        drawn, width = pen.glyph(), round(self.font.get_glyph_h_advance(number))
        if not drawn.numberOfContours:
            return _Glyph(b"", width, 0, 0, 0) if code in _BLANK else None  # some fonts map what they do not draw
        data = drawn.compile(None)
        return _Glyph(data, width, drawn.xMin, len(drawn.coordinates), drawn.numberOfContours)


@dataclass(slots=True)
class Typefaces:
    """The files by role, best first, and the glyphs that were cut before. Used by one thread at a time."""

    files: dict[Role, tuple[Path, ...]]
    _unreadable: set[Path] = field(default_factory=set)
    _glyphs: dict[tuple[Role, int], _Glyph | None] = field(default_factory=dict)

    @classmethod
    def found(cls, own: Iterable[Path] = ()) -> Typefaces:
        """What there is on this machine; ``own`` files come first, for both roles."""
        own, system = tuple(own), _system_files()
        files = {
            role: tuple(
                dict.fromkeys(
                    [
                        *own,
                        *_packaged(role),
                        *(system[name] for name in _SYSTEM[role] if name in system),
                    ]
                )
            )
            for role in Role
        }
        log.info("typefaces", text=[path.name for path in files[Role.TEXT]][:1])
        return cls(files)

    def __bool__(self) -> bool:
        """Whether any typeface can be opened."""
        return any(self._open(path) is not None for paths in self.files.values() for path in paths)

    def has(self, role: Role, character: str) -> bool:
        """Whether the character can be printed as itself."""
        self.draw(role, character)
        return self._glyphs[role, ord(character)] is not None

    def draw(self, role: Role, characters: Iterable[str]) -> None:
        """Draw what was not drawn before. One file is open at a time, for few characters, and none is afterwards: glyphs are
        small, files are not."""
        if len(self._glyphs) >= _KEPT_GLYPHS:
            self._glyphs.clear()
        unknown = sorted(code for code in {ord(sign) for sign in characters} if (role, code) not in self._glyphs)
        others = [path for other in Role if other is not role for path in self.files.get(other, ())]
        for path in dict.fromkeys([*self.files.get(role, ()), *others]):
            found: dict[int, _Glyph] = {}
            for at in range(0, len(unknown), _AT_ONCE):
                face = self._open(path)
                if face is not None:
                    drawn = {code: face.glyph(code) for code in unknown[at : at + _AT_ONCE]}
                    found |= {code: glyph for code, glyph in drawn.items() if glyph is not None}
            self._glyphs |= {(role, code): glyph for code, glyph in found.items()}
            unknown = [code for code in unknown if code not in found]
        self._glyphs |= {(role, code): None for code in unknown}

    def cut(self, role: Role, characters: Iterable[str]) -> Cut:
        """A font of these characters, the same bytes for the same set, with the tables that a PDF needs (ISO 32000-1 §9.9).
        Characters that no file has are left out."""
        codes = sorted({ord(character) for character in characters})
        self.draw(role, map(chr, codes))
        found = {code: glyph for code in codes if (glyph := self._glyphs[role, code]) is not None}
        names = {code: f"u{code:05X}" for code in found}
        builder = FontBuilder(EM, isTTF=True)
        builder.font.recalcBBoxes = False  # the outlines are bytes already
        builder.updateHead(created=_MADE, modified=_MADE, xMin=-EM, yMin=-EM, xMax=2 * EM, yMax=2 * EM)
        builder.setupGlyphOrder([".notdef", *names.values()])
        builder.setupCharacterMap(names)
        builder.setupGlyf({}, calcGlyphBounds=False)
        builder.font["glyf"].glyphs = {".notdef": Glyph()} | {
            names[code]: Glyph(glyph.data) for code, glyph in found.items()
        }
        builder.setupHorizontalMetrics(
            {".notdef": (EM, 0)} | {names[code]: (glyph.width, glyph.left) for code, glyph in found.items()}
        )
        builder.setupHorizontalHeader(ascent=880, descent=-120, advanceWidthMax=2 * EM)
        builder.setupMaxp()
        most = builder.font["maxp"]
        most.maxPoints = max((glyph.points for glyph in found.values()), default=0)
        most.maxContours = max((glyph.contours for glyph in found.values()), default=0)
        out = io.BytesIO()
        builder.save(out)
        return Cut(out.getvalue(), {chr(code): glyph.width for code, glyph in found.items()})

    def _open(self, path: Path) -> _Face | None:
        if path in self._unreadable:
            return None
        try:
            return _read(path)
        except (OSError, ValueError, hb.HarfBuzzError) as error:
            log.warning("typeface_unreadable", file=path.name, code=type(error).__name__)
            self._unreadable.add(path)
            return None


def _read(path: Path) -> _Face:
    blob = hb.Blob.from_file_path(str(path))
    face = hb.Face(blob, _simplified(blob) if path.suffix.lower() in (".ttc", ".otc") else 0)
    if not face.glyph_count:
        raise ValueError("no font")
    if face.has_var_data:
        raise ValueError("a variable font: its first weight is hardly ever the one for text")
    font = hb.Font(face)
    font.scale = (EM, EM)
    return _Face(font, "glyf" not in face.table_tags)


def _simplified(blob: hb.Blob) -> int:
    """Which face of a collection has the forms of 简体中文; the first where none says so."""
    for number in range(_MOST_FACES):
        face = hb.Face(blob, number)
        if not face.glyph_count:
            break
        name = str(face.get_name(hb.OTNameIdPredefined.FONT_FAMILY) or "")
        if any(word in name for word in _SIMPLIFIED) and "Mono" not in name:
            return number
    return 0


def _packaged(role: Role) -> Sequence[Path]:
    spec = find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    path = Path(next(iter(places))) / _PACKAGED[role] if places else None
    return (path,) if path is not None and path.is_file() else ()


def _system_files() -> dict[str, Path]:
    wanted = {name for names in _SYSTEM.values() for name in names}
    found: dict[str, Path] = {}
    for directory in _DIRECTORIES:
        root = Path(directory).expanduser()
        if root.is_dir():
            for path in sorted(root.rglob("*.[to]t[fc]")):
                if path.name in wanted:
                    found.setdefault(path.name, path)
    return found
