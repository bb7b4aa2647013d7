"""One masked field of a delivery in plain text over the interface: with a reason, audited first, as in the console."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.flow.stage import until
from tests.house import Gateways
from tests.web.site import Site


async def sent(site: Site) -> str:
    """A delivery whose wire is frozen."""
    case = await site.case()

    async def delivered() -> str | None:
        rows = await site.house.store.rows("deliveries_of", case)
        return next((str(row["id"]) for row in rows if row["state"] == "delivered"), None)

    found: str = await until(delivered, "delivered")
    return found


async def asked(site: Site, delivery: str, **body: Any) -> Any:
    return await site.post(f"/v1/ops/deliveries/{delivery}/wire/reveal", body, by=site.op)


async def reveals(site: Site) -> list[tuple[str, str | None, dict[str, Any]]]:
    rows = await site.house.store.rows("newest_audit", 2**62, 20)
    return [(row["actor"], row["reason"], json.loads(row["data"])) for row in rows if row["act"] == "field.reveal"]


async def test_a_field_is_shown_with_a_reason_and_audited(busy: Site, gateway: Gateways) -> None:
    delivery = await sent(busy)
    masked = (await busy.op.get(f"/v1/ops/deliveries/{delivery}/wire")).text
    assert "王建国" not in masked
    answer = await asked(busy, delivery, side="wire", pointer="/parties/0/name", reason="电话核对")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["value"], told["pointer"], told["side"]) == ("王建国", "/parties/0/name", "wire")
    assert answer.headers["cache-control"] == "no-store"
    left = datetime.fromisoformat(told["show_until"]) - gateway.clock.now()
    assert 50 < left.total_seconds() <= 60
    canonical = await asked(busy, delivery, side="canonical", pointer="/parties/0/id_number", reason="电话核对")
    assert canonical.json()["value"] == "370102199003071238"
    found = await reveals(busy)
    assert [(reason, facts) for _, reason, facts in found] == [
        ("电话核对", {"side": "canonical", "pointer": "/parties/0/id_number"}),
        ("电话核对", {"side": "wire", "pointer": "/parties/0/name"}),
    ]
    assert "王建国" not in json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"pointer": "/facts"}, 422, "reason_missing"),
        ({"pointer": "/facts", "reason": "  "}, 422, "reason_missing"),
        ({"pointer": "/facts", "reason": "x" * 501}, 422, "reason_missing"),
        ({"reason": "x"}, 422, "body_field"),
        ({"pointer": "facts", "reason": "x"}, 422, "body_field"),
        ({"pointer": "/" + "x" * 300, "reason": "x"}, 422, "body_field"),
        ({"pointer": "/facts", "reason": "x", "side": "reply"}, 422, "body_field"),
        ({"pointer": "/nothing", "reason": "x"}, 404, "not_found"),
        ({"pointer": "/parties", "reason": "x"}, 404, "not_found"),
        ({"pointer": "/parties/99/name", "reason": "x"}, 404, "not_found"),
        ({"pointer": "/parties/٠/name", "reason": "x"}, 404, "not_found"),
    ],
)
async def test_what_is_not_shown(busy: Site, body: dict[str, Any], status: int, code: str) -> None:
    answer = await asked(busy, await sent(busy), **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(await reveals(busy)) == (1 if status == 404 else 0)


async def test_a_reader_may_not(busy: Site) -> None:
    delivery = await sent(busy)
    reader = await busy.caller("reader", ("ops:read",), ("*",))
    path, body = f"/v1/ops/deliveries/{delivery}/wire/reveal", {"pointer": "/facts", "reason": "x"}
    assert (await busy.post(path, body, by=reader)).status_code == 403
    assert (await busy.post(path, body, by=busy.up)).status_code == 403
    assert await reveals(busy) == []


async def test_nothing_is_there(busy: Site) -> None:
    answer = await asked(busy, "dlv_01M7Q5CQG057N683VPG2HEWAGG", pointer="/facts", reason="x")
    assert answer.status_code == 404
