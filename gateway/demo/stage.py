"""Sets the stage: mocks, configuration, keys and clients, the gateway in this process, and takes it down in order."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import logs
from gateway.app import build
from gateway.demo.cast import HOMES
from gateway.demo.memory import give_back
from gateway.demo.platforms import Mocks, Platform, mocks_there, start_mocks
from gateway.demo.tempo import CLERK_DELAY_MS, CLERK_JITTER_MS, ON_REQUEST, RETRY, TEMPOS, Tempo
from gateway.demo.toml_text import table_text
from gateway.demo.workspace import PlatformUnknown, StageRefused, Workspace
from gateway.flow.house import House
from gateway.registry import AnyAdapter, installed
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES, NewKey, hash_secret, make_key
from gateway.security.fields import Keys, write_key_file
from gateway.security.passwords import make_password
from gateway.settings import load_settings
from gateway.web.listen import Listener, listening_socket
from gateway.web.server import web

_HOST = "127.0.0.1"
_ACTOR = "demo"
"""Who acts, in the audit trail."""


@dataclass(slots=True)
class Stage:
    """Everything that stands. ``keys`` are the API keys by organisation code, ``operator`` the operator's; ``logins`` the
    console's users with their passwords."""

    workspace: Workspace
    house: House
    url: str
    keys: dict[str, str]
    operator: str
    mocks: Mocks
    logins: dict[str, str]

    @property
    def platforms(self) -> list[Platform]:
        """The platforms that the gateway files to. A mock beside them (a receiver of webhooks) is there to be played with."""
        return [platform for name, platform in self.mocks.platforms.items() if name in self.house.endpoints]

    @property
    def adapters(self) -> frozenset[str]:
        """Names of their adapters."""
        return frozenset(endpoint.adapter.info.name for endpoint in self.house.endpoints.values())

    async def wake_clerks(self, seed: int) -> None:
        """Let the platforms' clerks decide; only now, when the gateway hears them."""
        for platform in self.platforms:
            mix = TEMPOS.get(platform.name, Tempo()).mix
            await platform.set_clerk(
                {"seed": seed, "delay_ms": CLERK_DELAY_MS, "jitter_ms": CLERK_JITTER_MS, "mix": dict(mix)}
            )


@asynccontextmanager
async def staged(workspace: Workspace, port: int | None = None, beside: Sequence[str] = ()) -> AsyncIterator[Stage]:
    """The stage while it is entered. The workspace must be owned. ``beside``: platforms that play on request.

    Raises:
        StageRefused: nothing to play with, a port that is taken, mocks that do not start.
        SettingsRefused: the written configuration does not fit an adapter.
    """
    adapters = installed()
    names = await _cast(workspace, adapters, beside)
    ports = workspace.ports(names, port)
    async with AsyncExitStack() as stack:
        log = stack.enter_context((workspace.path / "gateway.log").open("a", encoding="utf-8"))
        logs.configure("info", log)
        try:
            bound = listening_socket(_HOST, ports["gateway"])
        except OSError:
            raise StageRefused(f"端口被占用 port {ports['gateway']} is taken: choose another by --port") from None
        stack.callback(bound.close)
        url = f"http://{_HOST}:{ports['gateway']}"
        mocks = await start_mocks(
            workspace.path / "mocks",
            {name: ports[name] for name in names},
            f"{url}/callbacks",
            {name: TEMPOS[name].mock for name in names if name in TEMPOS},
            lock=workspace.lock,
            parent=os.getpid(),
            log=workspace.path / "mocks.log",
        )
        stack.push_async_callback(mocks.stop)
        path = _configure(workspace, url, ports["gateway"], mocks.platforms.values(), adapters)
        house = await build(load_settings(path))
        stack.push_async_callback(house.close)
        keys, operator = await _admit(workspace, house)
        logins = await _admit_people(workspace, house)
        give_back()
        stage = Stage(workspace, house, url, keys, operator, mocks, logins)
        listener = Listener(web(house), bound)
        await listener.start()
        stack.push_async_callback(listener.stop)
        house.start()
        _announce(stage)
        yield stage


async def _cast(workspace: Workspace, adapters: Mapping[str, Any], beside: Sequence[str]) -> list[str]:
    """The platforms that play: those of an earlier start, else all that need no request, and those that are asked for."""
    known = [name for name in workspace.read("ports.json") if name != "gateway"]
    there = known if known and set(beside) <= set(known) else await mocks_there()  # asking takes half a second
    playable = [name for name in there if name in adapters]
    wanted = (set(known) or set(playable) - ON_REQUEST) | set(beside)
    names = [name for name in playable if name in wanted]
    lacking = ", ".join(sorted(set(beside) - set(names)))
    if lacking or not names:
        raise PlatformUnknown(
            f"没有同时装有适配器和模拟平台的对接端 no platform has both its adapter and its mock installed: {lacking or '-'}"
            f"（可选 there are: {', '.join(playable) or '-'}）"
        )
    return names


