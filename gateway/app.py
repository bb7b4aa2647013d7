"""The composition root: puts store, adapters, flow and bus together. Nothing else does."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from random import Random

import httpx
from aiohttp.resolver import ThreadedResolver

from contracts.adapter import DeliveryClass
from contracts.deadlines import Law
from contracts.moments import written
from contracts.statistics import StatisticalItem
from gateway.bus.memory import MemoryBus
from gateway.flow.alerting import certificates
from gateway.flow.alerting.alerts import Alerts, Senses
from gateway.flow.alerting.certificates import Certificates
from gateway.flow.alerting.channels.switchboard import Switchboard
from gateway.flow.alerting.channels.titles import Titles
from gateway.flow.alerting.channels.wording import Wording
from gateway.flow.alerting.notices import Notices
from gateway.flow.apply import Applier
from gateway.flow.applying.papers import Papers
from gateway.flow.applying.tracks import forget_traces
from gateway.flow.applying.words import Words
from gateway.flow.clock import Healer, law_of
from gateway.flow.deliver import Deliverer
from gateway.flow.delivering.exchange import Limits, Pace
from gateway.flow.delivering.line import Line, skews
from gateway.flow.delivering.settlement import Judge
from gateway.flow.delivering.shares import Shares
from gateway.flow.delivering.transport import Transport
from gateway.flow.delivering.webhooks import Webhooks
from gateway.flow.examining.examination import Examination
from gateway.flow.examining.forms import Forms
from gateway.flow.examining.judgement import Judgement
from gateway.flow.examining.rehearsal import Rehearsal
from gateway.flow.gauges import Gauges
from gateway.flow.hands import Hands
from gateway.flow.house import House
from gateway.flow.intake import Intake
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.envelope import Publisher
from gateway.flow.moving.fault_points import Reach, from_environment
from gateway.flow.moving.order import Principal
from gateway.flow.moving.toolbox import Attachments, tools_for
from gateway.flow.operating.bulk import Bulk
from gateway.flow.operating.case_links import CaseLinks
from gateway.flow.operating.correction import Corrections
from gateway.flow.operating.disclosing import Disclosure
from gateway.flow.operating.operate import Operator
from gateway.flow.operating.replay import Replayer
from gateway.flow.operating.windows import Windows
from gateway.flow.poll import Poller
from gateway.flow.printing.drafts import Drafts
from gateway.flow.printing.press import Press
from gateway.flow.receive import Receiver
from gateway.flow.reconciling.reconcile import Reconciler
from gateway.flow.reconciling.reconciliations import Reconciliations
from gateway.flow.registering.accounts import Accounts
from gateway.flow.registering.clients import Clients
from gateway.flow.registering.subscriptions import Subscriptions
from gateway.flow.relay import BrokerRelay, Relay
from gateway.flow.relaying.tally import Tally
from gateway.flow.relaying.task_news import TaskNews
from gateway.flow.route import Router
from gateway.flow.statistics import Figures, Reporter
from gateway.flow.timing.clock_acts import ClockActs
from gateway.flow.timing.reminders import Reminders
from gateway.flow.worker import Bells, Loop, Worker, publishing, until_idle
from gateway.observability.exporters import from_environment as tracer_of
from gateway.observability.metrics import Metrics
from gateway.observability.traces import Tracer
from gateway.registry import AnyAdapter, Endpoint, connect, personal_fields, webhook_kind
from gateway.report.definitions import definitions
from gateway.report.ledger import Ledger, Scope
from gateway.report.period import Period
from gateway.security import entropy
from gateway.security.egress import Allowed, CheckedResolver, EgressPolicy, GuardedTransport
from gateway.security.fields import KeyRefused, Keys, SealBroken, Sealer, read_key_file, write_key_file
from gateway.security.passwords import Hasher
from gateway.settings import Settings, SettingsRefused
from gateway.store.ids import Ids
from gateway.store.migrate import migrate_postgres, migrate_sqlite
from gateway.store.places import of_document
from gateway.store.steady import SteadyClock
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
    random_bytes: Callable[[int], bytes] = entropy.random_bytes,
) -> Store:
    """The configured database, migrated and open.

    Raises:
        SettingsRefused: no usable key, or not those that the database was sealed with; in production, a PostgreSQL server that
            may lose commits.
        StoreLocked: SQLite carries one process, and another has it.
        StoreUnavailable: PostgreSQL cannot be reached.
        SchemaUnknown: a newer version of the gateway has migrated the database.
    """
    store = await _open(settings, now_ms, random_bytes)
    try:
        await _try_keys(store)
    except BaseException:
        await store.close()
        raise
    return store


async def _try_keys(store: Store) -> None:
    """Open the newest message: a process with other keys would fail at every delivery, long after its start."""
    row = await store.row("newest_message")
    if row is None:
        return
    try:
        store.unseal(row["document_sealed"], of_document(row["id"]))
    except SealBroken:
        raise SettingsRefused(
            ["keys: the database was sealed with other keys; every process on it needs the same key_file"]
        ) from None


async def _open(settings: Settings, now_ms: Callable[[], int], random_bytes: Callable[[int], bytes]) -> Store:
    sealer = Sealer(read_keys(settings))
    if settings.database.startswith("postgresql://"):
        ids = Ids(now_ms, random_bytes)
        return await _open_shared(settings, sealer, ids, None if now_ms is machine_ms else now_ms)
    if now_ms is machine_ms:
        now_ms = SteadyClock(machine_ms)
    ids = Ids(now_ms, random_bytes)
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
    random_bytes: Callable[[int], bytes] = entropy.random_bytes,
    random: Random | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    adapters: Mapping[str, Callable[[], type[AnyAdapter]]] | None = None,
    fault_point: Reach | None = None,
    seconds: Callable[[], float] = time.monotonic,
    store: Store | None = None,
    tracer: Tracer | None = None,
) -> House:
    """Migrate, open, connect and compose; nothing is started yet. Everything that nobody can foresee is passed in: both clocks
    (``seconds`` only runs forward), chance, the transport, and the ``store`` where the caller has opened one. ``tracer``: who
    records steps; absent: as the OTEL_… variables say.

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
    store.tracer = tracer or tracer_of(os.environ)
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
    lines = {
        name: _line(endpoint, way_out, seconds, settings.endpoints[name].pass_trace)
        for name, endpoint in endpoints.items()
    }
    bells = Bells()
    bus = MemoryBus()
    publisher = Publisher(settings.site, settings.public_base.rstrip("/"))
    router = Router(endpoints, settings.routes)
    law = law_of(settings)
    contexts = Contexts(store, attachments)
    judge = Judge(store.ids, store.seal, settings.retry, random)
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
        reach=reach,
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
        Papers(store, lines, attachments, settings.retry, bells.committed, reach),
        [Poller(store, line, bells.stored, reach) for line in lines.values() if line.endpoint.adapter.info.polls],
        settings.concurrency,
    )
    worker.add(Loop("tally", Tally(store).turn))
    notices = _alerting(settings, store, endpoints, lines, worker, law, transport, seconds)
    bulk = Bulk(store, endpoints, bells.committed, lines)
    worker.add(Loop("bulk", bulk.turn, sends=True, slow=True))
    left_out = frozenset(name for name, wanted in settings.endpoints.items() if not wanted.reconcile)
    reconciler = Reconciler(store, lines, applier, settings.reconcile, left_out, bells.committed, bells.stored)
    worker.add(Loop("reconcile", reconciler.turn, sends=True, slow=True))
    worker.add(Loop("windows", Windows(store, bells.committed).turn))
    book = Ledger(store)
    reporter = Reporter(
        store,
        router,
        endpoints,
        partial(_figures, book),
        book.organizations,
        bells.committed,
        every_quarter=settings.report.every_quarter,
    )
    worker.add(Loop("reports", reporter.turn, slow=True))
    worker.add(Loop("calendar", Healer(store, law).once, slow=True))
    reminders = Reminders(store, settings.retry.statutory_task_after)
    worker.add(Loop("unanswered_alerts", reminders.alerts))
    worker.add(Loop("statutory", reminders.statutory))
    worker.add(Loop("certificates", reminders.certificates, slow=True))
    press = Press(settings.papers.fonts, settings.papers.templates, settings.papers.embed)
    worker.add(Loop("tasks", until_idle(TaskNews(store).turn)))
    judgement = Judgement(store, contexts, Forms(attachments, press), law)
    examination = Examination(store, judgement, attachments, settings.limits.document)
    intake = Intake(store, router, judgement, examination, publisher, bells.committed, reach)
    worker.add(Loop("refusals", intake.refusals.turn))
    receiver = Receiver(store, endpoints, bells.stored, reach)
    hasher, own = Hasher(), settings.console
    hands = Hands(
        operator=Operator(store, bells.committed),
        replayer=Replayer(store, lines, bells.committed),
        bulk=bulk,
        reconciliations=Reconciliations(store, endpoints, bells.committed),
        corrections=Corrections(store, endpoints, contexts, bells.committed),
        clock_acts=ClockActs(store, law, bells.committed),
        case_links=CaseLinks(store),
        drafts=Drafts(store, contexts, law),
        clients=Clients(store),
        accounts=Accounts(store, hasher, own.idle_minutes * 60, own.session_hours * 3600, own.roles),
    )
    earlier = [str(row["adapter"]) for row in await store.rows("all_endpoints")]
    disclosure = Disclosure(store, personal_fields(endpoints.values(), earlier, adapters))
    rehearsal = Rehearsal(store, examination, judgement, contexts, router, endpoints, disclosure)
    house = House(
        settings,
        store,
        endpoints,
        lines,
        attachments,
        contexts,
        intake,
        rehearsal,
        disclosure,
        receiver,
        publisher,
        bus,
        bells,
        worker,
        hands,
        way_out,
        desk,
        subscriptions,
        law=law,
        notices=notices,
        press=press,
        reporter=reporter,
    )
    if store.runner.writers > 1:
        _share(house)
    _watch(house, seconds)
    house.leaving.append(press.close)
    house.leaving.append(partial(asyncio.to_thread, hasher.close))
    if settings.bus != "memory":
        _join_cluster(house, reach)
    return house


