"""三员分立: what one administrator makes another one grants, and the third one audits; nobody holds two of the three."""

from __future__ import annotations

import re

import pytest

from gateway.flow.moving.acts import ActRefused
from gateway.flow.registering.accounts import Accounts
from gateway.security.passwords import Hasher
from tests.console.conftest import ENDPOINTS
from tests.console.counter import Visitor
from tests.flow.puppets import PUPPETS
from tests.house import Gateways
from tests.web.site import site as open_site

PASSWORD = "Rather-long-7-words"


async def test_an_account_needs_two_administrators(gateway: Gateways) -> None:
    house = await gateway(ENDPOINTS, adapters=PUPPETS, console={"roles": "sanyuan"})
    hasher = Hasher()
    accounts = Accounts(house.store, hasher, mode="sanyuan")
    async with open_site(house) as site:
        visitors = {}
        for name, role in (("sys01", "system"), ("sec01", "security")):
            await accounts.add("cli", name, role, f"{role}_administrator", PASSWORD, must_change=False)
            visitors[name] = Visitor(await site.client())
            assert (await visitors[name].sign_in(name, PASSWORD)).status_code == 303
        await accounts.add("cli", "aud01", "audit", "auditor", PASSWORD, must_change=False)
        system, security = visitors["sys01"], visitors["sec01"]
        with pytest.raises(ActRefused, match="role_unknown"):
            await accounts.add("cli", "old01", "x", "administrator", PASSWORD)

        made = await system.post("users", {"name": "newone", "title": "新人", "role": "operator"})
        password = re.search(r'<b class="mono">([a-z0-9-]+)</b>', made.text)
        assert password is not None
        stranger = Visitor(await site.client())
        assert (await stranger.sign_in("newone", password.group(1))).status_code == 401
        grant = {"title": "新人", "role": "viewer", "enabled": "yes"}
        assert (await system.post("users/newone", grant)).status_code == 403
        assert (await security.post("users", {"name": "other", "title": "别人", "role": "viewer"})).status_code == 403
        assert (await security.post("users/newone/password")).status_code == 403
        assert (await security.post("users/newone", grant)).status_code == 303
        assert (await stranger.sign_in("newone", password.group(1))).status_code == 303

        # Whoever resets a password cannot walk in with it either, not even as the one who grants.
        again = await system.post("users/sec01/password")
        stolen = re.search(r'<b class="mono">([a-z0-9-]+)</b>', again.text)
        assert stolen is not None
        assert (await Visitor(await site.client()).sign_in("sec01", stolen.group(1))).status_code == 401

        case = await site.case()
        rows = await house.store.rows("deliveries_of", case)
        page = (await system.get(f"deliveries/{rows[0]['id']}")).text
        assert "您的角色不能查看内容" in page or 'class="tree"' not in page
        for place in ("", "users", "account", "clients", "audit"):
            assert (await system.get(place)).status_code == 200, place
        assert (await system.post("audit/verify")).status_code == 403
        site.application.framework.state.desk.close()
    hasher.close()
