"""One gateway process in the simulation: a real ``House``, which can die between any two of its steps."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, ClassVar, TypeVar

from contracts.adapter import Context, Wire
from contracts.message import Message
from gateway.app import build
from gateway.flow.house import House
from gateway.registry import AnyAdapter
from gateway.security.fields import Keys, Sealer
from gateway.settings import EndpointSettings, RetrySettings, RouteSettings, Settings
from gateway.store.ids import Ids
from gateway.store.store import sole_store
from tests.house import loader
from tests.seam.adapters import ToyIdempotent, ToyNeither, ToyQueryable
from tests.seam.dialect import OPERATIONS
from tests.seam.platform import CALL_KEY
from tests.simulation.network import LOOKUP_LAG_S, Network
from tests.simulation.platforms import ASKED, BYTES, IDS, KEY
from tests.simulation.runner import Inline

T = TypeVar("T")

DEADLINE_S, LEASE_MARGIN_S = 4.0, 2.0
RETRY = RetrySettings(
    standard=(0.5, 1, 2, 4, 5, 5, 5, 5),
    statutory=(0.5, 1, 2, 4),
    statutory_last_day=4,
    orphan=(0.2, 0.5, 1, 2, 4, 8, 16),
    breaker=0.5,
)
SEALER = Sealer(Keys((bytes(range(32)),), bytes(32)))

INSIDE: contextvars.ContextVar[Process | None] = contextvars.ContextVar("inside", default=None)
"""The process whose task this is."""


class Lost(Exception):
    """The process died, or is not there: nobody knows what became of the call."""


class Released:
    """An adapter whose mapping changes with every release: what is not frozen shows."""

    release: ClassVar[int] = 0

    def translate(self, message: Message, context: Context) -> Wire:
        """The toy's wire, marked with the release."""
        wire: Wire = super().translate(message, context)  # type: ignore[misc]  # the toy comes next in line
        return replace(wire, payload={**wire.payload, "release": self.release})


def _adapters(release: int) -> dict[str, Callable[[], type[AnyAdapter]]]:
    made = {toy: type(toy.__name__, (Released, toy), {"release": release}) for toy in TOYS.values()}
    return {toy.info.name: loader(kind) for toy, kind in made.items()}


TOYS: dict[str, type[AnyAdapter]] = {IDS: ToyIdempotent, ASKED: ToyQueryable, BYTES: ToyNeither}


def _settings(data: Path, agreed: Mapping[str, Mapping[str, object]]) -> Settings:
    limits: dict[str, object] = {
        "deadline_s": DEADLINE_S,
        "deadline_files_s": DEADLINE_S + 2,
        "connect_s": 1.0,
        "word_within_s": 20.0,
    }
    limits["poll_every_s"] = (0.5, 4.0)
    own = {"key": KEY, "call_key": CALL_KEY, "lookup_lag_s": LOOKUP_LAG_S}
    return Settings(
        env="development",
        data=data,
        retry=RETRY,
        lease_margin_s=LEASE_MARGIN_S,
        concurrency=12,
        endpoints={
            name: EndpointSettings(
                adapter=toy.info.name,
                slots=3,
                settings={"base_url": f"http://{name}", **own, **limits, **agreed.get(name, {})},
            )
            for name, toy in TOYS.items()
        },
        routes=tuple(RouteSettings(type=kind.value, endpoint=name) for name in TOYS for kind in OPERATIONS),
    )


class Process:
    """A House and every task that runs in it. ``reach`` is its fault point; ``believe_wall`` plants a defect in its clock."""

    def __init__(
        self,
        number: int,
        seed: str,
        runner: Inline,
        network: Network,
        reach: Callable[[str], Any],
        believe_wall: Callable[[], None],
    ) -> None:
        self.number = number
        self.runner = runner
        self.network = network
        self.believe_wall = believe_wall
        self.alive = True
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.house: House | None = None
        self._random = Random(f"{seed}:process:{number}")
        self._reach = reach
        self._context = contextvars.copy_context()
        self._context.run(INSIDE.set, self)

    def spawn(self, work: Awaitable[T]) -> asyncio.Task[T]:
        """Run something inside."""
        return asyncio.get_running_loop().create_task(work, context=self._context)  # type: ignore[arg-type]  # coroutines

    async def start(
        self, now_ms: Callable[[], int], data: Path, agreed: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        """Build the house on what the last one left. ``agreed``: limits of single endpoints."""
        loop = asyncio.get_running_loop()
        ids = Ids(now_ms, self._random.randbytes)
        store = await sole_store(self.runner, SEALER, ids, now_ms)
        self.house = await build(
            _settings(data, agreed or {}),
            now_ms=now_ms,
            random_bytes=self._random.randbytes,
            random=Random(self._random.random()),
            transport=self.network,
            adapters=_adapters(self.number),
            fault_point=self._reach,
            seconds=loop.time,
            store=store,
        )

    def work(self) -> None:
        """Set its hands to work."""
        if self.house is not None:
            self._context.run(self.house.start)

    async def call(self, what: Callable[[House], Awaitable[T]]) -> T:
        """Let the process do something for a caller outside.

        Raises:
            Lost: it died meanwhile, or is not there.
        """
        if not self.alive or self.house is None:
            await asyncio.sleep(0.05)
            raise Lost
        try:
            return await asyncio.shield(self.spawn(what(self.house)))
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            given_up = caller is not None and caller.cancelling() > 0
            if not given_up and self.runner.dead:
                raise Lost from None
            raise

    async def kill(self) -> None:
        """SIGKILL: nothing is settled, nothing more is written, nothing more leaves."""
        self.alive = False
        self.runner.dead = self.network.dead = True
        while live := [task for task in self.tasks if not task.done()]:
            for task in live:
                task.cancel()
            await asyncio.sleep(0)
