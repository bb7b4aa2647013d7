"""The upstream systems at work: every case lives its own life over the public API, and goes on after a crash where it was.

Whatever is posted carries an Idempotency-Key of seed, case number and step, and the same bytes each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import structlog

from contracts.attachment import AttachmentReference
from contracts.lists import AttachmentKind, ConfirmationRoute, TransferReason, TransferTo
from contracts.messages import COURT, HR, ONE_STOP, UNION, MessageType
from contracts.status import ConfirmationStatus, TransferStatus, is_final
from gateway.client import CallRefused, GatewayClient, GatewayUnreachable, Taken
from gateway.demo.client_log import Acknowledged, ClientLog, Kept
from gateway.demo.feed import Feed
from gateway.demo.handover import SENDERS, hand_over
from gateway.demo.platforms import Platform
from gateway.demo.script import Plot, Script
from gateway.flow.printing.blocks import A4, Block, Layout, Look
from gateway.flow.printing.fonts import Typefaces
from gateway.flow.printing.pages import print_pdf

log = structlog.get_logger("gateway.demo")

T = MessageType

_LOOKS: Final = 200
_LOOK_S: Final = 0.1

_WHO_DECIDES: Final = {
    TransferTo.ARBITRATION: HR,
    TransferTo.COURT: COURT,
    TransferTo.LEGAL_AID: UNION,
    TransferTo.LABOR_INSPECTION: ONE_STOP,
    TransferTo.PAYMENT_ORDER: ONE_STOP,
}
_WHO_CONFIRMS: Final = {
    ConfirmationRoute.ARBITRATION_REVIEW: HR,
    ConfirmationRoute.JUDICIAL_CONFIRMATION: COURT,
}


class Post(Protocol):
    """A call of the client that only lacks its key."""

    async def __call__(self, *, key: str) -> Taken: ...


@dataclass(slots=True)
class Desk:
    """One organisation's upstream system."""

    client: GatewayClient
    feed: Feed


@dataclass(slots=True)
class Broken:
    """A case whose life stopped short, and why."""

    number: int
    reason: str


@dataclass(slots=True)
class Traffic:
    """All cases of one run.

    ``staged`` names the adapters of the platforms that are there: what nobody there decides is not waited for.
    ``platforms`` are those whose clerks may be asked to hand a case over, by adapter. ``brief``: see ``Script``.
    """

    seed: int
    began: datetime
    desks: Mapping[str, Desk]
    client_log: ClientLog
    staged: frozenset[str]
    platforms: Mapping[str, Platform] = field(default_factory=dict)
    brief: bool = False
    started: int = 0
    finished: int = 0
    broken: list[Broken] = field(default_factory=list)

    async def play(self, cases: int, at_once: int, rate_per_s: float = 0.0) -> None:
        """Live so many cases, at most ``at_once`` at a time, begun at ``rate_per_s`` (0 = as soon as there is room)."""
        room = asyncio.Semaphore(at_once)
        over = frozenset(self.client_log.over)
        self.started = self.finished = len(over)
        async with asyncio.TaskGroup() as group:
            for number in range(1, cases + 1):
                if number in over:
                    continue
                await room.acquire()
                group.create_task(self._within(room, number), name=f"case:{number}")
                if rate_per_s > 0:
                    await asyncio.sleep(1 / rate_per_s)

    async def _within(self, room: asyncio.Semaphore, number: int) -> None:
        self.started += 1
        try:
            await Life(self, Script(self.seed, number, self.began, self.brief)).live()
            self.client_log.case(number).end()
            self.finished += 1
        except (CallRefused, GatewayUnreachable) as error:
            self.broken.append(Broken(number, str(error)))
            log.error(
                "life_broken", count=number, error=type(error).__name__, code=getattr(error, "code", "unreachable")
            )
        finally:
            room.release()

    @asynccontextmanager
    async def feeds(self) -> AsyncIterator[None]:
        """The feeds are read while this is entered."""
        readers = [asyncio.create_task(desk.feed.run()) for desk in self.desks.values()]
        try:
            yield
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)


