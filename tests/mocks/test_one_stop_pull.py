"""The one-stop platform's feed of changes: the clerk's orders, pages, cursors, terms, faults, autopilot."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.mocks.one_stop_client import (
    CASE,
    NUMBER,
    ORGANIZATION,
    OTHER,
    TRANSFER,
    Client,
    Reply,
    assigned,
    bind,
    running,
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "one_stop") as there:
        yield there


def numbers(reply: Reply) -> list[str]:
    return [row["变更序号"] for row in reply.changes]


async def decide(client: Client, ref: str, decision: str, **more: str) -> str:
    return str((await client.mock("POST", "decide", {"ref": ref, "decision": decision, **more}))["change"])


async def announced(client: Client, count: int) -> None:
    """So many changes are on disk: what is decided is not yet what can be pulled."""
    async with asyncio.timeout(10):
        while sum(entry["kind"] == "change" for entry in client.server.platform.journal.entries()) < count:
            await asyncio.sleep(0.05)


# --- what changes look like


async def test_an_empty_feed_keeps_the_cursor(client: Client) -> None:
    reply = await client.pull()
    assert reply.names[-3:] == ["变更列表", "新游标", "EOPSIGN"]
    assert (reply.changes, reply["新游标"], reply["EOPSIGN"], reply["平台编号"]) == ([], "0", "1", "")
    await assigned(client)
    first = await client.pull()
    second = await client.pull(first["新游标"])
    assert (second.changes, second["新游标"], second["EOPSIGN"]) == ([], first["新游标"], "1")


async def test_an_assignment_has_the_items_of_the_page_in_their_order(client: Client) -> None:
    ref = await assigned(client)
    row = (await client.pull()).changes[0]
    assert list(row) == [
        *("变更序号", "变更类型", "平台编号", "机构编码", "变更时间", "指派单号", "签收期限", "化解时限"),
        *(
            "名称",
            "发生日期",
            "发生地点",
            "规模",
            "类别",
            "案由",
            "涉及人数",
            "简述",
            "请求事项列表",
            "涉案金额",
            "涉及单位",
        ),
        *("主要当事人列表", "单位当事人列表"),
    ]
    assert (row["变更类型"], row["平台编号"], row["机构编码"]) == ("1", ref, ORGANIZATION)
    assert len(row["变更序号"]) <= 32
    assert len(row["签收期限"]) == 19
    assert len(row["化解时限"]) == 10
    # What the platform hands over could be reported to it again.
    case = {name: value for name, value in row.items() if name in CASE}
    for name in ("请求事项列表", "主要当事人列表", "单位当事人列表"):
        case[name] = {name.removesuffix("列表"): case[name]}
    case = {name: case.get(name, CASE[name]) for name in CASE if name != "代理人列表"}
    assert (await client.call("reportCase", case)).ref


async def test_the_tester_says_what_is_assigned(client: Client) -> None:
    order = {
        "机构编码": OTHER,
        "名称": "𠮷示例与某公司·经济补偿",
        "简述": "㐀𠮷示例\r\n<第二行> & \t",
        "涉及单位": None,
        "签收期限": "2030-01-02 03:04:05",
        "化解时限": None,
        "代理人列表": [{"代理当事人序号": "0", "姓名": "赵示例"}],
    }
    ref = (await client.mock("POST", "refer", order))["ref"]
    assert (await client.pull()).changes == []
    for _ in range(3):  # one of them is GB18030, with its four-byte characters
        row = (await client.pull(organization=OTHER)).changes[0]
        assert (row["平台编号"], row["名称"], row["简述"]) == (ref, order["名称"], order["简述"])
        assert (row["签收期限"], row["代理人列表"]) == (order["签收期限"], order["代理人列表"])
        assert "涉及单位" not in row
        assert "化解时限" not in row


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"机构编码": "SD-XX-000"},
        {"机构编码": ORGANIZATION, "备注": "a"},
        {"机构编码": ORGANIZATION, "简述": None},
        {"机构编码": ORGANIZATION, "简述": 5},
        {"机构编码": ORGANIZATION, "简述": "\x01"},
        {"机构编码": ORGANIZATION, "简述": "甲" * 1001},
        {"机构编码": ORGANIZATION, "规模": "09"},
        {"机构编码": ORGANIZATION, "主要当事人列表": {"姓名": "a"}},
        {"机构编码": ORGANIZATION, "主要当事人列表": [{"姓名": "a"}]},
        {"机构编码": ORGANIZATION, "签收期限": "2030-01-02"},
        {"机构编码": ORGANIZATION, "化解时限": "tomorrow"},
    ],
)
async def test_a_wrong_assignment_is_refused(client: Client, order: dict[str, Any]) -> None:
    status, answer = await client.mock_raw("POST", "refer", order)
    assert (status, list(answer)) == (422, ["error"])
    assert await client.lines() == []


async def test_the_clerk_reports_a_status(client: Client) -> None:
    ref = (await client.call("reportCase", CASE)).ref
    await client.call("reportTransfer", TRANSFER)
    await decide(client, ref, "status", code="02")
    await decide(client, NUMBER, "file", document_no="济综转〔2026〕第1号")
    await decide(client, ref, "status", code="77", progress="9", reason="其他")
    rows = (await client.pull()).changes
    assert [{name: row[name] for name in row if name not in ("变更序号", "变更时间")} for row in rows] == [
        {"变更类型": "3", "平台编号": ref, "案件外部编号": NUMBER, "机构编码": ORGANIZATION, **more}
        for more in (
            {"进展类别": "1", "状态": "02"},
            {"进展类别": "3", "状态": "42", "文书号": "济综转〔2026〕第1号"},
            {"进展类别": "9", "状态": "77", "原因": "其他"},
        )
    ]
    transfer = [record for record in await client.mock("GET", "records") if record["kind"] == "reportTransfer"]
    assert transfer[0]["state"] == "42"


async def test_the_clerk_supervises_recalls_and_expires(client: Client) -> None:
    first, second = await assigned(client), await assigned(client)
    await decide(client, first, "supervise", opinion="请尽快办结", deadline="2026-10-10")
    await decide(client, first, "recall", reason="另行指派")
    await decide(client, second, "expire")
    rows = (await client.pull()).changes[2:]
    assert [row["变更类型"] for row in rows] == ["4", "2", "2"]
    assert (rows[0]["督办意见"], rows[0]["反馈期限"]) == ("请尽快办结", "2026-10-10")
    assert [row["原因"] for row in rows[1:]] == ["另行指派", "逾期未签收"]


async def test_wrong_decisions_are_refused(client: Client) -> None:
    ref = (await client.call("reportCase", CASE)).ref
    await client.call("reportCase", CASE, organization=OTHER)
    task = await assigned(client)
    await decide(client, task, "recall")
    for order in (
        {"ref": "unknown", "decision": "supervise"},
        {"ref": NUMBER, "decision": "supervise"},
        {"ref": ref, "decision": "confirm"},
        {"ref": ref, "decision": "status"},
        {"ref": ref, "decision": "status", "code": "77"},
        {"ref": ref, "decision": "supervise", "code": "02"},
        {"ref": ref, "decision": "file"},
        {"ref": ref, "decision": "recall"},
        {"ref": task, "decision": "recall"},
        {"ref": task, "decision": "expire"},
    ):
        status, answer = await client.mock_raw("POST", "decide", order)
        assert (status, list(answer)) == (422, ["error"]), order
    assert await decide(client, NUMBER, "supervise", 机构编码=OTHER)


# --- pages and cursors


async def test_pages_go_on_until_the_end(client: Client) -> None:
    refs = [await assigned(client) for _ in range(7)]
    cursor = "0"
    seen: list[str] = []
    ends: list[str] = []
    while not ends or ends[-1] == "0":
        reply = await client.pull(cursor, "3")
        assert len(reply["新游标"]) <= 64
        cursor = reply["新游标"]
        seen += [row["平台编号"] for row in reply.changes]
        ends.append(reply["EOPSIGN"])
    assert (seen, ends) == (refs, ["0", "0", "1"])
    again = await client.pull("0", "3")
    assert [row["平台编号"] for row in again.changes] == refs[:3]
    await decide(client, refs[0], "supervise")
    assert [row["变更类型"] for row in (await client.pull(cursor)).changes] == ["4"]


async def test_a_page_may_be_smaller_than_asked(tmp_path: Path) -> None:
    async with running(tmp_path / "m", page_limit=2) as client:
        for _ in range(3):
            await assigned(client)
        reply = await client.pull(size="100")
        assert (len(reply.changes), reply["EOPSIGN"]) == (2, "0")


async def test_a_page_stays_below_the_size_of_a_reply(tmp_path: Path) -> None:
    async with running(tmp_path / "m", reply_limit=30_000) as client:
        for _ in range(6):
            await client.mock("POST", "refer", {"机构编码": ORGANIZATION, "简述": "甲" * 1000})
        cursor, seen = "0", 0
        for _ in range(6):
            reply = await client.pull(cursor)
            assert len(reply.raw) <= 30_000
            seen, cursor = seen + len(reply.changes), reply["新游标"]
            if reply["EOPSIGN"] == "1":
                break
        assert seen == 6


@pytest.mark.parametrize(("size", "code"), [("0", "E103"), ("101", "E103"), ("1000", "E104"), ("x", "E103")])
async def test_the_size_of_a_page_is_1_to_100(client: Client, size: str, code: str) -> None:
    assert (await client.pull(size=size)).refusal == (code, "每页条数")


async def test_only_organisations_of_the_configuration_are_pulled_for(client: Client) -> None:
    assert (await client.pull(organization="SD-XX-000")).refusal == ("E403", "报文头/机构编码")


async def test_a_cursor_lives_thirty_days(client: Client) -> None:
    await assigned(client)
    cursor = (await client.pull())["新游标"]
    await client.mock("POST", "clock", {"shift_s": 30 * 86400 - 60})
    assert (await client.pull(cursor))["retCode"] == "1"
    await client.mock("POST", "clock", {"shift_s": 120})
    assert (await client.pull(cursor)).refusal == ("E410", "游标")
    assert (await client.pull("0")).changes[0]["变更类型"] == "1"


async def test_a_strange_cursor_is_e410(client: Client) -> None:
    await assigned(client)
    cursor = (await client.pull())["新游标"]
    turned = ("A" if cursor[5] != "A" else "B").join((cursor[:5], cursor[6:]))
    for strange in ("1", "游标", turned, cursor[:-4]):
        assert (await client.pull(strange)).refusal == ("E410", "游标"), strange
    assert (await client.pull(cursor, organization=OTHER)).refusal == ("E410", "游标")
    assert (await client.pull("A" * 65)).refusal == ("E104", "游标")


async def test_a_cursor_beyond_what_the_platform_has_is_e410(tmp_path: Path) -> None:
    async with running(tmp_path / "m", token="a-synthetic-token-1") as client:
        await assigned(client)
        cursor = (await client.pull())["新游标"]
    async with running(tmp_path / "emptied", token="a-synthetic-token-1") as client:
        assert (await client.pull(cursor)).refusal == ("E410", "游标")
        await assigned(client)
        assert (await client.pull(cursor))["retCode"] == "1"


async def test_pulls_are_five_seconds_apart_but_for_the_next_page(tmp_path: Path) -> None:
    async with running(tmp_path / "m", pull_interval_s=5) as client:
        for _ in range(3):
            await assigned(client)
        first = await client.pull(size="2")
        too_soon = (await client.pull()).fault
        assert too_soon[:2] == ("S004", "soap:Server")
        assert 1 <= int(too_soon[2]) <= 5
        second = await client.pull(first["新游标"], "2")
        assert second["EOPSIGN"] == "1"
        assert (await client.pull(second["新游标"])).fault[0] == "S004"
        assert (await client.pull(organization=OTHER))["retCode"] == "1"
        await client.mock("POST", "clock", {"shift_s": 5})
        assert (await client.pull(second["新游标"]))["retCode"] == "1"


async def test_a_refused_cursor_does_not_delay_the_start_from_the_beginning(tmp_path: Path) -> None:
    async with running(tmp_path / "m", pull_interval_s=5) as client:
        assert (await client.pull("strange")).refusal == ("E410", "游标")
        assert (await client.pull("0"))["retCode"] == "1"


async def test_a_site_may_give_all_changes_to_every_pull(tmp_path: Path) -> None:
    async with running(tmp_path / "m", pull_scope="paasid", pull_interval_s=5) as client:
        refs = [await assigned(client, organization) for organization in (ORGANIZATION, OTHER)]
        assert [row["平台编号"] for row in (await client.pull(organization=OTHER)).changes] == refs
        assert (await client.pull()).fault[0] == "S004"


# --- terms


async def test_an_unbound_assignment_is_offered_again_every_day(client: Client) -> None:
    ref, bound = await assigned(client), await assigned(client)
    await client.call("bindId", bind(bound))
    first = await client.pull()
    await client.mock("POST", "clock", {"shift_s": 24 * 3600 - 30})
    assert (await client.pull(first["新游标"])).changes == []
    await client.mock("POST", "clock", {"shift_s": 60})
    again = (await client.pull(first["新游标"])).changes
    assert [row["平台编号"] for row in again] == [ref]
    offered = first.changes[0]
    differing = {name for name in offered if offered[name] != again[0][name]}
    assert differing == {"变更序号", "变更时间"}
    await client.call("answerAssign", {"平台编号": ref, "答复": "2", "原因": "不属于本辖区"})
    await client.mock("POST", "clock", {"shift_s": 25 * 3600})
    assert len((await client.pull("0")).changes) == 3


async def test_an_assignment_expires_by_the_clock_once(client: Client) -> None:
    ref = await assigned(client)
    await client.mock("POST", "clock", {"shift_s": 72 * 3600 + 5})
    rows = (await client.pull()).changes
    assert [(row["平台编号"], row["变更类型"]) for row in rows] == [(ref, "1"), (ref, "2")]
    assert len((await client.pull()).changes) == 2


# --- faults on the pull


async def test_changes_are_repeated_in_later_pages(client: Client) -> None:
    await assigned(client)
    await assigned(client)
    await client.mock("POST", "faults", {"op": "pullChanges", "action": "duplicate_callback", "n": 2})
    first = await client.pull()
    assert first["EOPSIGN"] == "0"
    second = await client.pull(first["新游标"])
    assert (numbers(second), second["EOPSIGN"]) == (numbers(first) * 2, "1")


async def test_the_order_of_cases_is_mixed_never_inside_one(client: Client) -> None:
    refs = [await assigned(client) for _ in range(3)]
    for ref in refs:
        await decide(client, ref, "supervise")
    await client.mock("POST", "faults", {"op": "*", "action": "reorder_callbacks"})
    mixed, plain = await client.pull(), await client.pull()
    assert numbers(mixed) != numbers(plain)
    assert sorted(numbers(mixed)) == numbers(plain)
    for ref in refs:
        assert [row["变更类型"] for row in mixed.changes if row["平台编号"] == ref] == ["1", "4"]


@pytest.mark.parametrize(
    ("operation", "items", "kind", "status"),
    [("reportCase", CASE | {"案件外部编号": "next"}, "3", "02"), ("reportTransfer", TRANSFER, "3", "42")],
)
async def test_a_change_is_listed_before_the_answer(
    client: Client, operation: str, items: dict[str, Any], kind: str, status: str
) -> None:
    await client.call("reportCase", CASE)
    await client.mock("POST", "faults", {"op": operation, "action": "early_callback", "after_ms": 1000})
    began = time.monotonic()
    writing = asyncio.create_task(client.call(operation, items))
    rows: list[dict[str, Any]] = []
    while not rows:
        assert not writing.done()
        rows = (await client.pull()).changes
    row = rows[-1]
    assert not writing.done()
    assert (row["变更类型"], row["状态"], row["案件外部编号"]) == (kind, status, items["案件外部编号"])
    assert (await writing).ref == row["平台编号"]
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("how", ["other_organization", "without_number", "unknown_type"])
async def test_forged_rows(client: Client, how: str) -> None:
    ref = (await client.call("reportCase", CASE)).ref
    before = await client.mock("GET", "records")
    await client.mock("POST", "faults", {"op": "pullChanges", "action": "forge_callback", "how": how})
    row = (await client.pull()).changes[0]
    assert row["平台编号"] == ref
    assert (row["机构编码"] != ORGANIZATION) is (how == "other_organization")
    assert ("变更序号" not in row) is (how == "without_number")
    assert (row["变更类型"] not in "1234") is (how == "unknown_type")
    assert await client.mock("GET", "records") == before
    assert [line["effect"] for line in await client.lines("change")] == ["forged"]


async def test_an_unknown_forgery_is_refused(client: Client) -> None:
    order = {"op": "pullChanges", "action": "forge_callback", "how": "wrong_key"}
    assert (await client.mock_raw("POST", "faults", order))[0] == 422


# --- the clerk by himself


async def test_the_autopilot_files_what_no_other_platform_decides(client: Client) -> None:
    await client.call("reportCase", CASE)
    await client.call("reportTransfer", TRANSFER)
    await client.call("reportTransfer", TRANSFER | {"转办编号": "trf_2", "转往": "1"})
    await client.mock("POST", "autopilot", {"seed": 3, "mix": {}})
    await announced(client, 1)
    rows = (await client.pull()).changes
    assert [(row["变更类型"], row["进展类别"]) for row in rows] == [("3", "3")]
    assert rows[0]["状态"] in ("42", "43")


async def test_the_autopilot_follows_its_mix(client: Client) -> None:
    await client.call("reportCase", CASE)
    await client.call("reportTransfer", TRANSFER | {"转往": "1"})
    await client.mock("POST", "autopilot", {"seed": 3, "mix": {"supervise": 1, "file": 1}})
    await announced(client, 2)
    rows = (await client.pull()).changes
    assert sorted((row["变更类型"], row.get("状态", "")) for row in rows) == [("3", "42"), ("4", "")]
