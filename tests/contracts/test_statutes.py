"""The rules of law as data."""

from __future__ import annotations

from collections import Counter
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from contracts.events import EVENT_TYPES
from contracts.status import CLOCK, ClockState
from contracts.statutes import NoRuleInForce, Rule, Unit, load_rulebook, packaged_rulebook

RULES = packaged_rulebook().rules
TODAY = date(2026, 9, 16)

TABLE = [
    ("D01", 3, Unit.WORKING),
    ("D02", 3, Unit.WORKING),
    ("D03", 15, Unit.CALENDAR),
    ("D04", 15, Unit.CALENDAR),
    ("D05", None, Unit.CALENDAR),
    ("D06", 5, Unit.CALENDAR),
    ("D07", 30, Unit.CALENDAR),
    ("D08", 30, Unit.CALENDAR),
    ("D08b", 3, Unit.CALENDAR),
    ("D08b-decision", 15, Unit.CALENDAR),
    ("D09", 15, Unit.CALENDAR),
    ("D09-third_party", 6, Unit.MONTH),
    ("D10", 5, Unit.CALENDAR),
    ("D11", 15, Unit.CALENDAR),
    ("D12", 15, Unit.CALENDAR),
    ("D12b", 30, Unit.CALENDAR),
    ("D13", 1, Unit.YEAR),
    ("D14", 5, Unit.CALENDAR),
    ("D15", 5, Unit.CALENDAR),
    ("D15-defence", 10, Unit.CALENDAR),
    ("D15-forward", 5, Unit.CALENDAR),
    ("D16", 5, Unit.CALENDAR),
    ("D16-hearing", 5, Unit.CALENDAR),
    ("D16-postpone", 3, Unit.CALENDAR),
    ("D17", 45, Unit.CALENDAR),
    ("D18", 15, Unit.CALENDAR),
    ("D18b", 15, Unit.CALENDAR),
    ("D18b-annulment", 30, Unit.CALENDAR),
    ("D19", 2, Unit.WORKING),
    ("D20", 3, Unit.WORKING),
    ("D21", 3, Unit.WORKING),
    ("D22", 3, Unit.WORKING),
    ("D23", 30, Unit.CALENDAR),
    ("D24", 15, Unit.CALENDAR),
    ("D24-summary", 7, Unit.CALENDAR),
    ("D24b", 30, Unit.CALENDAR),
    ("D24b-entrusted", 15, Unit.CALENDAR),
    ("D24b-summary", 7, Unit.CALENDAR),
    ("D25", 7, Unit.CALENDAR),
    ("D26", 2, Unit.YEAR),
    ("D26-performance", None, Unit.CALENDAR),
    ("D27", None, Unit.CALENDAR),
    ("D27-answer", None, Unit.CALENDAR),
    ("D27-assigned", None, Unit.CALENDAR),
]
OTHER_READINGS = {"D03-from_acceptance", "D03-working"}


@pytest.mark.parametrize(("rule_id", "length", "unit"), TABLE)
def test_the_lengths_are_those_of_the_deadline_table(rule_id: str, length: int | None, unit: Unit) -> None:
    rule = packaged_rulebook().in_force(rule_id, TODAY)
    assert (rule.length, rule.unit) == (length, unit)


def test_the_table_is_complete() -> None:
    assert {rule.id for rule in RULES} == {rule_id for rule_id, _, _ in TABLE} | OTHER_READINGS


@pytest.mark.parametrize(
    ("rule_id", "extension"),
    [("D03", None), ("D06", 5), ("D08", None), ("D08b-decision", 10), ("D17", 15), ("D23", None), ("D24", None)],
)
def test_extensions(rule_id: str, extension: int | None) -> None:
    allowed = packaged_rulebook().in_force(rule_id, TODAY).extension
    assert allowed is not None
    assert allowed.length == extension
    assert allowed.zh
    assert allowed.en


@pytest.mark.parametrize("rule_id", ["D01", "D04", "D07", "D09", "D26"])
def test_no_extension_where_the_law_knows_none(rule_id: str) -> None:
    assert packaged_rulebook().in_force(rule_id, TODAY).extension is None


@pytest.mark.parametrize(
    ("rule_id", "extended", "paused"),
    [
        ("D03", "《企业劳动争议协商调解规定》第29条", None),
        ("D06", "《劳动人事争议仲裁办案规则》第76条", None),
        ("D08", "《中华人民共和国民事诉讼法》（2023年修正）第187条", None),
        ("D10", None, "《中华人民共和国民事诉讼法》（2023年修正）第226条"),
        ("D13", None, "《中华人民共和国劳动争议调解仲裁法》第27条"),
        ("D17", "《中华人民共和国劳动争议调解仲裁法》第43条", None),
        ("D23", "《人民法院在线调解规则》第24条", "《人民法院在线调解规则》第26条"),
        ("D24", "《人民法院在线调解规则》第24条", "《人民法院在线调解规则》第26条"),
        ("D26", None, "《中华人民共和国民事诉讼法》（2023年修正）第250条"),
        ("D04", None, None),
    ],
)
def test_where_the_law_allows_extension_and_suspension(rule_id: str, extended: str | None, paused: str | None) -> None:
    rule = packaged_rulebook().in_force(rule_id, TODAY)
    assert (rule.extension_citation or (None,))[0] == extended
    assert (rule.pause_citation or (None,))[0] == paused
    assert all(cited[1].isascii() for cited in (rule.extension_citation, rule.pause_citation) if cited)


