"""Chinese typefaces for printed papers: which files there are, and the few glyphs that one paper needs, cut out of them.

A paper embeds a small TrueType font of its own characters, so it reads the same on every desk. The files are looked for in
this order: those of the configuration, the package of the extra ``papers`` (Noto Serif SC 宋体, Noto Sans SC 黑体, SIL OFL
1.1), those that the system has. A character that the first file lacks is taken from the next one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import structlog
from fontTools.fontBuilder import FontBuilder
from fontTools.misc.transform import Transform
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from fontTools.ttLib.tables._g_l_y_f import Glyph

log = structlog.get_logger("gateway.papers")

EM: Final = 1000
"""Units of a cut font; widths are in thousandths of the size."""

_PACKAGE: Final = "pylopdf_fonts_zh_cn"
_KEPT_GLYPHS: Final = 20_000
_HALF_UNIT: Final = 0.5
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


@dataclass(slots=True)
class _Face:
    """One opened file, its outlines read when a character is first asked for."""

    characters: dict[int, str]
    scale: float
    outlines: Any
    cubic: bool

    def glyph(self, code: int) -> _Glyph:
        name = self.characters[code]
        pen = TTGlyphPen(None)
        outline = self.outlines[name]
        rounded = Cu2QuPen(pen, _HALF_UNIT, reverse_direction=self.cubic)
        outline.draw(TransformPen(rounded, Transform().scale(self.scale)))
        drawn, width = pen.glyph(), round(outline.width * self.scale)
        if not drawn.numberOfContours:
            return _Glyph(b"", width, 0, 0, 0)
        data = drawn.compile(None)
        return _Glyph(data, width, drawn.xMin, len(drawn.coordinates), drawn.numberOfContours)


@dataclass(slots=True)
class Typefaces:
    """The files by role, best first, and the glyphs that were cut before. Used by one thread at a time."""

    files: dict[Role, tuple[Path, ...]]
    _faces: dict[Path, _Face | None] = field(default_factory=dict)
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
        return self._glyph(role, ord(character)) is not None

    def cut(self, role: Role, characters: Iterable[str]) -> Cut:
        """A font of these characters, the same bytes for the same set. Characters that no file has are left out."""
        codes = sorted({ord(character) for character in characters})
        found = {code: glyph for code in codes if (glyph := self._glyph(role, code)) is not None}
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
        builder.setupNameTable({"familyName": f"Paper {role}", "styleName": "Regular", "psName": f"Paper-{role}"})
        builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=880, usWinDescent=120, sCapHeight=733)
        builder.setupPost()
        out = io.BytesIO()
        builder.save(out)
        return Cut(out.getvalue(), {chr(code): glyph.width for code, glyph in found.items()})

    def _glyph(self, role: Role, code: int) -> _Glyph | None:
        key = (role, code)
        if key not in self._glyphs:
            if len(self._glyphs) >= _KEPT_GLYPHS:
                self._glyphs.clear()
            self._glyphs[key] = self._drawn(role, code)
        return self._glyphs[key]

    def _drawn(self, role: Role, code: int) -> _Glyph | None:
        for face in self._chain(role):
            if code in face.characters:
                glyph = face.glyph(code)
                if glyph.data or code in _BLANK:  # some fonts map what they do not draw
                    return glyph
        return None

    def _chain(self, role: Role) -> Iterator[_Face]:
        others = [path for other in Role if other is not role for path in self.files[other]]
        for path in dict.fromkeys([*self.files[role], *others]):
            face = self._open(path)
            if face is not None:
                yield face

    def _open(self, path: Path) -> _Face | None:
        if path not in self._faces:
            try:
                self._faces[path] = _read(path)
            except (OSError, TTLibError, KeyError, ValueError, IndexError, AssertionError) as error:
                log.warning("typeface_unreadable", file=path.name, code=type(error).__name__)
                self._faces[path] = None
        return self._faces[path]


def _read(path: Path) -> _Face:
    number = _simplified(path) if path.suffix.lower() in (".ttc", ".otc") else -1
    with path.open("rb") as file, TTFont(file, fontNumber=number, lazy=True) as font:
        if "fvar" in font:
            raise ValueError("a variable font: its first weight is hardly ever the one for text")
        cubic = "glyf" not in font
        if not cubic:
            font["glyf"].ensureDecompiled()  # what is read after this, is read from memory
        characters: dict[int, str] = font.getBestCmap() or {}
        return _Face(characters, EM / font["head"].unitsPerEm, font.getGlyphSet(), cubic)


def _simplified(path: Path) -> int:
    """Which face of a collection has the forms of 简体中文; the first where none says so."""
    with path.open("rb") as file, TTCollection(file, lazy=True) as collection:
        for number, font in enumerate(collection.fonts):
            name = str(font["name"].getDebugName(1) or "")
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
