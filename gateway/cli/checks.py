"""What the doctor looks at: configuration, keys, database, and every platform by its probe; each with its cure."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from contracts.errors import AdapterError, EndpointError
from gateway.cli.bare_tools import bare_tools
from gateway.flow.alerting.channels.switchboard import Switchboard
from gateway.flow.alerting.channels.wording import Wording
from gateway.flow.delivering.exchange import Limits, Pace
from gateway.flow.delivering.line import Line
from gateway.flow.delivering.transport import Transport
from gateway.observability import exporters
from gateway.registry import Endpoint, connect
from gateway.security.fields import Keys, Sealer
from gateway.settings import Settings, SettingsRefused, load_settings
from gateway.store import migrate
from gateway.store.engine import Sqlite, StoreLocked, StoreUnavailable
from gateway.store.ids import Ids
from gateway.store.opening import database_path, machine_ms, read_keys
from gateway.store.store import open_postgres

_PROBE_S = 15.0
_CLOCK_S = 5
_SILENT_S = 180
"""A gateway that runs tells its time every minute."""
_LEAST_FREE = 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``ok`` None: worth knowing, no fault."""

    name: str
    ok: bool | None
    found: str
    cure: str = ""


async def examine(config: Path | None) -> list[Check]:
    """All checks, in the order in which one would heal what they find."""
    try:
        settings = load_settings(config)
    except SettingsRefused as error:
        return [
            Check("配置 configuration", False, reason, "改正后再检查 correct it: gateway config check FILE")
            for reason in error.reasons
        ]
    checks = [Check("配置 configuration", True, "可读 readable" if config else "全部为缺省值 defaults alone")]
    checks += _keys(settings)
    checks += await _database(settings)
    checks += _port(settings)
    checks += _outward(settings)
    try:
        endpoints = connect(settings, bare_tools)
    except SettingsRefused as error:
        cure = "改正后再检查 correct it: gateway config check FILE"
        return checks + [Check("对接端 endpoints", False, reason, cure) for reason in error.reasons]
    if not endpoints:
        checks.append(Check("对接端 endpoints", None, "没有配置平台 none configured", "见 see gateway config example"))
    transport = Transport()
    try:
        checks += await asyncio.gather(*(_probe(endpoint, transport) for endpoint in endpoints.values()))
    finally:
        await transport.aclose()
    return checks


def _outward(settings: Settings) -> Iterator[Check]:
    """Alert channels that can be made (a test message is a command of its own), and traces that somebody asked for."""
    try:
        names = ", ".join(sorted(Switchboard(settings, machine_ms).channels))
        cure = "" if names else "可选：alert_channels optional"
        yield Check("告警外发 alerts", True if names else None, names or "没有配置 none configured", cure)
    except SettingsRefused as error:
        for reason in error.reasons:
            yield Check("告警外发 alerts", False, reason, "改正后再检查 correct it: gateway alert test NAME")
    if exporters.wanted(os.environ):
        there = exporters.installed()
        found = "OTEL_… 已指定出口 an exporter is named" if there else "缺少扩展 the extra is missing"
        yield Check("追踪 traces", there, found, "" if there else "pip install mediation-gateway[otel]")


async def channel_tested(settings: Settings, name: str) -> str | None:
    """A test message to an alert channel; why it did not get there.

    Raises:
        SettingsRefused: the channels cannot be made.
    """
    board = Switchboard(settings, machine_ms)
    try:
        return await board.test(name, Wording(settings.site, settings.public_base, lambda *_: None))
    finally:
        await board.aclose()


def _keys(settings: Settings) -> Iterator[Check]:
    own = settings.keys is None and settings.key_file is None
    if own and settings.env != "production" and not (settings.data / "keys").exists():
        yield Check("密钥 keys", None, "首次启动时生成 made at the first start")
        return
    try:
        keys = read_keys(settings)
    except SettingsRefused as error:
        for reason in error.reasons:
            yield Check("密钥 keys", False, reason, "生成密钥文件 make a file: gateway config keys FILE")
        return
    yield Check("密钥 keys", True, f"{len(keys.sealing)} 个加密密钥 sealing keys")


async def _database(settings: Settings) -> list[Check]:
    path = database_path(settings)
    folder = next((each for each in (settings.data, *settings.data.parents) if each.exists()), settings.data)
    free = shutil.disk_usage(folder).free
    space = Check(
        "磁盘 disk",
        free >= _LEAST_FREE,
        f"{free / 1024**3:.1f} GiB 可用 free",
        "" if free >= _LEAST_FREE else "清理磁盘，磁盘写满时网关拒收 make room: a full disk stops intake",
    )
    if settings.database != "sqlite":
        return [space, *await _server(settings)]
    if not path.exists():
        return [space, Check("数据库 database", None, "首次启动时建立 made at the first start")]
    try:
        await Sqlite(path, machine_ms).close()
    except StoreLocked:
        used = Check("数据库 database", True, "正由运行中的网关使用 in use by a running gateway")
        return [space, used, *await asyncio.to_thread(_clock, str(path), running=True)]
    except (OSError, sqlite3.Error) as error:
        cure = "检查目录权限与磁盘 check the directory's rights and the disk"
        return [space, Check("数据库 database", False, type(error).__name__, cure)]
    clock = await asyncio.to_thread(_clock, str(path), running=False)
    return [space, await asyncio.to_thread(_revision, str(path)), *clock]


