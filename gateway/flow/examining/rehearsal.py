"""A dry run: what would be sent where, with its loss report, and nothing stored."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.adapter import Wire
from contracts.case import Case
from contracts.errors import PermanentError
from contracts.findings import Finding
from contracts.message import Message
from contracts.messages import MessageType
from contracts.moments import from_ms
from gateway.flow.examining.examination import Examination
from gateway.flow.examining.judgement import Judgement
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.order import Order
from gateway.flow.operating.disclosing import Disclosure, document_leaves
from gateway.flow.route import Question, Router
from gateway.registry import Endpoint
from gateway.security.disclosure import Redactor
from gateway.store.casefile import CaseFile
from gateway.store.store import Store


@dataclass(frozen=True, slots=True)
class Translated:
    """What one endpoint would be sent, or why its platform could not take it."""

    endpoint: str
    made: Wire | PermanentError

    @property
    def refused(self) -> bool:
        """Whether the platform could not take it."""
        return isinstance(self.made, PermanentError)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the real intake would come to: the case's status, warnings, and what each endpoint would be sent. Whoever shows a
    wire shows it through the redactor."""

    status: str
    warnings: tuple[Finding, ...]
    endpoints: tuple[Translated, ...]
    redactor: Redactor


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
        disclosure: Disclosure,
    ) -> None:
        self._store = store
        self._examination = examination
        self._judgement = judgement
        self._contexts = contexts
        self._router = router
        self._endpoints = endpoints
        self._disclosure = disclosure

    async def case(self, order: Order) -> Rehearsed:
        """The wires of a case, or why they would be refused.

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
            from_ms(self._store.now_ms()),
            document,
        )
        return Rehearsed(
            decision.status,
            (*examined.warnings, *decision.warnings),
            tuple([await self._translated(message, hop.endpoint) for hop in self._router.hops(question)]),
            self._disclosure.by(document_leaves(Case, order.raw)),
        )

    async def _translated(self, message: Message, endpoint: str) -> Translated:
        context = await self._contexts.compose(
            message, CaseFile(message.subject, "case", 0), [], self._store.ids.new("delivery"), endpoint
        )
        try:
            return Translated(endpoint, self._endpoints[endpoint].adapter.translate(message, context))
        except PermanentError as error:
            return Translated(endpoint, error)
