"""The composition root: puts store, adapters, flow and bus together. Nothing else does."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random

import httpx
from aiohttp.resolver import ThreadedResolver

from contracts.adapter import DeliveryClass
from gateway.bus.memory import MemoryBus
from gateway.flow.alerts import Alerts
from gateway.flow.apply import Applier
from gateway.flow.bulk import Bulk
from gateway.flow.clock import Healer, law_of
from gateway.flow.context import Contexts
from gateway.flow.deliver import Deliverer, Line
from gateway.flow.envelope import Publisher, beijing
from gateway.flow.exchange import Limits, Pace
from gateway.flow.fault_points import Reach, from_environment
from gateway.flow.forms import Forms
from gateway.flow.house import House
from gateway.flow.intake import Intake
from gateway.flow.judgement import Judgement
from gateway.flow.order import Principal
from gateway.flow.papers import Papers
from gateway.flow.poll import Poller
from gateway.flow.receive import Receiver
from gateway.flow.rehearsal import Rehearsal
from gateway.flow.relay import BrokerRelay, Relay
from gateway.flow.reminders import Reminders
from gateway.flow.route import Router
from gateway.flow.settlement import Judge
from gateway.flow.subscriptions import Subscriptions
from gateway.flow.tally import Tally
from gateway.flow.toolbox import Attachments, tools_for
from gateway.flow.transport import Transport
from gateway.flow.webhooks import Webhooks
from gateway.flow.words import Words
from gateway.flow.worker import Bells, Worker
from gateway.registry import AnyAdapter, Endpoint, connect, webhook_kind
from gateway.security.egress import Allowed, CheckedResolver, EgressPolicy, GuardedTransport
from gateway.security.fields import KeyRefused, Keys, Sealer, read_key_file, write_key_file
from gateway.settings import Settings, SettingsRefused
from gateway.store.ids import Ids
from gateway.store.migrate import migrate_postgres, migrate_sqlite
from gateway.store.store import Store, open_postgres, open_sqlite


def database_path(settings: Settings) -> Path:
    """Where the embedded database lies."""
    return settings.data / "gateway.db"


def read_keys(settings: Settings) -> Keys:
    """The sealing keys: from the environment, the key file, or (not in production) a file made beside the database.

    Raises:
        SettingsRefused: no usable key.
    """
    try:
        if settings.keys is not None:
            return Keys.parse(settings.keys.get_secret_value())
        if settings.key_file is not None:
            return read_key_file(settings.key_file)
        if settings.env == "production":
            raise SettingsRefused(["key_file: production needs sealing keys (gateway config keys FILE makes a file)"])
        path = settings.data / "keys"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_key_file(path, Keys.generate())
        return read_key_file(path)
    except KeyRefused as error:
        raise SettingsRefused([f"keys: {error}"]) from None


def http_transport() -> httpx.AsyncBaseTransport:
    """The transport of production."""
    return Transport()


def machine_ms() -> int:
    """The machine's clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


