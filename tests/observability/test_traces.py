"""One trace over the journey: from an upstream's call over tries and answers to the bus; nothing where nobody asks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.adapter import Exchange, Receipt, Request, Wire
from contracts.errors import RetryableError
from contracts.events import CloudEvent
from contracts.messages import HR, MessageType
from gateway.bus.reader import Record
from gateway.flow.house import House
from gateway.flow.relay import BrokerRelay
from gateway.flow.topic import IntakeTopic, Topics
from gateway.observability.exporters import from_environment, wanted
from gateway.observability.otel import OtelTracer
from gateway.observability.traces import QUIET, Tracer, current, read_traceparent
from tests.flow import papers
from tests.flow.puppets import PUPPETS, Puppet
from tests.flow.receivers import HttpServer, http_server
from tests.flow.stage import PRINCIPAL, Stage, until
from tests.house import Gateways
from tests.web.site import site as open_site

ROOT = Path(__file__).parents[2]
UPSTREAM = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = UPSTREAM.split("-")[1]


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    """Where finished steps lie."""
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


@pytest.fixture
def tracer(recorded: InMemorySpanExporter) -> OtelTracer:
    """Records at once, into memory."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(recorded))
    return OtelTracer(provider)


def steps(recorded: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """The finished steps of a name, in the order of their beginning."""
    found = [span for span in recorded.get_finished_spans() if span.name == name]
    return sorted(found, key=lambda span: span.start_time or 0)


def trace_of(span: ReadableSpan) -> str:
    """The trace that a step belongs to."""
    return f"{span.context.trace_id:032x}"


def id_of(span: ReadableSpan) -> str:
    """The step's own id."""
    return f"{span.context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str:
    """The id of the step above."""
    assert span.parent is not None
    return f"{span.parent.span_id:016x}"


async def house_of(gateway: Gateways, tracer: Tracer, **settings: Any) -> House:
    """A house at work whose steps are recorded."""
    given = {name: {"adapter": name} | settings.pop(name, {}) for name in PUPPETS}
    house = await gateway(given, adapters=PUPPETS, start=False, tracer=tracer, **settings)
    house.start()
    return house


class Calling(Puppet):
    """A platform that is called by HTTP."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        request = Request("POST", self.url, (("Content-Type", "application/json"),), b"{}")
        await exchange.call("file", request, filing=True)
        return await super().send(wire, exchange)

    url = ""


async def test_one_trace_from_intake_over_tries_to_the_answer_and_the_bus(
    gateway: Gateways, tracer: OtelTracer, recorded: InMemorySpanExporter
) -> None:
    house = await house_of(gateway, tracer, bus="memory")  # no other relay takes the mark
    stage = Stage(house)
    stage.puppet(HR).acts["case.submitted"] += [RetryableError("timeout"), RetryableError("busy")]
    async with open_site(house) as site:
        answer = await site.up.post(
            "/v1/cases",
            content=papers.raw("wages"),
            headers={"Content-Type": "application/json", "traceparent": UPSTREAM},
        )
        assert answer.status_code == 202, answer.text
        case = answer.json()["id"]
    await stage.delivered(case, "case.submitted", endpoint=HR)

    async def tried() -> bool:
        return len([s for s in steps(recorded, "deliver") if (s.attributes or {})["gateway.endpoint"] == HR]) == 3

    await until(tried, "three tries are recorded")
    (intake,) = steps(recorded, "intake")
    assert (trace_of(intake), parent_of(intake)) == (TRACE, UPSTREAM.split("-")[2])
    (commit,) = steps(recorded, "commit")
    assert parent_of(commit) == id_of(intake)
    tries = [s for s in steps(recorded, "deliver") if (s.attributes or {})["gateway.endpoint"] == HR]
    assert {trace_of(one) for one in tries} == {TRACE}
    assert {parent_of(one) for one in tries} == {id_of(intake)}
    linked = [[f"{link.context.span_id:016x}" for link in one.links] for one in tries]
    assert linked == [[], [id_of(tries[0])], [id_of(tries[1])]], "each is linked to the one before"
    assert [(one.attributes or {})["gateway.outcome"] for one in tries] == ["pending", "pending", "delivered"]
    assert [one.status.is_ok for one in tries] == [False, False, True]

    await stage.tell(stage.word("case", "accepted", ("message", (await stage.file(case)).deliveries[0].message, "")))
    (called,) = steps(recorded, "callback")
    (applied,) = steps(recorded, "apply")
    assert trace_of(applied) == TRACE
    assert [f"{link.context.span_id:016x}" for link in applied.links] == [id_of(called)]

    told: list[dict[str, Any]] = []

    class Bus:
        """Keeps what is published."""

        listened = True

        async def publish(self, envelopes: list[dict[str, Any]]) -> None:
            told.extend(envelopes)

        async def close(self) -> None:
            """Nothing is open."""

    broker = BrokerRelay(house.store, Bus(), house.publisher)

    async def published() -> bool:
        await broker.turn()
        return [TRACE, id_of(applied)] in made_under("case.accepted")

    def made_under(kind: str) -> list[list[str]]:
        return [one["traceparent"].split("-")[1:3] for one in told if one["type"] == kind]

    await until(published, "the answer is on the bus, under the step that applied it")
    assert made_under("case.received") == [[TRACE, id_of(intake)]]
    outward = [s for s in steps(recorded, "event") if (s.attributes or {})["gateway.type"] == "case.accepted"]
    assert id_of(applied) in {parent_of(one) for one in outward}
    for envelope in told:
        assert CloudEvent.model_validate(orjson.loads(orjson.dumps(envelope))).traceparent == envelope["traceparent"]


async def test_the_trace_goes_on_in_another_process(
    gateway: Gateways, tracer: OtelTracer, recorded: InMemorySpanExporter
) -> None:
    after = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(after))
    given = {name: {"adapter": name} for name in PUPPETS}
    house = await gateway(given, adapters=PUPPETS, start=False, tracer=tracer)
    case = await Stage(house).case()
    await gateway.abandon(house)
    again = await house_of(gateway, OtelTracer(provider))
    await Stage(again).delivered(case, "case.submitted", endpoint=HR)

    async def recorded_try() -> bool:
        return bool(steps(after, "deliver"))

    await until(recorded_try, "the try is recorded")
    (intake,) = steps(recorded, "intake")
    assert trace_of(steps(after, "deliver")[0]) == trace_of(intake)


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_platform_gets_the_traceparent_only_where_the_settings_say_so(
    gateway: Gateways, tracer: OtelTracer, recorded: InMemorySpanExporter, allowed: bool
) -> None:
    async with http_server() as server:
        kind = type("Called", (Calling,), {"info": PUPPETS[HR].info, "url": server.url})
        house = await gateway(
            {HR: {"adapter": HR, "pass_trace": allowed}}, adapters={HR: kind}, start=False, tracer=tracer
        )
        house.start()
        stage = Stage(house)
        case = await stage.case()
        await stage.delivered(case, "case.submitted", endpoint=HR)
        sent = traceparents(server)

        async def recorded_try() -> bool:
            return bool(steps(recorded, "deliver"))

        await until(recorded_try, "the try is recorded")
        (deliver,) = steps(recorded, "deliver")
        parts = [None if one is None else one.split("-")[:3] for one in sent]
        assert parts == ([["00", trace_of(deliver), id_of(deliver)]] if allowed else [None])


def strings(value: Any) -> Iterator[str]:
    """Every text of a document that is no code of a closed list: what people wrote, numbers and names."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str) and re.search(r"[\u4e00-\u9fff]|[0-9]{6}", value):
        yield value


def traceparents(server: HttpServer) -> list[str | None]:
    """The header of every call."""
    return [
        {name.lower(): value for name, value in headers.items()}.get("traceparent") for _, headers, _ in server.calls
    ]


@pytest.mark.parametrize(
    "given", ["", "x", UPSTREAM.upper(), f"00-{'0' * 32}-00f067aa0ba902b7-01", f"{UPSTREAM}-more", f"01{UPSTREAM[2:]}"]
)
async def test_what_is_no_traceparent_begins_a_trace_of_our_own(
    gateway: Gateways, tracer: OtelTracer, recorded: InMemorySpanExporter, given: str
) -> None:
    assert read_traceparent(given) is None
    house = await gateway({}, adapters={}, start=False, tracer=tracer)
    async with open_site(house) as site:
        headers = {"Content-Type": "application/json", "traceparent": given}
        await site.up.post("/v1/cases", content=papers.raw("wages"), headers=headers)
    (intake,) = steps(recorded, "intake")
    assert intake.parent is None
    assert trace_of(intake) != TRACE


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_case_from_a_topic_goes_on_with_its_records_trace(
    gateway: Gateways, tracer: OtelTracer, recorded: InMemorySpanExporter, trusted: bool
) -> None:
    house = await gateway({}, adapters={}, start=False, tracer=tracer)
    raw = papers.raw("wages")
    records = [Record("t", 0, 1, None, raw, (("traceparent", UPSTREAM.encode()),))]
    reader = SimpleNamespace(next=lambda _: _given(records), mark=lambda _: _given(None))
    writer = SimpleNamespace(write=lambda _: _given(None))
    topic = IntakeTopic(house.intake, PRINCIPAL, reader, writer, Topics.of("x"), lambda: "now")  # type: ignore[arg-type] # two ports' few verbs
    topic.trust_trace = trusted
    assert await topic.turn() == 1
    (intake,) = steps(recorded, "intake")
    assert (trace_of(intake) == TRACE) is trusted


async def _given(value: Any) -> Any:
    return value


async def test_an_upstream_that_is_not_trusted_begins_nothing(
    gateway: Gateways, tracer: OtelTracer, recorded: InMemorySpanExporter
) -> None:
    house = await gateway({}, adapters={}, start=False, tracer=tracer, tracing={"trust_upstream": False})
    async with open_site(house) as site:
        headers = {"Content-Type": "application/json", "traceparent": UPSTREAM}
        await site.up.post("/v1/cases", content=papers.raw("wages"), headers=headers)
    assert trace_of(steps(recorded, "intake")[0]) != TRACE


async def test_no_step_holds_anything_out_of_a_document(
    gateway: Gateways, tracer: OtelTracer, recorded: InMemorySpanExporter
) -> None:
    house = await house_of(gateway, tracer)
    stage = Stage(house)
    case = await stage.case()
    await stage.post(MessageType.CASE_PROGRESSED, papers.raw("failed"), case)
    await stage.delivered(case, "case.submitted", endpoint=HR)
    text = "\n".join(span.to_json() for span in recorded.get_finished_spans())
    document = papers.body("wages")
    told = {word for word in strings(document) if len(word) > 1} - {"wages", "1.0", "online", "organization"}
    assert len(told) > 20
    assert [word for word in told if f'"{word}' in text] == []
    assert case not in text


@pytest.mark.parametrize("allowed", [True, False])
async def test_webhooks_get_the_traceparent_only_where_the_settings_say_so(
    gateway: Gateways, tracer: OtelTracer, allowed: bool
) -> None:
    house = await gateway({}, start=False, tracer=tracer, tracing={"webhooks": allowed})
    assert house.webhooks is not None
    case = await Stage(house).case()
    event = (await house.store.rows("events_of", case))[0]
    claim = SimpleNamespace(retry_class="notify", message=event["id"])
    made = await house.webhooks.event(claim)  # type: ignore[arg-type] # all that it reads of a claim
    assert ("traceparent" in made) is allowed


async def test_without_a_tracer_nothing_is_made_or_stored(gateway: Gateways) -> None:
    house = await gateway({name: {"adapter": name} for name in PUPPETS}, adapters=PUPPETS)
    stage = Stage(house)
    case = await stage.case()
    await stage.delivered(case, "case.submitted", endpoint=HR)
    assert not house.store.tracer.on
    assert current() is None
    message = (await stage.file(case)).deliveries[0].message
    assert await house.store.rows("traces_of", message) == []


async def test_what_is_old_is_forgotten(gateway: Gateways, tracer: OtelTracer) -> None:
    from gateway.flow.applying.tracks import forget_traces

    house = await gateway({}, adapters={}, start=False, tracer=tracer)
    await house.store.write("add_trace", ("msg_1", UPSTREAM))
    await forget_traces(house.store)
    assert await house.store.rows("traces_of", "msg_1")
    gateway.clock.skip(41 * 86_400)
    await forget_traces(house.store)
    assert await house.store.rows("traces_of", "msg_1") == []


# -------------------------------------------------------------------------------------------------------------- the extra


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_decide(environment: dict[str, str], asked: bool) -> None:
    assert wanted(environment) is asked
    if not asked:
        assert from_environment(environment) is QUIET


def test_an_exporter_that_is_not_there_traces_nothing() -> None:
    assert from_environment({"OTEL_TRACES_EXPORTER": "no_such_exporter"}) is QUIET


def test_the_console_exporter_of_the_sdk_is_found_by_its_name() -> None:
    tracer = from_environment({"OTEL_TRACES_EXPORTER": "console"})
    assert tracer.on
    tracer.close()


def test_nothing_of_opentelemetry_is_imported_where_nobody_asks_for_it() -> None:
    code = (
        "import sys, gateway.app, gateway.web.server, gateway.cli.house\n"
        "ours = [name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'gateway.observability.otel'))]\n"
        "assert not ours, ours\n"  # the interface alone is FastAPI's to import
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_absent_extra_is_told_and_harmless() -> None:
    code = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "from gateway.observability.exporters import from_environment\n"
        "from gateway.observability.traces import QUIET\n"
        "assert from_environment({'OTEL_TRACES_EXPORTER': 'otlp'}) is QUIET\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "traces_missing" in done.stdout + done.stderr
