"""The platform's code tables (page §6): site tables, replaced by the platform's own at a real site."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.tables import Losses, Table
from contracts.causes import is_new_employment, last_name

ID_TYPE = Table(
    "zjlx",
    {
        "resident_id": "1",
        "passport": "2",
        "hk_macao_permit": "3",
        "taiwan_permit": "4",
        "hk_macao_taiwan_residence_permit": "5",
        "foreign_permanent_resident_card": "6",
        "other": "9",
    },
    other="9",
)
SEX = Table("xb", {"male": "男", "female": "女"})
"""Any other value is left out (page §6)."""

CLAIM_KIND = Table(
    "lx",
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
        "other": "99",
    },
    other="99",
)
ORGANIZATION_TYPE = Table(
    "zzlx",
    {
        "union_negotiation_room": "1",
        "enterprise_committee": "2",
        "enterprise_alliance": "3",
        "township": "4",
        "arbitration_mediation_center": "5",
        "peoples_mediation": "6",
        "new_employment_one_stop": "7",
        "chamber_of_commerce": "8",
        "enterprise_confederation": "8",
        "small_business_liaison": "9",
    },
)
CHANNEL = Table(
    "ly",
    {
        "window": "1",
        "phone": "2",
        "web": "3",
        "app": "3",
        "mini_program": "4",
        "official_account": "4",
        "referral": "5",
    },
)
CHANNELS_READ = {"1": "window", "2": "phone", "5": "referral"}
"""3 and 4 stand for two channels each: which of them is not told."""

CASE_STATUS = Table(
    "zt",
    {
        "received": "01",
        "accepted": "02",
        "declined": "03",
        "correction_required": "04",
        "mediating": "05",
        "agreed": "06",
        "partly_agreed": "07",
        "failed": "08",
        "withdrawn": "09",
        "terminated": "10",
        "transferred": "11",
        "closed": "99",
    },
)
FULFILMENT_STATUS = Table("zt", {"performing": "51", "performed": "52", "partly_performed": "53", "breached": "54"})
SUPPORT_STATUS = Table("zt", {"filed": "71", "refused": "72"})

END_REASON = Table(
    "yy",
    {
        "agreement_reached": "01",
        "self_settled_withdrawn": "02",
        "unreachable": "03",
        "unwilling": "04",
        "large_divergence": "05",
        "expired": "06",
        "refused_to_sign": "07",
        "other": "08",
    },
    other="08",
)
SUPPORT_REASON = Table(
    "yy", {"mediation_failed": "01", "limit_passed": "02", "not_performed": "03", "other": "99"}, other="99"
)
LEVEL = Table("dj", {"major": "1", "serious": "2", "general": "3"})
UNIT_SIZE = Table("gm", {"large": "1", "medium": "2", "small": "3", "micro": "4"})
AGENT_KIND = Table("dlx", {"lawyer": "1", "legal_worker": "2", "employee": "3", "close_relative": "4", "citizen": "5"})
SETTLED = Table("jg", {"all": "1", "partial": "2"})
DECISION = Table("df", {"accept": "1", "decline": "2"})
OUTCOME = Table("jg", {"agreed": "1", "partly_agreed": "1", "failed": "2", "withdrawn": "3"})

DECLINE = "2"
"""答复 that needs its reason."""

_CLASSES = {
    "1": "追索劳动报酬 劳动报酬",
    "2": "社会保险 养老保险待遇 医疗保险待遇 失业保险待遇 生育保险待遇",
    "3": (
        "确认劳动关系 集体合同 劳务派遣合同 非全日制用工 竞业限制 "
        "订立劳动合同 履行劳动合同 变更劳动合同 解除劳动合同 终止劳动合同 除名 辞退 辞职 离职"
    ),
    "4": "工伤医疗费 工伤保险待遇 职业伤害保障",
    "5": "经济补偿金 经济补偿 赔偿金",
    "6": "工作时间 休息休假 福利 福利待遇 培训 劳动保护",
    "7": "聘用合同 聘任合同",
}
_CLASS_OF = {name: code for code, names in _CLASSES.items() for name in names.split()}
_NEW_EMPLOYMENT, _OTHER_CLASS = "8", "9"


def dispute_class(path: Sequence[str], losses: Losses, pointer: str) -> str:
    """类别 (``lb``) by the last name of a cause's path; new forms of employment first.

    The path itself goes whole as ``ay``, so only a class without row is a loss."""
    if is_new_employment(path):
        return _NEW_EMPLOYMENT
    found = _CLASS_OF.get(last_name(path))
    if found is None:
        losses.coded(pointer, "lb", "lb: no row for this cause, went as other")
        return _OTHER_CLASS
    return found
