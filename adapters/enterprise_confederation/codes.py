"""The words of page §7: this platform's codes are Chinese words."""

from __future__ import annotations

from adapters.tables import Table

ORGANIZATION_TYPE = Table(
    "T1 组织类型",
    {
        "enterprise_committee": "企业调解委员会",
        "township": "乡镇街道调解组织",
        "arbitration_mediation_center": "仲裁院调解中心",
        "chamber_of_commerce": "商会调解组织",
        "enterprise_confederation": "企联调解组织",
        "new_employment_one_stop": "新就业形态一站式",
        "enterprise_alliance": "企业调解联盟",
        "small_business_liaison": "小微企业联络员",
        "union_negotiation_room": "工会协商室",
        "peoples_mediation": "人民调解委员会",
    },
)
STATUS = Table(
    "T2 状态",
    {
        "received": "已登记",
        "accepted": "已受理",
        "declined": "不予受理",
        "mediating": "调解中",
        "agreed": "已达成协议",
        "partly_agreed": "部分达成",
        "failed": "未达成协议",
        "withdrawn": "已撤回",
        "terminated": "已终止",
        "transferred": "已转出",
        "closed": "已结案",
    },
)
"""No word for ``correction_required``: such a step is not sent."""
TOLD = Table("T2 状态（平台）", {**STATUS.rows, "correction_required": "需补正"})
"""What a status file may say of a case (page §5)."""
END_REASON = Table(
    "T3 办结原因",
    {
        "agreement_reached": "达成调解协议",
        "self_settled_withdrawn": "自行和解撤回",
        "unreachable": "联系不到当事人",
        "unwilling": "当事人明确不愿",
        "large_divergence": "分歧较大",
        "expired": "期限届满",
        "refused_to_sign": "拒绝签字",
        "other": "其他",
    },
)
CHANNEL = Table(
    "T4 来源",
    {
        "window": "窗口",
        "phone": "电话",
        "web": "网页",
        "app": "应用",
        "mini_program": "小程序",
        "official_account": "公众号",
        "referral": "移送",
    },
)
CLAIM = Table(
    "T5 请求类别",
    {
        "labor_remuneration": "劳动报酬",
        "overtime": "加班费",
        "work_injury_medical": "工伤医疗费",
        "economic_compensation": "经济补偿",
        "damages": "赔偿金",
        "social_insurance": "社会保险",
        "contract_conclusion": "合同订立",
        "contract_change": "合同变更",
        "contract_termination": "合同解除终止",
        "labor_relation": "劳动关系",
        "working_time": "工作时间",
        "welfare": "福利",
        "training": "培训",
        "labor_protection": "劳动保护",
        "other": "其他",
    },
)
ID_TYPE = Table(
    "T6 证件类型",
    {
        "resident_id": "居民身份证",
        "passport": "护照",
        "hk_macao_permit": "港澳通行证",
        "taiwan_permit": "台湾通行证",
        "hk_macao_taiwan_residence_permit": "港澳台居住证",
        "foreign_permanent_resident_card": "外国人永居证",
    },
)
CAUSE_TABLE = Table("案由表", {"2025": "2025", "2020": "2020", "arbitration": "仲裁"})
APPLICATION_FORM = Table("申请方式", {"written": "书面", "oral": "口头"})
ROLE = Table("角色", {"applicant": "申请人", "respondent": "被申请人", "third_party": "第三人"})
KIND = Table("类型", {"person": "自然人", "employer": "用人单位", "other_organization": "其他组织"})
SEX = Table("性别", {"male": "男", "female": "女"})
"""An unknown sex is left out."""
METHOD = Table("方式", {"on_site": "现场", "phone": "电话", "video": "视频", "written": "书面"})
EFFECT_RULE = Table(
    "生效规则", {"labor_law": "调解仲裁法", "court_delegated_paper": "委派纸质", "court_online": "法院在线"}
)
SETTLED = Table("范围", {"all": "全部", "partial": "部分"})
PERFORMANCE = Table("履行状态", {"performed": "已履行", "partly_performed": "部分履行", "breached": "未履行"})
