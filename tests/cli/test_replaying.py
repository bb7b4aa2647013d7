"""``gateway replay`` against a gateway at work: preview, start, the second operator, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.errors import PermanentError
from contracts.messages import HR
from gateway.cli.command import command
from gateway.cli.exits import Exit
from gateway.cli.replaying import read_filter
from gateway.security.clients import OPERATOR_SCOPES
from gateway.store.lists import list_deliveries
from gateway.web.listen import Listener, listening_socket
from tests.flow.puppets import PUPPETS
from tests.flow.stage import until
from tests.house import Gateways
from tests.servers.databases import table
from tests.web.site import Site
from tests.web.site import site as open_site

REFUSED = PermanentError("E1001")


class Served:
    """A site behind a real port, and the command that is run against it."""

    def __init__(self, site: Site, url: str) -> None:
        self.site = site
        self.url = url

    async def gateway(self, *arguments: str, key: str) -> Result:
        """The command, in a thread of its own: the site answers meanwhile."""
        given = ["replay", *arguments, "--to", self.url, "--key", key]
        environment = {"COLUMNS": "200", "GATEWAY_CONFIG": None}
        return await asyncio.to_thread(CliRunner(env=environment).invoke, command, given)

    async def json(self, *arguments: str, key: str, code: Exit = Exit.OK) -> dict[str, Any]:
        """Its one line of JSON."""
        result = await self.gateway(*arguments, "--json", key=key)
        assert result.exit_code == code, result.output
        (line,) = [each for each in result.stdout.splitlines() if each.startswith("{")]  # the site's log is among them
        found: dict[str, Any] = json.loads(line)
        return found

    async def rejected(self) -> list[str]:
        rows = await self.site.house.store.run(list_deliveries, "rejected", "", "", 1000)
        return [row["id"] for row in rows]

    async def refused_cases(self, many: int) -> list[str]:
        self.site.stage.puppet(HR).acts["case.submitted"].extend([REFUSED] * many)
        for _ in range(many):
            await self.site.case()

        async def all_of_them() -> list[str]:
            found = await self.rejected()
            return found if len(found) == many else []

        found: list[str] = await until(all_of_them, "they are refused")
        return found


@pytest.fixture
async def served(gateway: Gateways) -> AsyncIterator[Served]:
    house = await gateway({name: {"adapter": name} for name in PUPPETS}, adapters=PUPPETS)
    async with open_site(house) as site:
        bound = listening_socket("127.0.0.1", 0)
        listener = Listener(site.application, bound)
        await listener.start()
        yield Served(site, f"http://127.0.0.1:{bound.getsockname()[1]}")
        await listener.stop()
        bound.close()


async def test_look_start_and_wait(served: Served) -> None:
    key = await served.site.key("op1", OPERATOR_SCOPES, ("*",))
    mine = await served.refused_cases(3)
    shown = await served.gateway("platform:hr_arbitration", "状态:rejected", "--dry-run", key=key)
    assert shown.exit_code == 0
    for word in ("3", HR, "case.submitted", "E1001", "standard"):
        assert word in shown.stdout
    told = await served.json("platform:hr_arbitration status:rejected", "--dry-run", key=key)
    assert (told["preview"], told["count"]) == (True, 3)
    assert await served.rejected() == mine, "nothing has changed"

    how = ("--reason", "平台恢复", "--rate", "100", "--canary", "2", "--yes", "--wait")
    done = await served.json("platform:hr_arbitration", *how, key=key)
    assert (done["state"], done["counts"]["ok"], done["rate"], done["canary"]) == ("done", 3, 100.0, 2)
    assert (done["reason"], done["asked_by"]) == ("平台恢复", "op1")
    keys = await table(served.site.house.store, "SELECT about FROM idempotency_keys WHERE client = 'op1'")
    assert [row[0] for row in keys] == [done["id"]], "it was asked for under a key"
    assert await served.rejected() == []
    again = await served.gateway(done["id"], key=key)
    assert (again.exit_code, done["id"] in again.stdout) == (0, True)
    nothing = await served.gateway("platform:hr_arbitration", *how, key=key)
    assert nothing.exit_code == Exit.NOT_FOUND


async def test_what_fails_again_is_told_by_the_exit_code(served: Served) -> None:
    key = await served.site.key("op1", OPERATOR_SCOPES, ("*",))
    (one,) = await served.refused_cases(1)
    served.site.stage.puppet(HR).acts["case.submitted"].append(REFUSED)
    how = ("--reason", "x", "--yes", "--wait", "--rate", "100")
    done = await served.json(one, *how, key=key, code=Exit.FAILED)
    assert (done["state"], done["counts"]["failed"], done["filter"]) == ("stopped", 1, {"chosen": 1})


async def test_another_operator_approves(served: Served) -> None:
    first, second = [await served.site.key(name, OPERATOR_SCOPES, ("*",)) for name in ("op1", "op2")]
    case = await served.site.case()
    await served.site.stage.delivered(case)
    served.site.stage.puppet(HR).acts["agreement.concluded"].append(REFUSED)
    await served.site.agreement(case)
    await until(served.rejected, "the agreement is refused")
    asked = await served.json("platform:hr_arbitration", "--reason", "x", "--yes", key=first)
    assert asked["state"] == "asked"
    told = await served.gateway(asked["id"], key=first)
    assert f"gateway replay {asked['id']} --approve" in told.stdout
    own = await served.gateway(asked["id"], "--approve", "--reason", "x", key=first)
    assert (own.exit_code, "second_person" in own.stderr) == (Exit.REFUSED, True)
    done = await served.json(asked["id"], "--approve", "--reason", "同意", "--wait", key=second)
    assert (done["state"], done["approved_by"]) == ("done", "op2")


async def test_a_job_is_cancelled(served: Served) -> None:
    key = await served.site.key("op1", OPERATOR_SCOPES, ("*",))
    await served.refused_cases(2)
    await served.site.house.store.write("pause_endpoint", (HR, "op", "x"))
    job = await served.json("platform:hr_arbitration", "--reason", "x", "--yes", key=key)
    cancelled = await served.json(job["id"], "--cancel", "--reason", "不做了", key=key)
    assert cancelled["state"] == "cancelled"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nonsense",), Exit.USAGE),
        (("plattform:hr",), Exit.USAGE),
        (("from:yesterday", "--dry-run"), Exit.USAGE),
        (("platform:hr_arbitration",), Exit.USAGE),
        (("platform:hr_arbitration", "--approve", "--reason", "x"), Exit.USAGE),
        (("platform:hr_arbitration", "--reason", "x"), Exit.USAGE),
        (("job_01M7Q5CQG057N683VPG2HEWAGG", "--approve"), Exit.USAGE),
        (("job_01M7Q5CQG057N683VPG2HEWAGG", "--approve", "--cancel", "--reason", "x"), Exit.USAGE),
        (("job_01M7Q5CQG057N683VPG2HEWAGG",), Exit.NOT_FOUND),
        (("status:failed", "--dry-run"), Exit.REFUSED),
        (("platform:nobody", "--dry-run"), Exit.REFUSED),
        (("status:delivered", "--dry-run"), Exit.REFUSED),
    ],
)
async def test_what_is_not_understood_is_refused(served: Served, arguments: tuple[str, ...], code: Exit) -> None:
    key = await served.site.key("op1", OPERATOR_SCOPES, ("*",))
    await served.refused_cases(1)
    result = await served.gateway(*arguments, key=key)
    assert result.exit_code == code, result.output
    assert result.stderr
    assert (await served.site.op.get("/v1/ops/redrives")).json()["items"] == []


async def test_an_upstreams_key_has_no_right(served: Served) -> None:
    key = await served.site.key("up9")
    assert (await served.gateway("status:dead", "--dry-run", key=key)).exit_code == Exit.NO_RIGHT


def test_terms_as_people_type_them() -> None:
    one = "dlv_01M7Q5CQG057N683VPG2HEWAGG"
    assert read_filter(["platform:a status:dead", "平台：b"]) == {"endpoint": ["a", "b"], "state": ["dead"]}
    assert read_filter(["status:failed", "cause:E1"]) == {"code": ["E1"]}
    assert read_filter([one]) == {"deliveries": [one]}
    assert read_filter(["from:2026-11-01", "to:2026-11-02"]) == {
        "from": "2026-11-01T00:00:00+08:00",
        "to": "2026-11-02T23:59:59.999999+08:00",
    }
    assert read_filter(["from:2026-11-01T08:00:00+08:00"]) == {"from": "2026-11-01T08:00:00+08:00"}
