"""Logs: an allow-list of keys, numbers masked, other packages' texts left out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from gateway import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    kept = structlog.get_config()
    captured = io.StringIO()
    logs.configure("debug", captured)
    yield captured
    structlog.configure(**kept)
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_named_keys_pass_and_all_others_are_dropped(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        "accepted", subject="case_1", name="王建国", payload={"id_number": "370102199003071238"}, tries=2
    )
    (line,) = lines(stream)
    assert {key: line[key] for key in ("event", "level", "subject", "tries")} == {
        "event": "accepted",
        "level": "info",
        "subject": "case_1",
        "tries": 2,
    }
    assert "王建国" not in stream.getvalue()
    assert "370102199003071238" not in stream.getvalue()


@pytest.mark.parametrize("number", ["370102199003071238", "37010219900307123X", "13853100001", "6222020000000000000"])
def test_what_looks_like_a_persons_number_is_masked_under_allowed_keys_too(stream: io.StringIO, number: str) -> None:
    structlog.get_logger().warning("x", code=number, codes=[number, "ok"], reason=f"of {number}.", state={"n": number})
    assert number not in stream.getvalue()
    (line,) = lines(stream)
    assert line["codes"] == ["*" * len(number), "ok"]
    assert line["state"] == "dict"


def test_ids_are_left_whole(stream: io.StringIO) -> None:
    structlog.get_logger().info("x", delivery="dlv_01M7Q5CQG057N683VPG2HEWAGG")
    assert lines(stream)[0]["delivery"] == "dlv_01M7Q5CQG057N683VPG2HEWAGG"


def test_other_packages_speak_by_name_level_and_kind_of_error(stream: io.StringIO) -> None:
    try:
        raise ValueError("王建国 370102199003071238")
    except ValueError:
        logging.getLogger("elsewhere").exception("failed for %s", "王建国")
    logging.getLogger("elsewhere").info("not from WARNING on")
    (line,) = lines(stream)
    assert (line["logger"], line["code"], line["error"]) == ("elsewhere", "ERROR", "ValueError")
    assert "王建国" not in stream.getvalue()


def test_one_event_is_one_line(stream: io.StringIO) -> None:
    structlog.get_logger().info("a\nb", reason="c\nd")
    assert stream.getvalue().count("\n") == 1
