"""What time alone makes a person's business: alerts that a platform has not taken, certificates that end soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from contracts.chinese_calendar import beijing_day, end_of_day
from contracts.mediator import Mediator
from gateway.flow.documents import reopen
from gateway.store.engine import Operation, Row
from gateway.store.store import Store

ALERT_WITHIN = timedelta(hours=2)
"""So long a platform may take to have an alert (重大集体争议预警) before a person rings it up."""

CERTIFICATE_AHEAD = timedelta(days=60)
"""So long before its last day a mediator's certificate is put before a person (调解员证有效期)."""

_PAGE = 200
_ALERTS_S = 30.0
_CERTIFICATES_S = 6 * 3600.0


class Reminders:
    """Loops beside the journey's own; each opens a task once, also where a person has closed it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def alerts(self) -> float:
        """Tasks for alerts that are not delivered in time, one for each platform; returns the rest in seconds."""
        latest = self._store.now_ms() - round(ALERT_WITHIN.total_seconds() * 1000)
        if await self._store.rows("unanswered_alerts", latest):
            await self._store.run(_remind_of_alerts, self._store, latest)
        return _ALERTS_S

    async def certificates(self) -> float:
        """Tasks for certificates of active mediators that end soon or have ended; returns the rest in seconds."""
        after = ""
        while rows := await self._store.rows("list_matters", "mediator", "[]", True, "active", "", 0, after, _PAGE):
            after = rows[-1]["id"]
            for row in rows:
                await self._certificate(row)
        return _CERTIFICATES_S

    async def _certificate(self, row: Row) -> None:
        message = await self._store.row("message", row["message"])
        mediator = None if message is None else reopen(self._store, message)
        if not isinstance(mediator, Mediator):
            return
        today = beijing_day(datetime.fromtimestamp(self._store.now_ms() / 1000, UTC))
        last = mediator.certificate_valid_until
        if last - today > CERTIFICATE_AHEAD:
            return
        due = round(end_of_day(last).timestamp() * 1000)
        told = await self._store.rows("told_of", row["subject"], "certificate_expiring")
        if any(found["due_at"] == due for found in told):
            return
        identifier = self._store.ids.new("task")
        task = (identifier, "certificate_expiring", row["subject"], row["id"], None, row["organization"], None, None, due)
        await self._store.write("open_task", task)


def _remind_of_alerts(store: Store, latest: int) -> Operation[None]:
    rows = yield "unanswered_alerts", [(latest,)]
    tasks = []
    for row in rows:
        identifier = store.ids.new("task")
        detail = store.seal(orjson.dumps({"said": row["state"]}), f"tasks.detail:{identifier}")
        organization = row["organization"] or ""
        tasks.append(
            (identifier, "alert_unanswered", row["subject"], row["id"], row["endpoint"], organization, None, detail, None)
        )
    if tasks:
        yield "open_task", tasks
