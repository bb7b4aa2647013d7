"""Adapters with one defect each, made to be caught: of what they say, make and read."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import ConfigDict

from adapters.http import read_json_object
from contracts.adapter import (
    AdapterInfo,
    Authenticated,
    Capability,
    Context,
    InboundCall,
    Loss,
    LossKind,
    Reply,
    Tools,
    Wire,
)
from contracts.case import Case
from contracts.errors import CallbackRejected
from contracts.lists import Channel
from contracts.message import Message
from contracts.messages import MessageType
from contracts.party import Person
from contracts.update import About, Inbound, StatusUpdate
from tests.seam.adapters import ToyIdempotent, ToyQueryable
from tests.seam.dialect import CAPABILITIES, CalledToy, Toy, ToySettings, digest_of
from tests.seam.stages import IdempotentStage, QueryableStage, ToyStage


@dataclass(frozen=True, slots=True)
class Defect:
    """A broken adapter, the stage it stands on, and the check that must fail for it (with its parameter)."""

    adapter: type[Toy]
    stage: type[ToyStage]
    check: str
    fault: str | None = None


def _of(info: AdapterInfo, **changes: Any) -> AdapterInfo:
    return replace(info, **changes)


# ---------------------------------------------------------------------------------------------------- what they declare


class WithoutChineseName(ToyIdempotent):
    """The console would show nothing."""

    info: ClassVar[AdapterInfo] = _of(ToyIdempotent.info, title_zh="Toy")


class ConnectsLongerThanItMay(ToyIdempotent):
    """The connect deadline outlives the attempt's."""

    info: ClassVar[AdapterInfo] = _of(ToyIdempotent.info, connect_s=90.0)


class QueryableThatCannotBeAsked(ToyIdempotent):
    """The engine would ask, and nobody answers."""

    info: ClassVar[AdapterInfo] = _of(ToyIdempotent.info, delivery_class=ToyQueryable.info.delivery_class)


class TakesAnySetting(ToyIdempotent):
    """A mistyped key goes unnoticed."""

    class AnySettings(ToySettings):
        """Whatever comes."""

        model_config = ConfigDict(frozen=True, extra="allow")

    settings_type = AnySettings


class LooksAtTheClockWhenMade(ToyIdempotent):
    """Its start depends on the moment."""

    def __init__(self, endpoint: str, settings: ToySettings, tools: Tools) -> None:
        super().__init__(endpoint, settings, tools)
        self.made_at = datetime.now(UTC)


class DeclaresMoreThanItShows(ToyIdempotent):
    """A type that nobody has ever seen it translate."""

    info: ClassVar[AdapterInfo] = _of(
        ToyIdempotent.info, capabilities=(*CAPABILITIES, Capability(MessageType.MEDIATOR_LISTED, "T9"))
    )


class DoorWithoutDeclaration(ToyQueryable):
    """Nobody declared that it is called, and it believes whoever calls."""

    async def authenticate(self, call: InboundCall) -> Authenticated:
        return Authenticated(digest_of(call.body), digest_of(call.body))


class PolledInNameOnly(ToyIdempotent):
    """Declared as polled, with nothing to poll."""

    info: ClassVar[AdapterInfo] = _of(ToyIdempotent.info, polls=True)


# ---------------------------------------------------------------------------------------------------- what they translate


class ReadsTheClock(ToyIdempotent):
    """The wire depends on the day it was made."""

    def translate(self, message: Message, context: Context) -> Wire:
        wire = super().translate(message, context)
        return replace(wire, payload=wire.payload | {"day": datetime.now(UTC).date().isoformat()})


class TellsTheSexByACode(ToyIdempotent):
    """A short code that nobody declared, and that every page would show."""

    def translate(self, message: Message, context: Context) -> Wire:
        wire = super().translate(message, context)
        case = message.document
        if not isinstance(case, Case):
            return wire
        sexes = [party.sex for party in case.parties if isinstance(party, Person)]
        return replace(wire, payload=wire.payload | {"xb": sexes})


class DropsDice(ToyIdempotent):
    """A serial number of its own in the payload: two translations differ."""

    def translate(self, message: Message, context: Context) -> Wire:
        wire = super().translate(message, context)
        return replace(wire, payload=wire.payload | {"serial": self.tools.random_bytes(8).hex()})


