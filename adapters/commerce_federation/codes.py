"""The code tables of page §7, and the numbers of causes (D3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from adapters.tables import Losses, Table
from contracts import causes
from contracts.causes import CourtNumber
from contracts.lists import CauseTable

ORGANIZATION_TYPE = Table(
    "D1 TWHLX",
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
    "D2 AJLY",
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
APPLICATION_FORM = Table("sqfs", {"written": "1", "oral": "2"})
CLAIM = Table(
    "D4 QQLX",
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
ROLE = Table("ssdw", {"applicant": "4", "respondent": "5", "third_party": "3"})
KIND = Table("dsrlx", {"person": "0", "employer": "1", "other_organization": "2"})
ID_TYPE = Table(
    "D5 ZJLX", {"resident_id": "1", "passport": "2", "taiwan_permit": "3", "hk_macao_permit": "4"}, other="255"
)
CREDIT_CODE = "7"
"""D5 of a unit: its credit code, in clear."""
SEX = Table("xb", {"male": "0", "female": "1"})
"""Not GB/T 2261.1; an unknown sex is left out."""
SETTLED = Table("jjfw", {"all": "1", "partial": "2"})
PERFORMANCE = Table("lxzt", {"performed": "1", "partly_performed": "2", "breached": "3"})

ENDED = "6"
"""Status of a mediation that is over; ``tjjg`` says whether with an agreement."""
STATUS = Table(
    "D6 ZT",
    {
        "received": "1",
        "accepted": "2",
        "declined": "10",
        "correction_required": "7",
        "mediating": "5",
        "agreed": ENDED,
        "partly_agreed": ENDED,
        "failed": ENDED,
        "withdrawn": ENDED,
        "terminated": ENDED,
        "transferred": "11",
        "closed": "99",
    },
)
"""An organisation's own progress does not say whereto it transferred: 11, arbitration or an unknown place."""
RESULT = Table("tjjg", {"agreed": "1", "partly_agreed": "1", "failed": "0", "withdrawn": "0", "terminated": "0"})
TOLD = Table(
    "D6 ZT in TJ_IN",
    {"accepted": "2", "mediating": "5", "correction_required": "7", "declined": "10", "closed": "99"},
)
"""What the return table may say of a case."""
END_REASON = Table(
    "D7 JSYY",
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
FILE_KIND = Table(
    "D8 FJLX",
    {
        "mediation_application": "01",
        "mediation_agreement": "02",
        "mediation_record": "03",
        "identity_proof": "04",
        "service_address_confirmation": "05",
        "other": "99",
    },
    other="99",
)

# -------------------------------------------------------------------------------------------------------------- causes

NO_CAUSE = "205"
"""D3 of what has no row: a labour contract; ``aymc`` keeps the name."""
_FIRST, _LAST = 205, 216


def cause_code(table: CauseTable, path: Sequence[str], losses: Losses, at: str, place: str) -> str:
    """``aydm`` (D3) of a cause (案由): by its number of 2025, from other tables by equal name, else 205.

    ``at``: pointer of the cause in its document."""
    if table is CauseTable.COURT_2025:
        losses.carried(f"{at}/table")
        matter = causes.matter_of(table, path)
        code = _code(None if matter is None else matter.numbers.get(table))
    else:
        losses.mapped(f"{at}/table", place, "went by the table of 2025, by equal name")
        code = _by_name().get(causes.last_name(path))
    if code is None:
        losses.coded(f"{at}/path", place, "D3: no row, went as labour contract")
        return NO_CAUSE
    losses.carried(f"{at}/path")
    return code


def _code(number: CourtNumber | None) -> str | None:
    if number is None or not _FIRST <= number.number <= _LAST:
        return None
    return f"{number.number}-{number.place}" if number.place else str(number.number)


@cache
def _by_name() -> Mapping[str, str]:
    """Last names of the table of 2025 that have a row."""
    found: dict[str, str] = {}
    for matter in causes.matters():
        code = _code(matter.numbers.get(CauseTable.COURT_2025))
        if code is not None:
            found.setdefault(causes.last_name(matter.paths[CauseTable.COURT_2025]), code)
    return MappingProxyType(found)
