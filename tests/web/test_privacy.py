"""Canaries: persons whose names and numbers must never be seen in logs, events, error answers, figures or files on disk."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from contracts.errors import EndpointError, PermanentError, Reason, RetryableError
from contracts.messages import HR, ONE_STOP, MessageType
from gateway import logs
from tests.flow import papers
from tests.flow.stage import PDF, until
from tests.web.site import Site, accepted

NAME, AGENT, BOSS, CONTACT, MEDIATOR = "欧阳金丝雀", "司马金丝雀", "上官金丝雀", "诸葛金丝雀", "皇甫金丝雀"
CANARIES = {
    "name": NAME,
    "agent": AGENT,
    "boss": BOSS,
    "contact": CONTACT,
    "mediator": MEDIATOR,
    "id": "370102199003071238",
    "agent id": "370213198511200024",
    "phone": "13853100001",
    "agent phone": "13853100002",
    "address": "金丝雀路7号",
    "account": "6222020000000000000",
    "note": "金丝雀的备注",
    "facts": "金丝雀的事实",
    "file": "金丝雀的附件",
}
CHANGES: dict[str, Any] = {
    "/parties/0/name": NAME,
    "/parties/0/address/detail": CANARIES["address"],
    "/parties/0/service_address/detail": CANARIES["address"],
    "/parties/0/agents/0/name": AGENT,
    "/parties/1/legal_representative/name": BOSS,
    "/parties/1/contact/name": CONTACT,
    "/mediators/0/name": MEDIATOR,
    "/facts": CANARIES["facts"],
}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    kept = structlog.get_config()
    captured = io.StringIO()
    logs.configure("debug", captured)
    yield captured
    structlog.configure(**kept)
    root.handlers[:] = before
    root.setLevel(level)


def leaks(text: str) -> list[str]:
    """The canaries in a text, escaped or not."""
    return [what for what, value in CANARIES.items() if value in text or json.dumps(value)[1:-1] in text]


def on_disk(room: Path) -> list[str]:
    found = set()
    for path in room.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found |= {what for what, value in CANARIES.items() if value.encode() in content}
    return sorted(found)


async def journey(site: Site) -> list[str]:
    """Everything that can go right and wrong with one canary's case; returns every error answer."""
    stage = site.stage
    hr, one_stop = stage.puppet(HR), stage.puppet(ONE_STOP)
    answers: list[str] = []

    async def refused(path: str, content: Any, headers: dict[str, str] | None = None) -> None:
        response = await site.post(path, content, headers=headers)
        assert response.status_code >= 400, path
        answers.append(response.text)

    text = f"{NAME} {CANARIES['id']} {CANARIES['phone']}"
    hr.acts["case.submitted"] += [RetryableError("timeout", text, maybe_accepted=True), EndpointError("3004", text)]
    one_stop.acts["case.submitted"] += [RuntimeError(text), RetryableError(f"E900 {text}"[:4], text)]
    body = site.case_body(CHANGES)
    case = accepted(await site.post("/v1/cases", body, headers={"Idempotency-Key": "canary"}))

    async def paused() -> bool:
        rows = await site.house.store.rows("all_endpoints")
        return any(row["name"] == HR and row["paused"] for row in rows)

    await until(paused, "the platform is paused")
    await site.house.store.write("resume_endpoint", (HR,))
    site.house.bells.committed()
    await refused("/v1/cases", {**body, "facts": CANARIES["facts"] + "x"}, headers={"Idempotency-Key": "canary"})
    await refused("/v1/cases", body)
    await refused("/v1/cases", {**body, "remark": text, "amount": text, "channel": text})
    await refused("/v1/cases", text.encode())
    upload = await site.upload(name=f"{CANARIES['file']}.pdf")
    changes = {
        "/document": upload,
        "/signatures/0/name": NAME,
        "/signatures/2/name": MEDIATOR,
        "/terms/0/payee/account_name": NAME,
    }
    agreement = accepted(await site.post(f"/v1/cases/{case}/agreements", papers.body("agreement", changes)))
    confirmation = accepted(await site.post(f"/v1/agreements/{agreement}/confirmations", papers.raw("arbitration")))
    await refused(f"/v1/agreements/{agreement}/confirmations", papers.raw("judicial"))
    await stage.delivered(case)
    key = ("confirmation", confirmation, "")
    stage.puppet(HR).papers["F1"] = PDF
    decision = {"ref": "F1", "kind": "decision", "name": f"{NAME}的裁决"}
    await stage.tell(
        stage.word("confirmation", "correction_required", key, reasons=[["BZC007", text]], note=CANARIES["note"]),
        stage.word("confirmation", "unknown", key, raw_status="9", note=CANARIES["note"]),
        stage.word("confirmation", "confirmed", key, note=CANARIES["note"], documents=[decision]),
        stage.word("confirmation", "rejected", key, reasons=[["1", text]]),
        {"event": "torn", "unreadable": True, "note": text},
    )
    assert await stage.say(text.encode(), headers={"x-puppet": "wrong"}) == 401
    hr.acts["case.progressed"].append(PermanentError("4002", text, reasons=(Reason("4002", text, "BZP000[0].AAC003"),)))
    accepted(await site.post(f"/v1/cases/{case}/transfers", papers.raw("transfer")))
    visit = {
        "schema_version": "1.0",
        "party": 0,
        "reason": CANARIES["note"],
        "at": "2026-10-09T09:00:00+08:00",
        "situation": text,
        "visitor": MEDIATOR,
    }
    accepted(await site.post(f"/v1/cases/{case}/follow-ups", visit))
    closing = papers.body("failed", {"/status": "closed", "/reason_code": papers.DROP, "/note": text})
    accepted(await site.post(f"/v1/cases/{case}/progress", closing))
    await stage.delivered(case)

    async def fetched() -> bool:
        return any(row["state"] == "fetched" for row in await site.house.store.rows("papers_of", case))

    await until(fetched, "the decision is fetched")
    assert (await stage.file(case)).last_delivery(HR, frozenset({MessageType.CASE_PROGRESSED})) is not None
    return answers


