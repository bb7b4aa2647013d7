"""The code tables of page §7, and the national numbers of causes (T3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from adapters.tables import Losses, Table
from contracts import causes
from contracts.causes import CourtNumber
from contracts.lists import CauseTable

ORGANIZATION_TYPE = Table(
    "T1 orgType",
    {
        "enterprise_committee": "01",
        "township": "02",
        "arbitration_mediation_center": "03",
        "chamber_of_commerce": "04",
        "enterprise_confederation": "05",
        "new_employment_one_stop": "06",
        "enterprise_alliance": "07",
        "small_business_liaison": "08",
        "union_negotiation_room": "09",
        "peoples_mediation": "10",
    },
)
CHANNEL = Table(
    "T2 sourceChannel",
    {
        "window": "1",
        "phone": "2",
        "web": "3",
        "app": "4",
        "mini_program": "5",
        "official_account": "6",
        "referral": "7",
    },
)
CLAIM = Table(
    "T4 claims.kind",
    {
        "labor_remuneration": "01",
        "overtime": "02",
        "work_injury_medical": "03",
        "economic_compensation": "04",
        "damages": "05",
        "social_insurance": "06",
        "contract_conclusion": "07",
        "contract_change": "08",
        "contract_termination": "09",
        "labor_relation": "10",
        "working_time": "11",
        "welfare": "12",
        "training": "13",
        "labor_protection": "14",
        "other": "15",
    },
)
ID_TYPE = Table(
    "T5 idType",
    {
        "resident_id": "01",
        "passport": "02",
        "hk_macao_permit": "03",
        "taiwan_permit": "04",
        "hk_macao_taiwan_residence_permit": "05",
        "foreign_permanent_resident_card": "06",
    },
)
APPLICATION_FORM = Table("form", {"written": "1", "oral": "2"})
ROLE = Table("role", {"applicant": "1", "respondent": "2", "third_party": "3"})
KIND = Table("kind", {"person": "1", "employer": "2", "other_organization": "3"})
SEX = Table("sex GB/T 2261.1", {"male": "1", "female": "2", "unknown": "9"})
SETTLED = Table("settled", {"all": "1", "partial": "2"})
EFFECT_RULE = Table("effectRule", {"labor_law": "A", "court_delegated_paper": "B", "court_online": "C"})
PERFORMANCE = Table("performance status", {"performed": "1", "partly_performed": "2", "breached": "3"})

ENDED = "6"
"""Status of a mediation that is over; ``result`` says how."""
TO_COURT, TO_ARBITRATION = "8", "11"
STATUS = Table(
    "T6 status",
    {
        "received": "1",
        "accepted": "2",
        "declined": "10",
        "correction_required": "7",
        "mediating": "5",
        "transferred": TO_ARBITRATION,
        "closed": "99",
    },
    reads={TO_COURT: "transferred"},
)
"""Where an organisation's own progress says transferred it does not say to whom: 11, arbitration or an unknown place."""
RESULT = Table("T6 result", {"agreed": "1", "partly_agreed": "2", "failed": "3", "withdrawn": "4", "terminated": "5"})
CONFIRMATION = Table(
    "T6 confirmation",
    {
        "requested": "12",
        "accepted": "12",
        "correction_required": "12",
        "reviewing": "12",
        "objected": "12",
        "confirmed": "13",
        "not_accepted": "14",
        "rejected": "14",
        "withdrawn": "14",
        "deemed_withdrawn": "14",
    },
)
ROUTE = Table("T6 route", {"judicial_confirmation": "1", "arbitration_review": "2"})
END_REASON = Table(
    "endReason",
    {
        "agreement_reached": "1",
        "self_settled_withdrawn": "2",
        "unreachable": "3",
        "unwilling": "4",
        "large_divergence": "5",
        "expired": "6",
        "refused_to_sign": "7",
        "other": "8",
    },
)

OTHER_FILE = "99"
FILE_KIND = Table(
    "T7 file kind",
    {
        "mediation_application": "01",
        "mediation_agreement": "02",
        "mediation_record": "03",
        "identity_proof": "04",
        "service_address_confirmation": "05",
        "other": OTHER_FILE,
    },
    other=OTHER_FILE,
)
FILE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "01": "调解申请书",
        "02": "调解协议书",
        "03": "调解笔录",
        "04": "身份资格证明",
        "05": "送达地址确认书",
        OTHER_FILE: "其他",
    }
)
"""What a file is called in the address of its upload, where no name of a person may stand."""

# -------------------------------------------------------------------------------------------------------------- causes

NO_CAUSE = "99999"
_FIRST, _LAST = 205, 216
"""The numbers of the 2025 table that T3 has rows for: 劳动争议, 人事争议, 新就业形态."""
_ARBITRATION = {
    "确认劳动关系": "20501",
    "劳动报酬": "20505",
    "经济补偿": "20506",
    "赔偿金": "20506",
    "社会保险": "20600",
    "工伤医疗费": "20602",
    "福利": "20700",
}
_OTHER_ARBITRATION = "20500"


def cause_code(table: CauseTable, path: Sequence[str], losses: Losses, at: str, place: str) -> str:
    """``causeCode`` (T3) of a cause (案由); ``causeName`` carries the path beside it.

    ``at``: pointer of the cause in its document."""
    if table is CauseTable.ARBITRATION:
        code = _ARBITRATION.get(causes.last_name(path), _OTHER_ARBITRATION)
    else:
        matter = causes.matter_of(table, path)
        code = _code(None if matter is None else matter.numbers.get(CauseTable.COURT_2025))
    if table is CauseTable.COURT_2025:
        losses.carried(f"{at}/table")
    else:
        losses.mapped(f"{at}/table", place, "went by the court's table of 2025")
    if code == NO_CAUSE:
        losses.coded(f"{at}/path", "causeName", "T3: no row, went as other; causeName keeps the names")
    return code


def cause_path(code: str) -> tuple[str, ...] | None:
    """The path in the court's table of 2025; ``None`` for a code that is no row."""
    return _paths().get(code)


def _code(number: CourtNumber | None) -> str:
    if number is None or not _FIRST <= number.number <= _LAST:
        return NO_CAUSE
    return f"{number.number}{number.place:02d}"


@cache
def _paths() -> Mapping[str, tuple[str, ...]]:
    found = {}
    for matter in causes.matters():
        code = _code(matter.numbers.get(CauseTable.COURT_2025))
        if code != NO_CAUSE:
            found[code] = matter.paths[CauseTable.COURT_2025]
    return MappingProxyType(found)
