"""Cases that the union hands over: invented parties with right check characters (union page §5)."""

from datetime import datetime, timedelta
from random import Random

from mocks.numbers import credit_code_check, resident_id_check

_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_GIVEN = ("志强", "秀兰", "建华", "桂英", "海燕", "立新", "玉梅", "文博", "晓东", "春霞")
_REGIONS = (
    ("370102", "历下区"),
    ("370103", "市中区"),
    ("370203", "市北区"),
    ("370602", "芝罘区"),
    ("371302", "兰山区"),
)
_TRADES = ("餐饮管理", "物流", "建筑劳务", "纺织", "机械制造")
_JOBS = ("厨师", "分拣员", "钢筋工", "挡车工", "装配工")
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def handed_over(serial: int, region: str, now: datetime) -> dict[str, str]:
    """The fields of ``case.notice`` from ``ajbh`` to the parties, for the case number ``serial`` of this union.

    The same serial gives the same case but for its times. ``zjhm`` is complete, ``csrq`` and ``dz`` stand for persons
    (§5); empty fields are part of it, since the union sends them (§7). ``region`` is the union's own, of 6 digits.
    """
    random = Random(f"union:{serial}")
    district, district_name = random.choice(_REGIONS)
    months, wage = random.randint(1, 6), random.randrange(4200, 9800, 100)
    amount = str(months * wage * 100)
    trade = random.randrange(len(_TRADES))
    started = now - timedelta(days=random.randint(1, 5))
    legal = _name(random)
    return {
        "ajbh": f"{region}-GH-{now:%Y}-{serial:05d}",
        "qh": district,
        "ly": random.choice("1234"),
        "sqsj": f"{started:%Y%m%d%H%M%S}",
        "slsj": "",
        "lb": "1",
        "ay": "劳动争议/劳动合同纠纷/追索劳动报酬纠纷",
        "jq": f"申请人反映单位拖欠{months}个月工资共{months * wage}元 经工会协商未果\n现移交调解 & 请按期答复",
        "qq.1.lx": "01",
        "qq.1.nr": f"支付拖欠工资{months * wage}元",
        "qq.1.je": amount,
        "je": amount,
        "rs": "1",
        "dbr": "",
        **{f"sqr.1.{name}": value for name, value in _person(random, district, district_name, _JOBS[trade]).items()},
        "bsqr.1.mc": f"{district_name}示例{_TRADES[trade]}有限公司",
        "bsqr.1.xydm": _credit_code(random, district),
        "bsqr.1.dwlx": "limited_company",
        "bsqr.1.fr": legal,
        "bsqr.1.lxr": _name(random),
        "bsqr.1.dh": f"0531-8600{random.randrange(10000):04d}",
        "bsqr.1.dzqh": district,
        "bsqr.1.dz": f"{district_name}示范路{random.randint(1, 300)}号",
        "bsqr.1.gm": random.choice("1234"),
    }


def _person(random: Random, district: str, district_name: str, job: str) -> dict[str, str]:
    born = datetime(1966, 1, 1) + timedelta(days=random.randrange(365 * 35))  # noqa: DTZ001 - a birth date has no zone
    male = random.random() < 0.5
    order = random.randrange(0, 499) * 2 + (1 if male else 0)
    first = f"{district}{born:%Y%m%d}{order:03d}"
    return {
        "xm": _name(random),
        "zjlx": "1",
        "zjhm": first + resident_id_check(first),
        "xb": "男" if male else "女",
        "csrq": f"{born:%Y%m%d}",
        "dh": f"138{random.randrange(10**8):08d}",
        "gz": job,
        "dzqh": district,
        "dz": f"{district_name}和平路{random.randint(1, 200)}号",
    }


def _name(random: Random) -> str:
    return random.choice(_FAMILY) + random.choice(_GIVEN)


def _credit_code(random: Random, district: str) -> str:
    first = f"91{district}{''.join(random.choices(_CREDIT, k=9))}"
    return first + credit_code_check(first)
