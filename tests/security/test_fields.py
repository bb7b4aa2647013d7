"""Sealing: what is sealed opens in its place alone, under every key that is held, and never when it was changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.fields import KeyRefused, Keys, SealBroken, Sealer, read_key_file, write_key_file

OLD = Keys(sealing=(bytes([1]) * 32,), index=bytes([9]) * 32)
ROTATED = Keys(sealing=(bytes([2]) * 32, bytes([1]) * 32), index=bytes([9]) * 32)
NEW = Keys(sealing=(bytes([2]) * 32,), index=bytes([9]) * 32)
PLACE = "messages.document:msg_1"


@given(st.binary(max_size=4096), st.text(max_size=40))
def test_what_is_sealed_opens_in_its_place(plain: bytes, place: str) -> None:
    sealer = Sealer(OLD)
    sealed = sealer.seal(plain, place)
    assert sealer.open(sealed, place) == plain
    assert len(sealed) == 1 + 4 + 12 + len(plain) + 16


def test_the_same_bytes_are_never_sealed_alike() -> None:
    sealer = Sealer(OLD)
    assert len({sealer.seal(b"370102199003071238", PLACE) for _ in range(100)}) == 100
    assert b"370102199003071238" not in sealer.seal(b"370102199003071238", PLACE)


@pytest.mark.parametrize("other", ["messages.document:msg_2", "deliveries.wire:msg_1", "", PLACE + " "])
def test_a_moved_value_does_not_open(other: str) -> None:
    sealer = Sealer(OLD)
    with pytest.raises(SealBroken):
        sealer.open(sealer.seal(b"value", PLACE), other)


def test_every_changed_bit_is_found() -> None:
    sealer = Sealer(OLD)
    sealed = sealer.seal(b"value", PLACE)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            sealer.open(bytes(changed), PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            sealer.open(sealed[:length], PLACE)


def test_what_is_broken_names_the_column_and_nothing_else() -> None:
    sealer = Sealer(OLD)
    with pytest.raises(SealBroken) as broken:
        sealer.open(b"\x01" + os.urandom(60), "people.number:370102199003071238")
    assert str(broken.value) == "people.number"
    assert broken.value.__cause__ is None


def test_after_a_rotation_the_old_is_readable_and_the_new_is_sealed_with_the_new_key() -> None:
    old, rotated, new = Sealer(OLD), Sealer(ROTATED), Sealer(NEW)
    before = old.seal(b"before", PLACE)
    after = rotated.seal(b"after", PLACE)
    assert rotated.open(before, PLACE) == b"before"
    assert new.open(after, PLACE) == b"after"
    assert before[1:5] != after[1:5]
    for sealer, sealed in ((new, before), (old, after)):
        with pytest.raises(SealBroken):
            sealer.open(sealed, PLACE)


def test_blind_indexes_fold_what_is_the_same_number_and_nothing_else() -> None:
    sealer = Sealer(OLD)
    wide = "３７０１０２１９９００３０７１２３Ｘ"
    spellings = ("37010219900307123X", "37010219900307123x", wide, " 37010219900307123X ")
    same = {sealer.blind("number", text) for text in spellings}
    assert len(same) == 1
    assert sealer.blind("phone", "37010219900307123X") not in same
    assert sealer.blind("number", "370102199003071238") not in same
    assert Sealer(Keys(OLD.sealing, bytes([8]) * 32)).blind("number", "37010219900307123X") not in same
    assert Sealer(ROTATED).blind("number", "37010219900307123X") in same


# ----------------------------------------------------------------------------------------------------------------- keys


def test_keys_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys = Keys.generate()
    write_key_file(path, keys)
    assert read_key_file(path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_key_file(path, Keys.generate())
    assert read_key_file(path) == keys


def test_fresh_keys_are_fresh() -> None:
    first, second = Keys.generate(), Keys.generate()
    assert len({*first.sealing, first.index, *second.sealing, second.index}) == 4


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_keys_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    write_key_file(path, Keys.generate())
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        read_key_file(path)


HEX = "11" * 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"seal = {HEX}\n",
        f"index = {HEX}\n",
        f"seal = {HEX}\nindex = {HEX[:-2]}\n",
        f"seal = {HEX}zz\nindex = {HEX}\n",
        f"seal = {HEX}\nindex = {HEX}\nindex = {HEX}\n",
        f"sealing = {HEX}\nindex = {HEX}\n",
        f"seal = {HEX}\nindex {HEX}\n",
    ],
)
def test_unusable_key_files_are_refused_without_their_keys(text: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        Keys.parse(text)
    assert HEX[:8] not in str(refused.value)


def test_comments_and_empty_lines_are_passed_over() -> None:
    keys = Keys.parse(f"# newest first\n\nseal = {HEX} # 2026\nseal = {'22' * 32}\nindex = {'33' * 32}\n")
    assert keys.sealing == (bytes([0x11]) * 32, bytes([0x22]) * 32)
    assert Keys.parse(keys.render()) == keys


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_missing_or_foreign_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(KeyRefused):
        read_key_file(path)
