"""The statutory periods as effective-dated data: what starts each, how long it is, and which article says so.

The data are ``law/*.toml`` beside the calendar's files; ids are those of the deadline table (D01, D04 …), a part of an
entry has a suffix (``D24-summary``). Several versions of one id follow each other in time: the version in force on the
start day applies.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.status import ClockState
from contracts.titled import Titled


class Unit(Titled):
    """In what a period is counted."""

    CALENDAR = "calendar", "日", "calendar days"
    WORKING = "working", "个工作日", "working days"
    MONTH = "month", "个月", "months"
    YEAR = "year", "年", "years"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Where = Mapping[str, tuple[str, ...]]
"""Facts and the values of which one must hold."""


def holds(where: Where, facts: Mapping[str, object]) -> bool:
    """Whether every named fact is there and has one of its values."""
    return all(facts.get(fact) in values for fact, values in where.items())


class Statute(_Data):
    """A law, interpretation or rule (法律, 司法解释, 规章), with its amendment where the numbering hangs on it."""

    id: str
    zh: str
    en: str


class Extension(_Data):
    """How a period may be prolonged (延长). ``length`` is the most in the rule's own unit; ``None`` = the law names none.

    ``statute`` and ``article``: where the law says so, if elsewhere than the period itself.
    """

    zh: str
    en: str
    length: Annotated[int, Field(gt=0)] | None = None
    statute: Statute | None = None
    article: str = Field(default="", pattern=r"^(\d{1,3})?$")


class Turn(_Data):
    """An event after which the clock of the same matter changes its state.

    ``suspended`` (中止) stops the counting from the event's day on, ``running`` goes on with it; the days between are not
    counted. Only a platform's word can do that, since only it comes with the clocks that run."""

    on: tuple[str, ...] = Field(min_length=1)
    state: ClockState
    where: Where = {}


