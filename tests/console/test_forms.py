"""Forms that come back, addresses of acts, a session that is gone: nothing that was typed or seen is lost without a word."""

from __future__ import annotations

import re

import pytest

from contracts.messages import HR
from gateway.web.console.mount import PAGES
from gateway.web.console.places import Places
from tests.console.counter import Counter


def opened(page: str) -> list[str]:
    """The reason forms that stand open."""
    return re.findall(r'<details class="act"[^>]* open>(.*?)</details>', page, re.S)


async def test_a_form_with_a_wrong_value_comes_back_as_it_was_sent(counter: Counter) -> None:
    typed = {"reason": "周六<维护>", "from": "2026-12-05T10:00", "to": "2026-12-05T09:00", "per_minute": "300"}
    answer = await counter.operator.post(f"platforms/{HR}/window", {**typed, "form": "act-window"})
    assert answer.status_code == 409
    (form,) = opened(answer.text)
    assert 'role="alert">请填写起止时间' in form
    assert answer.text.count("请填写起止时间") == 1, "told once, where it is put right"
    assert "周六&lt;维护&gt;</textarea>" in form
    assert 'name="from" required value="2026-12-05T10:00"' in form
    assert 'value="2026-12-05T09:00" autofocus aria-invalid="true"' in form
    assert '<option value="300" selected>' in form
    without = await counter.operator.post(f"platforms/{HR}/pause", {"reason": " ", "form": "act-pause"})
    (form,) = opened(without.text)
    assert "autofocus" in form
    assert not opened((await counter.operator.get(f"platforms/{HR}")).text)


async def test_what_no_form_can_tell_stands_above(counter: Counter) -> None:
    await counter.operator.post(f"platforms/{HR}/pause", {"reason": "维护"})
    late = await counter.operator.post(f"platforms/{HR}/pause", {"reason": "维护", "form": "act-pause"})
    assert late.status_code == 409
    assert not opened(late.text), "a platform that is paused has no form to pause it"
    assert "平台的状态已经改变" in late.text


async def test_a_delivery_a_task_and_a_clock_give_back_what_was_typed(counter: Counter) -> None:
    await counter.journey()
    answer = await counter.operator.post(f"deliveries/{counter.ids['doubt']}/resolve", {"reason": "电话核实"})
    (form,) = opened(answer.text)
    assert "请选择平台是否已收到" in form
    assert "电话核实</textarea>" in form
    answer = await counter.operator.post(
        f"deliveries/{counter.ids['rejected']}/redrive", {"reason": "", "kind": "retranslate"}
    )
    (form,) = opened(answer.text)
    assert re.search(r'value="retranslate" checked', form)
    clocks = await counter.site.house.store.rows("clocks_of", counter.ids["case"])
    running = next(row["id"] for row in clocks if row["state"] == "running")
    sent = {"reason": "不可抗力", "clock": running, "on": "2020-01-01", "article": "胡写", "form": f"suspend-{running}"}
    answer = await counter.operator.post(f"cases/{counter.ids['case']}/clocks/suspend", sent)
    (form,) = opened(answer.text)
    assert 'value="胡写" autofocus' in form
    assert 'value="2020-01-01"' in form


def test_every_act_belongs_to_a_page_that_can_be_read() -> None:
    shown = {page.path for page in PAGES if page.method == "GET"}
    places = Places(shown)
    belongs = {places.home(page.path, page.path) for page in PAGES if places.acts(page.path)}
    assert belongs <= {route.lstrip("/") for route in shown}


async def test_a_reload_of_an_act_leads_to_its_page(counter: Counter) -> None:
    await counter.journey()
    task = counter.ids["task"]
    for act, page in (
        (f"platforms/{HR}/probe", f"platforms/{HR}"),
        (f"platforms/{HR}/window", f"platforms/{HR}"),
        (f"tasks/{task}/resolve", f"tasks/{task}"),
        ("audit/verify", "audit"),
        ("jobs/preview", "jobs"),
        ("clients/cli_1/rotate", "clients"),
        ("views", "messages"),
        ("reconciliations", "waiting"),
    ):
        answer = await counter.operator.get(act)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/console/{page}"), act
    made = await counter.operator.post(f"platforms/{HR}/probe")
    back = re.search(r'href="/console/language\?to=en&amp;back=([^"]+)"', made.text)
    assert back is not None
    assert back.group(1) == f"%2Fconsole%2Fplatforms%2F{HR}"
    listed = await counter.operator.get("messages?state=dead")
    assert "back=%2Fconsole%2Fmessages%3Fstate%3Ddead" in listed.text, "the other language shows the same list"


@pytest.mark.parametrize(("act", "page"), [(f"platforms/{HR}/pause", f"platforms/{HR}"), ("search", "search")])
async def test_a_form_without_a_session_says_that_nothing_was_done(counter: Counter, act: str, page: str) -> None:
    stranger = await counter.stranger()
    answer = await stranger.post(act, {"reason": "维护"})
    assert answer.status_code == 303
    told = await stranger.http.get(answer.headers["location"])
    assert "登录已失效，请重新登录；刚才的操作没有执行" in told.text
    assert f'name="next" value="{page}"' in told.text
    assert "刚才的操作" not in (await stranger.get("login")).text
