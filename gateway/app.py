"""The composition root: puts store, adapters, flow and bus together. Nothing else does."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from random import Random

import httpx
from aiohttp.resolver import ThreadedResolver

from contracts.adapter import DeliveryClass, Tools
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
from gateway.flow.loops import Loop, until_idle
from gateway.flow.moving.attachments import Attachments
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.envelope import Publisher
from gateway.flow.moving.fault_points import Reach, from_environment
from gateway.flow.moving.order import Principal
from gateway.flow.moving.toolbox import tools_for
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
from gateway.flow.worker import Bells, Worker, publishing
from gateway.observability.exporters import from_environment as tracer_of
from gateway.observability.metrics import Metrics
from gateway.observability.traces import Tracer
from gateway.registry import Endpoint, Loaders, connect, personal_fields, webhook_kind
from gateway.report.definitions import definitions
from gateway.report.ledger import Ledger, Scope
from gateway.report.period import Period
from gateway.security import entropy
from gateway.security.egress import Allowed, CheckedResolver, EgressPolicy, GuardedTransport
from gateway.security.passwords import Hasher
from gateway.settings import Settings, SettingsRefused
from gateway.store.opening import machine_ms, open_store
from gateway.store.store import Store


async def build(
    settings: Settings,
    *,
    now_ms: Callable[[], int] = machine_ms,
    random_bytes: Callable[[int], bytes] = entropy.random_bytes,
    random: Random | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    adapters: Loaders | None = None,
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
        given = _Given(random or Random(), random_bytes, seconds, transport, adapters, fault_point)
        return await _compose(await _ground(settings, store, given))
    except BaseException:
        await store.close()
        raise


@dataclass(frozen=True, slots=True)
class _Given:
    """What nobody can foresee, as ``build`` was handed it. ``reach``: the fault points."""

    random: Random
    random_bytes: Callable[[int], bytes]
    seconds: Callable[[], float]
    transport: httpx.AsyncBaseTransport | None
    adapters: Loaders | None
    reach: Reach


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every part of the house stands on."""

    settings: Settings
    store: Store
    given: _Given
    law: Law
    bells: Bells
    attachments: Attachments
    tools: Callable[[str], Tools]
    endpoints: dict[str, Endpoint]
    lines: dict[str, Line]
    way_out: httpx.AsyncBaseTransport
    contexts: Contexts
    publisher: Publisher
    router: Router


async def _ground(settings: Settings, store: Store, given: _Given) -> _Ground:
    attachments = Attachments(store, settings.data / "attachments", settings.limits.attachment)
    tools = partial(tools_for, store, attachments, now_ms=store.now_ms, random_bytes=given.random_bytes)
    endpoints = connect(settings, tools, given.adapters)
    for endpoint in endpoints.values():
        await store.write("set_endpoint", (endpoint.name, endpoint.adapter.info.name, endpoint.slots))
    way_out = given.transport or Transport()
    lines = {
        name: _line(endpoint, way_out, given.seconds, settings.endpoints[name].pass_trace)
        for name, endpoint in endpoints.items()
    }
    return _Ground(
        settings,
        store,
        given,
        law_of(settings),
        Bells(),
        attachments,
        tools,
        endpoints,
        lines,
        way_out,
        Contexts(store, attachments),
        Publisher(settings.site, settings.public_base.rstrip("/")),
        Router(endpoints, settings.routes),
    )


async def _compose(ground: _Ground) -> House:
    settings, store, given, bells = ground.settings, ground.store, ground.given, ground.bells
    desk, subscriptions = _webhooks(ground)
    bus, applier = MemoryBus(), _applier(ground)
    worker = _worker(ground, applier, desk, bus)
    worker.add(Loop("tally", Tally(store).turn))
    notices = _alerting(ground, worker)
    bulk, reporter = Bulk(store, ground.endpoints, bells.committed, ground.lines), _reporter(ground)
    _beside(ground, worker, applier, bulk, reporter)
    press = Press(settings.papers.fonts, settings.papers.templates, settings.papers.embed)
    judgement = Judgement(store, ground.contexts, Forms(ground.attachments, press), ground.law)
    examination = Examination(store, judgement, ground.attachments, settings.limits.document)
    intake = Intake(store, ground.router, judgement, examination, ground.publisher, bells.committed, given.reach)
    worker.add(Loop("refusals", intake.refusals.turn))
    hasher = Hasher()
    earlier = [row["adapter"] for row in await store.rows("all_endpoints")]
    disclosure = Disclosure(store, personal_fields(ground.endpoints.values(), earlier, given.adapters))
    house = House(
        settings=settings,
        store=store,
        endpoints=ground.endpoints,
        lines=ground.lines,
        attachments=ground.attachments,
        contexts=ground.contexts,
        intake=intake,
        rehearsal=Rehearsal(
            store, examination, judgement, ground.contexts, ground.router, ground.endpoints, disclosure
        ),
        disclosure=disclosure,
        receiver=Receiver(store, ground.endpoints, bells.stored, given.reach),
        publisher=ground.publisher,
        bus=bus,
        bells=bells,
        worker=worker,
        hands=_hands(ground, bulk, hasher),
        transport=ground.way_out,
        webhooks=desk,
        subscriptions=subscriptions,
        law=ground.law,
        notices=notices,
        press=press,
        reporter=reporter,
    )
    if store.runner.writers > 1:
        _share(house)
    _watch(house, given.seconds)
    house.leaving.append(press.close)
    house.leaving.append(partial(asyncio.to_thread, hasher.close))
    if settings.bus != "memory":
        _join_cluster(house, given.reach)
    return house