class Life:
    """One case from its application to its end."""

    def __init__(self, traffic: Traffic, script: Script) -> None:
        self._traffic = traffic
        self._script = script
        self._kept: Kept = traffic.client_log.case(script.number)
        desk = traffic.desks[script.home.code]
        self._client, self._feed = desk.client, desk.feed
        self._case = ""
        self._referral: str | None = None
        self._by_court = False
        self._place = 0

    async def live(self) -> None:
        """Play the plot."""
        await self._open()
        match self._script.plot:
            case Plot.REVIEWED:
                await self._reviewed()
            case Plot.FAILED:
                await self._end("failed")
                await self._transfer(TransferTo.ARBITRATION, TransferReason.MEDIATION_FAILED)
            case Plot.PERFORMED:
                agreement = await self._agree()
                await self._perform(agreement)
                visit = partial(self._client.record_follow_up, self._case, self._script.visit)
                await self._post("visit", T.CASE_FOLLOWED_UP, visit)
                await self._progress("closed")
            case Plot.PARTLY:
                await self._agree()
                await self._transfer(TransferTo.ARBITRATION, TransferReason.OTHER)
            case Plot.SENT_ON:
                await self._end("failed")
                await self._transfer(self._script.sent_on, TransferReason.MEDIATION_FAILED)
            case Plot.WITHDRAWN:
                await self._end("withdrawn")
                await self._progress("closed")
            case Plot.BRIEF:
                await self._progress("withdrawn")
                owed = [delivery for ack in self._kept.acknowledged.values() for delivery, _ in ack.deliveries]
                await self._feed.arrived(owed)  # else most of the run would be a queue that grows

    # ---- scenes

    async def _open(self) -> None:
        script, document = self._script, self._script.case
        if script.handed_over:
            self._referral = await self._handed_over()
        if self._referral is not None:
            document = script.handed(self._referral)
        case = await self._post("case", T.CASE_SUBMITTED, partial(self._client.submit_case, document))
        self._case = case.about
        if script.number <= len(self._traffic.desks):
            for place, mediator in enumerate(script.roster):
                listed = partial(self._client.list_mediator, mediator)
                await self._post(f"mediator-{place}", T.MEDIATOR_LISTED, listed)
        if script.collective:
            await self._post("alert", T.CASE_ALERTED, partial(self._client.raise_alert, self._case, script.alert))
        if script.accepted_later:
            await self._progress("accepted")
        if script.plot is not Plot.BRIEF:
            await self._progress("mediating")
        if script.corrected:
            await self._held_everywhere()
            revise = partial(self._client.revise_case, self._case, script.revised(document), 1)
            await self._post("revision", T.CASE_REVISED, revise)

    async def _held_everywhere(self) -> None:
        """Until every platform has the case: else chance decides whether the revision supersedes a first delivery."""
        for _ in range(_LOOKS):
            rows = (await self._client.read(self._case)).get("deliveries")
            first = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            if all(row.get("state") == "delivered" for row in first if row.get("type") == T.CASE_SUBMITTED):
                return
            await asyncio.sleep(_LOOK_S)

    async def _handed_over(self) -> str | None:
        """The referral that a platform offers and the organisation takes; ``None``: nobody there hands over."""
        traffic, script = self._traffic, self._script
        kinds = [kind for kind, sender in SENDERS.items() if sender in traffic.platforms]
        if not kinds:
            return None
        kind = kinds[script.number // 9 % len(kinds)]
        platform = traffic.platforms[SENDERS[kind]]
        task_no = await hand_over(kind, script, platform, self._kept, self._key("referral"))
        self._by_court = SENDERS[kind] == COURT
        referral = await self._feed.referral(task_no)
        await self._post("answer", T.REFERRAL_ANSWERED, partial(self._client.answer_referral, referral, script.answer))
        return referral

    async def _end(self, step: str) -> None:
        await self._progress(step)
        await self._return(step)

    async def _return(self, outcome: str, agreement: str | None = None) -> None:
        """Tell whoever handed the case over."""
        if self._referral is not None:
            result = partial(self._client.return_result, self._referral, self._script.result(outcome, agreement))
            await self._post("result", T.REFERRAL_RETURNED, result)

    async def _progress(self, step: str) -> None:
        told = partial(self._client.report_progress, self._case, getattr(self._script, step))
        await self._post(step, T.CASE_PROGRESSED, told)

    async def _agree(self) -> str:
        script = self._script
        paper = await self._upload(
            "agreement-paper", AttachmentKind.MEDIATION_AGREEMENT, "调解协议书", script.agreement_lines
        )
        agreement = partial(self._client.report_agreement, self._case, script.agreement(paper))
        concluded = (await self._post("agreement", T.AGREEMENT_CONCLUDED, agreement)).about
        await self._return("partly_agreed" if script.plot is Plot.PARTLY else "agreed", concluded)
        return concluded

    async def _reviewed(self) -> None:
        agreement = await self._agree()
        route = self._route()
        if route is None:
            await self._perform(agreement)
            return
        request = partial(self._client.request_confirmation, agreement, self._script.request(route))
        asked = await self._post("confirmation", T.CONFIRMATION_REQUESTED, request)
        status = await self._confirmed(asked.about)
        if status in (ConfirmationStatus.NOT_ACCEPTED, ConfirmationStatus.REJECTED):
            await self._transfer(TransferTo.ARBITRATION, TransferReason.OTHER)
        else:
            await self._perform(agreement)

    def _route(self) -> ConfirmationRoute | None:
        if self._by_court:
            return ConfirmationRoute.JUDICIAL_CONFIRMATION  # of the court that invited
        there = [route for route, adapter in _WHO_CONFIRMS.items() if adapter in self._traffic.staged]
        return self._script.chance("route").choice(there) if there else None

    async def _confirmed(self, confirmation: str) -> ConfirmationStatus:
        """Answer what is asked for until the confirmation is over."""
        corrections = 0
        while True:
            status = ConfirmationStatus(await self._word("confirmation", confirmation))
            if status is ConfirmationStatus.CORRECTION_REQUIRED:
                corrections += 1
                await self._correct(confirmation, corrections)
            elif is_final("confirmation", status):
                return status

    async def _correct(self, confirmation: str, times: int) -> None:
        script = self._script
        if script.withdraws:
            withdrawal = partial(self._client.withdraw, confirmation, script.withdrawal)
            await self._post("withdrawal", T.CONFIRMATION_WITHDRAWAL_REQUESTED, withdrawal)
            return
        lines = [f"{party.name}（身份证明，演示数据）" for party in script.case.parties]
        proof = await self._upload(f"proof-{times}", AttachmentKind.IDENTITY_PROOF, "当事人身份证明", lines)
        paper = AttachmentReference(id=proof, kind=AttachmentKind.IDENTITY_PROOF, name="当事人身份证明.pdf")
        supplement = partial(self._client.supplement, confirmation, script.supplement([paper]))
        await self._post(f"supplement-{times}", T.CONFIRMATION_SUPPLEMENTED, supplement)

    async def _perform(self, agreement: str) -> None:
        for place, performance in enumerate(self._script.performances):
            done = partial(self._client.report_performance, agreement, performance)
            await self._post(f"performance-{place}", T.AGREEMENT_PERFORMED, done)

    async def _transfer(self, to: TransferTo, reason: TransferReason) -> None:
        transfer = partial(self._client.request_transfer, self._case, self._script.transfer(to, reason))
        asked = await self._post("transfer", T.TRANSFER_REQUESTED, transfer)
        if _WHO_DECIDES[to] not in self._traffic.staged:
            return
        while not is_final("transfer", TransferStatus(await self._word("transfer", asked.about))):
            pass

    # ---- steps

    async def _post(self, step: str, kind: MessageType, post: Post) -> Acknowledged:
        """Post once: what was acknowledged before is not posted again, what may have arrived is, under the same key."""
        key, kept = self._key(step), self._kept
        known = kept.acknowledged.get(key)
        if known is not None:
            return known
        taken = await post(key=key)
        owed = tuple((delivery.id, delivery.endpoint) for delivery in taken.deliveries)
        ack = Acknowledged(key, kind.value, taken.id, owed)
        kept.note(ack)
        return ack

    async def _upload(self, step: str, kind: AttachmentKind, title: str, lines: list[str]) -> str:
        key, kept = self._key(step), self._kept
        known = kept.uploads.get(key)
        if known is None:
            known = (await self._client.upload(str(kind), f"{title}.pdf", _paper(title, lines))).id
            kept.note_upload(key, known)
        return known

    def _key(self, step: str) -> str:
        return f"demo-{self._script.seed}-{self._script.number}-{step}"

    async def _word(self, noun: str, about: str) -> str:
        """The next status that a platform gave to the thing."""
        while True:
            word = await self._feed.word(self._case, self._place)
            self._place += 1
            if (word.noun, word.about) == (noun, about):
                return word.status


def _paper(title: str, lines: list[str]) -> bytes:
    """A plain A4 PDF, the same bytes for the same text; Chinese by a font that every reader brings."""
    blocks = [Block((title,), Look(size=22.0, align="center", bold=True, line=34.0, after=22.0))]
    blocks += [Block(tuple(line.split("\n")), Look()) for line in lines]
    return print_pdf(Layout(title, A4, tuple(blocks)), Typefaces({}))
