"""Sentences for people, zh-CN and English, one catalogue for API, command line and console."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _catalogue(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(files("gateway.texts").joinpath(f"{name}.toml").read_text("utf-8"))


def problem_texts(code: str) -> dict[str, str] | None:
    """``title_zh``, ``title_en``, ``detail_zh``, ``detail_en`` of a problem code, or ``None``."""
    return _catalogue("problems").get(code)
