"""Reconciliations over the API: asked for, read page by page, mended with a reason, each act in the audit trail."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.messages import HR, ONE_STOP
from gateway.store import journal
from tests.flow.stage import until
from tests.web.site import Site

DAYS = {"from": "2026-10-09", "to": "2026-10-10"}


async def asked(site: Site, endpoint: str = HR, status: int = 202, **more: Any) -> dict[str, Any]:
    response = await site.post("/v1/ops/reconciliations", {"endpoint": endpoint, **DAYS, **more}, by=site.op)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def seen(site: Site, path: str) -> dict[str, Any]:
    response = await site.op.get(f"/v1/ops/reconciliations{path}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def over(site: Site, identifier: str) -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        found = await seen(site, f"/{identifier}")
        return found if found["state"] in ("done", "stopped") else None

    found: dict[str, Any] = await until(there, "the reconciliation ends", 20.0)
    return found


async def lost(site: Site, cases: int = 1) -> list[str]:
    """Cases that are delivered and that the platform has forgotten; the ids of their deliveries."""
    found = [await site.case() for _ in range(cases)]
    for case in found:
        await site.stage.delivered(case, endpoint=HR)
    puppet = site.stage.puppet(HR)
    gone = [wire.id for wire in puppet.sent]
    puppet.sent.clear()
    return gone


async def test_what_is_missing_is_told_and_mended(busy: Site) -> None:
    (gone,) = await lost(busy)
    begun = await asked(busy)
    assert (begun["state"], begun["endpoint"], begun["method"]) == ("running", HR, "asking")
    assert begun["sees"] == ["missing", "differing", "undecided"]
    assert (begun["from"], begun["asked_by"]) == ("2026-10-09T00:00:00.000+08:00", "op")
    found = await over(busy, begun["id"])
    (item,) = found["items"]
    assert item == {
        "kind": "missing",
        "code": "absent",
        "delivery": gone,
        "about": item["about"],
        "reference": "hr_arbitration-1",
        "ours": "delivered",
        "theirs": "absent",
        "state": "open",
    }
    assert (found["open"], found["compared"], found["differences"]["missing"]) == (1, 1, {"open": 1})
    response = await busy.post(f"/v1/ops/reconciliations/{found['id']}/heal", {"reason": "补报"}, by=busy.op)
    assert response.status_code == 202
    mended = await over(busy, found["id"])
    assert (mended["open"], mended["items"][0]["state"], mended["healed_by"]) == (0, "healed", "op")

    async def again() -> bool:
        return [wire.id for wire in busy.stage.puppet(HR).sent] == [gone]

    await until(again, "it is filed again under its id")
    assert (await busy.house.store.runner.read(journal.verify_audit)).sound
    rows = await busy.house.store.rows("audit_after", 0, 100)
    assert [(row["act"], row["actor"], row["target"]) for row in rows] == [
        ("reconciliation.ask", "op", found["id"]),
        ("reconciliation.heal", "op", found["id"]),
        ("delivery.refile", "op", gone),
    ]
    assert [row["reason"] for row in rows][1:] == ["补报", f"补报 [{found['id']}]"]


async def test_lists_and_differences_are_paged(busy: Site) -> None:
    gone = sorted(await lost(busy, 5))
    first, second = [await over(busy, (await asked(busy))["id"]) for _ in range(2)]
    await over(busy, (await asked(busy, ONE_STOP))["id"])
    listed = await seen(busy, f"?endpoint={HR}")
    assert [one["id"] for one in listed["items"]] == [second["id"], first["id"]]
    page = await seen(busy, "?limit=2")
    rest = await seen(busy, f"?limit=2&cursor={page['cursor']}")
    assert len({one["id"] for one in page["items"] + rest["items"]}) == 3
    assert "cursor" not in rest
    found, path = [], f"/{first['id']}?limit=2"
    while True:
        part = await seen(busy, path)
        found += [item["delivery"] for item in part["items"]]
        if "cursor" not in part:
            break
        path = f"/{first['id']}?limit=2&cursor={part['cursor']}"
    assert found == gone


async def test_only_the_kinds_that_were_named_are_mended(busy: Site) -> None:
    await lost(busy)
    found = await over(busy, (await asked(busy))["id"])
    body = {"reason": "补报", "kinds": ["foreign"]}
    assert (await busy.post(f"/v1/ops/reconciliations/{found['id']}/heal", body, by=busy.op)).status_code == 202
    assert (await over(busy, found["id"]))["items"][0]["state"] == "open"
    assert busy.stage.puppet(HR).sent == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "body_field"),
        ({"endpoint": HR, "from": "2026-10-09"}, 422, "body_field"),
        ({"endpoint": HR, "from": "2026-10-09", "to": 7}, 422, "body_field"),
        ({"endpoint": HR, "from": "yesterday", "to": "2026-10-10"}, 422, "body_field"),
        ({"endpoint": HR, "from": "2026-10-10T00:00:00", "to": "2026-10-10"}, 422, "body_field"),
        ({"endpoint": HR, "from": "2026-10-10", "to": "2026-10-09"}, 422, "body_field"),
        ({"endpoint": HR, "from": "2020-01-01", "to": "2026-10-10"}, 422, "body_field"),
        ({"endpoint": HR, "from": "2027-01-01", "to": "2027-01-02"}, 422, "body_field"),
        ({"endpoint": HR, "from": "9999-12-31", "to": "9999-12-31"}, 422, "body_field"),
        ({"endpoint": "nobody", "from": "2026-10-09", "to": "2026-10-10"}, 404, "not_found"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_cannot_be_asked_is_refused(shared: Site, body: dict[str, Any], status: int, code: str) -> None:
    response = await shared.post("/v1/ops/reconciliations", body, by=shared.op)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert (await seen(shared, ""))["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"reason": " "}, 422), ({"reason": "x" * 401}, 422), ({"reason": "x", "kinds": "all"}, 422)],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_mending_needs_a_reason(shared: Site, body: dict[str, Any], status: int) -> None:
    response = await shared.post("/v1/ops/reconciliations/rcn_none/heal", body, by=shared.op)
    assert response.status_code == status


async def test_mending_waits_for_the_end_and_happens_once(site: Site) -> None:
    begun = await asked(site)  # nobody works in this house: it stays at its beginning
    for path, body, status in (
        (begun["id"], {"reason": "x"}, 409),
        ("rcn_none", {"reason": "x"}, 404),
        (begun["id"], {"reason": "x", "kinds": ["all"]}, 422),
        (begun["id"], {"reason": "x", "kinds": []}, 422),
    ):
        response = await site.post(f"/v1/ops/reconciliations/{path}/heal", body, by=site.op)
        assert response.status_code == status, response.text
    assert (await site.op.get("/v1/ops/reconciliations/rcn_none")).status_code == 404
    for bad in ("cursor=x", "limit=0"):
        assert (await site.op.get(f"/v1/ops/reconciliations?{bad}")).status_code == 400
