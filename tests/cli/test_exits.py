"""What a person reads when the gateway refuses: everything that tells what to change."""

from __future__ import annotations

import pytest
import typer
from pydantic import JsonValue

from gateway.cli.exits import Exit, explained
from gateway.client.answers import CallRefused


def test_a_refusal_names_what_the_problem_names(capsys: pytest.CaptureFixture[str]) -> None:
    problem: dict[str, JsonValue] = {
        "type": "urn:mediation-gateway:problem:parameter",
        "title": "参数不对",
        "status": 400,
        "detail": "查询参数缺失或者格式不对，见 parameter。",
        "instance": "/v1/events",
        "code": "parameter",
        "parameter": "after",
        "errors": [],
    }
    with pytest.raises(typer.Exit) as left, explained():
        raise CallRefused(400, problem)
    assert left.value.exit_code == Exit.REFUSED
    assert "parameter: after" in capsys.readouterr().err
