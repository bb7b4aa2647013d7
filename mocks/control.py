"""The ``/_mock`` calls by which a tester reads and drives a mock platform (loopback peers only, JSON)."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from mocks.autopilot import Autopilot
from mocks.platform import Json, Platform, Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(request: web.Request) -> bool:
    """Whether the peer's address is a loopback address."""
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Run a control call: 403 for peers that are not loopback, orders that are wrong as ``{"error": …}``."""
    if not is_loopback(request):
        return web.json_response({"error": "loopback only"}, status=403)
    try:
        return await handler(request)
    except Refused as error:
        return web.json_response({"error": error.text}, status=error.status)


async def read_order(request: web.Request) -> Json:
    """The JSON object of a control call; an empty body is ``{}``. Raises :class:`Refused` (422) for all else."""
    order = await _read_json(request)
    if not isinstance(order, dict):
        raise Refused(422, "one JSON object is needed")
    return order


async def _read_json(request: web.Request) -> Any:
    body = await request.read()
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(422, "the body is not JSON") from None


class Control:
    """The calls of platforms/README.md for one platform.

    ``refuse`` is called with seconds when a tester scripts ``refuse``: the server closes its port for that long.
    """

    def __init__(self, platform: Platform, autopilot: Autopilot, refuse: Callable[[float], None]) -> None:
        self._platform = platform
        self._autopilot = autopilot
        self._refuse = refuse

    def routes(self) -> list[web.RouteDef]:
        """All of ``/_mock``, the platform's own calls included."""
        return [
            web.get("/_mock/journal", self.journal),
            web.get("/_mock/records", self.records),
            web.get("/_mock/requests", self.requests),
            web.get("/_mock/pushes", self.pushes),
            web.get("/_mock/faults", self.pending_faults),
            web.post("/_mock/faults", self.script_faults),
            web.delete("/_mock/faults", self.clear_faults),
            web.post("/_mock/decide", self.decide),
            web.get("/_mock/autopilot", self.read_autopilot),
            web.post("/_mock/autopilot", self.set_autopilot),
            web.post("/_mock/refer", self.refer),
            web.post("/_mock/lose", self.lose),
            web.get("/_mock/clock", self.read_clock),
            web.post("/_mock/clock", self.move_clock),
            *self._platform.control_routes(),
        ]

    async def journal(self, request: web.Request) -> web.Response:
        """``GET /_mock/journal?after=N[&limit=M][&containing=TEXT]``: a JSON list, oldest first."""
        after = _whole(request, "after", 0)
        limit = _whole(request, "limit", -1)
        containing = request.query.get("containing", "")
        return _json(self._platform.journal.entries(after, None if limit < 0 else limit, containing))

    async def records(self, request: web.Request) -> web.Response:
        """``GET /_mock/records[?only=KEY,KEY…]``: the ledger as a JSON list, whole or these keys of each record."""
        records = self._platform.records()
        if only := list(filter(None, request.query.get("only", "").split(","))):
            records = [{key: record[key] for key in only if key in record} for record in records]
        return _json(records)

    async def requests(self, _: web.Request) -> web.Response:
        """``GET /_mock/requests``: how many came since the start, by operation."""
        return _json(dict(self._platform.requests))

    async def pushes(self, _: web.Request) -> web.Response:
        """``GET /_mock/pushes``: the callbacks that the gateway has not acknowledged yet."""
        return _json(self._platform.waiting())

    async def pending_faults(self, _: web.Request) -> web.Response:
        """``GET /_mock/faults``: those still to be played."""
        return _json(self._platform.faults.pending())

    async def script_faults(self, request: web.Request) -> web.Response:
        """``POST /_mock/faults``: a list of faults (one object is taken as a list of one), all or none."""
        items = await _read_json(request)
        if isinstance(items, dict):
            items = [items]
        faults = self._platform.faults
        try:
            for fault in faults.parse(items):
                self._platform.check_fault(fault)
        except ValueError as error:
            raise Refused(422, str(error)) from None
        added = faults.add([item for item in items if item["action"] != "refuse"])
        for item in items:
            if item["action"] == "refuse":
                seconds = (item.get("after_ms") or 2000) / 1000
                if not await self._platform.refuse(seconds):
                    self._refuse(seconds)
        await self._platform.faults_changed()
        return _json({"scripted": len(added), "pending": faults.pending()})

    async def clear_faults(self, _: web.Request) -> web.Response:
        """``DELETE /_mock/faults``."""
        self._platform.faults.clear()
        await self._platform.faults_changed()
        return _json({"pending": []})

    async def decide(self, request: web.Request) -> web.Response:
        """``POST /_mock/decide`` {ref, decision, …}: what the platform's page says."""
        order = await read_order(request)
        for name in ("ref", "decision"):
            if not isinstance(order.get(name), str) or not order[name]:
                raise Refused(422, f"{name} is needed, as a text")
        return _json(await self._platform.decide(order))

    async def refer(self, request: web.Request) -> web.Response:
        """``POST /_mock/refer``: what the platform's page says."""
        return _json(await self._platform.refer(await read_order(request)))

    async def lose(self, request: web.Request) -> web.Response:
        """``POST /_mock/lose`` {message_id}: what came under this id is gone, as after an older backup was restored."""
        order = await read_order(request)
        match order:
            case {"message_id": str(name), **rest} if name and not rest:
                return _json(await self._platform.lose(name))
        raise Refused(422, "{message_id: text} is needed")

    async def read_autopilot(self, _: web.Request) -> web.Response:
        """``GET /_mock/autopilot``: the setting in force, ``{}`` = off."""
        return _json(self._autopilot.setting)

    async def set_autopilot(self, request: web.Request) -> web.Response:
        """``POST /_mock/autopilot`` {seed, delay_ms, jitter_ms, mix{decision: weight}}; ``{}`` turns it off."""
        try:
            self._autopilot.set(await read_order(request))
        except ValueError as error:
            raise Refused(422, str(error)) from None
        return _json(self._autopilot.setting)

    async def read_clock(self, _: web.Request) -> web.Response:
        """``GET /_mock/clock``."""
        return _json({"now": self._platform.clock.now().isoformat(timespec="milliseconds")})

    async def move_clock(self, request: web.Request) -> web.Response:
        """``POST /_mock/clock`` {at: RFC 3339} or {shift_s: n}; ``{}`` = back to real time."""
        order = await read_order(request)
        clock = self._platform.clock
        match order:
            case {"at": str(text), **rest} if not rest:
                try:
                    clock.set(datetime.fromisoformat(text))
                except (ValueError, OverflowError) as error:
                    raise Refused(422, f"at: {error}") from None
            case {"shift_s": int() | float() as seconds, **rest} if not rest and not isinstance(seconds, bool):
                try:
                    clock.shift(seconds)
                    clock.now()
                except (OverflowError, ValueError) as error:
                    clock.reset()
                    raise Refused(422, f"shift_s: {error}") from None
            case {**rest} if not rest:
                clock.reset()
            case _:
                raise Refused(422, "{at: RFC 3339} or {shift_s: seconds} or {} is needed")
        return await self.read_clock(request)


def _whole(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused(422, f"{name} must be a whole number")
    return int(text)


def _json(value: Any) -> web.Response:
    return web.json_response(text=json.dumps(value, ensure_ascii=False))
