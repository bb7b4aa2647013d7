"""A cut font inside a PDF: one composite font (Type0, Identity-H) for all its characters, searchable and copied as they are.

ReportLab splits TrueType fonts into pieces of 256 characters and names those beyond the basic plane wrongly, so names of rare
characters would be copied as others. Its protocol for fonts that are made while drawing is used instead (ISO 32000-1 §9.7).
"""

from __future__ import annotations

from typing import Any, Final

from reportlab.pdfbase import pdfdoc, pdfmetrics

from gateway.flow.printing.fonts import EM, Cut, Role

_SYMBOLIC: Final = 4
_PIECE: Final = 100
"""Most entries of one ``bfchar`` block."""
_BOX: Final = (-EM, -EM, 2 * EM, 2 * EM)


class _Face:
    def __init__(self, name: str) -> None:
        self.name = name


class EmbeddedFont:
    """A font that ReportLab draws with, registered once for its role; its characters are those of the paper in hand."""

    _multiByte = 0  # noqa: N815 -- ReportLab's name
    _dynamicFont = 1  # noqa: N815 -- ReportLab's name
    shapable = False

    def __init__(self, role: Role) -> None:
        self.fontName = f"Paper-{role}"
        self.face = _Face(self.fontName)
        self._cut = Cut(b"", {})
        self._numbers: dict[str, int] = {}

    def load(self, cut: Cut) -> None:
        """Take up the characters of the next paper."""
        self._cut = cut
        self._numbers = {sign: number for number, sign in enumerate(cut.widths, 1)}

    def stringWidth(self, text: str, size: float, encoding: str = "utf8") -> float:  # noqa: N802 -- ReportLab's name
        """Width of a text in points."""
        return sum(self._cut.widths.get(sign, EM) for sign in text) * size / EM

    def splitString(self, text: str, document: Any) -> list[tuple[int, bytes]]:  # noqa: N802 -- ReportLab's name
        """The text as glyph numbers of two bytes each, in one piece."""
        return [(0, b"".join(self._numbers.get(sign, 0).to_bytes(2, "big") for sign in text))]

    def getSubsetInternalName(self, subset: int, document: Any) -> str:  # noqa: N802 -- ReportLab's name
        """The font's name inside the document, which learns of it by the first asking."""
        if self.fontName not in document.fontMapping:
            document.fontMapping[self.fontName] = f"/F{len(document.fontMapping) + 1}"
            document.delayedFonts.append(self)
        return str(document.fontMapping[self.fontName])

    def addObjects(self, document: Any) -> None:  # noqa: N802 -- ReportLab's name
        """Write the font: file, descriptor, widths, and what its glyphs mean."""
        inner = document.fontMapping[self.fontName][1:]
        name = pdfdoc.PDFName(f"PAPERS+{self.fontName}")
        file = self._stream(document, self._cut.data, f"file:{inner}", Length1=len(self._cut.data))
        descriptor = document.Reference(
            pdfdoc.PDFDictionary(
                {
                    "Type": "/FontDescriptor",
                    "FontName": name,
                    "Flags": _SYMBOLIC,
                    "FontBBox": pdfdoc.PDFArray(_BOX),
                    "ItalicAngle": 0,
                    "Ascent": 880,
                    "Descent": -120,
                    "CapHeight": 733,
                    "StemV": 80,
                    "FontFile2": file,
                }
            ),
            f"descriptor:{inner}",
        )
        system = {"Registry": pdfdoc.PDFString("Adobe"), "Ordering": pdfdoc.PDFString("Identity"), "Supplement": 0}
        descendant = document.Reference(
            pdfdoc.PDFDictionary(
                {
                    "Type": "/Font",
                    "Subtype": "/CIDFontType2",
                    "BaseFont": name,
                    "CIDSystemInfo": pdfdoc.PDFDictionary(system),
                    "FontDescriptor": descriptor,
                    "DW": EM,
                    "W": pdfdoc.PDFArray([1, pdfdoc.PDFArray(list(self._cut.widths.values()))]),
                    "CIDToGIDMap": "/Identity",
                }
            ),
            f"descendant:{inner}",
        )
        document.idToObject["BasicFonts"].dict[inner] = pdfdoc.PDFDictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": name,
                "Encoding": "/Identity-H",
                "DescendantFonts": pdfdoc.PDFArray([descendant]),
                "ToUnicode": self._stream(document, self._meanings(), f"meanings:{inner}"),
            }
        )

    @staticmethod
    def _stream(document: Any, content: bytes, name: str, **entries: int) -> Any:
        stream = pdfdoc.PDFStream(content=content)
        stream.filters = [pdfdoc.PDFZCompress]
        for key, value in entries.items():
            stream.dictionary[key] = value
        return document.Reference(stream, name)

    def _meanings(self) -> bytes:
        """The ToUnicode map, in UTF-16 (ISO 32000-1 §9.10.3)."""
        rows = [f"<{number:04X}> <{sign.encode('utf-16-be').hex()}>" for sign, number in self._numbers.items()]
        pieces = [rows[at : at + _PIECE] for at in range(0, len(rows), _PIECE)]
        lines = [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
            *(line for piece in pieces for line in (f"{len(piece)} beginbfchar", *piece, "endbfchar")),
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
        return "\n".join(lines).encode("ascii")


def embedded(role: Role, cut: Cut) -> str:
    """The name to draw with, now standing for this cut. One paper at a time (the press sees to it)."""
    name = f"Paper-{role}"
    if name not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(EmbeddedFont(role))
    pdfmetrics.getFont(name).load(cut)
    return name
