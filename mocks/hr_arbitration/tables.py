"""The code tables of the hr_arbitration page (§6)."""

from __future__ import annotations


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


SEX = _codes("1 2 9")
ID_TYPE = _codes("01 02 03 04 05 06 99")
#: GB/T 3304 as the page lists it, with 97 other and 98 foreign blood.
ETHNIC_GROUP = frozenset(f"{number:02d}" for number in range(1, 57)) | {"97", "98"}
ORGANIZATION_TYPE = frozenset(f"{number:02d}" for number in range(1, 11))
CHANNEL = _codes("1 2 3 4 5 6 7")
APPLICATION_FORM = _codes("1 2")
ROLE = _codes("1 2 3")
PARTY_KIND = _codes("1 2 3")
AGENT_KIND = _codes("1 2 3 4 5")
AUTHORITY = _codes("1 2")
CLAIM_KIND = frozenset(f"{number:02d}" for number in range(1, 15)) | {"99"}
CAUSE = _codes(
    "0101 0201 0202 0203 0204 0205 0206 0301 0302 0303 0304 0401 0402 0403 0404 0405 0406"
    " 0501 0502 0503 0504 0601 0602 0701 0702 0703 9900"
)
#: AAB019; AAB020 stands with 10 alone.
UNIT_TYPE = _codes("10 20 30 40 50 60 70 99")
ENTERPRISE_TYPE = _codes("110 120 130 140 150 160 170 190 200 300")
ENTERPRISE = "10"
SIZE = _codes("1 2 3 4")
SESSION_METHOD = _codes("1 2 3 4 9")
CASE_STATUS = _codes("01 02 03 04 05 06 07 08 09 10 11 99")
CONFIRMATION_STATUS = _codes("21 22 23 24 25 26 27 28 29 30")
TRANSFER_STATUS = _codes("41 42 43 44")
FULFILMENT_STATUS = _codes("51 52 53 54")
#: BZS002 → the table of BZS001 in TJ1006.
STATUS_OF = {"1": CASE_STATUS, "2": CONFIRMATION_STATUS, "3": TRANSFER_STATUS, "4": FULFILMENT_STATUS}
END_REASON = frozenset(f"{number:02d}" for number in range(1, 9))
#: Statuses of a case that need BZS005: failed, withdrawn, terminated.
ENDED = _codes("08 09 10")
EFFECT_RULE = _codes("1 2 3")
TERM_KIND = _codes("1 2 9")
SIGNATURE_METHOD = _codes("1 2 3 4")
FILE_CLASS = frozenset(f"{number:02d}" for number in range(1, 9)) | {"99"}
REFUSAL = _codes("1 2 3 4 5 9")
TRANSFER_REASON = _codes("01 02 03 99")
SOURCE = _codes("1 2 3 4 9")
FLAG = _codes("0 1")
ONE_TWO = _codes("1 2")
ONE_TO_THREE = _codes("1 2 3")
ONE_TO_FOUR = _codes("1 2 3 4")
#: BZF003 of TJ9002: PDF, OFD, JPEG, PNG.
MEDIA_TYPE = frozenset({"application/pdf", "application/ofd", "image/jpeg", "image/png"})
RESIDENT_ID = "01"
PERSON = "1"
