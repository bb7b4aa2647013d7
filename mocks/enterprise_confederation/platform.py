"""The platform itself: a directory, its reader, its clerk; over HTTP it speaks ``/_mock`` alone (page §9)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import ClassVar, Final

from aiohttp import web

from mocks.clock import Clock
from mocks.enterprise_confederation import news
from mocks.enterprise_confederation.disk import Disk
from mocks.enterprise_confederation.ledger import Ledger
from mocks.enterprise_confederation.reader import OPS, Reader
from mocks.enterprise_confederation.settings import Settings, fresh
from mocks.enterprise_confederation.words import CODES, CORRECTION, LATER
from mocks.faults import ACTIONS, GARBAGE_KINDS, Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json, Platform, Refused

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
_NO_SPACE: Final = 507


class EnterpriseConfederation(Platform):
    """企联/企协 调解组织, as its page writes it, over a mounted directory.

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
            config["root"] = str(data.resolve() / "exchange")
            file = data / "config.json"
            if file.exists():
                file.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", "utf-8")
        self.settings = Settings.model_validate(config)
        if "://" in self.settings.root:
            raise ValueError("root: this mock serves a mounted directory alone; give its path")
        self.ledger = Ledger()
        self._disk = Disk(Path(self.settings.root))
        self.reader = Reader(self.settings, self._disk, self.ledger, journal, clock, faults)
        self._loop: asyncio.Task[None] | None = None
        self._rights: asyncio.Task[None] | None = None
        self._expired = False

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """The page's names and every number of the page (``callbacks`` is unused: it never calls)."""
        return fresh(base_url)

    def routes(self) -> list[web.RouteDef]:
        """None: the gateway and this platform meet in the directory."""
        return []

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """Nothing comes by HTTP."""
        return "-"

    # --- life

    def restore(self, entries: Iterable[Json]) -> None:
        """Replay the journal."""
        for entry in entries:
            self.ledger.take(entry)

    async def start(self) -> None:
        """Make the folders, then read."""
        await self.reader.begin()
        self._loop = asyncio.create_task(self._life())

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
        if not any(fault.fits(op) for op in OPS):
            raise ValueError(f"unknown op; known: {', '.join(OPS)}")
        if fault.action == "business_error" and fault.code not in (*CODES, LATER):
            raise ValueError(f"business_error: unknown code; known: {', '.join(CODES)}, {LATER}")
        if fault.action == "http" and fault.status == _NO_SPACE:
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
            await asyncio.sleep(min(self.settings.period_s, 0.2))

    async def faults_changed(self) -> None:
        """A maintenance ends when the faults are cleared."""
        self.reader.cleared()