async def open_store(
    settings: Settings,
    now_ms: Callable[[], int] = machine_ms,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Store:
    """The configured database, migrated and open.

    Raises:
        SettingsRefused: no usable key; in production, a PostgreSQL server that may lose commits.
        StoreLocked: SQLite carries one process, and another has it.
        StoreUnavailable: PostgreSQL cannot be reached.
        SchemaUnknown: a newer version of the gateway has migrated the database.
    """
    sealer = Sealer(read_keys(settings))
    ids = Ids(now_ms, random_bytes)
    if settings.database.startswith("postgresql://"):
        return await _open_shared(settings, sealer, ids, None if now_ms is machine_ms else now_ms)
    path = database_path(settings)
    await asyncio.to_thread(migrate_sqlite, path)
    return await open_sqlite(path, sealer, ids, now_ms)


async def _open_shared(settings: Settings, sealer: Sealer, ids: Ids, now_ms: Callable[[], int] | None) -> Store:
    store = await open_postgres(settings.database, sealer, ids, now_ms)
    try:
        reasons = await store.runner.unsafe() if settings.env == "production" else []
        if reasons:
            raise SettingsRefused(reasons)
        await migrate_postgres(settings.database)
    except BaseException:
        await store.close()
        raise
    return store


async def build(
    settings: Settings,
    *,
    now_ms: Callable[[], int] = machine_ms,
    random_bytes: Callable[[int], bytes] = os.urandom,
    random: Random | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    adapters: Mapping[str, Callable[[], type[AnyAdapter]]] | None = None,
    fault_point: Reach | None = None,
    seconds: Callable[[], float] = time.monotonic,
    store: Store | None = None,
) -> House:
    """Migrate, open, connect and compose; nothing is started yet. Everything that nobody can foresee is passed in: both clocks
    (``seconds`` only runs forward), chance, the transport, and the ``store`` where the caller has opened one.

    Raises:
        SettingsRefused: every reason at once.
        StoreLocked: another process has the database.
    """
    if fault_point is None:
        try:
            fault_point = from_environment(settings.env, os.environ)
        except ValueError as error:
            raise SettingsRefused([str(error)]) from None
    store = store or await open_store(settings, now_ms, random_bytes)
    try:
        return await _compose(
            settings, store, random or Random(), random_bytes, seconds, transport, adapters, fault_point
        )
    except BaseException:
        await store.close()
        raise


async def _compose(
    settings: Settings,
    store: Store,
    random: Random,
    random_bytes: Callable[[int], bytes],
    seconds: Callable[[], float],
    transport: httpx.AsyncBaseTransport | None,
    adapters: Mapping[str, Callable[[], type[AnyAdapter]]] | None,
    reach: Reach,
) -> House:
    attachments = Attachments(store, settings.data / "attachments", settings.limits.attachment)
    tools = partial(tools_for, store, attachments, now_ms=store.now_ms, random_bytes=random_bytes)
    endpoints = connect(settings, tools, adapters)
    for endpoint in endpoints.values():
        await store.write("set_endpoint", (endpoint.name, endpoint.adapter.info.name, endpoint.slots))
    way_out = transport or http_transport()
    lines = {name: _line(endpoint, way_out, seconds) for name, endpoint in endpoints.items()}
    bells = Bells()
    bus = MemoryBus()
    publisher = Publisher(settings.site, settings.public_base.rstrip("/"))
    router = Router(endpoints, settings.routes)
    law = law_of(settings)
    contexts = Contexts(store, attachments)
    judge = Judge(store, settings.retry, random)
    policy = _egress_policy(settings)
    kind = webhook_kind(adapters)
    desk = subscriptions = None
    if kind is not None:
        guarded = GuardedTransport(policy, transport or Transport(CheckedResolver(policy, ThreadedResolver())))
        desk = Webhooks(store, publisher, kind, tools, guarded, settings.webhook_rate_per_s, seconds)
        subscriptions = Subscriptions(store, desk, publisher, policy, bells.subscribed)
    deliverer = Deliverer(
        store,
        lines,
        contexts,
        judge,
        lease_margin_s=settings.lease_margin_s,
        subscribers=desk,
        changed=bells.committed,
        fault_point=reach,
    )
    words = Words(
        store,
        router,
        {name: round(1000 * line.limits.word_within_s) for name, line in lines.items()},
        law,
        [name for name, one in endpoints.items() if one.adapter.info.delivery_class is DeliveryClass.NEITHER],
    )
    applier = Applier(store, endpoints, contexts, words, settings.retry, bells.committed, reach, law)
    worker = Worker(
        store,
        bells,
        deliverer,
        applier,
        Relay(store, bus, publisher, bells.deliver.set, reach, bells.publish.set),
        Papers(store, lines, attachments, settings.retry, bells.committed),
        [Poller(store, line, bells.stored) for line in lines.values() if line.endpoint.adapter.info.polls],
        settings.concurrency,
    )
    worker.also.append(("tally", Tally(store).turn))
    worker.also.append(("alerts", Alerts(store, tuple(sorted(endpoints)), settings.data).turn))
    worker.also.append(("bulk", Bulk(store, endpoints, bells.committed).turn))
    reminders = Reminders(store, settings.retry.statutory_task_after)
    worker.also += [
        ("calendar", Healer(store, law).once),
        ("alerts", reminders.alerts),
        ("statutory", reminders.statutory),
        ("certificates", reminders.certificates),
    ]
    judgement = Judgement(store, contexts, Forms(attachments), law)
    intake = Intake(store, router, judgement, attachments, publisher, settings.limits.document, bells.committed, reach)
    receiver = Receiver(store, endpoints, bells.stored, reach)
    rehearsal = Rehearsal(store, intake, judgement, contexts, router, endpoints)
    house = House(
        settings,
        store,
        endpoints,
        lines,
        attachments,
        contexts,
        intake,
        rehearsal,
        receiver,
        publisher,
        bus,
        bells,
        worker,
        way_out,
        desk,
        subscriptions,
        law=law,
    )
    if settings.bus != "memory":
        _join_cluster(house, reach)
    return house


def _join_cluster(house: House, reach: Reach) -> None:
    """The broker of the settings: events out, and cases in where a topic brings them."""
    from gateway.bus.kafka import Cluster, KafkaBus, Writer  # the driver costs memory that only those pay who use it
    from gateway.bus.reader import Reader
    from gateway.flow.topic import IntakeTopic, Topics

    settings, wanted = house.settings, house.settings.kafka
    scheme, _, servers = settings.bus.partition("://")
    cluster = Cluster(
        servers,
        wanted.prefix,
        wanted.partitions,
        wanted.replicas,
        wanted.retention_days,
        scheme == "kafka+tls",
        wanted.user,
        None if wanted.password is None else wanted.password.get_secret_value(),
    )
    house.broker = BrokerRelay(house.store, KafkaBus(cluster), house.publisher, reach)
    house.worker.woken.append(("publish", house.broker.turn, house.bells.publish))
    house.leaving.append(house.broker.close)
    if wanted.intake is None:
        return
    topics = Topics.of(wanted.prefix)
    principal = Principal(wanted.intake.client, frozenset(wanted.intake.organizations), frozenset({"cases:write"}))
    reader = Reader(cluster, topics.intake, f"{wanted.prefix}-intake")
    writer = Writer(cluster, (topics.receipts, topics.dead), settings.limits.document + 65_536)
    topic = IntakeTopic(house.intake, principal, reader, writer, topics, lambda: beijing(house.store.now_ms()))
    house.worker.woken.append(("topic", topic.turn, asyncio.Event()))
    house.leaving.append(topic.close)


def _egress_policy(settings: Settings) -> EgressPolicy:
    try:
        return EgressPolicy(Allowed.of(one.host, one.port, one.scheme) for one in settings.webhook_allowed_hosts)
    except ValueError as error:
        raise SettingsRefused([f"webhook_allowed_hosts: {error}"]) from None


def _line(endpoint: Endpoint, transport: httpx.AsyncBaseTransport, seconds: Callable[[], float]) -> Line:
    limits = Limits.of(endpoint.adapter.info, endpoint.adapter.settings)
    return Line(endpoint, limits, Pace(limits.rate_per_s, limits.at_once, seconds), transport)