async def test_no_canary_is_seen_anywhere_but_where_it_belongs(busy: Site, stream: io.StringIO) -> None:
    answers = await journey(busy)
    assert len(answers) >= 5
    for answer in answers:
        assert leaks(answer) == [], answer
    events = (await busy.up.get("/v1/events?limit=500")).text
    assert leaks(events) == []
    assert len(json.loads(events)["items"]) >= 15
    case = json.loads(events)["items"][0]["subject"]
    for path in (f"/v1/cases/{case}/timeline", f"/v1/cases/{case}/platforms", f"/v1/clocks?case={case}", "/v1/cases"):
        assert leaks((await busy.up.get(path)).text) == [], path
    for path in ("deliveries", "endpoints", "flow", "tasks", "orphans"):
        assert leaks((await busy.op.get(f"/v1/ops/{path}")).text) == [], path
    assert leaks((await busy.nobody.get("/metrics")).text) == []
    written = stream.getvalue()
    assert written.count("\n") >= 30
    assert leaks(written) == []
    assert on_disk(busy.house.settings.data) == []


async def test_the_canaries_are_there_for_who_may_read_them(busy: Site) -> None:
    """The test above would also pass over a gateway that forgets its documents."""
    body = busy.case_body(CHANGES)
    case = accepted(await busy.post("/v1/cases", body))
    found = leaks((await busy.up.get(f"/v1/cases/{case}")).text)
    assert {"name", "agent", "boss", "contact", "mediator", "id", "phone", "address", "facts"} <= set(found)
    await busy.stage.delivered(case)
    (wire,) = [one for one in busy.stage.puppet(HR).sent if one.operation == "case.submitted"]
    assert "name" in leaks(json.dumps(wire.payload, ensure_ascii=False))
