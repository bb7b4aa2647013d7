"""The typed client: what it sends, what it makes of answers, when it tries again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import BaseModel

from contracts.lists import ConfirmationRoute, TransferReason, TransferTo
from gateway.client import CallRefused, Event, EventPage, GatewayClient, GatewayUnreachable, Owed, Taken, Uploaded
from gateway.demo.script import Script
from gateway.web.answered import components

SCRIPT = Script(7, 1, datetime(2026, 11, 25, tzinfo=UTC))
TAKEN = {
    "id": "case_1",
    "status": "accepted",
    "version": 1,
    "warnings": [{"pointer": "/attachments", "code": "paper_missing", "message": "m", "message_zh": "中"}],
    "deliveries": [{"id": "dlv_1", "endpoint": "one", "state": "pending"}],
    "clocks": [],
    "links": {"self": "http://x/v1/cases/case_1"},
    "something_new": True,
}


class Gateway:
    """Answers from a list, the last one for ever, and keeps what came."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.came: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, patience_s: float = 0.0) -> GatewayClient:
        return GatewayClient(
            "http://gateway/", "mg1.secret", patience_s=patience_s, transport=httpx.MockTransport(self)
        )


def answer(status: int, body: object, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


async def test_every_document_has_its_call() -> None:
    gateway = Gateway(answer(202, TAKEN))
    script = SCRIPT
    agreement = script.agreement("att_01JB2Z9K7Q4NABCDEFGHJKMNPQ")
    async with gateway.client() as client:
        await client.submit_case(script.case, key="k1")
        await client.revise_case("case_1", script.case, 3, key="k2")
        await client.report_progress("case_1", script.mediating)
        await client.raise_alert("case_1", script.alert)
        await client.record_follow_up("case_1", script.visit)
        await client.report_agreement("case_1", agreement)
        await client.report_performance("agr_1", script.performances[0])
        await client.request_confirmation("agr_1", script.request(ConfirmationRoute.ARBITRATION_REVIEW))
        await client.supplement("cnf_1", script.supplement(()))
        await client.withdraw("cnf_1", script.withdrawal)
        await client.request_transfer("case_1", script.transfer(TransferTo.COURT, TransferReason.OTHER))
        await client.list_mediator(script.roster[0])
    assert [(request.method, request.url.path) for request in gateway.came] == [
        ("POST", "/v1/cases"),
        ("PUT", "/v1/cases/case_1"),
        ("POST", "/v1/cases/case_1/progress"),
        ("POST", "/v1/cases/case_1/alerts"),
        ("POST", "/v1/cases/case_1/follow-ups"),
        ("POST", "/v1/cases/case_1/agreements"),
        ("POST", "/v1/agreements/agr_1/performances"),
        ("POST", "/v1/agreements/agr_1/confirmations"),
        ("POST", "/v1/confirmations/cnf_1/supplements"),
        ("POST", "/v1/confirmations/cnf_1/withdrawal"),
        ("POST", "/v1/cases/case_1/transfers"),
        ("PUT", f"/v1/mediators/{script.roster[0].certificate_no}"),
    ]
    first, second, third = gateway.came[:3]
    assert first.headers["authorization"] == "Bearer mg1.secret"
    assert first.headers["idempotency-key"] == "k1"
    assert first.headers["content-type"] == "application/json"
    assert first.content == script.case.to_json()
    assert second.headers["if-match"] == '"3"'
    assert "idempotency-key" not in third.headers


async def test_the_answer_is_typed_and_may_grow() -> None:
    gateway = Gateway(answer(202, TAKEN, **{"Idempotency-Replayed": "true"}))
    async with gateway.client() as client:
        taken = await client.submit_case(SCRIPT.case, key="k")
    assert (taken.id, taken.status, taken.replayed) == ("case_1", "accepted", True)
    assert [(owed.id, owed.endpoint) for owed in taken.deliveries] == [("dlv_1", "one")]
    assert taken.warnings[0].message_zh == "中"


async def test_an_operators_acts_are_repeated_under_one_key() -> None:
    made = {"id": "job_1", "state": "running"}
    gateway = Gateway(httpx.ConnectError("lost"), answer(200, made))
    async with gateway.client(patience_s=5) as client:
        await client.resolve("dlv_1", arrived=True, evidence="by telephone")
        await client.reconcile("hr", "2026-10-01", "2026-10-02")
        await client.post("/v1/ops/redrives", {"reason": "x"}, key="mine")
        await client.post("/v1/ops/endpoints/hr/pause", {"reason": "x"})
    keys = [request.headers.get("Idempotency-Key") for request in gateway.came]
    assert keys[0] == keys[1] is not None
    assert keys[2] not in (None, keys[0])
    assert keys[3:] == ["mine", None]


async def test_a_refusal_brings_every_finding() -> None:
    problem = {
        "title": "缺少字段",
        "status": 422,
        "detail": "…",
        "code": "missing",
        "link": "http://gateway/v1/cases/case_9",
        "errors": [{"pointer": "/facts", "code": "missing"}, {"pointer": "/amount", "code": "money_format"}],
        "warnings": [{"pointer": "/x", "code": "region_unknown"}],
    }
    gateway = Gateway(answer(422, problem))
    async with gateway.client(patience_s=5) as client:
        with pytest.raises(CallRefused) as refused:
            await client.submit_case(SCRIPT.case, key="k")
    error = refused.value
    assert (error.status, error.code, str(error)) == (422, "missing", "422 missing")
    assert [(found.pointer, found.code) for found in error.errors] == [
        ("/facts", "missing"),
        ("/amount", "money_format"),
    ]
    assert error.link == "http://gateway/v1/cases/case_9"
    assert len(gateway.came) == 1


async def test_a_page_of_somebody_else_is_no_answer() -> None:
    gateway = Gateway(httpx.Response(200, text="<html>login</html>"))
    async with gateway.client() as client:
        with pytest.raises(GatewayUnreachable, match="JSON"):
            await client.get("/v1/cases")
    gateway = Gateway(httpx.Response(502, text="<html>proxy</html>"))
    async with gateway.client() as client:
        with pytest.raises(CallRefused, match="502 http_502"):
            await client.get("/v1/cases")


@pytest.mark.parametrize(
    "trouble",
    [
        answer(503, {"code": "unavailable"}, **{"Retry-After": "0"}),
        answer(429, {"code": "rate"}),
        answer(409, {"code": "busy"}),
        httpx.ConnectError("no"),
        httpx.ReadTimeout("silence"),
    ],
)
async def test_what_has_a_key_is_sent_again(trouble: httpx.Response | Exception) -> None:
    gateway = Gateway(trouble, trouble, answer(202, TAKEN))
    async with gateway.client(patience_s=10) as client:
        assert (await client.submit_case(SCRIPT.case, key="k")).id == "case_1"
    assert len(gateway.came) == 3
    assert len({(request.content, request.headers["idempotency-key"]) for request in gateway.came}) == 1


async def test_what_has_no_key_is_not() -> None:
    gateway = Gateway(httpx.ReadTimeout("silence"), answer(202, TAKEN))
    async with gateway.client(patience_s=10) as client:
        with pytest.raises(GatewayUnreachable, match="ReadTimeout"):
            await client.submit_case(SCRIPT.case)
    assert len(gateway.came) == 1


async def test_patience_ends() -> None:
    gateway = Gateway(answer(503, {"code": "unavailable"}))
    async with gateway.client(patience_s=0.3) as client:
        with pytest.raises(CallRefused, match="unavailable"):
            await client.get("/v1/cases")
    assert len(gateway.came) >= 2


async def test_a_longer_wait_than_the_patience_is_not_begun() -> None:
    gateway = Gateway(answer(429, {"code": "rate"}, **{"Retry-After": "60"}))
    async with gateway.client(patience_s=5) as client:
        with pytest.raises(CallRefused) as refused:
            await client.get("/v1/cases")
    assert refused.value.retry_after_s == 60
    assert len(gateway.came) == 1


async def test_a_file_goes_as_a_form() -> None:
    kept = {
        "id": "att_1",
        "kind": "evidence",
        "name": "图.pdf",
        "media_type": "application/pdf",
        "size": 3,
        "sha256": "00",
    }
    gateway = Gateway(answer(201, kept))
    async with gateway.client() as client:
        uploaded = await client.upload("evidence", "图.pdf", b"%PDF-1.4")
    assert uploaded.id == "att_1"
    form = gateway.came[0].content
    assert gateway.came[0].headers["content-type"].startswith("multipart/form-data")
    for part in (b'name="kind"', b"evidence", b"%PDF-1.4"):
        assert part in form


async def test_things_are_read_by_their_ids() -> None:
    gateway = Gateway(answer(200, {"items": [{"id": "case_1"}]}))
    async with gateway.client() as client:
        for identifier, home in (("case_1", "cases"), ("agr_1", "agreements"), ("cnf_1", "confirmations")):
            await client.read(identifier)
            assert gateway.came[-1].url.path == f"/v1/{home}/{identifier}"
        assert await client.find_cases(external_ref="鲁劳人仲〔2026〕7号") == [{"id": "case_1"}]
        assert gateway.came[-1].url.params["external_ref"] == "鲁劳人仲〔2026〕7号"
        assert await client.timeline("case_1") == [{"id": "case_1"}]
        with pytest.raises(LookupError):
            await client.read("usr_1")


def event(cursor: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"evt_{cursor}",
        "source": "urn:x",
        "type": "case.failed",
        "subject": "case_1",
        "time": "2026-11-25T10:00:00.000+08:00",
        "cursor": f"{cursor:016d}",
        "data": {"status": "failed", "term_no": 1},
    }


async def test_the_feed_goes_on_from_its_cursor() -> None:
    gateway = Gateway(
        answer(200, {"items": [event(1), event(2)], "cursor": "0002"}), answer(200, {"items": [], "cursor": "0002"})
    )
    async with gateway.client() as client:
        page = await client.events(types=["case.*", "transfer.filed"], limit=2)
        assert [found.id for found in page.items] == ["evt_1", "evt_2"]
        assert page.items[0].text("status") == "failed"
        assert page.items[0].text("term_no") == ""
        assert (await client.events(page.cursor)).cursor == "0002"
    assert gateway.came[0].url.params.multi_items() == [
        ("after", "0"),
        ("type", "case.*"),
        ("type", "transfer.filed"),
        ("limit", "2"),
    ]
    assert gateway.came[1].url.params["after"] == "0002"


def stream(*cursors: int) -> httpx.Response:
    lines = ["retry: 3000", "", ": heartbeat", ""]
    for cursor in cursors:
        lines += [f"id: {cursor}", "event: case.failed", f"data: {json.dumps(event(cursor))}", ""]
    return httpx.Response(200, text="\n".join(lines) + "\n", headers={"Content-Type": "text/event-stream"})


async def test_the_stream_is_taken_up_again_behind_the_last_event() -> None:
    gateway = Gateway(stream(1, 2), httpx.ReadError("gone"), stream(3))
    seen = []
    async with gateway.client(patience_s=5) as client:
        async for found in client.follow("0"):
            seen.append(found.id)
            if len(seen) == 3:
                break
    assert seen == ["evt_1", "evt_2", "evt_3"]
    assert [request.url.params["after"] for request in gateway.came] == ["0", f"{2:016d}", f"{2:016d}"]


async def test_a_gateway_that_stays_away_ends_the_stream() -> None:
    gateway = Gateway(httpx.ConnectError("no"))
    async with gateway.client(patience_s=0.5) as client:
        with pytest.raises(GatewayUnreachable):
            await anext(client.follow("0"))
    assert len(gateway.came) >= 2


async def test_a_refused_stream_is_a_refusal() -> None:
    gateway = Gateway(answer(401, {"code": "unauthorized"}))
    async with gateway.client(patience_s=5) as client:
        with pytest.raises(CallRefused, match="401 unauthorized"):
            await anext(client.follow())


async def test_an_operator_decides_a_doubt() -> None:
    gateway = Gateway(answer(200, {"id": "dlv_1", "state": "pending"}))
    async with gateway.client() as client:
        await client.resolve("dlv_1", arrived=False, evidence="电话核实")
    assert gateway.came[0].url.path == "/v1/ops/deliveries/dlv_1/resolve"
    assert json.loads(gateway.came[0].content) == {"arrived": False, "evidence": "电话核实"}


@pytest.mark.parametrize(
    ("ours", "form"),
    [(Taken, "Accepted"), (Owed, "Owed"), (Uploaded, "Uploaded"), (Event, "Event"), (EventPage, "EventPage")],
)
def test_what_it_reads_is_what_the_description_tells(ours: type[BaseModel], form: str) -> None:
    """A field that is relied on is one that always stands there."""
    told = components()[form]
    known = {name: field for name, field in ours.model_fields.items() if name != "replayed"}  # a header's
    assert known.keys() <= told["properties"].keys()
    assert {name for name, field in known.items() if field.is_required()} <= set(told["required"])
