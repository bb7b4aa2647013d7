"""What a reply means: success, duplicate, or whose turn it is to heal the failure (page §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.http import judge_status, seconds
from adapters.one_stop.layout import WRITING
from adapters.one_stop.wire import NAMESPACE, SOAP, Node, Unreadable, read_body
from contracts.adapter import Receipt, Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError
from contracts.update import Reference

_WAITS = {"S004": timedelta(seconds=10), "S003": timedelta(0)}
"""Waits where the Fault names none: the rate's, and none at all for a nonce, since the next attempt has a new one."""

_OPERATOR = {
    "S001": "authentication: paasid, service id or token",
    "S002": "clock: ours and the platform's differ by more than 300 s",
    "S006": "XML or schema",
    "S007": "SOAPAction or unknown operation",
    "E403": "organisation not of this paasid",
}
_TIME = {
    "S003": "nonce already seen",
    "S004": "rate",
    "S005": "maintenance",
    "S009": "internal error",
    "E900": "busy",
}
_MAYBE_ACCEPTED = frozenset({"S009"})

_LONGEST_TEXT = 500
"""The platform's own words are kept for the sender, but not without end."""


class CursorExpired(Exception):
    """E410: the cursor is older than 30 days; pulling starts again from ``0`` (page §5)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful reply: its platform number, and the response element for what the operation adds."""

    reference: str | None
    duplicate: bool
    response: Node

    def receipt(self, operation: str) -> Receipt:
        """The answer to a filing, for the engine.

        平台编号 names an entry of the platform, and only ``reportCase`` makes one that is ours to find again: the page
        does not say whether the other services answer with a number of their own or with the case's.
        """
        numbers = (Reference("platform_no", self.reference),) if self.reference and operation == "reportCase" else ()
        return Receipt(reference=self.reference, references=numbers, duplicate=self.duplicate)


def judge(operation: str, external_id: str, reply: Reply, now: datetime, *, filing: bool) -> Answer:
    """Read one reply. ``external_id`` is the 外部编号 that we sent, ``filing`` says that the call has the effect.

    Raises:
        RetryableError: rate, nonce, maintenance, internal, busy; HTTP 502, 503, 504; bytes that are no reply, or a
            reply to somebody else (then, for a filing, ``maybe_accepted``).
        EndpointError: authentication, clock, schema, SOAPAction; HTTP 401, 403, 404, 413; another's organisation.
        PermanentError: every other E code, with the item that it names.
        CursorExpired: E410 of ``pullChanges``.
    """
    # Faults come with 500, sometimes with 200: both bodies are read before the status says anything.
    judge_status(reply, now, ok=(200, 500), maybe_accepted=filing)
    try:
        element = read_body(reply.body)
        if (element.namespace, element.name) == (SOAP, "Fault"):
            raise _fault(element, filing)
        if reply.status != 200:
            raise Unreadable("status_without_fault")
        if (element.namespace, element.name) != (NAMESPACE, f"{operation}Response"):
            raise Unreadable("foreign_response")
        if element.value("外部编号") != external_id:
            raise Unreadable("foreign_external_id")
        return _answer(operation, element, filing)
    except Unreadable as problem:
        raise RetryableError(problem.code, "no readable answer to our call", maybe_accepted=filing) from None


def _answer(operation: str, element: Node, filing: bool) -> Answer:
    outcome = element.value("retCode")
    if outcome == "0":
        raise _failure(operation, element, filing)
    if outcome != "1":
        raise Unreadable("no_outcome")
    reference = element.value("平台编号")
    if operation in WRITING and reference is None:
        raise Unreadable("no_reference")
    return Answer(reference, element.value("重复标志") == "1", element)


def _failure(operation: str, element: Node, filing: bool) -> AdapterError | CursorExpired:
    code = _code(element.value("errCode"))
    if code is None:
        raise Unreadable("no_error_code")
    if operation == "pullChanges" and code == "E410":
        return CursorExpired()
    known = _known(code, filing, None)
    if known is not None:
        return known
    reason = Reason(
        code=code,
        text=(element.value("retMessage") or "")[:_LONGEST_TEXT],
        place=(element.value("项名") or "")[:_LONGEST_TEXT],
    )
    return PermanentError(code, "the platform refused the document", reasons=(reason,))


def _fault(fault: Node, filing: bool) -> AdapterError:
    # Local names count here: a Fault's own children stand in no namespace, but a default one may slip in.
    inner = _child(_child(fault, "detail"), "fault")
    code = _code(_text(inner, "errCode"))
    known = _known(code, filing, seconds(_text(inner, "retryAfter"))) if code is not None else None
    if known is not None:
        return known
    side = _text(fault, "faultcode").rpartition(":")[2]
    if side == "Client":
        return EndpointError(code or "fault_client", "the platform blames our request, without a code that we know")
    # Whoever does not say whose fault it is may have filed all the same.
    return RetryableError(code or "fault_server", "the platform failed", maybe_accepted=filing)


def _child(node: Node | None, name: str) -> Node | None:
    found = [child for child in node.children if child.name == name] if node is not None else []
    return found[0] if len(found) == 1 else None


def _text(node: Node | None, name: str) -> str:
    child = _child(node, name)
    return child.text if child is not None else ""


def _known(code: str, filing: bool, wait: timedelta | None) -> AdapterError | None:
    if code in _OPERATOR:
        return EndpointError(code, _OPERATOR[code])
    if code in _TIME:
        if wait is None:
            wait = _WAITS.get(code)
        return RetryableError(code, _TIME[code], retry_after=wait, maybe_accepted=filing and code in _MAYBE_ACCEPTED)
    return None


def _code(text: str | None) -> str | None:
    """A code of this platform, a letter and three digits. Anything else is none: no foreign text reaches a log."""
    if text is not None and len(text) == 4 and text[0] in "ES" and text[1:].isascii() and text[1:].isdigit():
        return text
    return None
