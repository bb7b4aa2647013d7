"""The ceilings of intake: routes that check a case and store nothing. ``python -m tests.bench.routes NAME PORT``.

``shape``: raw ASGI, pydantic's pass over the model. ``rules``: raw ASGI, the contract's whole reading. ``framework``: a route
of FastAPI that does the same as ``shape`` (its typed parameters cannot: the model is strict, and they read JSON loosely first).
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from contracts.case import Case
from contracts.intake import read

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_ANSWER = b'{"status":"accepted"}'


def shape(body: bytes) -> None:
    """One pass of pydantic."""
    Case.model_validate_json(body)


def rules(body: bytes) -> None:
    """What the gateway's intake reads, with every rule of the contract."""
    read(Case, body, now=datetime.now(UTC))


class Bare:
    """ASGI and nothing else."""

    def __init__(self, check: Callable[[bytes], None]) -> None:
        self._check = check

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self._check(body)
        length = (b"content-length", str(len(_ANSWER)).encode())
        await send({"type": "http.response.start", "status": 202, "headers": [length]})
        await send({"type": "http.response.body", "body": _ANSWER})


def framework() -> FastAPI:
    """FastAPI with a route that checks the shape."""
    application = FastAPI()

    @application.post("/v1/cases", status_code=202)
    async def take(request: Request) -> dict[str, str]:
        shape(await request.body())
        return {"status": "accepted"}

    return application


def main(name: str, port: int) -> None:
    """Serve until SIGTERM."""
    application: Any = framework() if name == "framework" else Bare({"shape": shape, "rules": rules}[name])
    uvicorn.run(
        application, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning", lifespan="off"
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
