"""The closed lists of the documents: English values with their Chinese and English titles.

Lists of states and of reference kinds stand in ``contracts/status.py``. Platforms' own codes are mapped by each
adapter. Source: the contract, §2 ("Closed lists"), and the legal texts named at each list.
"""

from __future__ import annotations

from contracts.titled import Titled

# ---------------------------------------------------------------------------------------------------------------- case


class OrganizationType(Titled):
    """Type of mediation organisation (调解组织类型); ``domain.md`` §2.6, 鲁人社函〔2024〕98号."""

    ENTERPRISE_COMMITTEE = "enterprise_committee", "企业劳动争议调解委员会", "Enterprise mediation committee"
    TOWNSHIP = "township", "乡镇（街道）调解组织", "Township or sub-district organisation"
    ARBITRATION_MEDIATION_CENTER = "arbitration_mediation_center", "仲裁院调解中心", "Arbitration mediation centre"
    CHAMBER_OF_COMMERCE = "chamber_of_commerce", "商（协）会调解组织", "Chamber of commerce"
    ENTERPRISE_CONFEDERATION = "enterprise_confederation", "企联（企协）调解组织", "Enterprise confederation"
    NEW_EMPLOYMENT_ONE_STOP = "new_employment_one_stop", "新就业形态一站式调解组织", "New forms of employment, one-stop"
    ENTERPRISE_ALLIANCE = "enterprise_alliance", "企业调解联盟", "Alliance of enterprises"
    SMALL_BUSINESS_LIAISON = "small_business_liaison", "小微企业协调联络员", "Small-business liaison officer"
    UNION_NEGOTIATION_ROOM = "union_negotiation_room", "工会劳动争议协商室", "Union negotiation room"
    PEOPLES_MEDIATION = "peoples_mediation", "人民调解组织", "People's mediation committee"


class Channel(Titled):
    """By which way an application came (申请渠道)."""

    WINDOW = "window", "窗口", "Window"
    PHONE = "phone", "电话", "Phone"
    WEB = "web", "网站", "Web site"
    APP = "app", "移动应用", "App"
    MINI_PROGRAM = "mini_program", "小程序", "Mini-program"
    OFFICIAL_ACCOUNT = "official_account", "公众号", "Official account"
    REFERRAL = "referral", "委派委托", "Referral"


class ApplicationForm(Titled):
    """Form of the application (申请方式); 调解仲裁法 art. 12."""

    WRITTEN = "written", "书面", "Written"
    ORAL = "oral", "口头", "Oral"


class ClaimKind(Titled):
    """What is claimed (请求事项类别)."""

    LABOR_REMUNERATION = "labor_remuneration", "劳动报酬", "Wages"
    OVERTIME = "overtime", "加班费", "Overtime pay"
    WORK_INJURY_MEDICAL = "work_injury_medical", "工伤医疗费", "Medical costs of a work injury"
    ECONOMIC_COMPENSATION = "economic_compensation", "经济补偿", "Economic compensation"
    DAMAGES = "damages", "赔偿金", "Damages"
    SOCIAL_INSURANCE = "social_insurance", "社会保险", "Social insurance"
    CONTRACT_CONCLUSION = "contract_conclusion", "订立劳动合同", "Conclusion of the contract"
    CONTRACT_CHANGE = "contract_change", "变更劳动合同", "Change of the contract"
    CONTRACT_TERMINATION = "contract_termination", "解除或者终止劳动合同", "Ending of the contract"
    LABOR_RELATION = "labor_relation", "确认劳动关系", "Existence of a labour relation"
    WORKING_TIME = "working_time", "工作时间、休息休假", "Working time, rest and leave"
    WELFARE = "welfare", "福利", "Welfare"
    TRAINING = "training", "培训", "Training"
    LABOR_PROTECTION = "labor_protection", "劳动保护", "Labour protection"
    OTHER = "other", "其他", "Other"


class CauseTable(Titled):
    """The tables that a cause may be taken from (案由表)."""

    COURT_2025 = "2025", "民事案件案由规定（2025）", "Civil causes, 2025"
    COURT_2020 = "2020", "民事案件案由规定（2020）", "Civil causes, 2020"
    ARBITRATION = "arbitration", "仲裁受案范围（调解仲裁法第二条）", "Scope of arbitration (art. 2)"