def test_a_rule_is_started_by_an_event_or_says_why_by_none() -> None:
    for rule in RULES:
        assert bool(rule.starts_on) != bool(rule.untold_zh), rule.id
        assert bool(rule.untold_zh) == bool(rule.untold_en), rule.id
    assert {rule.id for rule in RULES if rule.starts_on} >= {"D17", "D25"}


def test_every_rule_has_titles_and_a_citation() -> None:
    for rule in RULES:
        assert rule.zh
        assert rule.en.isascii()
        assert rule.citation.startswith(rule.statute.zh)
        assert rule.citation_en.startswith(rule.statute.en)
        assert bool(rule.article) == ("第" in rule.citation.removeprefix(rule.statute.zh))


def test_citations() -> None:
    book = packaged_rulebook()
    assert book.in_force("D07", TODAY).citation == "《中华人民共和国民事诉讼法》（2023年修正）第205条"
    assert book.in_force("D07", TODAY).citation_en == "Civil Procedure Law (2023), art. 205"
    assert book.in_force("D03", TODAY).citation == "《中华人民共和国劳动争议调解仲裁法》第14条第3款"
    assert book.in_force("D27", TODAY).citation == "委托调解函"


@pytest.mark.parametrize(
    ("day", "article"),
    [(date(2013, 1, 1), "194"), (date(2021, 12, 31), "194"), (date(2022, 1, 1), "201"), (date(2024, 1, 1), "205")],
)
def test_the_version_in_force_on_the_day_applies(day: date, article: str) -> None:
    assert packaged_rulebook().in_force("D07", day).article == article


def test_before_the_first_version_there_is_no_rule() -> None:
    with pytest.raises(NoRuleInForce, match="D07"):
        packaged_rulebook().in_force("D07", date(2012, 12, 31))
    with pytest.raises(NoRuleInForce):
        packaged_rulebook().in_force("D99", TODAY)


def test_every_event_that_starts_or_turns_a_clock_is_published() -> None:
    for rule in RULES:
        events = {rule.starts_on, *rule.restarts_on, *(event for turn in rule.turn for event in turn.on)} - {""}
        assert events <= set(EVENT_TYPES), rule.id


def test_one_event_gives_a_clock_one_state() -> None:
    for rule in RULES:
        seen = Counter(
            (event, fact, value)
            for turn in rule.turn
            for event in turn.on
            for fact, values in (turn.where.items() or [("", ("",))])
            for value in values
        )
        assert all(count == 1 for count in seen.values()), rule.id


def test_a_clock_turns_into_states_that_it_can_reach() -> None:
    reachable = {ClockState.RUNNING} | {
        word for state in ClockState for word in CLOCK.legal_steps(state) if isinstance(word, ClockState)
    }
    assert {turn.state for rule in RULES for turn in rule.turn} <= reachable


def test_what_rests_on_memory_or_one_page_says_so() -> None:
    unverified = {rule.id for rule in RULES if not rule.verified and rule.in_force(TODAY)}
    assert unverified == {"D01", "D02", "D04", "D05", "D06", "D27", "D27-answer", "D27-assigned"} | OTHER_READINGS


def test_other_readings_start_only_where_asked_for() -> None:
    assert {rule.id for rule in RULES if rule.optional} == OTHER_READINGS | {"D08b", "D08b-decision"}


# -------------------------------------------------------------------------------------------------------------- loading

STATUTE = """
[[statute]]
id = "law"
zh = "《法》"
en = "Law"
"""
RULE = """
[[rule]]
id = "D04"
zh = "期限"
en = "Period"
statute = "law"
article = "1"
length = 15
effective_from = 2020-01-01
verified = true
"""


def test_a_statute_may_stand_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(RULE, "utf-8")
    (tmp_path / "b.toml").write_text(STATUTE, "utf-8")
    rule: Rule = load_rulebook(tmp_path).in_force("D04", TODAY)
    assert rule.citation == "《法》第1条"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (RULE, "no statute"),
        (STATUTE + STATUTE, "twice"),
        (STATUTE + RULE + RULE, "two versions"),
        (STATUTE + RULE + "effective_to = 2019-12-31", "ends before it begins"),
        (STATUTE + RULE + 'starts_on = "case.received"\n' + RULE, "two versions"),
        (STATUTE + RULE + '[rule.extension]\nzh = "a"\nen = "a"\nstatute = "none"\n', "no statute none"),
        (STATUTE + RULE.replace("length = 15", 'starts_on = "case.received"'), "neither a length nor a given end"),
        (STATUTE + RULE.replace("length = 15", "length = 0"), "length"),
        (STATUTE + RULE.replace("length = 15", "lenght = 15"), "lenght"),
        (STATUTE + RULE.replace('"D04"', '"Rule 4"'), "id"),
        (STATUTE + RULE.replace('article = "1"', "paragraph = 3"), "paragraph of no article"),
        (STATUTE + RULE + 'unit = "fortnight"', "unit"),
        (STATUTE + RULE + '[[rule.turn]]\non = ["case.closed"]\nstate = "done"', "state"),
    ],
)
def test_unsound_files_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "law.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=complaint):
        load_rulebook(tmp_path)


def test_the_packaged_files_are_all_read() -> None:
    names = {file.name for file in files("contracts").joinpath("law").iterdir()}
    assert {"labour_mediation.toml", "arbitration_review.toml", "civil_procedure.toml", "court_mediation.toml"} <= names
