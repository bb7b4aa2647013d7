"""The code tables of the court's page (court_mediation §6), as data: what a form may say and what a query answers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Service(StrEnum):
    """fwlx, the service names of §4; each is also the address under `/fayuan/a/`."""

    FILE_AGREEMENT = "offline/addOffline"  # 调解协议备案
    REPORT_PERFORMANCE = "offline/perform"  # 履行情况
    APPLY = "sfqr/add"  # 司法确认申请
    SUPPLEMENT = "sfqr/supplement"  # 补正
    WITHDRAW = "sfqr/withdraw"  # 撤回
    ANSWER_TASK = "task/answer"  # 接受或退回
    FINISH_TASK = "task/finish"  # 调解结果
    TRANSFER = "transfer/add"  # 移送立案
    LIST_MEDIATOR = "mediator/save"  # 调解员入册


class State(StrEnum):
    """zt, the state a query answers (§6)."""

    RECEIVED = "0"  # 已收
    CORRECTION = "1"  # 补正
    ACCEPTED = "2"  # 已受理
    NOT_ACCEPTED = "3"  # 不予受理
    REVIEWING = "4"  # 审查中
    CONFIRMED = "5"  # 裁定有效
    REJECTED = "6"  # 裁定驳回
    WITHDRAWN = "7"  # 准许撤回
    DEEMED_WITHDRAWN = "8"  # 按撤回处理
    OBJECTED = "9"  # 异议
    FILED = "20"  # 备案
    ANSWERED = "21"  # 任务已答
    DOCKETED = "22"  # 已立案
    NOT_DOCKETED = "23"  # 不予立案


#: Applications before a ruling: they may be withdrawn (§8.3).
BEFORE_RULING: Final = frozenset({State.RECEIVED, State.CORRECTION, State.ACCEPTED, State.REVIEWING})
#: Applications that bar another one for the same agreement (code 1004); a ruling of validity bars it for good.
BARRING: Final = BEFORE_RULING | {State.CONFIRMED, State.OBJECTED}

RESIDENT_ID: Final = "09_00015-1"
PASSPORT: Final = "09_00015-7"
OTHER_DOCUMENT: Final = "09_00015-255"
UNIT_CERTIFICATE: Final = "统一社会信用代码证"
#: credentialsType → its fixed name; None where the name tells the document (其他).
ID_DOCUMENTS: Final[Mapping[str, str | None]] = {RESIDENT_ID: "身份证", PASSPORT: "护照", OTHER_DOCUMENT: None}

PARTY_TYPES: Final = frozenset({"0", "1", "2"})
PERSON: Final = "0"
EMPLOYER: Final = "1"

MALE: Final = "0"
FEMALE: Final = "1"
SEXES: Final = frozenset({MALE, FEMALE})
YES_NO: Final = frozenset({"0", "1"})

AGENT_KINDS: Final = frozenset({"1", "2", "3", "4", "5"})
AGENT_POWERS: Final = frozenset({"1", "2"})

FILE_CLASSES: Final = frozenset(f"{n:02d}" for n in range(1, 14))
CLASS_AGREEMENT: Final = "05"
CLASS_APPLICATION: Final = "06"
CLASS_OTHER: Final = "12"
CLASS_PRESIDED_PROOF: Final = "13"

SUCCESS_STATES: Final = frozenset({"1", "2"})
EFFECT_RULES: Final = frozenset({"1", "2", "3"})
SIGNER_KINDS: Final = frozenset({"1", "2"})
SIGNATURE_KINDS: Final = frozenset({"1", "2", "3", "4"})
PERFORMANCE_STATES: Final = frozenset({"1", "2", "3"})
OUTCOMES: Final = frozenset({"0", "1", "2"})
END_REASONS: Final = frozenset({"1", "2", "3", "4", "5", "6", "7", "8"})
TRANSFER_REASONS: Final = frozenset({"1", "2", "3", "9"})
DELEGATED: Final = "1"  # 委派
ENTRUSTED: Final = "2"  # 委托
TASK_KINDS: Final = frozenset({DELEGATED, ENTRUSTED})

#: Level 3 of the 2025 causes (site table) → the highest number of level 4 beneath it.
_CAUSES_2025: Final[Mapping[int, int]] = {
    205: 7,
    206: 5,
    207: 0,
    208: 0,
    209: 0,
    210: 0,
    211: 0,
    212: 0,
    213: 0,
    214: 2,
    215: 1,
    216: 0,
}
#: The 2020 numbers stand in place of these 2025 numbers.
_CAUSES_2020: Final[Mapping[int, int]] = {186: 205, 187: 206, 188: 207, 189: 210, 190: 211, 191: 212, 192: 213}
NO_CAUSE: Final = "9999-0-0"
CAUSES: Final = frozenset(
    {NO_CAUSE}
    | {f"2025-{third}-{fourth}" for third, last in _CAUSES_2025.items() for fourth in range(last + 1)}
    | {f"2020-{old}-{fourth}" for old, new in _CAUSES_2020.items() for fourth in range(_CAUSES_2025[new] + 1)}
)
