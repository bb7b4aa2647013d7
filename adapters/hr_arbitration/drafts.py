"""ZC5001 委托调解下达: a case that arbitration entrusts to an organisation, as a referral with its draft."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from adapters.hr_arbitration import codes
from adapters.hr_arbitration.reading import Reader
from contracts.adapter import Json
from contracts.causes import exists
from contracts.errors import UnreadableCallback
from contracts.lists import CauseTable, ConsentScope
from contracts.referral import Referral

_ROUNDS = 6
"""Leaving out an unsound value may make what held it unsound, and so on upwards: no draft is deeper."""

Place = tuple[int | str, ...]


def referral(body: Reader, endpoint: str) -> Referral:
    """The referral. What the platform did not send, or sent in a code or form that nobody here knows, is absent from
    the draft and never guessed; the raw callback keeps it.

    Raises:
        UnreadableCallback: without task, organisation, term or facts, or a party without name, role or kind.
    """
    numbers = [("case_no", body.text("BZA001"))]
    numbers += [("file_no", row.text("BZF001")) for row in body.rows("BZF000")]
    values = {
        "schema_version": "1.0",
        "kind": "arbitration_entrusted",
        "endpoint": endpoint,
        "task_no": body.text("BZJ001"),
        "letter_no": body.text("BZJ002"),
        "organization_code": body.text("BZA002"),
        "due_at": _moment(body, "BZJ003"),
        "case": _case(body),
        "external_refs": [{"kind": kind, "value": value} for kind, value in numbers if value],
    }
    for _ in range(_ROUNDS):
        try:
            return Referral.model_validate_json(json.dumps(_present(values)))
        except ValidationError as error:
            # From the end, so that the places before keep their numbers.
            for place in sorted(_unsound(error), key=_order, reverse=True):
                _leave_out(values, place)
    raise UnreadableCallback("referral_incomplete")


def _unsound(error: ValidationError) -> set[Place]:
    """What to leave out: a value that is unsound, or what holds it where it is needed there."""
    places: set[Place] = set()
    for detail in error.errors(include_url=False, include_input=False):
        place: Place = detail["loc"]
        if detail["type"] == "missing":
            place = place[:-1]
        if place in ((), ("case",)) or (len(place) == 3 and place[:2] == ("case", "parties")):
            raise UnreadableCallback("referral_incomplete")
        places.add(place)
    return places


def _case(body: Reader) -> Json:
    return {
        "organization": {
            "code": body.text("BZA002"),
            "name": body.text("BZA003"),
            "region_code": body.text("AAB301"),
            "credit_code": body.text("BZA005"),
        },
        "channel": "referral",
        "received_at": _moment(body, "BZA020"),
        "accepted_at": _moment(body, "BZA021"),
        "cause": _cause(body.text("BZA009"), body.text("BZA008")),
        "facts": body.text("BZA010"),
        "claims": [
            {
                "kind": row.value("BZQ002", codes.CLAIM_KIND),
                "text": row.text("BZQ003"),
                "amount": _money(row, "BZQ004"),
            }
            for row in body.rows("BZQ000")
        ],
        "amount": _money(body, "BZA013"),
        "parties": [_party(row) for row in body.rows("BZP000")],
        "collective": _collective(body),
        "consents": _consents(body),
    }


def _party(row: Reader) -> Json:
    role, kind = row.value("BZP002", codes.ROLE), row.value("BZP003", codes.KIND)
    if role is None or kind is None:
        raise UnreadableCallback("party_of_unknown_role")
    shared = {
        "role": role,
        "kind": kind,
        "address": {"region_code": row.text("AAB301"), "detail": row.text("AAE006")},
    }
    return shared | (_person(row) if kind == "person" else _unit(row))


def _person(row: Reader) -> Json:
    born = row.day("AAC006")
    return {
        "name": row.text("AAC003"),
        "id_type": row.value("AAC058", codes.ID_TYPE),
        "id_number": row.text("AAC147"),
        "sex": row.value("AAC004", codes.SEX),
        "birth_date": born.isoformat() if born else None,
        "ethnic_group": codes.ethnic_group_name(row.text("AAC005")),
        "phone": row.text("AAE005"),
        "occupation": row.text("BZP004"),
        "service_address": {
            "region_code": row.text("BZP005"),
            "detail": row.text("BZP006"),
            "electronic_consent": row.flag("BZP007"),
        },
        "agents": [
            {
                "kind": agent.value("BZP101", codes.AGENT_KIND),
                "name": agent.text("AAC003"),
                "id_type": agent.value("AAC058", codes.ID_TYPE),
                "id_number": agent.text("AAC147"),
                "phone": agent.text("AAE005"),
                "authority": agent.value("BZP102", codes.AGENT_AUTHORITY),
            }
            for agent in row.rows("BZP100")
            if agent.text("AAC003")
        ],
    }


def _unit(row: Reader) -> Json:
    kind = "/".join(part for part in (row.text("AAB019"), row.text("AAB020")) if part)
    head = row.text("AAB013")
    return {
        "name": row.text("AAB004"),
        "credit_code": row.text("AAB003"),
        "unit_type": codes.UNIT_TYPE.value(kind),
        "industry": row.text("AAB022"),
        "size": row.value("BZP008", codes.UNIT_SIZE),
        # A post without its holder's name is nobody's.
        "legal_representative": {"name": head, "position": row.text("BZP009")} if head else None,
        "contact": {"name": row.text("AAE004"), "phone": row.text("AAE005")},
    }


def _collective(body: Reader) -> Json | None:
    if not body.flag("BZA014"):
        return None
    return {
        "worker_count": body.integer("BZA015"),
        "representatives": body.texts("BZA016"),
        "major": body.flag("BZA017"),
    }


def _consents(body: Reader) -> list[Json]:
    """Consents (同意记录) that are whole: a half one proves nothing."""
    rows = [(row.integer("BZN001"), row.text("BZN002"), _moment(row, "BZN003")) for row in body.rows("BZN000")]
    return [
        {"party": party, "scope": scope, "at": at}
        for party, scope, at in rows
        if party is not None and scope in set(ConsentScope) and at is not None
    ]


def _cause(text: str, code: str) -> Json | None:
    """``BZA009``: table, colon, names joined by slashes. A path that the table does not have gives way to the node of
    ``BZA008``: a draft with it could not be posted as a case."""
    table, _, names = text.partition(":")
    path = [name for name in names.split("/") if name]
    if table in set(CauseTable) and exists(CauseTable(table), path):
        return {"table": table, "path": path}
    node = codes.cause_node(code)
    return None if node is None else {"table": CauseTable.ARBITRATION.value, "path": list(node)}


def _moment(body: Reader, code: str) -> str | None:
    found = body.moment(code)
    return found.isoformat() if found else None


def _money(body: Reader, code: str) -> str | None:
    found = body.money(code)
    return None if found is None else f"{found:.2f}"


def _present(value: Any) -> Any:
    """The tree without ``None``, ``""``, and objects in which nothing is left."""
    if isinstance(value, dict):
        kept = {key: _present(below) for key, below in value.items()}
        return {key: below for key, below in kept.items() if below not in (None, "", {})}
    if isinstance(value, list):
        return [_present(below) for below in value]
    return value


def _order(place: Place) -> list[tuple[int, int | str]]:
    return [(0, step) if isinstance(step, int) else (1, step) for step in place]


def _leave_out(tree: Any, place: Place) -> None:
    """Remove the value at a place, if it is still there."""
    *way, last = place
    for step in way:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(tree, dict):
        tree.pop(last, None)
    elif isinstance(tree, list) and isinstance(last, int) and last < len(tree):
        del tree[last]
