"""The platform's ciphers (page §2): SM2 over the string-to-sign, SM4 over the plaintext, the key from its envelope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.hr_arbitration import wire
from adapters.hr_arbitration.settings import HrArbitrationSettings
from adapters.http import NotJson, json_bytes, read_json_object
from contracts import gm
from contracts.adapter import Json

_ENVELOPE_BYTES = 65 + 32 + 16
_T = TypeVar("_T")


class Undecipherable(ValueError):
    """A body that no key here opens to one JSON object (3006). ``code`` never quotes it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Keys:
    """Both sides' keys. Every method is a slow pure computation: run it off the event loop."""

    own: gm.Sm2Private
    own_id: bytes
    platform: gm.Sm2Public
    platform_id: bytes
    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: HrArbitrationSettings) -> Keys:
        """Read the configured keys and open the SM4 envelopes.

        Raises:
            gm.CipherError: keys that are none, no pair, or an envelope in another order, encoding or under another key.
                It names the setting, never its value.
        """
        own = _named(
            "gateway_private_key",
            lambda: gm.Sm2Private.from_hex(
                settings.gateway_private_key.get_secret_value(), gm.Sm2Public.from_hex(settings.gateway_public_key)
            ),
        )
        platform = _named("platform_public_key", lambda: gm.Sm2Public.from_hex(settings.platform_public_key))
        current = _named("sm4_key_envelope", lambda: _open(own, settings.sm4_key_envelope.get_secret_value()))
        old = settings.sm4_key_envelope_previous
        previous = (
            None if old is None else _named("sm4_key_envelope_previous", lambda: _open(own, old.get_secret_value()))
        )
        return cls(
            own=own,
            own_id=settings.gateway_signer_id.encode("ascii"),
            platform=platform,
            platform_id=settings.platform_signer_id.encode("ascii"),
            current=current,
            previous=previous,
        )

    def seal(self, head: dict[str, str], plaintext: Json | None, iv: bytes) -> bytes:
        """A whole signed envelope. ``plaintext`` ``None`` = nothing to say (replies alone): ``body`` is ``""``.

        ``iv``: 16 random bytes, new for every message."""
        body = ""
        if plaintext is not None:
            body = wire.encode(iv + gm.sm4_cbc_encrypt(self.current, iv, json_bytes(plaintext)))
        signature = gm.sign(self.own, self.own_id, wire.string_to_sign(head, body))
        return json_bytes({"head": {**head, wire.SIGN: wire.encode(signature)}, "body": body})

    def platform_signed(self, envelope: wire.Envelope) -> bool:
        """Whether the platform's signature over this envelope holds. DER, other lengths and spellings do not."""
        head = envelope.head
        if not all(isinstance(value, str) for value in head.values()) or not wire.is_raw_signature(head.get(wire.SIGN)):
            return False
        try:
            signature = wire.decode(head[wire.SIGN])
            signed = wire.string_to_sign(head, envelope.body)
        except ValueError:  # other base64, or a lone surrogate
            return False
        return gm.verify(self.platform, self.platform_id, signed, signature)

    def open(self, body: str, limit: int = wire.LIMIT) -> Json:
        """The plaintext of a body, keys in upper case: current key first, then the previous one.

        Raises:
            Undecipherable: no base64, no whole blocks, or no key gives sound padding and one JSON object.
        """
        try:
            raw = wire.decode(body)
        except ValueError:
            raise Undecipherable("not_base64") from None
        code = "no_iv"
        for key in (self.current, self.previous):
            if key is None or len(raw) < 32:
                continue
            try:
                plaintext = gm.sm4_cbc_decrypt(key, raw[:16], raw[16:])
                found: Json = wire.upper_keys(read_json_object(plaintext, limit=limit, depth=16))
            except gm.CipherError:
                code = "wrong_padding"
            except NotJson as error:
                code = error.code
            else:
                return found
        raise Undecipherable(code)


def _open(own: gm.Sm2Private, envelope: str) -> bytes:
    try:
        raw = wire.decode(envelope.strip())
    except ValueError:
        raise gm.CipherError("not base64") from None
    if len(raw) != _ENVELOPE_BYTES:
        raise gm.CipherError(f"not the {_ENVELOPE_BYTES} bytes of C1C3C2 around a 128-bit key")
    return gm.open_envelope(own, raw)


def _named(setting: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except gm.CipherError as error:
        raise gm.CipherError(f"{setting}: {error}") from None
