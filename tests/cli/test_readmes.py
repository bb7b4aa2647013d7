"""The two READMEs say the same, and nothing that is not there: blocks, parts, figures, commands with their options, paths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from gateway.cli.command import command

ROOT = Path(__file__).resolve().parents[2]
READMES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
FIGURE = re.compile(r"\d[\d,.]*\d|\d")


def outside_blocks(text: str) -> str:
    """The prose and its tables."""
    return BLOCK.sub("", text)


def test_both_have_the_same_blocks_and_parts() -> None:
    english, chinese = READMES.values()
    assert BLOCK.findall(english) == BLOCK.findall(chinese)
    for mark in ("## ", "![", "|---", "| "):
        begins = re.compile(f"^{re.escape(mark)}", re.MULTILINE)
        assert len(begins.findall(outside_blocks(english))) == len(begins.findall(outside_blocks(chinese))), mark


def test_both_tell_the_same_measured_figures() -> None:
    english, chinese = (
        text.partition("|---|---:|---:|\n")[2].partition("\n\n")[0].splitlines() for text in READMES.values()
    )
    assert [sorted(FIGURE.findall(row)) for row in english] == [sorted(FIGURE.findall(row)) for row in chinese]
    assert len(english) >= 9


@pytest.mark.parametrize("name", READMES)
def test_every_command_and_option_is_there(name: str) -> None:
    whole = get_command(command)
    said = [code for code in CODE.findall(READMES[name]) if re.match(r"gateway [a-z]", code)]
    said += re.findall(r"bin/(gateway [a-z][^|>\n]*)", READMES[name])
    assert len(said) > 15
    for line in said:
        found = whole
        names: set[str] = set()
        for word in line.split()[1:]:
            inner = getattr(found, "commands", {}).get(word)
            if inner is not None:
                found = inner
                names = {option for given in found.params for option in (*given.opts, *given.secondary_opts)}
            elif option := re.match(r"\[?(--[a-z-]+)", word):
                assert option[1] in names or option[1] == "--help", line
        assert found is not whole, line


@pytest.mark.parametrize("name", READMES)
def test_every_path_is_there(name: str) -> None:
    text = outside_blocks(READMES[name])
    paths = [code for code in CODE.findall(text) if re.fullmatch(r"[a-z][\w.]*/[\w./-]*\w/?", code)]
    paths += re.findall(r"!?\[[^\]]*\]\(([^)#:]+)\)", text)
    assert len(paths) > 12
    for path in paths:
        short = path.removeprefix("flow/")
        made = path.startswith("stage/")  # by the block above it
        assert made or any((ROOT / place / short).exists() for place in ("", "gateway/flow")), path


@pytest.mark.parametrize("path", sorted(ROOT.glob("[am]*/*/README.md")), ids=lambda path: path.parent.name)
def test_a_readme_beside_code_names_every_room(path: Path) -> None:
    there = {each.name for each in path.parent.glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"`(\w+\.py)`", path.read_text("utf-8"))) == there
