"""A dry run: what would be sent where, with its loss report, and nothing stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from contracts.case import Case
from contracts.errors import PermanentError
from contracts.message import Message
from contracts.messages import MessageType
from gateway.flow.context import Contexts
from gateway.flow.examination import Examination
from gateway.flow.judgement import Judgement
from gateway.flow.order import Order
from gateway.flow.route import Question, Router
from gateway.registry import Endpoint
from gateway.security.masking import Mask
from gateway.store.casefile import CaseFile
from gateway.store.store import Store


class Rehearsal:
    """Rehearses the intake of a case."""

    def __init__(
        self,
        store: Store,
        examination: Examination,
        judgement: Judgement,
        contexts: Contexts,
        router: Router,
        endpoints: dict[str, Endpoint],
    ) -> None:
        self._store = store
        self._examination = examination
        self._judgement = judgement
        self._contexts = contexts
        self._router = router
        self._endpoints = endpoints

    async def case(self, order: Order) -> dict[str, Any]:
        """Per endpoint the wire payload (masked) and the loss report, or why it would be refused there.

        Raises:
            Refused: as the real intake would.
        """
        examined = await self._examination.of(order)
        document, known = examined.unopposed, examined.known
        case_id, message_id = self._store.ids.new("case"), self._store.ids.new("message")
        decision = await self._judgement.decide(order, document, known, case_id, message_id)
        if not isinstance(document, Case):
            raise TypeError("only cases are rehearsed")
        sender = known.referral.endpoint if known.referral is not None else None
        question = Question(
            order.type,
            case_id,
            document,
            document,
            None,
            order.principal.client,
            sender,
            known.referral_file,
        )
        message = Message(
            message_id,
            MessageType.CASE_SUBMITTED,
            case_id,
            case_id,
            1,
            order.principal.client,
            self._store.ids.new("correlation"),
            datetime.fromtimestamp(self._store.now_ms() / 1000, UTC),
            document,
        )
        masked = Mask(orjson.loads(order.raw))
        endpoints = [
            {"endpoint": hop.endpoint, **await self._translated(message, hop.endpoint, masked)}
            for hop in self._router.hops(question)
        ]
        return {
            "dry_run": True,
            "status": decision.status,
            "warnings": [finding.as_error() for finding in [*examined.warnings, *decision.warnings]],
            "endpoints": endpoints,
        }

    async def _translated(self, message: Message, endpoint: str, masked: Mask) -> dict[str, Any]:
        context = await self._contexts.compose(
            message, CaseFile(message.subject, "case", 0), [], self._store.ids.new("delivery"), endpoint
        )
        try:
            wire = self._endpoints[endpoint].adapter.translate(message, context)
        except PermanentError as error:
            return {"refused": {"code": error.code, "places": [reason.place for reason in error.reasons]}}
        return {
            "operation": wire.operation,
            "payload": masked.json(wire.payload),
            "losses": [
                {"kind": loss.kind.value, "pointer": loss.pointer, "place": loss.place, "note": loss.note}
                for loss in wire.losses
            ],
        }
