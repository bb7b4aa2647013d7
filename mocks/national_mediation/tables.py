"""The platform's code tables (page §7), and the words of the contract that it takes as they are."""

from __future__ import annotations

from typing import Final


def _numbers(first: int, last: int, digits: int, *more: str) -> frozenset[str]:
    return frozenset((*(f"{number:0{digits}d}" for number in range(first, last + 1)), *more))


#: T1 ``orgType``.
ORGANIZATION_TYPE: Final = _numbers(1, 10, 2)
#: T2 ``sourceChannel``; the citizens' own ways are those by which a case is handed over.
CHANNEL: Final = frozenset("1234567")
CITIZENS_CHANNEL: Final = frozenset("345")
APPLICATION_FORM: Final = frozenset("12")
#: T3 ``causeCode``.
CAUSE: Final = (
    _numbers(20500, 20507, 5)
    | _numbers(20600, 20605, 5)
    | _numbers(21400, 21402, 5)
    | frozenset(("20700", "20800", "20900", "21000", "21100", "21200", "21300", "21500", "21501", "21600", "99999"))
)
#: T4 ``claims.kind``.
CLAIM_KIND: Final = _numbers(1, 15, 2)
#: T5 ``idType``; the numbers of the first and the fifth carry the check character of GB 11643.
ID_TYPE: Final = _numbers(1, 6, 2)
ID_CHECKED: Final = frozenset(("01", "05"))
SEX: Final = frozenset("129")
ROLE: Final = frozenset("123")
APPLICANT: Final = "1"
PERSON: Final = "1"
PARTY_KIND: Final = frozenset("123")
SETTLED: Final = frozenset("12")
EFFECT_RULE: Final = frozenset("ABC")
FULFILMENT: Final = frozenset("123")
#: ``terms[].kind`` and ``session.method`` have no table: they are the contract's own words.
TERM_KIND: Final = frozenset(
    (
        "payment",
        "reinstatement",
        "contract_termination",
        "certificate",
        "social_insurance",
        "apology",
        "waiver",
        "other",
    )
)
SESSION_METHOD: Final = frozenset(("on_site", "phone", "video", "written"))

#: T6 ``status``.
RECEIVED, ACCEPTED, DECLINED, CORRECTION, ENDED, CLOSED = "1", "2", "10", "7", "6", "99"
ROUTED: Final = frozenset(("12", "13", "14"))
STATUS: Final = ROUTED | {RECEIVED, ACCEPTED, DECLINED, CORRECTION, "5", ENDED, "8", "11", CLOSED}
ROUTE: Final = frozenset("12")
RESULT: Final = frozenset("12345")
AGREED: Final = frozenset("12")
WITHDRAWN: Final = "4"
END_REASON: Final = frozenset("12345678")
#: T7 ``kind`` of a file.
FILE_KIND: Final = _numbers(1, 5, 2, "99")
#: Media types of files (§3) and how their bytes begin.
MEDIA: Final = {
    "application/pdf": b"%PDF-",
    "application/ofd": b"PK\x03\x04",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
