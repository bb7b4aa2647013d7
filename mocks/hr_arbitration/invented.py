"""Invented cases that the arbitration hands over for mediation (ZC5001): right check characters, nobody's data."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from mocks.hr_arbitration.fields import Json
from mocks.numbers import credit_code_check, resident_id_check

_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_GIVEN = ("国栋", "丽华", "志远", "秀英", "海涛", "玉兰", "思源", "春梅", "立平", "文静")
_STREETS = ("文化东路", "解放路", "泉城路", "山大南路", "工业南路")
_TRADES = ("食品加工", "物流运输", "机械制造", "家政服务", "建筑装饰")
_OF_PAY = "arbitration:劳动报酬、工伤医疗费、经济补偿或者赔偿金"
_OF_CONTRACTS = "arbitration:订立、履行、变更、解除和终止劳动合同"
_CAUSES = (  # BZA008, BZA009 (the path of 调解仲裁法 art. 2), BZQ002, claim
    ("0501", f"{_OF_PAY}/劳动报酬", "01", "支付拖欠的工资"),
    ("0503", f"{_OF_PAY}/经济补偿", "04", "支付解除劳动合同的经济补偿"),
    ("0204", f"{_OF_CONTRACTS}/解除劳动合同", "09", "确认解除劳动合同违法并支付赔偿金"),
)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def entrusted_case(seed: str, organization: Json, number: str, now: datetime) -> Json:
    """All case and party fields of ZC5001 but BZJ001–BZJ003; the same ``seed`` gives the same people and claims.

    ``organization`` has BZA002, BZA003, AAB301; ``number`` is the arbitration's case number (BZA001).
    """
    random = Random(f"hr_arbitration:{seed}")
    region = organization["AAB301"][:6]
    cause, path, claim_kind, claim = random.choice(_CAUSES)
    months, wage = random.randint(1, 8), random.randrange(3800, 9600, 50)
    amount = f"{months * wage}.00"
    received = now - timedelta(days=random.randint(1, 4))
    return {
        "BZA001": number,
        **organization,
        "BZA008": cause,
        "BZA009": path,
        "BZA010": f"申请人称在被申请人处工作{months + 12}个月，双方发生争议。"
        f"申请人要求{claim}共计{amount}元，被申请人未予答复。",
        "BZA013": amount,
        "BZA020": received.strftime("%Y%m%d%H%M%S"),
        "BZA014": "0",
        "BZQ000": [{"BZQ001": "1", "BZQ002": claim_kind, "BZQ003": f"{claim}{amount}元", "BZQ004": amount}],
        "BZP000": [_person(random, region), _employer(random, region)],
    }


def _name(random: Random) -> str:
    return random.choice(_FAMILY) + random.choice(_GIVEN)


def _address(random: Random) -> str:
    return f"{random.choice(_STREETS)}{random.randint(1, 300)}号"


def _person(random: Random, region: str) -> Json:
    born = datetime(1970, 1, 1) + timedelta(days=random.randrange(12_000))  # noqa: DTZ001 - a birth date has no zone
    order = random.randrange(1000)
    digits = f"{region}{born:%Y%m%d}{order:03d}"
    return {
        "BZP001": "0",
        "BZP002": "1",
        "BZP003": "1",
        "AAC003": _name(random),
        "AAC058": "01",
        "AAC147": digits + resident_id_check(digits),
        "AAC161": "CHN",
        "AAC004": "1" if order % 2 else "2",
        "AAC006": born.strftime("%Y%m%d"),
        "AAC005": "01",
        "AAE005": f"138{random.randrange(10**8):08d}",
        "AAB301": region,
        "AAE006": _address(random),
    }


def _employer(random: Random, region: str) -> Json:
    code = "91" + region + "".join(random.choice(_CREDIT) for _ in range(9))
    return {
        "BZP001": "1",
        "BZP002": "2",
        "BZP003": "2",
        "AAB004": f"示例{random.choice(_TRADES)}有限公司",
        "AAB003": code + credit_code_check(code),
        "AAB019": "10",
        "AAB020": "150",
        "BZP008": random.choice("1234"),
        "AAB013": _name(random),
        "BZP009": "总经理",
        "AAE004": _name(random),
        "AAE005": f"0531-8{random.randrange(10**7):07d}",
        "AAB301": region,
        "AAE006": _address(random),
    }
