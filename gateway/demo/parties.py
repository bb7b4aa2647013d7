"""The people and companies of one dispute, drawn by chance from the cast."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from gateway.demo import cast
from gateway.demo.cast import Home
from gateway.demo.numbers import birth_date, credit_code, landline, mobile, resident_id

Json = dict[str, Any]  # a document's JSON on its way into its model, which judges it


def person(random: Random, home: Home, today: date, role: str = "applicant") -> Json:
    """A worker with a home address in the organisation's region, now and then with an agent."""
    male = random.random() < 0.55
    born = birth_date(random, today)
    address = _address(random, home)
    agents = []
    if random.random() < 0.2:
        agents.append({"kind": "legal_worker", "name": name(random), "phone": mobile(random), "authority": "general"})
    return {
        "role": role,
        "kind": "person",
        "name": name(random, male=male),
        "id_type": "resident_id",
        "id_number": resident_id(random, home.region_code, born, male=male),
        "sex": "male" if male else "female",
        "birth_date": born.isoformat(),
        "ethnic_group": random.choice(cast.ETHNIC_GROUPS),
        "phone": mobile(random),
        "occupation": random.choice(cast.JOBS),
        "address": address,
        "service_address": {**address, "electronic_consent": random.random() < 0.7},
        "agents": agents,
    }


def employer(random: Random, home: Home, trade: tuple[str, str, str] | None = None) -> Json:
    """A company as respondent; ``trade`` is its kind: end of its name, industry (GB/T 4754), type of unit."""
    ending, industry, unit_type = trade or random.choice(cast.TRADES)
    head = name(random)
    return {
        "role": "respondent",
        "kind": "employer",
        "name": f"{home.city.removesuffix('市')}{random.choice(cast.WORDS)}示例{ending}",
        "credit_code": credit_code(random, home.region_code),
        "unit_type": unit_type,
        "industry": industry,
        "size": random.choice(("large", "medium", "small", "micro")),
        "legal_representative": {"name": head, "position": random.choice(("执行董事", "总经理", "董事长"))},
        "contact": {"name": name(random), "phone": landline(random, home.area_code)},
        "address": _address(random, home),
    }


def name(random: Random, *, male: bool | None = None) -> str:
    """A name of two or three characters."""
    given = cast.GIVEN_NAMES["male" if (random.random() < 0.5 if male is None else male) else "female"]
    return random.choice(cast.FAMILY_NAMES) + random.choice(given)


def _address(random: Random, home: Home) -> Json:
    street, number = random.choice(cast.STREETS), random.randrange(1, 300)
    return {"region_code": home.region_code, "detail": f"{home.county}{street}{number}号"}
