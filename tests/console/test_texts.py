"""The catalogue is complete in both languages and knows every key that is used; script and style are fit for old browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

import esprima
import pytest

from contracts.deliveries import DeliveryState
from contracts.messages import MessageType
from contracts.status import TaskKind
from gateway.flow.moving.acts import REFUSALS
from gateway.security.roles import role_book
from gateway.texts import console_text, console_texts
from gateway.web.console.words import SIGNS
from tests.console.counter import Counter

ROOM = files("gateway.web.console")
BY_DATA = (
    "platform",
    "actor",
    "cause",
    "cause_http",
    "advice",
    "alert_out",
    "audit_act",
    "health_check",
    "state",
    "short",
    "trigger",
    "class",
    "step",
    "authority",
)
"""Groups that are asked for by words from data; a word without a text is shown as it is."""


def sources() -> Iterator[str]:
    for folder in (ROOM, ROOM.joinpath("templates")):
        for file in folder.iterdir():
            if file.name.endswith((".py", ".html")):
                yield file.read_text("utf-8")


def used() -> tuple[set[str], set[str]]:
    """Whole keys, and beginnings of keys, that the pages name."""
    whole: set[str] = set()
    begun: set[str] = set()
    for text in sources():
        for form, key, more in re.findall(r"""\bt\((f?)["']([a-z_.0-9{}]*?)(?:\{[^"']*)?["'](\s*~)?""", text):
            (begun if form or more else whole).add(key)
    return whole | {row.text for row in REFUSALS.values()}, begun


def test_every_key_that_is_used_is_there_and_none_is_idle() -> None:
    whole, begun = used()
    keys = set(console_texts())
    assert whole - keys == set()
    assert {start for start in begun if not any(key.startswith(start) for key in keys)} == set()
    groups = {*(f"{group}." for group in BY_DATA), *begun, *(f"{group}." for group in groups_said())}
    idle = {key for key in keys - whole if not any(start and key.startswith(start) for start in groups)}
    assert idle <= {"direction.in", "direction.out"}


def groups_said() -> set[str]:
    return {group for text in sources() for group in re.findall(r"""(?:say|words_of)\(["']([a-z_]+)["']""", text)}


@pytest.mark.parametrize("key", sorted(console_texts()))
def test_both_languages_say_the_same_places(key: str) -> None:
    zh, en = console_texts()[key]["zh"], console_texts()[key]["en"]
    assert zh.strip()
    assert en.strip()
    assert set(re.findall(r"\{\w+\}", zh)) == set(re.findall(r"\{\w+\}", en))
    assert not re.search(r"[\u4e00-\u9fff]", en), "Chinese in the English text"


@pytest.mark.parametrize("state", DeliveryState)
def test_a_deliverys_state_has_one_name_everywhere(state: DeliveryState) -> None:
    assert console_text(f"state.{state}", "zh") == state.zh
    assert console_text(f"state.{state}", "en") == state.en.lower()
    assert DeliveryState.DEAD.zh in TaskKind.DEAD.zh


def test_closed_lists_are_covered() -> None:
    for state in DeliveryState:
        assert console_text(f"state.{state}", "zh")
        assert state in SIGNS
    for kind in MessageType:
        assert console_text(f"short.{kind.replace('.', '_')}", "en")
    assert set(role_book().roles) == {"viewer", "operator", "administrator", "auditor"}
    assert all(console_text("task.advice.other", "zh") for _ in TaskKind)


async def test_every_page_is_whole_in_both_languages(counter: Counter) -> None:
    await counter.journey()
    for path in counter.addresses():
        if path == "messages/newer":
            continue
        for language, lang in (("zh-CN", "zh-CN"), ("en", "en")):
            answer = await counter.visitors["administrator"].get(path, **{"Accept-Language": language})
            if answer.status_code == 303 or "export" in path:
                continue
            assert f'<html lang="{lang}">' in answer.text, path
            assert "{{" not in answer.text
            words = re.sub(r"<[^>]*>", " ", answer.text)
            if lang == "en" and path in ("", "messages", "failures", "platforms", "health", "search", "wall"):
                ours = {
                    text["zh"]
                    for text in console_texts().values()
                    if re.fullmatch(r"[\u4e00-\u9fff，。：、]{4,}", text["zh"])
                }
                assert [text for text in ours if text in words] == [], path


def test_the_script_is_of_2017_and_small() -> None:
    text = ROOM.joinpath("static", "gateway.js").read_text("utf-8")
    esprima.parseScript(text)
    assert len(text.encode()) <= 20 * 1024
    for word in (
        "?.",
        "??",
        "navigator.clipboard",
        "navigator.locks",
        "crypto.subtle",
        "serviceWorker",
        "replaceAll",
        ".at(",
        "eval(",
    ):
        assert word not in text, word


def test_every_tone_of_a_picture_has_one_for_the_wall() -> None:
    style = ROOM.joinpath("static", "gw.css").read_text("utf-8")
    tones = set(re.findall(r"^\.([rc]\d)\{|\}\.([rc]\d)\{", style, re.M))
    names = {name for pair in tones for name in pair if name}
    assert len(names) == 16
    assert {name for name in names if f".wall .{name}{{" not in style} == set()


def test_the_style_asks_nothing_newer_than_chromium_78() -> None:
    text = ROOM.joinpath("static", "gw.css").read_text("utf-8")
    for word in (
        ":has(",
        ":is(",
        ":where(",
        "@layer",
        "@container",
        "color-mix",
        "aspect-ratio",
        "inset:",
        "min(",
        "clamp(",
        "url(",
        "@import",
        "anywhere",
    ):
        assert word not in text, word
    for block in re.findall(r"\{[^{}]*\}", text):
        if re.search(r"(?<![-\w])gap:|(?<!grid-)row-gap|(?<!grid-)column-gap", block):
            raise AssertionError(f"gap outside a grid: {block}")
    assert len(text.encode()) <= 24 * 1024
