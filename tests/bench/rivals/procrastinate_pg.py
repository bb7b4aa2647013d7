"""Procrastinate on PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import procrastinate
from fastapi import FastAPI, Request

from tests.bench.rivals.post import POSTGRES, check, post_async

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=POSTGRES, min_size=4, max_size=16))


RETRY = procrastinate.RetryStrategy(max_attempts=8, exponential_wait=2)


@app.task(name="deliver", queue="d", retry=RETRY)
async def deliver(body: str) -> None:
    """One delivery."""
    await post_async(body)


@asynccontextmanager
async def running(_: FastAPI) -> AsyncIterator[None]:
    """The pool."""
    async with app.open_async():
        yield


web = FastAPI(lifespan=running)


@web.post("/v1/cases", status_code=202)
async def take(request: Request) -> dict[str, str]:
    """Take a case in."""
    await deliver.defer_async(body=check(await request.body()))
    return {"status": "accepted"}
