"""The same dispute over and over: a person is shown some of them, and the last costs its taker no more than the first did."""

from __future__ import annotations

import orjson
import pytest

from contracts.case import Case
from gateway.flow.examining.duplicates import Duplicates
from gateway.store.casefile import CaseFile
from tests.flow import papers
from tests.flow.stage import Stage

SHOWN = 20


async def test_no_more_files_are_read_than_a_person_is_shown(still: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    store = still.house.store
    cases = [await still.case() for _ in range(SHOWN + 3)]
    looks = Duplicates(store, still.house.contexts)
    read: list[str] = []
    load = store.load

    async def counted(subject: str) -> CaseFile | None:
        read.append(subject)
        return await load(subject)

    monkeypatch.setattr(store, "load", counted)
    case = Case.model_validate_json(papers.raw("wages"))
    (task,) = await looks.tasks(case, "case_new")
    assert task.detail_sealed is not None
    told = orjson.loads(store.unseal(task.detail_sealed, f"tasks.detail:{task.id}"))["cases"]
    assert told == read == sorted(cases)[:SHOWN]
