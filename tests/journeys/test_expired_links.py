"""Decision papers whose link ended before they were fetched (裁定书, 600 s): a fresh link by query, or a person is told."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from contracts.messages import COURT
from gateway.flow.house import House
from tests.house import Gateways
from tests.journeys.province import Province

BEYOND_S = 700
"""A link lives 600 s on the platform's clock."""


class Patient(Gateways):
    """Comes back for a paper after five minutes, thus not before a test lets them pass, then soon."""

    async def __call__(self, endpoints: Any, **more: Any) -> House:
        more["retry"] = more["retry"].model_copy(update={"document": (300.0, 0.1, 0.1)})
        return await super().__call__(endpoints, **more)


@pytest.fixture
async def province(tmp_path: Path) -> AsyncIterator[Province]:
    """The platforms, and a gateway that comes back for papers."""
    houses = Patient(tmp_path)
    opened = await Province.open(houses, tmp_path / "mocks")
    yield opened
    await opened.close()
    await houses.close()


async def script(province: Province, *faults: dict[str, Any]) -> None:
    """Clear the court's faults and set these."""
    address = f"{province.urls[COURT]}/_mock/faults"
    (await province.http.delete(address)).raise_for_status()
    (await province.http.post(address, json=list(faults))).raise_for_status()


async def paper(province: Province, confirmation: str) -> dict[str, Any]:
    """The one decision paper as its organisation reads it; empty before it is known."""
    found = (await province.get(f"/v1/confirmations/{confirmation}")).get("documents", [])
    return dict(found[0]) if found else {}


async def kinds(province: Province, effect: str = "noted") -> list[str]:
    """What the court's journal says of its links and files, in order."""
    entries = await province.journal(COURT)
    return [one["kind"] for one in entries if one["kind"] in ("ws/link", "ws/file") and one["effect"] == effect]


async def ruled(province: Province, *faults: dict[str, Any]) -> str:
    """A confirmation whose ruling could not be had while its link lived; from then on the court has these faults."""
    await script(province, {"op": "ws/file", "action": "http", "status": 503, "times": 0})
    case = await province.case()
    confirmation = await province.confirmation(await province.agreement(case), "judicial")
    await province.delivered(case, "confirmation.requested", COURT)
    await province.decide(COURT, confirmation, "accept")
    await province.reaches(f"/v1/confirmations/{confirmation}", "accepted")
    await province.decide(COURT, confirmation, "confirm")

    async def tried() -> bool:
        return (await paper(province, confirmation)).get("code") is not None

    await province.until(tried, "the paper was tried for in vain")
    assert await kinds(province) == []
    await script(province, *faults)
    province.gateway.clock.skip(BEYOND_S)
    await province.set_clocks()
    return confirmation


async def test_a_link_that_ended_is_replaced_by_query_and_the_ruling_comes(province: Province) -> None:
    confirmation = await ruled(province)

    async def fetched() -> dict[str, Any] | None:
        found = await paper(province, confirmation)
        return found if found["state"] == "fetched" else None

    found = await province.until(fetched, "the ruling is here")
    assert await kinds(province) == ["ws/link", "ws/file"], "the ended link was not even tried"
    content = (await province.api.get(found["link"])).content
    assert content.startswith(b"%PDF")
    assert hashlib.sha256(content).hexdigest() == found["sha256"]
    assert await province.tasks("dead") == []


async def test_where_no_fresh_link_is_given_a_person_is_told(province: Province) -> None:
    refuses = {"op": "ws/link", "action": "business_error", "code": "1002", "times": 0}
    confirmation = await ruled(province, refuses)
    (task,) = await province.until(lambda: province.tasks("dead"), "a person is told")
    assert task["endpoint"] == COURT
    left = await paper(province, confirmation)
    assert (left["state"], left["code"]) == ("failed", task["code"])
    assert await kinds(province, "refused"), "it was asked for"
    assert (await province.get(f"/v1/confirmations/{confirmation}"))["status"] == "confirmed", (
        "the word stands without it"
    )
    path = f"/v1/ops/papers/{task['about']}/fetch"
    assert (await province.ops.post(path, json={})).status_code == 422
    assert (await province.api.post(path, json={"reason": "法院已恢复"})).status_code == 403
    await script(province)
    again = await province.ops.post(path, json={"reason": "法院已恢复"})
    assert again.status_code == 200, again.text

    async def fetched() -> bool:
        return bool((await paper(province, confirmation))["state"] == "fetched")

    await province.until(fetched, "a person's word brings it")
    assert await province.tasks("dead") == []
    assert (await province.ops.post(path, json={"reason": "再次"})).status_code == 409
    assert (await province.ops.post("/v1/ops/papers/ppr_none/fetch", json={"reason": "x"})).status_code == 404