class Rule(_Data):
    """One statutory period (法定期间) in one version of the law.

    - ``length`` and ``unit``; without length the law names no number ("promptly", or set in a letter).
    - ``before``: counted back from the start (a notice due days before a hearing).
    - ``starts_on``: the event that starts it, where ``start_where`` holds and ``start_unless`` does not; empty = no
      event of this house tells its start, it is computed on demand; ``untold_zh``, ``untold_en`` say why.
    - ``restarts_on``: events after which it runs anew, as from a new start (重新起算), under the same conditions.
    - ``start_facts``: the facts of which the first known one is the start.
    - ``given_fact``: the fact that, where known, is the end that the platform or letter set, instead of a computed one.
    - ``optional``: a reading or local practice beside the statutory one, started only where a setting asks for it.
    - ``pause_zh``, ``pause_en``: what suspends it; ``pause_article``: the article of the same statute that says so, if
      another than the period's.
    - ``verified``: length and article were read in the source, not in a secondary page or from memory.
    """

    id: str = Field(pattern=r"^D\d{2}[a-z]?(-[a-z_]+)?$")
    zh: str
    en: str
    statute: Statute
    article: str = Field(default="", pattern=r"^(\d{1,3}(-\d{1,3})?)?$")
    paragraph: int | None = None
    length: Annotated[int, Field(gt=0, le=1000)] | None = None
    unit: Unit = Unit.CALENDAR
    before: bool = False
    starts_on: str = ""
    untold_zh: str = ""
    untold_en: str = ""
    restarts_on: tuple[str, ...] = ()
    start_where: Where = {}
    start_unless: Where = {}
    start_facts: tuple[str, ...] = ("at",)
    given_fact: str = ""
    turn: tuple[Turn, ...] = ()
    extension: Extension | None = None
    pause_zh: str = ""
    pause_en: str = ""
    pause_article: str = Field(default="", pattern=r"^(\d{1,3})?$")
    optional: bool = False
    effective_from: date
    effective_to: date | None = None
    verified: bool

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise ValueError(f"{self.id}: ends before it begins")
        if self.starts_on and self.length is None and not self.given_fact:
            raise ValueError(f"{self.id}: starts on an event but has neither a length nor a given end")
        if self.paragraph is not None and not self.article:
            raise ValueError(f"{self.id}: a paragraph of no article")
        return self

    @property
    def citation(self) -> str:
        """Where the law says so, in Chinese: ``《…民事诉讼法》（2023年修正）第205条``."""
        return _cited(self.statute, self.article, self.paragraph)

    @property
    def citation_en(self) -> str:
        """The same in English: ``Civil Procedure Law (2023), art. 205``."""
        return _cited_en(self.statute, self.article, self.paragraph)

    @property
    def extension_citation(self) -> tuple[str, str] | None:
        """Where the law says that it may be prolonged, in Chinese and English; ``None``: nowhere."""
        if self.extension is None:
            return None
        return self._beside(self.extension.article, self.extension.statute)

    @property
    def pause_citation(self) -> tuple[str, str] | None:
        """Where the law says that it may be suspended, in Chinese and English; ``None``: nowhere."""
        return self._beside(self.pause_article) if self.pause_zh else None

    def _beside(self, article: str, statute: Statute | None = None) -> tuple[str, str]:
        if not article and statute is None:
            return self.citation, self.citation_en
        named = statute or self.statute
        return _cited(named, article), _cited_en(named, article)

    def hears(self, event: str) -> bool:
        """Whether the event starts it, starts it anew, or turns its clock."""
        return event == self.starts_on or event in self.restarts_on or any(event in turn.on for turn in self.turn)

    def in_force(self, day: date) -> bool:
        """Whether this version applies to a period that starts on the day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


_Entry = dict[str, object]
"""A rule as the file has it, its statute still an id: statutes may stand in another file."""


def _cited(statute: Statute, article: str, paragraph: int | None = None) -> str:
    number = f"第{article.replace('-', '至')}条" if article else ""
    return f"{statute.zh}{number}" + (f"第{paragraph}款" if paragraph else "")


def _cited_en(statute: Statute, article: str, paragraph: int | None = None) -> str:
    if not article:
        return statute.en
    number = f"art{'s' if '-' in article else ''}. {article}"
    return f"{statute.en}, {number}" + (f" ¶{paragraph}" if paragraph else "")


class _File(_Data):
    statute: tuple[Statute, ...] = ()
    rule: tuple[_Entry, ...] = ()


class NoRuleInForce(LookupError):
    """No version of the rule applies on the day."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules, in all their versions."""

    rules: tuple[Rule, ...]
    _of_event: dict[str, tuple[Rule, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of_event(self, event: str) -> tuple[Rule, ...]:
        """The rules that an event starts, starts anew, or turns, in all versions; sought once for each event."""
        found = self._of_event.get(event)
        if found is None:
            found = tuple(rule for rule in self.rules if rule.hears(event))
            self._of_event[event] = found
        return found

    def in_force(self, rule_id: str, day: date) -> Rule:
        """The version of a rule that applies to a period starting on the day. Raises ``NoRuleInForce``."""
        for rule in self.rules:
            if rule.id == rule_id and rule.in_force(day):
                return rule
        raise NoRuleInForce(f"{rule_id} on {day}")


def load_rulebook(directory: Traversable | None = None) -> Rulebook:
    """Read every rule file (``[[statute]]``, ``[[rule]]``) of a directory; the packaged ones where none is given.

    Raises ``ValueError`` for a file of another form, a rule of no statute, or two versions of an id in force at once;
    ``OSError`` where a file cannot be read.
    """
    place = directory if directory is not None else files("contracts").joinpath("law")
    statutes: dict[str, Statute] = {}
    entries: list[_Entry] = []
    for file in sorted(place.iterdir(), key=lambda found: found.name):
        if not file.name.endswith(".toml") or file.name.startswith(("calendar-", "festivals")):
            continue
        read = _File.model_validate(tomllib.loads(file.read_text("utf-8")))
        for statute in read.statute:
            if statute.id in statutes:
                raise ValueError(f"statute {statute.id} is named twice")
            statutes[statute.id] = statute
        entries += read.rule
    rules: list[Rule] = []
    for entry in entries:
        if entry.get("statute") not in statutes:
            raise ValueError(f"{entry.get('id')}: no statute {entry.get('statute')}")
        rule = Rule.model_validate({**_with_its_statute(entry, statutes), "statute": statutes[str(entry["statute"])]})
        for other in rules:
            if other.id == rule.id and (other.in_force(rule.effective_from) or rule.in_force(other.effective_from)):
                raise ValueError(f"{rule.id}: two versions in force at once")
        rules.append(rule)
    return Rulebook(tuple(rules))


def _with_its_statute(entry: _Entry, statutes: Mapping[str, Statute]) -> _Entry:
    """The entry with the statute of its extension in place of that one's id."""
    extension = entry.get("extension")
    if not isinstance(extension, dict) or "statute" not in extension:
        return entry
    if extension["statute"] not in statutes:
        raise ValueError(f"{entry.get('id')}: no statute {extension['statute']}")
    return {**entry, "extension": {**extension, "statute": statutes[extension["statute"]]}}


@cache
def packaged_rulebook() -> Rulebook:
    """The rules of the package's data, read once."""
    return load_rulebook()
