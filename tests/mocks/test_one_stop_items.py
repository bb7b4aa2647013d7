"""The one-stop platform's strict checks of items: required, codes, forms, check characters, silent cut, 续页."""

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from mocks.one_stop.units import cut, units
from tests.mocks.one_stop_client import CASE, NUMBER, PROGRESS, REPORTS, Client, page, running

OPTIONAL = ("涉及单位", "单位当事人列表", "代理人列表", "责任人姓名", "责任人证号", "受理时间", "重大标志")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "one_stop") as there:
        yield there


def changed(items: dict[str, Any], path: str, value: str | None) -> dict[str, Any]:
    """``items`` with the item at ``path`` (``主要当事人[1]/姓名``) changed, or left out for ``None``."""
    result = deepcopy(items)
    target = result
    name = path
    if "/" in path:
        row, name = path.split("/")
        row, number = row.rstrip("]").split("[")
        target = result[f"{row}列表"][row][int(number) - 1]
    if value is None:
        del target[name]
    else:
        target[name] = value
    return result


async def kept(client: Client, kind: str = "reportCase") -> dict[str, Any]:
    """The items of the newest record of ``kind``."""
    records = await client.mock("GET", "records")
    return [record for record in records if record["kind"] == kind][-1]["items"]  # type: ignore[no-any-return] # JSON


# --- required items and codes


async def test_a_complete_case_is_kept_item_by_item(client: Client) -> None:
    (await client.call("reportCase", CASE)).ref  # noqa: B018 -- asserts
    items = await kept(client)
    assert items["主要当事人列表"] == CASE["主要当事人列表"]["主要当事人"]
    assert items["请求事项列表"] == [{"种类": "01", "内容": "支付工资", "金额": "1.860000"}]
    flat = {name: value for name, value in CASE.items() if isinstance(value, str)}
    assert {name: value for name, value in items.items() if isinstance(value, str)} == flat
    assert list(items) == list(CASE)


async def test_a_case_without_its_optional_items_is_taken(client: Client) -> None:
    small = deepcopy(CASE)
    for name in OPTIONAL:
        del small[name]
    for name in ("民族", "人员类别", "联系方式"):
        del small["主要当事人列表"]["主要当事人"][0][name]
    del small["请求事项列表"]["请求事项"][0]["金额"]
    assert (await client.call("reportCase", small)).ref


@pytest.mark.parametrize(
    "path",
    [
        *(name for name in CASE if name not in OPTIONAL),
        "请求事项[1]/种类",
        "请求事项[1]/内容",
        *(f"主要当事人[1]/{name}" for name in ("角色", "证件代码", "号码", "姓名", "性别", "居住详址")),
        *(f"单位当事人[1]/{name}" for name in ("角色", "单位名称", "统一社会信用代码", "地址")),
        "代理人[1]/代理当事人序号",
        "代理人[1]/姓名",
    ],
)
async def test_a_required_item_of_a_case_is_named_when_it_is_absent_or_empty(client: Client, path: str) -> None:
    assert (await client.call("reportCase", changed(CASE, path, None))).refusal == ("E101", path)
    assert (await client.call("reportCase", changed(CASE, path, ""))).refusal == ("E101", path)
    assert await client.mock("GET", "records") == []


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("操作类型", "3", "E102"),
        ("发生日期", "2026-02-30", "E103"),
        ("发生日期", "2026-9-20", "E103"),
        ("发生日期", "2026-09-20 00:00:00", "E103"),
        ("发生地点", "3701", "E103"),
        ("发生地点", "3701020000000", "E104"),
        ("规模", "06", "E102"),
        ("类别", "0709", "E102"),
        ("涉及人数", "two", "E103"),
        ("涉及人数", "1000000", "E104"),
        ("涉案金额", "1.86", "E103"),
        ("涉案金额", "18600", "E103"),
        ("涉案金额", "-1.000000", "E103"),
        ("涉案金额", "1234567890123.000000", "E103"),
        ("请求事项[1]/种类", "15", "E102"),
        ("请求事项[1]/金额", "1.8600000", "E103"),
        ("主要当事人[1]/角色", "0", "E102"),
        ("主要当事人[1]/证件代码", "112", "E102"),
        ("主要当事人[1]/号码", "110105194912310021", "E105"),
        ("主要当事人[1]/号码", "11010519491231002x", "E105"),
        ("主要当事人[1]/号码", "1" * 31, "E104"),
        ("主要当事人[1]/性别", "3", "E102"),
        ("主要当事人[1]/民族", "57", "E102"),
        ("主要当事人[1]/人员类别", "1002", "E102"),
        ("主要当事人[1]/联系方式", "1" * 21, "E104"),
        ("单位当事人[1]/统一社会信用代码", "91350100M000100Y44", "E105"),
        ("单位当事人[1]/统一社会信用代码", "91350100M000100Y4", "E105"),
        ("代理人[1]/代理当事人序号", "2", "E107"),
        ("代理人[1]/代理当事人序号", "-1", "E103"),
        ("化解时限", "soon", "E103"),
        ("化解方式", "0202", "E102"),
        ("组织类型", "11", "E102"),
        ("行政区划", "37010200000x", "E103"),
        ("责任人证号", "1" * 41, "E104"),
        ("来源渠道", "8", "E102"),
        ("受理时间", "2026-09-20T09:00:00", "E103"),
        ("受理时间", "2026-09-20 24:00:00", "E103"),
        ("重大标志", "true", "E102"),
        ("案件外部编号", "1" * 61, "E104"),
    ],
)
async def test_a_wrong_item_of_a_case_is_named(client: Client, path: str, value: str, code: str) -> None:
    assert (await client.call("reportCase", changed(CASE, path, value))).refusal == (code, path)


