"""Alerts in words: severity, title, thing, advice and link of a transition; subject and text of a bundle."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from contracts.moments import in_beijing
from gateway.flow.alerting.channels.port import SEVERITIES, Bundle, Phase, Told
from gateway.texts import console_text, console_texts

MOST_ITEMS: Final = 20
"""Transitions in one message; what is more is counted."""

RULES: Final = {
    "breaker": "critical",
    "paused_by_fault": "critical",
    "backlog_old": "warning",
    "dead_burst": "critical",
    "callback_orphan": "warning",
    "callback_unreadable": "warning",
    "deadline_near": "critical",
    "deadline_missed": "critical",
    "upstream_silent": "warning",
    "key_expiring": "warning",
    "certificate_expiring": "warning",
    "poll_failing": "critical",
    "bus_behind": "critical",
    "reconciliation": "warning",
    "clock": "warning",
    "disk": "critical",
    "partitions": "warning",
    "loop_stuck": "critical",
    "test": "info",
}
"""Every rule and how much it presses."""

_LONG_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z_])[0-9]{11,19}[Xx]?(?![0-9A-Za-z_])")
_FIGURE: Final = 80


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert's beginning or end as the store keeps it."""

    alert: str
    rule: str
    about: str
    figure: str
    phase: Phase
    at_ms: int


def place(rule: str, about: str) -> str:
    """Where in the console one acts on an alert: a page or a filtered list, relative."""
    if about.startswith("case_"):
        return f"cases/{about}"
    if rule in ("breaker", "paused_by_fault", "poll_failing"):
        return f"platforms/{about}"
    if rule == "backlog_old":
        return "messages?" + urlencode({"platform": about, "state": "pending"})
    if rule == "dead_burst":
        return "messages?" + urlencode({"platform": about, "state": "failed"})
    if rule == "reconciliation":
        return "waiting"
    if rule.startswith("callback_"):
        return "waiting?" + urlencode({"kind": rule.partition("_")[2]})
    if rule in ("upstream_silent", "key_expiring"):
        return "clients"
    return "alerts" if rule == "test" else "health"


class Wording:
    """Words for one site. ``name`` gives a thing's name in a language (a platform's title), or ``None``."""

    def __init__(self, site: str, public_base: str, name: Callable[[str, str], str | None]) -> None:
        self._site = site
        self._base = f"{public_base.rstrip('/')}/console/"
        self._name = name

    def named(self, about: str, language: str) -> str | None:
        """A thing's own name, ``None`` where it has none."""
        return self._name(about, language)

    def told(self, one: Transition, language: str) -> Told:
        """One transition in words."""
        return Told(
            alert=one.alert,
            rule=one.rule,
            phase=one.phase,
            severity=RULES.get(one.rule, "warning"),
            title=_text(f"alert_rule.{one.rule}", language, one.rule),
            about=_plain(self._name(one.about, language) or one.about),
            figure=_plain(one.figure),
            advice=_text(f"alert_advice.{one.rule}", language, ""),
            link=self._base + place(one.rule, one.about),
            moment=in_beijing(one.at_ms),
        )

    def bundle(self, given: Iterable[Transition], language: str, now_ms: int) -> Bundle:
        """One message of transitions, in the order of time."""
        ordered = sorted(given, key=lambda one: (one.at_ms, one.alert, one.phase))
        items = tuple(self.told(one, language) for one in ordered[:MOST_ITEMS])
        more = len(ordered) - len(items)
        return Bundle(
            id=_name_of(ordered),
            subject=self._subject([self.told(one, language) for one in ordered], language),
            text=self._body(items, more, language),
            items=items,
            language=language,
            site=self._site,
            moment=in_beijing(now_ms),
        )

    def _subject(self, items: Sequence[Told], language: str) -> str:
        head = console_text("alert_out.head", language, site=self._site)
        begun = [one for one in items if one.opened]
        if len(items) == 1:
            (one,) = items
            key = "alert_out.one" if one.opened else "alert_out.one_over"
            severity = console_text(f"alert_severity.{one.severity}", language)
            return head + console_text(key, language, severity=severity, title=one.title, about=one.about)
        if not begun:
            return head + console_text("alert_out.all_over", language, n=len(items))
        worst = min((one.severity for one in begun), key=SEVERITIES.index)
        return head + console_text(
            "alert_out.many",
            language,
            n=len(begun),
            over=len(items) - len(begun),
            severity=console_text(f"alert_severity.{worst}", language),
        )

    def _body(self, items: Sequence[Told], more: int, language: str) -> str:
        lines: list[str] = []
        for one in items:
            word = f"alert_severity.{one.severity}" if one.opened else "alert.over"
            figure = f" ({one.figure})" if one.figure else ""
            lines.append(
                f"[{console_text(word, language)}] {one.title}: {one.about}{figure}  {one.moment:%Y-%m-%d %H:%M}"
            )
            if one.opened and one.advice:
                lines.append(f"    {console_text('col.advice', language)}: {one.advice}")
            lines += [f"    {one.link}", ""]
        if more > 0:
            lines += [console_text("alert_out.more", language, n=more), ""]
        lines.append(self._base + "alerts")
        return "\n".join(lines) + "\n"


def _name_of(items: Sequence[Transition]) -> str:
    """The same transitions have the same name: who is told twice can see it."""
    keys = "|".join(f"{one.alert}.{one.phase}" for one in items)
    return f"aln_{hashlib.sha256(keys.encode()).hexdigest()[:26]}"


def _text(key: str, language: str, otherwise: str) -> str:
    return console_text(key, language) if key in console_texts() else otherwise


def _plain(text: str) -> str:
    """One short line without what looks like a person's number."""
    flat = "".join(c if c.isprintable() else " " for c in text)
    return _LONG_NUMBER.sub(lambda found: "*" * len(found.group()), flat)[:_FIGURE]
