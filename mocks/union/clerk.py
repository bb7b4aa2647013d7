"""The union's clerk: decides items, tells results, reports statuses, hands cases over (union page §5, §7)."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from mocks.clock import BEIJING, Clock
from mocks.faults import Faults
from mocks.journal import Journal
from mocks.numbers import reference
from mocks.platform import Json, Refused
from mocks.pushes import Push, Pushes
from mocks.union import codes
from mocks.union.checks import is_time
from mocks.union.handover import handed_over
from mocks.union.ledger import Item, Ledger, Task
from mocks.union.settings import Settings

Choose = Callable[[Random, Mapping[str, float]], str]

_FIELD = re.compile(r"[A-Za-z]+(?:\.[1-9][0-9]*\.[A-Za-z]+)?")
_log = logging.getLogger(__name__)


class Clerk:
    """Decides by himself after ``result_delay_s`` on the union's clock, or earlier on command."""

    def __init__(
        self, *, ledger: Ledger, pushes: Pushes, journal: Journal, clock: Clock, faults: Faults, settings: Settings
    ) -> None:
        self._ledger = ledger
        self._pushes = pushes
        self._journal = journal
        self._clock = clock
        self._faults = faults
        self._delay = timedelta(seconds=settings.result_delay_s)
        self._unknown_every = settings.unknown_xlh_every
        self._answer_due = timedelta(seconds=settings.answer_due_s)
        self._region = settings.region
        self._due: dict[str, datetime] = {}
        self._held: list[list[Item]] = []
        self._held_until = 0.0
        self._numbers = {"slh": 0, "push": 0, "handover": 0, "told": 0}
        self._deciding = asyncio.Lock()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # --- life

    def start(self) -> None:
        """Begin to tell results when they are due."""
        self._clock.changed.append(self._wake.set)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what was not told is told after the next start."""
        if self._wake.set in self._clock.changed:
            self._clock.changed.remove(self._wake.set)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def restore(self, entry: Json) -> None:
        """Take up one journal entry that is no item."""
        payload = entry["payload"]
        match entry["kind"]:
            case "decision":
                self._numbers["slh"] = max(self._numbers["slh"], entry["number"])
                for seq, state, slh, code, reason in payload["items"]:
                    item = self._ledger.items[seq]
                    if state == "accepted":
                        self._ledger.accept(item, slh)
                    else:
                        self._ledger.refuse(item, code, reason)
            case "handover":
                self._numbers["handover"] = max(self._numbers["handover"], entry["number"])
                due = datetime.fromisoformat(entry["due"])
                self._ledger.hand_over(Task(yjbh=entry["ref"], jgdm=payload["jgdm"], due=due))
            case "recall":
                self._ledger.recall(self._ledger.tasks[entry["ref"]])
            case "push_queued":
                content = payload["content"]
                self._numbers["push"] = max(self._numbers["push"], content["number"])
                self._ledger.tell([self._ledger.items[seq] for seq in content.get("items", [])])
                if content.get("items"):
                    self._numbers["told"] += 1
                if "zt" in content:
                    self._ledger.items[content["about"]].status = content["zt"]

    # --- results

    def expect(self, batch_no: str, received: datetime) -> None:
        """A batch was taken at ``received``: its result is due after the delay."""
        self._due[batch_no] = received + self._delay
        self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now = self._clock.now()
            try:
                for batch_no in [batch_no for batch_no, due in self._due.items() if due <= now]:
                    await self.settle(batch_no)
                if self._held and loop.time() >= self._held_until:
                    await self._release([])
            except OSError:
                _log.exception("results could not be noted")
                return
            wait = min([60.0, *((due - now).total_seconds() for due in self._due.values())])
            if self._held:
                wait = min(wait, self._held_until - loop.time())
            try:
                async with asyncio.timeout(wait):  # wait_for may swallow a cancellation in Python 3.11
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def settle(self, batch_no: str, *, now: bool = False) -> None:
        """Accept what still waits in the batch and tell all that was not told; with ``now`` the callback is over."""
        async with self._deciding:
            self._due.pop(batch_no, None)
            items = self._ledger.untold(batch_no)
            await self._accept([item for item in items if item.state == "waiting"])
            tellable = [item for item in items if item.xlh]
            self._ledger.tell([item for item in items if not item.xlh])
            if not tellable:
                return
            if now:
                await self._tell(tellable, now=True)
                return
            reorder = self._faults.take("batch.result", "reorder_callbacks")
            if reorder is not None and not self._held:
                self._held_until = asyncio.get_running_loop().time() + (reorder.after_ms or 5000) / 1000
                self._held.append(tellable)
                return
            if self._held:
                await self._release(tellable)
            else:
                await self._tell(tellable)

    async def _release(self, later: list[Item]) -> None:
        """Results of two batches exchanged, each item in a callback of its own (§7, ``reorder_callbacks``)."""
        held, self._held = self._held, []
        for items in [later, *held]:
            for item in reversed(items):
                if not item.told:
                    await self._tell([item], now=True)

    async def _accept(self, items: list[Item]) -> None:
        if not items:
            return
        decided: list[tuple[Item, str]] = []
        for item in items:
            self._numbers["slh"] += 1
            decided.append((item, reference(self._region, self._clock.now(), self._numbers["slh"])))
        await self._note_decision([(item.seq, "accepted", slh, "", "") for item, slh in decided], items[0].xlh)
        for item, slh in decided:
            self._ledger.accept(item, slh)

    async def _refuse(self, items: list[Item], code: str, reason: str) -> None:
        await self._note_decision([(item.seq, "refused", "", code, reason) for item in items], items[0].xlh)
        for item in items:
            self._ledger.refuse(item, code, reason)

    async def _note_decision(self, rows: list[tuple[int, str, str, str, str]], xlh: str) -> None:
        await self._journal.append(
            kind="decision",
            business_key=xlh,
            message_id=xlh,
            digest="",
            effect="created",
            ref="",
            payload={"items": rows},
            number=self._numbers["slh"],
        )

    async def _tell(self, items: list[Item], *, now: bool = False) -> None:
        """One ``batch.result`` about items of one batch; empty parameters are sent, too (§7)."""
        params: list[tuple[str, str]] = [("batchNo", items[0].batch_no), ("n", str(len(items)))]
        for place, item in enumerate(items, start=1):
            params += [
                (f"i{place}.xlh", item.xlh),
                (f"i{place}.jg", "1" if item.state == "accepted" else "0"),
                (f"i{place}.slh", item.slh),
                (f"i{place}.yy", item.code),
                (f"i{place}.yysm", item.reason),
            ]
        push = self._push("batch.result", "result", params, ref=items[0].batch_no, key=items[0].xlh)
        push.content["items"] = [item.seq for item in items]
        self._ledger.tell(items)
        await self._pushes.put(push, now=now)
        self._numbers["told"] += 1
        if self._unknown_every and self._numbers["told"] % self._unknown_every == 0:
            await self._tell_unknown(items[0].batch_no)

    async def _tell_unknown(self, batch_no: str) -> None:
        """The oddity of §7: a result for an ``xlh`` that the gateway never sent; to be acknowledged and kept."""
        number = self._numbers["told"]
        slh = reference(self._region, self._clock.now(), 900_000 + number % 100_000)
        params = [
            ("batchNo", f"{batch_no[:15]}9{number % 100_000:05d}"),
            ("n", "1"),
            ("i1.xlh", f"xlh_of_another_{number:05d}"),
            ("i1.jg", "1"),
            ("i1.slh", slh),
            ("i1.yy", ""),
            ("i1.yysm", ""),
        ]
        await self._pushes.put(self._push("batch.result", "result", params, ref=params[0][1], key=params[2][1]))

    def _push(
        self, op: str, address: str, params: list[tuple[str, str]], *, ref: str, key: str, event: str = ""
    ) -> Push:
        """A call to the gateway; in the journal it goes by its event number (sjbh), where it has one."""
        self._numbers["push"] += 1
        number = self._numbers["push"]
        content: Json = {"address": address, "params": [list(pair) for pair in params], "number": number}
        return Push(id=event or f"{op}-{number}", op=op, content=content, ref=ref, business_key=key)

    # --- orders

    async def decide(self, order: Json) -> Json:
        """Carry out ``POST /_mock/decide``.

        ``ref`` is an ``xlh``, ``slh`` or ``ajbh`` (for ``recall`` the ``yjbh``). ``accept`` and ``refuse`` {yy, yysm}
        take all waiting items under it and tell them at once (``yy`` is L6 where none is given); ``status`` {zt, sj,
        sm} speaks of the accepted item.

        Raises:
            Refused: 422 for an unknown decision or reference, or an item that does not wait.
        """
        ref = str(order["ref"])
        match order["decision"]:
            case "accept":
                items = await self._now(ref, "", "")
            case "refuse":
                items = await self._now(ref, _text(order, "yy", "L6", 20), _text(order, "yysm", "审核不通过", 300))
            case "status":
                return await self._status(ref, order)
            case "recall":
                return await self._recall(ref, order)
            case other:
                raise Refused(422, f"unknown decision {other!r}; known: accept, refuse, status, recall")
        return {
            "items": [
                {"xlh": item.xlh, "batchNo": item.batch_no, "state": item.state, "slh": item.slh} for item in items
            ]
        }

    async def _now(self, ref: str, code: str, reason: str) -> list[Item]:
        async with self._deciding:
            items = [item for item in self._ledger.find(ref) if item.state == "waiting"]
            if not items:
                raise Refused(422, "no waiting item under this ref")
            if code:
                await self._refuse(items, code, reason)
            else:
                await self._accept(items)
            for batch_no in dict.fromkeys(item.batch_no for item in items):
                await self._tell([item for item in items if item.batch_no == batch_no])
        return items

    async def _status(self, ref: str, order: Json) -> Json:
        status = _text(order, "zt", "", 20)
        if not status:
            raise Refused(422, "status needs zt")
        moment = _text(order, "sj", f"{self._clock.now():%Y%m%d%H%M%S}", 14)
        if not is_time(moment):
            raise Refused(422, "sj must be yyyyMMddHHmmss")
        accepted = [item for item in self._ledger.find(ref) if item.state == "accepted"]
        if not accepted:
            raise Refused(422, "no accepted item under this ref: it has no slh yet")
        wanted = ("support",) if status in codes.SUPPORT_STATUS else ("case.notice",)
        item = next((item for item in reversed(accepted) if item.method in wanted), accepted[-1])
        return await self._report(item, status, moment, _text(order, "sm", "", 1000))

    async def _report(self, item: Item, status: str, moment: str, text: str) -> Json:
        event = f"S{self._clock.now():%Y%m%d%H%M%S}{self._numbers['push'] + 1:06d}"
        params = [
            ("n", "1"),
            ("i1.ajbh", item.ajbh),
            ("i1.slh", item.slh),
            ("i1.zt", status),
            ("i1.sj", moment),
            ("i1.sm", text),
            ("i1.sjbh", event),
        ]
        push = self._push("case.status", "result", params, ref=item.slh, key=item.ajbh, event=event)
        push.content |= {"about": item.seq, "zt": status}
        item.status = status
        await self._pushes.put(push)
        return {"sjbh": event, "slh": item.slh, "zt": status}

    async def _recall(self, ref: str, order: Json) -> Json:
        task = self._ledger.tasks.get(ref)
        if task is None:
            raise Refused(422, "no case was handed over under this yjbh")
        if task.state == "recalled":
            raise Refused(422, "it was recalled before")
        text = _text(order, "sm", "", 1000)
        params = [("n", "1"), ("i1.yjbh", task.yjbh), ("i1.sm", text)]
        await self._journal.append(
            kind="recall", business_key=ref, message_id=ref, digest="", effect="created", ref=ref, payload={"sm": text}
        )
        self._ledger.recall(task)
        await self._pushes.put(self._push("case.recall", "handover", params, ref=ref, key=ref))
        return {"yjbh": ref, "state": task.state}

    async def refer(self, order: Json) -> Json:
        """Hand a case over: ``jgdm`` and, where wished, ``yjbh``, ``dfqx`` and any field of the item by its name.

        An empty text takes a field away. Raises :class:`Refused` (422) for a wrong field or a number used before.
        """
        jgdm = _text(order, "jgdm", "", 32)
        if not jgdm:
            raise Refused(422, "jgdm is needed")
        now = self._clock.now()
        number = self._numbers["handover"] + 1
        yjbh = _text(order, "yjbh", f"YJ{now:%Y%m%d}{number:06d}", 40)
        if not yjbh or yjbh in self._ledger.tasks:
            raise Refused(422, "this yjbh was used before")
        due_text = _text(order, "dfqx", f"{now + self._answer_due:%Y%m%d%H%M%S}", 14)
        if not is_time(due_text):
            raise Refused(422, "dfqx must be yyyyMMddHHmmss")
        fields = {"yjbh": yjbh, "jgdm": jgdm, "dfqx": due_text, **handed_over(number, self._region, now)}
        for name in order.keys() - {"jgdm", "yjbh", "dfqx"}:
            if _FIELD.fullmatch(name) is None:
                raise Refused(422, "a field's name is needed, such as jq or sqr.1.xm")
            fields[name] = _text(order, name, "", 4000)
        self._numbers["handover"] = number
        due = datetime.strptime(due_text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        await self._journal.append(
            kind="handover",
            business_key=yjbh,
            message_id=yjbh,
            digest="",
            effect="created",
            ref=yjbh,
            payload=fields,
            number=number,
            due=due.isoformat(),
        )
        self._ledger.hand_over(Task(yjbh=yjbh, jgdm=jgdm, due=due))
        params = [("n", "1"), *((f"i1.{name}", value) for name, value in fields.items())]
        await self._pushes.put(self._push("case.handover", "handover", params, ref=yjbh, key=yjbh))
        return {"ref": yjbh, "yjbh": yjbh, "jgdm": jgdm, "ajbh": fields["ajbh"], "dfqx": due_text}

    # --- by himself

    def undecided(self) -> list[Json]:
        """Waiting items, and accepted support requests without an outcome."""
        matters = [(item, "waiting") for item in self._ledger.waiting()]
        matters += [(item, "open_support") for item in self._ledger.open_support()]
        return [{"ref": item.batch_no, "matter": item.xlh, "state": state, "seq": item.seq} for item, state in matters]

    async def decide_one(self, random: Random, record: Json, choose: Choose) -> None:
        """Decide one of :meth:`undecided` by the weights of the autopilot."""
        item = self._ledger.items[record["seq"]]
        if record["state"] == "open_support":
            status = "71" if choose(random, {"file": 1, "refuse": 0}) == "file" else "72"
            await self._report(item, status, f"{self._clock.now():%Y%m%d%H%M%S}", "")
            return
        refused = choose(random, {"accept": 1, "refuse": 0}) == "refuse"
        code = random.choice(["L3", "L6"]) if refused else ""
        async with self._deciding:
            if item.state != "waiting":
                return
            if code:
                await self._refuse([item], code, "审核不通过")
            else:
                await self._accept([item])
            await self._tell([item])


def _text(order: Json, name: str, default: str, limit: int) -> str:
    value = order.get(name, default)
    if not isinstance(value, str) or len(value) > limit:
        raise Refused(422, f"{name} must be a text of at most {limit} characters")
    try:
        value.encode("gb18030")
    except UnicodeEncodeError:
        raise Refused(422, f"{name} holds a lone surrogate") from None
    return value
