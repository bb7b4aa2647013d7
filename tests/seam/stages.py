"""The toys on the kit's stage: real servers, the engine's own way out, faults that the servers make themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar

from contracts.adapter import Adapter, AttachmentInfo, Exchange, InboundCall, Json
from contracts.conformance import BUSY_FOR, Fault, Sample, Script, Stage
from gateway.flow.delivering.exchange import HttpExchange, Limits, Pace
from gateway.flow.delivering.transport import Transport
from gateway.store.opening import machine_ms
from tests.seam.adapters import ToyIdempotent, ToyNeither, ToyQueryable
from tests.seam.documents import ATTACHMENTS, IMPOSSIBLE, PDF, SAMPLES
from tests.seam.platform import CALL_KEY, KEY, ToyPlatform
from tests.seam.toys import IdempotentPlatform, NeitherPlatform, QueryablePlatform

_ATTEMPT_S = 3.0
_SILENCE_S = 0.1
"""An attempt that meets silence has no longer."""
_DLV = "dlv_0001AAAAAAAAAAAAAAAAAAAAAA"


class ToyStage(Stage):
    """A toy platform that is up, and its adapter."""

    plays: ClassVar[frozenset[Fault]] = frozenset(Fault) - {Fault.GARBAGE}
    platform_type: ClassVar[type[ToyPlatform]]

    def __init__(self, adapter_type: type[Adapter[Any]] | None = None) -> None:
        self.platform = self.platform_type()
        self.transport = Transport()
        self.attempt_s = _ATTEMPT_S
        if adapter_type is not None:
            self.adapter_type = adapter_type  # type: ignore[misc]  # a broken one stands in for this stage's own

    async def __aenter__(self) -> ToyStage:
        await self.platform.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.transport.aclose()
        await self.platform.stop()

    def settings(self) -> Json:
        return {"base_url": self.platform.url, "key": KEY, "call_key": CALL_KEY}

    def secrets(self) -> tuple[str, ...]:
        return KEY, CALL_KEY

    def samples(self) -> Sequence[Sample]:
        return SAMPLES

    def impossible(self) -> Sequence[Sample]:
        return IMPOSSIBLE

    def attachments(self) -> Mapping[str, tuple[AttachmentInfo, bytes]]:
        return {name: (info, PDF) for name, info in ATTACHMENTS.items()}

    def exchange(self) -> Exchange:
        kind = self.adapter_type
        settings = kind.settings_type.model_validate({**self.settings(), "connect_s": 1.0, "deadline_s": _ATTEMPT_S})
        limits = Limits.of(kind.info, settings)
        deadline = time.monotonic() + self.attempt_s
        return HttpExchange(self.transport, limits, Pace(2000, 8), machine_ms, deadline, keep_alive=True)

    async def arm(self, fault: Fault) -> None:
        platform = self.platform
        self.attempt_s = _SILENCE_S if fault in (Fault.STALL, Fault.SILENT_AFTER) else _ATTEMPT_S
        match fault:
            case Fault.REFUSED_CONNECTION:
                await platform.stop()
            case Fault.SERVER_ERROR:
                platform.fail("http", status=500)
            case Fault.BUSY:
                platform.fail("http", status=503, retry_after=str(round(BUSY_FOR.total_seconds())))
            case Fault.BUSINESS_REFUSAL:
                platform.fail("refuse", text="申请人身份证号码有误")
            case Fault.OPERATOR_PROBLEM:
                platform.fail("deny")
            case _:
                platform.fail(fault.value)

    async def effects(self) -> Sequence[str]:
        return self.platform.ids()

    # ---- the callbacks of those that call back
    def _script(self, name: str, word: str, unknown: str | None = None, **more: Any) -> Script:
        plain = self.platform.word(word, **more)
        other = json.dumps(json.loads(plain) | {"reason": "ANOTHER"}).encode()
        return Script(name, plain, self._around, other, unknown)

    def _around(self, plain: bytes, **changes: str) -> InboundCall:
        method, path, headers, body = self.platform.call(plain, **changes)
        return InboundCall(method, path, headers, body, self.now())

    def scripts(self) -> Sequence[Script]:
        if not self.adapter_type.info.calls_back:
            return ()
        return (
            self._script("accepted", "OK", id=_DLV),
            self._script("refused", "NO", id=_DLV, reason="E17"),
            self._script("postponed", "WAIT", id=_DLV, wait=5000),
            self._script("case by its number", "TALKS", about="case", number="N00001"),
            self._script("confirmation", "BOUND", about="confirmation", id=_DLV, number="N00007"),
            self._script("unknown", "HALF_BOUND", about="confirmation", id=_DLV, unknown="HALF_BOUND"),
        )

    def forgeries(self, script: Script) -> Sequence[tuple[str, InboundCall]]:
        true = script.call()
        stale = (self.now() - timedelta(hours=1)).isoformat()
        return (
            ("unsigned", replace(true, headers=tuple(pair for pair in true.headers if pair[0] != "X-Sign"))),
            ("signed by another", self._around(script.plain, key="another key")),
            ("other content", replace(true, body=script.plain.replace(b"E0", b"E1"))),
            ("stale", self._around(script.plain, at=stale)),
            ("without nonce", replace(true, headers=tuple(pair for pair in true.headers if pair[0] != "X-Nonce"))),
            ("two signatures", replace(true, headers=(*true.headers, ("x-sign", "0" * 64)))),
            ("a signature that is no hex", self._around(script.plain, sign="签名")),
            ("another place", replace(true, path="/other")),
            ("another method", replace(true, method="GET")),
        )


class IdempotentStage(ToyStage):
    """The first toy."""

    adapter_type = ToyIdempotent
    platform_type = IdempotentPlatform
    platform: IdempotentPlatform


class QueryableStage(ToyStage):
    """The second toy."""

    adapter_type = ToyQueryable
    platform_type = QueryablePlatform
    platform: QueryablePlatform
    lookup_lag_s = 0.05

    def __init__(self, adapter_type: type[Adapter[Any]] | None = None) -> None:
        super().__init__(adapter_type)
        self.platform.lag_s = self.lookup_lag_s

    async def news(self) -> int:
        for word in ("HEARD", "TALKS", "SOMETHING_NEW"):
            self.platform.happen(word, about="case", number="N00001")
        return 3


class NeitherStage(ToyStage):
    """The third toy."""

    adapter_type = ToyNeither
    platform_type = NeitherPlatform
    platform: NeitherPlatform