def _alerting(
    settings: Settings,
    store: Store,
    endpoints: dict[str, Endpoint],
    lines: dict[str, Line],
    worker: Worker,
    law: Law,
    transport: httpx.AsyncBaseTransport | None,
    seconds: Callable[[], float],
) -> Notices:
    """The loops of alerts: what is looked at, and who is told."""
    titles = Titles(endpoints, store)
    wording = Wording(settings.site, settings.public_base, titles.name)
    notices = Notices(store, Switchboard(settings, store.now_ms, transport), wording, settings.alerts)
    places = {} if transport is not None else certificates.addresses(endpoints, settings.public_base)
    alerts = Alerts(
        store,
        tuple(sorted(endpoints)),
        settings.data,
        notices=notices,
        settings=settings.alerts,
        calendar=law.calendar,
        senses=Senses(lambda: skews(lines), worker.stuck, Certificates(places, seconds=seconds).ends),
    )
    worker.add(Loop("alerts", alerts.turn))
    worker.add(Loop("titles", titles.turn))
    worker.add(Loop("notices", notices.turn, slow=True))
    return notices


def _watch(house: House, seconds: Callable[[], float]) -> None:
    """Figures and traces of this process, and the ways out that alerts and traces leave open."""
    store, notices = house.store, house.notices
    house.metrics = Metrics(house.endpoints)
    store.watch = house.metrics
    if notices is not None:
        house.gauges = Gauges(store, house.endpoints, house.worker, notices, lambda: house.broker, seconds)
        house.metrics.add(house.gauges)
        house.leaving.append(notices.board.aclose)
    if store.tracer.on:
        house.worker.add(Loop("traces", partial(forget_traces, store)))
        house.leaving.append(partial(asyncio.to_thread, store.tracer.close))
        if house.webhooks is not None:
            house.webhooks.pass_trace = house.settings.tracing.webhooks


