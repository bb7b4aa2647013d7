"""The stream of what changed, for pages that are looked at."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse

from gateway.security.sessions import token_hash
from gateway.web.console.desk import Page, Visit
from gateway.web.console.live import WINDOWS


async def stream(visit: Visit) -> Response:
    """Server-sent events; 204 (which tells the browser not to come again) where there is no place left."""
    window = visit.query.get("window", "1h")
    session = token_hash(visit.token)
    if not visit.desk.pulse.has_place(session):
        return Response(None, 204)

    async def valid() -> bool:
        return await visit.desk.hands.accounts.person(visit.token, active=False) is not None

    events = visit.desk.pulse.stream(session, window if window in WINDOWS else "1h", valid, counts=not visit.scoped)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


PAGES = (Page("/stream", stream, "view", narrows=True),)
