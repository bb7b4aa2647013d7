"""Who plays in the demonstration: organisations, causes, and the parts that names are made of. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.lists import CauseTable, ClaimKind, OrganizationType


@dataclass(frozen=True, slots=True)
class Home:
    """One mediation organisation (调解组织) with an upstream system of its own."""

    code: str
    name: str
    type: OrganizationType
    region_code: str
    city: str
    county: str
    area_code: str
    mediators: tuple[tuple[str, str], ...]

    @property
    def commission(self) -> str:
        """The arbitration commission (劳动人事争议仲裁委员会) that it belongs to."""
        return f"{self.city}{self.county}劳动人事争议仲裁委员会"

    @property
    def court_code(self) -> str:
        """The court's code (法院代码)."""
        return f"鲁{self.region_code[2:]}"

    @property
    def court(self) -> str:
        """The court (基层人民法院) that it belongs to."""
        return f"{self.city}{self.county}人民法院"


T = OrganizationType

HOMES: Final = (
    Home(
        "SD-JN-LX-001",
        "济南市历下区劳动人事争议仲裁院调解中心",
        T.ARBITRATION_MEDIATION_CENTER,
        "370102",
        "济南市",
        "历下区",
        "0531",
        (("LDTJ-3701-2023-0456", "李明"), ("LDTJ-3701-2021-0102", "孟晓芸")),
    ),
    Home(
        "SD-LY-LS-007",
        "临沂市兰山区银雀山街道一站式矛盾纠纷调解中心",
        T.TOWNSHIP,
        "371302",
        "临沂市",
        "兰山区",
        "0539",
        (("LDTJ-3713-2022-0088", "王兰"),),
    ),
    Home(
        "SD-QD-SB-003",
        "青岛市市北区总工会劳动争议协商室",
        T.UNION_NEGOTIATION_ROOM,
        "370203",
        "青岛市",
        "市北区",
        "0532",
        (("LDTJ-3702-2022-0317", "于海涛"), ("LDTJ-3702-2024-0031", "宋美玲")),
    ),
    Home(
        "SD-YT-ZF-012",
        "烟台市芝罘区商会劳动争议调解委员会",
        T.CHAMBER_OF_COMMERCE,
        "370602",
        "烟台市",
        "芝罘区",
        "0535",
        (("LDTJ-3706-2023-0210", "曲振华"),),
    ),
    Home(
        "SD-ZB-ZD-021",
        "淄博市张店区新就业形态劳动纠纷一站式调解中心",
        T.NEW_EMPLOYMENT_ONE_STOP,
        "370303",
        "淄博市",
        "张店区",
        "0533",
        (("LDTJ-3703-2024-0009", "司志强"), ("LDTJ-3703-2023-0155", "鹿小婉")),
    ),
    Home(
        "SD-JI-RC-005",
        "济宁市任城区示例机械制造有限公司劳动争议调解委员会",
        T.ENTERPRISE_COMMITTEE,
        "370811",
        "济宁市",
        "任城区",
        "0537",
        (("LDTJ-3708-2022-0063", "孔令辉"),),
    ),
    Home(
        "SD-WF-KW-002",
        "潍坊市奎文区企业联合会劳动争议调解中心",
        T.ENTERPRISE_CONFEDERATION,
        "370705",
        "潍坊市",
        "奎文区",
        "0536",
        (("LDTJ-3707-2023-0033", "于海"),),
    ),
)
"""Several kinds and regions. The first two are those of the contract's samples, so that a person can send the samples too."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a dispute is about (案由) and how it is told. ``facts`` and ``claim`` take ``amount``, ``months`` and ``job``."""

    table: CauseTable
    path: tuple[str, ...]
    claim_kind: ClaimKind
    facts: str
    claim: str


_CONTRACT = ("劳动争议", "劳动合同纠纷")
_INSURANCE = ("劳动争议", "社会保险纠纷")
_PAY = "劳动报酬、工伤医疗费、经济补偿或者赔偿金"
_C = CauseTable
_K = ClaimKind

