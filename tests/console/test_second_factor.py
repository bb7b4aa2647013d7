"""The second factor: codes as the standard makes them, good once each, turned on by its owner, off by an administrator."""

from __future__ import annotations

import re

import pytest

from gateway.security import totp
from tests.console.counter import PASSWORDS, Counter, name_of

RFC = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1, the last six of its eight digits."""
    assert totp.code_at(RFC, seconds // 30) == code
    assert totp.step_of(RFC, f" {code[:3]} {code[3:]} ", seconds * 1000) == seconds // 30


def test_neighbours_count_and_others_do_not() -> None:
    now = 2_000_000_000_000
    step = now // 30_000
    assert [totp.step_of(RFC, totp.code_at(RFC, step + n), now) is not None for n in (-2, -1, 0, 1, 2)] == [
        *(False, True, True, True, False)
    ]
    assert totp.step_of(RFC, "", now) is None
    assert totp.step_of(RFC, "１２３", now) is None


def test_a_secret_is_typed_and_read() -> None:
    secret = totp.make_secret()
    text = totp.as_text(secret)
    assert totp.read_text(f"{text[:4].lower()} {text[4:]}") == secret
    assert totp.read_text("too short") is None
    assert totp.read_text("1" * 32) is None
    assert f"secret={text}" in totp.address(secret, "网关", "oper01")


async def test_it_is_turned_on_used_once_per_code_and_turned_off(counter: Counter) -> None:
    operator, name, password = counter.operator, name_of("operator"), PASSWORDS["operator"]
    store = counter.site.house.store
    offered = re.search(r'name="secret" value="([A-Z2-7]{32})"', (await operator.get("account")).text)
    assert offered is not None
    secret = totp.read_text(offered.group(1))
    assert secret is not None

    def code(shift: int = 0) -> str:
        return totp.code_at(secret, store.now_ms() // 30_000 + shift)

    told = {"secret": offered.group(1), "old": password, "code": code()}
    wrong = await operator.post("account/second", told | {"code": "000000"})
    assert wrong.status_code == 422
    assert offered.group(1) in wrong.text
    assert (await operator.post("account/second", told | {"old": "guess"})).status_code == 422
    assert (await operator.post("account/second", told)).status_code == 303
    assert 'name="secret"' not in (await operator.get("account")).text

    stranger = await counter.stranger()
    alone = await stranger.sign_in(name, password)
    assert alone.status_code == 401
    assert "动态码" in alone.text
    assert (await stranger.sign_in(name, "guess", code=code(1))).status_code == 401
    assert (await stranger.sign_in(name, password, code="123456")).status_code == 401
    assert (await stranger.sign_in(name, password, code=told["code"])).status_code == 401  # it was used to turn it on
    assert (await stranger.sign_in(name, password, code=code(1))).status_code == 303
    assert (await (await counter.stranger()).sign_in(name, password, code=code(1))).status_code == 401

    admin = counter.visitors["administrator"]
    assert (await operator.post(f"users/{name}/second")).status_code == 403
    assert "关闭两步验证" in (await admin.get("users")).text
    assert (await admin.post(f"users/{name}/second")).status_code == 303
    row = await store.row("find_user", name)
    assert row is not None
    assert row["totp_sealed"] is None
    acts = {row["act"] for row in await store.rows("newest_audit", 2**62, 30)}
    assert {"user.second_on", "user.second_off"} <= acts


async def test_an_administrators_session_alone_resets_nothing_of_his_own(counter: Counter) -> None:
    admin, name = counter.visitors["administrator"], name_of("administrator")
    store = counter.site.house.store
    await store.write("set_totp", (name, b"sealed"))
    before = await store.row("find_user", name)
    for place in ("second", "password"):
        refused = await admin.post(f"users/{name}/{place}")
        assert refused.status_code == 422
        assert "请找另一位管理员" in refused.text
    assert (await admin.get("users")).status_code == 200
    after = await store.row("find_user", name)
    assert before is not None
    assert after is not None
    assert after["totp_sealed"] is not None
    assert after["password"] == before["password"]
    acts = {row["act"] for row in await store.rows("newest_audit", 2**62, 30)}
    assert not {"user.second_off", "user.password"} & acts
