"""What a channel for alerts owes: take a bundle of transitions to people, once it returns, or say why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Phase = Literal["opened", "recovered"]

SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class Told:
    """One transition in words. Nothing in it comes from a document: rule, thing and figure are the gateway's own.

    ``title`` names the rule, ``about`` the thing, ``link`` where to act; ``moment`` is when it began or ended (Beijing)."""

    alert: str
    rule: str
    phase: Phase
    severity: str
    title: str
    about: str
    figure: str
    advice: str
    link: str
    moment: datetime

    @property
    def opened(self) -> bool:
        """Whether trouble begins."""
        return self.phase == "opened"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes as one message: transitions in the order of time, a subject line and the whole text. ``id`` is the same at
    every try."""

    id: str
    subject: str
    text: str
    items: tuple[Told, ...]
    language: str
    site: str
    moment: datetime


class ChannelFailed(Exception):
    """The bundle did not get there, as far as is known. ``code`` says why in one word; ``retry_after_s`` is what was asked."""

    def __init__(self, code: str, retry_after_s: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_s = retry_after_s


class Channel(Protocol):
    """One configured way to people."""

    async def tell(self, bundle: Bundle) -> None:
        """Take the bundle there; returns once the other side has it (UDP: once it has left).

        Raises:
            ChannelFailed: it is told again later.
        """
        ...
