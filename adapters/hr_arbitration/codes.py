"""The platform's code tables (page §6), both ways; site tables, replaced by the platform's own at a real site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from adapters.tables import Losses, Table
from contracts.causes import is_new_employment, last_name, matters
from contracts.lists import CauseTable

SEX = Table("sex GB/T 2261.1", {"male": "1", "female": "2", "unknown": "9"})

ID_TYPE = Table(
    "AAC058",
    {
        "resident_id": "01",
        "passport": "02",
        "hk_macao_permit": "03",
        "taiwan_permit": "04",
        "hk_macao_taiwan_residence_permit": "05",
        "foreign_permanent_resident_card": "06",
        "other": "99",
    },
)

_GROUP_NAMES = """
汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇
柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京
塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
"""

ETHNIC_GROUP = Table(
    "ethnic group GB/T 3304",
    {name: f"{number:02d}" for number, name in enumerate(_GROUP_NAMES.split(), start=1)}
    | {"其他": "97", "外国血统": "98"},
    other="97",
)

ORGANIZATION_TYPE = Table(
    "BZA004",
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
    "channel",
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
APPLICATION_FORM = Table("form", {"written": "1", "oral": "2"})

ROLE = Table("role", {"applicant": "1", "respondent": "2", "third_party": "3"})
KIND = Table("kind", {"person": "1", "employer": "2", "other_organization": "3"})
AGENT_KIND = Table(
    "agent", {"lawyer": "1", "legal_worker": "2", "employee": "3", "close_relative": "4", "citizen": "5"}
)
AGENT_AUTHORITY = Table("BZP102", {"general": "1", "special": "2"})

CLAIM_KIND = Table(
    "BZQ002",
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
)

UNIT_TYPE = Table(
    "AAB019 + AAB020 (GB/T 12402)",
    {
        "state_owned": "10/110",
        "collective": "10/120",
        "joint_stock_cooperative": "10/130",
        "associated": "10/140",
        "limited_company": "10/150",
        "joint_stock_company": "10/160",
        "private": "10/170",
        "hk_macao_taiwan_invested": "10/200",
        "foreign_invested": "10/300",
        "individual_business": "20",
        "private_non_enterprise": "30",
        "government": "40",
        "public_institution": "50",
        "social_organization": "60",
        "platform_enterprise": "70",
        "other": "99",
    },
    reads={"10/190": "other"},
)
"""``AAB019`` and, after a slash, ``AAB020`` where there is one. 190, "other enterprise", is not told apart by us."""

UNIT_SIZE = Table("size", {"large": "1", "medium": "2", "small": "3", "micro": "4"})
SESSION_METHOD = Table("method of session", {"on_site": "1", "phone": "2", "video": "3", "written": "4"}, other="9")

CASE_STATUS = Table(
    "case status BZS001",
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
CONFIRMATION_STATUS = Table(
    "confirmation status BZS001",
    {
        "requested": "21",
        "accepted": "22",
        "not_accepted": "23",
        "correction_required": "24",
        "reviewing": "25",
        "confirmed": "26",
        "rejected": "27",
        "withdrawn": "28",
        "deemed_withdrawn": "29",
        "objected": "30",
    },
)
TRANSFER_STATUS = Table(
    "transfer status BZS001", {"requested": "41", "filed": "42", "refused": "43", "correction_required": "44"}
)
FULFILMENT_STATUS = Table(
    "fulfilment status BZS001", {"performing": "51", "performed": "52", "partly_performed": "53", "breached": "54"}
)
STATUS_OF = MappingProxyType(
    {
        "case": CASE_STATUS,
        "confirmation": CONFIRMATION_STATUS,
        "transfer": TRANSFER_STATUS,
        "fulfilment": FULFILMENT_STATUS,
    }
)
"""TJ1006: the status table that ``BZS002`` names."""
ABOUT = Table("BZS002", {"case": "1", "confirmation": "2", "transfer": "3", "fulfilment": "4"})
SOURCE = Table(
    "source BZS003", {"court_mediation": "1", "one_stop": "2", "union": "3", "national_mediation": "4"}, other="9"
)

END_REASON = Table(
    "end reason BZS005",
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
)

EFFECT_RULE = Table("effect rule", {"labor_law": "1", "court_delegated_paper": "2", "court_online": "3"})
SETTLED_CLAIMS = Table("BZD005", {"all": "1", "partial": "2"})
TERM_KIND = Table("term", {"payment": "1", "waiver": "2", "other": "9"}, other="9")
SIGNER = Table("BZD201", {"party": "1", "mediator": "2"})
SIGNATURE_METHOD = Table("signature", {"handwritten": "1", "seal": "2", "fingerprint": "3", "electronic": "4"})
PERFORMANCE_STATUS = Table("BZD301", {"performed": "1", "partly_performed": "2", "breached": "3"})

FILE_CLASS = Table(
    "file class BZF005",
    {
        "mediation_application": "01",
        # The class reads 申请书: an application for confirmation is one, and TJ2001 asks for it as 01.
        "confirmation_application": "01",
        "identity_proof": "02",
        "mediation_record": "03",
        "service_address_confirmation": "04",
        "mediation_agreement": "05",
        "power_of_attorney": "06",
        "evidence": "07",
        "termination_proof": "08",
        "other": "99",
    },
    other="99",
)

REFUSAL_REASON = Table(
    "reason of refusal BZC006",
    {
        "outside_scope": "1",
        "not_this_commission": "2",
        "period_passed": "3",
        "labour_relation": "4",
        "judicially_confirmed": "5",
        "other": "9",
    },
)
DECISION = Table("BZC010", {"confirmed": "1", "rejected": "2", "withdrawn": "3", "deemed_withdrawn": "4"})
TRANSFER_RESULT = Table("BZG005", {"filed": "1", "refused": "2", "correction_required": "3"})
TRANSFER_REASON = Table(
    "transfer BZG002",
    {"mediation_failed": "01", "limit_passed": "02", "not_performed": "03", "other": "99"},
    other="99",
)
ALERT_LEVEL = Table("BZH001", {"major": "1", "serious": "2", "general": "3"})
REFERRAL_ANSWER = Table("BZJ004", {"accept": "1", "decline": "2"})
REFERRAL_OUTCOME = Table("BZJ005", {"agreed": "1", "partly_agreed": "1", "failed": "2", "withdrawn": "3"})

_CAUSES = {
    "确认劳动关系": "0101",
    "订立劳动合同": "0201",
    "履行劳动合同": "0202",
    "变更劳动合同": "0203",
    "解除劳动合同": "0204",
    "终止劳动合同": "0205",
    "劳动合同": "0206",
    "集体合同": "0206",
    "劳务派遣合同": "0206",
    "非全日制用工": "0206",
    "竞业限制": "0206",
    "除名": "0301",
    "辞退": "0302",
    "辞职": "0303",
    "离职": "0304",
    "工作时间": "0401",
    "休息休假": "0402",
    "社会保险": "0403",
    "养老保险待遇": "0403",
    "工伤保险待遇": "0403",
    "医疗保险待遇": "0403",
    "生育保险待遇": "0403",
    "失业保险待遇": "0403",
    "福利": "0404",
    "福利待遇": "0404",
    "培训": "0405",
    "劳动保护": "0406",
    "劳动报酬": "0501",
    "追索劳动报酬": "0501",
    "工伤医疗费": "0502",
    "经济补偿": "0503",
    "经济补偿金": "0503",
    "赔偿金": "0504",
    "聘用合同": "0601",
    "聘任合同": "0602",
    "超龄劳动者用工": "0702",
    "承包人、被挂靠人用工主体责任": "0703",
}
_NEW_EMPLOYMENT, _OTHER_CAUSE = "0701", "9900"


def cause_code(path: Sequence[str], losses: Losses, pointer: str, place: str) -> str:
    """``BZA008`` of a cause's path of names: by its last name, but 0701 where any name tells of new employment.

    Several names share a code; nothing is lost by it, because ``BZA009`` carries the whole path."""
    if is_new_employment(path):
        code: str | None = _NEW_EMPLOYMENT
    else:
        code = _CAUSES.get(last_name(path))
    if code is None:
        losses.coded(pointer, place, "cause BZA008: no row, went as other; BZA009 keeps the names")
        return _OTHER_CAUSE
    losses.carried(pointer)
    return code


@cache
def _nodes() -> Mapping[str, tuple[str, ...]]:
    """``BZA008`` → the one node of the arbitration's own table that has this code."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for matter in matters():
        path = matter.paths.get(CauseTable.ARBITRATION)
        code = None if path is None else _CAUSES.get(last_name(path))
        if path is not None and code is not None:
            found.setdefault(code, []).append(path)
    return {code: paths[0] for code, paths in found.items() if len(paths) == 1}


def cause_node(code: str) -> tuple[str, ...] | None:
    """The path of names of a ``BZA008`` in the arbitration's table; ``None`` where several share the code, or none has it."""
    return _nodes().get(code)


def ethnic_group_code(name: str, losses: Losses, pointer: str, place: str) -> str:
    """``AAC005`` of an ethnic group's name, with or without its final 族."""
    return ETHNIC_GROUP.code(name.removesuffix("族") or name, losses, pointer, place)


def ethnic_group_name(code: str) -> str | None:
    """The name with its final 族, as people write it; ``None`` for an unknown code."""
    name = ETHNIC_GROUP.value(code)
    return name if name is None or code in ("97", "98") else name + "族"