async def test_other_documents_are_not_checked_like_a_resident_id(client: Client) -> None:
    foreigner = changed(changed(CASE, "主要当事人[1]/证件代码", "414"), "主要当事人[1]/号码", "E12345678")
    assert (await client.call("reportCase", foreigner)).ref


async def test_money_and_regions_have_their_full_range(client: Client) -> None:
    rich = changed(changed(CASE, "涉案金额", "999999999999.999999"), "发生地点", "370102001")
    assert (await client.call("reportCase", rich)).ref
    assert (await kept(client))["涉案金额"] == "999999999999.999999"


@pytest.mark.parametrize(
    ("operation", "path", "value", "code"),
    [
        ("reportProgress", "进展类别", "5", "E102"),
        ("reportProgress", "来源", "6", "E102"),
        ("reportProgress", "来源", "2", "E101 来源事件号"),
        ("reportProgress", "状态", "12", "E102"),
        ("reportProgress", "状态", "42", "E107"),
        ("reportProgress", "原因", "09", "E102"),
        ("reportProgress", "发生时间", None, "E101"),
        ("reportProgress", "调解形式", "5", "E102"),
        ("reportAgreement", "协议编号", None, "E101"),
        ("reportAgreement", "是否成功", "3", "E102"),
        ("reportAgreement", "生效规则", "4", "E102"),
        ("reportAgreement", "生效时间", "2026-09-28", "E103"),
        ("reportAgreement", "化解日期", "2026-09-28 10:00:00", "E103"),
        ("reportAgreement", "给付总额", "1.8", "E103"),
        ("reportTransfer", "转办编号", "1" * 41, "E104"),
        ("reportTransfer", "转往", "6", "E102"),
        ("reportTransfer", "原因", "05", "E102"),
        ("reportTransfer", "请求事项[1]/种类", "00", "E102"),
        ("reportAlert", "等级", "4", "E102"),
        ("reportAlert", "处置措施", None, "E101"),
        ("reportAlert", "联系方式", "1" * 21, "E104"),
        ("saveMediator", "证号", None, "E101"),
        ("saveMediator", "性别", "0", "E102"),
        ("saveMediator", "所属组织", None, "E101"),
    ],
)
async def test_a_wrong_item_of_another_report_is_named(
    client: Client, operation: str, path: str, value: str | None, code: str
) -> None:
    await client.call("reportCase", CASE)
    wanted, _, item = code.partition(" ")
    reply = await client.call(operation, changed(REPORTS[operation], path, value))
    assert reply.refusal == (wanted, item or path)


async def test_every_status_belongs_to_its_kind_of_progress(client: Client) -> None:
    await client.call("reportCase", CASE)
    for kind, status in (("1", "99"), ("2", "30"), ("3", "41"), ("4", "54")):
        items = PROGRESS | {"进展类别": kind, "状态": status}
        assert (await client.call("reportProgress", items)).ref, status


async def test_the_header_is_checked_like_other_items(client: Client) -> None:
    head = {"外部编号": "h1", "机构编码": "SD-JN-LX-001", "发送时间": "2026-09-30 17:05:03"}
    for name, value, code in (
        ("外部编号", "a b", "E103"),
        ("外部编号", "a" * 65, "E104"),
        ("外部编号", "", "E101"),
        ("机构编码", "", "E101"),
        ("发送时间", "2026-09-30", "E103"),
        ("发送时间", "", "E101"),
    ):
        reply = await client.call("reportCase", CASE, head=head | {name: value})
        assert reply.refusal == (code, f"报文头/{name}")


# --- the silent cut


def test_lengths_are_utf16_units() -> None:
    assert [units(text) for text in ("", "a", "中", "𠮷", "𠮷中a")] == [0, 1, 1, 2, 4]
    assert cut("a𠮷b", 4) == "a𠮷b"
    assert cut("a𠮷b", 3) == "a𠮷"
    assert cut("a𠮷b", 2) == "a\ufffd"


async def test_text_over_its_limit_is_cut_silently(client: Client) -> None:
    long = changed(changed(CASE, "简述", "甲" * 1500), "主要当事人[1]/居住详址", "乙" * 199 + "𠮷丙")
    assert (await client.call("reportCase", long)).ref
    items = await kept(client)
    assert items["简述"] == "甲" * 1000
    assert items["主要当事人列表"][0]["居住详址"] == "乙" * 199 + "\ufffd"
    line = (await client.lines("reportCase"))[0]
    assert line["payload"]["简述"] == "甲" * 1000


