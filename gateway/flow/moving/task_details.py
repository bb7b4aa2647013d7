"""What a task tells whoever takes it up, beside its kind and code: sealed, since platforms' sentences may name people."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from contracts.adapter import Json
from gateway.store.engine import Row
from gateway.store.places import of_task
from gateway.store.store import Store


def seal_detail(store: Store, task: str, detail: Mapping[str, object]) -> bytes:
    """The detail of a task that is about to be opened."""
    return store.seal(orjson.dumps(detail), of_task(task))


def open_detail(store: Store, task: Row) -> Json:
    """The detail of a task's row; empty where it has none."""
    if task["detail_sealed"] is None:
        return {}
    kept: Json = orjson.loads(store.unseal(task["detail_sealed"], of_task(task["id"])))
    return kept