async def _figures(book: Ledger, organization: str, start: date, end: date) -> Figures:
    """The reported figures of an organisation, from the ledger."""
    made = await book.statistics(Scope((organization,)), Period(start, end))
    items = [StatisticalItem(code=item.code, value=value) for item, value in made.items(reported=True)]
    return Figures(definitions().version, tuple(items))


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
    house.worker.add(publishing(house.broker, house.bells))
    house.leaving.append(house.broker.close)
    if wanted.intake is None:
        return
    topics = Topics.of(wanted.prefix)
    principal = Principal(wanted.intake.client, frozenset(wanted.intake.organizations), frozenset({"cases:write"}))
    reader = Reader(cluster, topics.intake, f"{wanted.prefix}-intake")
    writer = Writer(cluster, (topics.receipts, topics.dead), settings.limits.document + 65_536)
    topic = IntakeTopic(house.intake, principal, reader, writer, topics, lambda: written(house.store.now_ms()))
    topic.trust_trace = settings.tracing.trust_upstream
    house.worker.add(Loop("topic", until_idle(topic.turn), slow=True))
    house.leaving.append(topic.close)
    if house.gauges is not None:
        house.gauges.topic_quiet = topic.quiet_s


def _share(house: House) -> None:
    """Others may work on the same database: this process sends once it knows its share."""
    worker = house.worker

    def begin(silent_s: float) -> None:
        worker.silent_until = asyncio.get_running_loop().time() + silent_s

    shares = Shares(house.store, [line.pace for line in house.lines.values()], house.settings.share_beat_s, begin)
    worker.silent_until = math.inf
    worker.add(Loop("shares", shares.turn))
    house.leaving.append(shares.leave)


def _egress_policy(settings: Settings) -> EgressPolicy:
    try:
        return EgressPolicy(Allowed.of(one.host, one.port, one.scheme) for one in settings.webhook_allowed_hosts)
    except ValueError as error:
        raise SettingsRefused([f"webhook_allowed_hosts: {error}"]) from None


def _line(
    endpoint: Endpoint, transport: httpx.AsyncBaseTransport, seconds: Callable[[], float], pass_trace: bool
) -> Line:
    limits = Limits.of(endpoint.adapter.info, endpoint.adapter.settings)
    pace = Pace(limits.rate_per_s, limits.at_once, seconds)
    return Line(endpoint, limits, pace, transport, pass_trace)
