"""What is translated on the stage: a message with its context, or an event that is announced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from contracts.adapter import Adapter, Context, Json, Wire
from contracts.conformance.leaves import documents, of_others, personal, tree
from contracts.message import Message


@dataclass(frozen=True, slots=True)
class Sample:
    """One message with its context. ``texts``: JSON pointers of free texts in the message's document that must arrive whole
    or stand in the loss report."""

    message: Message
    context: Context
    texts: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The message's type."""
        return self.message.type.value

    def made(self, adapter: Adapter[Any]) -> Wire:
        """Its wire."""
        return adapter.translate(self.message, self.context)

    def ids(self) -> dict[str, str]:
        """The ids that a platform may see, and whose they are."""
        return {self.context.delivery: "delivery", self.message.id: "message"}

    def files(self) -> frozenset[str]:
        """The attachments that may travel along."""
        return frozenset(self.context.attachments)

    def trees(self) -> list[Any]:
        """Everything that a loss may point into as JSON, the message's own document first, and at last all that its context
        brings, each under its name (``/case/…``): where a service carries several documents, a pointer says which."""
        named = {name: getattr(self.context, name) for name in ("case", "agreement", "confirmation", "referral")}
        beside = {name: tree(document) for name, document in named.items() if document is not None}
        return [*(tree(document) for document in documents(self.message, self.context)), beside]

    def persons(self) -> set[str]:
        """Values of persons."""
        return personal(self.message, self.context)

    def of_others(self) -> Self:
        """The same of other people, as far as closed lists and short words tell them apart."""
        context = replace(
            self.context,
            case=of_others(self.context.case),
            agreement=of_others(self.context.agreement),
            confirmation=of_others(self.context.confirmation),
            referral=of_others(self.context.referral),
        )
        return replace(self, message=replace(self.message, document=of_others(self.message.document)), context=context)


@dataclass(frozen=True, slots=True)
class Announced:
    """One published event (a CloudEvents object), for an adapter that is told events. ``texts`` as in ``Sample``."""

    event: Json
    texts: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The event's type."""
        return str(self.event["type"])

    def made(self, adapter: Adapter[Any]) -> Wire:
        """Its wire."""
        return adapter.announce(self.event)

    def ids(self) -> dict[str, str]:
        """The event's own id, which a receiver sees at every attempt."""
        return {self.event["id"]: "event"}

    def files(self) -> frozenset[str]:
        """Nothing travels along with an event."""
        return frozenset()

    def trees(self) -> list[Any]:
        """The event."""
        return [self.event]

    def persons(self) -> set[str]:
        """An event shows nobody."""
        return set()

    def of_others(self) -> Self:
        """An event shows nobody."""
        return self


AnySample = Sample | Announced
