"""Numbers that stand for persons, organisations, cases and our own things: form, check characters, parts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import Final

from contracts.titled import Titled

# ------------------------------------------------------------------------------------------------------ resident id

_RESIDENT_ID: Final = re.compile(r"[0-9]{17}[0-9X]")
_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECK: Final = "10X98765432"


_HALF_WIDTH_CAPITALS: Final = {
    **{code: chr(code - 0xFEE0).upper() for code in range(0xFF01, 0xFF5F)},
    **{ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"},
}


def normal_identity_number(raw: str) -> str:
    """An identity number in one form: full-width characters become half-width, letters capital (``x`` → ``X``).

    Never longer than what came, and the same again when normalised again.
    """
    return raw.translate(_HALF_WIDTH_CAPITALS).strip()


def resident_id_check_character(first_seventeen: str) -> str:
    """The 18th character of a resident id number (公民身份号码) after its first 17 digits: GB 11643, MOD 11-2."""
    total = sum(map(mul, _RESIDENT_WEIGHTS, map(int, first_seventeen)))
    return _RESIDENT_CHECK[total % 11]


def resident_id_holds(number: str) -> bool:
    """Whether a normalised number has 18 characters and the right check character (GB 11643). Says nothing of its
    date."""
    return bool(_RESIDENT_ID.fullmatch(number)) and resident_id_check_character(number[:17]) == number[17]


def resident_id_birth_date(number: str) -> date | None:
    """The birth date inside a resident id number (digits 7 to 14); ``None`` where they are no date of the calendar."""
    digits = number[6:14]
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def resident_id_is_male(number: str) -> bool:
    """Whether the 17th digit of a sound resident id number is odd, which GB 11643 gives to men."""
    return int(number[16]) % 2 == 1


# ------------------------------------------------------------------------------------------- other identity documents

_RESIDENCE_PERMIT: Final = re.compile(r"8[123]0000[0-9]{11}[0-9X]")
_DOCUMENT_FORMS: Final = {
    "passport": re.compile(r"[A-Z0-9]{5,20}"),
    "hk_macao_permit": re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?"),
    "taiwan_permit": re.compile(r"[0-9]{8}"),
    "foreign_permanent_resident_card": re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]"),
}


def identity_document_holds(kind: str, number: str) -> bool:
    """Whether a normalised number has the form of its document, the resident id apart.

    Kinds: passport (护照), ``hk_macao_permit`` (港澳居民来往内地通行证: H or M, 8 or 10 digits), ``taiwan_permit``
    (台湾居民来往大陆通行证: 8 digits), ``hk_macao_taiwan_residence_permit`` (港澳台居民居住证: GB 11643 with 810000,
    820000 or 830000), ``foreign_permanent_resident_card`` (外国人永久居留身份证: 15 characters, or 18 that begin with
    9). Any other kind has no form to test.
    """
    if kind == "hk_macao_taiwan_residence_permit":
        return (
            bool(_RESIDENCE_PERMIT.fullmatch(number))
            and resident_id_holds(number)
            and resident_id_birth_date(number) is not None
        )
    form = _DOCUMENT_FORMS.get(kind)
    return form is None or bool(form.fullmatch(number))


# ------------------------------------------------------------------------------------------ unified social credit code

_CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_VALUES: Final = {character: value for value, character in enumerate(_CREDIT_ALPHABET)}
_CREDIT_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))


def credit_code_check_character(first_seventeen: str) -> str:
    """The 18th character of a unified social credit code (统一社会信用代码) after its first 17: GB 32100.

    Raises:
        KeyError: a character outside the standard's 31.
    """
    total = sum(map(mul, _CREDIT_WEIGHTS, map(_CREDIT_VALUES.__getitem__, first_seventeen)))
    return _CREDIT_ALPHABET[-total % 31]


def credit_code_holds(code: str) -> bool:
    """Whether a code has 18 characters of the alphabet and the right check character (GB 32100).

    The organisation code inside (places 9 to 17, GB 11714) is not tested.
    """
    return len(code) == 18 and _CREDIT_VALUES.keys() >= set(code) and credit_code_check_character(code[:17]) == code[17]


# ------------------------------------------------------------------------------------------------------- case numbers

_BRACKETS: Final = str.maketrans("〔〕[]【】〖〗", "()()()()")
_COURT_NUMBER: Final = re.compile(
    r"\((?P<year>[0-9]{4})\)(?P<body>最高法|[\u4e00-\u9fff][0-9]{0,4})(?P<type>[\u4e00-\u9fff]{1,5})"
    r"(?P<serial>[0-9]+)号(?:之(?P<part>[一二三四五六七八九十0-9]+))?"
)
_ARBITRATION_NUMBER: Final = re.compile(
    r"(?:\((?P<year>[0-9]{4})\))?(?P<body>[\u4e00-\u9fff]{1,12}?劳人仲(?:案|裁)?字?)(?:\((?P<later_year>[0-9]{4})\))?"
    r"第?(?P<serial>[0-9]+)(?:-(?P<part>[0-9]+))?号"
)
_LONGEST_CASE_NUMBER: Final = 100


class CaseNumberKind(Titled):
    """Whose number it is."""

    COURT = "court", "法院案号", "Court case number"
    ARBITRATION = "arbitration", "仲裁案号", "Arbitration case number"
    OTHER = "other", "其他编号", "Other number"


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """A case number (案号) of a court or an arbitration commission: as written, in one form, and in parts where it
    has them.

    Two numbers are the same where ``normal`` is the same: NFKC, every kind of bracket as ``(``, no white space. The
    parts are filled where the number has the form of 法〔2015〕137号 (court) or of the arbitration numbers in use; a
    number of any other form is kept, never refused. ``body`` is the court's code (鲁0102) or the commission's word
    (历下劳人仲案字), ``type`` the court's type characters (民初, 民特, 诉前调), ``part`` what follows 之 or the
    hyphen.
    """

    raw: str
    normal: str
    kind: CaseNumberKind = CaseNumberKind.OTHER
    year: int | None = None
    body: str | None = None
    type: str | None = None
    serial: str | None = None
    part: str | None = None

    @classmethod
    def of(cls, raw: str) -> CaseNumber:
        """Read a number. Never raises; a text longer than 100 characters is kept without parts."""
        unspaced = "".join(unicodedata.normalize("NFKC", raw).translate(_BRACKETS).split())
        normal = unicodedata.normalize("NFKC", unspaced)
        if len(normal) <= _LONGEST_CASE_NUMBER:
            if found := _ARBITRATION_NUMBER.fullmatch(normal):
                year = found["year"] or found["later_year"]
                return cls(
                    raw=raw,
                    normal=normal,
                    kind=CaseNumberKind.ARBITRATION,
                    year=int(year) if year else None,
                    body=found["body"],
                    serial=found["serial"],
                    part=found["part"],
                )
            if found := _COURT_NUMBER.fullmatch(normal):
                return cls(
                    raw=raw,
                    normal=normal,
                    kind=CaseNumberKind.COURT,
                    year=int(found["year"]),
                    body=found["body"],
                    type=found["type"],
                    serial=found["serial"],
                    part=found["part"],
                )
        return cls(raw=raw, normal=normal)


# ------------------------------------------------------------------------------------------------------ our own ids

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ENTROPY_BYTES: Final = 10


class IdPrefix(Titled):
    """The prefixes of the ids that the gateway makes."""

    CASE = "case", "案件", "Case"
    AGREEMENT = "agr", "调解协议", "Agreement"
    CONFIRMATION = "cnf", "协议确认", "Confirmation"
    TRANSFER = "trf", "移送", "Transfer"
    REFERRAL = "ref", "委派委托", "Referral"
    ATTACHMENT = "att", "附件", "Attachment"
    MESSAGE = "msg", "消息", "Message"
    DELIVERY = "dlv", "投递", "Delivery"
    EVENT = "evt", "事件", "Event"


def id_pattern(prefix: IdPrefix) -> str:
    """The regular expression of an id of that prefix: at most 40 characters, the most that platforms take for it."""
    return rf"^{prefix}_[0-9A-Za-z_-]{{8,{39 - len(prefix)}}}$"


def make_id(prefix: IdPrefix, milliseconds: int, entropy: bytes) -> str:
    """A new id: the prefix, then 26 characters of which the first ten order it by time (the layout of a ULID).

    Args:
        milliseconds: Unix time, from 0 to 2**48 - 1.
        entropy: exactly 10 random bytes; two ids of one millisecond differ by them alone.

    Raises:
        ValueError: time out of range, or another number of random bytes.
    """
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError("time of an id out of range")
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError("an id needs exactly ten random bytes")
    number = milliseconds << 80 | int.from_bytes(entropy, "big")
    return f"{prefix}_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
