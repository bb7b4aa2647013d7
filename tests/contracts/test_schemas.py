"""The exported JSON Schemas are fresh, whole in both languages, and agree with the reader."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts import lists
from contracts.document import Document, Part
from contracts.schemas import DOCUMENTS, __main__, build, packaged
from contracts.titled import Titled

Schema = dict[str, Any]


def objects_in(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield schema["title"], schema
    for name, definition in schema.get("$defs", {}).items():
        if "properties" in definition:
            yield name, definition


def lists_in(schema: Any) -> Iterator[Schema]:
    if isinstance(schema, dict):
        if "enum" in schema:
            yield schema
        for member in schema.values():
            yield from lists_in(member)
    elif isinstance(schema, list):
        for item in schema:
            yield from lists_in(item)


def test_files_are_fresh() -> None:
    assert __main__.main(["--check"]) == 0


def test_check_finds_what_is_stale_missing_or_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "ROOM", tmp_path)
    assert __main__.main([]) == 0
    assert __main__.main(["--check"]) == 0
    (tmp_path / "case.json").write_text("{}", encoding="utf-8")
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    (tmp_path / "transfer.json").unlink()
    assert __main__.main(["--check"]) == 1
    assert capsys.readouterr().err.split("\n")[:-1] == [
        f"not fresh: {name}.json" for name in ("case", "old", "transfer")
    ]
    assert __main__.main(["--help"]) == 2


def test_every_document_has_a_schema() -> None:
    assert set(DOCUMENTS.values()) == set(Document.__subclasses__())
    with pytest.raises(KeyError):
        packaged("../../findings")


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_every_field_has_both_titles(name: str) -> None:
    schema = json.loads(packaged(name))
    Draft202012Validator.check_schema(schema)
    for owner, definition in objects_in(schema):
        assert definition["additionalProperties"] is False, owner
        for field, property_ in definition["properties"].items():
            assert property_.get("title"), (owner, field)
            assert any("\u4e00" <= character <= "\u9fff" for character in property_.get("x-title-zh", "")), (
                owner,
                field,
            )


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_every_value_of_a_closed_list_has_both_titles(name: str) -> None:
    lists_found = list(lists_in(json.loads(packaged(name))))
    assert lists_found or name in ("follow_up", "confirmation_withdrawal", "statistical_report")
    for definition in lists_found:
        assert set(definition["x-titles"]) == set(definition["enum"])
        for titles in definition["x-titles"].values():
            assert titles["zh"]
            assert titles["en"]


def test_every_list_has_titles_and_distinct_values() -> None:
    kinds = [kind for kind in vars(lists).values() if isinstance(kind, type) and issubclass(kind, Titled)]
    assert len(kinds) > 25
    for kind in kinds:
        for member in kind:
            assert member.zh
            assert member.en
            assert kind(str(member)) is member


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("wages", "case"),
        ("collective", "case"),
        ("failed", "case_progress"),
        ("alert", "collective_alert"),
        ("agreement", "agreement"),
        ("performed", "performance"),
        ("judicial", "confirmation_request"),
        ("arbitration", "confirmation_request"),
        ("transfer", "transfer"),
    ],
)
def test_samples_hold_by_the_schemas_too(name: str, document: str, sample: Callable[[str], Schema]) -> None:
    schema = json.loads(packaged(document))
    validator = Draft202012Validator(schema)
    body = sample(name)
    validator.validate(body)
    for change in ({"schema_version": "2.0"}, {"nickname": 1}):
        assert not validator.is_valid(body | change)
    for required in schema["required"]:
        assert not validator.is_valid({key: value for key, value in body.items() if key != required})


def test_narrowed_lists_are_narrow_in_the_schema() -> None:
    assert "unknown" not in build("case_progress")["properties"]["status"]["enum"]
    assert build("performance")["properties"]["status"]["enum"] == [
        "performed",
        "partly_performed",
        "breached",
    ]


def test_models_are_strict_and_silent() -> None:
    kinds: list[type[Part]] = [Part]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        config = kind.model_config
        assert (config["frozen"], config["strict"], config["extra"], config["hide_input_in_errors"]) == (
            True,
            True,
            "forbid",
            True,
        )
    assert len(kinds) > 40
