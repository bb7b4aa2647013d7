"""Every rule of the deadline table by its article: the day on which a period from 2026-09-16 ends, and that the data decide."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from contracts.chinese_calendar import load_calendar, packaged_calendar
from contracts.deadlines import due
from contracts.statutes import load_rulebook, packaged_rulebook

START = date(2026, 9, 16)

TABLE: list[tuple[str, str, str | None]] = [
    ("D01", "《企业劳动争议协商调解规定》第23条", "2026-09-20"),
    ("D02", "地方办事规定", "2026-09-20"),
    ("D03", "《中华人民共和国劳动争议调解仲裁法》第14条第3款", "2026-10-08"),
    ("D03-from_acceptance", "《企业劳动争议协商调解规定》第29条", "2026-10-08"),
    ("D03-working", "地方办事规定", "2026-10-13"),
    ("D04", "《劳动人事争议仲裁办案规则》第74条", "2026-10-08"),
    ("D05", "《劳动人事争议仲裁办案规则》第75条", None),
    ("D06", "《劳动人事争议仲裁办案规则》第76条", "2026-09-21"),
    ("D07", "《中华人民共和国民事诉讼法》（2023年修正）第205条", "2026-10-16"),
    ("D08", "《中华人民共和国民事诉讼法》（2023年修正）第187条", "2026-10-16"),
    ("D08b", "《最高人民法院关于人民调解协议司法确认程序的若干规定》第4条", "2026-09-20"),
    ("D08b-decision", "《最高人民法院关于人民调解协议司法确认程序的若干规定》第5条", "2026-10-08"),
    ("D09", "《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》（2022年修正）第372条", "2026-10-08"),
    (
        "D09-third_party",
        "《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》（2022年修正）第372条",
        "2027-03-16",
    ),
    ("D10", "《中华人民共和国民事诉讼法》（2023年修正）第226条", "2026-09-21"),
    ("D11", "《中华人民共和国民事诉讼法》（2023年修正）第227条", "2026-10-08"),
    ("D12", "《中华人民共和国民事诉讼法》（2023年修正）第227条", "2026-10-08"),
    ("D12b", "《最高人民法院关于适用督促程序若干问题的规定》第6条", "2026-10-16"),
    ("D13", "《中华人民共和国劳动争议调解仲裁法》第27条", "2027-09-16"),
    ("D14", "《中华人民共和国劳动争议调解仲裁法》第29条", "2026-09-21"),
    ("D15", "《中华人民共和国劳动争议调解仲裁法》第30条", "2026-09-21"),
    ("D15-defence", "《中华人民共和国劳动争议调解仲裁法》第30条", "2026-09-28"),
    ("D15-forward", "《中华人民共和国劳动争议调解仲裁法》第30条", "2026-09-21"),
    ("D16", "《中华人民共和国劳动争议调解仲裁法》第32条", "2026-09-21"),
    ("D16-hearing", "《中华人民共和国劳动争议调解仲裁法》第35条", "2026-09-11"),
    ("D16-postpone", "《中华人民共和国劳动争议调解仲裁法》第35条", "2026-09-11"),
    ("D17", "《中华人民共和国劳动争议调解仲裁法》第43条", "2026-11-02"),
    ("D18", "《中华人民共和国劳动争议调解仲裁法》第50条", "2026-10-08"),
    ("D18b", "《中华人民共和国劳动争议调解仲裁法》第48条", "2026-10-08"),
    ("D18b-annulment", "《中华人民共和国劳动争议调解仲裁法》第49条", "2026-10-16"),
    ("D19", "《人民法院在线调解规则》第10条", "2026-09-18"),
    ("D20", "《人民法院在线调解规则》第10条", "2026-09-20"),
    ("D21", "《人民法院在线调解规则》第12条", "2026-09-20"),
    ("D22", "《人民法院在线调解规则》第15条", "2026-09-20"),
    ("D23", "《人民法院在线调解规则》第24条", "2026-10-16"),
    ("D24", "《人民法院在线调解规则》第24条", "2026-10-08"),
    ("D24-summary", "《人民法院在线调解规则》第24条", "2026-09-23"),
    ("D24b", "《最高人民法院关于人民法院特邀调解的规定》第27条", "2026-10-16"),
    ("D24b-entrusted", "《最高人民法院关于人民法院特邀调解的规定》第27条", "2026-10-08"),
    ("D24b-summary", "《最高人民法院关于人民法院特邀调解的规定》第27条", "2026-09-23"),
    ("D25", "《中华人民共和国民事诉讼法》（2023年修正）第126条", "2026-09-23"),
    ("D26", "《中华人民共和国民事诉讼法》（2023年修正）第250条", "2028-09-18"),
    ("D26-performance", "《中华人民共和国劳动争议调解仲裁法》第14条第2款", None),
    ("D27", "委托调解函", None),
    ("D27-answer", "分流指派、移交通知", None),
    ("D27-assigned", "分流指派、移交通知", None),
]


@pytest.mark.parametrize(("rule_id", "article", "last"), TABLE)
def test_a_rule_its_article_and_its_last_day(rule_id: str, article: str, last: str | None) -> None:
    rule = packaged_rulebook().in_force(rule_id, START)
    assert rule.citation == article
    if last is None:
        assert rule.length is None, "promptly, or by the date of the letter or the agreement"
    else:
        assert due(rule, START, packaged_calendar()).due == date.fromisoformat(last)


def test_no_rule_is_left_out() -> None:
    assert {rule.id for rule in packaged_rulebook().rules} == {rule_id for rule_id, _, _ in TABLE}


@pytest.mark.parametrize(("rule_id", "article", "last"), [row for row in TABLE if row[2] is not None])
def test_changing_the_data_changes_the_result(rule_id: str, article: str, last: str, tmp_path: Path) -> None:
    for file in files("contracts").joinpath("law").iterdir():
        text = file.read_text("utf-8")
        blocks = text.split("[[rule]]")
        changed = [_longer(block) if f'\nid = "{rule_id}"\n' in block else block for block in blocks]
        (tmp_path / file.name).write_text("[[rule]]".join(changed), "utf-8")
    moved = due(load_rulebook(tmp_path).in_force(rule_id, START), START, load_calendar(tmp_path)).due
    assert moved != date.fromisoformat(last)


@pytest.mark.parametrize("rule_id", [rule_id for rule_id, _, last in TABLE if last is None])
def test_a_length_in_the_data_makes_a_rule_without_one_count(rule_id: str, tmp_path: Path) -> None:
    for file in files("contracts").joinpath("law").iterdir():
        text = file.read_text("utf-8")
        blocks = text.split("[[rule]]")
        given = f'\nid = "{rule_id}"\n'
        changed = [block.replace(given, given + "length = 10\n") for block in blocks]
        (tmp_path / file.name).write_text("[[rule]]".join(changed), "utf-8")
    with pytest.raises(ValueError, match="no length"):
        due(packaged_rulebook().in_force(rule_id, START), START, packaged_calendar())
    counted = due(load_rulebook(tmp_path).in_force(rule_id, START), START, load_calendar(tmp_path))
    assert counted.due == date(2026, 9, 28), "the 26th is a Saturday, with Mid-Autumn before it"


def _longer(block: str) -> str:
    lines = block.split("\n")
    place = next(place for place, line in enumerate(lines) if line.startswith("length = "))
    lines[place] = f"length = {int(lines[place].removeprefix('length = ')) + 20}"
    return "\n".join(lines)
