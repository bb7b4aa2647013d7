"""The console's accounts: users are made and changed with an audit row, people sign in and out, sessions end by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.envelope import compact
from gateway.security import sessions, totp
from gateway.security.data_scope import EVERYTHING, DataScope, ScopeRefused, kept_scope, parse_scope, scope_text
from gateway.security.passwords import Hasher, weakness
from gateway.security.roles import role_book
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.places import of_second_factor
from gateway.store.store import Store

_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{1,31}")
_SEEN_EVERY_MS: Final = 30_000


def actor_of(name: str) -> str:
    """How a person stands in the audit trail, apart from clients and the gateway itself."""
    return f"user:{name}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    name: str
    title: str
    role: str
    must_change: bool
    mode: str = "simple"
    scope: DataScope = field(default_factory=DataScope)

    def may(self, permission: str) -> bool:
        """Whether the person's role holds the permission."""
        return role_book(self.mode).may(self.role, permission)


class Accounts:
    """Users and their sessions in one store. ``idle_s`` and ``lasts_s`` end a session; ``mode`` names the table of roles."""

    def __init__(
        self, store: Store, hasher: Hasher, idle_s: float = 1800.0, lasts_s: float = 43_200.0, mode: str = "simple"
    ) -> None:
        self._mode = mode
        self._store = store
        self._hasher = hasher
        self._strangers = sessions.Strangers()
        self._idle_ms = round(idle_s * 1000)
        self._lasts_ms = round(lasts_s * 1000)

    # ---- users
    async def add(
        self,
        actor: str,
        name: str,
        title: str,
        role: str,
        password: str,
        *,
        must_change: bool = True,
        scope: str = EVERYTHING,
    ) -> None:
        """A new user. ``scope`` (数据范围): see ``parse_scope``.

        Raises:
            ActRefused: ``name_form``, ``role_unknown``, ``scope_form``, ``taken``, or a weak password.
            TooBusy: see ``Hasher``.
        """
        if not _NAME.fullmatch(name):
            raise ActRefused("account.name_form")
        if role not in role_book(self._mode).roles:
            raise ActRefused("account.role_unknown")
        if not title.strip() or len(title) > 60:
            raise ActRefused("account.title_form")
        seen = _scope_kept(scope)
        self._refuse_weak(name, password)
        kept = await self._hasher.hash(password)
        entry = AuditEntry(actor, "user.add", name, None, compact({"role": role, "scope": seen}))
        made = await self._store.audited("add_user", (name, title.strip(), role, seen, kept, must_change), entry)
        if not made:
            raise ActRefused("account.taken")

    async def change(
        self, actor: str, name: str, title: str, role: str, *, enabled: bool, scope: str | None = None
    ) -> None:
        """Another title, role, standing or data scope (``None``: as it was); open sessions end, so that the new rights hold at
        once.

        Raises:
            ActRefused: ``not_found``, ``role_unknown``, ``title_form``, ``scope_form``, ``self`` (nobody changes his own
                rights).
        """
        if actor == actor_of(name):
            raise ActRefused("account.self")
        if role not in role_book(self._mode).roles:
            raise ActRefused("account.role_unknown")
        if not title.strip() or len(title) > 60:
            raise ActRefused("account.title_form")
        before = await self._store.row("find_user", name)
        if before is None:
            raise ActRefused("account.not_found")
        seen = before["scope"] if scope is None else _scope_kept(scope)
        facts = compact({"role": role, "enabled": enabled, "scope": seen})
        entry = AuditEntry(actor, "user.change", name, None, facts)
        if not await self._store.audited("set_user", (name, title.strip(), role, seen, enabled), entry):
            raise ActRefused("account.not_found")
        await self._store.write("end_sessions_of", (name,))

    async def disable(self, actor: str, name: str) -> None:
        """Nobody signs in with it until somebody enables it (三员分立: what one administrator made, another one grants)."""
        row = await self._store.row("find_user", name)
        if row is not None:
            entry = AuditEntry(actor, "user.disable", name)
            await self._store.audited("set_user", (name, row["title"], row["role"], row["scope"], False), entry)
            await self._store.write("end_sessions_of", (name,))

    async def set_password(self, actor: str, name: str, password: str, *, must_change: bool) -> None:
        """A new password for somebody else; open sessions end.

        Raises:
            ActRefused: ``not_found``, ``self`` (the own one is changed with the old one), or a weak password.
            TooBusy: see ``Hasher``.
        """
        if actor == actor_of(name):
            raise ActRefused("account.self")
        await self._give_password(actor, name, password, must_change=must_change)

    async def _give_password(self, actor: str, name: str, password: str, *, must_change: bool) -> None:
        self._refuse_weak(name, password)
        kept = await self._hasher.hash(password)
        entry = AuditEntry(actor, "user.password", name)
        if not await self._store.audited("set_password", (name, kept, must_change), entry):
            raise ActRefused("account.not_found")
        await self._store.write("end_sessions_of", (name,))

    async def own_password(self, name: str, old: str, new: str) -> None:
        """The person's own new password.

        Raises:
            ActRefused: ``wrong`` (the old one), ``locked``, ``same``, or a weak password.
            TooBusy: see ``Hasher``.
        """
        await self._verified(name, old)
        if old == new:
            raise ActRefused("account.same")
        await self._give_password(actor_of(name), name, new, must_change=False)

    @staticmethod
    def _refuse_weak(name: str, password: str) -> None:
        found = weakness(name, password)
        if found is not None:
            raise ActRefused(f"account.password_{found}")

    async def listed(self) -> list[Row]:
        """All users, without their passwords."""
        return await self._store.rows("all_users")

    # ---- sessions
    async def sign_in(self, name: str, password: str, code: str = "") -> str:
        """A session's token.

        Raises:
            ActRefused: ``wrong`` (also for an unknown or disabled account, and for a wrong code), ``locked``, ``code`` (the
                second factor is wanted too).
            TooBusy: see ``Hasher``.
        """
        row = await self._verified(name, password)
        await self._second(row, code)
        await self._store.write("note_login", (name,))
        await self._store.write("drop_old_sessions", ())
        token = sessions.make_token()
        await self._store.write("open_session", (sessions.token_hash(token), name, self._lasts_ms))
        facts = compact({"role": row["role"]})
        await self._store.audit(AuditEntry(actor_of(name), "session.open", name, None, facts))
        return token

    async def _second(self, row: Row, code: str) -> None:
        """The second factor, where the account has one; each code is good once."""
        if row["totp_sealed"] is None:
            return
        name = row["name"]
        if not code.strip():
            raise ActRefused("account.code")
        secret = self._store.unseal(row["totp_sealed"], of_second_factor(name))
        step = totp.step_of(secret, code, row["now"])
        if step is None or not await self._store.write("use_totp", (name, step)):
            await self._store.write("note_failed_login", (name,))
            await self._store.audit(AuditEntry(actor_of(name), "session.refused", name))
            raise ActRefused("account.wrong")

    async def has_second(self, name: str) -> bool:
        """Whether the account wants a second factor."""
        row = await self._store.row("find_user", name)
        return row is not None and row["totp_sealed"] is not None

    async def own_second(self, name: str, password: str, secret: bytes, code: str) -> None:
        """Want a second factor from now on, once a first code proves that the authenticator has the secret.

        Raises:
            ActRefused: ``wrong`` (the password), ``locked``, ``code_wrong``.
        """
        row = await self._verified(name, password)
        step = totp.step_of(secret, code, row["now"])
        if step is None:
            raise ActRefused("account.code_wrong")
        sealed = self._store.seal(secret, of_second_factor(name))
        await self._store.audited("set_totp", (name, sealed), AuditEntry(actor_of(name), "user.second_on", name))
        await self._store.write("use_totp", (name, step))

    async def drop_second(self, actor: str, name: str) -> None:
        """Want no second factor any more: an administrator's act, for somebody else who has lost it. A session alone, left
        open or stolen, must not get rid of its own.

        Raises:
            ActRefused: ``not_found``, ``self``.
        """
        if actor == actor_of(name):
            raise ActRefused("account.self")
        if not await self._store.audited("set_totp", (name, None), AuditEntry(actor, "user.second_off", name)):
            raise ActRefused("account.not_found")
        await self._store.write("end_sessions_of", (name,))

    async def _verified(self, name: str, password: str) -> Row:
        row = await self._store.row("find_user", name) if _NAME.fullmatch(name) else None
        failures, failed_at = self._strangers.of(name) if row is None else (row["failures"], row["failed_at"])
        wait = sessions.locked_for_s(failures, failed_at, self._store.now_ms() if row is None else row["now"])
        if wait > 0:
            raise ActRefused("account.locked", wait)
        held = await self._hasher.verify(None if row is None else row["password"], password[:1000])
        if row is None:
            self._strangers.failed(name, self._store.now_ms())
            raise ActRefused("account.wrong")
        if not held or not row["enabled"]:
            await self._store.write("note_failed_login", (name,))
            await self._store.audit(AuditEntry(actor_of(name), "session.refused", name))
            raise ActRefused("account.wrong")
        return row

    async def person(self, token: str, *, active: bool) -> Person | None:
        """Whose session it is; ``None`` where it is over. ``active``: a person's own act, which the idle time counts from."""
        if not sessions.is_token(token):
            return None
        digest = sessions.token_hash(token)
        row = await self._store.row("find_session", digest)
        if row is None or not row["enabled"]:
            return None
        if row["ends_at"] <= row["now"] or row["seen_at"] + self._idle_ms <= row["now"]:
            await self._store.write("end_session", (digest,))
            return None
        if active and row["now"] - row["seen_at"] >= _SEEN_EVERY_MS:
            await self._store.write("see_session", (digest,))
        scope = kept_scope(row["scope"])
        return Person(row["user_name"], row["title"], row["role"], bool(row["must_change"]), self._mode, scope)

    async def sign_out(self, token: str) -> None:
        """End a session."""
        row = await self._store.row("find_session", sessions.token_hash(token))
        await self._store.write("end_session", (sessions.token_hash(token),))
        if row is not None:
            await self._store.audit(AuditEntry(actor_of(row["user_name"]), "session.close", row["user_name"]))


def _scope_kept(given: str) -> str:
    try:
        return scope_text(parse_scope(given))
    except ScopeRefused:
        raise ActRefused("account.scope_form") from None
