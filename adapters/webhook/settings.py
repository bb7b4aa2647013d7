"""What one subscription gives its adapter: address and keys (``platforms/webhook.md`` §2, §5)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, SecretStr, model_validator

from contracts.adapter import AdapterSettings
from contracts.webhook import KINDS, Kind, SigningKey, signing_key


class WebhookSettings(AdapterSettings):
    """``keys`` are in force, ``old_keys`` sign along until ``old_until``: ``whsec_…`` and ``whsk_…``, one of each kind.

    ``source`` and ``schemas`` are the CloudEvents ``source`` and the address of the schemas, for the event that the adapter
    makes by itself (``endpoint.test``).
    """

    url: str
    signing: tuple[Kind, ...] = ("v1",)
    keys: tuple[SecretStr, ...]
    old_keys: tuple[SecretStr, ...] = ()
    old_until: AwareDatetime | None = None
    source: str = "urn:mediation-gateway:sd"
    schemas: str = "http://127.0.0.1:8080/v1/schemas"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        kinds = [key.kind for key in self._read(self.keys)]
        if not self.signing or set(self.signing) - set(kinds) or len(set(kinds)) != len(kinds):
            raise ValueError("keys: one of each kind of signing is needed")
        self._read(self.old_keys)
        if (self.old_until is None) != (not self.old_keys):
            raise ValueError("old_keys and old_until belong together")
        return self

    @staticmethod
    def _read(keys: tuple[SecretStr, ...]) -> list[SigningKey]:
        return [signing_key(key.get_secret_value()) for key in keys]

    def keys_at(self, moment: datetime) -> tuple[SigningKey, ...]:
        """The keys that sign at this moment, kind by kind, newest first."""
        held = self._read(self.keys)
        if self.old_until is not None and moment < self.old_until:
            held += self._read(self.old_keys)
        return tuple(key for kind in KINDS if kind in self.signing for key in held if key.kind == kind)
