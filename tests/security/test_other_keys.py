"""A database opens only under the keys it was sealed with: told at the start, not at the first delivery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.security.fields import Keys, write_key_file
from gateway.settings import Settings, SettingsRefused
from gateway.store.opening import open_store
from gateway.store.places import of_document
from gateway.store.store import Store
from tests.store.bench import Bench, VirtualClock


async def sealed_message(store: Store) -> None:
    """One case, its document sealed as intake seals it."""
    bench = Bench(store, VirtualClock())
    await bench.endpoints()
    unit = bench.case("case_1")
    message = unit.messages[0]
    unit.messages[0] = replace(message, document_sealed=store.seal(b"{}", of_document(message.id)))
    await bench.committed(unit)


async def test_other_keys_are_refused_and_the_right_ones_are_not(tmp_path: Path) -> None:
    settings = Settings(env="development", data=tmp_path)
    store = await open_store(settings)
    await sealed_message(store)
    await store.close()
    await (await open_store(settings)).close()
    write_key_file(tmp_path / "others", Keys.generate())
    with pytest.raises(SettingsRefused, match="sealed with other keys"):
        await open_store(settings.model_copy(update={"key_file": tmp_path / "others"}))
    await (await open_store(settings)).close()  # the refusal left the lock


async def test_an_empty_database_takes_any_keys(tmp_path: Path) -> None:
    await (await open_store(Settings(env="development", data=tmp_path))).close()
    write_key_file(tmp_path / "others", Keys.generate())
    await (await open_store(Settings(env="development", data=tmp_path, key_file=tmp_path / "others"))).close()
