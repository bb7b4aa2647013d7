"""Logs: an allow-list of keys, numbers masked, other packages' texts left out."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
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


class Counted(io.StringIO):
    """A stream that counts its writes."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


@pytest.fixture
def counted(stream: io.StringIO) -> Counted:
    made = Counted()
    logs.configure("debug", made)
    return made


def said(counted: Counted) -> list[object]:
    return [line["event"] for line in lines(counted)]


async def test_what_one_turn_of_the_loop_says_goes_out_together_at_its_end(counted: Counted) -> None:
    log = structlog.get_logger()
    for event in ("a", "b", "c"):
        log.info(event)
    assert said(counted) == []
    await asyncio.sleep(0)
    assert (said(counted), counted.writes) == (["a", "b", "c"], 1)
    log.info("d")
    await asyncio.sleep(0)
    assert (said(counted), counted.writes) == (["a", "b", "c", "d"], 2)


async def test_a_warning_goes_out_at_once_behind_what_was_said_before_it(counted: Counted) -> None:
    log = structlog.get_logger()
    log.info("a")
    log.warning("b")
    assert said(counted) == ["a", "b"]
    log.info("c")
    await asyncio.sleep(0)
    assert said(counted) == ["a", "b", "c"]


def test_a_loop_that_ends_takes_no_line_with_it_for_ever(counted: Counted) -> None:
    async def last() -> None:
        structlog.get_logger().info("last")
        raise SystemExit

    loop = asyncio.new_event_loop()
    with pytest.raises(SystemExit):
        loop.run_until_complete(last())
    loop.close()
    structlog.get_logger().info("after")
    assert said(counted) == ["last", "after"]


async def test_threads_lose_no_line_of_each_other(counted: Counted) -> None:
    log = structlog.get_logger()

    def speak() -> None:
        for _ in range(500):
            log.info("there")

    others = [threading.Thread(target=speak) for _ in range(3)]
    for other in others:
        other.start()
    while any(other.is_alive() for other in others):
        log.info("here")
        await asyncio.sleep(0)
    log.info("here")
    await asyncio.sleep(0)
    assert said(counted).count("there") == 1500
    assert said(counted)[-1] == "here"


async def test_a_stream_that_takes_nothing_ends_nothing(stream: io.StringIO) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "no space left")

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    logs.configure("debug", Full())
    structlog.get_logger().info("a")
    structlog.get_logger().warning("b")
    await asyncio.sleep(0)
    assert told == []
