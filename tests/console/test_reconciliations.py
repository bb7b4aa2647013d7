"""对账 in the console: the last one of each platform, its differences, and the form that has them mended."""

from __future__ import annotations

import re

from contracts.messages import HR, UNION
from gateway.texts import console_text
from tests.console.counter import Counter
from tests.flow.stage import until


async def lost(counter: Counter) -> str:
    """A case that is delivered and that the platform has forgotten; its delivery's id."""
    case = await counter.site.case()
    await counter.site.stage.delivered(case, endpoint=HR)
    puppet = counter.site.stage.puppet(HR)
    (wire,) = puppet.sent
    puppet.sent.clear()
    return wire.id


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


async def over(counter: Counter, identifier: str) -> None:
    async def done() -> bool:
        row = await counter.site.house.store.row("reconciliation", identifier)
        return row is not None and row["state"] == "done"

    await until(done, "it is done")


async def test_the_page_shows_each_platforms_last_one_and_says_what_cannot_be_compared(counter: Counter) -> None:
    page = words((await counter.viewer.get("waiting")).text)
    assert console_text("reconcile.never", "zh") in page
    await lost(counter)
    identifier = await counter.reconciled()
    page = (await counter.viewer.get("waiting")).text
    assert f"/console/reconciliations/{identifier}" in page
    assert console_text("reconcile.by.asking", "zh") in page
    english = (await counter.viewer.get("waiting", **{"Accept-Language": "en"})).text
    assert "asking for each" in english
    row = re.search(rf"<tr data-open=\"/console/reconciliations/{identifier}\">(.*?)</tr>", page, re.DOTALL)
    assert row is not None
    assert re.findall(r'<td class="num[^"]*">(\d+)</td>', row.group(1)) == ["1", "0", "0", "0", "1"]


async def test_a_difference_is_mended_from_its_page(counter: Counter) -> None:
    gone = await lost(counter)
    today = counter.site.house.store.now_ms()
    form = {"platform": HR, "from": "2026-10-09", "to": "2026-10-10"}
    answer = await counter.operator.post("reconciliations", form)
    assert answer.status_code == 303
    identifier = answer.headers["location"].rpartition("/")[2]
    await over(counter, identifier)
    assert counter.site.house.store.now_ms() >= today
    shown = await counter.operator.get(f"reconciliations/{identifier}")
    assert gone in shown.text
    assert console_text("reconcile_code.absent", "zh") in shown.text
    assert console_text("reconcile.kind.foreign", "zh") in words(shown.text), "what its protocol cannot tell is named"
    path = f"reconciliations/{identifier}/heal"
    unsaid = await counter.operator.post(path, {"kind": "missing"})
    assert (unsaid.status_code, console_text("problem.reason_missing", "zh") in unsaid.text) == (422, True)
    assert (await counter.viewer.post(path, {"reason": "补报", "kind": "missing"})).status_code == 403
    blind = await counter.operator.post(path, {"reason": "补报", "kind": "missing", "form_token": ""})
    assert blind.status_code == 403
    assert counter.site.stage.puppet(HR).sent == []
    assert (await counter.operator.post(path, {"reason": "补报", "kind": "missing"})).status_code == 303

    async def mended() -> bool:
        page = (await counter.viewer.get(f"reconciliations/{identifier}")).text
        return console_text("reconcile.row.healed", "zh") in page and "act-heal" not in page

    await until(mended, "the page shows that it is mended")
    await until(lambda: _sent(counter, gone), "it is filed again")
    again = await counter.operator.post(path, {"reason": "补报", "kind": "nonsense"})
    assert again.status_code == 422
    rows = await counter.site.house.store.rows("newest_audit", 2**62, 20)
    assert {row["act"] for row in rows} >= {"reconciliation.ask", "reconciliation.heal", "delivery.refile"}


async def _sent(counter: Counter, delivery: str) -> bool:
    return [wire.id for wire in counter.site.stage.puppet(HR).sent] == [delivery]


async def test_a_form_that_cannot_be_is_refused(counter: Counter) -> None:
    form = {"platform": HR, "from": "2026-10-10", "to": "2026-10-09"}
    assert (await counter.operator.post("reconciliations", form)).status_code == 422
    assert (await counter.operator.post("reconciliations", {"platform": HR})).status_code == 422
    unknown = form | {"platform": "nobody", "to": "2026-10-10"}
    assert (await counter.operator.post("reconciliations", unknown)).status_code == 404
    assert (await counter.operator.get("reconciliations/rcn_none")).status_code == 404
    assert (await counter.operator.post("reconciliations/rcn_none/heal", {"reason": "x"})).status_code == 404


async def test_a_period_that_cannot_be_comes_back_with_its_dates(counter: Counter) -> None:
    for first, last, wrong in (
        ("2026-10-10", "2026-10-08", "to"),
        ("2026-01-01", "2026-10-01", "from"),
        ("2036-01-01", "2036-01-02", "from"),
        ("2026-02-31", "2026-10-01", "from"),
        ("2026-10-01", "morgen", "to"),
    ):
        answer = await counter.operator.post("reconciliations", {"platform": HR, "from": first, "to": last})
        assert answer.status_code == 422
        assert answer.text.count(console_text("error.reconcile_period", "zh")) == 1
        for name, value in (("from", first), ("to", last)):
            mark = ' autofocus aria-invalid="true"' if name == wrong else ""
            assert f'name="{name}" required value="{value}"{mark}>' in answer.text, (first, last)
        assert f'<option value="{HR}" selected>' in answer.text


async def test_nobody_is_named_on_its_page(counter: Counter) -> None:
    await counter.journey()
    identifier = await counter.reconciled(UNION)
    page = (await counter.visitors["administrator"].get(f"reconciliations/{identifier}")).text
    for person in ("王建国", "370102199003071238", "13853100001"):
        assert person not in page
