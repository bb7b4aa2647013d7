"""The platform itself: a directory, its reader, its clerk; over HTTP it speaks ``/_mock`` alone (page §9)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, ClassVar, Final

from aiohttp import web

from mocks.clock import Clock
from mocks.enterprise_confederation import news
from mocks.enterprise_confederation.account import Account, address_of
from mocks.enterprise_confederation.disk import Disk
from mocks.enterprise_confederation.ledger import Ledger
from mocks.enterprise_confederation.medium import Medium
from mocks.enterprise_confederation.reader import NO_SPACE, OPS, Reader
from mocks.enterprise_confederation.settings import Settings, fresh
from mocks.enterprise_confederation.words import CODES, CORRECTION, LATER
from mocks.faults import ACTIONS, GARBAGE_KINDS, Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json, Platform, Refused

if TYPE_CHECKING:
    from mocks.enterprise_confederation.sftp import Service

_WORDS: Final = {
    "accept": "已受理",
    "refuse": "不予受理",
    "correct": CORRECTION,
    "withdraw": "已撤回",
    "file": "已结案",
}
_CHOICES: Final = {"accept": 0.7, "correct": 0.1, "refuse": 0.05, "nothing": 0.15}
_KEYS: Final = ("ref", "decision", "word", "reason")
_TEXT_LIMIT: Final = 200
_AWAY_S: Final = 6.0


class EnterpriseConfederation(Platform):
    """企联/企协 调解组织, as its page writes it, over a mounted directory or an SFTP account.

    Journal: every row (``created``, ``repeated``, ``refused``; ``verdict`` is the code), every batch that was applied
    (kind ``batch``) or refused whole (``refusal``), every reply, every word of the clerk (``decision``) and every breach of
    conduct (``conduct``).
    """

    name: ClassVar[str] = "enterprise_confederation"
    actions: ClassVar[frozenset[str]] = ACTIONS
    garbage_kinds: ClassVar[frozenset[str]] = GARBAGE_KINDS
    forgeries: ClassVar[frozenset[str]] = news.FORGERIES

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        super().__init__(data=data, config=config, clock=clock, faults=faults, journal=journal)
        if not config["root"]:
            self._tell({"root": str(data.resolve() / "exchange")})
        self.settings = Settings.model_validate(config)
        self.ledger = Ledger()
        address = address_of(self.settings.root) if "://" in self.settings.root else None
        directory = Path(self.settings.root)
        if address is not None:
            directory = Path(self.settings.directory or data / "exchange").joinpath(*address.way)
        self._disk = Disk(directory, served=address is not None)
        self.reader = Reader(self.settings, self._disk, self.ledger, journal, clock, faults)
        self.service: Service | None = None
        if address is not None:
            medium = Medium(faults, self.requests, self.reader.conduct)
            self.service = _service()(address, Account(self._disk, address.way), data, medium)
        self._loop: asyncio.Task[None] | None = None
        self._rights: asyncio.Task[None] | None = None
        self._expired = False

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """The page's names and every number of the page (``callbacks`` is unused: it never calls)."""
        return fresh(base_url)

    def _tell(self, values: Json) -> None:
        """Change the configuration, on disk too where it is the mock's own."""
        self.config.update(values)
        file = self.data / "config.json"
        if file.exists():
            file.write_text(json.dumps(self.config, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def routes(self) -> list[web.RouteDef]:
        """None: the gateway and this platform meet in the directory."""
        return []

    def control_routes(self) -> list[web.RouteDef]:
        """``GET /_mock/sftp``."""
        return [web.get("/_mock/sftp", self._show_service)]

    async def _show_service(self, _: web.Request) -> web.Response:
        """What the gateway must know of the account, and what is going on; ``{}`` where there is none."""
        return web.json_response({} if self.service is None else self.service.state())

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """Nothing comes by HTTP."""
        return "-"

    # --- life

    def restore(self, entries: Iterable[Json]) -> None:
        """Replay the journal."""
        for entry in entries:
            self.ledger.take(entry)

    async def start(self) -> None:
        """Make the folders, open the account, then read."""
        await self.reader.begin()
        if self.service is not None:
            settings = self.settings
            await self.service.start(
                host_key=settings.host_key,
                private_key_file=settings.private_key_file,
                authorized_key=settings.authorized_key,
            )
            self._tell(self.service.told())
        self._loop = asyncio.create_task(self._life())

    def told(self) -> Json:
        """What the gateway must know of the account."""
        return {} if self.service is None else self.service.told()

    async def _life(self) -> None:
        rights = asyncio.create_task(self._watch_rights())
        try:
            await self.reader.loop()
        finally:
            rights.cancel()
            await asyncio.gather(rights, return_exceptions=True)

    async def stop(self) -> None:
        """End the reader after its turn; give back what a fault took away."""
        if self._loop is not None:
            async with self.reader.turn:
                self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._rights is not None:
            self._rights.cancel()
            await asyncio.gather(self._rights, return_exceptions=True)
        if self.service is not None:
            await self.service.stop()
        for name in ("up", "down"):
            await asyncio.to_thread(self._disk.give, name)

    # --- the ledger and its clerk

    def records(self) -> list[Json]:
        """One object per business effect: kind, business_key, ref, message_id, organization, state, files."""
        return self.ledger.records

    async def decide(self, order: Json) -> Json:
        """``{ref, decision, word, reason}``: accept, refuse, correct, withdraw, file, or status with ``word``."""
        if unknown := sorted(set(order) - set(_KEYS)):
            raise Refused(422, f"unknown key {', '.join(unknown)}; known: {', '.join(_KEYS)}")
        decision, reason = order["decision"], order.get("reason", "")
        if not isinstance(reason, str) or len(reason) > _TEXT_LIMIT:
            raise Refused(422, f"reason must be a text of at most {_TEXT_LIMIT} characters")
        word = _WORDS.get(decision)
        if decision == "status":
            word = order.get("word")
            if not isinstance(word, str) or not 0 < len(word) <= _TEXT_LIMIT:
                raise Refused(422, f"word is needed, a text of at most {_TEXT_LIMIT} characters")
        elif "word" in order:
            raise Refused(422, "word belongs to the decision status alone")
        if word is None:
            raise Refused(422, f"unknown decision; known: {', '.join(_WORDS)}, status")
        found = self.ledger.case_of(order["ref"])
        if found is None:
            raise Refused(422, "no case stands under this ref")
        return await self.reader.announce(found[0], found[1].number, word, reason)

    def undecided(self) -> list[Json]:
        """Cases that the autopilot has not looked at."""
        return list(self.ledger.pending.values())

    async def clerk(self, random: Random, record: Json) -> None:
        """Decide a case by the mix: accept, correct, refuse; nothing."""
        choice = self.choose(random, _CHOICES)
        if choice == "nothing":
            self.ledger.settled(record["ref"])
        else:
            await self.decide({"ref": record["ref"], "decision": choice})

    # --- how failures look

    def check_fault(self, fault: Fault) -> None:
        """Refuse what means nothing here, or cannot be played at a mounted directory."""
        super().check_fault(fault)
        if self.service is not None and Medium.strikes(fault):
            Medium.check(fault)
            return
        if not any(fault.fits(op) for op in OPS):
            raise ValueError(f"unknown op; known: {', '.join(OPS)}")
        if fault.action == "business_error" and fault.code not in (*CODES, LATER):
            raise ValueError(f"business_error: unknown code; known: {', '.join(CODES)}, {LATER}")
        if fault.action == "http" and fault.status == NO_SPACE and self.service is None:
            raise ValueError("http 507: a mounted directory has no quota of its own to be full")

    async def refuse(self, seconds: float) -> bool:
        """``up/`` loses its write right; the port of ``/_mock`` stays open."""
        await self._take_up(seconds, away=False)
        return True

    async def _take_up(self, seconds: float, *, away: bool) -> None:
        async with self.reader.turn:
            await asyncio.to_thread(self._disk.take, "up", away=away)
        if self._rights is not None:
            self._rights.cancel()
        self._rights = asyncio.create_task(self._give_up(seconds))

    async def _give_up(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        async with self.reader.turn:
            await asyncio.to_thread(self._disk.give, "up")

    async def _watch_rights(self) -> None:
        """``reset`` renames ``up/`` away; ``expire_session`` takes the rights for as long as it stands."""
        while True:
            for op in OPS:
                if (fault := self.faults.take(op, "reset")) is not None:
                    await self._take_up(fault.after_ms / 1000 or _AWAY_S, away=True)
                    if self.service is not None:
                        self.service.cut()
                    break
            expired = any(self.faults.standing(op, "expire_session") for op in OPS)
            if expired != self._expired:
                self._expired = expired
                async with self.reader.turn:
                    for name in ("up", "down"):
                        if expired:
                            await asyncio.to_thread(self._disk.take, name, away=False)
                        else:
                            await asyncio.to_thread(self._disk.give, name)
            if self.service is not None:
                self.service.attend()
            await asyncio.sleep(min(self.settings.period_s, 0.2))

    async def faults_changed(self) -> None:
        """A maintenance ends when the faults are cleared; what strikes a login holds at once."""
        self.reader.cleared()
        if self.service is not None:
            self.service.attend()


def _service() -> type[Service]:
    """The SFTP service, which needs a package that nobody else here does. Raises ``ValueError`` where it is not there."""
    try:
        from mocks.enterprise_confederation.sftp import Service
    except ModuleNotFoundError as error:
        if error.name != "asyncssh":
            raise
        raise ValueError(
            "root: an SFTP account needs the package asyncssh; install the extra sftp "
            "(pip install 'mediation-gateway[sftp]'), or give the path of a directory"
        ) from None
    return Service
