"""Rows of a list and their details: every E code, words, masks, and what stands in the ledger."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.mocks.confederation_client import CASE_KEY, DETAIL, LIST, PDF, Client, batch, case, changed, platform, step


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with platform(tmp_path / "ec") as made:
        yield made


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("行号", "2", "E14"),
        ("操作", "删除", "E15"),
        ("操作", "修改", "E32"),
        ("案件主键", "SD-WF-QL-002", "E14"),
        ("案件主键", "X-1|7", "E18"),
        ("调解组织编码", "", "E11"),
        ("调解组织名称", "长" * 101, "E13"),
        ("组织类型", "调委会", "E15"),
        ("行政区划", "3707", "E14"),
        ("登记时间", "2026-09-31 09:30:00", "E14"),
        ("受理时间", "2026-09-17", "E14"),
        ("案由表", "2024", "E15"),
        ("案由", "", "E11"),
        ("涉案金额", "18600", "E14"),
        ("涉案金额", "", "E11"),
        ("涉及人数", "2", "E18"),
        ("申请人", "李四", "E18"),
        ("申请人", "=王建国", "E14"),
        ("申请人证件号", "370102199001011238", "E16"),
        ("申请人证件号", "", "E18"),
        ("统一社会信用代码", "123", "E17"),
        ("状态", "登记", "E15"),
        ("办结原因", "其他", "E14"),
        ("发生时间", "2026-09-16 09:30:01", "E18"),
        ("明细文件", "x.json", "E14"),
        ("附件数", "1", "E21"),
        ("附件数", "", "E11"),
    ],
)
async def test_cells(client: Client, column: str, value: str, code: str) -> None:
    assert await client.verdict(batch((LIST | {column: value}, DETAIL))) == code


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("案情", None, "E11"),
        ("案情", "", "E14"),
        ("案情", "长" * 3001, "E13"),
        ("备注", "x", "E12"),
        ("来源", "邮件", "E15"),
        ("请求", [], "E11"),
        ("请求.0.类别", "其它", "E15"),
        ("请求.0.金额", 18600, "E14"),
        ("当事人.0.证件号", None, "E11"),
        ("当事人.0.证件号", "370102199001011238", "E16"),
        ("当事人.0.银行账号", "6222", "E12"),
        ("当事人.1.信用代码", "12345", "E17"),
        ("当事人.1.名称", "别的公司", "E18"),
        ("当事人.1.角色", "第三人", "E11"),
        ("业务主键", "msg_other", "E18"),
        ("集体", {"人数": "12", "重大": "是"}, "E18"),
    ],
)
async def test_details(client: Client, path: str, value: Any, code: str) -> None:
    detail = changed(DETAIL, path, value)
    assert await client.verdict(batch((LIST, detail))) == code


async def test_bare_json(client: Client) -> None:
    for data, code in (
        (b"\xef\xbb\xbf{}", "E14"),
        (b'{"a":"1","a":"2"}', "E14"),
        (b"[]", "E14"),
        (b'{"a":"\\ud800"}', "E14"),
    ):
        written = batch((LIST, DETAIL))
        written.data[f"{written.stem}_001.json"] = data
        assert await client.verdict(written) == code
    written = batch((LIST, DETAIL))
    del written.data[f"{written.stem}_001.json"]
    assert await client.verdict(written) == "E11"


async def test_e21_contents(client: Client) -> None:
    cells = LIST | {"附件数": "1"}
    assert await client.verdict(batch((cells, DETAIL), files={"_001_01.pdf": b"\xff\xd8\xff"})) == "E21"
    assert await client.verdict(batch((cells, DETAIL), files={"_001_02.pdf": PDF})) == "E21"
    assert await client.verdict(batch((cells, DETAIL), files={"_001_01.pdf": PDF})) == "受理"


async def test_e30_and_a_guarded_cell(client: Client) -> None:
    row = LIST | {"案件主键": "SD-JN-QL-001|7", "调解组织编码": "SD-JN-QL-001"}
    assert await client.verdict(batch((row, DETAIL))) == "E30"
    name = "@泉城餐饮"
    row = LIST | {"被申请人": f"'{name}"}
    assert await client.verdict(batch((row, changed(DETAIL, "当事人.1.名称", name)))) == "受理"


async def test_a_bad_row_does_not_refuse_its_neighbours(client: Client) -> None:
    rows = await client.send(batch(case(1), case(2, 案由表="1999"), case(3), ids=["msg_a", "msg_b", "msg_c"]))
    assert [row["结果"] for row in rows] == ["受理", "拒绝", "受理"]
    assert rows[1]["错误说明"].endswith("案由表")
    again = await client.send(batch(case(4), case(2), ids=["msg_d", "msg_b"]))
    assert [row["结果"] for row in again] == ["受理", "拒绝"]
    twice = await client.send(batch(case(5), case(6), ids=["msg_e", "msg_e"]))
    assert [row["错误码"] for row in twice] == ["", "E14"]


async def test_a_whole_case(client: Client) -> None:
    first = (await client.send(batch((LIST, DETAIL))))[0]["平台编号"]
    assert await client.verdict(batch((LIST, DETAIL))) == "E32"
    [revised] = await client.send(batch((LIST | {"操作": "修改"}, DETAIL)))
    assert (revised["结果"], revised["平台编号"]) == ("受理", first)
    session = {"开始": "2026-09-20 09:00:00", "结束": "2026-09-20 10:00:00", "地点": "第二调解室", "方式": "现场"}
    mediating = step("PROG", "2026-09-20 09:00:00", 状态="调解中", 场次=session)
    assert await client.verdict(batch(mediating, op="PROG")) == "受理"
    assert await client.verdict(batch(step("PERF", "2026-10-30 10:00:00"), op="PERF")) == "E31"
    agreed = step("AGRE", "2026-09-25 09:00:00")
    assert await client.verdict(batch(agreed, op="AGRE")) == "受理"
    assert await client.verdict(batch(agreed, op="AGRE")) == "E32"
    assert await client.verdict(batch(mediating, op="PROG")) == "E33"
    assert await client.verdict(batch(step("PERF", "2026-10-30 10:00:00", 条款序号="2"), op="PERF")) == "E31"
    assert await client.verdict(batch(step("PERF", "2026-10-30 10:00:00"), op="PERF")) == "受理"
    closed = step("PROG", "2026-11-01 10:00:00", 状态="已结案")
    assert await client.verdict(batch(closed, op="PROG")) == "受理"
    assert await client.verdict(batch(closed, op="PROG")) == "E33"


async def test_steps_have_their_own_rules(client: Client) -> None:
    failed = step("PROG", "2026-09-30 17:00:00", 状态="未达成协议", 办结原因="分歧较大")
    assert await client.verdict(batch(failed, op="PROG")) == "E31"
    await client.send(batch((LIST, DETAIL)))
    cells, detail = failed
    assert await client.verdict(batch((cells | {"办结原因": ""}, detail), op="PROG")) == "E11"
    assert await client.verdict(batch((cells | {"操作": "修改"}, detail), op="PROG")) == "E15"
    assert await client.verdict(batch((cells | {"申请人": "王建国"}, detail), op="PROG")) == "E14"
    assert await client.verdict(batch((cells, detail | {"状态": "已终止"}), op="PROG")) == "E18"
    cells, detail = step("AGRE", "2026-09-25 09:00:00")
    assert await client.verdict(batch((cells | {"涉案金额": "15000.01"}, detail), op="AGRE")) == "E18"
    assert await client.verdict(batch((cells | {"涉案金额": ""}, detail), op="AGRE")) == "E11"


async def test_steps_of_one_case_are_applied_in_the_order_of_their_markers(client: Client) -> None:
    await client.send(batch((LIST, DETAIL)))
    agreed, performed = (
        batch(step("PROG", "2026-09-20 09:00:00", 状态="调解中"), op="PROG"),
        batch(step("AGRE", "2026-09-25 09:00:00"), op="AGRE"),
    )
    client.put_all(agreed.sealed())
    client.put_all(performed.sealed())
    await client.run()
    assert client.replies(agreed.stem)[0][0]["结果"] == "受理"
    assert client.replies(performed.stem)[0][0]["结果"] == "受理"
    assert CASE_KEY in {record["business_key"] for record in await client.control("GET", "records")}