class ConsentScope(Titled):
    """What a party consented to (同意事项); 个人信息保护法 arts. 13, 23, 29."""

    CROSS_PLATFORM_SHARING = "cross_platform_sharing", "跨平台共享", "Sharing with other platforms"
    ELECTRONIC_SERVICE = "electronic_service", "电子送达", "Electronic service"
    RECORDING = "recording", "录音录像", "Recording"


class EndReason(Titled):
    """Why a mediation ended (终止原因): the closed list of eight of 人民法院在线调解规则 art. 25."""

    AGREEMENT_REACHED = "agreement_reached", "达成调解协议", "Agreement reached"
    SELF_SETTLED_WITHDRAWN = "self_settled_withdrawn", "自行和解撤回", "Settled themselves and withdrew"
    UNREACHABLE = "unreachable", "联系不到当事人", "Party could not be reached in time"
    UNWILLING = "unwilling", "当事人明确不愿调解", "Party clearly unwilling"
    LARGE_DIVERGENCE = "large_divergence", "分歧较大", "Large divergence"
    EXPIRED = "expired", "期限届满", "Term expired"
    REFUSED_TO_SIGN = "refused_to_sign", "拒绝签字", "Refused to sign"
    OTHER = "other", "其他", "Other"


class SessionMethod(Titled):
    """How a session was held (调解方式)."""

    ON_SITE = "on_site", "现场", "On site"
    PHONE = "phone", "电话", "Phone"
    VIDEO = "video", "视频", "Video"
    WRITTEN = "written", "书面", "In writing"


class AlertLevel(Titled):
    """Level of a collective alert (重大集体争议报告级别)."""

    MAJOR = "major", "重大", "Major"
    SERIOUS = "serious", "较大", "Serious"
    GENERAL = "general", "一般", "General"


# --------------------------------------------------------------------------------------------------------------- party


class PartyRole(Titled):
    """Standing of a party (当事人地位)."""

    APPLICANT = "applicant", "申请人", "applicant"
    RESPONDENT = "respondent", "被申请人", "respondent"
    THIRD_PARTY = "third_party", "第三人", "third party"


class PartyKind(Titled):
    """What a party is (当事人类型)."""

    PERSON = "person", "自然人", "Person"
    EMPLOYER = "employer", "用人单位", "Employer"
    OTHER_ORGANIZATION = "other_organization", "其他组织", "Other organisation"


class IdType(Titled):
    """Kind of identity document (证件类型)."""

    RESIDENT_ID = "resident_id", "居民身份证", "Resident id"
    PASSPORT = "passport", "护照", "Passport"
    HK_MACAO_PERMIT = "hk_macao_permit", "港澳居民来往内地通行证", "HK/Macao permit"
    TAIWAN_PERMIT = "taiwan_permit", "台湾居民来往大陆通行证", "Taiwan permit"
    HK_MACAO_TAIWAN_RESIDENCE_PERMIT = (
        "hk_macao_taiwan_residence_permit",
        "港澳台居民居住证",
        "Residence permit for HK, Macao and Taiwan",
    )
    FOREIGN_PERMANENT_RESIDENT_CARD = (
        "foreign_permanent_resident_card",
        "外国人永久居留身份证",
        "Foreign permanent resident card",
    )
    OTHER = "other", "其他", "Other"


class Sex(Titled):
    """Sex (性别); GB/T 2261.1 without its numbers."""

    MALE = "male", "男", "Male"
    FEMALE = "female", "女", "Female"
    UNKNOWN = "unknown", "未知", "Unknown"


class UnitType(Titled):
    """Type of an employing unit (单位类型); after GB/T 12402 and the unit kinds beside it."""

    STATE_OWNED = "state_owned", "国有企业", "State-owned"
    COLLECTIVE = "collective", "集体企业", "Collectively owned"
    JOINT_STOCK_COOPERATIVE = "joint_stock_cooperative", "股份合作企业", "Joint-stock cooperative"
    ASSOCIATED = "associated", "联营企业", "Associated enterprise"
    LIMITED_COMPANY = "limited_company", "有限责任公司", "Limited company"
    JOINT_STOCK_COMPANY = "joint_stock_company", "股份有限公司", "Joint-stock company"
    PRIVATE = "private", "私营企业", "Private enterprise"
    HK_MACAO_TAIWAN_INVESTED = "hk_macao_taiwan_invested", "港澳台商投资企业", "HK, Macao or Taiwan invested"
    FOREIGN_INVESTED = "foreign_invested", "外商投资企业", "Foreign invested"
    INDIVIDUAL_BUSINESS = "individual_business", "个体工商户", "Individual business"
    PRIVATE_NON_ENTERPRISE = "private_non_enterprise", "民办非企业单位", "Private non-enterprise unit"
    GOVERNMENT = "government", "机关", "Government body"
    PUBLIC_INSTITUTION = "public_institution", "事业单位", "Public institution"
    SOCIAL_ORGANIZATION = "social_organization", "社会团体", "Social organisation"
    PLATFORM_ENTERPRISE = "platform_enterprise", "平台企业", "Platform enterprise"
    OTHER = "other", "其他", "Other"


