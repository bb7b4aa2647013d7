"""Huey on SQLite, synced."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from huey import SqliteHuey

from tests.bench.rivals.post import DIRECTORY, check, post

huey = SqliteHuey(filename=str(Path(DIRECTORY) / "huey.db"), results=False, fsync=True)


@huey.task(retries=8, retry_delay=1)
def deliver(body: str) -> None:
    """One delivery."""
    post(body)


web = FastAPI()


@web.post("/v1/cases", status_code=202)
async def take(request: Request) -> dict[str, str]:
    """Take a case in."""
    await run_in_threadpool(deliver, check(await request.body()))
    return {"status": "accepted"}
