"""Repeats: the same key and bytes get the same answer, other bytes are refused, twins at once are one case."""

from __future__ import annotations

import asyncio

import pytest

from contracts.messages import MessageType
from gateway.flow.moving.documents import DOCUMENTS
from tests.flow import papers
from tests.web.site import Site, accepted


async def test_the_same_key_and_bytes_get_the_same_bytes(site: Site) -> None:
    first = await site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": "k-1"})
    before = await site.counts()
    for _ in range(3):
        again = await site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": "k-1"})
        assert again.status_code == 202
        assert again.content == first.content
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (again.headers["ETag"], again.headers["Location"]) == (first.headers["ETag"], first.headers["Location"])
    assert "Idempotency-Replayed" not in first.headers
    assert await site.counts() == before


async def test_a_replay_answers_as_then_although_the_world_moved_on(site: Site) -> None:
    first = await site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": "k-1"})
    case = first.json()["id"]
    await site.post(f"/v1/cases/{case}/progress", papers.raw("failed"))
    again = await site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": "k-1"})
    assert again.content == first.content


async def test_the_same_key_with_other_bytes_is_422(site: Site) -> None:
    await site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": "k-1"})
    before = await site.counts()
    for other in (site.case_body(), papers.raw("wages") + b" ", papers.raw("collective")):
        response = await site.post("/v1/cases", other, headers={"Idempotency-Key": "k-1"})
        assert response.status_code == 422
        assert response.json()["code"] == "idempotency_key_reused"
    assert await site.counts() == before


async def test_a_key_is_the_clients_own_and_of_one_call(site: Site) -> None:
    second = await site.caller("second")
    case = accepted(await site.post("/v1/cases", site.case_body(), headers={"Idempotency-Key": "k-1"}))
    other = accepted(await site.post("/v1/cases", site.case_body(), by=second, headers={"Idempotency-Key": "k-1"}))
    assert case != other
    response = await site.post(f"/v1/cases/{case}/progress", papers.raw("failed"), headers={"Idempotency-Key": "k-1"})
    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"