class LosesTheTail(ToyIdempotent):
    """Long facts end in the middle, and nobody is told."""

    def shortened(self, text: str, pointer: str, losses: list[Loss]) -> str:
        return text[:60]


class PointsNowhere(ToyIdempotent):
    """A loss at a field that there is not."""

    def shortened(self, text: str, pointer: str, losses: list[Loss]) -> str:
        losses.append(Loss(LossKind.CUT, "/fakts", "text"))
        return super().shortened(text, pointer, losses)


class QuotesTheLoss(ToyIdempotent):
    """The loss report goes to logs and consoles, the value with it."""

    def shortened(self, text: str, pointer: str, losses: list[Loss]) -> str:
        losses.append(Loss(LossKind.CUT, pointer, "text", f"was: {text}"))
        return text[:60]


class PayloadOfPython(ToyIdempotent):
    """Comes back from the store as a list."""

    def translate(self, message: Message, context: Context) -> Wire:
        wire = super().translate(message, context)
        return replace(wire, payload=wire.payload | {"pair": (1, 2)})


class NamesTheCase(ToyIdempotent):
    """One id for all filings of a case: the second is taken for a repeat of the first."""

    def id_of(self, message: Message, context: Context) -> str:
        return message.subject


class FilesTheImpossible(ToyIdempotent):
    """A channel without a code goes as any other."""

    def translate(self, message: Message, context: Context) -> Wire:
        document = message.document
        if isinstance(document, Case):
            message = replace(message, document=document.model_copy(update={"channel": Channel.WINDOW}))
        return super().translate(message, context)


# ---------------------------------------------------------------------------------------------------- what they are told


class ReadsBeforeItProves(ToyIdempotent):
    """A stranger's bytes reach the parser."""

    async def authenticate(self, call: InboundCall) -> Authenticated:
        event = read_json_object(call.body)["event"]
        await self.prove(call)
        return Authenticated(event, digest_of(call.body))


class TakesReplays(ToyIdempotent):
    """A recorded call works again."""

    async def prove(self, call: InboundCall) -> None:
        try:
            await super().prove(call)
        except CallbackRejected as refusal:
            if refusal.code != "nonce":
                raise


class NotesTheNonceFirst(ToyIdempotent):
    """A stranger with a copied nonce shuts the true call out."""

    async def prove(self, call: InboundCall) -> None:
        for nonce in call.header_values("X-Nonce"):
            if not await self.tools.nonces.first_seen(f"early {nonce}", 2 * _DAY):
                raise CallbackRejected("nonce", self.no("nonce"))
        await super().prove(call)


class TakesUnsignedCalls(ToyIdempotent):
    """No signature, no objection."""

    async def prove(self, call: InboundCall) -> None:
        if call.header_values("X-Sign"):
            await super().prove(call)


class TakesStaleCalls(ToyIdempotent):
    """The time is signed and never looked at."""

    async def prove(self, call: InboundCall) -> None:
        try:
            await super().prove(call)
        except CallbackRejected as refusal:
            if refusal.code != "time":
                raise


class ProvesHalfTheBody(ToyIdempotent):
    """The signature is held against the first bytes alone."""

    proven_bytes = 40
    _half: ClassVar[dict[str, bytes]] = {}

    async def prove(self, call: InboundCall) -> None:
        (sign,) = call.header_values("X-Sign") or ("",)
        known = self._half.setdefault(sign, call.body[: self.proven_bytes])
        if not sign or not hmac.compare_digest(known, call.body[: self.proven_bytes]):
            raise CallbackRejected("sign", self.no("sign"))


class DigestsTheHead(ToyIdempotent):
    """Every repeat looks like other content."""

    def name(self, call: InboundCall) -> Authenticated:
        return replace(super().name(call), digest=digest_of(str(call.headers).encode() + call.body))


class NumbersByArrival(ToyIdempotent):
    """Every repeat is a new event."""

    def name(self, call: InboundCall) -> Authenticated:
        return replace(super().name(call), event_id=call.header_values("X-Nonce")[0])


