"""Sealing of documents, wires, calls and exchanges at rest, and the keyed blind index of searchable numbers and names.

One function seals everything: AES-256-GCM, a fresh random nonce, the key's id in front, and the row's place as associated
data, so that a sealed value moved to another row does not open (GB/T 39786 8.4: confidentiality and integrity at rest).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.security.entropy import random_bytes

_FORM = 1
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed value does not open: wrong key, changed bytes, or moved from its row."""


class KeyRefused(Exception):
    """The key material is missing, too short, or readable by others."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The sealing keys by id, newest first, and the blind index key. 32 bytes each."""

    sealing: tuple[bytes, ...]
    index: bytes

    @staticmethod
    def generate() -> Keys:
        """Fresh keys (for a demo or ``gateway config keys``)."""
        return Keys(sealing=(secrets.token_bytes(32),), index=secrets.token_bytes(32))

    @staticmethod
    def parse(text: str) -> Keys:
        """From ``seal = hex`` lines (newest first) and one ``index = hex`` line.

        Raises:
            KeyRefused: a line is not understood, a key has not 32 bytes, or one is missing.
        """
        sealing: list[bytes] = []
        index: bytes | None = None
        for number, line in enumerate(text.splitlines(), 1):
            name, _, value = line.partition("#")[0].partition("=")
            if not name.strip():
                continue
            try:
                key = bytes.fromhex(value.strip())
            except ValueError:
                raise KeyRefused(f"line {number} of the key file is not hexadecimal") from None
            if len(key) != 32:
                raise KeyRefused(f"line {number} of the key file has {len(key)} bytes, 32 are needed")
            if name.strip() == "seal":
                sealing.append(key)
            elif name.strip() == "index" and index is None:
                index = key
            else:
                raise KeyRefused(f"line {number} of the key file names neither seal nor index")
        if not sealing or index is None:
            raise KeyRefused("the key file needs at least one seal line and one index line")
        return Keys(tuple(sealing), index)

    def render(self) -> str:
        """The text that ``parse`` reads."""
        return "".join(f"seal = {key.hex()}\n" for key in self.sealing) + f"index = {self.index.hex()}\n"


def read_key_file(path: Path) -> Keys:
    """Keys from a file that nobody but its owner can read.

    Raises:
        KeyRefused: missing, unreadable, readable by others, or malformed.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyRefused(f"the key file cannot be read: {type(error).__name__}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyRefused("the key file is readable by others: chmod 600")
    return Keys.parse(text)


def write_key_file(path: Path, keys: Keys) -> None:
    """Write a new key file, readable by its owner alone. An existing one is never overwritten (``FileExistsError``)."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(keys.render())
        file.flush()
        os.fsync(file.fileno())


class Sealer:
    """Seals and opens byte strings under ``Keys``; makes blind indexes."""

    def __init__(self, keys: Keys) -> None:
        self._ciphers = {hashlib.sha256(b"id" + key).digest()[:_KEY_ID_BYTES]: AESGCM(key) for key in keys.sealing}
        self._newest = next(iter(self._ciphers))
        self._index = keys.index

    def seal(self, plain: bytes, place: str) -> bytes:
        """``form | key id | nonce | ciphertext and tag``. ``place`` is table, column and row id, bound into the seal."""
        nonce = random_bytes(_NONCE_BYTES)
        head = bytes((_FORM,)) + self._newest
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, plain, head + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """The plain bytes.

        Raises:
            SealBroken: unknown form or key, changed bytes, another place.
        """
        head, rest = sealed[: 1 + _KEY_ID_BYTES], sealed[1 + _KEY_ID_BYTES :]
        cipher = self._ciphers.get(head[1:])
        if not head or head[0] != _FORM or cipher is None or len(rest) < _NONCE_BYTES + 16:
            raise SealBroken(place.partition(":")[0])
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + place.encode())
        except InvalidTag:
            raise SealBroken(place.partition(":")[0]) from None

    def blind(self, kind: str, value: str) -> str:
        """A keyed fingerprint of a number or name (identity number, phone, credit code) for exact search: 32 hex characters.

        Width and case are folded first, so the same number written otherwise has the same fingerprint."""
        folded = "".join(unicodedata.normalize("NFKC", value).upper().split())
        return hmac.digest(self._index, f"{kind}\0{folded}".encode(), "sha256").hex()[:32]
