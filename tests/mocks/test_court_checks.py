"""Every field check and every rule of the court's mock (court_mediation §4, §8.2, §8.3)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mocks.court_mediation.fields import Form, Table
from mocks.court_mediation.forms import FORMS
from tests.mocks.court_client import FYDM, HEAD, JGDM, Doc, agreement, application, court, employer, person, transfer

Change = Callable[[Doc], Any]


def _without(key: str) -> Change:
    return lambda document: document.pop(key)


def _with(key: str, value: Any) -> Change:
    return lambda document: document.update({key: value})


def _party(**more: str) -> Change:
    return lambda document: document["applicantPartyList"][0].update(more)


_HEAD = "tjbh fydm jgdm jgmc"
_CASE = (
    "year type draftFlag caseCatalog causeCode disputeType money startTimeStr endTimeStr dispute mediatorId state "
    "successState xybh agreement xyx sxgz sxsj qm gzsj docList"
)
_REQUIRED = {
    "offline/addOffline": f"{_HEAD} mediationCaseNo {_CASE}",
    "sfqr/add": f"{_HEAD} tjzh {_CASE} sqbh slfymc sqsj sddzList",
    "transfer/add": f"{_HEAD} ysbh tjzh ssqq yy bdje causeCode disputeType docList",
}


@pytest.mark.parametrize("service", list(_REQUIRED))
async def test_every_required_key_is_asked_for(tmp_path: Path, service: str) -> None:
    makers = {"offline/addOffline": agreement, "sfqr/add": application, "transfer/add": transfer}
    async with court(tmp_path) as client:
        whole = await makers[service](client)
        required = set(_REQUIRED[service].split())
        assert required <= set(whole)
        for key in required:
            for absent in ({k: v for k, v in whole.items() if k != key}, {**whole, key: ""}):
                assert (await client.post(service, absent)).errors[key] == "必填"
        for key in set(whole) - required:
            reply = await client.post(service, {**whole, key: ""})
            both_sides = service == "sfqr/add" and key in ("applicantPartyList", "respondentPartyList")
            assert reply.code == ("400" if both_sides else "200"), key


@pytest.mark.parametrize("side", ["applicant", "respondent", "third"])
async def test_every_required_key_of_a_party_is_asked_for(tmp_path: Path, side: str) -> None:
    keys = [f"{side}{key}" for key in ("Type", "Name", "Tel", "IDCardNo", "Sex", "Birthday", "Address")]
    async with court(tmp_path) as client:
        whole = await agreement(client)
        for key in [*keys, "credentialsType", "credentialsName", "areaCode"]:
            party = person(side)
            del party[key]
            reply = await client.post("offline/addOffline", {**whole, f"{side}PartyList": [party]})
            assert f"{side}PartyList[0].{key}" in reply.errors


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (_with("more", "x"), "more"),
        (_with("tjbh", "x" * 41), "tjbh"),
        (_with("fydm", "鲁" * 11), "fydm"),
        (_with("jgdm", "x" * 33), "jgdm"),
        (_with("jgmc", "名" * 101), "jgmc"),
        (_with("mediationCaseNo", "x" * 61), "mediationCaseNo"),
        (_with("xybh", "x" * 61), "xybh"),
        (_with("disputeType", "x" * 101), "disputeType"),
        (_with("dispute", "字" * 5001), "dispute"),
        (_with("agreement", "字" * 5001), "agreement"),
        (_with("year", "26"), "year"),
        (_with("money", "18600"), "money"),
        (_with("money", "18600.0"), "money"),
        (_with("money", "18,600.00"), "money"),
        (_with("money", "-1.00"), "money"),
        (_with("money", "1" * 16 + ".00"), "money"),
        (_with("claimMoney", "1e5"), "claimMoney"),
        (_with("startTimeStr", "2026-09-16 09:30"), "startTimeStr"),
        (_with("startTimeStr", "20260916"), "startTimeStr"),
        (_with("startTimeStr", "20260931 09:30"), "startTimeStr"),
        (_with("startTimeStr", "20260916 24:00"), "startTimeStr"),
        (_with("startTimeStr", "20260916 9:30"), "startTimeStr"),
        (_with("fs", "四"), "fs"),
        (_with("dbr", "王建国"), "dbr"),
        (_with("dbr", ["王建国", ""]), "dbr[1]"),
        (_with("otherMediators", [{}]), "otherMediators[0]"),
        (_with("claims", "x"), "claims"),
        (_with("claims", ["x"]), "claims[0]"),
        (_with("claims", [{"nr": "字" * 5001}]), "claims[0].nr"),
        (_with("claims", [{"x": "1"}]), "claims[0].x"),
        (_with("xyx", []), "xyx"),
        (_with("xyx", [{"lxqx": "20260230"}]), "xyx[0].lxqx"),
        (_with("xyx", [{"fq": [{"je": "1.00", "rq": "20261001 09:00"}]}]), "xyx[0].fq[0].rq"),
        (_with("qm", [{"sj": "20260925"}]), "qm[0].sj"),
        (_with("mediatorId", ["x"]), "mediatorId"),
        (_party(applicantName=""), "applicantPartyList[0].applicantName"),
        (_party(applicantName="名" * 101), "applicantPartyList[0].applicantName"),
        (_party(applicantTel="1" * 21), "applicantPartyList[0].applicantTel"),
        (_party(applicantBirthday="1990-03-07"), "applicantPartyList[0].applicantBirthday"),
        (_party(applicantBirthday=""), "applicantPartyList[0].applicantBirthday"),
        (_party(applicantSex=""), "applicantPartyList[0].applicantSex"),
        (_party(applicantSex="1"), "applicantPartyList[0].applicantSex"),
        (_party(applicantIDCardNo="370102199003071237"), "applicantPartyList[0].applicantIDCardNo"),
        (_party(applicantIDCardNo="370102900307123"), "applicantPartyList[0].applicantIDCardNo"),
        (_party(credentialsName="护照"), "applicantPartyList[0].credentialsName"),
        (_party(credentialsName=""), "applicantPartyList[0].credentialsName"),
        (_party(areaCode="1" * 13), "applicantPartyList[0].areaCode"),
        (_party(respondentName="x"), "applicantPartyList[0].respondentName"),
        (
            _with("respondentPartyList", [employer(credentialsName="营业执照")]),
            "respondentPartyList[0].credentialsType",
        ),
        (
            lambda document: document["applicantPartyList"][0]["agentList"][0].update(zjhm="370213198511200025"),
            "applicantPartyList[0].agentList[0].zjhm",
        ),
        (
            lambda document: document["applicantPartyList"][0]["agentList"][0].pop("xm"),
            "applicantPartyList[0].agentList[0].xm",
        ),
        (lambda document: document["docList"][0].update(fjlx="12"), "docList"),
        (lambda document: document["docList"][0].pop("wjmc"), "docList[0].wjmc"),
    ],
)
async def test_a_wrong_field_is_named_by_its_path(tmp_path: Path, change: Change, path: str) -> None:
    async with court(tmp_path) as client:
        document = await agreement(client)
        change(document)
        assert path in (await client.post("offline/addOffline", document)).errors
        assert await client.mock("records") == []
        refused = (await client.journal("offline/addOffline"))[0]
        assert (refused["effect"], refused["ref"], refused["code"]) == ("refused", "", "400")
        assert refused["payload"] == document


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (_with("type", "2"), "type"),
        (_with("draftFlag", "1"), "draftFlag"),
        (_with("caseCatalog", "9902"), "caseCatalog"),
        (_with("state", "1"), "state"),
        (_with("successState", "3"), "successState"),
        (_with("sxgz", "4"), "sxgz"),
        (_with("causeCode", "205-5"), "causeCode"),
        (_with("causeCode", "2025-207-1"), "causeCode"),
        (_with("causeCode", "2020-205-5"), "causeCode"),
        (_with("qm", [{"lx": "3"}]), "qm[0].lx"),
        (_with("qm", [{"fs": "5"}]), "qm[0].fs"),
        (_party(applicantType="3"), "applicantPartyList[0].applicantType"),
        (_party(applicantSex="2"), "applicantPartyList[0].applicantSex"),
        (_party(credentialsType="09_00015-2"), "applicantPartyList[0].credentialsType"),
        (_party(applicantDzsd="是"), "applicantPartyList[0].applicantDzsd"),
        (lambda document: document["docList"][0].update(fjlx="99"), "docList[0].fjlx"),
        (lambda document: document["applicantPartyList"][0]["agentList"][0].update(dllx="6"), "dllx"),
        (lambda document: document["applicantPartyList"][0]["agentList"][0].update(dlqx="3"), "dlqx"),
    ],
)
async def test_a_value_outside_its_table_is_1001(tmp_path: Path, change: Change, path: str) -> None:
    async with court(tmp_path) as client:
        document = await agreement(client)
        document["docList"].append({**document["docList"][0]})
        change(document)
        reply = await client.post("offline/addOffline", document)
        assert reply.code == "1001"
        assert path in reply.json["msg"]


@pytest.mark.parametrize(
    "cause", ["2025-205-0", "2025-206-5", "2025-216-0", "2025-214-2", "2020-186-7", "2020-192-0", "9999-0-0"]
)
async def test_the_causes_of_the_page_are_taken(tmp_path: Path, cause: str) -> None:
    async with court(tmp_path) as client:
        assert (await client.post("transfer/add", await transfer(client, causeCode=cause))).code == "200"


async def test_other_people_and_papers_are_taken(tmp_path: Path) -> None:
    passport = person(
        credentialsType="09_00015-7", credentialsName="护照", applicantIDCardNo="E12345678", applicantSex="1"
    )
    permit = person(
        "third", credentialsType="09_00015-255", credentialsName="港澳台居民居住证", thirdIDCardNo="810000199001011234"
    )
    organization = employer("third", thirdType="2", credentialsName="其他证件")
    async with court(tmp_path) as client:
        document = await agreement(client, applicantPartyList=[passport], thirdPartyList=[permit, organization])
        document.update(sjrs="12", dbr=["王建国", "李四"], gzssj="20260925 10:00", dispute="字" * 5000, claims=[])
        assert (await client.post("offline/addOffline", document)).code == "200"


async def test_both_sides_papers_and_reasons_of_an_application(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        document = await application(client)
        for key in ("applicantPartyList", "respondentPartyList"):
            assert key in (await client.post("sfqr/add", {**document, key: []})).errors
        for missing in ("05", "06", "13"):
            files = [entry for entry in document["docList"] if entry["fjlx"] != missing]
            assert missing in (await client.post("sfqr/add", {**document, "docList": files})).errors["docList"]
        assert "yqyy" in (await client.post("sfqr/add", {**document, "yqyy": "x" * 501})).errors


@pytest.mark.parametrize(
    ("applied", "why", "code"),
    [
        ("20261102 23:59", "", "200"),
        ("20261103 00:00", "", "1003"),
        ("20261103 00:00", "住院", "200"),
    ],
)
async def test_thirty_days_and_a_roll_of_eight(tmp_path: Path, applied: str, why: str, code: str) -> None:
    async with court(tmp_path) as client:
        document = await application(client, sqsj=applied, yqyy=why)
        assert (await client.post("sfqr/add", document)).code == code


async def test_one_active_application_for_an_agreement(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        first = (await client.post("sfqr/add", await application(client, "dlv_1", "cnf_1"))).content["uuid"]
        other = await application(client, "dlv_2", "cnf_2")
        assert (await client.post("sfqr/add", other)).code == "1004"
        assert (await client.post("sfqr/add", {**other, "xybh": "另一协议"})).code == "200"
        await client.decide(first, "not_accept")
        assert (await client.post("sfqr/add", other)).code == "200"


async def test_a_court_of_somebody_else(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        assert (await client.post("sfqr/add", await application(client, fydm="京0105"))).code == "403"
        uuid = (await client.post("sfqr/add", await application(client))).content["uuid"]
        document = {"tjbh": "w", **HEAD, "sqbh": "cnf_1", "uuid": uuid, "yy": "x", "sqsj": "20261010 10:00"}
        assert (await client.post("sfqr/withdraw", {**document, "fydm": "鲁0103"})).code == "1005"
        assert (await client.post("sfqr/withdraw", {**document, "sqbh": "cnf_2"})).errors == {"uuid": "申请不存在"}
        assert (await client.post("sfqr/withdraw", {**document, "uuid": "F" * 32})).errors == {"uuid": "申请不存在"}
        assert (await client.post("sfqr/withdraw", document)).code == "200"


async def test_supplement_after_correction_and_withdrawal_before_ruling(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        uuid = (await client.post("sfqr/add", await application(client))).content["uuid"]
        supplement = {
            "tjbh": "s",
            **HEAD,
            "sqbh": "cnf_1",
            "uuid": uuid,
            "docList": await client.files("04"),
            "bz": "已补",
        }
        withdrawal = {"tjbh": "w", **HEAD, "sqbh": "cnf_1", "uuid": uuid, "yy": "和解", "sqsj": "20261010 10:00"}
        assert (await client.post("sfqr/supplement", supplement)).code == "1007"
        await client.decide(uuid, "correct")
        assert (await client.post("sfqr/supplement", supplement)).code == "200"
        assert (await client.query("dlv_2"))[0]["zt"] == "0"
        assert (await client.post("sfqr/supplement", supplement)).code == "1007"
        await client.decide(uuid, "accept")
        assert (await client.post("sfqr/withdraw", withdrawal)).code == "200"
        await client.decide(uuid, "withdraw")
        assert (await client.post("sfqr/withdraw", withdrawal)).code == "1007"
        assert [entry["zt"] for entry in await client.query("w")] == ["7"]


async def test_tasks_are_answered_once_in_time_by_their_organisation(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        task = await client.mock("refer", {"jgdm": JGDM, "wplx": "1", "fydm": FYDM})
        answer = {"tjbh": "a", **HEAD, "rwbh": task["rwbh"], "jieguo": "1"}
        finish = {"tjbh": "f", **HEAD, "rwbh": task["rwbh"], "tjjg": "1", "jsyy": "1", "qkbg": "已达成"}
        assert (await client.post("task/answer", {**answer, "rwbh": "WP20200101000001"})).code == "1008"
        assert (await client.post("task/answer", {**answer, "jgdm": "SD-QD-001"})).code == "1008"
        assert (await client.post("task/answer", {**answer, "fydm": "鲁0103"})).code == "1005"
        assert (await client.post("task/answer", {**answer, "jieguo": "0"})).errors == {"yy": "退回应写明理由"}
        assert (await client.post("task/finish", finish)).code == "1007"
        assert (await client.post("task/answer", answer)).code == "200"
        assert (await client.post("task/answer", answer)).code == "1008"
        assert (await client.post("task/finish", {**finish, "xybh": "历下劳人调〔2026〕123号"})).code == "1006"
        assert (await client.post("offline/addOffline", await agreement(client, rwbh=task["rwbh"]))).code == "200"
        assert (await client.post("task/finish", {**finish, "xybh": "历下劳人调〔2026〕123号"})).code == "200"
        assert (await client.post("task/finish", finish)).code == "1008"


async def test_a_task_overdue_recalled_or_declined_is_1008(tmp_path: Path) -> None:
    async with court(tmp_path, session_idle_s=1e9, session_life_s=1e9) as client:
        late, recalled, declined = [
            (await client.mock("refer", {"jgdm": JGDM, "wplx": "2", "fydm": FYDM}))["rwbh"] for _ in range(3)
        ]
        answer = {"tjbh": "a", **HEAD, "jieguo": "0", "yy": "无人手"}
        await client.decide(recalled, "recall", yy="撤诉")
        assert (await client.post("task/answer", {**answer, "rwbh": recalled})).code == "1008"
        assert (await client.post("task/answer", {**answer, "rwbh": declined})).code == "200"
        finish = {"tjbh": "f", **HEAD, "rwbh": declined, "tjjg": "0", "jsyy": "4", "qkbg": "不愿意"}
        assert (await client.post("task/finish", finish)).code == "1008"
        await client.mock("clock", {"shift_s": 7 * 24 * 3600})
        assert (await client.post("task/answer", {**answer, "rwbh": late})).code == "1008"
        states = {task["rwbh"]: task["state"] for task in await client.mock("tasks")}
        assert states == {late: "open", recalled: "recalled", declined: "declined"}


async def test_a_performance_needs_a_filed_agreement(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        document = {
            "tjbh": "p",
            **HEAD,
            "xybh": "历下劳人调〔2026〕123号",
            "xh": "1",
            "lxzt": "1",
            "sj": "20261015 09:00",
        }
        assert (await client.post("offline/perform", document)).code == "1006"
        assert (await client.post("sfqr/add", await application(client))).code == "200"
        assert (await client.post("offline/perform", document)).code == "1006"
        assert (await client.post("offline/addOffline", await agreement(client))).code == "200"
        assert (await client.post("offline/perform", {**document, "jgdm": "SD-QD-001"})).code == "1006"
        assert (await client.post("offline/perform", document)).code == "200"


async def test_a_task_number_elsewhere_must_be_known(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        for service, maker in (
            ("offline/addOffline", agreement),
            ("sfqr/add", application),
            ("transfer/add", transfer),
        ):
            assert (await client.post(service, await maker(client, rwbh="WP20200101000001"))).code == "1008"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"zjhm": "370102199003071237"}, "zjhm"),
        ({"xb": "1"}, "xb"),
        ({"zsbh": ""}, "zsbh"),
        ({"xm": ""}, "xm"),
        ({"zsbh": "x" * 41}, "zsbh"),
    ],
)
async def test_a_mediator_is_checked(tmp_path: Path, change: Doc, path: str) -> None:
    document = {"tjbh": "m", **HEAD, "zsbh": "LDTJ-1", "xm": "李明", "xb": "0"}
    document |= {"credentialsType": "09_00015-1", "zjhm": "370102199003071238"}
    async with court(tmp_path) as client:
        assert path in (await client.post("mediator/save", document | change)).errors
        assert (await client.post("mediator/save", document)).code == "200"


def test_every_table_holds_each_key_once() -> None:
    def walk(table: Table) -> None:
        keys = [field.key for field in table]
        assert len(keys) == len(set(keys))
        for field in table:
            assert bool(field.codes) == (field.form is Form.CODE)
            assert bool(field.of) == (field.form is Form.OBJECTS)
            walk(field.of)

    for table in FORMS.values():
        walk(table)
