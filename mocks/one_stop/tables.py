"""The platform's code tables (page §6): the values that an item may have."""

from __future__ import annotations


def _numbers(first: int, last: int, digits: int, *more: str) -> frozenset[str]:
    return frozenset((*(f"{number:0{digits}d}" for number in range(first, last + 1)), *more))


OPERATION_TYPE = frozenset("12")
SEX = frozenset("129")
ROLE = frozenset("123")
ID_TYPE = frozenset(("111", "414", "516", "511", "554", "553", "990"))
ETHNIC_GROUP = _numbers(1, 56, 2, "97", "98")
PERSON_TYPE = frozenset(("1001",))
SCALE = _numbers(1, 5, 2)
CATEGORY = frozenset(("0701", "0702", "0703", "0704", "0705", "0706", "0707", "0708", "0799"))
CLAIM_KIND = _numbers(1, 14, 2, "99")
ORGANIZATION_TYPE = _numbers(1, 10, 2)
CHANNEL = frozenset("1234567")
METHOD = frozenset(("0201",))
MAJOR = frozenset("01")

PROGRESS_CASE, PROGRESS_CONFIRMATION, PROGRESS_TRANSFER, PROGRESS_FULFILMENT = "1", "2", "3", "4"
#: 状态 by 进展类别.
STATUS: dict[str, frozenset[str]] = {
    PROGRESS_CASE: _numbers(1, 11, 2, "99"),
    PROGRESS_CONFIRMATION: _numbers(21, 30, 2),
    PROGRESS_TRANSFER: _numbers(41, 44, 2),
    PROGRESS_FULFILMENT: _numbers(51, 54, 2),
}
PROGRESS = frozenset(STATUS)
ANY_STATUS = frozenset().union(*STATUS.values())
END_REASON = _numbers(1, 8, 2)
TRANSFER_REASON = frozenset(("01", "02", "03", "99"))
#: 原因 of a progress: of an end or of a transfer.
PROGRESS_REASON = END_REASON | TRANSFER_REASON
SOURCE = frozenset("123459")
OURSELVES = "1"
TRANSFER_TO = frozenset("12345")
LEVEL = frozenset("123")
SUCCESS = frozenset("12")
EFFECT_RULE = frozenset("123")
SESSION_METHOD = frozenset("12349")
ANSWER = frozenset("12")
RESULT = frozenset("123")

#: 变更类型 of a change.
CHANGE_ASSIGNED, CHANGE_RECALLED, CHANGE_STATUS, CHANGE_SUPERVISED = "1", "2", "3", "4"
EXPIRED_REASON = "逾期未签收"


def progress_of(status: str) -> str | None:
    """The 进展类别 whose table has the 状态 ``status``; ``None`` when none has it."""
    return next((progress for progress, codes in STATUS.items() if status in codes), None)
