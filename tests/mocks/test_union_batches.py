"""The union platform over its socket: the order of its checks, items of every service, privacy, organisations."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.mocks.union_client import (
    AGREEMENT,
    ALERT,
    FORM,
    NOTICE,
    PROGRESS,
    SUPPORT,
    Client,
    Gateway,
    listening,
    results,
    running,
    signature,
    without,
)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with listening() as there:
        yield there


@pytest.fixture
async def client(tmp_path: Path, gateway: Gateway) -> AsyncIterator[Client]:
    async with running(tmp_path / "union", gateway) as there:
        yield there


# --- the door


async def test_a_batch_is_received_and_each_item_is_told(client: Client, gateway: Gateway) -> None:
    reply = await client.batch("case.notice", NOTICE | {"xlh": "dlv_1"}, NOTICE | {"xlh": "dlv_1"})
    assert reply["result"] == "0"
    assert reply["code"] == "0"
    assert "&" in reply["msg"]
    assert "=" in reply["msg"]
    assert len(reply["batchNo"]) == 21
    assert reply["batchNo"][0] == "U"
    told = (await gateway.wait(1))[0]
    assert (told["method"], told["batchNo"], told["n"]) == ("batch.result", reply["batchNo"], "2")
    assert (told["i1.xlh"], told["i1.jg"], told["i2.xlh"], told["i1.yy"]) == ("dlv_1", "1", "dlv_1", "")
    assert len(told["i1.slh"]) == 20
    assert told["i1.slh"] != told["i2.slh"]
    records = await client.mock("GET", "records")
    assert [(record["xlh"], record["state"]) for record in records] == [("dlv_1", "accepted")] * 2
    lines = await client.lines("case.notice")
    assert [(line["message_id"], line["business_key"], line["ref"], line["effect"]) for line in lines] == [
        ("dlv_1", "dlv_1", reply["batchNo"], "created")
    ] * 2
    assert lines[0]["payload"]["sqr.1.xm"] == "王建国"


async def test_blanks_are_mixed_on_the_wire(client: Client, gateway: Gateway) -> None:
    pairs = client.common("progress", 1)
    pairs += [("i1.xlh", "d"), ("i1.jgdm", "o")]
    body = urlencode([*pairs, ("sign", signature(pairs, client.config["secret"]))]).encode()
    status, reply = await client.post(body)
    assert status == 200
    assert b"+" in reply
    assert b"%20" in reply
    assert b"%26" in reply
    assert b"%3D" in reply


async def test_the_probe(client: Client) -> None:
    async def ping(method: str, n: int, **more: str) -> dict[str, str]:
        pairs = [*client.common(method, n), *more.items()]
        body = urlencode([*pairs, ("sign", signature(pairs, client.config["secret"]))]).encode()
        _, reply = await client.post(body, "/lda/ping.do")
        return dict(part.split("=") for part in reply.decode().split("&"))

    answer = await ping("ping", 0)
    assert answer["result"] == "0"
    assert "batchNo" not in answer
    assert (await ping("ping", 1))["code"] == "B2"
    assert (await ping("progress", 0))["code"] == "B3"
    assert (await ping("ping", 0, **{"i1.xlh": "x"}))["code"] == "B2"
    assert await client.mock("GET", "journal") == []
    assert (await client.send(client.common("ping", 0)))["code"] == "B3"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("timestamp", "179067270300", "B1"),
        ("timestamp", "1790672703000", "A2"),
        ("nonce", "short", "B1"),
        ("nonce", "with-a-hyphen-in-it", "B1"),
        ("appKey", "GH999999", "A4"),
        ("method", "case.delete", "B3"),
        ("n", "0", "B2"),
        ("n", "2", "B2"),
        ("n", "01", "B2"),
        ("n", "", "B2"),
    ],
)
async def test_each_common_parameter_is_checked(client: Client, name: str, value: str, code: str) -> None:
    pairs = [*client.common("progress", 1), ("i1.xlh", "d"), ("i1.jgdm", "o")]
    reply = await client.send([(key, value if key == name else old) for key, old in pairs])
    assert (reply["result"], reply["code"], "batchNo" in reply) == ("1", code, False)
    assert [line["code"] for line in await client.mock("GET", "journal")] == [code]


async def test_the_clock_may_be_off_by_five_minutes(client: Client) -> None:
    pairs = [*client.common("progress", 1), ("i1.xlh", "d"), ("i1.jgdm", "o")]
    await client.mock("POST", "clock", {"shift_s": 299})
    assert (await client.send(pairs))["code"] == "0"
    await client.mock("POST", "clock", {"shift_s": 2})
    assert (await client.send(pairs))["code"] == "A2"


async def test_signs_that_do_not_hold(client: Client) -> None:
    pairs = [*client.common("progress", 1), ("i1.xlh", "d"), ("i1.jgdm", "机构")]
    secret = client.config["secret"]
    right = signature(pairs, secret)
    for wrong in ("", right.lower(), right[:-1], signature(pairs, secret + "x"), signature(pairs, "")):
        assert (await client.send(pairs, sign=wrong))["code"] == "A1"
    assert (await client.send(pairs, sign=right))["code"] == "0"


async def test_a_nonce_is_taken_once_in_fifteen_minutes(client: Client) -> None:
    pairs = [*client.common("progress", 1), ("i1.xlh", "d"), ("i1.jgdm", "o")]
    assert (await client.send(pairs, sign="0" * 64))["code"] == "A1"
    assert (await client.send(pairs))["code"] == "0"
    assert (await client.send(pairs))["code"] == "A3"
    await client.mock("POST", "clock", {"shift_s": 901})
    later = [(k, str(int(v) + 901_000) if k == "timestamp" else v) for k, v in pairs]
    assert (await client.send(later))["code"] == "0"


async def test_bytes_that_are_no_form_of_the_union(client: Client) -> None:
    pairs = [*client.common("progress", 1), ("i1.xlh", "已"), ("i1.jgdm", "o")]
    signed = [*pairs, ("sign", signature(pairs, client.config["secret"]))]
    good = urlencode(signed, encoding="gb18030").encode()
    double = urlencode([*signed, ("n", "1")], encoding="gb18030").encode()
    foreign = [*pairs, ("foo", "1")]
    unknown = urlencode([*foreign, ("sign", signature(foreign, client.config["secret"]))], encoding="gb18030").encode()
    for body in (good + b"&x", good + b"%8", urlencode(signed, encoding="utf-8").encode(), double, unknown, b""):
        _, reply = await client.post(body)
        assert b"code=B1" in reply, body[-20:]
    for media in ("application/json", "application/x-www-form-urlencoded", FORM.replace("GB18030", "UTF-8")):
        assert b"code=B1" in (await client.post(good, content_type=media))[1]
    assert b"code=0" in (await client.post(good, content_type="application/x-www-form-urlencoded;charset=gb18030"))[1]


async def test_item_numbers_have_no_gaps(client: Client) -> None:
    for names in (["i1", "i3"], ["i0", "i1"], ["i01", "i2"], ["i2", "i3"]):
        pairs = client.common("progress", 2)
        for name in names:
            pairs += [(f"{name}.xlh", "d"), (f"{name}.jgdm", "o")]
        assert (await client.send(pairs))["code"] == "B2"
    many = [{"xlh": f"d{number}"} for number in range(51)]
    assert (await client.batch("progress", *many))["code"] == "B2"
    assert (await client.batch("progress", *many[:50]))["code"] == "0"


async def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    status, _ = await client.post(b"x=" + b"a" * (512 * 1024))
    assert status == 413


async def test_more_than_two_batches_a_second(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, rate_per_s=2) as client:
        found = [(await client.batch("progress", {}))["code"] for _ in range(3)]
        assert found == ["0", "0", "C1"]
        pairs = client.common("ping", 0)
        body = urlencode([*pairs, ("sign", signature(pairs, client.config["secret"]))]).encode()
        assert b"result=0" in (await client.post(body, "/lda/ping.do"))[1]


# --- items


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ajbh": ""}, "L2"),
        ({"jgdm": ""}, "L2"),
        ({"zzlx": "0"}, "L3"),
        ({"ajbh": "号" * 31}, "L1"),
        ({"jq": "事" * 501}, "L1"),
        ({"jq": "第一行\n第二行"}, ""),
        ({"jq": "表\t格"}, "L3"),
        ({"je": "18600.00"}, "L3"),
        ({"je": "1" * 17}, ""),
        ({"je": "1" * 18}, "L3"),
        ({"je": "-1"}, "L3"),
        ({"sqsj": "20260931000000"}, "L3"),
        ({"sqsj": "2026091609300"}, "L3"),
        ({"lb": "10"}, "L3"),
        ({"qq.1.lx": "15"}, "L3"),
        ({"qq.1.lx": "99"}, ""),
        ({"qq.2.lx": "01"}, "L2"),
        ({"qq.3.lx": "01", "qq.3.nr": "x"}, "L3"),
        ({"qq.1.lx": "", "qq.1.nr": "", "qq.1.je": ""}, "L2"),
        ({"bz": "x"}, "L3"),
        ({"sqr.1.dz": "历下区文化东路1号"}, "L3"),
        ({"sqr.1.xm": ""}, "L2"),
        ({"sqr.1.mc": "公司"}, "L3"),
        ({"bsqr.1.xm": "王"}, "L3"),
        ({"bsqr.1.gm": "5"}, "L3"),
        ({"sqr.1.xb": "male"}, "L3"),
        ({"dlr.1.dsr": "2"}, "L3"),
        ({"dlr.1.dsr": "1"}, ""),
        ({"zd": "2"}, "L3"),
        ({"tk.1.xh": "1"}, "L3"),
        ({"dbr": "王、李", "zd": "1", "rs": "23"}, ""),
        # privacy
        ({"sqr.1.zjhm": "370102199003071238"}, "P1"),
        ({"sqr.1.zjhm": "3701**********1238"}, "P1"),
        ({"sqr.1.zjhm": "******************"}, "P1"),
        ({"sqr.1.zjhm": "370*************3x"}, "P1"),
        ({"sqr.1.zjhm": "370*************3X"}, ""),
        ({"sqr.1.zjhm": "****", "sqr.1.zjlx": "9"}, ""),
        ({"sqr.1.zjhm": "E12***78", "sqr.1.zjlx": "2"}, ""),
        ({"sqr.1.zjhm": "1234", "sqr.1.zjlx": "9"}, "P1"),
        ({"dlr.1.zjhm": "370213198511200024"}, "P1"),
        ({"sqr.1.csrq": "19900307"}, "P1"),
        ({"khh": "中国工商银行"}, "P1"),
        ({"qq.1.yhzh": "1"}, "P1"),
        ({"jq": "卡号6222 0200 0000 0000 000"}, "P1"),
        ({"jq": "证号３７０１０２１９９００３０７１２３Ｘ"}, "P1"),
        ({"jq": "卡号622*************00"}, ""),
        ({"jq": "订单1234567890123"}, ""),
        ({"qq.1.nr": "号码37010219900307123X"}, "P1"),
        ({"bsqr.1.mc": "公司37010219900307"}, "P1"),
        ({"ajbh": "37010219900307123"}, ""),
    ],
)
async def test_what_an_item_is_refused_for(client: Client, gateway: Gateway, change: dict[str, str], code: str) -> None:
    reply = await client.batch("case.notice", NOTICE | {"xlh": "dlv_1"} | change)
    assert reply["result"] == "0"
    assert results(await gateway.wait(1)) == {"dlv_1": ("0", code) if code else ("1", "")}
    line = (await client.lines("case.notice"))[0]
    assert line["effect"] == ("refused" if code else "created")
    assert ("privacy_breach" in line) == (code == "P1")


async def test_a_mask_kept_to_the_letter_is_no_breach(client: Client, gateway: Gateway) -> None:
    # 32 digits: the first 19 are masked; the two digits the mask keeps at its end touch 13 digits that follow.
    await client.batch("case.notice", NOTICE | {"xlh": "dlv_1", "jq": "编号123" + "*" * 14 + "89" + "0123456789012"})
    assert results(await gateway.wait(1)) == {"dlv_1": ("1", "")}


async def test_an_item_without_number_is_kept_but_cannot_be_told(client: Client, gateway: Gateway) -> None:
    await client.batch("case.notice", NOTICE | {"xlh": ""}, NOTICE | {"xlh": "dlv_2"})
    told = (await gateway.wait(1))[0]
    assert (told["n"], told["i1.xlh"]) == ("1", "dlv_2")
    assert [record["yy"] for record in await client.mock("GET", "records")] == ["L2", ""]


@pytest.mark.parametrize(
    ("method", "item", "change", "code"),
    [
        ("case.change", NOTICE, {}, ""),
        ("case.change", NOTICE, {"ajbh": "other"}, "L4"),
        ("progress", PROGRESS, {}, ""),
        ("progress", PROGRESS, {"ajbh": "other"}, "L4"),
        ("progress", PROGRESS, {"zt": "71"}, "L3"),
        ("progress", PROGRESS, {"zt": "52", "yy": "", "je": "1500000", "xybh": "x"}, ""),
        ("agreement.notice", AGREEMENT, {}, ""),
        ("agreement.notice", AGREEMENT, {"ajbh": "other"}, "L4"),
        ("agreement.notice", AGREEMENT, {"tk.2.nr": "付至6222020000000000000"}, "P1"),
        ("agreement.notice", AGREEMENT, {"tk.1.zh": "1"}, "P1"),
        ("agreement.notice", AGREEMENT, {"tk.1.rq": "20261032"}, "L3"),
        ("agreement.notice", {k: v for k, v in AGREEMENT.items() if not k.startswith("tk.")}, {}, "L2"),
        ("alert", ALERT, {}, ""),
        ("alert", ALERT, {"dh": ""}, "L2"),
        ("support", SUPPORT, {}, ""),
        ("support", without(SUPPORT, *(name for name in SUPPORT if name.startswith("sqr."))), {}, "L2"),
        ("referral.answer", {"yjbh": "YJ1", "df": "1"}, {}, "T1"),
        ("referral.answer", {"yjbh": "YJ1", "df": "2"}, {}, "L2"),
        ("referral.result", {"yjbh": "YJ1", "jg": "1", "bg": "达成协议"}, {}, "T1"),
        ("case.notice", NOTICE, {"yjbh": "YJ1"}, "T1"),
    ],
)
async def test_every_service(
    client: Client, gateway: Gateway, method: str, item: dict[str, str], change: dict[str, str], code: str
) -> None:
    await client.batch("case.notice", NOTICE | {"xlh": "dlv_1"})
    await client.batch(method, item | {"xlh": "dlv_2"} | change)
    assert results(await gateway.wait(2))["dlv_2"] == (("0", code) if code else ("1", ""))


async def test_organisations_of_another_union(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, organization_codes=["SD-JN-GH-001"]) as client:
        other = {"jgdm": "SD-LY-LS-007"}
        collective = NOTICE | other | {"ajbh": "C", "zd": "0"}
        await client.batch("case.notice", NOTICE | {"xlh": "own"}, NOTICE | other | {"xlh": "foreign"})
        await client.batch("case.notice", collective | {"xlh": "collective"})
        await client.batch("progress", PROGRESS | other | {"xlh": "follows", "ajbh": "C"})
        await client.batch("progress", PROGRESS | other | {"xlh": "alone"})
        await client.batch("alert", ALERT | other | {"xlh": "alert"})
        await client.batch("support", SUPPORT | other | {"xlh": "support"})
        found = results(await gateway.wait(6))
    refused = {xlh: code for xlh, (_, code) in found.items() if code}
    assert refused == {"foreign": "L5", "alone": "L5"}
