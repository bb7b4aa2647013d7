"""Page §4 once more, as data: for each canonical pointer its place on the wire and its type. ``#`` stands for any index."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.hr_arbitration import codes
from adapters.tables import Table

Rule = tuple[str, str | Table]
"""Place and type: S text, X text without continuation, N money, I integer, F flag, T D14, D D8, L item of a list, A file,
or the table of a code."""

_CLAIMS: dict[str, Rule] = {
    "/claims/#/kind": ("BZQ000/#/BZQ002", codes.CLAIM_KIND),
    "/claims/#/text": ("BZQ000/#/BZQ003", "S"),
    "/claims/#/amount": ("BZQ000/#/BZQ004", "N"),
}
_MEDIATORS: dict[str, Rule] = {
    "/mediators/#/certificate_no": ("BZM000/#/BZM001", "X"),
    "/mediators/#/name": ("BZM000/#/BZM002", "S"),
}


def _files(name: str) -> dict[str, Rule]:
    return {f"/{name}/#/id": ("BZF000/#/BZF001", "A"), f"/{name}/#/kind": ("BZF000/#/BZF005", codes.FILE_CLASS)}


_AUTHORITY: dict[str, Rule] = {"/authority/code": ("BZC003", "X"), "/authority/name": ("BZC004", "S")}

CASE: dict[str, Rule] = {
    "/source_case_no": ("BZA001", "X"),
    "/organization/code": ("BZA002", "X"),
    "/organization/name": ("BZA003", "S"),
    "/organization/type": ("BZA004", codes.ORGANIZATION_TYPE),
    "/organization/region_code": ("AAB301", "X"),
    "/organization/credit_code": ("BZA005", "X"),
    "/channel": ("BZA006", codes.CHANNEL),
    "/application_form": ("BZA007", codes.APPLICATION_FORM),
    "/facts": ("BZA010", "S"),
    "/amount": ("BZA013", "N"),
    "/received_at": ("BZA020", "T"),
    "/accepted_at": ("BZA021", "T"),
    "/collective/worker_count": ("BZA015", "I"),
    "/collective/representatives/#": ("BZA016/#", "L"),
    "/collective/major": ("BZA017", "F"),
    **_CLAIMS,
    **_MEDIATORS,
    **_files("attachments"),
    "/consents/#/party": ("BZN000/#/BZN001", "I"),
    "/consents/#/scope": ("BZN000/#/BZN002", "S"),
    "/consents/#/at": ("BZN000/#/BZN003", "T"),
    "/parties/#/role": ("BZP000/#/BZP002", codes.ROLE),
    "/parties/#/kind": ("BZP000/#/BZP003", codes.KIND),
    "/parties/#/address/region_code": ("BZP000/#/AAB301", "X"),
    "/parties/#/address/detail": ("BZP000/#/AAE006", "S"),
}
PERSON: dict[str, Rule] = {
    "/parties/#/name": ("BZP000/#/AAC003", "S"),
    "/parties/#/id_type": ("BZP000/#/AAC058", codes.ID_TYPE),
    "/parties/#/id_number": ("BZP000/#/AAC147", "X"),
    "/parties/#/sex": ("BZP000/#/AAC004", codes.SEX),
    "/parties/#/birth_date": ("BZP000/#/AAC006", "D"),
    "/parties/#/ethnic_group": ("BZP000/#/AAC005", codes.ETHNIC_GROUP),
    "/parties/#/phone": ("BZP000/#/AAE005", "X"),
    "/parties/#/occupation": ("BZP000/#/BZP004", "S"),
    "/parties/#/service_address/region_code": ("BZP000/#/BZP005", "X"),
    "/parties/#/service_address/detail": ("BZP000/#/BZP006", "S"),
    "/parties/#/service_address/electronic_consent": ("BZP000/#/BZP007", "F"),
    "/parties/#/agents/#/kind": ("BZP000/#/BZP100/#/BZP101", codes.AGENT_KIND),
    "/parties/#/agents/#/name": ("BZP000/#/BZP100/#/AAC003", "S"),
    "/parties/#/agents/#/id_type": ("BZP000/#/BZP100/#/AAC058", codes.ID_TYPE),
    "/parties/#/agents/#/id_number": ("BZP000/#/BZP100/#/AAC147", "X"),
    "/parties/#/agents/#/phone": ("BZP000/#/BZP100/#/AAE005", "X"),
    "/parties/#/agents/#/authority": ("BZP000/#/BZP100/#/BZP102", codes.AGENT_AUTHORITY),
}
UNIT: dict[str, Rule] = {
    "/parties/#/name": ("BZP000/#/AAB004", "S"),
    "/parties/#/credit_code": ("BZP000/#/AAB003", "X"),
    "/parties/#/unit_type": ("BZP000/#/AAB019+AAB020", codes.UNIT_TYPE),
    "/parties/#/industry": ("BZP000/#/AAB022", "S"),
    "/parties/#/size": ("BZP000/#/BZP008", codes.UNIT_SIZE),
    "/parties/#/legal_representative/name": ("BZP000/#/AAB013", "S"),
    "/parties/#/legal_representative/position": ("BZP000/#/BZP009", "S"),
    "/parties/#/contact/name": ("BZP000/#/AAE004", "S"),
    "/parties/#/contact/phone": ("BZP000/#/AAE005", "X"),
}
PROGRESS: dict[str, Rule] = {
    "/status": ("BZS001", codes.CASE_STATUS),
    "/at": ("AAE036", "T"),
    "/reason_code": ("BZS005", codes.END_REASON),
    "/note": ("AAE013", "S"),
    **_MEDIATORS,
    "/session/from": ("BZS010", "T"),
    "/session/to": ("BZS011", "T"),
    "/session/place": ("BZS012", "S"),
    "/session/method": ("BZS013", codes.SESSION_METHOD),
}
AGREEMENT: dict[str, Rule] = {
    "/agreement_no": ("BZD001", "X"),
    "/facts": ("BZD002", "S"),
    "/effect_rule": ("BZD003", codes.EFFECT_RULE),
    "/settled_claims": ("BZD005", codes.SETTLED_CLAIMS),
    "/copies": ("BZD006", "I"),
    "/document": ("BZD007", "A"),
    "/performance_notice_sent_at": ("BZD008", "T"),
    "/terms/#/no": ("BZD100/#/BZD101", "I"),
    "/terms/#/kind": ("BZD100/#/BZD102", codes.TERM_KIND),
    "/terms/#/text": ("BZD100/#/BZD103", "S"),
    "/terms/#/amount": ("BZD100/#/BZD104", "N"),
    "/terms/#/due_date": ("BZD100/#/BZD105", "D"),
    "/terms/#/payee/party": ("BZD100/#/BZD106", "I"),
    "/terms/#/payee/account_name": ("BZD100/#/BZD107", "S"),
    "/terms/#/payee/bank": ("BZD100/#/AAE008", "S"),
    "/terms/#/payee/account_no": ("BZD100/#/BZD108", "X"),
    "/terms/#/installments/#/amount": ("BZD100/#/BZD110/#/BZD111", "N"),
    "/terms/#/installments/#/due_date": ("BZD100/#/BZD110/#/BZD112", "D"),
    "/signatures/#/signer": ("BZD200/#/BZD201", codes.SIGNER),
    "/signatures/#/party": ("BZD200/#/BZD202", "I"),
    "/signatures/#/name": ("BZD200/#/BZD203", "X"),
    "/signatures/#/method": ("BZD200/#/BZD204", codes.SIGNATURE_METHOD),
    "/signatures/#/signed_at": ("BZD200/#/BZD205", "T"),
    "/organization_seal/seal_id": ("BZD210", "X"),
    "/organization_seal/sealed_at": ("BZD211", "T"),
}
PERFORMANCE: dict[str, Rule] = {
    "/term_no": ("BZD101", "I"),
    "/status": ("BZD301", codes.PERFORMANCE_STATUS),
    "/at": ("AAE036", "T"),
    "/amount": ("BZD302", "N"),
    **_files("evidence"),
}
REPORT: dict[str, Rule] = {
    "/about": ("BZS002", codes.ABOUT),
    "/source_platform": ("BZS003", codes.SOURCE),
    "/event_id": ("BZS004", "X"),
    "/raw_status": ("BZS006", "S"),
    "/at": ("AAE036", "T"),
    "/document_no": ("BZC009", "X"),
    "/note": ("AAE013", "S"),
}
REQUEST: dict[str, Rule] = {
    **_AUTHORITY,
    "/applicants/#": ("BZC011/#", "L"),
    "/applied_at": ("BZC012", "T"),
    "/service_addresses/#/party": ("BZC100/#/BZP001", "I"),
    "/service_addresses/#/region_code": ("BZC100/#/BZP005", "X"),
    "/service_addresses/#/detail": ("BZC100/#/BZP006", "S"),
    "/service_addresses/#/phone": ("BZC100/#/AAE005", "X"),
    "/service_addresses/#/electronic_consent": ("BZC100/#/BZP007", "F"),
    "/late_reason": ("BZC013", "S"),
    **_files("attachments"),
}
SUPPLEMENT: dict[str, Rule] = {"/note": ("AAE013", "S"), **_files("attachments")}
WITHDRAWAL: dict[str, Rule] = {"/reason": ("AAE013", "S"), "/at": ("AAE036", "T")}
TRANSFER: dict[str, Rule] = {
    **_AUTHORITY,
    "/reason_code": ("BZG002", codes.TRANSFER_REASON),
    **_CLAIMS,
    **_files("attachments"),
}
ALERT: dict[str, Rule] = {
    "/level": ("BZH001", codes.ALERT_LEVEL),
    "/worker_count": ("BZA015", "I"),
    "/amount": ("BZA013", "N"),
    "/situation": ("BZH002", "S"),
    "/measures": ("BZH003", "S"),
    "/contact/name": ("AAE004", "S"),
    "/contact/phone": ("AAE005", "X"),
    "/at": ("AAE036", "T"),
}
MEDIATOR: dict[str, Rule] = {
    "/certificate_no": ("BZM001", "X"),
    "/name": ("BZM002", "S"),
    "/organization_code": ("BZA002", "X"),
    "/sex": ("AAC004", codes.SEX),
    "/phone": ("AAE005", "X"),
    "/id_type": ("AAC058", codes.ID_TYPE),
    "/id_number": ("AAC147", "X"),
    "/active": ("BZM003", "F"),
}
ANSWER: dict[str, Rule] = {
    "/answer": ("BZJ004", codes.REFERRAL_ANSWER),
    "/reason": ("AAE013", "S"),
    "/at": ("AAE036", "T"),
}
RESULT: dict[str, Rule] = {
    "/outcome": ("BZJ005", codes.REFERRAL_OUTCOME),
    "/reason_code": ("BZS005", codes.END_REASON),
    "/report": ("BZJ006", "S"),
    "/at": ("AAE036", "T"),
}

LIMITS: Mapping[str, int] = {
    "BZA003": 100,
    "BZA009": 200,
    "BZA010": 2000,
    "BZQ003": 500,
    "BZM002": 50,
    "BZN002": 50,
    "AAC003": 50,
    "BZP004": 50,
    "AAE006": 200,
    "BZP006": 200,
    "AAB004": 100,
    "AAB022": 5,
    "AAB013": 50,
    "BZP009": 50,
    "AAE004": 50,
    "BZS006": 50,
    "BZS012": 100,
    "BZD002": 2000,
    "BZD103": 1000,
    "BZD107": 100,
    "AAE008": 100,
    "BZC004": 100,
    "BZC013": 500,
    "BZH002": 2000,
    "BZH003": 2000,
    "BZJ006": 2000,
}
"""S(n) of the page. ``AAE013`` has another limit in each service and is looked up there."""
NOTE_LIMITS: Mapping[str, int] = {"TJ1003": 1000, "TJ1006": 500, "TJ2002": 1000, "TJ2003": 500, "TJ5001": 500}


def rule_of(rules: Mapping[str, Rule], pointer: str) -> tuple[str, str | Table] | None:
    """The place and type of a concrete pointer, ``None`` where the page has no place for it."""
    numbers = re.findall(r"(?<=/)\d+(?=/|$)", pointer)
    found = rules.get(re.sub(r"(?<=/)\d+(?=/|$)", "#", pointer))
    if found is None:
        return None
    place = found[0]
    for number in numbers:
        place = place.replace("#", number, 1)
    return place, found[1]


def value_at(payload: Any, place: str) -> Any:
    """What stands at a place of the payload; ``None`` where nothing does."""
    *way, last = place.split("/")
    for step in way:
        if payload is None:
            return None
        payload = payload[int(step)] if step.isdigit() and isinstance(payload, list) else payload.get(step)
    if payload is None:
        return None
    if last.isdigit() and isinstance(payload, list):
        return payload[int(last)]
    if "+" in last:
        return "/".join(payload[part] for part in last.split("+") if part in payload)
    return payload.get(last)


def joined(payload: Any, place: str, limit: int) -> str:
    """A long text put together as the platform does it, after its checks: chunks full, numbered from 2, none in vain."""
    *way, code = place.split("/")
    holder = payload
    for step in way:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    first: str = holder[code]
    rest = [row for row in holder.get("BZX000", []) if row["BZX001"] == code]
    assert [row["BZX002"] for row in rest] == [str(number) for number in range(2, len(rest) + 2)]
    assert len(rest) <= 20
    assert len(first) <= limit
    assert not rest or len(first) == limit
    assert all(0 < len(row["BZX003"]) <= 2000 for row in rest)
    return first + "".join(row["BZX003"] for row in rest)


def d14(text: str) -> datetime:
    """D14 as the platform reads it."""
    return datetime.strptime(text + "+0800", "%Y%m%d%H%M%S%z")
