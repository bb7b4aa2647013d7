"""The port's one suite: a test class that an adapter's tests inherit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator

import pytest_asyncio

from contracts.conformance.callbacks import CallbackChecks
from contracts.conformance.declaration import DeclarationChecks
from contracts.conformance.listing import ListingChecks
from contracts.conformance.polling import PollChecks
from contracts.conformance.sending import SendingChecks
from contracts.conformance.stage import Stage
from contracts.conformance.translation import TranslationChecks


class AdapterConformance(
    DeclarationChecks, TranslationChecks, SendingChecks, CallbackChecks, PollChecks, ListingChecks
):
    """Every check of the port. Inherit it in a class named ``Test…`` and say how the stage is set up::

        class TestHrArbitration(AdapterConformance):
            def set_up(self) -> Stage:
                return HrStage()

    Each check gets a stage of its own, entered before and left after it. Checks that await need pytest-asyncio in mode
    ``auto``.
    """

    @abstractmethod
    def set_up(self) -> Stage:
        """A fresh stage."""

    @pytest_asyncio.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        """The stage of one check."""
        async with self.set_up() as stage:
            yield stage
