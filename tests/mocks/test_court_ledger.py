"""Writes, the lagging query, ledger, journal and restart of the court's mock (court_mediation §3, §4, §8.4)."""

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import urlencode

from tests.mocks.court_client import FYDM, HEAD, JGDM, Client, Doc, agreement, application, court, transfer


async def _everything(client: Client) -> dict[str, Doc]:
    """One success of each service; returns the writes by fwlx."""
    task = await client.mock("refer", {"jgdm": JGDM, "wplx": "1", "fydm": FYDM})
    head = {**HEAD, "rwbh": task["rwbh"]}
    writes = {
        "mediator/save": {"tjbh": "d1", **HEAD, "zsbh": "LDTJ-1", "xm": "李明", "xb": "0", "dh": "13800000000"},
        "task/answer": {"tjbh": "d2", **head, "jieguo": "1"},
        "offline/addOffline": await agreement(client, "d3", rwbh=task["rwbh"]),
        "offline/perform": {
            "tjbh": "d4",
            **HEAD,
            "xybh": "历下劳人调〔2026〕123号",
            "xh": "1",
            "lxzt": "2",
            "sj": "20261015 09:00",
            "je": "9300.50",
            "docList": await client.files("12"),
        },
        "task/finish": {
            "tjbh": "d5",
            **head,
            "tjjg": "1",
            "jsyy": "1",
            "qkbg": "已达成",
            "xybh": "历下劳人调〔2026〕123号",
        },
        "sfqr/add": await application(client, "d6", "cnf_1"),
        "transfer/add": await transfer(client, "d7", "trf_1"),
    }
    for service, document in writes.items():
        reply = await client.post(service, document)
        assert reply.code == "200", (service, reply.json)
        assert set(reply.content) == {"uuid", "tjbh", "djsj"}
        assert re.fullmatch(r"[0-9A-F]{32}", reply.content["uuid"])
        assert reply.content["tjbh"] == document["tjbh"]
        assert re.fullmatch(r"[0-9]{8} [0-9]{2}:[0-9]{2}", reply.content["djsj"])
    uuid = (await client.query("d6"))[0]["uuid"]
    await client.decide(uuid, "correct")
    about = {**HEAD, "sqbh": "cnf_1", "uuid": uuid}
    more = {
        "sfqr/supplement": {"tjbh": "d8", **about, "docList": await client.files("04"), "bz": "已补"},
        "sfqr/withdraw": {"tjbh": "d9", **about, "yy": "和解", "sqsj": "20261010 10:00"},
    }
    for service, document in more.items():
        assert (await client.post(service, document)).code == "200"
    return writes | more


