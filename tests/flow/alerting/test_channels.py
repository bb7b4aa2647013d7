"""Channels of alerts against real servers: what arrives, how it is secured and signed, and how a failure is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import orjson
import pytest
from aiohttp import web

from contracts.webhook import Secret, verify
from gateway.flow.alerting.channels.port import ChannelFailed
from gateway.flow.alerting.channels.robots import dingtalk_sign
from gateway.flow.alerting.channels.switchboard import Switchboard
from gateway.flow.alerting.channels.wording import RULES, Transition, Wording, place
from gateway.settings import Settings, SettingsRefused
from gateway.texts import console_texts
from tests.flow.receivers import (
    ALLOWED,
    HOST,
    authority,
    frames,
    http_server,
    mail_server,
    mail_text,
    syslog_datagrams,
    syslog_stream,
    trusting,
)

NOW = 1_790_759_103_000
WORDING = Wording("sd", "https://gw.example.cn", lambda about, _: {"court": "法院调解平台"}.get(about))
GIVEN = [
    Transition("alt_1", "breaker", "court", "7", "opened", NOW),
    Transition("alt_2", "deadline_near", "case_01JB2Z9K7Q4N", "3", "opened", NOW + 1000),
    Transition("alt_3", "disk", "node-1", "91%", "recovered", NOW + 2000),
]


def board(channel: dict[str, Any], **more: Any) -> Switchboard:
    """The switchboard with one channel ``ops``."""
    alerts = {"allowed_hosts": ALLOWED} | more
    settings = Settings(env="development", alerts=alerts, alert_channels={"ops": channel})
    return Switchboard(settings, lambda: NOW, tls=trusting())


async def tell(made: Switchboard, given: list[Transition] | None = None) -> None:
    """Tell it, and close."""
    try:
        await made.tell(made.channels["ops"], WORDING, given or GIVEN)
    finally:
        await made.aclose()


def mail(port: int, **more: Any) -> dict[str, Any]:
    """A mail channel."""
    made = {"kind": "smtp", "host": HOST, "port": port, "sender": "gateway@example.cn", "to": ["ops@example.cn"]}
    return made | more


# -------------------------------------------------------------------------------------------------------------- words


def test_every_rule_has_words_in_both_languages() -> None:
    for rule, severity in RULES.items():
        for group in ("alert_rule", "alert_advice"):
            assert set(console_texts()[f"{group}.{rule}"]) == {"zh", "en"}
        assert f"alert_severity.{severity}" in console_texts()
    assert {key.partition(".")[2] for key in console_texts() if key.startswith("alert_rule.")} == set(RULES)


def test_a_bundle_says_what_how_bad_and_where_to_act() -> None:
    made = WORDING.bundle(GIVEN, "zh", NOW)
    assert made.subject == "【对接网关 sd】2 条新告警（最高级别 严重），1 条已恢复"
    assert "[严重] 平台熔断: 法院调解平台 (7)" in made.text
    assert "https://gw.example.cn/console/platforms/court" in made.text
    assert "[已恢复] 数据盘使用超过 80%: node-1" in made.text
    english = WORDING.bundle(GIVEN[:1], "en", NOW)
    assert english.subject == "[gateway sd] critical: Breaker open (法院调解平台)"
    assert not re.search(r"[\u4e00-\u9fff]", english.text.replace("法院调解平台", ""))
    assert WORDING.bundle(GIVEN[::-1], "zh", NOW + 99).id == made.id, "the same at every try"


def test_many_are_counted_and_numbers_of_people_are_masked() -> None:
    someone = "370102199003071234"
    many = [Transition(f"alt_{n:02}", "key_expiring", someone, "x\ny", "opened", NOW + n) for n in range(30)]
    made = WORDING.bundle(many, "zh", NOW)
    assert len(made.items) == 20
    assert "另有 10 条" in made.text
    assert "3701021990" not in made.text + made.subject
    assert all("\n" not in one.figure for one in made.items)


@pytest.mark.parametrize(
    ("rule", "about", "path"),
    [
        ("dead_burst", "court", "messages?platform=court&state=failed"),
        ("backlog_old", "court", "messages?platform=court&state=pending"),
        ("callback_orphan", "callbacks", "waiting?kind=orphan"),
        ("deadline_near", "case_1", "cases/case_1"),
        ("key_expiring", "cli_1", "clients"),
        ("disk", "node", "health"),
    ],
)
def test_an_alert_links_to_the_filtered_list(rule: str, about: str, path: str) -> None:
    assert place(rule, about) == path


# --------------------------------------------------------------------------------------------------------------- mail


async def test_a_mail_by_starttls_with_a_login() -> None:
    async with mail_server(starttls=True, login=("gw", "geheim-1")) as server:
        await tell(board(mail(server.port, user="gw", password="geheim-1", to=["a@example.cn", "b@example.cn"])))
        (came,) = server.mails
        assert server.secured == [True]
        assert server.recipients == [["a@example.cn", "b@example.cn"]]
        assert came["Subject"] == "【对接网关 sd】2 条新告警（最高级别 严重），1 条已恢复"
        assert came["Auto-Submitted"] == "auto-generated"
        assert came["Message-ID"] == f"<{WORDING.bundle(GIVEN, 'zh', NOW).id}@example.cn>"
        assert "平台熔断: 法院调解平台" in mail_text(came)


async def test_a_mail_over_tls_and_one_in_the_clear() -> None:
    async with mail_server(tls=True) as server:
        await tell(board(mail(server.port, security="tls")))
        assert (len(server.mails), server.secured) == (1, [True])
    async with mail_server() as server:
        await tell(board(mail(server.port, security="plain")))
        assert (len(server.mails), server.secured) == (1, [False])


async def test_one_unknown_mailbox_does_not_make_the_others_hear_it_again_and_again() -> None:
    async with mail_server() as server:
        await tell(board(mail(server.port, security="plain", to=["nobody@example.cn", "a@example.cn"])))
        assert server.recipients == [["a@example.cn"]]
        with pytest.raises(ChannelFailed, match="recipients_refused"):
            await tell(board(mail(server.port, security="plain", to=["nobody@example.cn"])))
        assert len(server.mails) == 1


async def test_no_mail_goes_in_the_clear_where_tls_is_wanted() -> None:
    async with mail_server() as server:
        with pytest.raises(ChannelFailed, match="smtp_failed"):
            await tell(board(mail(server.port)))
        assert server.mails == []


async def test_a_certificate_of_strangers_is_not_believed() -> None:
    async with mail_server(tls=True) as server:
        settings = Settings(
            env="development",
            alerts={"allowed_hosts": ALLOWED},
            alert_channels={"ops": mail(server.port, security="tls")},
        )
        with pytest.raises(ChannelFailed):
            await tell(Switchboard(settings, lambda: NOW))
        assert server.mails == []


@pytest.mark.parametrize(
    ("password", "refuse", "code"),
    [("wrong-2", [], "smtp_535"), ("geheim-1", ["451 later"], "smtp_451"), ("geheim-1", ["554 no"], "smtp_554")],
)
async def test_what_a_mail_server_refuses_is_told_by_its_number(password: str, refuse: list[str], code: str) -> None:
    async with mail_server(starttls=True, login=("gw", "geheim-1")) as server:
        server.refuse += refuse
        with pytest.raises(ChannelFailed) as failed:
            await tell(board(mail(server.port, user="gw", password=password)))
        assert failed.value.code == code


# ------------------------------------------------------------------------------------------------------------- robots


async def test_a_robot_of_dingtalk_is_signed() -> None:
    async with http_server() as server:
        await tell(board({"kind": "dingtalk", "url": server.url, "secret": "SECabc"}))
        ((query, _, body),) = server.calls
    assert query["access_token"] == "t0ken"
    assert query["timestamp"] == str(NOW)
    expected = hmac.new(b"SECabc", f"{NOW}\nSECabc".encode(), hashlib.sha256).digest()
    assert base64.b64decode(unquote_plus(query["sign"].replace("+", "%2B"))) == expected
    made = orjson.loads(body)
    assert made["msgtype"] == "markdown"
    assert made["markdown"]["title"].startswith("【对接网关 sd】")
    assert "**平台熔断** 法院调解平台（7）" in made["markdown"]["text"]
    assert "https://gw.example.cn/console/platforms/court" in made["markdown"]["text"]


def test_the_sign_of_a_known_vector() -> None:
    # printf '1577262236757\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
    assert dingtalk_sign(1577262236757, "this is secret") == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="


async def test_a_robot_of_wecom_takes_no_more_than_it_may() -> None:
    many = [Transition(f"alt_{n:02}", "disk", "机" * 70, "9" * 9, "opened", NOW + n) for n in range(20)]
    async with http_server() as server:
        await tell(board({"kind": "wecom", "url": server.url}), many)
        ((_, _, body),) = server.calls
    content = orjson.loads(body)["markdown"]["content"]
    assert len(content.encode()) <= 4096
    assert content.endswith("> …")


async def test_markup_in_a_name_is_no_markup() -> None:
    wording = Wording("sd", "https://gw.example.cn", lambda *_: "[点我](http://evil.example)")
    async with http_server() as server:
        made = board({"kind": "dingtalk", "url": server.url})
        await made.tell(made.channels["ops"], wording, GIVEN[:1])
        await made.aclose()
        ((_, _, body),) = server.calls
    text = orjson.loads(body)["markdown"]["text"]
    assert "](http://evil" not in text


async def test_a_receiver_of_ones_own_gets_data_that_it_can_verify() -> None:
    secret = Secret.make(lambda n: b"k" * n)
    async with http_server() as server:
        await tell(board({"kind": "webhook", "url": server.url, "secret": secret.shown}))
        ((_, headers, body),) = server.calls
    assert verify(headers.items(), body, [secret], datetime.fromtimestamp(NOW / 1000, UTC)).startswith("aln_")
    made = orjson.loads(body)
    assert made["type"] == "gateway.alerts"
    assert [(one["id"], one["state"], one["severity"]) for one in made["alerts"]] == [
        ("alt_1", "opened", "critical"),
        ("alt_2", "opened", "critical"),
        ("alt_3", "recovered", "critical"),
    ]


@pytest.mark.parametrize(
    ("answer", "code", "after"),
    [
        (web.json_response({"errcode": 310000, "errmsg": "sign not match"}), "robot_310000", None),
        (web.json_response([1]), "answer_unreadable", None),
        (web.Response(body=b"<html>"), "answer_unreadable", None),
        (web.Response(body=b"x" * 70_000), "answer_too_large", None),
        (web.Response(status=429, headers={"Retry-After": "90"}), "http_429", 90.0),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1/"}), "http_302", None),
    ],
)
async def test_a_robot_that_refuses_is_told_by_its_code(answer: web.Response, code: str, after: float | None) -> None:
    async with http_server() as server:
        server.answers.append(answer)
        with pytest.raises(ChannelFailed) as failed:
            await tell(board({"kind": "wecom", "url": server.url}))
        assert (failed.value.code, failed.value.retry_after_s) == (code, after)
        assert len(server.calls) == 1, "no redirect is followed"


# ------------------------------------------------------------------------------------------------------------- syslog

LINE = re.compile(
    r"<(\d+)>1 (\S+) (\S+) mediation-gateway \d+ (\S+) \[gateway@32473 ((?:\S+=\"(?:[^\"\\\]]|\\.)*\" ?)+)\] \ufeff(.*)"
)


@pytest.mark.parametrize("tls", [False, True])
async def test_syslog_by_stream(tls: bool) -> None:
    async with syslog_stream(tls=tls) as (port, came):
        await tell(board({"kind": "syslog", "host": HOST, "port": port, "transport": "tls" if tls else "tcp"}))
        lines = frames(await asyncio.wait_for(came.get(), 5))
    assert len(lines) == 3
    first, _, last = (LINE.fullmatch(each) for each in lines)
    assert first is not None
    assert last is not None
    assert (first[1], last[1]) == (str(16 * 8 + 2), str(16 * 8 + 5))
    assert first[4] == "breaker"
    assert datetime.fromisoformat(first[2]).timestamp() * 1000 == NOW
    assert 'alert="alt_1" rule="breaker" state="opened" severity="critical" about="法院调解平台"' in first[5]
    assert "平台熔断: 法院调解平台 (7) https://gw.example.cn/console/platforms/court" in first[6]


async def test_syslog_by_datagram_and_its_quoting() -> None:
    wording = Wording("sd", "https://gw.example.cn", lambda *_: 'a"b]c\\d')
    async with syslog_datagrams() as (port, came):
        made = board({"kind": "syslog", "host": HOST, "port": port, "transport": "udp", "facility": 4})
        await made.tell(made.channels["ops"], wording, GIVEN[:2])
        lines = [(await asyncio.wait_for(came.get(), 5)).decode() for _ in range(2)]
    found = LINE.fullmatch(lines[0])
    assert found is not None
    assert found[1] == str(4 * 8 + 2)
    assert 'about="a\\"b\\]c\\\\d"' in found[5]


# ------------------------------------------------------------------------------------------------------------- egress


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        ({"kind": "wecom", "url": "http://127.0.0.1:9/robot/send"}, "egress_refused:url_scheme"),
        ({"kind": "wecom", "url": "https://127.0.0.1/robot"}, "egress_refused:address_not_public"),
        ({"kind": "wecom", "url": "https://10.1.2.3/robot"}, "egress_refused:address_not_public"),
        (
            {"kind": "syslog", "host": "127.0.0.1", "port": 6514, "transport": "tls"},
            "egress_refused:address_not_public",
        ),
        ({"kind": "syslog", "host": "collector.example.cn", "transport": "udp"}, "egress_refused:url_scheme"),
        ({"kind": "syslog", "host": "2130706433", "transport": "tls"}, "egress_refused:url_host"),
        (mail(25, host="localhost"), "egress_refused:url_host"),
        (mail(8025, host="mail.example.cn"), "egress_refused:url_port"),
        (mail(465, host="169.254.169.254", security="tls"), "egress_refused:address_not_public"),
    ],
)
async def test_nothing_goes_where_the_policy_does_not_let_it(channel: dict[str, Any], code: str) -> None:
    with pytest.raises(ChannelFailed) as failed:
        await tell(board(channel, allowed_hosts=()))
    assert failed.value.code == code


async def test_an_allowed_host_is_no_door_for_webhooks_of_tenants() -> None:
    settings = Settings(env="development", alerts={"allowed_hosts": ALLOWED})
    assert settings.webhook_allowed_hosts == ()


# ----------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        (mail(25, rules=["no_such_rule"]), "no rule no_such_rule"),
        ({"kind": "webhook", "url": "https://a.example/x", "secret": "short"}, "whsec_"),
        ({"kind": "wecom", "url": "https://a.example/x", "secret": "SEC"}, "企业微信"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_at_the_start(channel: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsRefused, match=reason):
        board(channel)


def test_no_password_goes_in_the_clear_in_production() -> None:
    given = {"ops": mail(25, security="plain", user="gw", password="geheim-1")}
    open_settings = Settings(env="development", alert_channels=given)
    assert Switchboard(open_settings, lambda: NOW).channels
    closed = Settings(env="production", alert_channels=given)
    with pytest.raises(SettingsRefused, match="in the clear"):
        Switchboard(closed, lambda: NOW)


async def test_a_hanging_server_costs_a_channel_its_deadline_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.flow.alerting.channels.switchboard.WITHIN_S", 0.2)
    hold = asyncio.Event()
    async with http_server() as server:
        server.answers.append(hold.wait)
        with pytest.raises(ChannelFailed, match="timeout"):
            await tell(board({"kind": "webhook", "url": server.url}))
        hold.set()


async def test_the_test_message_says_what_became_of_it() -> None:
    async with http_server() as server:
        made = board({"kind": "dingtalk", "url": server.url})
        assert await made.test("ops", WORDING) is None
        server.answers.append(web.json_response({"errcode": 9}))
        assert await made.test("ops", WORDING) == "robot_9"
        await made.aclose()
        assert "测试消息" in orjson.loads(server.calls[0][2])["markdown"]["title"]
    assert authority() is authority()
