"""The adapters are siblings: the same rooms under the same names, a README of the same parts, refusals in the same words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import adapters
from gateway.texts import console_texts

HOUSE = Path(adapters.__file__).parent
SIBLINGS = (
    "commerce_federation",
    "court_mediation",
    "enterprise_confederation",
    "hr_arbitration",
    "national_mediation",
    "one_stop",
    "union",
    "webhook",
)
ROOMS = {"__init__.py", "adapter.py", "codes.py", "settings.py", "translate.py", "wire.py", "README.md"}
PARTS = ["Rooms", "Services", "Reconciliation (对账)", "Quirks", "Where the page leaves a choice"]
OWN_PARTS = {"One attempt"}

OTHER_NAMES = {
    "answers.py": "replies.py",
    "draft.py": "drafts.py",
    "signing.py": "security.py",
    "config.py": "settings.py",
    "tables.py": "codes.py",
}
"""Names under which a room that several have might be called by one alone."""


@pytest.mark.parametrize("name", SIBLINGS)
def test_the_same_rooms_under_the_same_names(name: str) -> None:
    rooms = {file.name for file in (HOUSE / name).iterdir() if file.is_file()}
    assert rooms >= ROOMS
    assert not rooms & OTHER_NAMES.keys()


@pytest.mark.parametrize("name", SIBLINGS)
def test_the_readme_has_the_same_parts_and_knows_every_room(name: str) -> None:
    text = (HOUSE / name / "README.md").read_text("utf-8")
    assert text.startswith(f"# {name}: ")
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [part for part in parts if part not in OWN_PARTS] == PARTS
    told = re.findall(r"`(\w+\.py)`", text.split("## Services")[0])
    there = {file.name for file in (HOUSE / name).glob("*.py")} - {"__init__.py"}
    assert sorted(told) == sorted(there), "each once"


def refusals(name: str, kind: str = "PermanentError") -> Iterator[tuple[str, str]]:
    """The code of every error of a kind that a room makes by a literal, with its place."""
    for file in [*HOUSE.glob("*.py"), *(HOUSE / name).glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind:
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value, f"{file.name}:{node.lineno}"


@pytest.mark.parametrize("name", SIBLINGS)
def test_every_refusal_of_ours_has_its_words(name: str) -> None:
    """An operator reads why in both languages: a code of one adapter alone would stand there bare."""
    texts = console_texts()
    bare = [f"{code} ({place})" for code, place in refusals(name) if f"cause.{code}" not in texts]
    assert bare == []
    assert "type_not_taken" in {code for code, _ in refusals(name)}


@pytest.mark.parametrize("name", SIBLINGS)
def test_whatever_pauses_a_platform_has_its_words(name: str) -> None:
    """And so has a maintenance, which is told to whoever waits."""
    told = [*refusals(name, "EndpointError"), ("MAINTENANCE", "replies.py")]
    assert [f"{code} ({place})" for code, place in told if f"cause.{code}" not in console_texts()] == []