async def _server(settings: Settings) -> list[Check]:
    """A PostgreSQL server: reachable, safe for acknowledged cases, and of a schema that this version can work on."""
    try:
        store = await open_postgres(settings.database, Sealer(Keys.generate()), Ids(machine_ms, os.urandom))
    except StoreUnavailable as error:
        cure = "核对 database 的地址、账号与权限 check its address, account and rights"
        return [Check("数据库 database", False, type(error.__cause__ or error).__name__, cure)]
    except ImportError:
        cure = "安装扩展 install the extra: pip install mediation-gateway[postgres]"
        return [Check("数据库 database", False, "没有 PostgreSQL 驱动 no driver", cure)]
    try:
        reasons = await store.runner.unsafe()
    finally:
        await store.close()
    if reasons:
        server = Check("数据库 database", False, "; ".join(reasons), "改服务器参数 change the server's settings")
    else:
        server = Check("数据库 database", True, "PostgreSQL 连通 answers")
    return [server, await _laid(settings.database)]


async def _laid(dsn: str) -> Check:
    """The schema on a server, which is the first start's to make."""
    import asyncpg  # the driver is an extra: only those who use it need it

    name = "数据库结构 schema"
    try:
        connection = await asyncpg.connect(dsn, timeout=_PROBE_S)
        try:
            if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
                return Check(name, None, "首次启动时建立 made at the first start")
            revision = await connection.fetchval("SELECT version_num FROM alembic_version")
            floors = dict(await connection.fetch("SELECT revision, oldest_reader FROM schema_floors"))
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError) as error:
        return Check(name, False, type(error).__name__, "核对账号的权限 check the account's rights")
    return _fitting(name, revision, floors)


def _clock(path: str, *, running: bool) -> list[Check]:
    """Whether this machine's clock is where the gateway's is, or was at its last run: it says so every minute."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            alive = connection.execute("SELECT max(position) FROM marks WHERE consumer LIKE 'alive:%'").fetchone()[0]
    except sqlite3.Error:
        return []  # the check of the database says what is wrong with it
    if alive is None:
        return []
    ahead_s = round((alive - machine_ms()) / 1000)
    if ahead_s > _CLOCK_S:
        cure = (
            "本机时间被拨回：网关继续按启动时的时间走；校准后重启 the clock was set back: the gateway goes on by its own; "
            "restart it once the clock is right"
            if running
            else "校准本机时间；启动时计划随之调整 set the clock right; what is planned is moved at the start"
        )
        return [Check("时钟 clock", False, f"比网关慢 {ahead_s} s behind the gateway's", cure)]
    if running and -ahead_s > _SILENT_S:
        cure = "本机时间被拨快，或网关停滞：校准后重启 the clock was set ahead, or the gateway is stuck: restart it"
        return [Check("时钟 clock", False, f"比网关快 {-ahead_s} s ahead of the gateway's", cure)]
    return [Check("时钟 clock", True, "与网关一致 as the gateway's")]


def _revision(path: str) -> Check:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            floors = dict(connection.execute("SELECT revision, oldest_reader FROM schema_floors").fetchall())
    except sqlite3.Error as error:
        return Check("数据库 database", False, type(error).__name__, "从备份恢复 restore the backup")
    if sound != "ok":
        return Check("数据库 database", False, "文件损坏 damaged", "从备份恢复 restore the backup")
    return _fitting("数据库 database", row[0] if row else None, floors)


def _fitting(name: str, revision: str | None, floors: dict[str, str]) -> Check:
    """Whether this version works on the schema. ``floors``: of each revision that migrated it, the oldest that can read it."""
    known = migrate.floors()
    if revision is None or (revision in known and revision != migrate.newest()):
        return Check(name, None, f"{revision or '–'} → {migrate.newest()}", "升级 gateway migrate")
    if revision not in known and floors.get(revision) not in known:
        cure = "安装更新的版本 install the version that migrated it, or a newer one"
        return Check(name, False, f"结构 schema {revision} > {migrate.newest()}", cure)
    return Check(name, True, f"结构 schema {revision}")


def _port(settings: Settings) -> Iterator[Check]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            cure = f"网关在运行？is it the gateway? {error.strerror}"
            yield Check("端口 port", None, f"{settings.host}:{settings.port} 已被占用 taken", cure)
            return
    yield Check("端口 port", True, f"{settings.host}:{settings.port} 空闲 free")


async def _probe(endpoint: Endpoint, transport: httpx.AsyncBaseTransport) -> Check:
    name = f"{endpoint.name} {endpoint.adapter.info.title_zh}"
    limits = Limits.of(endpoint.adapter.info, endpoint.adapter.settings)
    line = Line(endpoint, limits, Pace(limits.rate_per_s, limits.at_once), transport)
    started = time.monotonic()
    try:
        async with asyncio.timeout(_PROBE_S):
            await endpoint.adapter.probe(line.exchange(machine_ms, _PROBE_S))
    except EndpointError as error:
        cure = "核对该端的地址、密钥、时钟与权限 check this endpoint's address, keys, clock and rights"
        return Check(name, False, error.code, cure)
    except AdapterError as error:
        cure = "平台不可达或正忙，查网络、防火墙、维护时段 unreachable or busy: check network, firewall, maintenance"
        return Check(name, False, error.code, cure)
    except TimeoutError:
        return Check(name, False, "超时 timeout", "平台没有应答 it does not answer: 网络、防火墙 network, firewall")
    except Exception as error:  # noqa: BLE001,RUF100 # whatever an adapter does, the other checks go on
        return Check(name, False, type(error).__name__, "适配器出错，请报告 an error of the adapter, please report it")
    return Check(name, True, f"连通 answers, {round(1000 * (time.monotonic() - started))} ms")
