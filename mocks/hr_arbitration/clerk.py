"""The platform's clerk: decisions and hand-overs as callbacks (hr_arbitration page §5, §7 ``decide``, ``refer``)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from mocks.clock import BEIJING, Clock
from mocks.hr_arbitration.fields import Json, split
from mocks.hr_arbitration.invented import entrusted_case
from mocks.hr_arbitration.ledger import Ledger, Matter
from mocks.hr_arbitration.paper import file_id, keep, one_page_pdf
from mocks.journal import Journal
from mocks.platform import Refused
from mocks.pushes import Push, Pushes

_REVIEW = {"accept": "ZC2001", "not_accept": "ZC2002", "correct": "ZC2003"}
_REVIEW_DECISION = {"confirm": "1", "reject": "2", "withdraw": "3", "deem_withdraw": "4"}
_TRANSFER = {"file": "1", "refuse": "2", "correct": "3"}
#: noun → the decisions that it takes.
_DECISIONS = {
    "case": ("status",),
    "review": (*_REVIEW, *_REVIEW_DECISION),
    "transfer": tuple(_TRANSFER),
    "task": ("recall",),
}
_ORDER = frozenset(
    {"ref", "decision", "at", "code", "reason", "note", "texts", "due", "case_no", "document_no", "fields"}
)
_REFER = frozenset({"organization_code", "BZA002", "task_no", "letter_no", "due", "case_no", "fields"})


class Clerk:
    """Turns orders of a tester, and of the autopilot, into callbacks."""

    def __init__(self, *, ledger: Ledger, pushes: Pushes, journal: Journal, clock: Clock, files: Path) -> None:
        self._ledger = ledger
        self._pushes = pushes
        self._journal = journal
        self._clock = clock
        self._files = files
        self._told = 0

    async def decide(self, order: Mapping[str, Any]) -> Json:
        """``{ref, decision, …}``: queue the callback of the decision. Raises :class:`Refused`.

        ``ref`` = BZR001 or the gateway's number (BZC002, BZG001, BZJ001, BZA001, BZA002/BZA001). Optional: ``at`` (RFC
        3339), ``code`` (BZS001), ``reason`` (BZC006), ``note`` (AAE013), ``texts`` (BZC007), ``due`` (BZC008, a day),
        ``case_no`` (BZC005, BZG006), ``document_no`` (BZC009), ``fields`` {code: value, or null to leave it out}, sent
        as given.
        """
        _known_keys(order, _ORDER)
        matter = self._ledger.find(order["ref"])
        if matter is None:
            raise Refused(422, f"nothing is known under {order['ref']!r}")
        decision = order["decision"]
        if decision not in _DECISIONS[matter.noun]:
            raise Refused(422, f"a {matter.noun} takes: {', '.join(_DECISIONS[matter.noun])}")
        return await self.tell(matter, decision, order)

    async def tell(self, matter: Matter, decision: str, order: Mapping[str, Any], *, early: bool = False) -> Json:
        """Queue one callback about ``matter``; ``early`` = its first try is over when this returns."""
        op, content = await self._words(matter, decision, order)
        content |= {"AAE036": _moment(order.get("at"), self._clock.now())}
        if "note" in order:
            content["AAE013"] = _text(order, "note")
        for code, value in _fields(order).items():
            if value is None:
                content.pop(code, None)
            else:
                content[code] = value
        return await self._queue(op, content, matter.ref, matter.number, early=early)

    async def _words(self, matter: Matter, decision: str, order: Mapping[str, Any]) -> tuple[str, Json]:
        now = self._clock.now()
        year, tail = f"{now:%Y}", matter.ref[-4:].lstrip("0") or "0"
        if matter.noun == "task":
            return "ZC5002", {"BZJ001": matter.number}
        content: Json = {"BZR001": matter.ref}
        if self._with_number(matter):
            content |= self._number(matter)
        match matter.noun, decision:
            case "case", _:
                content["BZS001"] = _text(order, "code")
                return "ZC1001", content
            case "review", "accept":
                content["BZC005"] = _text(order, "case_no", f"示例劳人仲审〔{year}〕第{tail}号")
                content |= {"AAE011": "仲裁员甲", "AAE005": "0531-80000000"}
            case "review", "not_accept":
                content["BZC006"] = _text(order, "reason", "9")
            case "review", "correct":
                content |= self._correction(order)
            case "review", _:
                content["BZC010"] = _REVIEW_DECISION[decision]
                content["BZC014"] = now.strftime("%Y%m%d")
                if decision == "confirm":
                    content["BZC009"] = _text(order, "document_no", f"示例劳人仲调〔{year}〕第{tail}号")
                    content["BZF001"] = await self._issue(f"Arbitration mediation statement {matter.ref}")
                return "ZC2004", content
            case _:
                content["BZG005"] = _TRANSFER[decision]
                content["BZG007"] = now.strftime("%Y%m%d")
                if decision == "file":
                    content["BZG006"] = _text(order, "case_no", f"示例劳人仲案〔{year}〕第{tail}号")
                elif decision == "correct":
                    content |= self._correction(order)
                return "ZC3001", content
        return _REVIEW[decision], content

    def _with_number(self, matter: Matter) -> bool:
        """The oddity of §7: once the gateway knows BZR001, every second callback goes without the gateway's number."""
        if matter.ref not in self._ledger.known:
            return True
        self._told += 1
        return self._told % 2 == 0

    @staticmethod
    def _number(matter: Matter) -> Json:
        match matter.noun:
            case "review":
                return {"BZC002": matter.number}
            case "transfer":
                return {"BZG001": matter.number}
            case _:
                return {"BZA001": matter.content["BZA001"], "BZA002": matter.content["BZA002"]}

    def _correction(self, order: Mapping[str, Any]) -> Json:
        texts = order.get("texts", ["请补充当事人身份证明"])
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
            raise Refused(422, "texts must be a list of texts")
        return {"BZC007": texts, "BZC008": _day(order.get("due"), self._clock.now() + timedelta(days=5))}

    async def _issue(self, title: str) -> str:
        paper = one_page_pdf(title)
        digest = hashlib.sha256(paper).hexdigest()
        name = file_id(digest)
        await asyncio.to_thread(keep, self._files, digest, paper)
        entry: Json = {
            "kind": "document",
            "business_key": "",
            "message_id": "",
            "digest": digest,
            "effect": "noted",
            "ref": name,
            "payload": {"BZF002": digest, "BZF003": "application/pdf", "BZF004": str(len(paper))},
        }
        self._ledger.apply(entry)
        await self._journal.append(**entry)
        return name

    async def refer(self, order: Mapping[str, Any]) -> Json:
        """``{organization_code, task_no?, due?}``: hand an invented case over (ZC5001). Raises :class:`Refused`.

        ``BZA002`` is taken for ``organization_code``. Also ``letter_no``, ``case_no`` (BZA001) and ``fields`` {code:
        value, or null to leave it out}; texts over their limit are split into ``BZX000`` rows. ``due`` is RFC 3339 or
        14 digits; without it three days from now.
        """
        _known_keys(order, _REFER)
        code = _text(order, "BZA002" if "BZA002" in order else "organization_code")
        now = self._clock.now()
        event = self._ledger.new_event(f"{now:%Y%m%d}")
        number = _text(order, "task_no", f"RW{event[2:]}")
        if number in self._ledger.tasks:
            raise Refused(422, f"the task {number!r} is there already")
        content: Json = {
            "BZJ001": number,
            "BZJ002": _text(order, "letter_no", f"示例劳人仲委调〔{now:%Y}〕第{event[-6:].lstrip('0')}号"),
            "BZJ003": _moment(order.get("due"), now + timedelta(days=3)),
            "AAE036": _moment(None, now),
            **entrusted_case(
                number,
                self._organization(code),
                _text(order, "case_no", f"示例劳人仲案〔{now:%Y}〕第{event[-6:].lstrip('0')}号"),
                now,
            ),
        }
        for name, value in _fields(order).items():
            if value is None:
                content.pop(name, None)
            else:
                content[name] = value
        return await self._queue("ZC5001", split(content), number, number, event=event)

    def _organization(self, code: str) -> Json:
        for (owner, _), case in reversed(self._ledger.cases.items()):
            if owner == code:
                return {"BZA002": code, "BZA003": case.content["BZA003"], "AAB301": case.content["AAB301"]}
        return {"BZA002": code, "BZA003": f"{code}调解组织", "AAB301": "370102"}

    async def _queue(
        self, op: str, content: Json, ref: str, number: str, *, event: str = "", early: bool = False
    ) -> Json:
        event = event or self._ledger.new_event(f"{self._clock.now():%Y%m%d}")
        self._ledger.apply(
            {"kind": "push_queued", "effect": "created", "ref": ref, "payload": {"op": op, "content": content}}
        )
        await self._pushes.put(Push(event, op, content, ref, number), now=early)
        return {"serialno": event, "serviceid": op, "ref": ref}

    # --- by itself

    def matters(self) -> list[Json]:
        """What the autopilot may decide. A matter goes by the sender's case and agreement, which are the same in every run."""
        return [
            {
                "ref": matter.ref,
                "matter": self._lot(matter),
                "state": f"{matter.state}{'+corrected' * matter.corrected}{'+withdrawing' * matter.withdrawing}",
            }
            for matter in self._ledger.undecided()
        ]

    def _lot(self, matter: Matter) -> str:
        """What the chance of a matter hangs on: no number that the gateway drew, no order of arrival."""
        content = matter.content
        if matter.noun == "transfer":
            return f"{content['BZA002']}/{content['BZA001']}"
        asked = self._ledger.reviews_of[content["BZA002"], content["BZD001"]]
        return f"{content['BZA002']}/{content['BZD001']}/{asked.index(matter)}"

    def choices(self, ref: str) -> dict[str, float]:
        """The decisions that fit the state of a matter, with the weights where the autopilot's mix names none.

        A transfer is never sent back for correction by the clerk himself: a person must write it anew. A review is, once.
        """
        matter = self._ledger.by_ref[ref]
        if matter.noun == "transfer":
            return {"file": 9, "refuse": 1}
        if matter.withdrawing:
            return {"withdraw": 1}
        if matter.state == "accepted":
            return {"confirm": 9, "reject": 1, "deem_withdraw": 0}
        weights: dict[str, float] = {"accept": 8, "not_accept": 1}
        if not matter.corrected:
            weights["correct"] = 1
        return weights

    async def decide_alone(self, ref: str, decision: str, random: Random) -> None:
        """The autopilot's decision."""
        order: Json = {"reason": random.choice("124")} if decision == "not_accept" else {}
        await self.tell(self._ledger.by_ref[ref], decision, order)


def _known_keys(order: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(set(order) - known):
        raise Refused(422, f"unknown key {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def _text(order: Mapping[str, Any], name: str, default: str = "") -> str:
    value = order.get(name, default)
    if not isinstance(value, str) or not value:
        raise Refused(422, f"{name} is needed, as a text")
    return value


def _fields(order: Mapping[str, Any]) -> Json:
    fields = order.get("fields", {})
    if not isinstance(fields, dict):
        raise Refused(422, "fields must be an object {code: value}")
    return fields


def _moment(value: Any, default: datetime) -> str:
    if value is None:
        return default.strftime("%Y%m%d%H%M%S")
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")
        if len(value) == 14 and value.isascii() and value.isdigit():
            return value
    raise Refused(422, "a time must be RFC 3339 with offset, or 14 digits")


def _day(value: Any, default: datetime) -> str:
    if value is None:
        return default.strftime("%Y%m%d")
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).strftime("%Y%m%d")
        except ValueError:
            pass
    raise Refused(422, "a day must be yyyy-MM-dd or yyyyMMdd")