def _webhooks(ground: _Ground) -> tuple[Webhooks | None, Subscriptions | None]:
    """Webhooks as endpoints, and their clients' hands on them; neither where no such adapter is installed."""
    store, given = ground.store, ground.given
    policy, kind = _egress_policy(ground.settings), webhook_kind(given.adapters)
    if kind is None:
        return None, None
    guarded = GuardedTransport(policy, given.transport or Transport(CheckedResolver(policy, ThreadedResolver())))
    rate = ground.settings.webhook_rate_per_s
    desk = Webhooks(store, ground.publisher, kind, ground.tools, guarded, rate, given.seconds)
    return desk, Subscriptions(store, desk, ground.publisher, policy, ground.bells.subscribed)


def _applier(ground: _Ground) -> Applier:
    words = Words(
        ground.store,
        ground.router,
        {name: round(1000 * line.limits.word_within_s) for name, line in ground.lines.items()},
        ground.law,
        [
            name
            for name, endpoint in ground.endpoints.items()
            if endpoint.adapter.info.delivery_class is DeliveryClass.NEITHER
        ],
    )
    return Applier(
        ground.store,
        ground.endpoints,
        ground.contexts,
        words,
        ground.settings.retry,
        ground.bells.committed,
        ground.given.reach,
        ground.law,
    )


def _worker(ground: _Ground, applier: Applier, desk: Webhooks | None, bus: MemoryBus) -> Worker:
    """The steps that run by themselves."""
    settings, store, bells, reach = ground.settings, ground.store, ground.bells, ground.given.reach
    deliverer = Deliverer(
        store,
        ground.lines,
        ground.contexts,
        Judge(store.ids, store.seal, settings.retry, ground.given.random),
        lease_margin_s=settings.lease_margin_s,
        subscribers=desk,
        changed=bells.committed,
        reach=reach,
    )
    polled = [line for line in ground.lines.values() if line.endpoint.adapter.info.polls]
    return Worker(
        store,
        bells,
        deliverer,
        applier,
        Relay(store, bus, ground.publisher, bells.deliver.set, reach, bells.publish.set),
        Papers(store, ground.lines, ground.attachments, settings.retry, bells.committed, reach),
        [Poller(store, line, bells.stored, reach) for line in polled],
        settings.concurrency,
    )


def _reporter(ground: _Ground) -> Reporter:
    book = Ledger(ground.store)
    return Reporter(
        ground.store,
        ground.router,
        ground.endpoints,
        partial(_figures, book),
        book.organizations,
        ground.bells.committed,
        every_quarter=ground.settings.report.every_quarter,
    )


def _beside(ground: _Ground, worker: Worker, applier: Applier, bulk: Bulk, reporter: Reporter) -> None:
    """The loops beside the journey: what people asked for, and what time alone brings about."""
    settings, store, bells = ground.settings, ground.store, ground.bells
    left_out = frozenset(name for name, wanted in settings.endpoints.items() if not wanted.reconcile)
    reconciler = Reconciler(store, ground.lines, applier, settings.reconcile, left_out, bells.committed, bells.stored)
    reminders = Reminders(store, settings.retry.statutory_task_after)
    for loop in (
        Loop("bulk", bulk.turn, sends=True, slow=True),
        Loop("reconcile", reconciler.turn, sends=True, slow=True),
        Loop("windows", Windows(store, bells.committed).turn),
        Loop("reports", reporter.turn, slow=True),
        Loop("calendar", Healer(store, ground.law).once, slow=True),
        Loop("unanswered_alerts", reminders.alerts),
        Loop("statutory", reminders.statutory),
        Loop("certificates", reminders.certificates, slow=True),
        Loop("tasks", until_idle(TaskNews(store).turn)),
    ):
        worker.add(loop)


def _hands(ground: _Ground, bulk: Bulk, hasher: Hasher) -> Hands:
    store, endpoints, bells, own = ground.store, ground.endpoints, ground.bells, ground.settings.console
    return Hands(
        operator=Operator(store, bells.committed),
        replayer=Replayer(store, ground.lines, bells.committed),
        bulk=bulk,
        reconciliations=Reconciliations(store, endpoints, bells.committed),
        corrections=Corrections(store, endpoints, ground.contexts, bells.committed),
        clock_acts=ClockActs(store, ground.law, bells.committed),
        case_links=CaseLinks(store),
        drafts=Drafts(store, ground.contexts, ground.law),
        clients=Clients(store),
        accounts=Accounts(store, hasher, own.idle_minutes * 60, own.session_hours * 3600, own.roles),
    )


def _alerting(ground: _Ground, worker: Worker) -> Notices:
    """The loops of alerts: what is looked at, and who is told."""
    settings, store, given, endpoints = ground.settings, ground.store, ground.given, ground.endpoints
    titles = Titles(endpoints, store)
    wording = Wording(settings.site, settings.public_base, titles.name)
    notices = Notices(store, Switchboard(settings, store.now_ms, given.transport), wording, settings.alerts)
    places = {} if given.transport is not None else certificates.addresses(endpoints, settings.public_base)
    alerts = Alerts(
        store,
        tuple(sorted(endpoints)),
        settings.data,
        notices=notices,
        settings=settings.alerts,
        calendar=ground.law.calendar,
        senses=Senses(lambda: skews(ground.lines), worker.stuck, Certificates(places, seconds=given.seconds).ends),
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