async def test_every_service_is_stored_and_found(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        writes = await _everything(client)
        states = {
            "mediator/save": "20",
            "task/answer": "21",
            "task/finish": "21",
            "offline/addOffline": "20",
            "offline/perform": "20",
            "sfqr/add": "0",
            "sfqr/supplement": "0",
            "sfqr/withdraw": "0",
            "transfer/add": "0",
        }
        records = {record["kind"]: record for record in await client.mock("records")}
        assert set(records) == set(writes) == set(states)
        for service, document in writes.items():
            (entry,) = await client.query(document["tjbh"])
            assert {key: entry[key] for key in ("tjbh", "fwlx", "zt")} == {
                "tjbh": document["tjbh"],
                "fwlx": service,
                "zt": states[service],
            }
            (noted,) = await client.journal(service)
            assert (noted["effect"], noted["ref"]) == ("created", entry["uuid"])
            assert noted["business_key"] == noted["message_id"] == document["tjbh"]
            assert noted["payload"] == document
            sent = urlencode({"mediationFormStr": json.dumps(document, ensure_ascii=False)}).encode()
            assert noted["digest"] == hashlib.sha256(sent).hexdigest()
            assert records[service]["ref"] == entry["uuid"]
            assert records[service]["business_key"] == document["tjbh"]
        amounts = {entry["fwlx"]: entry for tjbh in ("d3", "d4", "d6", "d7") for entry in await client.query(tjbh)}
        assert amounts["offline/addOffline"]["money"] == amounts["sfqr/add"]["money"] == "18600.0"
        assert amounts["offline/perform"]["je"] == "9300.5"
        assert amounts["transfer/add"]["bdje"] == "24800.0"
        assert records["sfqr/add"]["sqbh"] == "cnf_1"
        assert records["sfqr/supplement"]["about"] == records["sfqr/add"]["ref"]


async def test_a_repeat_files_twice(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        documents = {
            "offline/addOffline": await agreement(client, "d1"),
            "sfqr/add": await application(client, "d2"),
            "transfer/add": await transfer(client, "d3"),
            "mediator/save": {"tjbh": "d4", **HEAD, "zsbh": "LDTJ-1", "xm": "李明"},
        }
        for service, document in documents.items():
            first, second = [(await client.post(service, document)).content["uuid"] for _ in range(2)]
            assert first != second
            assert [entry["uuid"] for entry in await client.query(document["tjbh"])] == [first, second]
        assert len(await client.mock("records")) == 2 * len(documents)
        await client.decide("cnf_1", "receive")
        assert (await client.journal("push_queued"))[0]["ref"] == (await client.query("d2"))[0]["uuid"]


async def test_the_index_lags_ten_seconds(tmp_path: Path) -> None:
    async with court(tmp_path, index_lag_s=10) as client:
        document = {"tjbh": "d1", **HEAD, "zsbh": "LDTJ-1", "xm": "李明"}
        await client.post("mediator/save", document)
        assert await client.query("d1") == []
        await client.mock("clock", {"shift_s": 8})
        assert await client.query("d1") == []
        await client.mock("clock", {"shift_s": 2})
        assert len(await client.query("d1")) == 1
        await client.mock("clock", {})
        assert await client.query("d1") == []


async def test_a_record_of_a_moved_clock_is_found_when_it_is_back(tmp_path: Path) -> None:
    async with court(tmp_path, index_lag_s=10) as client:
        await client.mock("clock", {"shift_s": 600})
        await client.post("mediator/save", {"tjbh": "d1", **HEAD, "zsbh": "LDTJ-1", "xm": "李明"})
        await client.mock("clock", {})
        assert len(await client.query("d1")) == 1


async def test_the_query_itself_is_strict(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        assert (await client.post("query/byTjbh", {"tjbh": ""})).errors == {"tjbh": "必填"}
        assert (await client.post("query/byTjbh", {"tjbh": "x", "fydm": FYDM})).errors == {"fydm": "未知字段"}
        assert (await client.post("query/byTjbh", '{"tjbh": 1}')).code == "1001"


async def test_a_restart_keeps_everything_but_the_sessions(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        writes = await _everything(client)
        await client.decide("cnf_1", "accept")
        await client.decide("cnf_1", "confirm")
        loose = await client.files("08")
        before = await client.mock("records"), await client.mock("tasks"), await client.query("d6")
        tsbh = [entry["message_id"] for entry in await client.journal("push_queued")]
        config = client.config
    async with court(tmp_path, log_in=False) as client:
        assert {**client.config, "base_url": ""} == {**config, "base_url": ""}
        assert (await client.post("query/byTjbh", {"tjbh": "d6"})).is_login_page
        await client.login()
        assert (await client.mock("records"), await client.mock("tasks"), await client.query("d6")) == before
        assert (await client.post("transfer/add", writes["transfer/add"])).code == "200"
        assert (await client.post("transfer/add", {**writes["transfer/add"], "docList": loose})).code == "200"
        assert (await client.post("task/answer", writes["task/answer"])).code == "1008"
        assert (await client.post("offline/perform", writes["offline/perform"])).code == "200"
        assert (await client.decide("cnf_1", "object"))["tsbh"] not in tsbh
        task = await client.mock("refer", {"jgdm": JGDM, "wplx": "1"})
        assert task["rwbh"] != before[1][0]["rwbh"]


async def test_what_is_lost_is_gone_with_what_followed_it(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await _everything(client)
        assert (await client.mock("lose", {"message_id": "d99"}, 422))["error"]
        await client.mock("lose", {"message_id": "d6"})
        kept = {record["business_key"] for record in await client.mock("records")}
        assert kept == {f"d{number}" for number in (1, 2, 3, 4, 5, 7)}
        assert await client.query("d6") == []
    async with court(tmp_path) as client:
        assert {record["business_key"] for record in await client.mock("records")} == kept
        assert (await client.post("sfqr/add", await application(client, "d6", "cnf_1"))).code == "200"
        assert len(await client.query("d6")) == 1


async def test_a_locked_account_stays_locked_over_a_restart(tmp_path: Path) -> None:
    async with court(tmp_path, log_in=False) as client:
        codes = [(await client.login(password="0" * 64)).code for _ in range(5)]
        assert codes == ["401"] * 4 + ["423"]
    async with court(tmp_path, log_in=False) as client:
        assert (await client.login()).code == "423"


async def test_the_journal_keeps_what_could_not_be_read(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await client.send("/fayuan/a/sfqr/add", b"mediationFormStr=%7B")
        (noted,) = await client.journal("sfqr/add")
        assert (noted["effect"], noted["code"], noted["payload"]) == (
            "refused",
            "1001",
            {"raw": "mediationFormStr=%7B"},
        )
        assert all("password" not in json.dumps(entry) for entry in await client.mock("journal"))