class AnswersWithAnError(ToyIdempotent):
    """The platform would call for ever."""

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        return Reply(409 if duplicate else 200)


class GuessesTheUnknown(ToyIdempotent):
    """A new word becomes an old one."""

    def status_of(self, about: About, raw: str) -> str:
        known = super().status_of(about, raw)
        return "confirmed" if known == "unknown" and raw.endswith("BOUND") else known


class ForgetsTheRawWord(ToyIdempotent):
    """Unknown, and nobody can see what it was."""

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        words = super().parse_callback(call)
        return tuple(replace(word, raw_status="?") for word in words if isinstance(word, StatusUpdate))


class ReadsTheClockWhileReading(ToyIdempotent):
    """The time of the fact is the time of the reading."""

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        return tuple(replace(word, at=datetime.now(UTC)) for word in super().parse_callback(call))


class TimesByArrival(ToyIdempotent):
    """The time of the fact is the time of the call."""

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        return tuple(replace(word, at=call.received_at) for word in super().parse_callback(call))


class NamesNothing(ToyIdempotent):
    """A word that can never find its thing."""

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        words = super().parse_callback(call)
        return tuple(replace(word, keys=()) if isinstance(word, StatusUpdate) else word for word in words)


class TrustsTheContent(ToyIdempotent):
    """A missing field is a KeyError in the engine's loop."""

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        said = json.loads(call.body)
        return (self.update(said, About(said["about"])),)


_DAY = timedelta(days=1)

_MADE: tuple[tuple[type[CalledToy], str], ...] = (
    (WithoutChineseName, "test_the_declaration_is_complete"),
    (ConnectsLongerThanItMay, "test_the_limits_can_be_kept"),
    (QueryableThatCannotBeAsked, "test_the_class_fits_the_verbs"),
    (TakesAnySetting, "test_settings_refuse_what_they_do_not_know"),
    (LooksAtTheClockWhenMade, "test_making_it_opens_nothing"),
    (DeclaresMoreThanItShows, "test_every_declared_type_has_a_sample"),
    (PolledInNameOnly, "test_it_is_polled_or_it_is_not"),
    (ReadsTheClock, "test_translate_is_pure"),
    (DropsDice, "test_translate_is_pure"),
    (TellsTheSexByACode, "test_codes_of_persons_are_declared"),
    (LosesTheTail, "test_free_text_arrives_whole_or_is_reported"),
    (PointsNowhere, "test_the_loss_report_points_into_the_document"),
    (QuotesTheLoss, "test_the_loss_report_points_into_the_document"),
    (PayloadOfPython, "test_the_wire_can_be_stored"),
    (NamesTheCase, "test_the_wire_names_its_filing"),
    (FilesTheImpossible, "test_impossible_documents_are_the_senders"),
    (ReadsBeforeItProves, "test_strangers_are_refused"),
    (TakesReplays, "test_a_replay_is_refused"),
    (NotesTheNonceFirst, "test_a_forgery_does_not_use_up_the_nonce"),
    (TakesUnsignedCalls, "test_forgeries_are_refused"),
    (TakesStaleCalls, "test_forgeries_are_refused"),
    (ProvesHalfTheBody, "test_every_bit_counts"),
    (DigestsTheHead, "test_a_repeat_is_the_same_event"),
    (NumbersByArrival, "test_a_repeat_is_the_same_event"),
    (AnswersWithAnError, "test_an_authentic_call_is_believed_and_answered"),
    (GuessesTheUnknown, "test_an_unknown_status_stays_unknown"),
    (ForgetsTheRawWord, "test_an_unknown_status_stays_unknown"),
    (ReadsTheClockWhileReading, "test_reading_is_pure"),
    (TimesByArrival, "test_reading_does_not_depend_on_the_call"),
    (NamesNothing, "test_broken_content_is_unreadable_and_nothing_else"),
    (TrustsTheContent, "test_broken_content_is_unreadable_and_nothing_else"),
)

DEFECTS: tuple[Defect, ...] = (
    *(Defect(adapter, IdempotentStage, check) for adapter, check in _MADE),
    Defect(DoorWithoutDeclaration, QueryableStage, "test_the_door_is_there_or_closed"),
)
