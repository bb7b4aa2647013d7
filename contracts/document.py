"""What every canonical document is: frozen, strict, without unknown fields; and how the rules over its fields are run.

Shape and form of single values are the models' (``contracts/values.py``). What concerns several fields, or needs to
know what time it is, is a *rule*: a function beside its model that yields findings. Rules are separate from the
models, so that a stored document can be read again at any later time, and so that they also run over the sound fields
of a document whose other fields are broken (``contracts/intake.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.fields import FieldInfo

from contracts import regions
from contracts.chinese_calendar import beijing_day
from contracts.findings import Code, Finding
from contracts.titled import Titled
from contracts.values import InRegionTable, Past

CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far a time that should be past may lie ahead of our clock."""


def latest_today(now: datetime) -> date:
    """The latest day that counts as today, in Beijing."""
    return beijing_day(now + CLOCK_TOLERANCE)


def named(zh: str, en: str, values: Collection[Titled] = (), **more: Any) -> FieldInfo:  # Any: what Field takes
    """The titles of a field in the JSON Schema: ``title`` in English, ``x-title-zh`` in Chinese.

    pydantic drops a ``title`` beside a reference, so the English one travels as ``x-title-en`` until the schema is exported.
    Stands in the field's ``Annotated``. ``values`` are the titled values of a ``Literal`` (a closed list brings its own),
    ``more`` goes to pydantic's ``Field``.
    """
    extra: dict[str, JsonValue] = {"x-title-zh": zh, "x-title-en": en}
    if values:
        extra["x-titles"] = titles_of(values)
    return cast(FieldInfo, Field(title=en, json_schema_extra=extra, **more))


def titles_of(values: Iterable[Titled]) -> dict[str, JsonValue]:
    """``x-titles`` of a JSON Schema: each value of a closed list with its title in both languages."""
    return {str(value): {"zh": value.zh, "en": value.en} for value in values}


class Unsound(Exception):
    """A rule asked for a field that is not sound. Raised only on the partial documents of ``contracts/intake.py``."""


class Part(BaseModel):
    """A canonical document or a piece of one. Frozen; values are never converted; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        hide_input_in_errors=True,
        serialize_by_alias=True,
        validate_by_alias=True,
        regex_engine="rust-regex",
    )

    if not TYPE_CHECKING:  # a checker would take every misspelt field for one

        def __getattr__(self, name: str) -> Any:
            """Reached for fields without a value alone, which only partial documents have."""
            if name in type(self).model_fields:
                raise Unsound(name)
            return super().__getattr__(name)

    def to_json(self) -> bytes:
        """The canonical JSON: UTF-8, optional fields without a value left out, amounts with two decimals."""
        return self.model_dump_json(exclude_none=True).encode()


class Document(Part):
    """A canonical document, version 1.0 of the contract (规范文档)."""

    schema_version: Annotated[Literal["1.0"], named("契约版本", "Contract version")]


# --------------------------------------------------------------------------------------------------------------- rules

P = TypeVar("P", bound=Part)
Rule = Callable[[P, str, datetime], Iterable[Finding]]
"""A check over one part: the part, the JSON pointer where it stands in its document, and now. Yields findings."""

_RULES: dict[type[Part], list[Rule[Any]]] = {}


def rule(kind: type[P]) -> Callable[[Rule[P]], Rule[P]]:
    """Decorator: the function is a rule of that model and of those derived from it."""

    def register(check: Rule[P]) -> Rule[P]:
        _RULES.setdefault(kind, []).append(check)
        return check

    return register


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the walk does at one model: its rules, and its fields with times, regions and further parts. Parts in which there is
    nothing to be looked at, however deep, are left out."""

    rules: tuple[Rule[Any], ...]
    keys: Mapping[str, str]
    past: tuple[str, ...]
    regions: tuple[str, ...]
    inner: tuple[str, ...]

    @property
    def silent(self) -> bool:
        """Whether there is nothing to be looked at."""
        return not (self.rules or self.past or self.regions or self.inner)


def examine(part: Part, now: datetime, at: str = "") -> list[Finding]:
    """Run the rules of a part and of everything in it.

    Also what holds for all documents: a time or date that should be past lies ahead of ``now`` by more than 60 seconds
    (a date: is after today in Beijing), and region codes that the table does not have or that were abolished.

    Args:
        part: a document, whole or partial.
        now: an aware time.
        at: the JSON pointer of ``part`` in its document.
    """
    findings: list[Finding] = []
    _examine(part, now, at, findings)
    return findings


def _examine(part: Part, now: datetime, at: str, findings: list[Finding]) -> None:
    values = part.__dict__
    plan = _plan(type(part))
    for name in plan.past:
        moment = values.get(name)
        if moment is not None and _is_ahead(moment, now):
            findings.append(Finding.of(f"{at}/{plan.keys[name]}", Code.TIME_IN_FUTURE))
    for name in plan.regions:
        code = values.get(name)
        if code is not None:
            findings += region_findings(code, f"{at}/{plan.keys[name]}")
    if plan.rules:
        findings += gathered(*(check(part, at, now) for check in plan.rules))
    for name in plan.inner:
        value = values.get(name)
        if isinstance(value, Part):
            _examine(value, now, f"{at}/{plan.keys[name]}", findings)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Part):
                    _examine(item, now, f"{at}/{plan.keys[name]}/{index}", findings)


def gathered(*checks: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of several independent checks; one that asks for an unsound field ends alone."""
    findings: list[Finding] = []
    for check in checks:
        try:
            for finding in check:
                findings.append(finding)  # what came before an unsound field is kept
        except Unsound:
            continue
    return tuple(findings)


def region_findings(code: str, at: str) -> Iterator[Finding]:
    """The warning about a region code that the table does not have, or that was abolished."""
    region = regions.look(code)
    if region.state is regions.RegionState.UNKNOWN:
        yield Finding.of(at, Code.REGION_UNKNOWN)
    elif region.state is regions.RegionState.ABOLISHED:
        yield Finding.of(at, Code.REGION_ABOLISHED, successors=region.successors)


def _is_ahead(moment: datetime | date, now: datetime) -> bool:
    if isinstance(moment, datetime):
        return moment > now + CLOCK_TOLERANCE
    return moment > latest_today(now)


@cache
def _plan(kind: type[Part]) -> _Plan:
    fields = kind.model_fields
    marks = {name: set(_marks(info.annotation)) | set(map(type, info.metadata)) for name, info in fields.items()}
    return _Plan(
        rules=tuple(check for base in reversed(kind.__mro__) for check in _RULES.get(base, ())),
        keys={name: info.alias or name for name, info in fields.items()},
        past=tuple(name for name, found in marks.items() if Past in found),
        regions=tuple(name for name, found in marks.items() if InRegionTable in found),
        inner=tuple(
            name for name, info in fields.items() if not all(_plan(part).silent for part in _parts(info.annotation))
        ),
    )


def _parts(annotation: object) -> Iterator[type[Part]]:
    """The models inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _marks(annotation: object) -> Iterator[type]:
    """The types of all marks inside an annotation, those of optional fields included."""
    for mark in getattr(annotation, "__metadata__", ()):
        yield type(mark)
    for inner in get_args(annotation):
        yield from _marks(inner)
