"""What time alone makes a person's business: alerts and statutory messages that a platform has not taken, certificates that
end soon."""

from __future__ import annotations

from datetime import timedelta

from contracts.chinese_calendar import beijing_day, end_of_day
from contracts.deliveries import Hand
from contracts.mediator import Mediator
from contracts.moments import from_ms, to_ms
from gateway.flow.moving.documents import reopen
from gateway.flow.moving.moves import move_delivery
from gateway.flow.moving.task_details import seal_detail
from gateway.store.engine import Operation, Row
from gateway.store.store import Store
from gateway.store.unit import NewTask, Unit

ALERT_WITHIN = timedelta(hours=2)
"""So long a platform may take to have an alert (重大集体争议预警) before a person rings it up."""

CERTIFICATE_AHEAD = timedelta(days=60)
"""So long before its last day a mediator's certificate is put before a person (调解员证有效期)."""

STATUTORY_GRACE = timedelta(minutes=15)
"""So long after the latest safe time the last try, which is made at that moment, may take to end by itself."""

_PAGE = 200
_ALERTS_S = 30.0
_STATUTORY_S = 60.0
_CERTIFICATES_S = 6 * 3600.0


class Reminders:
    """Loops beside the journey's own; each opens a task once, also where a person has closed it."""

    def __init__(self, store: Store, task_after_s: float = 7200.0) -> None:
        """``task_after_s``: how long a statutory message may be undelivered before a person is told (``design.md`` §7)."""
        self._store = store
        self._task_after_ms = round(task_after_s * 1000)

    async def alerts(self) -> float:
        """Tasks for alerts that are not delivered in time, one for each platform; returns the rest in seconds."""
        latest = self._store.now_ms() - round(ALERT_WITHIN.total_seconds() * 1000)
        if await self._store.rows("unanswered_alerts", latest):
            await self._store.run(_remind_of_alerts, self._store, latest)
        return _ALERTS_S

    async def statutory(self) -> float:
        """What no failed try tells, since none is made (the endpoint is paused, the lane is blocked): tasks for statutory
        messages that are undelivered too long, the end of those whose latest safe time is over. Returns the rest in
        seconds."""
        now = self._store.now_ms()
        latest = now - self._task_after_ms
        if await self._store.rows("late_statutory", latest):
            await self._store.run(_remind_of_statutory, self._store, latest)
        over = now - round(STATUTORY_GRACE.total_seconds() * 1000)
        for row in await self._store.rows("past_safe_time", over):
            await self._expire(row["subject"], row["id"])
        return _STATUTORY_S

    async def _expire(self, subject: str, delivery: str) -> None:
        """One that is in flight, or has moved on meanwhile, is left to its own end."""
        file = await self._store.load(subject)
        held = None if file is None else next((row for row in file.deliveries if row.id == delivery), None)
        if file is None or held is None or held.state != "pending":
            return
        unit = Unit(file.subject, file.organization, file.sequence)
        move_delivery(unit, self._store.ids, Hand.SENDER, held, "expired", held.code)
        unit.tasks.append(NewTask(self._store.ids.new("task"), "statutory_late", held.id, held.endpoint, "expired"))
        await self._store.commit(unit)

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
        today = beijing_day(from_ms(self._store.now_ms()))
        last = mediator.certificate_valid_until
        if last - today > CERTIFICATE_AHEAD:
            return
        due = to_ms(end_of_day(last))
        told = await self._store.rows("told_of", row["subject"], "certificate_expiring")
        if any(found["due_at"] == due for found in told):
            return
        task = NewTask(self._store.ids.new("task"), "certificate_expiring", row["id"], due_at=due)
        await self._store.write("open_task", task.row(row["subject"], row["organization"]))


def _remind_of_alerts(store: Store, latest: int) -> Operation[None]:
    rows = yield "unanswered_alerts", [(latest,)]
    tasks = []
    for row in rows:
        identifier = store.ids.new("task")
        detail = seal_detail(store, identifier, {"said": row["state"]})
        task = NewTask(identifier, "alert_unanswered", row["id"], row["endpoint"], detail_sealed=detail)
        tasks.append(task.row(row["subject"], row["organization"] or ""))
    if tasks:
        yield "open_task", tasks


def _remind_of_statutory(store: Store, latest: int) -> Operation[None]:
    rows = yield "late_statutory", [(latest,)]
    tasks = []
    for row in rows:
        code = row["code"] or "not_sent"
        task = NewTask(store.ids.new("task"), "statutory_late", row["id"], row["endpoint"], code)
        tasks.append(task.row(row["subject"], row["organization"] or ""))
    if tasks:
        yield "open_task", tasks


def remind_of_words(store: Store) -> Operation[None]:
    """A relayed delivery whose word did not come in time gets a task; it stays relayed."""
    rows = yield "overdue_words", [(store.now_ms(),)]
    if not rows:
        return
    tasks = []
    for row in rows:
        task = NewTask(store.ids.new("task"), "word_overdue", row["id"], row["endpoint"])
        tasks.append(task.row(row["subject"], row["organization"] or ""))
    yield "open_task", tasks
    yield "word_reminded", [(row["id"],) for row in rows]
