"""The keys of the SFTP account (page §1): the host's own, which the gateway pins, and the one it logs in with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import asyncssh
from asyncssh import SSHKey

_KIND: Final = "ssh-ed25519"


def new_key() -> SSHKey:
    """A fresh private key."""
    return asyncssh.generate_private_key(_KIND)


def kept(file: Path) -> SSHKey:
    """The private key of a file, which is written with a fresh key where it is not there. Raises ``ValueError``."""
    try:
        # Nobody else may read it, from its first byte on.
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(file)
    key = new_key()
    with os.fdopen(number, "wb") as written:
        written.write(key.export_private_key())
        written.flush()
        os.fsync(number)
    return key


def authorized(text: str, file: Path) -> SSHKey:
    """The public key that may log in: ``text``, or that of a private key. Raises ``ValueError`` naming the setting."""
    if not text:
        return kept(file).convert_to_public()
    try:
        return asyncssh.import_public_key(text)
    except asyncssh.KeyImportError:
        raise ValueError("authorized_key: no public key; give one line as in authorized_keys") from None


def fingerprint(key: SSHKey) -> str:
    """``SHA256:…``, as ``ssh-keygen -l`` tells it."""
    return key.get_fingerprint("sha256")


def _read(file: Path) -> SSHKey:
    try:
        return asyncssh.read_private_key(file)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise ValueError(
            f"{file.name}: no private key, or one with a passphrase; give authorized_key beside it"
        ) from None
