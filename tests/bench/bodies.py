"""The documents that are posted: the contract's wages sample, each with a number, a worker and an employer of its own."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from zlib import crc32

from contracts.identifiers import credit_code_check_character, resident_id_check_character
from tests.flow import papers

NUMBER = "BENCH-"
"""How the number of every measured case begins; a receiver counts arrivals by it."""

_NOW = datetime.now(timezone(timedelta(hours=8))).replace(microsecond=0)
_RECEIVED, _ACCEPTED = ((_NOW - timedelta(days=days)).isoformat() for days in (2, 1))
"""Of these days: an old case would ring its alarms in the middle of a measurement."""

_FIRST_BIRTH = date(1960, 1, 1)
_BIRTHS = 16_000
_RUNS_APART, _RUNS = 20_000, 397


def case(number: int, run: str = "0") -> bytes:
    """A case of about 2.4 KB (the sample, without white space) whose parties nobody has met before."""
    document = papers.body("wages")
    document["source_case_no"] = f"{NUMBER}{run}-{number:07d}"
    document["received_at"], document["accepted_at"] = _RECEIVED, _ACCEPTED
    # The people of another run, met again, would be the same dispute twice.
    place = number + _RUNS_APART * (crc32(run.encode()) % _RUNS)
    for party in document["parties"]:
        if party["kind"] == "person":
            _another_person(party, place)
        else:
            party["credit_code"] = _credit_code(place)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _another_person(party: dict[str, object], number: int) -> None:
    born = _FIRST_BIRTH + timedelta(days=number % _BIRTHS)
    order = 2 * (number // _BIRTHS % 500) + (1 if party["sex"] == "male" else 0)
    first = f"370102{born:%Y%m%d}{order:03d}"
    party["id_number"] = first + resident_id_check_character(first)
    party["birth_date"] = born.isoformat()


def _credit_code(number: int) -> str:
    first = f"91370102MA{number % 10**7:07d}"
    return first + credit_code_check_character(first)
