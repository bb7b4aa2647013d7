"""taskiq on Redis streams."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from taskiq import SimpleRetryMiddleware
from taskiq_redis import RedisStreamBroker

from tests.bench.rivals.post import REDIS, check, post_async

broker = RedisStreamBroker(REDIS).with_middlewares(SimpleRetryMiddleware(default_retry_count=8))


@broker.task(retry_on_error=True)
async def deliver(body: str) -> None:
    """One delivery."""
    await post_async(body)


@asynccontextmanager
async def running(_: FastAPI) -> AsyncIterator[None]:
    """The broker's connections."""
    if not broker.is_worker_process:
        await broker.startup()
    yield
    await broker.shutdown()


web = FastAPI(lifespan=running)


@web.post("/v1/cases", status_code=202)
async def take(request: Request) -> dict[str, str]:
    """Take a case in."""
    await deliver.kiq(check(await request.body()))
    return {"status": "accepted"}
