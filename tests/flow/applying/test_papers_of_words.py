"""A decision's document is fetched in the end, whatever stands in its way; what nobody can fetch goes to a person."""

from __future__ import annotations

import asyncio
from typing import Any

from contracts.messages import HR
from tests.flow.puppets import PUPPETS
from tests.flow.stage import Stage, until
from tests.house import Gateways

PDF = b"%PDF-1.4 decision"


async def _decided(stage: Stage) -> str:
    """A confirmation whose decision names its document; returns the case."""
    case, _, confirmation = await stage.chain()
    stage.puppet().papers["F1"] = PDF
    link = {"ref": "F1", "kind": "decision", "name": "仲裁调解书"}
    await stage.tell(stage.word("confirmation", "confirmed", ("confirmation", confirmation, ""), documents=[link]))
    return case


async def _paper(stage: Stage, case: str, state: str) -> Any:
    async def there() -> Any:
        return [row for row in await stage.house.store.rows("papers_of", case) if row["state"] == state]

    (paper,) = await until(there, f"the document is {state}")
    return paper


async def test_a_process_that_dies_between_keeping_and_telling_costs_one_more_look(gateway: Gateways) -> None:
    died = asyncio.Event()

    async def dies(point: str) -> None:
        if point == "fetched":
            died.set()
            await asyncio.Event().wait()

    endpoints = {name: {"adapter": name} for name in PUPPETS}
    first = Stage(await gateway(endpoints, adapters=PUPPETS, fault_point=dies))
    case = await _decided(first)
    await died.wait()
    assert [row["state"] for row in await first.house.store.rows("papers_of", case)] == ["pending"]
    await gateway.abandon(first.house)
    next_one = Stage(await gateway(endpoints, adapters=PUPPETS, start=False))
    next_one.puppet().papers["F1"] = PDF
    next_one.house.start()
    paper = await _paper(next_one, case, "fetched")
    assert paper["tries"] == 2
    assert await next_one.house.attachments.read(paper["attachment"]) == PDF


async def test_a_link_that_cannot_be_read_goes_to_a_person(stage: Stage) -> None:
    def broken(paper: object) -> None:
        raise ValueError

    stage.house.worker._papers._link = broken  # type: ignore[method-assign,assignment]  # as under a key that is gone
    case = await _decided(stage)
    paper = await _paper(stage, case, "failed")
    assert paper["code"] == "ValueError"
    assert [task["about"] for task in await stage.tasks("dead")] == [paper["id"]]


async def test_a_platform_that_is_no_more_leaves_its_documents_to_a_person(stage: Stage) -> None:
    stage.house.worker._papers._lines = {name: line for name, line in stage.house.lines.items() if name != HR}
    case = await _decided(stage)
    assert (await _paper(stage, case, "failed"))["code"] == "endpoint_gone"
    assert len(await stage.tasks("dead")) == 1
