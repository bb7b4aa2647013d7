"""Callbacks, their repeats and forgeries, documents and links of the court's mock (court_mediation §2, §5, §7)."""

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from mocks.court_mediation.notices import judge
from mocks.court_mediation.paper import pdf
from mocks.pushes import Answer, Outgoing, Push
from tests.mocks.court_client import FYDM, JGDM, SILENCE, Client, Doc, application, court, inbox, sealed, transfer

ACK = {"code": "200", "msg": "success"}


def _strings(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_strings(item) for item in value.values())
    return all(_strings(item) for item in value) if isinstance(value, list) else isinstance(value, str)


async def _filed(client: Client) -> str:
    return str((await client.post("sfqr/add", await application(client))).content["uuid"])


async def test_a_callback_is_signed_over_its_raw_body(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        uuid = await _filed(client)
        answer = await client.decide("cnf_1", "receive")
        await box.wait(1)
        headers = dict(box.got[0][0])
        assert headers["content-type"].lower() == "application/json; charset=utf-8"
        assert re.fullmatch(r"[0-9]{10}", headers["x-fy-timestamp"])
        assert re.fullmatch(r"[0-9a-f]{32}", headers["x-fy-nonce"])
        seal = sealed(box.key, headers["x-fy-timestamp"], headers["x-fy-nonce"], box.got[0][1])
        assert headers["x-fy-signature"] == seal
        body = box.body(0)
        assert re.fullmatch(r"TS[0-9]{14}", body["tsbh"])
        assert re.fullmatch(r"[0-9]{8} [0-9]{2}:[0-9]{2}", body["tssj"])
        assert body == {
            "tsbh": answer["tsbh"],
            "tslx": "sqys",
            "tssj": body["tssj"],
            "fydm": FYDM,
            "tjbh": "dlv_2",
            "content": {"uuid": uuid, "sqbh": "cnf_1"},
        }


async def test_each_decision_about_an_application(tmp_path: Path) -> None:
    ways = [
        (["receive", "correct"], "sqbz", {"uuid", "sqbh", "bznr", "bzqx"}, "1"),
        (["accept"], "sqsl", {"uuid", "sqbh", "ah", "larq", "cbr"}, "2"),
        (["not_accept"], "sqbysl", {"uuid", "sqbh", "yy"}, "3"),
        (["accept", "confirm"], "cdyx", {"uuid", "ah", "cdrq", "wslist"}, "5"),
        (["accept", "reject"], "cdbh", {"uuid", "ah", "cdrq", "wslist", "yy"}, "6"),
        (["accept", "withdraw"], "zych", {"uuid", "ah", "cdrq", "wslist"}, "7"),
        (["accept", "deem_withdraw"], "acch", {"uuid", "ah", "cdrq", "wslist"}, "8"),
        (["accept", "confirm", "object"], "yysl", {"uuid", "yyr", "yyrq", "ah"}, "9"),
    ]
    async with inbox() as box, court(tmp_path, box) as client:
        for number, (decisions, tslx, keys, state) in enumerate(ways):
            document = await application(client, f"d{number}", f"cnf_{number}", xybh=f"协议{number}")
            uuid = (await client.post("sfqr/add", document)).content["uuid"]
            seen = len(box.got)
            for decision in decisions:
                seen += 1
                answer = await client.decide(f"cnf_{number}", decision)
                await box.wait(seen)
            body = box.body(seen - 1)
            assert (body["tslx"], answer["tslx"], answer["zt"]) == (tslx, tslx, state)
            assert set(body["content"]) == keys
            assert body["content"]["uuid"] == uuid
            # After 受理 the uuid alone tells the matter.
            assert ("tjbh" in body) == ("sqbh" in keys)
            assert _strings(body)
            (entry,) = await client.query(f"d{number}")
            assert entry["zt"] == state
            assert entry.get("ah") == body["content"].get("ah")


async def test_each_decision_about_a_transfer(tmp_path: Path) -> None:
    ways = {
        "correct": ("ssbz", {"bznr", "bzqx"}, "1"),
        "file": ("ssla", {"ah", "larq"}, "22"),
        "refuse": ("ssbl", {"yy"}, "23"),
    }
    async with inbox() as box, court(tmp_path, box) as client:
        for number, (decision, (tslx, keys, state)) in enumerate(ways.items()):
            uuid = (await client.post("transfer/add", await transfer(client, f"d{number}", f"t{number}"))).content[
                "uuid"
            ]
            await client.decide(f"t{number}", decision)
            await box.wait(number + 1)
            body = box.body(number)
            assert body["tslx"] == tslx
            assert set(body["content"]) == keys | {"uuid", "ysbh"}
            assert (body["content"]["uuid"], body["content"]["ysbh"]) == (uuid, f"t{number}")
            assert (await client.query(f"d{number}"))[0]["zt"] == state


async def test_decisions_by_uuid_with_words_of_the_tester(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        uuid = await _filed(client)
        await client.decide(uuid, "correct", bznr=["补身份证"], bzqx="20261020")
        await box.wait(1)
        assert box.body(0)["content"] == {"uuid": uuid, "sqbh": "cnf_1", "bznr": ["补身份证"], "bzqx": "20261020"}
        await client.decide(uuid, "accept", ah="（2026）鲁0102民特7号")
        await box.wait(2)
        assert (await client.query("dlv_2"))[0]["ah"] == "（2026）鲁0102民特7号"
        await client.decide(uuid, "review")
        assert (await client.query("dlv_2"))[0]["zt"] == "4"
        await client.decide(uuid, "confirm", wslist=["裁定书", "送达回证"])
        await box.wait(3)
        content = box.body(2)["content"]
        assert content["ah"] == "（2026）鲁0102民特7号"
        assert [entry["c_wsmc"] for entry in content["wslist"]] == ["裁定书", "送达回证"]


@pytest.mark.parametrize(
    "order",
    [
        {"ref": "nobody", "decision": "accept"},
        {"ref": "cnf_1", "decision": "file"},
        {"ref": "cnf_1", "decision": "object"},
        {"ref": "cnf_1", "decision": "review"},
        {"ref": "cnf_1", "decision": "accept", "yy": "x"},
        {"ref": "cnf_1", "decision": "accept", "larq": "2026"},
        {"ref": "cnf_1", "decision": "correct", "bznr": "x"},
        {"ref": "cnf_1", "decision": "recall"},
        {"ref": "x", "decision": "push"},
    ],
)
async def test_a_wrong_order_is_422(tmp_path: Path, order: Doc) -> None:
    async with court(tmp_path) as client:
        await _filed(client)
        await client.mock("decide", order, expect=422)
        assert await client.journal("push_queued") == []


async def test_force_tells_a_second_final_word(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        await client.decide("cnf_1", "reject")
        await client.mock("decide", {"ref": "cnf_1", "decision": "confirm"}, expect=422)
        await client.decide("cnf_1", "confirm", force=True)
        await box.wait(2)
        assert {box.body(index)["tslx"] for index in range(2)} == {"cdbh", "cdyx"}


async def test_a_task_is_given_and_recalled(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        task = await client.mock("refer", {"jgdm": JGDM, "wplx": "2", "fydm": "鲁0103", "wslist": ["委托调解函"]})
        await box.wait(1)
        body = box.body(0)
        content = body["content"]
        assert (body["tslx"], body["fydm"], content["rwbh"]) == ("rwxd", "鲁0103", task["rwbh"])
        assert (content["jgdm"], content["wplx"]) == (JGDM, "2")
        assert re.fullmatch(r"[0-9]{8} [0-9]{2}:[0-9]{2}", content["qrqx"])
        assert content["mediationCaseNo"]
        assert {"applicantPartyList", "respondentPartyList", "dispute", "causeCode", "money"} <= set(content)
        assert content["wslist"][0]["c_wsmc"] == "委托调解函"
        assert _strings(body)
        await client.decide(task["rwbh"], "recall", yy="当事人撤诉")
        await box.wait(2)
        assert box.body(1)["content"] == {"rwbh": task["rwbh"], "yy": "当事人撤诉"}
        await client.mock("decide", {"ref": task["rwbh"], "decision": "recall"}, expect=422)


@pytest.mark.parametrize(
    "order",
    [
        {"wplx": "1"},
        {"jgdm": JGDM},
        {"jgdm": JGDM, "wplx": "3"},
        {"jgdm": JGDM, "wplx": "1", "x": "y"},
        {"jgdm": JGDM, "wplx": "1", "qrqx": "tomorrow"},
        {"jgdm": JGDM, "wplx": "1", "claims": "x"},
        {"jgdm": JGDM, "wplx": "1", "money": 5},
        {"jgdm": JGDM, "wplx": "1", "wslist": [{}]},
    ],
)
async def test_a_wrong_referral_is_422(tmp_path: Path, order: Doc) -> None:
    async with court(tmp_path) as client:
        await client.mock("refer", order, expect=422)
        assert await client.mock("tasks") == []


async def test_a_tester_may_push_what_is_unknown_or_unreadable(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await client.decide("-", "push", tslx="wzlx", content={"uuid": "F" * 32, "n": 1})
        await box.wait(1)
        assert (box.body(0)["tslx"], box.body(0)["content"]["n"]) == ("wzlx", 1)
        box.answers = [(400, b'{"code":"400"}')]
        await client.decide("-", "push", body='{"tsbh":"a","tsbh":"b"}')
        await box.wait(2)
        assert box.got[1][1] == b'{"tsbh":"a","tsbh":"b"}'
        assert box.is_genuine(1)


# --- acknowledgement and repeats


async def _judged(status: int, body: bytes, error: str = "") -> str:
    push = Push(id="TS1", op="sqys", content={})
    return await judge(push, Outgoing("http://127.0.0.1", [], b""), Answer(status, {}, body, error))


async def test_the_acknowledgement(tmp_path: Path) -> None:
    assert await _judged(200, json.dumps({**ACK, "tsbh": "TS1"}).encode()) == ""
    for status, reply in [
        (200, {**ACK, "tsbh": "TS2"}),
        (200, ACK),
        (200, {**ACK, "code": 200, "tsbh": "TS1"}),
        (200, {**ACK, "code": "500", "tsbh": "TS1"}),
        (200, [1]),
        (201, {**ACK, "tsbh": "TS1"}),
        (500, {**ACK, "tsbh": "TS1"}),
    ]:
        assert await _judged(status, json.dumps(reply).encode()) != ""
    assert await _judged(200, b"success") != ""
    assert await _judged(200, b"\xff") != ""
    assert await _judged(0, b"", "ConnectionRefusedError") == "ConnectionRefusedError"


async def test_a_push_comes_again_by_the_schedule_and_then_never(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        box.answers = [(500, b"")] * 8
        await client.decide("cnf_1", "receive")
        await box.wait(1)
        for number, wait in enumerate((30, 120, 600, 1800, 7200, 21600, 86400), 2):
            await _waiting(client, number - 1)
            await client.mock("clock", {"shift_s": wait - 5})
            await asyncio.sleep(0.05)
            assert len(box.got) == number - 1
            await client.mock("clock", {"shift_s": 5})
            await box.wait(number)
        await _waiting(client, 0)
        await client.mock("clock", {"shift_s": 1e6})
        await asyncio.sleep(0.05)
        assert len(box.got) == 8
        assert len({box.body(index)["tsbh"] for index in range(8)}) == 1
        assert len({box.header(index, "X-Fy-Nonce")[0] for index in range(8)}) == 8
        assert await _effects(client, 8) == ["unacknowledged"] * 7 + ["given_up"]


async def _effects(client: Client, tries: int) -> list[str]:
    """What became of so many tries."""
    for _ in range(500):
        noted = await client.journal("push")
        if len(noted) >= tries:
            return [entry["effect"] for entry in noted]
        await asyncio.sleep(0.01)
    pytest.fail("the tries were not noted")


async def _waiting(client: Client, tries: int) -> None:
    """Until the one waiting push has had so many tries (0: none waits)."""
    for _ in range(500):
        if [push["tries"] for push in await client.mock("pushes")] == ([tries] if tries else []):
            return
        await asyncio.sleep(0.01)
    pytest.fail("the queue never looked so")


async def test_a_silent_receiver_is_given_its_seconds_only(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box, callback_timeout_s=0.2, callback_waits_s=[0.1]) as client:
        await _filed(client)
        box.answers = [(SILENCE, b"")]
        await client.decide("cnf_1", "receive")
        await box.wait(2)
        assert await _effects(client, 2) == ["unacknowledged", "acknowledged"]
        assert (await client.journal("push"))[0]["payload"]["answer"] == "TimeoutError"


async def test_a_waiting_push_outlives_a_restart(tmp_path: Path) -> None:
    async with inbox() as box:
        async with court(tmp_path, box) as client:
            await _filed(client)
            box.answers = [(503, b"")]
            await client.decide("cnf_1", "confirm")
            await box.wait(1)
            await _waiting(client, 1)
        async with court(tmp_path, box) as client:
            await client.mock("clock", {"shift_s": 31})
            await box.wait(2)
            assert box.got[0][1] == box.got[1][1]
            await client.decide("cnf_1", "object")
            await box.wait(3)
            assert box.body(2)["tsbh"] != box.body(1)["tsbh"]


# --- forgeries and disorder


@pytest.mark.parametrize(
    "how",
    [
        "wrong_key",
        "empty_key",
        "tampered_body",
        "no_signature",
        "upper_hex",
        "stale",
        "future",
        "two_headers",
        "parsed_body",
    ],
)
async def test_a_forgery_fails_the_checks_and_the_true_push_follows(tmp_path: Path, how: str) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        await client.fault(op="sqys", action="forge_callback", how=how)
        await client.decide("cnf_1", "receive")
        await box.wait(2)
        assert [box.is_genuine(index) for index in range(2)] == [False, True]
        assert box.body(0)["tsbh"] == box.body(1)["tsbh"]
        stamp, nonce = box.header(0, "X-Fy-Timestamp")[0], box.header(0, "X-Fy-Nonce")[0]
        seals = box.header(0, "X-Fy-Signature")
        raw = sealed(box.key, stamp, nonce, box.got[0][1])
        compacted = json.dumps(box.body(0), ensure_ascii=False, separators=(",", ":")).encode()
        expected = {
            "no_signature": [],
            "two_headers": [raw, raw],
            "upper_hex": [raw.upper()],
            "stale": [raw],
            "future": [raw],
            "empty_key": [sealed(b"", stamp, nonce, box.got[0][1])],
            "parsed_body": [sealed(box.key, stamp, nonce, compacted)],
        }
        assert seals == expected.get(how, seals)
        assert how in expected or seals != [raw]


async def test_a_replay_is_the_same_bytes_again(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        await client.fault(op="*", action="forge_callback", how="replay")
        await client.decide("cnf_1", "receive")
        await box.wait(2)
        assert box.got[0][1] == box.got[1][1]
        for name in ("X-Fy-Timestamp", "X-Fy-Nonce", "X-Fy-Signature"):
            assert box.header(0, name) == box.header(1, name)


async def test_an_unknown_forgery_is_422(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await client.mock("faults", [{"action": "forge_callback", "how": "magic"}], expect=422)


async def test_duplicates_have_the_same_number_and_a_new_nonce(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        await client.fault(op="sqsl", action="duplicate_callback", n=2)
        await client.decide("cnf_1", "accept")
        await box.wait(3)
        assert len({box.got[index][1] for index in range(3)}) == 1
        assert len({box.header(index, "X-Fy-Nonce")[0] for index in range(3)}) == 3


async def test_the_final_word_may_come_before_the_acceptance(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        await client.fault(op="*", action="reorder_callbacks")
        await client.decide("cnf_1", "accept")
        await client.decide("cnf_1", "confirm")
        await box.wait(2)
        assert [box.body(index)["tslx"] for index in range(2)] == ["cdyx", "sqsl"]


async def test_a_push_may_come_before_the_answer(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await client.fault(op="sfqr/add", action="early_callback")
        uuid = await _filed(client)
        assert len(box.got) == 1
        assert (box.body(0)["tslx"], box.body(0)["content"]["uuid"]) == ("sqys", uuid)
        await client.fault(op="ssla", action="early_callback")
        await client.post("transfer/add", await transfer(client))
        assert box.body(1)["tslx"] == "ssla"


# --- documents


async def test_a_document_is_a_pdf_of_its_size_and_digest(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        await client.decide("cnf_1", "confirm")
        await box.wait(1)
        (writ,) = box.body(0)["content"]["wslist"]
        assert set(writ) == {"c_wsmc", "c_wsbh", "c_fymc", "wjlj", "wjyxq", "wjdx", "sha256"}
        assert writ["c_fymc"] == "济南市历下区人民法院"
        assert writ["wjlj"].startswith(client.server.url + "/")
        path = writ["wjlj"].removeprefix(client.server.url)
        reply = await client.send(path, b"", method="GET", cookie="")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/pdf")
        assert len(reply.body) == int(writ["wjdx"])
        assert hashlib.sha256(reply.body).hexdigest() == writ["sha256"]
        assert reply.body.startswith(b"%PDF-1.")
        assert reply.body.rstrip().endswith(b"%%EOF")


async def test_a_link_lives_ten_minutes_and_is_renewed(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        await _filed(client)
        await client.decide("cnf_1", "confirm")
        await box.wait(1)
        (writ,) = box.body(0)["content"]["wslist"]
        path = writ["wjlj"].removeprefix(client.server.url)
        await client.mock("clock", {"shift_s": 595})
        assert (await client.send(path, b"", method="GET")).status == 200
        await client.mock("clock", {"shift_s": 5})
        late = await client.send(path, b"", method="GET")
        assert (late.status, late.json) == (403, {"code": "403", "msg": "链接已失效"})
        later = re.sub(r"e=[0-9.]+", lambda found: f"e={float(found[0][2:]) + 600:.3f}", path)
        assert (await client.send(later, b"", method="GET")).status == 403
        renewed = (await client.post("ws/link", {"c_wsbh": writ["c_wsbh"]})).content
        assert set(renewed) == {"c_wsbh", "wjlj", "wjyxq"}
        fresh = await client.send(renewed["wjlj"].removeprefix(client.server.url), b"", method="GET", cookie="")
        assert hashlib.sha256(fresh.body).hexdigest() == writ["sha256"]
        assert (await client.post("ws/link", {"c_wsbh": "WS0"})).errors == {"c_wsbh": "文书不存在"}


async def test_a_document_and_its_link_outlive_a_restart(tmp_path: Path) -> None:
    async with inbox() as box:
        async with court(tmp_path, box) as client:
            await _filed(client)
            await client.decide("cnf_1", "confirm")
            await box.wait(1)
            (writ,) = box.body(0)["content"]["wslist"]
            path = writ["wjlj"].removeprefix(client.server.url)
        async with court(tmp_path, box) as client:
            reply = await client.send(path, b"", method="GET", cookie="")
            assert hashlib.sha256(reply.body).hexdigest() == writ["sha256"]
            assert (await client.post("ws/link", {"c_wsbh": writ["c_wsbh"]})).code == "200"


def test_the_pdf_table_points_to_its_objects() -> None:
    data = pdf(["济南市历下区人民法院", "民事裁定书"])
    start = int(data.rsplit(b"startxref\n", 1)[1].split(b"\n", 1)[0])
    table = data[start:].split(b"\n")
    assert table[0] == b"xref"
    count = int(table[1].split()[1])
    for number, line in enumerate(table[3 : 2 + count], 1):
        assert len(line) == 19  # with its line end 20 bytes, as ISO 32000 wants
        place = int(line.split()[0])
        assert data[place:].startswith(b"%d 0 obj" % number)
    assert "民事裁定书".encode("utf-16-be").hex().upper().encode() in data
    assert pdf(["a"]) == pdf(["a"]) != pdf(["b"])
