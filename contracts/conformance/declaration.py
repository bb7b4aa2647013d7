"""Checks of what an adapter says about itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.adapter import CONTRACT, Adapter, AdapterSettings, DeliveryClass
from contracts.conformance.purity import watched
from contracts.conformance.stage import Stage
from contracts.conformance.stand_ins import Touched, forbidden_tools
from contracts.messages import MessageType

_NAME = re.compile(r"[a-z][a-z0-9_]{1,63}")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def _overrides(kind: type[Adapter[Any]], *names: str) -> bool:
    return all(getattr(kind, name) is not getattr(Adapter, name) for name in names)


class DeclarationChecks:
    """The declaration is complete, and the adapter is what it declares."""

    def test_the_declaration_is_complete(self, stage: Stage) -> None:
        """``AdapterInfo`` as the registry, the router and the capability table need it."""
        info = stage.adapter_type.info
        assert info.contract == CONTRACT, f"written for port {info.contract}, this is {CONTRACT}"
        assert _NAME.fullmatch(info.name), "the name is lower case, digits and underscores"
        assert _HAN.search(info.title_zh), "title_zh is the platform's Chinese name"
        assert info.title_en.strip(), "title_en is missing"
        assert info.version.strip(), "the protocol's version is missing"
        assert info.mapping.strip(), "the translation's version is missing"
        types = [capability.type for capability in info.capabilities]
        assert len(types) == len(set(types)), "a message type is declared twice"
        assert all(isinstance(kind, MessageType) for kind in types), "capabilities are message types"
        assert all(capability.operation.strip() for capability in info.capabilities), "a capability has no operation"
        assert types == [kind for kind in types if info.takes(kind)]

    def test_the_limits_can_be_kept(self, stage: Stage) -> None:
        """Seconds, rates and sizes, as the engine will use them."""
        info = stage.adapter_type.info
        assert 0 < info.connect_s <= info.deadline_s <= info.deadline_files_s, (
            "connect_s <= deadline_s <= deadline_files_s"
        )
        assert info.rate_per_s > 0
        assert info.at_once >= 1
        assert info.reply_limit >= 1024, "an answer needs room"
        shortest, longest = info.poll_every_s
        assert 0 < shortest <= longest, "poll_every_s runs from the shortest to the longest wait"
        assert info.lookup_lag >= timedelta(0)
        assert info.word_within > timedelta(0)

    def test_the_class_fits_the_verbs(self, stage: Stage) -> None:
        """What is declared can be done, and what is not declared is not half done."""
        kind = stage.adapter_type
        info = kind.info
        asked = _overrides(kind, "lookup")
        if info.delivery_class is DeliveryClass.QUERYABLE:
            assert asked, "a queryable platform needs lookup"
        elif info.delivery_class is DeliveryClass.NEITHER:
            assert not asked, "a platform that can be asked is queryable"
        if info.delivery_class is not DeliveryClass.QUERYABLE:
            assert info.lookup_lag == timedelta(0), "only a queryable platform has a look-up lag"
        assert info.calls_back == _overrides(kind, "authenticate", "acknowledge"), (
            "calls_back: authenticate, acknowledge"
        )
        assert info.polls == _overrides(kind, "poll"), "polls: poll"
        if info.calls_back or info.polls:
            assert _overrides(kind, "parse_callback"), "what is heard must be read: parse_callback"
        if info.relayed:
            assert info.calls_back or info.polls, "the word of a relayed delivery must be able to reach us"

    def test_settings_refuse_what_they_do_not_know(self, stage: Stage) -> None:
        """A mistyped key must fail at start, and nothing of the settings may show."""
        kind = stage.adapter_type.settings_type
        assert issubclass(kind, AdapterSettings)
        sound = kind.model_validate(stage.settings())
        for place, secret in enumerate(stage.secrets()):
            assert secret not in repr(sound), f"repr of the settings shows secret number {place}"
        with pytest.raises(ValidationError) as refusal:
            kind.model_validate({**stage.settings(), "not_a_key_of_this_adapter": "1"})
        assert any("not_a_key_of_this_adapter" in found["loc"] for found in refusal.value.errors())
        with pytest.raises(ValidationError, match="frozen"):
            sound.at_once = 3  # type: ignore[misc]  # frozen: that is what is tried

    def test_making_it_opens_nothing(self, stage: Stage) -> None:
        """An adapter is made at start, before anything runs: no tool is used, no file or connection opened."""
        try:
            stage.make(forbidden_tools())  # tables that are read once are read now
            made, seen = watched(lambda: stage.make(forbidden_tools()))
        except Touched as touched:
            raise AssertionError(f"while the adapter was made, {touched}") from None
        assert isinstance(made, Adapter), f"it cannot be made: {type(made).__name__}"
        assert not seen, f"while the adapter was made, it called {', '.join(sorted(set(seen)))}"
