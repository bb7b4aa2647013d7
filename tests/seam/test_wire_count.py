"""The comparison that ends every test of this room has teeth: what was sent and not written down is seen."""

from __future__ import annotations

import httpx
import pytest

from gateway.flow.delivering.transport import Transport
from tests.seam.scene import IDS, Scene


class _Twice(httpx.AsyncBaseTransport):
    """A transport that repeats what it sends, and tells nobody."""

    def __init__(self) -> None:
        self._inner = Transport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``."""
        await (await self._inner.handle_async_request(request)).aclose()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport behind it."""
        await self._inner.aclose()


async def test_a_retry_below_the_attempt_is_seen(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(transport=_Twice())
    await scene.reaches("delivered", await scene.case(), IDS)
    with pytest.raises(AssertionError, match="2 requests came, 1 exchanges were answered"):
        await scene.recorded_is_sent()
    scene.ids.seen.pop()


async def test_a_request_that_no_attempt_tells_is_seen(scene: Scene) -> None:
    await scene.stand(IDS)
    house = await scene.open()
    await scene.reaches("delivered", await scene.case(), IDS)
    url = scene.ids.url + "/file"
    reply = await house.transport.handle_async_request(httpx.Request("POST", url, content=b"{}"))
    await reply.aread()
    await reply.aclose()
    with pytest.raises(AssertionError, match="2 requests on the wire, 1 exchanges recorded"):
        await scene.recorded_is_sent()
    scene.sent.many.clear()
    scene.ids.seen.pop()
    scene.sent.many[httpx.URL(url).netloc.decode(), "/file"] = 1