class UnitSize(Titled):
    """Size of an enterprise (企业规模)."""

    LARGE = "large", "大型", "Large"
    MEDIUM = "medium", "中型", "Medium"
    SMALL = "small", "小型", "Small"
    MICRO = "micro", "微型", "Micro"


class AgentKind(Titled):
    """Who acts for a party (代理人类型)."""

    LAWYER = "lawyer", "律师", "Lawyer"
    LEGAL_WORKER = "legal_worker", "基层法律服务工作者", "Legal worker"
    EMPLOYEE = "employee", "单位工作人员", "Employee of the unit"
    CLOSE_RELATIVE = "close_relative", "近亲属", "Close relative"
    CITIZEN = "citizen", "公民", "Citizen"


class AgentAuthority(Titled):
    """Power of an agent (代理权限)."""

    GENERAL = "general", "一般代理", "General"
    SPECIAL = "special", "特别授权", "Special"


# ----------------------------------------------------------------------------------------------------------- agreement


class EffectRule(Titled):
    """Which rule makes an agreement effective (生效规则).

    Sources: 调解仲裁法 art. 14, 特邀调解规定 art. 24, 在线调解规则 art. 19.
    """

    LABOR_LAW = "labor_law", "劳动争议调解仲裁法", "Labour mediation law"
    COURT_DELEGATED_PAPER = "court_delegated_paper", "法院委派（纸面）", "Court-delegated, on paper"
    COURT_ONLINE = "court_online", "法院平台（在线）", "Court platform, online"


class SettledClaims(Titled):
    """How much of the claims an agreement settles (解决范围)."""

    ALL = "all", "全部", "All"
    PARTIAL = "partial", "部分", "Part"


class TermKind(Titled):
    """What a term of an agreement obliges to (协议事项类别)."""

    PAYMENT = "payment", "给付", "Payment"
    REINSTATEMENT = "reinstatement", "恢复劳动关系", "Reinstatement"
    CONTRACT_TERMINATION = "contract_termination", "解除劳动合同", "Ending of the contract"
    CERTIFICATE = "certificate", "出具证明", "Certificate"
    SOCIAL_INSURANCE = "social_insurance", "社会保险", "Social insurance"
    APOLOGY = "apology", "赔礼道歉", "Apology"
    WAIVER = "waiver", "放弃请求", "Waiver"
    OTHER = "other", "其他", "Other"


class SignerRole(Titled):
    """Who signed (签署人)."""

    PARTY = "party", "当事人", "Party"
    MEDIATOR = "mediator", "调解员", "Mediator"


class SignatureMethod(Titled):
    """How it was signed (签署方式)."""

    HANDWRITTEN = "handwritten", "签名", "Handwritten"
    SEAL = "seal", "盖章", "Seal"
    FINGERPRINT = "fingerprint", "捺印", "Fingerprint"
    ELECTRONIC = "electronic", "电子签名", "Electronic"


# ------------------------------------------------------------------------------------------- confirmation and transfer


class ConfirmationRoute(Titled):
    """Which way an agreement is confirmed (确认方式)."""

    ARBITRATION_REVIEW = "arbitration_review", "仲裁审查确认", "Arbitration review"
    JUDICIAL_CONFIRMATION = "judicial_confirmation", "司法确认", "Judicial confirmation"


class AuthorityKind(Titled):
    """Kind of the receiving authority (受理机关类型)."""

    ARBITRATION_COMMISSION = "arbitration_commission", "仲裁委员会", "Arbitration commission"
    COURT = "court", "人民法院", "Court"
    LEGAL_AID_CENTER = "legal_aid_center", "法律援助中心", "Legal aid centre"
    LABOR_INSPECTION = "labor_inspection", "劳动保障监察机构", "Labour inspection"
    OTHER = "other", "其他", "Other"


