"""What every rival does in its worker, and in its web route: post to the receiver; check the case."""

from __future__ import annotations

import os
from functools import cache

import httpx

from contracts.case import Case

SINK = os.environ["SINK"]
REDIS = os.environ.get("REDIS", "")
POSTGRES = os.environ.get("POSTGRES", "")
DIRECTORY = os.environ.get("DIRECTORY", ".")

_HEADERS = {"content-type": "application/json"}


def check(body: bytes) -> str:
    """The case as text; raises where it is none."""
    Case.model_validate_json(body)
    return body.decode()


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=10, trust_env=False)


def post(body: str) -> None:
    """Deliver, blocking."""
    _client().post(SINK, content=body.encode(), headers=_HEADERS).raise_for_status()


@cache
def _async_client() -> httpx.AsyncClient:
    from httpx_aiohttp import AiohttpTransport  # plain httpx would cost the rival several times as much

    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.AsyncClient(timeout=10, trust_env=False, transport=AiohttpTransport(limits=limits))


async def post_async(body: str) -> None:
    """Deliver."""
    answer = await _async_client().post(SINK, content=body.encode(), headers=_HEADERS)
    answer.raise_for_status()