GROUNDS: Final = (
    Ground(
        _C.COURT_2025,
        (*_CONTRACT, "追索劳动报酬纠纷"),
        _K.LABOR_REMUNERATION,
        "申请人在被申请人处任{job}，被申请人连续{months}个月未足额支付工资，至申请之日共拖欠{amount}元。",
        "支付拖欠的{months}个月工资共计{amount}元",
    ),
    Ground(
        _C.COURT_2025,
        (*_CONTRACT, "经济补偿金纠纷"),
        _K.ECONOMIC_COMPENSATION,
        "被申请人以客观情况发生重大变化为由解除与申请人（{job}）的劳动合同，双方就解除劳动合同的经济补偿{amount}元未能协商一致。",
        "支付解除劳动合同的经济补偿{amount}元",
    ),
    Ground(
        _C.COURT_2025,
        (*_INSURANCE, "工伤保险待遇纠纷"),
        _K.SOCIAL_INSURANCE,
        "申请人任{job}期间受伤，已认定为工伤，停工留薪{months}个月，双方就工伤保险待遇{amount}元发生争议。",
        "支付工伤保险待遇共计{amount}元",
    ),
    Ground(
        _C.COURT_2025,
        ("劳动争议", "福利待遇纠纷"),
        _K.WELFARE,
        "申请人任{job}，被申请人{months}个月未发放劳动合同约定的住房补贴和高温津贴，合计{amount}元。",
        "补发福利待遇{amount}元",
    ),
    Ground(
        _C.ARBITRATION,
        (_PAY, "赔偿金"),
        _K.DAMAGES,
        "被申请人未与申请人（{job}）协商即口头通知解除劳动合同，申请人主张违法解除劳动合同的赔偿金{amount}元。",
        "支付违法解除劳动合同的赔偿金{amount}元",
    ),
    Ground(
        _C.ARBITRATION,
        (_PAY, "工伤医疗费"),
        _K.WORK_INJURY_MEDICAL,
        "申请人任{job}期间受伤，{months}个月内自行垫付医疗费{amount}元，被申请人未予报销。",
        "支付垫付的工伤医疗费{amount}元",
    ),
)
"""None of them is about the existence of a labour relation (确认劳动关系), which arbitration review excludes."""

SITE: Final = Ground(
    _C.COURT_2025,
    (*_CONTRACT, "追索劳动报酬纠纷"),
    _K.LABOR_REMUNERATION,
    "某工程项目{workers}名工人反映，用工单位与劳务派遣单位互相推诿，连续{months}个月工资未付，合计{amount}元。",
    "支付{workers}名工人{months}个月工资共计{amount}元",
)
"""A collective dispute: dispatching and using unit are both respondents."""

FAMILY_NAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN_NAMES: Final = {
    "male": ("建国", "志强", "海波", "永刚", "文斌", "立军", "大伟", "玉龙", "春雷", "少华", "明哲", "家栋"),
    "female": ("秀英", "丽娟", "晓燕", "桂兰", "海燕", "雪梅", "婷婷", "文静", "玉洁", "春红", "佳慧", "淑贞"),
}
JOBS: Final = (
    "厨师",
    "保安员",
    "焊工",
    "车间操作工",
    "仓库管理员",
    "外卖配送员",
    "货车司机",
    "保洁员",
    "会计",
    "销售员",
)
ETHNIC_GROUPS: Final = ("汉族", "汉族", "汉族", "汉族", "回族", "满族")
STREETS: Final = (
    "文化东路",
    "泉城路",
    "通达路",
    "人民路",
    "建设西路",
    "青年路",
    "和平街",
    "工业北路",
    "滨河大道",
    "解放路",
)
BANKS: Final = ("中国工商银行", "中国农业银行", "中国银行", "中国建设银行", "齐鲁银行")
TRADES: Final = (
    ("餐饮管理有限公司", "H62", "limited_company"),
    ("机械制造有限公司", "C34", "limited_company"),
    ("物业服务有限公司", "K70", "limited_company"),
    ("纺织股份有限公司", "C17", "joint_stock_company"),
    ("物流有限公司", "G54", "private"),
    ("网络科技有限公司", "I64", "platform_enterprise"),
    ("商贸有限公司", "F52", "private"),
)
DISPATCHERS: Final = ("建筑劳务派遣有限公司", "L72", "limited_company")
BUILDERS: Final = ("建设集团股份有限公司", "E47", "joint_stock_company")
WORDS: Final = ("鲁信", "海岱", "泉韵", "齐邦", "岱宗", "沂蒙", "渤海", "蓬莱", "稷下", "微山")
