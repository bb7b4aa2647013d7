"""Whom the demonstration lets in: each once, also where it is started again, and audited."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gateway.demo import stage
from gateway.demo.cast import HOMES
from gateway.demo.workspace import Workspace
from tests.house import Gateways


async def test_keys_and_people_are_entered_once_with_their_audit_rows(gateway: Gateways, tmp_path: Path) -> None:
    house, workspace = await gateway({}, start=False), Workspace(tmp_path / "demo")
    try:
        first = await stage._admit(workspace, house), await stage._admit_people(workspace, house)
        again = await stage._admit(workspace, house), await stage._admit_people(workspace, house)
    finally:
        workspace.release()
    assert again == first
    assert {row["name"] for row in await house.store.rows("all_keys")} >= {home.name for home in HOMES}
    acts = Counter((row["actor"], row["act"]) for row in await house.store.rows("newest_audit", 2**62, 99))
    assert acts == {("demo", "client.add"): len(HOMES) + 1, ("demo", "user.add"): 4}
