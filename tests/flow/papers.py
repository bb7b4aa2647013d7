"""Documents and files of a case for tests: the samples, changed by JSON pointer, and rows put together by hand."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, TypeVar

from contracts.agreement import Agreement
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.transfer import Transfer
from gateway.store.casefile import CaseFile, DeliveryRow, Matter

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
NAMES = {
    "wages": "POST cases - wages",
    "collective": "POST cases - collective, dispatch and using unit",
    "failed": "POST cases {id} progress - failed",
    "alert": "POST cases {id} alerts - collective",
    "agreement": "POST cases {id} agreements - wages",
    "performed": "POST agreements {id} performances - performed",
    "judicial": "POST agreements {id} confirmations - judicial confirmation",
    "arbitration": "POST agreements {id} confirmations - arbitration review",
    "transfer": "POST cases {id} transfers - to arbitration",
}
DROP = object()
CASE = "case_01M7Q5CQG057N683VPG2HEWAGG"
AGREEMENT = "agr_01M7Q5CQG057N683VPG2HEWAGG"
CONFIRMATION = "cnf_01M7Q5CQG057N683VPG2HEWAGG"

D = TypeVar("D", bound=Document)


def raw(name: str) -> bytes:
    """A sample as the contract ships it."""
    return (SAMPLES / f"{NAMES[name]}.json").read_bytes()


def body(name: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """A sample with changes by JSON pointer (``DROP`` takes a member out)."""
    made: dict[str, Any] = json.loads(raw(name))
    for pointer, value in (changes or {}).items():
        put(made, pointer, value)
    return made


def put(document: Any, pointer: str, value: Any) -> None:
    """Put a value at a JSON pointer; ``-`` appends to a list."""
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document[step]
    if value is DROP:
        del document[int(last) if isinstance(document, list) else last]
    elif isinstance(document, list):
        if last == "-":
            document.append(value)
        else:
            document[int(last)] = value
    else:
        document[last] = copy.deepcopy(value)


def document(kind: type[D], name: str, changes: dict[str, Any] | None = None) -> D:
    """A sample as a document, changed."""
    return kind.model_validate_json(json.dumps(body(name, changes)))


def case(changes: dict[str, Any] | None = None, name: str = "wages") -> Case:
    """A case."""
    return document(Case, name, changes)


def agreement(changes: dict[str, Any] | None = None) -> Agreement:
    """The agreement on the wages case."""
    return document(Agreement, "agreement", {"/document": "att_01M7Q5CQG057N683VPG2HEWAGG"} | (changes or {}))


def confirmation(route: str = "arbitration", changes: dict[str, Any] | None = None) -> ConfirmationRequest:
    """A request for confirmation."""
    return document(ConfirmationRequest, route, changes)


def transfer(to: str = "arbitration") -> Transfer:
    """A transfer."""
    return document(Transfer, "transfer", {"/to": to})


def progress(status: str = "mediating") -> CaseProgress:
    """A step of the organisation's own."""
    return document(CaseProgress, "failed", {"/status": status})


def delivery(identifier: str, endpoint: str, kind: str, **more: Any) -> DeliveryRow:
    """A delivery's row."""
    values: dict[str, Any] = {
        "id": identifier,
        "message": f"msg_{identifier}",
        "type": kind,
        "about": CASE,
        "endpoint": endpoint,
        "subject": CASE,
        "sequence": 1,
        "retry_class": "standard",
        "requires": None,
        "state": "delivered",
        "next_at": 0,
        "safe_at": None,
        "attempts": 0,
        "step": 0,
        "doubt_at": None,
        "code": None,
        "reference": None,
        "operation": None,
        "created_at": 0,
        "finished_at": None,
    }
    return DeliveryRow(**values | more)


def matter(identifier: str, kind: str, status: str, **more: Any) -> Matter:
    """A matter as it stands."""
    values: dict[str, Any] = {
        "id": identifier,
        "kind": kind,
        "subject": CASE,
        "parent": None,
        "organization": "SD-JN-LX-001",
        "business_key": identifier,
        "facet": None,
        "status": status,
        "since": None,
        "version": 1,
        "message": "msg_1",
        "active": True,
        "created_at": 0,
        "updated_at": 0,
    }
    return Matter(**values | more)


def file(*deliveries: DeliveryRow, holders: tuple[str, ...] = (), matters: tuple[Matter, ...] = ()) -> CaseFile:
    """A case's file."""
    kept = {one.id: one for one in (matter(CASE, "case", "accepted"), *matters)}
    return CaseFile(CASE, "case", 1, kept, list(deliveries), holders)
