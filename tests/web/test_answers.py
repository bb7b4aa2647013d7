"""Every call that is described, in a furnished house: each answers, and each answer is one of those that are described.

Every other test of this room holds the answers that it gets against the description too (``site.py``); this one sees to it
that no call is left out.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from adapters.webhook import Webhook
from contracts.errors import PermanentError, RetryableError
from contracts.messages import COURT, HR, ONE_STOP, UNION
from gateway.web import answered
from gateway.web.examples import examples
from tests.flow import papers
from tests.flow.handed_over import ACCEPT, offered
from tests.flow.puppets import PUPPETS
from tests.flow.stage import until
from tests.house import FAST, Gateways
from tests.web.conftest import ENDPOINTS
from tests.web.described import description
from tests.web.site import Site, accepted
from tests.web.site import site as open_site
from tests.web.test_events_feed import listening, stream
from tests.web.test_ops import act, delivery, reaches, seen
from tests.web.test_reconciliations import asked, lost, over
from tests.web.test_redrives import ALL, START, ask, get, preview, refused_cases, second_operator
from tests.web.test_reports import made
from tests.web.test_revisions import MEDIATOR
from tests.web.test_webhook_endpoints import Answers, wish

KEPT = {"Idempotency-Key": "answers-1"}
HELD = {"reason": "双方签署延长调解期限同意书"}
STOPPED = {"reason": "台风致交通中断", "on": "2026-10-05"}


def example(name: str) -> dict[str, Any]:
    """The body of a call as the description shows it."""
    body: dict[str, Any] = examples()[name]["request"]
    return body


async def read(site: Site, path: str) -> dict[str, Any]:
    response = await site.up.get(f"/v1/{path}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def documents(site: Site) -> None:
    """What an upstream posts and corrects, read back with all that hangs on it."""
    assert (await site.post("/v1/cases?dry_run=true", papers.raw("wages"))).status_code == 200
    lines = b"\n".join(map(orjson.dumps, (site.case_body(), site.case_body({"/facts": ""}))))
    taken = await site.up.post("/v1/cases:batch", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert [json.loads(line)["status"] for line in taken.text.splitlines()] == [202, 422]
    for endpoint in (HR, ONE_STOP):
        await act(site, f"endpoints/{endpoint}/pause")
    body = site.case_body()
    case = accepted(await site.post("/v1/cases", body, headers=KEPT))
    assert (await site.post("/v1/cases", body, headers=KEPT)).headers["Idempotency-Replayed"] == "true"
    accepted(await site.put(f"/v1/cases/{case}", body | {"facts": "更正后的事实。"}, headers={"If-Match": '"1"'}))
    concluded = await site.agreement_body()
    agreement = accepted(await site.post(f"/v1/cases/{case}/agreements", concluded))
    requested, transferred = papers.body("arbitration"), papers.body("transfer", {"/to": "legal_aid"})
    confirmation = accepted(await site.post(f"/v1/agreements/{agreement}/confirmations", requested))
    transfer = accepted(await site.post(f"/v1/cases/{case}/transfers", papers.body("transfer")))
    for home, changed in (
        (f"agreements/{agreement}", concluded | {"copies": 4}),
        (f"confirmations/{confirmation}", requested),
        (f"transfers/{transfer}", papers.body("transfer", {"/reason_code": "other"})),
    ):
        accepted(await site.put(f"/v1/{home}", changed, headers={"If-Match": '"1"'}))
    accepted(await site.post(f"/v1/cases/{case}/transfers", transferred))
    accepted(
        await site.post(
            f"/v1/agreements/{agreement}/performances", papers.body("performed", {"/at": "2026-10-09T10:00:00+08:00"})
        )
    )
    accepted(await site.post(f"/v1/cases/{case}/alerts", papers.raw("alert")))
    accepted(await site.post(f"/v1/cases/{case}/follow-ups", example("POST /v1/cases/{id}/follow-ups")))
    assert (await read(site, f"cases/{case}"))["deliveries"]
    for endpoint in (HR, ONE_STOP):
        await act(site, f"endpoints/{endpoint}/resume")
    await site.stage.delivered(case)
    await answers_of_platforms(site, case, confirmation)
    for path in (f"cases/{case}", f"agreements/{agreement}", f"confirmations/{confirmation}", f"transfers/{transfer}"):
        assert (await read(site, path))["links"]
    for path in ("cases?limit=1", f"cases/{case}/timeline", f"cases/{case}/platforms", f"clocks?case={case}"):
        await read(site, path)
    for path in (f"agreements/{agreement}/papers/performance_notice",):
        assert (await site.up.get(f"/v1/{path}")).status_code == 200
    paper = await site.up.get(f"/v1/confirmations/{confirmation}/papers/confirmation_application")
    assert paper.status_code == 200


async def answers_of_platforms(site: Site, case: str, confirmation: str) -> None:
    """A correction that is asked for and given, a withdrawal, a decision whose paper is fetched at the second go."""
    key = ("confirmation", confirmation, "")
    word = site.stage.word("confirmation", "correction_required", key, due_at="2026-10-20T17:00:00+08:00")
    await site.stage.tell(word | {"reasons": [["4002", "缺少身份证明", "/attachments"]]})
    assert (await read(site, f"confirmations/{confirmation}"))["correction"]["due"] == "2026-10-20"
    supplement = example("POST /v1/confirmations/{id}/supplements") | {"attachments": []}
    accepted(await site.post(f"/v1/confirmations/{confirmation}/supplements", supplement))
    withdrawal = example("POST /v1/confirmations/{id}/withdrawal")
    accepted(await site.post(f"/v1/confirmations/{confirmation}/withdrawal", withdrawal))
    puppet = site.stage.puppet()
    puppet.papers["F1"] = PermanentError("gone")
    link = {"ref": "F1", "kind": "decision", "name": "仲裁调解书"}
    decided = site.stage.word("confirmation", "confirmed", key, at="2026-10-10T10:00:00+08:00", documents=[link])
    await site.stage.tell(decided | {"references": [["case_no", "示例劳人仲案字〔2026〕第17号"]]})

    async def failed() -> Any:
        return [row for row in await site.house.store.rows("papers_of", case) if row["state"] == "failed"]

    (row,) = await until(failed, "the paper cannot be fetched")
    assert [one["state"] for one in (await read(site, f"confirmations/{confirmation}"))["documents"]] == ["failed"]
    puppet.papers["F1"] = b"%PDF-1.4 decision"
    await act(site, f"papers/{row['id']}/fetch")

    async def fetched() -> Any:
        papers_told = (await read(site, f"confirmations/{confirmation}"))["documents"]
        return next((one["attachment"] for one in papers_told if one["state"] == "fetched"), None)

    attachment = await until(fetched, "the paper is fetched")
    assert (await site.up.get(f"/v1/attachments/{attachment}")).status_code == 200


async def ends(site: Site) -> None:
    """A mediation that fails, its clocks moved by hand, the roster, a referral from offer to result."""
    case = await site.case({"/received_at": "2026-10-08T09:00:00+08:00", "/accepted_at": papers.DROP})
    clocks = {one["rule"]: one["id"] for one in (await read(site, f"clocks?case={case}"))["items"]}
    for home, by in (("/v1/clocks", site.up), ("/v1/ops/clocks", site.op)):
        for path, body in (
            (f"{clocks['D03']}/extend", HELD | {"extended_by": 15}),
            (f"{clocks['D13']}/suspend", STOPPED | {"on": "2026-10-09"}),
            (f"{clocks['D13']}/resume", STOPPED | {"on": "2026-10-10"}),
        ):
            answer = await site.post(f"{home}/{path}", body, by)
            assert answer.status_code == 200, answer.text
    assert [one for one in (await read(site, f"cases/{case}"))["clocks"] if "pauses" in one]
    failed = await site.case()
    accepted(await site.post(f"/v1/cases/{failed}/progress", papers.raw("failed")))
    assert (await site.up.get(f"/v1/cases/{failed}/papers/termination_proof")).status_code == 200
    home = f"/v1/mediators/{MEDIATOR['certificate_no']}"
    accepted(await site.put(home, MEDIATOR))
    assert (await site.up.get(home)).status_code == 200
    assert (await read(site, "mediators"))["items"]
    referral = await offered(site.stage, "RW1", COURT, kind="court_delegated")
    assert (await read(site, f"referrals/{referral}"))["draft"]["referral"] == referral
    assert (await read(site, "referrals?limit=1"))["items"]
    accepted(await site.post(f"/v1/referrals/{referral}/answer", ACCEPT))
    accepted(await site.post(f"/v1/referrals/{referral}/result", example("POST /v1/referrals/{id}/result")))
    assert (await read(site, f"referrals/{referral}"))["status"] == "returned"


async def webhooks(site: Site) -> None:
    """A subscription from its beginning to its end."""
    home = "/v1/webhook-endpoints"
    subscribed = await site.post(home, wish(signing=["v1", "v1a"], organizations=["SD-JN-LX-001"], description="接收"))
    assert subscribed.status_code == 201, subscribed.text
    own = f"{home}/{subscribed.json()['id']}"

    async def verified() -> bool:
        return bool((await site.up.get(own)).json()["state"] == "verified")

    await until(verified, "the handshake is over")
    assert (await site.up.get(home)).json()["items"]
    assert (await site.up.patch(own, json={"events": ["case.*"], "organizations": None})).status_code == 200
    assert (await site.post(f"{own}/test", b"")).json()["status"] == 204
    assert "secret" in (await site.post(f"{own}/rotate-secret", {})).json()
    assert (await site.up.delete(own)).status_code == 204


async def healing(site: Site) -> None:
    """What operators see and do about single deliveries, tasks and calls."""
    site.stage.puppet(HR).acts["case.submitted"].append(PermanentError("4001"))
    case = await site.case()
    refused = await reaches(site, "rejected", case, HR)
    for path in ("", "/attempts", "/wire"):
        await seen(site, f"deliveries/{refused['id']}{path}")
    plain = {"reason": "电话核对", "side": "wire", "pointer": "/parties/0/name"}
    assert (await act(site, f"deliveries/{refused['id']}/wire/reveal", plain))["value"] == "王建国"
    (task,) = (await seen(site, "tasks?kind=rejected"))["items"]
    await act(site, f"tasks/{task['id']}/assign", {"reason": "值班", "assignee": "zhang"})
    await act(site, f"tasks/{task['id']}/resolve", {"reason": "已电话告知"})
    assert "replaces" in await act(site, f"deliveries/{refused['id']}/redrive", {"reason": "x", "kind": "retranslate"})
    site.stage.puppet(UNION).acts["case.submitted"].append(RetryableError("timeout", maybe_accepted=True))
    collective = await site.case(name="collective")
    doubtful = await reaches(site, "in_doubt", collective, UNION)
    await act(site, f"deliveries/{doubtful['id']}/resolve", {"arrived": True, "evidence": "电话核实"})
    await act(site, f"endpoints/{HR}/pause")
    waiting = await delivery(site, await site.case(), HR)
    assert await seen(site, f"deliveries/{waiting['id']}/wire") == {"id": waiting["id"], "translated": False}
    await act(site, f"deliveries/{waiting['id']}/cancel")
    assert {one["paused"] for one in (await seen(site, "endpoints"))["items"]} == {True, False}
    assert (await seen(site, "flow"))["items"]
    await act(site, f"endpoints/{HR}/resume")
    nobodys = site.stage.word("confirmation", "accepted", ("confirmation", papers.CONFIRMATION, ""))
    assert await site.stage.say(nobodys) == 200

    async def orphan() -> Any:
        return (await seen(site, "orphans"))["items"]

    await until(orphan, "the orphan is listed")
    assert (await seen(site, "deliveries?limit=2"))["cursor"]


async def many(site: Site) -> None:
    """Bulk redrives, a reconciliation that finds something, reports, and the ledger with its figures."""
    await refused_cases(site, 3)
    assert (await preview(site, ALL))["count"] == 3
    await act(site, f"endpoints/{HR}/pause")
    job = (await ask(site, {"filter": ALL} | START))["id"]
    await ask(site, {"reason": "等一等"}, 200, f"/{job}/pause")
    await ask(site, {"reason": "继续"}, 200, f"/{job}/continue")
    await ask(site, {"reason": "不做了"}, 200, f"/{job}/cancel")
    assert (await get(site, ""))["items"]
    assert (await get(site, f"/{job}"))["state"] == "cancelled"
    assert "items" in await get(site, f"/{job}/items?state=waiting")
    await act(site, f"endpoints/{HR}/resume")
    case = await site.case()
    await site.stage.delivered(case)
    site.stage.puppet(HR).acts["agreement.concluded"].append(PermanentError("E1001"))
    await site.agreement(case)
    await reaches(site, "rejected", case, HR, "agreement.concluded")
    statutory = (await ask(site, {"filter": {"endpoint": HR, "type": "agreement.concluded"}} | START))["id"]
    await ask(site, {"reason": "同意"}, 200, f"/{statutory}/approve", by=await second_operator(site))
    await lost(site)
    reconciled = (await asked(site))["id"]
    assert (await over(site, reconciled))["items"]
    body = {"reason": "补报"}
    assert (await site.post(f"/v1/ops/reconciliations/{reconciled}/heal", body, by=site.op)).status_code == 202
    await over(site, reconciled)
    assert (await site.op.get("/v1/ops/reconciliations")).json()["items"]
    report = await made(site)
    assert [report.status_code, (await made(site)).status_code] == [202, 200]
    assert (await site.op.get(f"/v1/ops/reports/{report.json()['id']}")).status_code == 200
    for path in ("ledger?limit=2&from=2026-07-01&to=2026-12-31", "statistics?period=2026Q3", "indicators"):
        assert (await read(site, path))["items"]


async def openly(site: Site) -> None:
    """The feed and its stream; what everybody may read; a token."""
    await site.stage.numbered()
    assert len((await read(site, "events"))["items"]) > 50
    told = description(site.application.framework)
    async with listening(site) as address, stream(address, await site.key("streaming"), "?after=0") as events:
        await events.until(count=20)
    piece = told.answer_of("GET /v1/events/stream", 200)["content"]["text/event-stream"]["x-item-schema"]
    for event in events.seen:
        told.fits("GET /v1/events/stream", piece, event)
    site.succeeded.add(("GET /v1/events/stream", 200))
    for path in ("/healthz", "/readyz", "/metrics", "/v1/asyncapi.json", "/v1/schemas/case"):
        assert (await site.nobody.get(path)).status_code == 200, path
    prefix, _, secret = (await site.key("token")).partition(".")
    form = {"grant_type": "client_credentials", "client_id": prefix, "client_secret": secret}
    assert (await site.nobody.post("/v1/oauth2/token", data=form)).status_code == 200


async def test_every_call_is_answered_as_it_is_described(gateway: Gateways) -> None:
    retry = FAST.model_copy(update={"handshake": (0.05, 0.05), "notify": (0.05,) * 9})
    house = await gateway(ENDPOINTS, adapters=PUPPETS | {"webhook": Webhook}, transport=Answers(), retry=retry)
    async with open_site(house) as site:
        for act_of in (documents, ends, webhooks, healing, many, openly):
            await act_of(site)
        told = description(site.application.framework)
        assert told.calls - {call for call, _ in site.succeeded} == set(), "described, and never exercised"
        forms = ((name, int(status)) for name, forms in answered.FORMS.items() for status in forms)
        meant = {one for one in forms if one[1] < 300}
        assert meant - site.succeeded == set(), "described, and never answered"
