"""A worker delivers what its process has just accepted without reading it again: it is the same as what is kept."""

from __future__ import annotations

from gateway.flow.moving.documents import reopen
from tests.seam.scene import IDS, Scene


async def test_what_is_remembered_is_what_is_kept_and_not_for_long(scene: Scene) -> None:
    await scene.stand(IDS)
    house = await scene.open()
    case = await scene.case()
    agreement = await scene.agreement(case)
    await scene.confirmation(agreement)
    store = house.store
    rows = list(await store.rows("messages_of", case))
    remembered = [store.lately.get(row["id"]) for row in rows]
    assert [reopen(store, row) for row, known in zip(rows, remembered, strict=True) if known is not None] == [
        known for known in remembered if known is not None
    ]
    assert sum(known is not None for known in remembered) >= 2, "those that are kept as they came"
    store.lately.age()
    store.lately.age()
    read = [reopen(store, row) for row in rows]
    assert all(store.lately.get(row["id"]) is None for row in rows)
    for known, kept in zip(remembered, read, strict=True):
        assert known is None or (known == kept and known is not kept)
