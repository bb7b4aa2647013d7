"""The one-stop platform's operations: success, repeats by 外部编号, chain rules, journal, restart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.mocks.one_stop_client import (
    AGREEMENT,
    ALERT,
    CASE,
    MEDIATOR,
    NS,
    NUMBER,
    ORGANIZATION,
    OTHER,
    PROGRESS,
    REFERRAL,
    REPORTS,
    TRANSFER,
    Client,
    assigned,
    bind,
    envelope,
    page,
    running,
    xml,
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "one_stop") as there:
        yield there


async def states(client: Client) -> dict[str, str]:
    """State by 平台编号 of the assignments."""
    records = await client.mock("GET", "records")
    return {record["ref"]: record["state"] for record in records if record["kind"] == "assignment"}


# --- success


async def test_the_whole_chain_of_a_case(client: Client) -> None:
    ref = (await client.call("reportCase", CASE, "m1")).ref
    assert ref[:6] == "370102"
    for number, (operation, items) in enumerate(REPORTS.items(), start=2):
        answer = (await client.call(operation, items, f"m{number}")).ref
        assert (answer == ref) is (operation != "saveMediator")
    revised = (await client.call("reportCase", CASE | {"操作类型": "2", "简述": "公司已付一月工资。"}, "m9")).ref
    assert revised == ref
    lines = await client.lines()
    assert [(line["kind"], line["message_id"], line["effect"]) for line in lines] == [
        ("reportCase", "m1", "created"),
        ("reportProgress", "m2", "created"),
        ("reportAgreement", "m3", "created"),
        ("reportTransfer", "m4", "created"),
        ("reportAlert", "m5", "created"),
        ("saveMediator", "m6", "created"),
        ("reportCase", "m9", "created"),
    ]
    key = f"{ORGANIZATION}/{NUMBER}"
    assert [line["business_key"] for line in lines] == [key] * 5 + ["TJ-0001", key]
    assert [line["ref"] == ref for line in lines] == [True] * 5 + [False, True]
    assert lines[1]["payload"]["报文头"]["机构编码"] == ORGANIZATION
    assert lines[1]["payload"]["化解情况"] == PROGRESS["化解情况"]
    records = await client.mock("GET", "records")
    assert [record["state"] for record in records] == [
        "superseded",
        "08",
        "registered",
        "41",
        *["registered"] * 2,
        "06",
    ]
    assert [record.get("version") for record in records if record["kind"] == "reportCase"] == [1, 2]
    assert records[-1]["items"]["简述"] == "公司已付一月工资。"


async def test_a_mediator_keeps_his_reference(client: Client) -> None:
    first = (await client.call("saveMediator", MEDIATOR)).ref
    assert (await client.call("saveMediator", MEDIATOR | {"姓名": "孙另名"})).ref == first
    assert (await client.call("saveMediator", MEDIATOR | {"证号": "TJ-0002"})).ref != first


async def test_an_assignment_is_bound_accepted_continued_and_finished(client: Client) -> None:
    ref = await assigned(client)
    assert (await client.call("bindId", bind(ref))).ref == ref
    assert (await client.call("answerAssign", {"平台编号": ref, "答复": "1"})).ref == ref
    case = {"操作类型": "1", "平台编号": ref, **{name: value for name, value in CASE.items() if name != "操作类型"}}
    assert (await client.call("reportCase", case)).ref == ref
    assert (await client.call("reportProgress", PROGRESS)).ref == ref
    assert (await client.call("reportCase", case | {"操作类型": "2"})).ref == ref
    done = {"平台编号": ref, "结果": "2", "原因": "05", "办结报告": "双方分歧较大，调解不成。"}
    assert (await client.call("finishAssign", done)).ref == ref
    assert await states(client) == {ref: "finished"}
    kinds = [(line["kind"], line["business_key"]) for line in await client.lines() if line["kind"].endswith("Assign")]
    assert kinds == [("answerAssign", ref), ("finishAssign", ref)]


async def test_an_assignment_is_returned_with_a_reason(client: Client) -> None:
    ref = await assigned(client)
    bare = {"平台编号": ref, "答复": "2"}
    assert (await client.call("answerAssign", bare)).refusal == ("E101", "原因")
    assert (await client.call("answerAssign", bare | {"原因": "不属于本辖区"})).ref == ref
    assert await states(client) == {ref: "returned"}


# --- repeats


async def test_the_same_content_under_a_known_id_is_a_duplicate(client: Client) -> None:
    ref = (await client.call("reportCase", CASE, "m1")).ref
    again = await client.call("reportCase", CASE, "m1", sent_at="2026-10-01 08:00:00")
    assert (again["retCode"], again["重复标志"], again["平台编号"], again["外部编号"]) == ("1", "1", ref, "m1")
    assert [line["effect"] for line in await client.lines()] == ["created", "repeated"]
    assert len(await client.mock("GET", "records")) == 1


async def test_other_content_under_a_known_id_is_e409(client: Client) -> None:
    await client.call("reportCase", CASE, "m1")
    assert (await client.call("reportCase", CASE | {"名称": "别的"}, "m1")).refusal == ("E409", "")
    assert (await client.call("reportCase", CASE, "m1", organization=OTHER)).refusal == ("E409", "")
    assert (await client.call("reportProgress", PROGRESS, "m1")).refusal == ("E409", "")
    paged = CASE | {"续页列表": {"续页": [page("简述", 2, 2, "a")]}}
    assert (await client.call("reportCase", paged, "m1")).refusal == ("E409", "")
    assert [line["effect"] for line in await client.lines()] == ["created"] + ["refused"] * 4
    assert {line["code"] for line in (await client.lines())[1:]} == {"E409"}


async def test_content_is_compared_after_parsing(client: Client) -> None:
    await client.call("reportCase", CASE, "m1")
    head = {"外部编号": "m1", "机构编码": ORGANIZATION, "发送时间": "2026-10-02 08:00:00"}
    spelled = xml({"报文头": head, **CASE}).replace("<", "<z:").replace("<z:/", "</z:").replace("></z:", ">\n</z:", 1)
    spelled = spelled.replace("<z:规模>01<", "<z:规模><!-- x --><![CDATA[01]]><")
    body = envelope("reportCase", spelled).replace(f'xmlns="{NS}"', f'xmlns:z="{NS}"')
    body = body.replace("<reportCase", "<z:reportCase").replace("</reportCase", "</z:reportCase")
    assert (await client.post(body, client.headers("reportCase")))["重复标志"] == "1"
    without = {name: value for name, value in PROGRESS.items() if name != "调解地点"}
    ref = (await client.call("reportProgress", without, "m2")).ref
    empty = await client.call("reportProgress", PROGRESS | {"调解地点": ""}, "m2")
    assert (empty["重复标志"], empty["平台编号"]) == ("1", ref)


async def test_a_repeat_is_known_whatever_happened_since(client: Client) -> None:
    ref = await assigned(client)
    await client.call("bindId", bind(ref))
    await client.call("answerAssign", {"平台编号": ref, "答复": "1"}, "a1")
    await client.mock("POST", "decide", {"ref": ref, "decision": "recall"})
    again = await client.call("answerAssign", {"平台编号": ref, "答复": "1"}, "a1")
    assert (again["retCode"], again["重复标志"], again["平台编号"]) == ("1", "1", ref)


async def test_a_refused_message_may_come_again_under_its_id(client: Client) -> None:
    assert (await client.call("reportProgress", PROGRESS, "m1")).refusal == ("E404", "")
    await client.call("reportCase", CASE)
    assert (await client.call("reportProgress", PROGRESS, "m1")).ref


async def test_ids_of_probes_and_pulls_are_free(client: Client) -> None:
    await client.call("ping", {}, "m1")
    await client.call("pullChanges", {"游标": "0", "每页条数": "1"}, "m1")
    assert (await client.call("reportCase", CASE, "m1")).ref
    assert (await client.call("ping", {}, "m1"))["retCode"] == "1"


async def test_one_of_many_simultaneous_repeats_is_the_first(client: Client) -> None:
    replies = await asyncio.gather(*(client.call("reportCase", CASE, "m1") for _ in range(8)))
    assert sorted(reply["重复标志"] for reply in replies) == ["0"] + ["1"] * 7
    assert len({reply["平台编号"] for reply in replies}) == 1
    assert len(await client.mock("GET", "records")) == 1


# --- chain


@pytest.mark.parametrize("operation", ["reportProgress", "reportAgreement", "reportTransfer", "reportAlert"])
async def test_a_report_needs_its_case(client: Client, operation: str) -> None:
    await client.call("reportCase", CASE, organization=OTHER)
    assert (await client.call(operation, REPORTS[operation])).refusal == ("E404", "")


async def test_a_revision_needs_its_case_and_an_addition_must_be_new(client: Client) -> None:
    assert (await client.call("reportCase", CASE | {"操作类型": "2"})).refusal == ("E404", "")
    await client.call("reportCase", CASE)
    assert (await client.call("reportCase", CASE)).refusal == ("E420", "")
    assert (await client.call("reportCase", CASE, organization=OTHER)).ref


async def test_accepting_needs_the_binding(client: Client) -> None:
    ref = await assigned(client)
    assert (await client.call("answerAssign", {"平台编号": ref, "答复": "1"})).refusal == ("E424", "")
    await client.call("bindId", bind(ref))
    assert (await client.call("answerAssign", {"平台编号": ref, "答复": "1"})).ref == ref


async def test_a_number_has_one_entry_and_an_entry_many_numbers(client: Client) -> None:
    first, second = await assigned(client), await assigned(client)
    assert (await client.call("bindId", bind(first), "b1")).ref == first
    assert (await client.call("bindId", bind(first, "ref_2"), "b2")).ref == first
    assert (await client.call("bindId", bind(second), "b3")).refusal == ("E423", "")
    again = await client.call("bindId", bind(first), "b4")
    assert (again["retCode"], again["重复标志"], again["平台编号"]) == ("1", "1", first)
    assert (await client.call("bindId", bind(second), "b4")).refusal == ("E409", "")
    assert (await client.call("bindId", bind("3" * 20), "b5")).refusal == ("E404", "")
    assert (await client.call("bindId", bind("3" * 19), "b6")).refusal == ("E103", "平台编号")
    assert (await client.call("bindId", bind(second, "x"), "b7", organization=OTHER)).refusal == ("E404", "")


async def test_the_number_of_a_reported_case_is_bound(client: Client) -> None:
    ref = (await client.call("reportCase", CASE)).ref
    other = await assigned(client)
    assert (await client.call("bindId", bind(ref, NUMBER)))["重复标志"] == "1"
    assert (await client.call("bindId", bind(ref, "second"))).ref == ref
    assert (await client.call("bindId", bind(other, NUMBER))).refusal == ("E423", "")
    revised = {
        "操作类型": "2",
        "平台编号": other,
        **{name: value for name, value in CASE.items() if name != "操作类型"},
    }
    assert (await client.call("reportCase", revised)).refusal == ("E423", "")
    assert (await client.call("reportCase", CASE | {"案件外部编号": "second"})).refusal == ("E423", "")


async def test_a_bound_number_continues_its_assignment(client: Client) -> None:
    ref = await assigned(client)
    await client.call("bindId", bind(ref, NUMBER))
    assert (await client.call("reportCase", CASE)).ref == ref


async def test_an_assigned_entry_is_continued_by_one_case_of_its_organisation(client: Client) -> None:
    ref = await assigned(client)
    case = {"操作类型": "1", "平台编号": ref, **{name: value for name, value in CASE.items() if name != "操作类型"}}
    assert (await client.call("reportCase", case, organization=OTHER)).refusal == ("E425", "")
    assert (await client.call("reportCase", case | {"平台编号": "3" * 20})).refusal == ("E404", "")
    assert (await client.call("reportCase", case)).ref == ref
    assert (await client.call("reportCase", case | {"案件外部编号": "second"})).refusal == ("E420", "")


async def test_an_assignment_that_is_over_takes_nothing(client: Client) -> None:
    accept = {"答复": "1"}
    done = {"结果": "1", "办结报告": "已达成协议。"}
    assert (await client.call("answerAssign", {"平台编号": "3" * 20, **accept})).refusal == ("E404", "")
    ref = await assigned(client)
    await client.call("bindId", bind(ref))
    wrong = await client.call("answerAssign", {"平台编号": ref, **accept}, organization=OTHER)
    assert wrong.refusal == ("E425", "")
    assert (await client.call("finishAssign", {"平台编号": ref, **done})).refusal == ("E420", "")
    assert (await client.call("answerAssign", {"平台编号": ref, **accept})).ref
    assert (await client.call("answerAssign", {"平台编号": ref, **accept})).refusal == ("E425", "")
    assert (await client.call("finishAssign", {"平台编号": ref, **done})).ref
    assert (await client.call("finishAssign", {"平台编号": ref, **done})).refusal == ("E425", "")
    recalled = await assigned(client)
    await client.call("bindId", bind(recalled, "ref_3"))
    await client.mock("POST", "decide", {"ref": recalled, "decision": "recall"})
    assert (await client.call("answerAssign", {"平台编号": recalled, **accept})).refusal == ("E425", "")
    late = {
        "操作类型": "1",
        "平台编号": recalled,
        **{name: value for name, value in CASE.items() if name != "操作类型"},
    }
    assert (await client.call("reportCase", late)).refusal == ("E425", "")


async def test_an_answer_after_the_term_is_too_late(client: Client) -> None:
    ref = await assigned(client)
    await client.call("bindId", bind(ref))
    await client.mock("POST", "clock", {"shift_s": 72 * 3600 + 5})
    assert (await client.call("answerAssign", {"平台编号": ref, "答复": "1"})).refusal == ("E425", "")
    assert await states(client) == {ref: "expired"}
    row = (await client.pull()).changes[-1]
    assert (row["变更类型"], row["平台编号"], row["原因"], row["案件外部编号"]) == ("2", ref, "逾期未签收", REFERRAL)


async def test_organisations_of_the_paasid_may_be_listed(tmp_path: Path) -> None:
    async with running(tmp_path / "m", paasid_organizations=[ORGANIZATION]) as client:
        assert (await client.call("reportCase", CASE)).ref
        assert (await client.call("reportCase", CASE, organization=OTHER)).refusal == ("E403", "报文头/机构编码")


# --- restart


async def test_a_restart_goes_on_where_it_ended(tmp_path: Path) -> None:
    data = tmp_path / "one_stop"
    async with running(data) as client:
        ref = (await client.call("reportCase", CASE, "m1")).ref
        await client.call("reportTransfer", TRANSFER, "m2")
        await client.call("reportAgreement", AGREEMENT, "m3")
        await client.call("reportAlert", ALERT, "m4")
        mediator = (await client.call("saveMediator", MEDIATOR, "m5")).ref
        task = await assigned(client)
        await client.call("bindId", bind(task), "m6")
        await client.call("bindId", bind(task), "m7")
        await client.call("answerAssign", {"平台编号": task, "答复": "1"}, "m8")
        await client.mock("POST", "decide", {"ref": ref, "decision": "file", "document_no": "第1号"})
        token = client.config["token"]
        page_before = await client.pull(size="1")
        records = await client.mock("GET", "records")
    async with running(data) as client:
        assert client.config["token"] == token
        assert await client.mock("GET", "records") == records
        repeats: dict[str, tuple[str, dict[str, Any], str]] = {
            "m1": ("reportCase", CASE, ref),
            "m2": ("reportTransfer", TRANSFER, ref),
            "m5": ("saveMediator", MEDIATOR, mediator),
            "m7": ("bindId", bind(task), task),
            "m8": ("answerAssign", {"平台编号": task, "答复": "1"}, task),
        }
        for message_id, (operation, items, answer) in repeats.items():
            reply = await client.call(operation, items, message_id)
            assert (reply["重复标志"], reply["平台编号"]) == ("1", answer), message_id
        assert (await client.call("bindId", bind(ref), "m7")).refusal == ("E409", "")
        following = await client.pull(page_before["新游标"])
        assert [row["变更类型"] for row in following.changes] == ["3"]
        new = (await client.call("reportCase", CASE | {"案件外部编号": "next"})).ref
        assert new not in {ref, task, mediator}
        change = await client.mock("POST", "decide", {"ref": new, "decision": "supervise"})
        assert change["change"] > following.changes[0]["变更序号"]
