"""Decision documents (仲裁调解书, 裁定书): fetched at once, since links expire; checked, kept, handed on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import orjson
import structlog

from contracts.errors import AdapterError, EndpointError, RetryableError
from contracts.update import DocumentLink
from gateway.flow.delivering.line import Line
from gateway.flow.moving.attachments import AttachmentRefused, Attachments
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.flow.retry import asked_ms
from gateway.settings import RetrySettings
from gateway.store import pauses
from gateway.store.engine import Operation
from gateway.store.places import of_paper
from gateway.store.store import Store
from gateway.store.unit import NewTask

log = structlog.get_logger("gateway.papers")

_LEASE_MS = 330_000


@dataclass(frozen=True, slots=True)
class DuePaper:
    """A document that is to be fetched now."""

    id: str
    endpoint: str
    subject: str
    about: str
    tries: int
    link_sealed: bytes


def take_due(batch: int, lease_ms: int) -> Operation[list[DuePaper]]:
    """Documents whose turn it is, leased."""
    rows = yield "due_papers", [(batch, lease_ms)]
    return [
        DuePaper(row["id"], row["endpoint"], row["subject"], row["about"], row["tries"], row["link_sealed"])
        for row in rows
    ]


class Papers:
    """Fetches what updates named."""

    def __init__(
        self,
        store: Store,
        lines: dict[str, Line],
        attachments: Attachments,
        settings: RetrySettings,
        changed: Callable[[], None] = lambda: None,
        reach: Reach = nowhere,
    ) -> None:
        self._store = store
        self._reach = reach
        self._lines = lines
        self._attachments = attachments
        self._settings = settings
        self._changed = changed

    async def turn(self, batch: int = 8) -> int:
        """Fetch what is due; returns how many were tried."""
        if await self._store.row("paper_due") is None:  # every commit rings, and hardly one has brought a document
            return 0
        due = await self._store.run(take_due, batch, _LEASE_MS)
        await asyncio.gather(*(self._one(paper) for paper in due))
        return len(due)

    async def _one(self, paper: DuePaper) -> None:
        line = self._lines.get(paper.endpoint)
        if line is None:
            await self._again(paper, "endpoint_gone")
            return
        exchange = line.exchange(self._store.now_ms, line.limits.deadline_files_s)
        try:
            link = self._link(paper)
            async with asyncio.timeout(line.limits.deadline_files_s):  # one that hangs must not hold up the others
                data = await line.endpoint.adapter.download(link, exchange)
            if link.sha256 is not None and hashlib.sha256(data).hexdigest() != link.sha256.lower():
                await self._again(paper, "digest_differs")
                return
            owner = await self._owner(paper)
            kept = await self._attachments.keep(owner, "decision", link.name, data)
        except EndpointError as error:
            row = (paper.endpoint, "gateway", error.code)
            await self._store.run(pauses.pause, [row], self._store.ids)
            await self._store.write("give_back_paper", (paper.id, error.code[:64]))
            return
        except RetryableError as error:
            if quiet_ms := asked_ms(error.retry_after):
                await self._store.write("hush_endpoint", (paper.endpoint, quiet_ms))
            await self._again(paper, error.code)
            return
        except (AdapterError, AttachmentRefused) as error:
            await self._again(paper, error.code)
            return
        except Exception as error:  # whatever an adapter does, it stays inside its attempt
            await self._again(paper, type(error).__name__)
            return
        await self._reach("fetched")
        await self._store.write("move_paper", (paper.id, "fetched", kept.id, None, 0))
        log.info("paper", paper=paper.id, endpoint=paper.endpoint, state="fetched", tries=paper.tries)
        self._changed()

    def _link(self, paper: DuePaper) -> DocumentLink:
        kept = orjson.loads(self._store.unseal(paper.link_sealed, of_paper(paper.id)))
        expires = kept.pop("expires_at")
        return DocumentLink(**kept, expires_at=datetime.fromisoformat(expires) if expires else None)

    async def _owner(self, paper: DuePaper) -> str:
        row = await self._store.row("matter", paper.about)
        return row["organization"] if row is not None else ""

    async def _again(self, paper: DuePaper, code: str) -> None:
        waits = self._settings.document
        log.warning("paper", paper=paper.id, endpoint=paper.endpoint, code=code, tries=paper.tries)
        if paper.tries <= len(waits):
            wait = round(1000 * waits[paper.tries - 1])
            await self._store.write("move_paper", (paper.id, "pending", None, code[:64], wait))
            return
        task = NewTask(self._store.ids.new("task"), "dead", paper.id, paper.endpoint, code[:64])
        owner = await self._owner(paper)

        def give_up() -> Operation[None]:
            yield "move_paper", [(paper.id, "failed", None, code[:64], 0)]
            yield "open_task", [task.row(paper.subject, owner)]

        await self._store.run(give_up)
