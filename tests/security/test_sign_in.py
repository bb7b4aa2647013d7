"""Passwords, sessions, origins, throttling, roles: the rules without a database."""

from __future__ import annotations

import asyncio

import pytest

from gateway.security.passwords import Hasher, TooBusy, hash_password, make_password, same_password, weakness
from gateway.security.roles import role_book
from gateway.security.sessions import (
    Strangers,
    Throttle,
    form_token,
    is_token,
    locked_for_s,
    make_token,
    same_form_token,
    same_origin,
    token_hash,
)


def test_a_password_is_kept_as_argon2id() -> None:
    kept = hash_password("Rather-long-1-words")
    assert kept.startswith("$argon2id$")
    assert same_password(kept, "Rather-long-1-words")
    assert not same_password(kept, "rather-long-1-words")
    assert not same_password("nonsense", "x")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "short"),
        ("x" * 201, "long"),
        ("my-zhaoli-2026", "like_name"),
        ("aaaaaaaaaaaa", "plain"),
        ("k7mf-2xqp-9tda", None),
    ],
)
def test_weak_passwords_are_told_apart(password: str, why: str | None) -> None:
    assert weakness("zhaoli", password) == why


def test_made_passwords_are_strong_and_unlike() -> None:
    made = {make_password("operator") for _ in range(50)}
    assert len(made) == 50
    assert all(weakness("operator", one) is None for one in made)


def test_a_made_password_never_holds_the_name() -> None:
    assert all(weakness("e", make_password("e")) is None for _ in range(50))
    assert make_password("-")  # no name, yet an answer


async def test_the_line_before_the_hasher_is_bounded_and_the_loop_stays_free() -> None:
    hasher = Hasher(threads=1, waiting=4)
    kept = hash_password("Rather-long-1-words")
    tries = [asyncio.create_task(hasher.verify(kept, "guess")) for _ in range(12)]
    ticks = 0
    while not all(one.done() for one in tries):
        await asyncio.sleep(0.001)
        ticks += 1
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, TooBusy) for one in found) == 8
    assert [one for one in found if one is False] == [False] * 4
    assert ticks > 20, "the event loop was held up"
    assert await hasher.verify(kept, "Rather-long-1-words")
    assert not await hasher.verify(None, "Rather-long-1-words")
    hasher.close()


def test_a_form_token_follows_from_the_session_and_leads_not_back() -> None:
    token = make_token()
    assert is_token(token)
    assert not is_token(token + "x")
    assert not is_token("é" * 43)
    assert same_form_token(token, form_token(token))
    assert not same_form_token(token, form_token(make_token()))
    assert not same_form_token(token, "é")
    assert token not in (form_token(token), token_hash(token))


@pytest.mark.parametrize(
    ("origin", "referer", "ours"),
    [
        ("http://10.0.0.5:8080", None, True),
        ("https://gateway.example", None, True),
        (None, "http://10.0.0.5:8080/console/messages", True),
        ("http://10.0.0.5:8081", None, False),
        ("http://evil.test", "http://10.0.0.5:8080/", False),
        ("null", "http://10.0.0.5:8080/", False),
        (None, None, False),
        ("", "", False),
        ("file://10.0.0.5:8080", None, False),
        ("http://10.0.0.5:8080@evil.test", None, False),
    ],
)
def test_only_our_own_pages_send_forms(origin: str | None, referer: str | None, ours: bool) -> None:
    assert same_origin(origin, referer, "10.0.0.5:8080", "https://gateway.example") is ours


def test_an_address_is_let_in_again_when_its_failures_are_old() -> None:
    now = 0.0
    throttle = Throttle(most=3, window_s=60, addresses=2, now=lambda: now)
    for _ in range(3):
        assert throttle.wait_s("a") == 0
        throttle.failed("a")
    assert throttle.wait_s("a") == 60
    assert throttle.wait_s("b") == 0
    now = 61.0
    assert throttle.wait_s("a") == 0
    for address in ("b", "c", "d"):
        throttle.failed(address)


def test_an_account_waits_longer_with_every_failure() -> None:
    assert locked_for_s(4, 1_000, 1_000) == 0
    assert [locked_for_s(failures, 0, 0) for failures in (5, 6, 7, 30)] == [30, 60, 120, 900]
    assert locked_for_s(5, 0, 30_000) == 0


def test_of_names_that_nobody_has_only_so_many_are_remembered() -> None:
    strangers = Strangers(names=2)
    assert strangers.of("a") == (0, None)
    for now, name in enumerate(("a", "b", "a", "c")):
        strangers.failed(name, now)
    assert [strangers.of(name) for name in "abc"] == [(2, 2), (0, None), (1, 3)]


def test_roles_are_apart_where_they_must_be() -> None:
    book = role_book()
    assert not book.may("nobody", "view")
    assert not book.may("administrator", "reveal")
    assert not book.may("auditor", "bodies")
    assert not book.may("operator", "approve")
    assert not any(book.may(role, "audit") for role in ("viewer", "operator", "administrator"))
    assert {role for role in book.roles if book.may(role, "users")} == {"administrator"}
    with pytest.raises(LookupError):
        book.may("viewer", "everything")


def test_three_administrators_are_apart() -> None:
    book = role_book("sanyuan")
    powers = {
        role: {power for power in ("enrol", "clients", "grants", "approve", "audit", "bodies") if book.may(role, power)}
        for role in ("system_administrator", "security_administrator", "auditor")
    }
    assert powers == {
        "system_administrator": {"enrol", "clients"},
        "security_administrator": {"grants", "approve", "bodies"},
        "auditor": {"audit"},
    }
    assert "administrator" not in book.roles
    assert not book.may("administrator", "view")
