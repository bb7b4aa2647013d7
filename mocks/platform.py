"""What every mock platform is: its routes, its ledger, its clerk, and how its failures look."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from aiohttp import web

from mocks.clock import Clock
from mocks.faults import ACTIONS, GARBAGE_KINDS, Fault, Faults
from mocks.journal import Journal

Json = dict[str, Any]

_GATE_PAGE = "<!DOCTYPE html><html><head><title>统一门户</title></head><body><p>系统繁忙，请稍后再试</p></body></html>"


class Refused(Exception):
    """A wrong order of a tester, answered as HTTP ``status`` (422) with ``text``."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Platform(ABC):
    """One mock platform, served by :class:`mocks.server.MockServer` on a port of its own.

    How it is driven: the server reads the body of each request to the platform's routes (at most ``body_limit``
    bytes), asks :meth:`operation_of` for the name faults go by, plays the transport faults, and calls the route's
    handler, which finds the same bytes by ``await request.read()``. The handler appends to the journal **before** it
    returns its answer. The package of a platform (``mocks.<name>``) exports its class, found by ``name``.
    """

    #: The endpoint's name, as in platforms/README.md.
    name: ClassVar[str]
    #: Actions of ``POST /_mock/faults`` that this platform knows; others get 422.
    actions: ClassVar[frozenset[str]] = ACTIONS
    #: The kinds of ``garbage`` that it knows.
    garbage_kinds: ClassVar[frozenset[str]] = GARBAGE_KINDS - {"slip"}
    #: The ``how`` values of ``forge_callback``.
    forgeries: ClassVar[frozenset[str]] = frozenset()
    #: Keys of the configuration that :meth:`default_config` leaves out.
    optional_config: ClassVar[frozenset[str]] = frozenset()
    #: Keys of the configuration that are the mock's own addresses: its port may be another at each start.
    addresses: ClassVar[frozenset[str]] = frozenset(("base_url",))
    #: Operations that are answered while ``maintenance`` stands (they tell of it).
    through_maintenance: ClassVar[frozenset[str]] = frozenset()
    #: Bytes of a request body; more is answered by :meth:`too_large`.
    body_limit: int = 2 * 1024 * 1024

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        """``data`` is this platform's own directory; ``config`` is shared with the file the server wrote."""
        self.data = data
        self.config = config
        self.clock = clock
        self.faults = faults
        self.journal = journal
        #: Weights of the autopilot in force (``POST /_mock/autopilot``), empty when it is off or leaves the choice.
        self.mix: dict[str, float] = {}
        #: Whole requests that came since the start, by operation, whatever became of them.
        self.requests: Counter[str] = Counter()

    # --- what a platform must say

    @classmethod
    @abstractmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """A complete configuration with fresh secrets and every limit of the page under its default.

        ``base_url`` is the mock's own (``http://127.0.0.1:port``); ``callbacks`` the gateway's base, such as
        ``http://127.0.0.1:8080/callbacks`` (the page's form puts the endpoint name and its path behind it).
        """

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """The platform's addresses."""

    @abstractmethod
    def operation_of(self, request: web.Request, body: bytes) -> str:
        """The ``op`` of faults for this request; must not raise, whatever the bytes are."""

    @abstractmethod
    def records(self) -> list[Json]:
        """The platform's own ledger: one JSON object per business effect, with its references and state."""

    @abstractmethod
    def restore(self, entries: Iterable[Json]) -> None:
        """Rebuild all state from the journal, before the server listens. Called once, also with no entries."""

    # --- what a platform may say

    async def decide(self, order: Json) -> Json:
        """Drive the clerk (``POST /_mock/decide``). Raises :class:`Refused` for a wrong order."""
        raise Refused(422, f"{self.name} has no decisions")

    async def refer(self, order: Json) -> Json:
        """Hand a case over (``POST /_mock/refer``). Raises :class:`Refused` for a wrong order."""
        raise Refused(422, f"{self.name} hands no cases over")

    async def lose(self, message_id: str) -> Json:
        """Lose what came under this id (``POST /_mock/lose``). Raises :class:`Refused` where there is no such thing."""
        raise Refused(422, f"{self.name} loses nothing")

    def control_routes(self) -> list[web.RouteDef]:
        """More calls under ``/_mock`` (loopback alone, JSON, :class:`Refused` works as in :meth:`decide`)."""
        return []

    def check_fault(self, fault: Fault) -> None:
        """Refuse a fault that means nothing here. Raises ``ValueError`` (422)."""
        if fault.action not in self.actions:
            raise ValueError(f"{fault.action} does not apply to {self.name}")
        if fault.action == "garbage" and fault.kind not in self.garbage_kinds:
            raise ValueError(f"garbage: {fault.kind} does not apply to {self.name}")
        if fault.action == "forge_callback" and self.forgeries and fault.how not in self.forgeries:
            raise ValueError(f"forge_callback: unknown how {fault.how!r}; known: {', '.join(sorted(self.forgeries))}")

    async def faults_changed(self) -> None:
        """Told after faults were scripted or cleared (a platform that changes its key by ``expire_session``)."""
        return

    async def refuse(self, seconds: float) -> bool:
        """Play ``refuse`` itself, and say so; by default the server closes the port for so long."""
        return False

    async def start(self) -> None:
        """Start what runs beside the requests (pushes, polls), after :meth:`restore` and once the port listens."""
        return

    def told(self) -> Json:
        """What the start-up line says beside name, URL and configuration, once :meth:`start` is done."""
        return {}

    async def stop(self) -> None:
        """End what :meth:`start` began."""
        return

    # --- the clerk who decides by itself

    def undecided(self) -> list[Json]:
        """Matters that wait for the clerk: by default the records with a true ``undecided``.

        Each has ``ref``, ``state`` and, where ``ref`` depends on the order of arrival, ``matter`` (the sender's
        number). The autopilot looks about ten times a second: a platform with many records overrides this.
        """
        return [record for record in self.records() if record.get("undecided")]

    def waiting(self) -> list[Json]:
        """The callbacks that the gateway has not acknowledged yet: id, op, ref, tries, due (``GET /_mock/pushes``)."""
        return []

    def unheard(self) -> set[str]:
        """``ref`` of every matter of whose last word the gateway has not acknowledged the callback yet.

        The autopilot says nothing more about it until then: otherwise chance and the load of the machine, not the seed,
        would decide which of two words is heard first.
        """
        return set()

    async def clerk(self, random: Random, record: Json) -> None:
        """Decide ``record`` (one of :meth:`undecided`) now. ``random`` depends on seed, matter and state alone."""
        return

    def choose(self, random: Random, default: Mapping[str, float]) -> str:
        """One of the decisions in ``default``, by the weights of the autopilot's mix where it names any of them."""
        weights = {name: self.mix[name] for name in default if self.mix.get(name, 0) > 0} or dict(default)
        names: Sequence[str] = sorted(weights)
        return random.choices(names, [weights[name] for name in names])[0]

    # --- how failures look

    async def garbage(self, fault: Fault, request: web.Request, answer: web.Response) -> web.StreamResponse:
        """The answer that stands in place of ``answer`` (the request was handled), by ``fault.kind``."""
        body = answer.body if isinstance(answer.body, bytes) else b""
        match fault.kind:
            case "html":
                return web.Response(text=_GATE_PAGE, content_type="text/html")
            case "truncated":
                return _with_body(answer, body[: len(body) // 2])
            case "empty":
                return _with_body(answer, b"")
            case "gbk":
                return _with_body(answer, _GATE_PAGE.encode("gbk"))
            case _:
                bomb = _with_body(answer, bomb_bytes())
                bomb.headers["Content-Encoding"] = "gzip"
                return bomb

    def maintenance_page(self, fault: Fault, seconds: float) -> web.StreamResponse:
        """The answer while ``maintenance`` stands, ``seconds`` before its end."""
        return web.Response(
            status=503,
            text="<html><body>系统维护中</body></html>",
            content_type="text/html",
            headers={"Retry-After": str(max(1, round(seconds)))},
        )

    def http_answer(self, fault: Fault) -> web.StreamResponse:
        """The answer of ``http`` {status, retry_after}; a redirect points to ``location`` or the trap ``/_trap``."""
        headers = {}
        if fault.retry_after is not None:
            headers["Retry-After"] = fault.retry_after
        if 300 <= fault.status < 400:
            headers["Location"] = fault.location or "/_trap"
        if fault.status == 204 or fault.status == 304:
            return web.Response(status=fault.status, headers=headers)
        page = f"<html><body><h1>{fault.status}</h1></body></html>"
        return web.Response(status=fault.status, text=page, content_type="text/html", headers=headers)

    def too_large(self, request: web.Request) -> web.StreamResponse:
        """The answer to a body over ``body_limit``."""
        return web.Response(status=413)


def bomb_bytes(megabytes: int = 512) -> bytes:
    """A gzip stream of about half a megabyte that opens to ``megabytes`` MiB of zeros."""
    opening = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1024 * 1024)
    # A full flush makes each block stand alone, so that the same compressed block can be repeated; a gzip reader that
    # stops at the end of the first member would not be bombed by one member per block.
    first = opening.compress(block) + opening.flush(zlib.Z_FULL_FLUSH)
    later = opening.compress(block) + opening.flush(zlib.Z_FULL_FLUSH)
    return first + later * (megabytes - 1)


def _with_body(answer: web.Response, body: bytes) -> web.Response:
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    return web.Response(status=answer.status, body=body, headers=headers)
