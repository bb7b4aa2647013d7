"""The platform itself: a database, its reader, its clerk; over HTTP it speaks ``/_mock`` alone (page §9)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import ClassVar, Final

from aiohttp import web

from mocks.clock import Clock
from mocks.commerce_federation import news
from mocks.commerce_federation.database import Database
from mocks.commerce_federation.digests import Row
from mocks.commerce_federation.findings import FAIL_CODES, REASON_LIMIT
from mocks.commerce_federation.front import Front
from mocks.commerce_federation.ledger import Ledger
from mocks.commerce_federation.mishaps import Mishaps
from mocks.commerce_federation.reader import OPS, Reader
from mocks.commerce_federation.settings import SQLITE, Settings, fresh
from mocks.faults import ACTIONS, Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json, Platform, Refused

_STATUS: Final = {"accept": "2", "refuse": "10", "file": "99"}
_CHOICES: Final = {"accept": 0.7, "correct": 0.1, "refuse": 0.05, "note": 0.05, "nothing": 0.1}
_CODE_LIMIT: Final = 4
#: Where a front stands before PostgreSQL alone.
_FRONT: Final = frozenset(("refuse", "reset", "slow", "accept_then_reset"))
#: Words of the clerk that a crash may have kept from the table: the last ones are enough.
_LAST_WORDS: Final = 100


class CommerceFederation(Platform):
    """工商联 商会调解服务平台, as its page writes it.

    Journal: every row that was worked (``created``, ``repeated``, ``refused``; ``verdict`` is the code), every word of
    the clerk (kind ``decision``, ``announced``) and every breach of conduct (kind ``conduct``, ``refused``).
    """

    name: ClassVar[str] = "commerce_federation"
    actions: ClassVar[frozenset[str]] = ACTIONS
    forgeries: ClassVar[frozenset[str]] = news.FORGERIES

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        super().__init__(data=data, config=config, clock=clock, faults=faults, journal=journal)
        if not config["database_url"]:
            config["database_url"] = f"{SQLITE}{data.resolve() / 'exchange.db'}"
            file = data / "config.json"
            if file.exists():
                file.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", "utf-8")
        self.settings = Settings.model_validate(config)
        self.ledger = Ledger(self.settings.memory_days)
        self._database = Database(self.settings)
        self.reader = Reader(self.settings, self._database, self.ledger, journal, clock, faults)
        self._mishaps = Mishaps(self.settings, self._database, faults)
        self._front: Front | None = None
        if self._database.path is None and self.settings.server_url:
            self._front = Front(self.settings.database_url, self.settings.server_url, faults)
        self._decided: list[Row] = []
        self._loop: asyncio.Task[None] | None = None

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """The page's names and every number of the page (``callbacks`` is unused: it never calls)."""
        return fresh(base_url)

    def routes(self) -> list[web.RouteDef]:
        """None: the gateway and this platform meet in the database."""
        return []

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """Nothing comes by HTTP."""
        return "-"

    # --- life

    def restore(self, entries: Iterable[Json]) -> None:
        """Replay the journal."""
        for entry in entries:
            self.ledger.take(entry)
            if entry["kind"] == "decision":
                self._decided = [*self._decided[1 - _LAST_WORDS :], entry["payload"]]

    async def start(self) -> None:
        """Make the tables, then read."""
        await self._mishaps.recover()
        try:
            await self.reader.begin(self._decided)
        except BaseException:
            await self._database.close()
            raise
        self._mishaps.start()
        if self._front is not None:
            await self._front.start()
        self._loop = asyncio.create_task(self.reader.loop())

    async def stop(self) -> None:
        """End the reader after its turn, then the database."""
        if self._loop is not None:
            async with self.reader.turn:
                self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._front is not None:
            await self._front.stop()
        await self._mishaps.stop()
        await self._database.close()

    # --- the ledger and its clerk

    def records(self) -> list[Json]:
        """One object per business effect: kind, business_key, ref, message_id, organization, state, files."""
        return self.ledger.records

    async def decide(self, order: Json) -> Json:
        """``{ref, decision, code, reason}``: accept 2, refuse 10, file 99, status {code}: KIND 02; correct: 03; note: 04."""
        if unknown := sorted(set(order) - {"ref", "decision", "code", "reason"}):
            raise Refused(422, f"unknown key {', '.join(unknown)}; known: ref, decision, code, reason")
        decision, reason = order["decision"], order.get("reason")
        if reason is not None and (not isinstance(reason, str) or not 0 < len(reason) <= REASON_LIMIT):
            raise Refused(422, f"reason must be a text of at most {REASON_LIMIT} characters")
        zt = _STATUS.get(decision)
        if decision == "status":
            zt = order.get("code")
            if not isinstance(zt, str) or not 0 < len(zt) <= _CODE_LIMIT:
                raise Refused(422, f"code is needed, a text of at most {_CODE_LIMIT} characters")
        elif "code" in order:
            raise Refused(422, "code belongs to the decision status alone")
        kind = {"correct": news.CORRECTION, "note": news.NOTE}.get(decision, news.STATUS)
        if kind == news.STATUS and zt is None:
            raise Refused(422, "unknown decision; known: accept, refuse, file, status, correct, note")
        found = self.ledger.case_of(order["ref"])
        if found is None or not found[1].stands:
            raise Refused(422, "no case stands under this ref")
        if kind != news.STATUS and reason is None:
            reason = "请补充申请材料" if kind == news.CORRECTION else "已转办理人员知悉"
        return await self.reader.announce(kind, found[0], found[1].plat_no, zt, reason)

    def undecided(self) -> list[Json]:
        """Cases that the autopilot has not looked at."""
        return list(self.ledger.pending.values())

    async def clerk(self, random: Random, record: Json) -> None:
        """Decide a case by the mix: accept, correct, refuse, file, note; nothing."""
        choice = self.choose(random, _CHOICES)
        found = self.ledger.case_of(record["ref"])
        if choice == "nothing" or found is None or not found[1].stands:
            self.ledger.settled(record["ref"])
        else:
            await self.decide({"ref": record["ref"], "decision": choice})

    # --- how failures look

    def check_fault(self, fault: Fault) -> None:
        """Refuse what means nothing here, or cannot be played at this database."""
        super().check_fault(fault)
        if not any(fault.fits(op) for op in OPS):
            raise ValueError(f"unknown op; known: {', '.join(OPS)}")
        if fault.action == "business_error" and fault.code not in FAIL_CODES:
            raise ValueError(f"business_error: unknown code; known: {', '.join(FAIL_CODES)}")
        if self._database.path is not None:
            if fault.action == "accept_then_reset":
                raise ValueError(
                    "accept_then_reset: a file has no connection; PostgreSQL behind a front (server_url) has"
                )
        elif fault.action in _FRONT and self._front is None:
            raise ValueError(f"{fault.action} needs the front before PostgreSQL: set server_url")
        elif fault.action == "expire_session" and not self.settings.gateway_account:
            raise ValueError("expire_session needs gateway_account")

    async def refuse(self, seconds: float) -> bool:
        """The database refuses; the port of ``/_mock`` stays open."""
        if self._front is not None:
            self._front.refuse(seconds)
        else:
            self._mishaps.refuse(seconds)
        return True

    async def faults_changed(self) -> None:
        """A maintenance ends when the faults are cleared."""
        self.reader.cleared()
