"""What stands before the framework: the name of every request, and the straight way for the calls that bring documents.

The framework's routing, its typed parameters and its middleware cost more than reading and judging a case does. The calls of
``documents.CALLS`` therefore go from the server to their handler at once; everything else takes the framework's way, and so
would they: the routes exist there too, with the same handlers, for the description of the interface. ``Named`` stands before
both.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.flow.moving.order import Refused
from gateway.observability.traces import come_from
from gateway.observability.watch import SILENT, Watch
from gateway.store.engine import StoreUnavailable
from gateway.store.ids import Ids
from gateway.web.problems import problem, refused

log = structlog.get_logger("gateway.web")

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")

WHOLE = frozenset({"mediators"})
"""Things that are called by a number of other people's making, in which a slash may stand: all that follows is the number."""

Handler = Callable[[Request], Awaitable[Response]]


async def on_refused(request: Request, error: Exception) -> Response:
    """The answer to what is refused, with every finding."""
    if not isinstance(error, Refused):
        raise error
    log.info("refused", status=error.status, code=error.code, codes=sorted({f.code for f in error.findings}))
    return refused(request, error)


async def on_store(request: Request, error: Exception) -> Response:
    """The answer while the database cannot be reached."""
    log.error("store_failed", error=type(error).__name__)
    return problem(request, 503, "unavailable", headers={"Retry-After": "5"})


REFUSALS: Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Refused: on_refused,
    StoreUnavailable: on_store,
    sqlite3.OperationalError: on_store,
}
"""What a handler may raise, and who answers."""


class Named:
    """Gives every answer the request's id (the caller's own, where it is fit), and answers what nobody else did."""

    def __init__(self, inner: ASGIApp, ids: Ids, watch: Watch = SILENT, *, trust_trace: bool = False) -> None:
        """``trust_trace``: what is traced goes on with the ``traceparent`` that a call brings."""
        self._inner = inner
        self._ids = ids
        self._watch = watch
        self._trust_trace = trust_trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        identifier = given if _REQUEST_ID.fullmatch(given) else self._ids.new("request")
        if self._trust_trace:
            trace = next((value for name, value in scope["headers"] if name == b"traceparent"), b"").decode("latin-1")
            come_from(trace)
        begun = False

        async def named(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._watch.answered(message["status"])
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = identifier
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        nameless = "\x00" in scope["path"]  # no text of ours holds U+0000, and PostgreSQL takes none
        if nameless or b"%00" in scope["query_string"]:
            refusal = (404, "not_found") if nameless else (400, "parameter")
            await problem(Request(scope), *refusal)(scope, receive, named)
            return
        try:
            await self._inner(scope, receive, named)
        except ClientDisconnect:
            log.info("caller_left", request=identifier)
        except Exception as error:
            log.error("request_failed", request=identifier, error=type(error).__name__)
            if begun:
                raise  # half an answer is out: the connection is all that is left to break
            await problem(Request(scope), 500, "internal")(scope, receive, named)


class Front:
    """The application as it is served: answers ``METHOD /v1/<things>[/<id>[/<part>]]`` by a table; what is not in it goes the
    framework's way."""

    def __init__(
        self,
        framework: FastAPI,
        handlers: Mapping[tuple[str, str], Handler],
        named: Callable[[ASGIApp], ASGIApp],
    ) -> None:
        """``named`` stands before the table, as it does before the framework's routes."""
        self.framework = framework
        self._handlers = {_key(method, path): (path, handler) for (method, path), handler in handlers.items()}
        self._straight = named(_straight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found, identifier = self._find(scope)
        if found is None:
            await self.framework(scope, receive, send)
            return
        scope["template"], scope["endpoint"] = found
        scope["path_params"] = {} if identifier is None else {"id": identifier}
        await self._straight(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[tuple[str, Handler] | None, str | None]:
        if scope["type"] != "http" or scope.get("root_path"):
            return None, None
        parts = scope["path"].split("/")
        if len(parts) < 3 or (len(parts) > 5 and parts[2] not in WHOLE):
            return None, None
        identifier = parts[3] if len(parts) > 3 else None
        if parts[2] in WHOLE and len(parts) > 4:
            parts, identifier = parts[:4], "/".join(parts[3:])
        found = self._handlers.get((scope["method"], len(parts), parts[2], parts[4] if len(parts) == 5 else ""))
        return (found, identifier) if parts[0] == "" and parts[1] == "v1" and identifier != "" else (None, None)


async def _straight(scope: Scope, receive: Receive, send: Send) -> None:
    response = await _answered(scope["endpoint"], Request(scope, receive))
    await response(scope, receive, send)


def _key(method: str, path: str) -> tuple[str, int, str, str]:
    parts = path.split("/")
    return method, len(parts), parts[2], parts[4] if len(parts) == 5 else ""


async def _answered(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except Exception as error:
        answer: Any = next((answer for kind, answer in REFUSALS.items() if isinstance(error, kind)), None)
        if answer is None:
            raise
        response: Response = await answer(request, error)
        return response