class TransferTo(Titled):
    """Where a case is transferred to (移送去向)."""

    ARBITRATION = "arbitration", "仲裁", "Arbitration"
    COURT = "court", "诉讼", "Court"
    PAYMENT_ORDER = "payment_order", "支付令", "Payment order"
    LEGAL_AID = "legal_aid", "法律援助", "Legal aid"
    LABOR_INSPECTION = "labor_inspection", "劳动保障监察", "Labour inspection"


class TransferReason(Titled):
    """Why a case is transferred (移送原因)."""

    MEDIATION_FAILED = "mediation_failed", "调解不成", "Mediation failed"
    LIMIT_PASSED = "limit_passed", "调解期限届满", "Mediation limit passed"
    NOT_PERFORMED = "not_performed", "协议未履行", "Agreement not performed"
    UNWILLING = "unwilling", "不愿调解", "Unwilling to mediate"
    OTHER = "other", "其他", "Other"


# ------------------------------------------------------------------------------------------------------------ referral


class ReferralKind(Titled):
    """How a platform hands a case over (委派委托类型)."""

    COURT_DELEGATED = "court_delegated", "法院委派调解", "Delegated by a court (before filing)"
    COURT_ENTRUSTED = "court_entrusted", "法院委托调解", "Entrusted by a court (after filing)"
    ARBITRATION_ENTRUSTED = "arbitration_entrusted", "仲裁委托调解", "Entrusted by arbitration"
    ONE_STOP_ASSIGNED = "one_stop_assigned", "一站式平台分流", "Assigned by the one-stop platform"
    UNION_HANDED_OVER = "union_handed_over", "工会移交", "Handed over by a union"
    NATIONAL_PLATFORM = "national_platform", "全国平台转办", "Handed over by the national platform"


class ReferralDecision(Titled):
    """The organisation's answer to a referral (是否接受)."""

    ACCEPT = "accept", "接受", "Accept"
    DECLINE = "decline", "不接受", "Decline"


class ReferralOutcome(Titled):
    """How the mediation of a referral ended (调解结果)."""

    AGREED = "agreed", "达成协议", "Agreed"
    PARTLY_AGREED = "partly_agreed", "部分达成协议", "Partly agreed"
    FAILED = "failed", "调解不成", "Failed"
    WITHDRAWN = "withdrawn", "撤回", "Withdrawn"


# ------------------------------------------------------------------------------------------- mediators and attachments


class Employment(Titled):
    """Employment of a mediator (专职或者兼职)."""

    FULL_TIME = "full_time", "专职", "Full time"
    PART_TIME = "part_time", "兼职", "Part time"


class AttachmentKind(Titled):
    """What an attachment is (附件类别)."""

    MEDIATION_APPLICATION = "mediation_application", "调解申请书", "mediation application"
    IDENTITY_PROOF = "identity_proof", "身份或者资格证明", "identity or capacity proof"
    SERVICE_ADDRESS_CONFIRMATION = "service_address_confirmation", "送达地址确认书", "confirmation of service address"
    POWER_OF_ATTORNEY = "power_of_attorney", "授权委托书", "power of attorney"
    EVIDENCE = "evidence", "证据", "evidence"
    MEDIATION_RECORD = "mediation_record", "调解笔录", "record of mediation"
    MEDIATION_AGREEMENT = "mediation_agreement", "调解协议书", "mediation agreement"
    RIGHTS_NOTICE = "rights_notice", "权利义务告知书", "notice of rights and duties"
    CONFIRMATION_APPLICATION = "confirmation_application", "确认申请书", "application for confirmation"
    MEDIATION_PRESIDED_PROOF = "mediation_presided_proof", "调解组织主持调解的证明", "proof of presiding"
    TERMINATION_PROOF = "termination_proof", "终止调解证明", "proof that mediation ended"
    PERFORMANCE_NOTICE = "performance_notice", "履行告知书", "performance notice"
    MEDIATION_PROPOSAL = "mediation_proposal", "调解建议书", "mediation proposal"
    DECISION = "decision", "裁决或者决定文书", "decision"
    OTHER = "other", "其他", "other"


class MediaType(Titled):
    """Media types of attachments, told by their bytes (媒体类型)."""

    PDF = "application/pdf", "PDF 文件", "PDF"
    OFD = "application/ofd", "OFD 版式文件", "OFD (GB/T 33190)"
    JPEG = "image/jpeg", "JPEG 图片", "JPEG"
    PNG = "image/png", "PNG 图片", "PNG"
