"""The platform's words, codes and headers (page §3, §5, §7)."""

from __future__ import annotations

from typing import Final

OPS: Final = {"CASE": "case", "PROG": "progress", "AGRE": "agreement", "PERF": "performance"}
LIST: Final = (
    *("行号", "操作", "业务主键", "案件主键", "调解组织编码", "调解组织名称", "组织类型", "行政区划", "登记时间"),
    *("受理时间", "案由表", "案由", "涉案金额", "涉及人数", "申请人", "申请人证件号", "被申请人", "统一社会信用代码"),
    *("状态", "办结原因", "发生时间", "明细文件", "附件数"),
)
REPLY: Final = ("行号", "业务主键", "结果", "平台编号", "错误码", "错误说明", "处理时间")
ACCEPTED: Final = "受理"
REFUSED: Final = "拒绝"
DUPLICATE: Final = "重复"
LATER: Final = "处理中"
CORRECTION: Final = "需补正"

T1: Final = frozenset(
    (
        *("企业调解委员会", "乡镇街道调解组织", "仲裁院调解中心", "商会调解组织", "企联调解组织"),
        *("新就业形态一站式", "企业调解联盟", "小微企业联络员", "工会协商室", "人民调解委员会"),
    )
)
T2: Final = frozenset(
    (
        *("已登记", "已受理", "不予受理", "调解中", "已达成协议", "部分达成"),
        *("未达成协议", "已撤回", "已终止", "已转出", "已结案"),
    )
)
T3: Final = frozenset(
    (
        *("达成调解协议", "自行和解撤回", "联系不到当事人", "当事人明确不愿"),
        *("分歧较大", "期限届满", "拒绝签字", "其他"),
    )
)
T4: Final = frozenset(("窗口", "电话", "网页", "应用", "小程序", "公众号", "移送"))
T5: Final = frozenset(
    (
        *("劳动报酬", "加班费", "工伤医疗费", "经济补偿", "赔偿金", "社会保险", "合同订立", "合同变更"),
        *("合同解除终止", "劳动关系", "工作时间", "福利", "培训", "劳动保护", "其他"),
    )
)
T6: Final = frozenset(("居民身份证", "护照", "港澳通行证", "台湾通行证", "港澳台居住证", "外国人永居证"))
PERFORMED: Final = frozenset(("已履行", "部分履行", "未履行"))
CAUSES: Final = frozenset(("2025", "2020", "仲裁"))
WITH_REASON: Final = frozenset(("未达成协议", "已撤回", "已终止"))

CODES: Final = {
    "B01": "发送方未登记",
    "B02": "清单文件无法读取或有误",
    "B03": "文件缺失、大小或摘要不符",
    "B04": "同名批次内容不同",
    "B05": "文件名格式有误",
    "B06": "缺少完成标记",
    "B07": "超出限额",
    "B08": "压缩包不合规",
    "B09": "列表无法读取",
    "E11": "缺少内容",
    "E12": "未知字段",
    "E13": "内容过长",
    "E14": "格式有误",
    "E15": "用词不在表内",
    "E16": "证件号未脱敏",
    "E17": "统一社会信用代码有误",
    "E18": "列表与明细不一致",
    "E21": "附件有误",
    "E30": "机构未绑定",
    "E31": "案件不存在",
    "E32": "重复登记或修改未登记的案件",
    "E33": "案件已结束",
}


class Wrong(Exception):
    """A batch (B) or a row (E) that is refused; ``place`` names the column, key or file, never a value."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.text = f"{CODES[code]}：{place}" if place else CODES[code]
