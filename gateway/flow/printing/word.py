"""Word papers from Word templates (``templates/*.docx``, docxtpl): the same bytes for the same fields.

A template is edited in Word: fields stand in braces, looks stand in its styles. Values are never read as markup or as
template: what a party is called is printed as it is.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

from docxtpl import DocxTemplate
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from gateway.flow.printing.wording import Field, Fields, Paper

_MARKS: Final = str.maketrans({"{": "&#123;", "}": "&#125;", "%": "&#37;"})
_DOS_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_AUTHOR: Final = "调解对接网关"
_MOST_LINE_ENDS: Final = 5_000
"""A paper whose texts have more line ends is set without them: thousands of empty pages help nobody."""


def template_of(paper: Paper) -> bytes:
    """The packaged template of a paper."""
    return files("gateway.flow.printing").joinpath(f"templates/{paper}.docx").read_bytes()


def write(template: bytes, title: str, fields: Fields, at: datetime) -> bytes:
    """The paper as DOCX. ``at`` stands in its properties for the time of its making.

    Raises:
        jinja2.TemplateError: the template asks for a field that the paper does not have, or is none.
    """
    document = DocxTemplate(io.BytesIO(template))
    ends = sum(text.count("\n") + text.count("\r") for text in _texts(fields))
    document.render(
        {name: _literal(value, ends <= _MOST_LINE_ENDS) for name, value in fields.items()},
        SandboxedEnvironment(autoescape=True, undefined=StrictUndefined),
    )
    properties = document.docx.core_properties
    made = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    properties.title, properties.author, properties.last_modified_by = title, _AUTHOR, _AUTHOR
    properties.created = properties.modified = properties.last_printed = made
    properties.language = "zh-CN"
    out = io.BytesIO()
    document.save(out)
    return _timeless(out.getvalue())


def _texts(value: Field) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def _literal(value: Field, keeps_lines: bool) -> Markup | dict[str, object] | list[object]:
    """Text as characters alone: docxtpl would read ``{_{`` as a brace of its own, even in a value."""
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
        shown = "".join(_shown(sign) for sign in (text if keeps_lines else text.replace("\n", " ")))
        return Markup(str(escape(shown)).translate(_MARKS))  # noqa: S704 -- escaped on this very line
    if isinstance(value, Mapping):
        return {name: _literal(inner, keeps_lines) for name, inner in value.items()}
    return [_literal(inner, keeps_lines) for inner in value]


def _shown(sign: str) -> str:
    """Signs without a shape by their number: one that turns the direction of reading would show another name."""
    if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs"):
        return sign
    return f"〔U+{ord(sign):04X}〕"


def _timeless(data: bytes) -> bytes:
    """The archive without the clock's time at each entry."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _DOS_EPOCH), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
