"""What may follow what: the order of the chain and the states (hr_arbitration page §8.3)."""

from __future__ import annotations

from mocks.hr_arbitration.fields import REQUIRED, WRONG, Finding, Json, moment
from mocks.hr_arbitration.ledger import DECIDED, Ledger, Matter
from mocks.hr_arbitration.settings import Settings

_NEEDS_CASE = frozenset({"TJ1002", "TJ1003", "TJ1004", "TJ1005", "TJ2001", "TJ3001", "TJ3002"})


def check(ledger: Ledger, settings: Settings, service: str, content: Json) -> list[Finding]:
    """All findings of a plaintext whose fields are sound."""
    found: list[Finding] = []
    case = ledger.cases.get((content.get("BZA002", ""), content.get("BZA001", "")))
    if service in _NEEDS_CASE and case is None:
        return [Finding("4010", "BZA001", "", "案件不存在")]
    if service == "TJ1001" and case is not None:
        return [Finding("4011", "BZA001", "", "案件已登记")]
    if "BZJ001" in content and service in ("TJ1001", "TJ1002"):
        found += _task_of_case(ledger, content)
    found += _files(ledger, content)
    found += _mediators(ledger, content)
    match service:
        case "TJ1004" if case is not None:
            found += _indexes(content, case)
        case "TJ1005":
            found += _agreement(ledger, content)
        case "TJ2001" if case is not None:
            found += _review(ledger, settings, content, case)
        case "TJ2002" | "TJ2003":
            found += _review_step(ledger, service, content)
        case "TJ3001":
            found += _transfer(ledger, content)
        case "TJ5001" | "TJ5002":
            found += _task(ledger, service, content)
    return found


def _files(ledger: Ledger, content: Json) -> list[Finding]:
    named = [("BZF001", f"BZF000[{index}]", row["BZF001"]) for index, row in enumerate(content.get("BZF000", []))]
    if "BZD007" in content:
        named.append(("BZD007", "", content["BZD007"]))
    return [Finding("4050", field, place, "附件不存在") for field, place, name in named if name not in ledger.files]


def _mediators(ledger: Ledger, content: Json) -> list[Finding]:
    return [
        Finding("4030", "BZM001", f"BZM000[{index}]", "调解员证书已失效")
        for index, row in enumerate(content.get("BZM000", []))
        if row["BZM001"] in ledger.left_mediators
    ]


def _indexes(content: Json, case: Matter) -> list[Finding]:
    count = len(case.content["BZP000"])
    named = [("BZD106", f"BZD100[{index}]", row.get("BZD106")) for index, row in enumerate(content["BZD100"])]
    named += [("BZD202", f"BZD200[{index}]", row.get("BZD202")) for index, row in enumerate(content["BZD200"])]
    return [
        Finding(WRONG, field, place, "当事人序号不存在")
        for field, place, number in named
        if number is not None and int(number) >= count
    ]


def _agreement(ledger: Ledger, content: Json) -> list[Finding]:
    agreement = ledger.agreements.get((content["BZA002"], content["BZD001"]))
    if agreement is None or agreement["BZA001"] != content["BZA001"]:
        return [Finding("4024", "BZD001", "", "协议不存在")]
    return []


def _review(ledger: Ledger, settings: Settings, content: Json, case: Matter) -> list[Finding]:
    if found := _agreement(ledger, content):
        return found
    if content["BZC002"] in ledger.reviews:
        found.append(Finding("4011", "BZC002", "", "申请已存在"))
    agreement = ledger.agreements[content["BZA002"], content["BZD001"]]
    days = (moment(content["BZC012"]).date() - moment(agreement["BZD004"]).date()).days
    # The law's holidays are the adapter's to know: the platform only allows what they can add at most.
    if days > settings.review_days + settings.holiday_roll_days and "BZC013" not in content:
        found.append(Finding("4020", "BZC012", "", "超过15日且未说明理由"))
    others = ledger.reviews_of.get((content["BZA002"], content["BZD001"]), [])
    if any(review.state not in DECIDED for review in others):
        found.append(Finding("4021", "BZD001", "", "该协议另有在办申请"))
    if settings.commissions and content["BZC003"] not in settings.commissions:
        found.append(Finding("4022", "BZC003", "", "不属于本委管辖"))
    if case.content["BZA008"] == "0101":
        found.append(Finding("4023", "BZA008", "", "确认劳动关系不予审查"))
    return found + _sides(content, case)


def _sides(content: Json, case: Matter) -> list[Finding]:
    parties = case.content["BZP000"]
    found = [
        Finding(WRONG, field, place, "当事人序号不存在")
        for field, place, number in [
            *(("BZC011", f"BZC011[{index}]", number) for index, number in enumerate(content["BZC011"])),
            *(("BZP001", f"BZC100[{index}]", row.get("BZP001", "0")) for index, row in enumerate(content["BZC100"])),
        ]
        if int(number) >= len(parties)
    ]
    if found:
        return found
    roles = {parties[int(number)]["BZP002"] for number in content["BZC011"]}
    if not {"1", "2"} <= roles:
        found.append(Finding(REQUIRED, "BZC011", "", "须由双方当事人共同申请"))
    return found


def _review_step(ledger: Ledger, service: str, content: Json) -> list[Finding]:
    review = ledger.reviews.get(content["BZC002"])
    if review is None or review.state in DECIDED or (service == "TJ2002" and not review.corrected):
        return [Finding("4011", "BZC002", "", "当前状态不允许")]
    return []


def _transfer(ledger: Ledger, content: Json) -> list[Finding]:
    """Once, and again where the platform asked for a correction (ZC3001 with 3): no other service answers that."""
    known = ledger.transfers.get(content["BZG001"])
    if known is None or known.state == "correction_required":
        return []
    return [Finding("4011", "BZG001", "", "申请已存在")]


def _task_of_case(ledger: Ledger, content: Json) -> list[Finding]:
    task = ledger.tasks.get(content["BZJ001"])
    if task is None or task.content["BZA002"] != content["BZA002"]:
        return [Finding("4040", "BZJ001", "", "任务不存在")]
    return []


def _task(ledger: Ledger, service: str, content: Json) -> list[Finding]:
    task = ledger.tasks.get(content["BZJ001"])
    if task is None or task.content["BZA002"] != content["BZA002"]:
        return [Finding("4040", "BZJ001", "", "任务不存在")]
    if task.state != ("offered" if service == "TJ5001" else "accepted"):
        return [Finding("4040", "BZJ001", "", "任务已答复、已收回或未受理")]
    if service == "TJ5001" and moment(content["AAE036"]) > moment(task.content["BZJ003"]):
        return [Finding("4040", "BZJ001", "", "任务已逾期")]
    return []
