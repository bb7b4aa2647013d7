"""Tokens, keys, receipts, limits and headers of the national platform's mock (page §1, §2)."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from tests.mocks.national_client import ALL, CASE, ORGANIZATION, PROGRESS, Client, decoded, running, written

LOOKUP = f"/cases?orgCode={ORGANIZATION}&externalNo=X-1"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "national") as there:
        yield there


async def test_the_addresses_stand_in_the_configuration(client: Client) -> None:
    url = client.server.url
    config = json.loads(client.server.config_path.read_text("utf-8"))
    assert (config["base_url"], config["auth_url"]) == (f"{url}/ndm/v1", f"{url}/oauth2/token")
    assert config["jwks_url"] == f"{url}/.well-known/jwks.json"
    assert client.server.config_path.stat().st_mode & 0o077 == 0


async def test_a_token_is_a_jwt_of_the_page(client: Client) -> None:
    reply = await client.ask_token("case file")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    assert without_token(reply.json) == {"token_type": "Bearer", "expires_in": 300, "scope": "case file"}
    header, claims = decoded(reply["access_token"])
    assert set(header) == {"alg", "typ", "kid"}
    assert set(claims) == {"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "scope"}
    assert (claims["sub"], claims["aud"], claims["scope"]) == (client.config["client_id"], "ndm-api", "case file")
    assert claims["exp"] == claims["iat"] + 300
    await client.verified(reply["access_token"], "at+jwt")


def without_token(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reply.items() if name != "access_token"}


async def test_the_keys_are_rsa_of_2048_bits(client: Client) -> None:
    reply = await client.jwks()
    assert reply.headers["Cache-Control"] == "max-age=300"
    (key,) = reply["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    assert len(base64.urlsafe_b64decode(key["n"] + "==")) >= 256


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"secret": "wrong"}, 401, "invalid_client"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"scope": ""}, 400, "invalid_scope"),
        ({"scope": "case case"}, 400, "invalid_scope"),
        ({"grant": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_ask_for_a_token(client: Client, asked: dict[str, str], status: int, error: str) -> None:
    reply = await client.ask_token(**asked)
    assert (reply.status, reply.json) == (status, {"error": error})
    assert reply.headers["Cache-Control"] == "no-store"


async def test_basic_alone_tells_who_asks(client: Client) -> None:
    config = client.config
    form = {
        "grant_type": "client_credentials",
        "scope": ALL,
        "client_id": config["client_id"],
        "client_secret": config["client_secret"],
    }
    async with client.session.post(config["auth_url"], data=form) as answer:
        assert (answer.status, await answer.json()) == (401, {"error": "invalid_client"})
    basic = base64.b64encode(f"{config['client_id']}:{config['client_secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    async with client.session.post(config["auth_url"], data=form, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (401, {"error": "invalid_client"})
    async with client.session.post(config["auth_url"], json=form, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "unsupported_grant_type"})


def b64(value: bytes | dict[str, Any]) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def test_a_token_that_is_not_ours_is_invalid(client: Client) -> None:
    header, claims = decoded(client.token)
    head, body, signature = client.token.split(".")
    other = generate_private_key(65537, 2048)

    def signed(header: dict[str, Any], claims: dict[str, Any]) -> str:
        text = f"{b64(header)}.{b64(claims)}"
        return f"{text}.{b64(other.sign(text.encode(), PKCS1v15(), SHA256()))}"

    for token in (
        "",
        "x",
        f"{head}.{body}",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        f"{b64(header | {'alg': 'none'})}.{body}.",
        f"{b64(header | {'alg': 'HS256'})}.{body}.{signature}",
        f"{head}.{b64(claims | {'exp': claims['exp'] + 9999})}.{signature}",
        signed(header, claims),
        signed(header | {"kid": "other"}, claims),
    ):
        reply = await client.get("/ping", Authorization=f"Bearer {token}")
        assert (reply.status, reply.code) == (401, "TOKEN_INVALID"), token
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert (await client.get("/ping", Authorization=None)).code == "TOKEN_INVALID"
    assert (await client.get("/ping", Authorization=f"Basic {client.token}")).code == "TOKEN_INVALID"
    receipt = (await client.post("/cases", CASE))["receipt"]
    assert (await client.get("/ping", Authorization=f"Bearer {receipt}")).code == "TOKEN_INVALID"


async def test_a_token_ends_after_300_seconds(client: Client) -> None:
    await client.mock("POST", "clock", {"shift_s": 298})
    assert (await client.get("/ping")).status == 200
    await client.mock("POST", "clock", {"shift_s": 3})
    reply = await client.get("/ping")
    assert (reply.status, reply.code) == (401, "TOKEN_EXPIRED")
    await client.enter()
    assert (await client.get("/ping")).status == 200


async def test_a_token_begins_at_its_time(client: Client) -> None:
    await client.mock("POST", "clock", {"shift_s": -50})
    assert (await client.get("/ping")).status == 200
    await client.mock("POST", "clock", {"shift_s": -20})
    assert (await client.get("/ping")).code == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("scope", "path"), [("case", LOOKUP), ("referral", "/referrals/x"), ("file", "/files/x"), ("case", "/changes")]
)
async def test_a_call_needs_its_scope(client: Client, scope: str, path: str) -> None:
    await client.enter(" ".join(name for name in ALL.split(" ") if name != scope))
    reply = await client.get(path)
    assert (reply.status, reply.code) == (403, "SCOPE_MISSING")
    await client.enter(scope)
    assert (await client.get(path)).status != 403


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("case", "POST", "/cases"),
        ("case", "PUT", "/cases/C1"),
        ("case", "POST", "/cases/C1/progress"),
        ("case", "POST", "/cases/C1/agreements"),
        ("case", "POST", "/cases/C1/performances"),
        ("referral", "POST", "/referrals/R1/answer"),
        ("referral", "POST", "/referrals/R1/result"),
        ("stat", "PUT", f"/statistics/{ORGANIZATION}/2026Q3"),
        ("file", "POST", "/files"),
    ],
)
async def test_a_call_that_writes_needs_its_scope_too(client: Client, scope: str, method: str, path: str) -> None:
    await client.enter(" ".join(name for name in ALL.split(" ") if name != scope))
    assert (await client.send(method, path)).code == "SCOPE_MISSING"
    await client.enter(scope)
    assert (await client.send(method, path)).code != "SCOPE_MISSING"


async def test_an_expired_session_and_a_new_key(client: Client) -> None:
    await client.fault("*", "expire_session")
    for _ in range(2):  # the token is gone for good
        assert (await client.get("/ping")).code == "TOKEN_EXPIRED"
    await client.enter()
    assert (await client.get("/ping")).status == 200
    kid = decoded(client.token)[0]["kid"]
    old = client.token
    await client.fault("probe", "expire_session", rotate=True)
    assert (await client.get("/ping")).code == "TOKEN_EXPIRED"
    await client.enter()  # verifies against keys fetched again
    assert decoded(client.token)[0]["kid"] != kid
    assert {key["kid"] for key in (await client.jwks())["keys"]} == {kid, decoded(client.token)[0]["kid"]}
    await client.shift(601)
    assert [key["kid"] for key in (await client.jwks())["keys"]] == [decoded(client.token)[0]["kid"]]
    assert (await client.get("/ping", Authorization=f"Bearer {old}")).code == "TOKEN_INVALID"


async def test_keys_that_could_not_be_written_sign_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = client.server.config_path.with_name("keys.json")
    before, mode = kept.read_bytes(), kept.stat().st_mode & 0o777
    kid = decoded(client.token)[0]["kid"]
    whole = Path.write_text

    def half(path: Path, text: str, encoding: str) -> int:
        whole(path, text[: len(text) // 2], encoding)
        raise OSError("no space left")

    await client.fault("probe", "expire_session", rotate=True)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", half)
        await client.get("/ping")
    assert (kept.read_bytes(), mode) == (before, 0o600)
    await client.enter()
    assert decoded(client.token)[0]["kid"] == kid


async def test_keys_change_in_order(tmp_path: Path) -> None:
    async with running(tmp_path / "national", key_life_s=3600) as client:
        first = decoded(client.token)[0]["kid"]
        await client.shift(3400)
        kids = [key["kid"] for key in (await client.jwks())["keys"]]
        assert kids[0] == first == decoded(client.token)[0]["kid"]
        assert len(kids) == 2  # shown before its use
        await client.shift(400)
        assert decoded(client.token)[0]["kid"] == kids[1]
        assert [key["kid"] for key in (await client.jwks())["keys"]] == kids  # the old one stays for a while


async def test_keys_tokens_and_answers_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path / "national") as client:
        token = client.token
        first = await client.post("/cases", CASE, "msg_00000001")
    async with running(tmp_path / "national") as client:
        reply = await client.get("/ping", Authorization=f"Bearer {token}")
        assert reply.code == "TOKEN_INVALID"  # its issuer had another port
        again = await client.post("/cases", CASE, "msg_00000001")
        assert (again.status, again.replayed, again["caseId"]) == (201, True, first["caseId"])
        await client.receipt(again, "case.submit", written(CASE))
        assert (await client.post("/cases", CASE)).code == "DUPLICATE"
        assert len(await client.records()) == 1


async def test_a_receipt_binds_the_bytes(client: Client) -> None:
    first = await client.post("/cases", CASE, "msg_00000001")
    claims = await client.receipt(first, "case.submit", written(CASE))
    assert set(claims) == {"iss", "aud", "jti", "iat", "op", "sub", "dig"}
    assert claims["sub"] == first["caseId"]
    again = await client.post("/cases", CASE, "msg_00000001")
    assert await client.receipt(again, "case.submit", written(CASE)) | {"iat": 0} == claims | {"iat": 0}
    progress = await client.post(f"/cases/{first['caseId']}/progress", PROGRESS)
    claims = await client.receipt(progress, "case.progress", written(PROGRESS))
    assert claims["sub"] == progress["progressId"]
    assert "receipt" not in (await client.post("/cases", CASE)).json  # 409


async def test_forged_receipts(client: Client) -> None:
    await client.fault("case.submit", "forge_callback", how="receipt", times=3)
    receipts = []
    for _ in range(4):
        reply = await client.post("/cases", CASE, "msg_00000001")
        assert reply.status == 201
        receipts.append(reply["receipt"])
    with pytest.raises(InvalidSignature):
        await client.verified(receipts[0], "receipt+jwt")
    assert (decoded(receipts[1])[0]["alg"], receipts[1][-1]) == ("none", ".")
    assert (await client.verified(receipts[2], "receipt+jwt"))["dig"] == "0" * 64
    assert (await client.verified(receipts[3], "receipt+jwt"))["dig"] != "0" * 64
    await client.fault("case.submit", "forge_callback", how="receipt", kind="alg_none")
    assert decoded((await client.post("/cases", CASE, "msg_00000001"))["receipt"])[0]["alg"] == "none"
    status, answer = await client.mock_raw(
        "POST", "faults", [{"op": "*", "action": "forge_callback", "how": "receipt", "kind": "x"}]
    )
    assert (status, "foreign_key" in answer["error"]) == (422, True)


async def test_the_quota_is_told_and_kept(tmp_path: Path) -> None:
    async with running(tmp_path / "national", quota_per_minute=4) as client:  # the token was one
        first = await client.get("/ping")
        assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("4", "2")
        assert 1 <= int(first.headers["RateLimit-Reset"]) <= 60
        for _ in range(2):
            assert (await client.get("/ping")).status == 200
        reply = await client.get("/ping")
        assert (reply.status, reply.code, reply.headers["RateLimit-Remaining"]) == (429, "RATE_LIMITED", "0")
        assert 1 <= int(reply.headers["Retry-After"]) <= 60
        assert (await client.ask_token()).code == "RATE_LIMITED"
        assert (await client.jwks()).status == 200


async def test_the_quota_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path / "national", quota_per_minute=2, quota_window_s=0.3) as client:
        while (await client.get("/ping")).status == 200:
            pass
        await asyncio.sleep(0.35)
        assert (await client.get("/ping")).status == 200


async def test_uploads_have_a_quota_of_their_own(tmp_path: Path) -> None:
    async with running(tmp_path / "national", uploads_per_minute=2) as client:
        assert [(await client.upload()).status for _ in range(3)] == [201, 200, 429]
        assert (await client.get("/ping")).status == 200


async def test_four_calls_at_once(client: Client) -> None:
    await client.fault("probe", "business_error", code="BUSY", after_ms=1500, times=4)
    replies = await asyncio.gather(*(client.get("/ping") for _ in range(5)))
    assert sorted(reply.code for reply in replies) == ["BUSY"] * 4 + ["RATE_LIMITED"]
    assert (await client.get("/ping")).status == 200


async def test_every_call_has_its_headers(client: Client) -> None:
    assert (await client.get("/ping", Accept=None)).findings == ["Accept FIELD_MISSING"]
    assert (await client.get("/ping", Accept="*/*")).findings == ["Accept FORMAT"]
    assert (await client.get("/ping", X_Request_Id=None)).findings == ["X-Request-Id FIELD_MISSING"]
    assert (await client.get("/ping", X_Request_Id="x" * 65)).findings == ["X-Request-Id FORMAT"]
    assert (await client.get("/ping", X_Request_Id="once")).status == 200
    assert (await client.get("/ping", X_Request_Id="once")).findings == ["X-Request-Id FORMAT"]


async def test_every_answer_has_its_headers(client: Client) -> None:
    await client.mock("POST", "clock", {"at": "2026-09-16T09:30:00+08:00"})
    await client.enter()
    for reply in (await client.get("/ping"), await client.get("/nowhere"), await client.post("/cases", {})):
        assert reply.headers["Date"].startswith("Wed, 16 Sep 2026 01:30:0")
        assert reply.headers["X-Trace-Id"]
        assert reply.headers["RateLimit-Limit"] == "600"
    assert (await client.get("/ping"))["platformTime"].startswith("2026-09-16T01:30:0")


async def test_unknown_addresses(client: Client) -> None:
    for method, path in (("GET", "/nowhere"), ("DELETE", "/cases"), ("PUT", "/cases"), ("GET", "/cases/1")):
        reply = await client.send(method, path)
        assert (reply.status, reply.code) == (404, "PATH_UNKNOWN")


async def test_an_address_that_is_not_allowed(tmp_path: Path) -> None:
    async with running(tmp_path / "national") as client:
        assert (await client.get("/ping")).status == 200
    with pytest.raises(AssertionError, match="IP_NOT_ALLOWED"):
        async with running(tmp_path / "strict", allowed_ips=["203.0.113.7"]):
            pass
