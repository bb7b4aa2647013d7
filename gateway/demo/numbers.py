"""Sound numbers of invented persons and companies: resident ids, unified social credit codes, phones, bank accounts."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from contracts.identifiers import credit_code_check_character, resident_id_check_character

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_YOUNGEST, _OLDEST = 20 * 365, 58 * 365


def birth_date(random: Random, today: date) -> date:
    """Of somebody of working age."""
    return today - timedelta(days=random.randrange(_YOUNGEST, _OLDEST))


def resident_id(random: Random, region_code: str, born: date, *, male: bool) -> str:
    """A resident id number (公民身份号码, GB 11643): the 17th digit is odd for men, the 18th by MOD 11-2."""
    order = random.randrange(0, 500) * 2 + (1 if male else 0)
    first = f"{region_code}{born:%Y%m%d}{order:03d}"
    return first + resident_id_check_character(first)


def credit_code(random: Random, region_code: str) -> str:
    """A unified social credit code (统一社会信用代码, GB 32100) of an enterprise, of the range MA… that is handed out today."""
    middle = "".join(random.choices(_CREDIT_ALPHABET, k=6))
    first = f"91{region_code}MA{middle}{random.choice('0123456789')}"
    return first + credit_code_check_character(first)


def mobile(random: Random) -> str:
    """A mainland mobile number, from a range of its own in the demonstration."""
    return f"1{random.choice('3578')}0{random.randrange(0, 10**8):08d}"


def landline(random: Random, area_code: str) -> str:
    """A landline number with its area code."""
    return f"{area_code}-8{random.randrange(0, 10**6):06d}"


def account(random: Random) -> str:
    """A bank account number of 19 digits."""
    return f"622202{random.randrange(0, 10**13):013d}"
