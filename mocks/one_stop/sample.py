"""Synthetic cases for assignments, some with four-byte GB18030 characters; identity numbers carry their check."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from mocks.numbers import credit_code_check, resident_id_check
from mocks.one_stop.schema import Items

_SURNAMES: Final = ("王", "李", "张", "刘", "陈", "杨", "赵", "𠮷")
_GIVEN: Final = ("建国", "秀英", "志强", "丽华", "海涛", "㛃", "晓东")
_UNITS: Final = ("济南示例餐饮有限公司", "山东示例物流有限公司", "示例建筑劳务（济南）有限公司")
_CLAIMS: Final = (
    ("0701", "2025:劳动争议/劳动合同纠纷/追索劳动报酬纠纷", "01", "支付拖欠工资"),
    ("0705", "2025:劳动争议/劳动合同纠纷/经济补偿金纠纷", "04", "支付解除劳动合同经济补偿"),
    ("0704", "2025:劳动争议/社会保险纠纷/工伤保险待遇纠纷", "03", "支付工伤医疗费"),
)


def assigned_case(number: int, now: datetime) -> Items:
    """The case items from 名称 to 代理人列表 of the ``number``-th assignment, handed over ``now``."""
    person = _SURNAMES[number % len(_SURNAMES)] + _GIVEN[number % len(_GIVEN)]
    unit = _UNITS[number % len(_UNITS)]
    category, cause, kind, claim = _CLAIMS[number % len(_CLAIMS)]
    amount = f"{number % 9 + 1}.{number % 100:02d}0000"
    identity = f"370102199{number % 10}0{number % 9 + 1}15{number % 1000:03d}"
    code = f"91370102MA3{number % 1_000_000:06d}"
    return {
        "名称": f"{person}与{unit}·{cause.rpartition('/')[2]}",
        "发生日期": f"{now - timedelta(days=10):%Y-%m-%d}",
        "发生地点": "370102000000",
        "规模": "01",
        "类别": category,
        "案由": cause,
        "涉及人数": "2",
        "简述": f"{person}反映{unit}未按约履行，要求{claim}。",
        "请求事项列表": [{"种类": kind, "内容": claim, "金额": amount}],
        "涉案金额": amount,
        "涉及单位": unit,
        "主要当事人列表": [
            {
                "角色": "1",
                "证件代码": "111",
                "号码": identity + resident_id_check(identity),
                "姓名": person,
                "性别": "1" if int(identity[-1]) % 2 else "2",
                "民族": "01",
                "人员类别": "1001",
                "居住详址": "370102000000 示例街道1号",
                "联系方式": f"1380000{number % 10_000:04d}",
            }
        ],
        "单位当事人列表": [
            {
                "角色": "2",
                "单位名称": unit,
                "统一社会信用代码": code + credit_code_check(code),
                "联系人": "赵示例",
                "联系方式": "0531-00000000",
                "地址": "370102000000 示例路2号",
            }
        ],
    }
