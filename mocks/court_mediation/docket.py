"""Made-up cases of the tasks a court gives 任务下达 (court_mediation §5): parties, claims and due times."""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from mocks.clock import BEIJING
from mocks.court_mediation import codes
from mocks.court_mediation.forms import SIDES
from mocks.court_mediation.moments import write_time
from mocks.court_mediation.settings import Settings
from mocks.numbers import credit_code_check, resident_id_check

TASK_LISTS: Final = frozenset({*SIDES, "claims", "otherMediators", "dbr", "wslist"})
"""Keys of a task that hold a list."""
REFER_KEYS: Final = TASK_LISTS | frozenset(
    {
        "jgdm",
        "wplx",
        "fydm",
        "rwbh",
        "ah",
        "qrqx",
        "tjqx",
        "mediationCaseNo",
        "year",
        "type",
        "draftFlag",
        "caseCatalog",
        "causeCode",
        "disputeType",
        "money",
        "claimMoney",
        "startTimeStr",
        "dispute",
        "sjrs",
    }
)
"""Keys that an order `refer` may have."""

_CASES: Final = (
    ("2025-205-5", "追索劳动报酬纠纷", "labor_remuneration", "支付拖欠工资"),
    ("2025-205-6", "经济补偿金纠纷", "economic_compensation", "支付解除劳动合同经济补偿"),
    ("2025-206-2", "工伤保险待遇纠纷", "work_injury", "支付工伤保险待遇差额"),
)
_NAMES: Final = ("甲", "乙", "丙", "丁", "戊", "己", "庚", "辛")
_SATURDAY: Final = 5


def due_times(settings: Settings, now: datetime, wplx: str) -> tuple[datetime, datetime]:
    """qrqx, the end of the third working day (Monday to Friday, without holidays), and tjqx, 30 or 15 days on."""
    answer = now.date()
    left = settings.answer_days
    while left:
        answer += timedelta(days=1)
        left -= answer.weekday() < _SATURDAY
    days = settings.delegated_days if wplx == codes.DELEGATED else settings.entrusted_days
    return _end_of(answer), _end_of(now.date() + timedelta(days=days))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59), BEIJING)


def case_of(rwbh: str, fydm: str, number: int, now: datetime) -> dict[str, Any]:
    """Case and party keys of `addOffline`, the same for the same task number; people and firms do not exist."""
    random = Random(rwbh)
    cause, dispute_type, kind, claim = random.choice(_CASES)
    amount = f"{random.randrange(20, 900) * 100}.00"
    return {
        "mediationCaseNo": f"（{now:%Y}）{fydm}诉前调{number}号",
        "year": f"{now:%Y}",
        "type": "1",
        "draftFlag": "0",
        "caseCatalog": "9901",
        "causeCode": cause,
        "disputeType": dispute_type,
        "money": amount,
        "claimMoney": amount,
        "startTimeStr": write_time(now),
        "dispute": f"申请人与被申请人因{dispute_type}发生争议，申请人请求{claim}{amount}元。",
        "claims": [{"lx": kind, "nr": f"{claim}{amount}元", "je": amount}],
        "applicantPartyList": [_person(random)],
        "respondentPartyList": [_employer(random)],
    }


def _person(random: Random) -> dict[str, str]:
    born = date(random.randrange(1965, 2004), random.randrange(1, 13), random.randrange(1, 28))
    first17 = f"370102{born:%Y%m%d}{random.randrange(1, 1000):03d}"
    return {
        "applicantType": codes.PERSON,
        "applicantName": f"测试职工{random.choice(_NAMES)}",
        "applicantTel": f"138531{random.randrange(100000):05d}",
        "credentialsType": codes.RESIDENT_ID,
        "credentialsName": "身份证",
        "applicantIDCardNo": first17 + resident_id_check(first17),
        "applicantSex": codes.MALE if int(first17[16]) % 2 else codes.FEMALE,
        "applicantBirthday": f"{born:%Y%m%d}",
        "areaCode": "370102",
        "applicantAddress": f"历下区测试路{random.randrange(1, 200)}号",
    }


def _employer(random: Random) -> dict[str, str]:
    first17 = f"91370102MA0DEM{random.randrange(1000):03d}"
    return {
        "respondentType": codes.EMPLOYER,
        "respondentName": f"济南测试{random.choice(_NAMES)}有限公司",
        "respondentTel": f"0531-8600{random.randrange(10000):04d}",
        "respondentStaticPhone": f"0531-8600{random.randrange(10000):04d}",
        "credentialsType": codes.OTHER_DOCUMENT,
        "credentialsName": codes.UNIT_CERTIFICATE,
        "respondentIDCardNo": first17 + credit_code_check(first17),
        "areaCode": "370102",
        "respondentAddress": f"历下区测试大街{random.randrange(1, 200)}号",
        "respondentFddbr": f"测试法人{random.choice(_NAMES)}",
        "respondentLxr": f"测试联系人{random.choice(_NAMES)}",
    }
