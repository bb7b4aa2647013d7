"""The screens around: clients and their keys, the ledger and its files, alerts, adapters and the dry run, health, the wall."""

from __future__ import annotations

import csv
import io
import json
import re

import openpyxl

from contracts.messages import HR
from gateway.flow.alerting.alerts import Alerts
from tests.console.counter import Counter
from tests.console.test_masking import leaked
from tests.flow import papers


def fresh_key(html: str) -> str:
    found = re.search(r'<b class="mono">(mg\w+\.[\w-]+)</b>', html)
    assert found is not None
    return found.group(1)


async def works(counter: Counter, key: str) -> bool:
    http = await counter.site.client(Authorization=f"Bearer {key}")
    return (await http.get("/v1/cases")).status_code == 200


async def test_a_key_is_rotated_with_both_good_for_a_while(counter: Counter) -> None:
    admin = counter.visitors["administrator"]
    assert (await admin.post("clients", {"name": "", "organizations": "SD-JN-LX-001"})).status_code == 422
    assert (await admin.post("clients", {"name": "无组织", "organizations": " , "})).status_code == 422
    limited = await admin.post("clients", {"name": "部分运维", "organizations": "SD-JN-LX-001", "role": "operator"})
    assert limited.status_code == 422
    assert "不能限定组织" in limited.text
    badly = await admin.post("clients", {"name": "历下区系统", "organizations": "bad code!!", "role": "upstream"})
    assert badly.status_code == 422
    assert "组织代码的写法不对" in badly.text
    assert 'value="bad code!!"' in badly.text, "what was typed comes back"
    made = await admin.post("clients", {"name": "历下区系统", "organizations": "SD-JN-LX-001，SD-LY-LS-007"})
    old = fresh_key(made.text)
    assert "该组织尚无案件" in made.text
    assert await works(counter, old)
    rows = [row for row in await counter.site.house.store.rows("all_keys") if row["name"] == "历下区系统"]
    assert json.loads(rows[0]["organizations"]) == ["SD-JN-LX-001", "SD-LY-LS-007"]
    without = await admin.post(f"clients/{rows[0]['client']}/rotate", {"hours": "72"})
    assert without.status_code == 422
    assert '<option value="72" selected>' in without.text
    rotated = await admin.post(f"clients/{rows[0]['client']}/rotate", {"hours": "24", "reason": "人员调离"})
    new = fresh_key(rotated.text)
    assert await works(counter, old)
    assert await works(counter, new)
    assert new not in (await admin.get("clients")).text
    assert (await admin.post(f"clients/keys/{old.partition('.')[0]}")).status_code == 422
    told = {"reason": "密钥外泄"}
    assert (await admin.post(f"clients/keys/{old.partition('.')[0]}", told)).status_code == 303
    rows = [row for row in await counter.site.house.store.rows("all_keys") if row["name"] == "历下区系统"]
    assert [bool(row["enabled"]) for row in rows] == [False, True]
    acts = [(row["act"], row["actor"]) for row in await counter.site.house.store.rows("newest_audit", 2**62, 3)]
    assert acts == [(act, "user:admi01") for act in ("client.disable_key", "client.rotate", "client.add")]
    assert (await admin.post(f"clients/keys/{old.partition('.')[0]}", told)).status_code == 404
    assert (await admin.post("clients/cli_none/rotate", {"hours": "24", **told})).status_code == 404


