"""Standard Webhooks: signatures against the specification's own example, RFC 8032, and foreign implementations."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from contracts.webhook import (
    TOLERANCE_S,
    KeyForm,
    PrivateKey,
    PublicKey,
    Secret,
    TrustedKey,
    WebhookRejected,
    signature_header,
    signed_content,
    signed_headers,
    signing_key,
    trusted_key,
    verify,
)

# The example of the specification (standard-webhooks, its reference implementations).
SPEC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SPEC_ID, SPEC_TIME, SPEC_BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

# RFC 8032 §7.1, TEST 2.
RFC_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_MESSAGE = b"\x72"
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)

ID, BODY = "evt_01K6EXAMPLE0000000000000W", '{"标":"题"}'.encode()
NOW = datetime(2026, 9, 28, 3, 20, 5, tzinfo=UTC)
STAMP = int(NOW.timestamp())
SECRET, OTHER = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))
PAIR = PrivateKey(bytes(range(32)))


def test_the_specifications_example() -> None:
    assert signature_header([Secret.parse(SPEC_SECRET)], SPEC_ID, SPEC_TIME, SPEC_BODY) == SPEC_SIGNATURE


def test_ed25519_as_rfc_8032_has_it() -> None:
    key = PrivateKey(RFC_SEED)
    assert key.public.raw == RFC_PUBLIC
    assert key.sign(RFC_MESSAGE) == RFC_SIGNATURE
    assert key.public.fits(RFC_SIGNATURE, RFC_MESSAGE)
    assert not key.public.fits(RFC_SIGNATURE, b"\x73")
    assert not key.public.fits(RFC_SIGNATURE[:-1], RFC_MESSAGE)


@given(raw=st.binary(min_size=24, max_size=64), body=st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_the_standard_library_takes_our_v1(raw: bytes, body: bytes) -> None:
    now = datetime.now(UTC)
    headers = dict(signed_headers([Secret(raw)], ID, int(now.timestamp()), body))
    theirs = Webhook(Secret(raw).shown)
    theirs.verify(body, headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        theirs.verify(body + b" ", headers, json_parse=False)


def test_we_take_the_standard_librarys_v1() -> None:
    theirs = Webhook(SECRET.shown).sign(ID, NOW, BODY.decode())
    headers = [("webhook-id", ID), ("webhook-timestamp", str(STAMP)), ("webhook-signature", theirs)]
    assert verify(headers, BODY, [SECRET], NOW) == ID


@given(seed=st.binary(min_size=32, max_size=32), body=st.binary(max_size=200))
def test_cryptography_takes_our_v1a(seed: bytes, body: bytes) -> None:
    key = PrivateKey(seed)
    kind, _, signature = signature_header([key], ID, STAMP, body).partition(",")
    assert kind == "v1a"
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.public.shown.removeprefix("whpk_")))
    public.verify(base64.b64decode(signature), f"{ID}.{STAMP}.".encode() + body)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), f"{ID}.{STAMP + 1}.".encode() + body)


def test_we_take_cryptographys_v1a() -> None:
    key = Ed25519PrivateKey.from_private_bytes(PAIR.seed)
    signature = base64.b64encode(key.sign(f"{ID}.{STAMP}.".encode() + BODY)).decode()
    headers = [("Webhook-Id", ID), ("Webhook-Timestamp", str(STAMP)), ("Webhook-Signature", f"v1a,{signature}")]
    assert verify(headers, BODY, [PAIR.public], NOW) == ID


def test_keys_as_they_are_shown() -> None:
    assert SECRET.shown == "whsec_" + base64.b64encode(SECRET.raw).decode()
    assert Secret.parse(SECRET.shown) == SECRET == signing_key(SECRET.shown) == trusted_key(SECRET.shown)
    assert PublicKey.parse(PAIR.public.shown) == PAIR.public == trusted_key(PAIR.public.shown)
    assert len(base64.b64decode(PAIR.public.shown.removeprefix("whpk_"))) == 32
    private = base64.b64decode(PAIR.text.removeprefix("whsk_"))
    assert private == PAIR.seed + PAIR.public.raw
    assert PrivateKey.parse(PAIR.text) == PAIR == signing_key(PAIR.text)


def test_fresh_keys_have_full_length() -> None:
    given = bytes(range(100, 132))
    assert Secret.make(lambda length: given[:length]).raw == given
    assert PrivateKey.make(lambda length: given[:length]).seed == given


def test_secrets_are_not_printed() -> None:
    assert base64.b64encode(SECRET.raw).decode()[:8] not in repr(SECRET)
    assert repr(SECRET.raw)[2:10] not in repr(SECRET)
    assert repr(PAIR.seed)[2:10] not in repr(PAIR)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_short",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_" + base64.b64encode(bytes(32)).decode().rstrip("="),
        "whsec_" + base64.urlsafe_b64encode(b"\xff" * 32).decode(),
        "whsec_ " + base64.b64encode(bytes(32)).decode(),
        "whsec_密" + base64.b64encode(bytes(32)).decode(),
        base64.b64encode(bytes(32)).decode(),
        "WHSEC_" + base64.b64encode(bytes(32)).decode(),
    ],
)
def test_what_is_no_secret(text: str) -> None:
    with pytest.raises(KeyForm) as refused:
        Secret.parse(text)
    assert text[6:] == "" or text[6:] not in str(refused.value)


def test_what_is_no_key_of_the_pair() -> None:
    with pytest.raises(KeyForm):
        PublicKey.parse("whpk_" + base64.b64encode(bytes(31)).decode())
    with pytest.raises(KeyForm):
        PrivateKey.parse("whsk_" + base64.b64encode(PAIR.seed).decode())
    with pytest.raises(KeyForm):
        PrivateKey.parse("whsk_" + base64.b64encode(PAIR.seed + bytes(32)).decode())
    with pytest.raises(KeyForm):
        trusted_key(PAIR.text)


def test_a_dot_in_the_id_cannot_move_the_border() -> None:
    with pytest.raises(ValueError, match="webhook id"):
        signed_content("evt_1.2", 3, b"x")


def test_signatures_are_listed_in_the_order_of_the_keys() -> None:
    header = signature_header([OTHER, SECRET, PAIR], ID, STAMP, BODY)
    assert [entry.partition(",")[0] for entry in header.split(" ")] == ["v1", "v1", "v1a"]
    assert header.split(" ")[0] == signature_header([OTHER], ID, STAMP, BODY)


class TestVerifying:
    """The receiver's side."""

    def headers(self, **changes: str) -> list[tuple[str, str]]:
        made = dict(signed_headers([SECRET, PAIR], ID, STAMP, BODY)) | changes
        return list(made.items())

    def refused(self, headers: list[tuple[str, str]], body: bytes = BODY, now: datetime = NOW) -> str:
        with pytest.raises(WebhookRejected) as refusal:
            verify(headers, body, [SECRET, PAIR.public], now)
        return refusal.value.code

    def test_one_key_that_fits_is_enough(self) -> None:
        trusted: tuple[list[TrustedKey], ...] = ([SECRET], [PAIR.public], [OTHER, SECRET], [OTHER, PAIR.public])
        for keys in trusted:
            assert verify(self.headers(), BODY, keys, NOW) == ID

    def test_no_key_fits(self) -> None:
        with pytest.raises(WebhookRejected):
            verify(self.headers(), BODY, [OTHER, PrivateKey(bytes(32)).public], NOW)
        with pytest.raises(WebhookRejected):
            verify(self.headers(), BODY, [], NOW)

    def test_a_signature_counts_for_its_kind_alone(self) -> None:
        v1 = signature_header([SECRET], ID, STAMP, BODY)
        assert self.refused(self.headers(**{"webhook-signature": v1.replace("v1,", "v1a,")})) == "signature"
        assert self.refused(self.headers(**{"webhook-signature": v1.replace("v1,", "v9,")})) == "signature"

    def test_changed_bytes(self) -> None:
        assert self.refused(self.headers(), BODY + b"\n") == "signature"
        assert self.refused(self.headers(**{"webhook-id": "evt_other"})) == "signature"
        assert self.refused(self.headers(**{"webhook-timestamp": str(STAMP + 1)})) == "signature"

    def test_the_clock(self) -> None:
        edge = timedelta(seconds=TOLERANCE_S)
        assert verify(self.headers(), BODY, [SECRET], NOW + edge) == ID
        assert verify(self.headers(), BODY, [SECRET], NOW - edge) == ID
        assert self.refused(self.headers(), now=NOW + edge + timedelta(seconds=1)) == "timestamp"
        assert self.refused(self.headers(), now=NOW - edge - timedelta(seconds=1)) == "timestamp"

    def test_each_header_once(self) -> None:
        for place in range(3):
            headers = self.headers()
            assert self.refused([*headers, headers[place]]) == "doubled"
            assert self.refused(headers[:place] + headers[place + 1 :]) == "missing"

    def test_unknown_and_broken_entries_are_skipped(self) -> None:
        good = signature_header([SECRET], ID, STAMP, BODY)
        for listed in (f"v2,AAAA {good}", f"nonsense {good}", f"v1,!!! {good}", f"v1,AAA {good}", f" {good}"):
            assert verify(self.headers(**{"webhook-signature": listed}), BODY, [SECRET], NOW) == ID

    @pytest.mark.parametrize("stamp", ["", "-1", "1e9", "١٧", "1790565605.0", "9" * 13, " 1790565605"])
    def test_times_that_are_none(self, stamp: str) -> None:
        assert self.refused(self.headers(**{"webhook-timestamp": stamp})) == "form"

    @given(identifier=st.text(max_size=40), stamp=st.text(max_size=20), listed=st.text(max_size=300), body=st.binary())
    def test_whatever_comes_it_is_a_refusal(self, identifier: str, stamp: str, listed: str, body: bytes) -> None:
        headers = [("webhook-id", identifier), ("webhook-timestamp", stamp), ("webhook-signature", listed)]
        self.refused(headers, body)

    def test_a_flood_of_signatures_is_bounded(self) -> None:
        good = signature_header([SECRET], ID, STAMP, BODY)
        assert self.refused(self.headers(**{"webhook-signature": "v1,AAAA " * 1000 + good})) == "form"
