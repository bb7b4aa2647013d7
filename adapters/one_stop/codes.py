"""The platform's code tables (page §6): site tables unless a standard is named."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.tables import Losses, Table
from contracts.causes import is_new_employment, last_name

SEX = Table("性别 GB/T 2261.1", {"male": "1", "female": "2", "unknown": "9"})
ROLE = Table("角色", {"applicant": "1", "respondent": "2", "third_party": "3"})
ID_TYPE = Table(
    "证件代码 GA/T 517",
    {
        "resident_id": "111",
        "passport": "414",
        "hk_macao_permit": "516",
        "taiwan_permit": "511",
        "hk_macao_taiwan_residence_permit": "554",
        "foreign_permanent_resident_card": "553",
        "other": "990",
    },
    other="990",
)
ORGANIZATION_TYPE = Table(
    "组织类型",
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
    "来源渠道",
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
    "请求种类",
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
CASE_STATUS = Table(
    "状态 (案件)",
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
    "状态 (确认)",
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
TRANSFER_STATUS = Table("状态 (转办)", {"requested": "41", "filed": "42", "refused": "43", "correction_required": "44"})
FULFILMENT_STATUS = Table(
    "状态 (履行)", {"performing": "51", "performed": "52", "partly_performed": "53", "breached": "54"}
)
FULFILMENT_WORD = {"performing": "履行中", "performed": "已履行", "partly_performed": "部分履行", "breached": "未履行"}

PROGRESS = {
    "case": ("1", CASE_STATUS),
    "confirmation": ("2", CONFIRMATION_STATUS),
    "transfer": ("3", TRANSFER_STATUS),
    "fulfilment": ("4", FULFILMENT_STATUS),
}
"""进展类别 of each noun, with the table of its 状态. About a referral this platform takes no report."""

END_REASON = Table(
    "原因 (终结)",
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
TRANSFER_REASON = Table(
    "原因 (转办)",
    {"mediation_failed": "01", "limit_passed": "02", "not_performed": "03", "other": "99"},
    other="99",
)
OURSELVES = "1"
SOURCE = Table(
    "来源", {"court_mediation": "2", "hr_arbitration": "3", "union": "4", "national_mediation": "5"}, other="9"
)
TRANSFER_TO = Table(
    "转往", {"arbitration": "1", "court": "2", "payment_order": "3", "legal_aid": "4", "labor_inspection": "5"}
)
LEVEL = Table("等级", {"major": "1", "serious": "2", "general": "3"})
EFFECT_RULE = Table("生效规则", {"labor_law": "1", "court_delegated_paper": "2", "court_online": "3"})
SESSION_METHOD = Table("调解形式", {"on_site": "1", "phone": "2", "video": "3", "written": "4"}, other="9")
SETTLED = Table("是否成功", {"all": "1", "partial": "2"})
ANSWER = Table("答复", {"accept": "1", "decline": "2"})
OUTCOME = Table("结果", {"agreed": "1", "partly_agreed": "1", "failed": "2", "withdrawn": "3"})

SIGN_FOR = "1"
"""答复 签收: needs the binding of 平台编号 first."""
MEDIATION = "0201"
"""化解方式 调解, the only one of an organisation that mediates."""
COMMON_PERSON = "1001"
"""人员类别: the one value this page knows."""

_NATIONS = """
汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇
柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京
塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
"""
_NATION_CODES = {name: f"{number:02d}" for number, name in enumerate(_NATIONS.split(), start=1)} | {
    "其他": "97",
    "外国血统": "98",
}
_NATION_NAMES = {code: f"{name}族" for name, code in _NATION_CODES.items() if int(code) < 97} | {
    "97": "其他",
    "98": "外国血统",
}


def nation_code(name: str) -> str | None:
    """民族 (GB/T 3304) of a name with or without its final 族; ``None`` for a name outside the standard."""
    return _NATION_CODES.get(name.removesuffix("族"))


def nation_name(code: str) -> str | None:
    """The usual name of a code of GB/T 3304; ``None`` for an unknown code."""
    return _NATION_NAMES.get(code)


def scale(persons: int) -> str:
    """规模 of a dispute by the number of persons."""
    for least, code in ((100, "05"), (30, "04"), (10, "03"), (2, "02")):
        if persons >= least:
            return code
    return "01"


_CLASS = {
    "追索劳动报酬": "0701",
    "劳动报酬": "0701",
    "社会保险": "0702",
    "养老保险待遇": "0702",
    "医疗保险待遇": "0702",
    "生育保险待遇": "0702",
    "失业保险待遇": "0702",
    "福利": "0702",
    "福利待遇": "0702",
    "劳动合同": "0703",
    "确认劳动关系": "0703",
    "集体合同": "0703",
    "劳务派遣合同": "0703",
    "非全日制用工": "0703",
    "竞业限制": "0703",
    "订立劳动合同": "0703",
    "履行劳动合同": "0703",
    "变更劳动合同": "0703",
    "解除劳动合同": "0703",
    "终止劳动合同": "0703",
    "订立、履行、变更、解除和终止劳动合同": "0703",
    "除名、辞退和辞职、离职": "0703",
    "除名": "0703",
    "辞退": "0703",
    "辞职": "0703",
    "离职": "0703",
    "工伤医疗费": "0704",
    "工伤保险待遇": "0704",
    "职业伤害保障": "0704",
    "经济补偿金": "0705",
    "经济补偿": "0705",
    "赔偿金": "0705",
    "人事争议": "0706",
    "聘用合同": "0706",
    "聘任合同": "0706",
    "超龄劳动者用工": "0708",
    "其他劳动争议": "0799",
    "法律、法规规定的其他劳动争议": "0799",
    "承包人主体责任": "0708",
    "承包人、被挂靠人用工主体责任": "0708",
}
_OTHER_CLASS = "0799"


def dispute_class(path: Sequence[str], losses: Losses, pointer: str) -> str:
    """类别 of a cause by the last name of its path, without a final 纠纷.

    The path itself goes whole as 案由, so only a class without row is a loss.
    """
    if is_new_employment(path):
        return "0707"
    last = last_name(path)
    if last in {"辞职", "辞退"} and "人事争议" in path[:-1]:
        return "0706"
    found = _CLASS.get(last)
    if found is None:
        losses.coded(pointer, "类别", "no row for this cause, went as other")
        return _OTHER_CLASS
    return found
