"""What a person asks for and is not given: one exception, and one table of why, what is answered and which text tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from contracts.findings import Code, Finding
from gateway.flow.moving.order import Refused


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row. ``status``: of HTTP. ``text``: the key of its sentence in the console's catalogue. ``problem``: its code in an
    answer of the API; empty: no call does such an act. ``extra`` goes into that answer. ``field``: what of a form must be put
    right."""

    status: int
    text: str
    problem: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    field: str = "reason"


def _account(reason: str, field: str = "name") -> Refusal:
    return Refusal(422, f"account.{reason}", field=field)


def _client(reason: str, status: int = 422) -> Refusal:
    return Refusal(status, f"client.{reason}", field="organizations")


def _correction(reason: str, status: int = 409) -> Refusal:
    return Refusal(status, f"error.correct_{reason}", field="code")


def _job(reason: str, status: int, problem: str = "", place: str = "") -> Refusal:
    return Refusal(status, f"job_problem.{reason}", problem or reason, {"field": place} if place else {})


_NOT_FOUND: Final = Refusal(404, "error.not_found", "not_found")

REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        "account.code": _account("code"),
        "account.code_wrong": _account("code_wrong"),
        "account.locked": _account("locked"),
        "account.name_form": _account("name_form"),
        "account.not_found": _account("not_found"),
        "account.password_differs": _account("password_differs"),
        "account.password_like_name": _account("password_like_name"),
        "account.password_long": _account("password_long"),
        "account.password_plain": _account("password_plain"),
        "account.password_short": _account("password_short"),
        "account.role_unknown": _account("role_unknown", "role"),
        "account.same": _account("same"),
        "account.scope_form": _account("scope_form", "scope"),
        "account.self": _account("self"),
        "account.taken": _account("taken"),
        "account.title_form": _account("title_form", "title"),
        "account.wrong": _account("wrong"),
        "client.client_form": _client("client_form"),
        "client.not_found": _client("not_found", 404),
        "client.operator_scope": _client("operator_scope"),
        "client.organization_code": _client("organization_code"),
        "client.taken": _client("taken"),
        "correction.asked": _correction("asked"),
        "correction.code": _correction("code", 422),
        "correction.kind": _correction("kind"),
        "correction.newer_version": _correction("newer_version"),
        "correction.not_found": _NOT_FOUND,
        "correction.nothing": _correction("nothing", 422),
        "correction.over": _correction("over"),
        "correction.place": _correction("place", 422),
        "correction.second": _correction("second"),
        "correction.state": _correction("state"),
        "correction.translation": _correction("translation"),
        "correction.words_unread": _correction("words_unread"),
        "job.empty_filter": _job("empty_filter", 422, place="/filter"),
        "job.not_found": _NOT_FOUND,
        "job.not_redrivable": _job("not_redrivable", 422, place="/filter/state"),
        "job.not_understood": _job("not_understood", 422),
        "job.nothing": _job("nothing", 422, "nothing_to_redrive", "/filter"),
        "job.reason_missing": _job("reason_missing", 422),
        "job.second_person": _job("second_person", 409),
        "job.state": _job("state", 409, "redrive_state"),
        "reconciliation.kinds": Refusal(422, "error.form", "body_field", {"field": "/kinds"}),
        "reconciliation.not_found": _NOT_FOUND,
        "reconciliation.period": Refusal(422, "error.reconcile_period", "body_field", {"field": "/from"}),
        "reconciliation.state": Refusal(409, "problem.reconcile_state", "state"),
    }
)
"""Why an act is not done: its noun and the reason."""

_EMPTY: Final = "job.empty_filter"


class ActRefused(Refused):
    """An act that is not done. ``why``: a row of ``REFUSALS``; ``wait_s``: it may be tried again after so long."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        row = REFUSALS[why]
        findings = (Finding.of(row.extra["field"], Code.EMPTY),) if why == _EMPTY else ()
        super().__init__(row.status, row.problem or why, findings, extra=row.extra)
        self.args = (why,)
        self.why = why
        self.wait_s = wait_s
        self.text = row.text
        self.field = row.field
