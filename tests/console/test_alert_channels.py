"""告警外发 at the counter: the channels, their test button, a mute, and what 体检 says of a channel that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import web

from contracts.messages import HR
from tests.console.conftest import ENDPOINTS
from tests.console.counter import Counter, open_counter
from tests.flow.puppets import PUPPETS
from tests.flow.receivers import ALLOWED, HttpServer, http_server
from tests.house import Gateways
from tests.web.site import site as open_site


@pytest.fixture
async def robot() -> AsyncIterator[HttpServer]:
    """A group's robot."""
    async with http_server() as server:
        yield server


@pytest.fixture
async def told(gateway: Gateways, robot: HttpServer) -> AsyncIterator[Counter]:
    """The console over a still house whose alerts go to the robot."""
    house = await gateway(
        ENDPOINTS,
        adapters=PUPPETS,
        start=False,
        alerts={"allowed_hosts": ALLOWED, "quiet_s": 0},
        alert_channels={"duty": {"kind": "wecom", "url": robot.url}},
    )
    async with open_site(house) as site, open_counter(site) as made:
        yield made


async def test_the_test_button_sends_and_says_what_became_of_it(told: Counter, robot: HttpServer) -> None:
    page = (await told.viewer.get("alerts")).text
    assert "企业微信机器人" in page
    assert robot.url not in page
    assert "t0ken" not in page
    assert (await told.viewer.post("alerts/channels/duty/test")).status_code == 403
    sent = await told.operator.post("alerts/channels/duty/test")
    assert "测试消息已发出" in sent.text
    assert "测试消息" in orjson.loads(robot.calls[0][2])["markdown"]["content"]
    robot.answers.append(web.json_response({"errcode": 93000}))
    failed = await told.operator.post("alerts/channels/duty/test")
    assert "测试消息未发出（robot_93000）" in failed.text
    assert (await told.operator.post("alerts/channels/nobody/test")).status_code == 404
    rows = await told.site.house.store.rows("newest_audit", 2**62, 2)
    assert [(row["act"], row["target"]) for row in rows] == [("alert.test", "duty")] * 2


async def test_no_test_without_the_forms_token(told: Counter, robot: HttpServer) -> None:
    http = told.operator.http
    bare = await http.post(
        "/console/alerts/channels/duty/test", data={"hours": "1"}, headers={"Origin": "http://gateway.test"}
    )
    assert bare.status_code == 403
    assert robot.calls == []


async def test_an_alert_is_muted_and_the_mute_is_ended(told: Counter, robot: HttpServer) -> None:
    house = told.site.house
    assert house.notices is not None
    identifier = house.store.ids.new("alert")
    await house.notices.opened((identifier, "breaker", HR, "7"))
    assert (await told.viewer.post(f"alerts/{identifier}/mute", {"hours": "8"})).status_code == 403
    assert (await told.operator.post(f"alerts/{identifier}/mute", {"hours": "9"})).status_code == 422
    assert (await told.operator.post("alerts/alt_0/mute", {"hours": "8"})).status_code == 404
    assert (await told.operator.post(f"alerts/{identifier}/mute", {"hours": "8"})).status_code == 303
    assert "静默至" in (await told.operator.get("alerts")).text
    await house.notices.turn()
    assert robot.calls == []
    assert (await told.operator.post(f"alerts/{identifier}/mute", {"hours": "0"})).status_code == 303
    await house.notices.turn()
    assert len(robot.calls) == 1
    acts = [row["act"] for row in await house.store.rows("newest_audit", 2**62, 2)]
    assert acts == ["alert.mute", "alert.mute"]


async def test_a_channel_that_fails_is_a_fault_on_the_health_page(told: Counter, robot: HttpServer) -> None:
    house = told.site.house
    assert house.notices is not None
    robot.answers.append(web.Response(status=503))
    await house.notices.opened((house.store.ids.new("alert"), "breaker", HR, "7"))
    await house.notices.turn()
    page = (await told.viewer.get("health")).text
    assert "告警外发 duty" in page
    assert "http_503" in page
    assert "告警未能发出" in page
    assert "http_503" in (await told.viewer.get("alerts")).text


async def test_an_alert_links_to_its_filtered_list(told: Counter) -> None:
    house = told.site.house
    await house.store.write("open_alert", ("alt_1", "dead_burst", HR, "12"))
    page = (await told.viewer.get("alerts")).text
    assert f'href="/console/messages?platform={HR}&amp;state=failed"' in page
    assert (await told.viewer.get(f"messages?platform={HR}&state=failed")).status_code == 200
