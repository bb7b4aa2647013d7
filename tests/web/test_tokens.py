"""Client credentials: tokens of ten minutes for keys, by RFC 6749 §4.4, and every way in which there is none."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from gateway.security import tokens
from gateway.security.clients import UPSTREAM_SCOPES
from gateway.web import auth
from tests.house import Gateways
from tests.web.site import Site

PATH = "/v1/oauth2/token"
GRANT = {"grant_type": "client_credentials"}


async def asked(site: Site, form: dict[str, str] | None = None, basic: tuple[str, str] | None = None) -> httpx.Response:
    headers = {}
    if basic is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{basic[0]}:{basic[1]}".encode()).decode()
    return await site.nobody.post(PATH, data=form or {}, headers=headers)


def halves(key: str) -> tuple[str, str]:
    prefix, _, secret = key.partition(".")
    return prefix, secret


async def token(site: Site, key: str, **form: str) -> str:
    answer = await asked(site, GRANT | form, halves(key))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def reads(site: Site, bearer: str, path: str = "/v1/cases") -> httpx.Response:
    return await site.nobody.get(path, headers={"Authorization": f"Bearer {bearer}"})


async def test_a_key_is_exchanged_by_basic_and_by_form(site: Site) -> None:
    key = await site.key("up2")
    prefix, secret = halves(key)
    for form, basic in (
        (GRANT, (prefix, secret)),
        (GRANT | {"client_id": prefix}, (prefix, secret)),
        (GRANT | {"client_id": prefix, "client_secret": secret}, None),
    ):
        answer = await asked(site, form, basic)
        assert answer.status_code == 200, answer.text
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
        told = answer.json()
        assert (told["token_type"], told["expires_in"]) == ("Bearer", 600)
        assert told["scope"].split(" ") == sorted(UPSTREAM_SCOPES)
        assert secret not in answer.text
        assert (await reads(site, told["access_token"])).status_code == 200


async def test_a_token_acts_for_the_organisations_of_its_key(site: Site) -> None:
    case = await site.case()
    mine = await token(site, await site.key("up2"))
    theirs = await token(site, await site.key("other", organizations=("SD-QD-SN-002",)))
    assert (await reads(site, mine, f"/v1/cases/{case}")).status_code == 200
    assert (await reads(site, theirs, f"/v1/cases/{case}")).status_code == 404


async def test_a_token_holds_the_scopes_that_were_asked_for_alone(site: Site) -> None:
    narrow = await token(site, await site.key("up2"), scope="events:read")
    assert (await reads(site, narrow, "/v1/events")).status_code == 200
    refused = await reads(site, narrow)
    assert (refused.status_code, refused.json()["scope"]) == (403, "cases:read")


async def test_a_token_is_over_after_its_time(site: Site, gateway: Gateways) -> None:
    bearer = await token(site, await site.key("up2"))
    gateway.clock.skip(598)
    assert (await reads(site, bearer)).status_code == 200
    gateway.clock.skip(3)
    over = await reads(site, bearer)
    assert (over.status_code, over.json()["code"]) == (401, "token_invalid")
    assert 'error="invalid_token"' in over.headers["www-authenticate"]


@pytest.mark.parametrize("statement", ["disable_key", "end_other_keys"])
async def test_a_key_takes_its_tokens_along(site: Site, statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "_REMEMBERED_S", 0.0)
    key = await site.key("up2")
    bearer = await token(site, key)
    assert (await reads(site, bearer)).status_code == 200
    row = (halves(key)[0],) if statement == "disable_key" else ("up2", "", 0)
    await site.house.store.write(statement, row)
    assert (await reads(site, bearer)).json()["code"] == "token_invalid"
    assert (await asked(site, GRANT, halves(key))).json()["error"] == "invalid_client"


async def test_a_token_that_was_changed_or_is_anothers_is_none(site: Site) -> None:
    bearer = await token(site, await site.key("up2"))
    sealer, issuer, now = site.house.store.sealer, site.house.publisher.source, site.house.store.now_ms()
    foreign = tokens.seal(sealer, "urn:mediation-gateway:elsewhere", tokens.Token("mgx", frozenset(), now + 60_000))
    unknown = tokens.seal(sealer, issuer, tokens.Token("mg000000000000", frozenset(UPSTREAM_SCOPES), now + 60_000))
    document = base64.urlsafe_b64encode(site.house.store.seal(b'["mgx",[],99999999999999]', "x")).decode().rstrip("=")
    flipped = bearer[:-8] + ("A" if bearer[-8] != "A" else "B") + bearer[-7:]
    wrong = [flipped, bearer[:-1], bearer + "A", bearer + "==", "x", "x" * 5_000, foreign, unknown, document, "-"]
    for one in wrong:
        answer = await reads(site, one)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), one[:40]
    assert (await reads(site, bearer)).status_code == 200


@pytest.mark.parametrize(
    ("form", "basic", "status", "error"),
    [
        (GRANT, ("{prefix}", "wrong"), 401, "invalid_client"),
        (GRANT, ("mg000000000000", "{secret}"), 401, "invalid_client"),
        (GRANT, None, 401, "invalid_client"),
        (GRANT | {"client_id": "{prefix}"}, None, 401, "invalid_client"),
        (
            GRANT | {"client_id": "{prefix}", "client_secret": "{secret}"},
            ("{prefix}", "{secret}"),
            400,
            "invalid_request",
        ),
        (GRANT | {"client_id": "other"}, ("{prefix}", "{secret}"), 400, "invalid_request"),
        ({}, ("{prefix}", "{secret}"), 400, "invalid_request"),
        ({"grant_type": ""}, ("{prefix}", "{secret}"), 400, "invalid_request"),
        ({"grant_type": "password"}, ("{prefix}", "{secret}"), 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, ("{prefix}", "{secret}"), 400, "unsupported_grant_type"),
        (GRANT | {"scope": "ops:write"}, ("{prefix}", "{secret}"), 400, "invalid_scope"),
        (GRANT | {"scope": "cases:read  events:read"}, ("{prefix}", "{secret}"), 400, "invalid_scope"),
        (GRANT | {"scope": "nothing"}, ("{prefix}", "{secret}"), 400, "invalid_scope"),
    ],
)
async def test_no_token_is_told_in_oauths_form(
    site: Site, form: dict[str, str], basic: tuple[str, str] | None, status: int, error: str
) -> None:
    prefix, secret = halves(await site.key("up2"))

    def filled(text: str) -> str:
        return text.format(prefix=prefix, secret=secret)

    answer = await asked(
        site,
        {name: filled(value) for name, value in form.items()},
        None if basic is None else (filled(basic[0]), filled(basic[1])),
    )
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["error"]) == (status, error)
    assert told["error_description"].isascii()
    assert not {'"', "\\"} & set(told["error_description"])
    assert told["error_description_zh"]
    assert answer.headers["cache-control"] == "no-store"
    assert secret not in answer.text
    assert ("www-authenticate" in answer.headers) == (status == 401 and basic is not None)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"grant_type":"client_credentials"}', "application/json"),
        (b"grant_type=client_credentials&grant_type=client_credentials", "application/x-www-form-urlencoded"),
        (b"grant_type=%ff", "application/x-www-form-urlencoded"),
        (b"x=" + b"y" * 9_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % number for number in range(40)), "application/x-www-form-urlencoded"),
    ],
)
async def test_a_malformed_request(site: Site, content: bytes, kind: str) -> None:
    prefix, secret = halves(await site.key("up2"))
    basic = base64.b64encode(f"{prefix}:{secret}".encode()).decode()
    headers = {"Content-Type": kind, "Authorization": f"Basic {basic}"}
    answer = await site.nobody.post(PATH, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "value", ["Basic", "Basic !!!", "Basic eA==", "Bearer x", "Basic " + base64.b64encode(b"\xff:x").decode()]
)
async def test_a_malformed_credential(site: Site, value: str) -> None:
    answer = await site.nobody.post(PATH, data=GRANT, headers={"Authorization": value})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_guessing_is_slowed_down_and_does_not_lock_others_out(site: Site) -> None:
    key, other = await site.key("up2"), await site.key("up3")
    prefix = halves(key)[0]
    for _ in range(10):
        assert (await asked(site, GRANT, (prefix, "guess"))).status_code == 401
    waits = await asked(site, GRANT, halves(key))
    assert (waits.status_code, waits.json()["error"]) == (429, "slow_down")
    assert int(waits.headers["retry-after"]) > 0
    assert (await asked(site, GRANT, halves(other))).status_code == 200


async def test_one_address_may_not_try_many_clients(site: Site) -> None:
    for number in range(100):
        assert (await asked(site, GRANT, (f"mg{number:012}", "guess"))).status_code == 401
    assert (await asked(site, GRANT, ("mg999999999999", "guess"))).status_code == 429


async def test_only_post_gives_tokens(site: Site) -> None:
    assert (await site.nobody.get(PATH)).status_code == 405