async def test_text_is_taken_exactly(client: Client) -> None:
    text = " 第一行\r\n第二行\t<&>\u3000 "
    assert (await client.call("reportCase", changed(CASE, "简述", text))).ref
    assert (await kept(client))["简述"] == text


# --- 续页


async def test_pages_are_joined(client: Client) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(2750))
    address = "370102 " + "长" * 250
    items = changed(changed(CASE, "简述", text[:1000]), "主要当事人[1]/居住详址", address[:200])
    pages = [
        page("简述", 3, 3, text[2000:]),
        page("简述", 2, 3, text[1000:2000]),
        page("主要当事人[1]/居住详址", 2, 2, address[200:]),
    ]
    assert (await client.call("reportCase", items | {"续页列表": {"续页": pages}})).ref
    there = await kept(client)
    assert there["简述"] == text
    assert there["主要当事人列表"][0]["居住详址"] == address
    assert "续页列表" not in there


async def test_a_page_may_end_one_unit_earlier_before_a_pair(client: Client) -> None:
    first, rest = "甲" * 999, "𠮷" + "乙" * 20
    pages = {"续页列表": {"续页": [page("简述", 2, 2, rest)]}}
    assert (await client.call("reportCase", changed(CASE, "简述", first) | pages)).ref
    assert (await kept(client))["简述"] == first + rest
    early = {"续页列表": {"续页": [page("简述", 2, 2, "乙" * 20)]}}
    revised = changed(changed(CASE, "简述", first), "操作类型", "2")
    assert (await client.call("reportCase", revised | early)).refusal == ("E106", "简述")


@pytest.mark.parametrize(
    "pages",
    [
        [page("简述", 3, 3, "a")],
        [page("简述", 2, 3, "a")],
        [page("简述", 2, 3, "a"), page("简述", 2, 3, "b")],
        [page("简述", 1, 2, "a")],
        [page("简述", 2, 2, "甲" * 1001)],
        [page("简述", 2, 2, "𠮷" * 501)],
        [page("简述", number, 21, "a") for number in range(2, 22)],
    ],
)
async def test_wrong_numbers_of_pages_are_refused(client: Client, pages: list[dict[str, str]]) -> None:
    items = changed(CASE, "简述", "甲" * 1000) | {"续页列表": {"续页": pages}}
    assert (await client.call("reportCase", items)).refusal == ("E106", "简述")


async def test_twenty_pages_are_the_most(client: Client) -> None:
    pages = [page("简述", number, 20, "乙") for number in range(2, 21)]
    items = changed(CASE, "简述", "甲" * 1000) | {"续页列表": {"续页": pages}}
    assert (await client.call("reportCase", items)).ref
    assert (await kept(client))["简述"] == "甲" * 1000 + "乙" * 19


@pytest.mark.parametrize("name", ["备注", "案件外部编号", "简述[1]", "主要当事人[2]/姓名", "单位当事人[1]/联系人"])
async def test_pages_of_no_such_text_are_refused(client: Client, name: str) -> None:
    items = CASE | {"续页列表": {"续页": [page(name, 2, 2, "a")]}}
    assert (await client.call("reportCase", items)).refusal == ("E106", "续页列表")


async def test_page_one_must_be_full(client: Client) -> None:
    for first in ("甲" * 998, "甲" * 1001):
        items = changed(CASE, "简述", first) | {"续页列表": {"续页": [page("简述", 2, 2, "a")]}}
        assert (await client.call("reportCase", items)).refusal == ("E106", "简述")


async def test_a_page_has_all_its_items(client: Client) -> None:
    short = {"项名": "简述", "页号": "2", "内容": "a"}
    items = changed(CASE, "简述", "甲" * 1000) | {"续页列表": {"续页": [short]}}
    assert (await client.call("reportCase", items)).refusal == ("E101", "续页[1]")


# --- order and spelling


async def test_items_stand_in_the_order_of_the_page_and_once(client: Client) -> None:
    turned = {"案件外部编号": NUMBER, **{name: value for name, value in CASE.items() if name != "案件外部编号"}}
    assert (await client.call("reportCase", turned)).fault[0] == "S006"
    twice = CASE | {"名称": ["甲", "乙"]}
    assert (await client.call("reportCase", twice)).fault[0] == "S006"
    unknown = CASE | {"备注": "a"}
    assert (await client.call("reportCase", unknown)).fault[0] == "S006"
    wrong_row = deepcopy(CASE)
    wrong_row["代理人列表"] = {"代理": [{"姓名": "a"}]}
    assert (await client.call("reportCase", wrong_row)).fault[0] == "S006"
    unpaged = {"平台编号": "3" * 20, "案件外部编号": NUMBER, "续页列表": {"续页": [page("案件外部编号", 2, 2, "a")]}}
    assert (await client.call("bindId", unpaged)).fault[0] == "S006"
    refused = [line for line in await client.lines("reportCase") if line["effect"] == "refused"]
    assert [line["code"] for line in refused] == ["S006"] * 4
