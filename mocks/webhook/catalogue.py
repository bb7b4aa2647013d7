"""Event types, the data each must bring, and the words they use (webhook page §4), as data."""

from dataclasses import dataclass

WITH_CASE = ("case", "source_case_no", "organization", "links")
"""Required in ``data`` of every event with a case."""

ID_PREFIXES = {
    "case": "case_",
    "agreement": "agr_",
    "confirmation": "cnf_",
    "transfer": "trf_",
    "referral": "ref_",
    "delivery": "dlv_",
    "message": "msg_",
}
"""Key of ``data`` → prefix of the id it holds."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STATUSES: dict[str, frozenset[str]] = {
    "case": _words(
        "received accepted declined correction_required mediating agreed partly_agreed failed withdrawn terminated"
        " transferred closed"
    ),
    "confirmation": _words(
        "requested accepted not_accepted correction_required reviewing confirmed rejected withdrawn deemed_withdrawn"
        " objected"
    ),
    "transfer": _words("requested filed refused correction_required"),
    "referral": _words("offered accepted declined recalled expired returned"),
    "fulfilment": _words("performing performed partly_performed breached"),
    "delivery": _words("pending relayed delivered rejected dead in_doubt cancelled superseded expired"),
}
"""The lifecycle words of each noun; ``unknown`` belongs to ``<noun>.unknown_status`` alone."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One type: its noun, the keys of ``data`` that may hold the ``subject``, the keys required, and about the case."""

    noun: str
    subject: tuple[str, ...]
    required: tuple[str, ...]
    needs_case: bool
    about_webhook: bool = False


def _types() -> dict[str, EventType]:
    found: dict[str, EventType] = {}

    def add(noun: str, words: str, subject: str, required: str, *, case: bool = False, webhook: bool = False) -> None:
        keys = tuple(required.split())
        for word in words.split():
            found[f"{noun}.{word}"] = EventType(noun, tuple(subject.split()), keys, case, webhook)

    statuses = {noun: " ".join(sorted(words)) for noun, words in STATUSES.items()}
    add("case", f"{statuses['case']} revised unknown_status", "case", "status at", case=True)
    add("case", "alerted", "case", "level at", case=True)
    add("case", "followed_up", "case", "at", case=True)
    add("case", "noted", "case", "at endpoint", case=True)
    add("agreement", "concluded effective", "agreement", "agreement settled_claims effect_rule", case=True)
    add(
        "confirmation",
        f"{statuses['confirmation']} supplemented withdrawal_requested unknown_status",
        "confirmation",
        "confirmation agreement route status at",
        case=True,
    )
    add("transfer", f"{statuses['transfer']} unknown_status", "transfer", "transfer to status at", case=True)
    add("referral", f"{statuses['referral']} unknown_status", "referral", "referral kind task_no status at")
    add("fulfilment", statuses["fulfilment"], "agreement", "agreement term_no status at", case=True)
    clocks = "started approaching expired suspended resumed extended"
    add("clock", clocks, "agreement confirmation referral transfer case", "clock")
    add(
        "delivery",
        "delivered rejected dead in_doubt cancelled superseded expired",
        "delivery",
        "delivery message endpoint status at",
    )
    add("endpoint", "paused resumed", "endpoint", "endpoint at")
    add("endpoint", "verification", "webhook_endpoint", "webhook_endpoint challenge", webhook=True)
    add("endpoint", "test", "webhook_endpoint", "webhook_endpoint requested_at", webhook=True)
    about = "unhealthy recovered disabled secret_rotated"
    add("endpoint", about, "webhook_endpoint", "webhook_endpoint at reason", webhook=True)
    add("task", "opened resolved", "task", "task kind at")
    return found


TYPES: dict[str, EventType] = _types()
"""Every type of §4 by name."""

VERIFICATION = "endpoint.verification"
WITHOUT_CURSOR = frozenset({VERIFICATION, "endpoint.test"})
"""The two types that have no ``cursor`` (§3)."""

REASONS = frozenset({"failing", "gone", "operator"})
PERCENTS = frozenset({50, 75, 90})
