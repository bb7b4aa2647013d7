"""The mock of hr_arbitration behind its door: field tables, conditions, chain, ledger (page §4, §6)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mocks.hr_arbitration.invented import entrusted_case
from mocks.server import MockServer
from tests.mocks.hr_client import (
    AGREEMENT,
    ALERT,
    CASE,
    KEYS,
    MEDIATOR,
    PERFORMANCE,
    PROGRESS,
    STATUS,
    SUPPLEMENT,
    TRANSFER,
    WITHDRAWAL,
    Client,
    changed,
    decide,
    refer,
)


async def test_every_service_takes_its_document(client: Client, server: MockServer) -> None:
    file = await client.file()
    await client.done("TJ4001", MEDIATOR)
    full = changed(
        CASE,
        BZF000=[{"BZF001": file, "BZF005": "02"}],
        BZN000=[{"BZN001": "0", "BZN002": "在线调解", "BZN003": "20260901093000"}],
        BZA005="91350100M000100Y43",
        BZA014="1",
        BZA015="12",
        BZA016=["王建国", "李四"],
        BZA017="0",
    )
    await client.done("TJ1001", full)
    await client.done("TJ1002", CASE)
    await client.done("TJ1003", PROGRESS)
    await client.done("TJ1004", changed(AGREEMENT, BZD007=file))
    await client.done("TJ1005", PERFORMANCE | {"BZD302": "18600.00", "BZF000": [{"BZF001": file, "BZF005": "07"}]})
    await client.done("TJ1006", STATUS)
    await client.done("TJ2001", client.review(file))
    await decide(client, "cnf_01JB2Z9K7Q4N", "correct")
    await client.done("TJ2002", SUPPLEMENT)
    await client.done("TJ2003", WITHDRAWAL)
    await client.done("TJ3001", TRANSFER)
    await client.done("TJ3002", ALERT)
    await refer(client, organization_code="SD-JN-LX-001", task_no="RW-1")
    answer = {"BZJ001": "RW-1", "BZA002": "SD-JN-LX-001", "AAE036": CASE["BZA020"]}
    await client.done("TJ5001", answer | {"BZJ004": "1"})
    await client.done("TJ5002", answer | {"BZJ005": "2", "BZS005": "05", "BZJ006": "未达成"})
    kinds = [record["kind"] for record in server.platform.records()]
    assert kinds == [
        *("TJ4001", "TJ1001", "TJ1002", "TJ1003", "TJ1004", "TJ1005", "TJ1006"),
        *("TJ2001", "TJ2002", "TJ2003", "TJ3001", "TJ3002", "ZC5001", "TJ5001", "TJ5002"),
    ]
    keys = {record["kind"]: record["business_key"] for record in server.platform.records()}
    assert keys["TJ1001"] == keys["TJ3002"] == "SD-JN-LX-001/370102-LX001-2026-00123"
    assert keys["TJ1005"] == AGREEMENT["BZD001"]
    assert keys["TJ1006"] == "1/TS20260929000001"
    assert (keys["TJ2003"], keys["TJ3001"]) == ("cnf_01JB2Z9K7Q4N", "trf_01JB2Z9K7Q4N")
    assert (keys["TJ4001"], keys["TJ5002"]) == ("TJ370102001", "RW-1")
    created = [entry for entry in server.platform.journal.entries() if entry["effect"] == "created"]
    by_message = {entry["message_id"]: entry for entry in created if entry["kind"].startswith("TJ")}
    for record in server.platform.records():
        if record["message_id"]:
            entry = by_message[record["message_id"]]
            assert (entry["kind"], entry["ref"]) == (record["kind"], record["ref"])


@pytest.mark.parametrize(
    ("changes", "code", "finding"),
    [
        ({"BZA003": None}, "4001", ("BZA003", "")),
        ({"BZA003": ""}, "4001", ("BZA003", "")),
        ({"BZA005": ""}, "4002", ("BZA005", "")),
        ({"BZA003": "长" * 101}, "4003", ("BZA003", "")),
        ({"BZA001": "1" * 41}, "4003", ("BZA001", "")),
        ({"BZA004": "11"}, "4002", ("BZA004", "")),
        ({"BZA004": 3}, "4002", ("BZA004", "")),
        ({"BZA021": None, "BZA005": "x", "BZA099": "1"}, "4002", ("BZA099", "")),
        ({"bza003": "x"}, "4002", ("bza003", "")),
        ({"AAB301": "3701"}, "4002", ("AAB301", "")),
        ({"AAB301": "37010200100"}, "4002", ("AAB301", "")),
        ({"BZA008": "0999"}, "4002", ("BZA008", "")),
        ({"BZA010": "\ud800"}, "4002", ("BZA010", "")),
        ({"BZA013": "18600"}, "4002", ("BZA013", "")),
        ({"BZA013": "18600.0"}, "4002", ("BZA013", "")),
        ({"BZA013": "-1.00"}, "4002", ("BZA013", "")),
        ({"BZA013": "0018600.00"}, "4002", ("BZA013", "")),
        ({"BZA013": "100000000000000.00"}, "4002", ("BZA013", "")),
        ({"BZA013": "１８６００.00"}, "4002", ("BZA013", "")),
        ({"BZA020": "20260931090000"}, "4002", ("BZA020", "")),
        ({"BZA020": "2026-09-01 09:00"}, "4002", ("BZA020", "")),
        ({"BZA014": "2"}, "4002", ("BZA014", "")),
        ({"BZA015": "12"}, "4002", ("BZA015", "")),
        ({"BZA014": "1", "BZA015": "1000000"}, "4002", ("BZA015", "")),
        ({"BZA014": "1", "BZA016": []}, "4001", ("BZA016", "")),
        ({"BZA014": "1", "BZA016": ["长" * 51]}, "4003", ("BZA016", "BZA016[0]")),
        ({"BZQ000": []}, "4001", ("BZQ000", "")),
        ({"BZQ000": None}, "4001", ("BZQ000", "")),
        ({"BZQ000__0__BZQ001": "2"}, "4002", ("BZQ001", "BZQ000[0]")),
        ({"BZQ000__0__BZQ002": "15"}, "4002", ("BZQ002", "BZQ000[0]")),
        ({"BZQ000__0__BZQ003": "长" * 501}, "4003", ("BZQ003", "BZQ000[0]")),
        ({"BZM000": {}}, "4002", ("BZM000", "")),
        ({"BZM000": ["x"]}, "4002", ("BZM000", "BZM000[0]")),
        ({"BZM000": []}, "4002", ("BZM000", "")),
        ({"BZN000": [{"BZN001": "2"}]}, "4002", ("BZN001", "BZN000[0]")),
        ({"BZF000": [{"BZF001": "F1"}]}, "4001", ("BZF005", "BZF000[0]")),
        ({"BZF000": [{"BZF001": "F1", "BZF005": "02"}]}, "4050", ("BZF001", "BZF000[0]")),
        ({"BZJ001": "RW-9"}, "4040", ("BZJ001", "")),
        ({"BZP000": []}, "4001", ("BZP000", "")),
        ({"BZP000__1__BZP001": "2"}, "4002", ("BZP001", "BZP000[1]")),
        ({"BZP000__0__BZP002": "4"}, "4002", ("BZP002", "BZP000[0]")),
        ({"BZP000__0__AAC003": "长" * 51}, "4003", ("AAC003", "BZP000[0]")),
        ({"BZP000__0__AAC147": "110105194912310021"}, "4002", ("AAC147", "BZP000[0]")),
        ({"BZP000__0__AAC147": "11010519491231002x"}, "4002", ("AAC147", "BZP000[0]")),
        ({"BZP000__0__AAC161": None}, "4001", ("AAC161", "BZP000[0]")),
        ({"BZP000__0__AAC161": "USA"}, "4002", ("AAC161", "BZP000[0]")),
        ({"BZP000__0__AAC058": "02", "BZP000__0__AAC147": "E12345678"}, "4002", ("AAC161", "BZP000[0]")),
        ({"BZP000__0__AAC005": "57"}, "4002", ("AAC005", "BZP000[0]")),
        ({"BZP000__0__AAC006": "19490231"}, "4002", ("AAC006", "BZP000[0]")),
        ({"BZP000__0__AAB004": "x"}, "4002", ("AAB004", "BZP000[0]")),
        ({"BZP000__0__BZP100__0__BZP101": "6"}, "4002", ("BZP101", "BZP000[0].BZP100[0]")),
        (
            {"BZP000__0__BZP100__0__AAC058": "01", "BZP000__0__BZP100__0__AAC147": "1"},
            "4002",
            ("AAC147", "BZP000[0].BZP100[0]"),
        ),
        ({"BZP000__1__AAB003": "91350100M000100Y44"}, "4002", ("AAB003", "BZP000[1]")),
        ({"BZP000__1__AAB020": None}, "4001", ("AAB020", "BZP000[1]")),
        ({"BZP000__1__AAB019": "20"}, "4002", ("AAB020", "BZP000[1]")),
        ({"BZP000__1__AAB022": "C39111"}, "4003", ("AAB022", "BZP000[1]")),
        ({"BZP000__1__AAC003": "x"}, "4002", ("AAC003", "BZP000[1]")),
    ],
)
async def test_a_case_is_checked_field_by_field(
    client: Client, server: MockServer, changes: dict[str, Any], code: str, finding: tuple[str, str]
) -> None:
    document = json.dumps(changed(CASE, **changes)).encode()  # ASCII: a lone surrogate can be sent
    reply = await client.send("TJ1001", document)
    assert (reply.code, reply.findings) == (code, [finding])
    assert server.platform.records() == []
    assert server.platform.journal.entries()[-1]["code"] == code


async def test_all_findings_are_told(client: Client) -> None:
    reply = await client.send("TJ1001", changed(CASE, BZA003=None, BZA013="x", BZP000__0__AAC004="3", BZZ001="?"))
    assert reply.findings == [("BZZ001", ""), ("BZA003", ""), ("BZA013", ""), ("AAC004", "BZP000[0]")]
    assert reply.code == "4002"


@pytest.mark.parametrize("value", [None, True, 1, 1.5, [], {}])
async def test_a_value_that_is_no_string_is_refused(client: Client, value: Any) -> None:
    document = json.dumps(CASE | {"BZA003": value}).encode()
    assert (await client.send("TJ1001", document)).code == "4002"


@pytest.mark.parametrize(
    "changes",
    [
        {"BZA013": "0.00"},
        {"BZA013": "99999999999999.99"},
        {"BZA003": "𠮷" * 100},
        {"BZA010": "含\n换行与\t制表"},
        {"BZM000": None},
        {"BZA021": None},
        {"BZP000__1__BZP100": [{"BZP101": "3", "AAC003": "吴工", "BZP102": "1"}]},
        {"BZP000__1__AAB019": "70", "BZP000__1__AAB020": None},
        {"BZP000__0__AAC058": "02", "BZP000__0__AAC147": "E12345678", "BZP000__0__AAC161": None},
        {"BZP000__0__BZP005": "370102", "BZP000__0__BZP006": "x", "BZP000__0__BZP007": "0"},
        {"BZP000__0__AAB301": "370102001002"},
    ],
)
async def test_what_the_page_allows_is_taken(client: Client, changes: dict[str, Any]) -> None:
    await client.done("TJ1001", changed(CASE, **changes))


def long_rows(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    return [dict(zip(("BZX001", "BZX002", "BZX003"), row, strict=True)) for row in rows]


async def test_long_text_is_joined(client: Client, server: MockServer) -> None:
    facts = "".join(chr(0x4E00 + number % 5000) for number in range(4500))
    claim = "求" * 700
    document = changed(
        CASE,
        BZA010=facts[:2000],
        BZX000=long_rows(("BZA010", "2", facts[2000:4000]), ("BZA010", "3", facts[4000:])),
        BZQ000__0__BZQ003=claim[:500],
        BZQ000__0__BZX000=long_rows(("BZQ003", "2", claim[500:])),
    )
    await client.done("TJ1001", document)
    content = server.platform.records()[0]["content"]
    assert content["BZA010"] == facts
    assert content["BZQ000"][0]["BZQ003"] == claim
    assert "BZX000" not in content
    assert "BZX000" not in content["BZQ000"][0]


@pytest.mark.parametrize(
    ("head", "rows", "code"),
    [
        (1999, [("BZA010", "2", "x")], "4002"),
        (2000, [("BZA010", "3", "x")], "4002"),
        (2000, [("BZA010", "2", "x"), ("BZA010", "4", "x")], "4002"),
        (2000, [("BZA010", "2", "x"), ("BZA010", "2", "x")], "4002"),
        (2000, [("BZA010", "1", "x")], "4002"),
        (2000, [("BZA010", "02", "x")], "4002"),
        (2000, [("BZA099", "2", "x")], "4002"),
        (2000, [("BZA010", "2", "")], "4001"),
        (2000, [("BZA010", "2", "长" * 2001)], "4003"),
        (2000, [("BZA010", str(number), "x") for number in range(2, 23)], "4003"),
        (2000, [], "4002"),
    ],
)
async def test_long_text_is_checked(client: Client, head: int, rows: list[tuple[str, str, str]], code: str) -> None:
    document = changed(CASE, BZA010="长" * head, BZX000=long_rows(*rows))
    assert (await client.send("TJ1001", document)).code == code


async def test_twenty_rows_of_long_text_are_taken(client: Client, server: MockServer) -> None:
    rows = long_rows(*(("BZA010", str(number), "长" * 2000) for number in range(2, 22)))
    await client.done("TJ1001", changed(CASE, BZA010="长" * 2000, BZX000=rows))
    assert len(server.platform.records()[0]["content"]["BZA010"]) == 42_000


@pytest.mark.parametrize(
    ("service", "document", "changes", "code", "field"),
    [
        ("TJ1003", PROGRESS, {"BZS005": None}, "4001", "BZS005"),
        ("TJ1003", PROGRESS, {"BZS001": "21"}, "4002", "BZS001"),
        ("TJ1003", PROGRESS, {"BZS013": "5"}, "4002", "BZS013"),
        ("TJ1003", PROGRESS, {"AAE013": "长" * 1001}, "4003", "AAE013"),
        ("TJ1004", AGREEMENT, {"BZD007": "unknown"}, "4050", "BZD007"),
        ("TJ1004", AGREEMENT, {"BZD200": None}, "4001", "BZD200"),
        ("TJ1004", AGREEMENT, {"BZD211": None}, "4001", "BZD211"),
        ("TJ1004", AGREEMENT, {"BZD100__0__BZD106": "2"}, "4002", "BZD106"),
        ("TJ1004", AGREEMENT, {"BZD200__0__BZD202": "9"}, "4002", "BZD202"),
        ("TJ1004", AGREEMENT, {"BZD100__0__BZD110__0__BZD111": "1"}, "4002", "BZD111"),
        ("TJ1005", PERFORMANCE, {"BZD301": "4"}, "4002", "BZD301"),
        ("TJ1006", STATUS, {"BZS001": "42"}, "4002", "BZS001"),
        ("TJ1006", STATUS, {"BZS003": "5"}, "4002", "BZS003"),
        ("TJ3001", TRANSFER, {"BZG002": "04"}, "4002", "BZG002"),
        ("TJ3002", ALERT, {"BZH001": "4"}, "4002", "BZH001"),
        ("TJ3002", ALERT, {"AAE005": None}, "4001", "AAE005"),
        ("TJ4001", MEDIATOR, {"BZM003": "2"}, "4002", "BZM003"),
        ("TJ4001", MEDIATOR, {"AAC058": "01", "AAC147": "110105194912310021"}, "4002", "AAC147"),
        ("TJ9001", {"BZR007": "TJ1001", "BZR008": "x"}, {"BZR008": None}, "4001", "BZR008"),
    ],
)
async def test_other_services_are_checked(
    client: Client, service: str, document: dict[str, Any], changes: dict[str, Any], code: str, field: str
) -> None:
    file = await client.agreed()
    document = document | ({"BZD007": file} if service == "TJ1004" else {})
    reply = await client.send(service, changed(document, **changes))
    assert (reply.code, reply.findings[0][0]) == (code, field)


async def test_the_chain_needs_its_case_and_its_agreement(client: Client) -> None:
    file = await client.file()
    for service, document in (
        ("TJ1002", CASE),
        ("TJ1003", PROGRESS),
        ("TJ1004", changed(AGREEMENT, BZD007=file)),
        ("TJ1005", PERFORMANCE),
        ("TJ2001", client.review(file)),
        ("TJ3001", TRANSFER),
        ("TJ3002", ALERT),
    ):
        assert (await client.send(service, document)).code == "4010", service
    await client.done("TJ1006", STATUS)
    await client.done("TJ1001", CASE)
    assert (await client.send("TJ1005", PERFORMANCE)).code == "4024"
    assert (await client.send("TJ2001", client.review(file))).code == "4024"
    assert (await client.send("TJ1001", CASE)).code == "4011"
    other_case = KEYS | {"BZA001": "OTHER-1"}
    await client.done("TJ1001", CASE | other_case)
    await client.done("TJ1004", changed(AGREEMENT, BZD007=file))
    assert (await client.send("TJ1005", PERFORMANCE | other_case)).code == "4024"
    await client.done("TJ1005", PERFORMANCE)


@pytest.mark.parametrize(
    ("applied", "late_reason", "code"),
    [
        ("20260925080000", None, "0000"),
        ("20261010235959", None, "0000"),
        ("20261018235959", None, "0000"),  # 15 days, and 8 for a holiday
        ("20261019000000", None, "4020"),
        ("20261019000000", "因疫情封控", "0000"),
    ],
)
async def test_15_days_for_a_review(client: Client, applied: str, late_reason: str | None, code: str) -> None:
    file = await client.agreed()
    document = client.review(file, BZC012=applied)
    if late_reason:
        document["BZC013"] = late_reason
    assert (await client.send("TJ2001", document)).code == code


@pytest.mark.parametrize("server", [{"commissions": ["370103"]}], indirect=True)
async def test_a_review_at_another_commission(client: Client) -> None:
    file = await client.agreed()
    assert (await client.send("TJ2001", client.review(file))).code == "4022"


async def test_conditions_of_a_review(client: Client) -> None:
    file = await client.agreed()
    one_paper = [{"BZF001": file, "BZF005": "01"}]
    assert (await client.send("TJ2001", client.review(file, BZF000=one_paper))).findings == [("BZF000", "")]
    assert (await client.send("TJ2001", client.review(file, BZC011=["0"]))).findings == [("BZC011", "")]
    assert (await client.send("TJ2001", client.review(file, BZC011=["0", "7"]))).findings == [("BZC011", "BZC011[1]")]
    assert (await client.send("TJ2001", client.review(file, BZC011=["0", "a"]))).findings == [("BZC011", "BZC011[1]")]
    assert (await client.send("TJ2001", client.review(file, BZC100=[{"BZP001": "5"}]))).code == "4002"
    await client.done("TJ2001", client.review(file))
    assert (await client.send("TJ2001", client.review(file))).code == "4011"
    assert (await client.send("TJ2001", client.review(file, BZC002="cnf_2"))).code == "4021"
    await decide(client, "cnf_01JB2Z9K7Q4N", "not_accept")
    await client.done("TJ2001", client.review(file, BZC002="cnf_2"))


async def test_labour_relation_is_not_confirmed(client: Client) -> None:
    file = await client.agreed(CASE | {"BZA008": "0101"})
    assert (await client.send("TJ2001", client.review(file))).code == "4023"


async def test_supplement_and_withdrawal_follow_the_state(client: Client) -> None:
    file = await client.agreed()
    assert (await client.send("TJ2002", SUPPLEMENT)).code == "4011"
    assert (await client.send("TJ2003", WITHDRAWAL)).code == "4011"
    await client.done("TJ2001", client.review(file))
    assert (await client.send("TJ2002", SUPPLEMENT)).code == "4011"
    await decide(client, "cnf_01JB2Z9K7Q4N", "correct")
    await client.done("TJ2002", SUPPLEMENT)
    await client.done("TJ2003", WITHDRAWAL)
    await decide(client, "cnf_01JB2Z9K7Q4N", "withdraw")
    assert (await client.send("TJ2002", SUPPLEMENT)).code == "4011"
    assert (await client.send("TJ2003", WITHDRAWAL)).code == "4011"


async def test_a_transfer_is_sent_again_after_its_correction_alone(client: Client, server: MockServer) -> None:
    await client.done("TJ1001", CASE)
    first = await client.done("TJ3001", TRANSFER)
    assert (await client.send("TJ3001", TRANSFER)).code == "4011"
    await decide(client, TRANSFER["BZG001"], "correct")
    second = await client.done("TJ3001", TRANSFER | {"BZG002": "99"})
    assert second.ref != first.ref
    assert (await client.send("TJ3001", TRANSFER)).code == "4011"
    await decide(client, TRANSFER["BZG001"], "file")
    states = [record["state"] for record in server.platform.records() if record["kind"] == "TJ3001"]
    assert states == ["correction_required", "filed"]


def test_invented_causes_are_of_the_articles_groups() -> None:
    """BZA009 carries the path of 调解仲裁法 art. 2: its group, then its name, whose code BZA008 is (§6)."""
    groups = {
        "订立、履行、变更、解除和终止劳动合同": {"0204": "解除劳动合同"},
        "劳动报酬、工伤医疗费、经济补偿或者赔偿金": {"0501": "劳动报酬", "0503": "经济补偿"},
    }
    seen = set()
    for seed in range(40):
        organization = {"BZA002": "X", "BZA003": "X", "AAB301": "370102"}
        case = entrusted_case(str(seed), organization, "1", datetime(2026, 10, 8, tzinfo=UTC))
        table, _, names = case["BZA009"].partition(":")
        group, name = names.split("/")
        assert (table, groups[group][case["BZA008"]]) == ("arbitration", name)
        seen.add(case["BZA008"])
    assert len(seen) == 3


async def test_only_mediators_reported_as_left_are_refused(client: Client) -> None:
    await client.done("TJ1001", CASE)
    with_mediator = PROGRESS | {"BZM000": CASE["BZM000"]}
    await client.done("TJ1003", with_mediator)
    await client.done("TJ4001", MEDIATOR | {"BZM003": "0"})
    assert (await client.send("TJ1003", with_mediator)).findings == [("BZM001", "BZM000[0]")]
    await client.done("TJ4001", MEDIATOR)
    await client.done("TJ1003", with_mediator)


async def test_tasks(client: Client) -> None:
    due = "2026-10-08T18:00:00+08:00"
    for number in ("RW-1", "RW-2", "RW-3"):
        await refer(client, organization_code="SD-JN-LX-001", task_no=number, due=due)
    keys = {"BZJ001": "RW-1", "BZA002": "SD-JN-LX-001", "AAE036": "20261008180000"}
    result = keys | {"BZJ005": "2", "BZJ006": "未达成"}
    assert (await client.send("TJ5001", keys | {"BZJ004": "2"})).findings == [("AAE013", "")]
    assert (await client.send("TJ5001", keys | {"BZJ004": "1", "BZA002": "OTHER"})).code == "4040"
    assert (await client.send("TJ5001", keys | {"BZJ004": "1", "BZJ001": "RW-9"})).code == "4040"
    assert (await client.send("TJ5001", keys | {"BZJ004": "1", "AAE036": "20261008180001"})).code == "4040"
    assert (await client.send("TJ5002", result)).code == "4040"
    await client.done("TJ5001", keys | {"BZJ004": "1"})
    assert (await client.send("TJ5001", keys | {"BZJ004": "1"})).code == "4040"
    assert (await client.send("TJ1001", CASE | {"BZJ001": "RW-1", "BZA002": "OTHER"})).code == "4040"
    await client.done("TJ1001", CASE | {"BZJ001": "RW-1"})
    assert (await client.send("TJ5002", result | {"BZJ005": "1"})).findings == [("BZD001", "")]
    await client.done("TJ5002", result)
    assert (await client.send("TJ5002", result)).code == "4040"
    await client.done("TJ5001", keys | {"BZJ001": "RW-2", "BZJ004": "2", "AAE013": "不属于本组织"})
    assert (await client.send("TJ5002", result | {"BZJ001": "RW-2"})).code == "4040"
    await decide(client, "RW-3", "recall")
    assert (await client.send("TJ5001", keys | {"BZJ001": "RW-3", "BZJ004": "1"})).code == "4040"
