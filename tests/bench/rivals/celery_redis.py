"""Celery on Redis."""

from celery import Celery
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from tests.bench.rivals.post import REDIS, check, post

app = Celery("rival", broker=REDIS)
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(autoretry_for=(Exception,), retry_backoff=True, max_retries=8)
def deliver(body: str) -> None:
    """One delivery."""
    post(body)


web = FastAPI()


@web.post("/v1/cases", status_code=202)
async def take(request: Request) -> dict[str, str]:
    """Take a case in."""
    await run_in_threadpool(deliver.delay, check(await request.body()))
    return {"status": "accepted"}