def _configure(
    workspace: Workspace, url: str, port: int, platforms: Iterable[Platform], adapters: Mapping[str, Any]
) -> Path:
    """The gateway's configuration, each endpoint's settings from its platform's own."""
    seal = workspace.path / "gateway" / "keys"
    if not seal.exists():
        seal.parent.mkdir(parents=True, exist_ok=True)
        fresh = seal.with_name("keys.part")
        fresh.unlink(missing_ok=True)
        write_key_file(fresh, Keys.generate())
        fresh.replace(seal)
    endpoints = {
        platform.name: {
            "adapter": platform.name,
            "slots": 16,
            "organizations": [home.code for home in HOMES],
            "settings": endpoint_settings(platform, adapters[platform.name]()),
        }
        for platform in platforms
        if is_complete(platform, adapters[platform.name]())
    }
    if not endpoints:
        raise StageRefused("没有可对接的平台 no platform's configuration fits its adapter")
    text = "# 演示配置，每次启动时重写 written anew at every start of the demonstration\n" + table_text(
        {
            "env": "demo",
            "site": "demo",
            "data": str(workspace.path / "gateway"),
            "key_file": str(seal),
            "host": _HOST,
            "port": port,
            "public_base": url,
            "papers": {"embed": False},  # a stage for small machines
            "retry": RETRY,
            "endpoints": endpoints,
        }
    )
    return workspace.write("gateway.toml", text)


def is_complete(platform: Platform, kind: type[AnyAdapter]) -> bool:
    """Whether the platform's configuration holds everything that its adapter needs to be an endpoint from the start."""
    return all(
        name in platform.config for name, field in kind.settings_type.model_fields.items() if field.is_required()
    )


def endpoint_settings(platform: Platform, kind: type[AnyAdapter]) -> dict[str, Any]:
    """The values of a platform's configuration that its adapter has too, and the tempo's own."""
    common = {
        name: value
        for name, value in platform.config.items()
        if name in kind.settings_type.model_fields and value is not None
    }
    return common | dict(TEMPOS.get(platform.name, Tempo()).endpoint)


async def _admit(workspace: Workspace, house: House) -> tuple[dict[str, str], str]:
    """API keys for every organisation and an operator; those of a former start of the same run stay good."""
    kept = workspace.read("keys.json")
    if not kept:
        made = {home.code: make_key().shown for home in HOMES}
        kept = {"upstream": made, "operator": make_key().shown}
        workspace.keep("keys.json", kept)
    for home in HOMES:
        await _admit_one(house, kept["upstream"][home.code], home.name, UPSTREAM_SCOPES, (home.code,))
    await _admit_one(house, kept["operator"], "演示运维 Demo operator", OPERATOR_SCOPES, ("*",))
    return kept["upstream"], kept["operator"]


_PEOPLE = (
    ("viewer", "演示查看员", "viewer"),
    ("operator", "演示操作员", "operator"),
    ("admin", "演示管理员", "administrator"),
    ("auditor", "演示审计员", "auditor"),
)


async def _admit_people(workspace: Workspace, house: House) -> dict[str, str]:
    """One user of the console for each role; those of a former start of the same run stay good."""
    kept: dict[str, str] = workspace.read("logins.json")
    if not kept:
        kept = {name: make_password(name) for name, _, _ in _PEOPLE}
        workspace.keep("logins.json", kept)
    for name, title, role in _PEOPLE:
        if await house.store.row("find_user", name) is None:
            await house.hands.accounts.add(_ACTOR, name, title, role, kept[name], must_change=False)
    return kept


async def _admit_one(house: House, shown: str, name: str, scopes: tuple[str, ...], codes: tuple[str, ...]) -> None:
    prefix, _, secret = shown.partition(".")
    if await house.store.row("find_client", prefix) is None:
        key = NewKey(prefix, shown, hash_secret(secret))
        await house.hands.clients.add(_ACTOR, name, scopes, codes, key)


def _announce(stage: Stage) -> None:
    """``demo.json``: where everything is, for people and scripts."""
    stage.workspace.write(
        "demo.json",
        json.dumps(
            {
                "api": stage.url,
                "console": f"{stage.url}/console",
                "logins": stage.logins,
                "keys": {"upstream": stage.keys, "operator": stage.operator},
                "mocks": {name: platform.url for name, platform in stage.mocks.platforms.items()},
            },
            ensure_ascii=False,
            indent=2,
        )
        + "\n",
    )
