"""PgQueuer on PostgreSQL. ``python -m tests.bench.rivals.pgqueuer`` works; ``web`` serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from tests.bench.rivals.post import POSTGRES, check, post_async


@asynccontextmanager
async def running(application: FastAPI) -> AsyncIterator[None]:
    """The pool."""
    async with asyncpg.create_pool(POSTGRES, min_size=4, max_size=16) as pool:
        application.state.queries = Queries(AsyncpgPoolDriver(pool))
        yield


web = FastAPI(lifespan=running)


@web.post("/v1/cases", status_code=202)
async def take(request: Request) -> dict[str, str]:
    """Take a case in."""
    await request.app.state.queries.enqueue("deliver", check(await request.body()).encode())
    return {"status": "accepted"}


async def work() -> None:
    """Deliver until ended."""
    queue = PgQueuer(AsyncpgDriver(await asyncpg.connect(POSTGRES)))

    @queue.entrypoint("deliver")
    async def deliver(job: Job) -> None:
        await post_async((job.payload or b"").decode())

    await queue.run(batch_size=32)


if __name__ == "__main__":
    asyncio.run(work())