async def test_the_ledger_lists_what_the_notice_asks_and_its_files_are_masked_and_audited(counter: Counter) -> None:
    await counter.journey()
    page = (await counter.viewer.get("ledger")).text
    assert "王**" in page
    assert "追索劳动报酬纠纷" in page
    assert (await counter.viewer.get("ledger/export.csv")).status_code == 403
    answer = await counter.operator.get("ledger/export.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    assert rows[0][0] == "案号"
    assert leaked(answer.text) == []
    book = openpyxl.load_workbook(
        io.BytesIO((await counter.operator.get("ledger/export.xlsx?org=SD-JN-LX-001")).content)
    )
    sheet = book["台账"]
    assert all(found.data_type == "s" for row in sheet.iter_rows() for found in row if found.value is not None)
    assert leaked("\n".join(str(found.value) for row in sheet.iter_rows() for found in row)) == []
    assert "user:oper01" in [found.value for row in book["导出说明"].iter_rows() for found in row]
    acts = [row["act"] for row in await counter.site.house.store.rows("newest_audit", 2**62, 2)]
    assert acts == ["ledger.export", "ledger.export"]


async def test_an_alert_is_told_once_and_closes_by_itself(counter: Counter) -> None:
    house = counter.site.house
    loop = Alerts(house.store, tuple(sorted(house.endpoints)), house.settings.data)

    async def opened() -> list[str]:
        return [row["rule"] for row in await house.store.rows("open_alerts") if row["about"] == HR]

    await loop.turn()
    assert await opened() == []
    await house.store.write("set_breaker", (HR, 7, "open"))
    await loop.turn()
    await loop.turn()
    assert await opened() == ["breaker"]
    page = (await counter.operator.get("alerts")).text
    assert "平台熔断" in page
    assert "连续失败 7 次" in page, "a figure says what it counts"
    counted = re.compile(r'href="/console/alerts"[^>]*>[^<]*<sup([^>]*)>([^<]*)</sup>')
    assert counted.findall((await counter.viewer.get("cases")).text)[0][1] == "1"
    identifier = (await house.store.rows("open_alerts"))[0]["id"]
    assert (await counter.viewer.post(f"alerts/{identifier}")).status_code == 403
    assert (await counter.operator.post(f"alerts/{identifier}")).status_code == 303
    seen = (await counter.operator.get("alerts")).text
    assert "operator 甲 已确认" in seen
    assert " hidden" in counted.findall(seen)[0][0], "what somebody knows is not counted"
    await house.store.write("set_breaker", (HR, 0, "closed"))
    await loop.turn()
    assert await opened() == []
    history = await house.store.rows("newest_alerts", "zzz", 9)
    assert len([row for row in history if row["rule"] == "breaker"]) == 1
    await house.store.write("set_breaker", (HR, 7, "open"))
    await loop.turn()
    history = await house.store.rows("newest_alerts", "zzz", 9)
    assert len([row for row in history if row["rule"] == "breaker"]) == 2


async def test_a_dry_run_tells_what_would_be_sent_and_stores_nothing(counter: Counter) -> None:
    before = await counter.site.counts()
    body = papers.body("wages")
    answer = await counter.operator.post("adapters", {"body": json.dumps(body, ensure_ascii=False)})
    assert answer.status_code == 200
    assert "智慧人社" in answer.text
    shown = answer.text.partition("</form>")[2].partition('name="body"')[2].partition("</textarea>")[2]
    assert leaked(shown) == []
    bad = await counter.operator.post("adapters", {"body": json.dumps({**body, "amount": 1})})
    assert bad.status_code == 422
    assert "/amount" in bad.text
    assert (await counter.operator.post("adapters", {"body": "{"})).status_code == 422
    assert (await counter.operator.post("adapters", {"body": ""})).status_code == 422
    assert await counter.site.counts() == before


async def test_health_is_red_where_a_platform_is(counter: Counter) -> None:
    assert "后台任务" in (await counter.viewer.get("health")).text
    await counter.site.house.store.write("set_breaker", (HR, 7, "open"))
    counter.site.application.framework.state.desk.pulse.forget()
    page = (await counter.viewer.get("health")).text
    assert "熔断器断开" in page
    assert "项异常" in page


async def test_the_wall_has_no_hands(counter: Counter) -> None:
    await counter.journey()
    page = (await counter.viewer.get("wall")).text
    assert "<form" not in page
    assert page.count('data-number="') >= 6
    failures = page.partition("<!--[groups]-->")[2].partition("<!--[/groups]-->")[0]
    lines = re.findall("<tr>.*?</tr>", failures)
    assert len(lines) == len(set(lines)) >= 1, "two lines that say the same"
    assert "确认申请" in failures