async def test_a_step_that_changed_nothing_is_answered_alike_for_ever(site: Site) -> None:
    case = accepted(await site.post("/v1/cases", site.case_body()))
    step = papers.body(
        "failed", {"/status": "mediating", "/at": "2026-10-09T10:00:00+08:00", "/reason_code": papers.DROP}
    )
    accepted(await site.post(f"/v1/cases/{case}/progress", step))
    later = step | {"at": "2026-10-09T11:00:00+08:00"}
    before = await site.counts()
    first = await site.post(f"/v1/cases/{case}/progress", later, headers={"Idempotency-Key": "k-1"})
    assert (first.status_code, first.json()["deliveries"]) == (202, [])
    assert {name: many for name, many in (await site.counts()).items() if many != before[name]} == {
        "idempotency_keys": before["idempotency_keys"] + 2  # the caller's, and the step's own
    }
    accepted(await site.post(f"/v1/cases/{case}/progress", papers.raw("failed")))
    again = await site.post(f"/v1/cases/{case}/progress", later, headers={"Idempotency-Key": "k-1"})
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await site.post(f"/v1/cases/{case}/progress", step, headers={"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    without = await site.post(f"/v1/cases/{case}/progress", later)
    assert (without.status_code, without.content) == (202, first.content)


async def test_twins_of_a_step_that_changes_nothing_get_one_answer(site: Site) -> None:
    case = accepted(await site.post("/v1/cases", site.case_body()))
    step = papers.body(
        "failed", {"/status": "mediating", "/at": "2026-10-09T10:00:00+08:00", "/reason_code": papers.DROP}
    )
    answers = await asyncio.gather(
        *(site.post(f"/v1/cases/{case}/progress", step, headers={"Idempotency-Key": "k-1"}) for _ in range(4))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1


async def test_a_refused_document_leaves_its_key_free(site: Site) -> None:
    body = site.case_body()
    bad = await site.post("/v1/cases", {**body, "facts": ""}, headers={"Idempotency-Key": "k-1"})
    assert bad.status_code == 422
    good = await site.post("/v1/cases", body, headers={"Idempotency-Key": "k-1"})
    assert good.status_code == 202


@pytest.mark.parametrize("key", ["", " ", "with space", "x" * 256, "tab\there"])
async def test_a_malformed_key_is_400(site: Site, key: str) -> None:
    response = await site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert response.json()["code"] == "idempotency_key_form"


async def test_a_doubled_key_is_400(site: Site) -> None:
    headers = [("Content-Type", "application/json"), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    response = await site.up.post("/v1/cases", content=papers.raw("wages"), headers=headers)
    assert response.status_code == 400


async def test_twins_at_once_are_one_case(site: Site) -> None:
    raw = papers.raw("wages")
    answers = await asyncio.gather(
        *(site.post("/v1/cases", raw, headers={"Idempotency-Key": "k-1"}) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    counts = await site.counts()
    assert (counts["subjects"], counts["messages"], counts["deliveries"]) == (1, 1, 2)


async def test_twins_without_a_key_are_one_case_and_conflicts_with_its_link(site: Site) -> None:
    answers = await asyncio.gather(*(site.post("/v1/cases", papers.raw("wages")) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 9
    first = next(answer for answer in answers if answer.status_code == 202)
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "already_posted"
            assert answer.json()["link"] == first.headers["Location"]
    assert (await site.counts())["subjects"] == 1


async def test_a_new_key_for_a_known_case_is_409_with_its_link(site: Site) -> None:
    first = await site.post("/v1/cases", papers.raw("wages"))
    keyed = [
        await site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": "k-9"}),
        *await asyncio.gather(
            *(site.post("/v1/cases", papers.raw("wages"), headers={"Idempotency-Key": "k-9"}) for _ in range(6))
        ),
    ]
    for answer in keyed:
        assert answer.status_code == 409
        assert answer.json()["link"] == first.headers["Location"]
    assert (await site.counts())["idempotency_keys"] == 0


async def test_every_appended_document_is_guarded_by_its_business_key(site: Site) -> None:
    """Without a key: the same bytes again are answered as before, other bytes under the same business key are 409."""
    collective = await site.case(name="collective")
    visit = {
        "schema_version": "1.0",
        "party": 0,
        "reason": "回访",
        "at": "2026-10-09T09:00:00+08:00",
        "situation": "满意",
        "visitor": "甲",
    }
    calls = [
        (f"/v1/cases/{collective}/alerts", papers.body("alert"), "/situation"),
        (f"/v1/cases/{collective}/follow-ups", visit, "/situation"),
    ]
    for path, body, field in calls:
        first = await site.post(path, body)
        assert first.status_code == 202, first.text
        again = await site.post(path, body)
        assert again.content == first.content
        assert again.headers["Idempotency-Replayed"] == "true"
        other = dict(body)
        papers.put(other, field, "另一说法")
        refused = await site.post(path, other)
        assert (refused.status_code, refused.json()["code"]) == (409, "already_posted")


async def test_a_repeat_without_a_key_is_answered_though_the_world_moved_on(site: Site) -> None:
    """The business key guards as an ``Idempotency-Key`` does: the same bytes get the first answer, other bytes a link."""
    case = await site.case(name="collective")
    begun = papers.body(
        "failed", {"/status": "mediating", "/at": "2026-10-09T10:00:00+08:00", "/reason_code": papers.DROP}
    )
    closing = begun | {"status": "closed", "at": "2026-10-09T12:00:00+08:00"}
    visit = {
        "schema_version": "1.0",
        "party": 0,
        "reason": "回访",
        "at": "2026-10-09T09:00:00+08:00",
        "situation": "满意",
        "visitor": "甲",
    }
    posted = [
        ("progress", begun, "note"),
        ("alerts", papers.body("alert"), "situation"),
        ("follow-ups", visit, "situation"),
        ("progress", papers.body("failed"), "note"),
        ("progress", closing, "note"),
    ]
    first = [await site.post(f"/v1/cases/{case}/{path}", body) for path, body, _ in posted]
    assert [answer.status_code for answer in first] == [202] * len(posted)
    before = await site.counts()
    for (path, body, field), answer in zip(posted, first, strict=True):
        again = await site.post(f"/v1/cases/{case}/{path}", body)
        assert (again.status_code, again.content) == (202, answer.content), path
        assert again.headers["Idempotency-Replayed"] == "true"
        if body is not closing:
            other = await site.post(f"/v1/cases/{case}/{path}", body | {field: "另一说法"})
            assert (other.status_code, other.json()["code"]) == (409, "already_posted"), path
            assert other.json()["link"].endswith(f"/v1/cases/{case}")
    assert await site.counts() == before
    fresh = await site.post(f"/v1/cases/{case}/alerts", papers.body("alert", {"/at": "2026-10-09T11:00:00+08:00"}))
    assert (fresh.status_code, fresh.json()["code"]) == (409, "case_closed")


async def test_a_thing_that_is_there_is_told_though_its_case_is_closed(site: Site) -> None:
    case = await site.case()
    agreement, transfer = await site.agreement_body(), papers.body("transfer")
    made = accepted(await site.post(f"/v1/cases/{case}/agreements", agreement))
    sent = accepted(await site.post(f"/v1/cases/{case}/transfers", transfer))
    asked = accepted(await site.post(f"/v1/agreements/{made}/confirmations", papers.raw("arbitration")))
    closing = papers.body(
        "failed", {"/status": "closed", "/at": "2026-10-09T12:00:00+08:00", "/reason_code": papers.DROP}
    )
    accepted(await site.post(f"/v1/cases/{case}/progress", closing))
    for path, body, code, thing in (
        (f"cases/{case}/agreements", agreement, "already_posted", f"agreements/{made}"),
        (f"cases/{case}/transfers", transfer, "already_posted", f"transfers/{sent}"),
        (
            f"agreements/{made}/confirmations",
            papers.body("arbitration"),
            "confirmation_active",
            f"confirmations/{asked}",
        ),
    ):
        again = await site.post(f"/v1/{path}", body)
        assert (again.status_code, again.json()["code"]) == (409, code), again.text
        assert again.json()["link"].endswith(f"/v1/{thing}")
    other = await site.post(f"/v1/cases/{case}/transfers", transfer | {"to": "court"})
    assert (other.status_code, other.json()["code"]) == (409, "case_closed")


async def test_an_agreement_number_is_used_once_per_organisation(site: Site) -> None:
    first = await site.case()
    body = await site.agreement_body()
    agreement = accepted(await site.post(f"/v1/cases/{first}/agreements", body))
    second = await site.case()
    refused = await site.post(f"/v1/cases/{second}/agreements", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_posted")
    assert refused.json()["link"].endswith(f"/v1/agreements/{agreement}")


async def test_one_active_confirmation_per_agreement(site: Site) -> None:
    agreement = await site.agreement(await site.case())
    first = await site.confirmation(agreement)
    refused = await site.post(f"/v1/agreements/{agreement}/confirmations", papers.raw("judicial"))
    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_active")
    assert refused.json()["link"].endswith(f"/v1/confirmations/{first}")


async def test_one_open_transfer_to_each_destination(site: Site) -> None:
    case = await site.case()
    accepted(await site.post(f"/v1/cases/{case}/transfers", papers.raw("transfer")))
    again = await site.post(f"/v1/cases/{case}/transfers", papers.body("transfer", {"/reason_code": "other"}))
    assert (again.status_code, again.json()["code"]) == (409, "already_posted")
    accepted(await site.post(f"/v1/cases/{case}/transfers", papers.body("transfer", {"/to": "court"})))


def test_every_document_that_is_posted_has_a_class() -> None:
    assert set(DOCUMENTS) == set(MessageType)
