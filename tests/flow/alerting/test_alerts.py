"""The rules of alerts: each holds where it should, about the right thing, and ends by itself."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from contracts.adapter import Exchange, Polled, Reply
from contracts.chinese_calendar import BEIJING, packaged_calendar
from contracts.errors import RetryableError
from contracts.messages import HR, ONE_STOP
from gateway.flow.alerting import certificates
from gateway.flow.alerting.alerts import Alerts, Senses, this_machine
from gateway.flow.alerting.certificates import Certificates
from gateway.flow.clock import Alarms
from gateway.flow.delivering.skew import Skew
from gateway.flow.house import House
from gateway.flow.poll import Poller
from gateway.flow.relay import BROKER
from gateway.flow.timing.office import OfficeHours, long_silent
from gateway.store import journal
from gateway.store.tally import HOUR, MINUTE
from tests.flow import papers
from tests.flow.receivers import trusting
from tests.flow.stage import Stage
from tests.house import START, Gateways

OFFICE = OfficeHours.of("09:00-17:00", packaged_calendar())


def loop_of(house: House, **senses: Any) -> Alerts:
    """A fresh loop over the house."""
    return Alerts(house.store, tuple(sorted(house.endpoints)), house.settings.data, senses=Senses(**senses))


async def standing(house: House) -> set[tuple[str, str]]:
    """Rule and thing of every open alert, the machine's disk aside: how full it is, is none of ours."""
    rows = await house.store.rows("open_alerts")
    return {(row["rule"], row["about"]) for row in rows if row["rule"] != "disk"}


def moment(text: str) -> datetime:
    """A time in Beijing."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


# ------------------------------------------------------------------------------------------------------- office hours


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-10-12T10:00", "2026-10-12T12:30", 2.5),
        ("2026-10-12T16:00", "2026-10-13T10:00", 2),  # over night
        ("2026-10-09T16:00", "2026-10-12T10:00", 10),  # Friday to Monday: Saturday the 10th is a make-up day
        ("2026-09-30T16:00", "2026-10-08T10:00", 2),  # the National Day's week is off
        ("2026-10-12T18:00", "2026-10-12T23:00", 0),
    ],
)
def test_office_hours_go_by_the_calendar(start: str, end: str, hours: float) -> None:
    assert OFFICE.between(moment(start), moment(end)) == hours


def test_only_regular_senders_are_missed_and_only_in_office_hours() -> None:
    def at(*texts: str) -> set[int]:
        return {round(moment(text).timestamp() * 1000) for text in texts}

    heard = {
        "regular": at("2026-10-08T10:00", "2026-10-09T10:00", "2026-10-12T09:00"),
        "rare": at("2026-10-08T10:00", "2026-10-09T10:00"),
        "busy": at("2026-10-08T10:00", "2026-10-09T10:00", "2026-10-12T14:00"),
    }

    def silent(text: str) -> dict[str, float]:
        return dict(long_silent(OFFICE, heard, round(moment(text).timestamp() * 1000), 4))

    assert silent("2026-10-12T14:30") == {"regular": 4.5}
    assert silent("2026-10-12T12:00") == {}
    assert silent("2026-10-12T20:00") == {}, "nobody works"
    assert silent("2026-10-13T10:30").keys() == {"regular"}


async def test_an_upstream_that_falls_silent_and_speaks_again(still: Stage, gateway: Gateways) -> None:
    house = still.house
    await house.store.write("add_client", ("gk1", "cli_1", "历下调解中心", b"h", "[]", "[]", None))
    monday = moment("2026-10-12T09:00").astimezone(UTC)
    days = [monday - timedelta(days=4), monday - timedelta(days=3), monday]
    rows = [(HOUR, round(day.timestamp() * 1000), "from|cli_1", 3) for day in days]
    await house.store.write("add_tally", *rows, (HOUR, rows[-1][1], "from|nobody", 3))
    gateway.clock.skip((monday + timedelta(hours=5, minutes=30) - START).total_seconds())
    loop = loop_of(house)
    await loop.turn()
    assert await standing(house) == {("upstream_silent", "cli_1")}
    await house.store.write("add_tally", (HOUR, rows[-1][1] + 5 * 3_600_000, "from|cli_1", 1))
    gateway.clock.skip(301)
    await loop.turn()
    assert await standing(house) == set()


async def test_a_deadline_that_is_missed_is_not_healed(still: Stage, gateway: Gateways) -> None:
    """With its messages still here it is told as missed; what heals it is that the case ends."""
    house = still.house
    loop = loop_of(house)

    async def deadlines() -> set[tuple[str, str]]:
        await Alarms(house.store).turn()
        await loop.turn()
        return {one for one in await standing(house) if one[0].startswith("deadline")}

    case = await still.case({"/received_at": "2026-10-08T09:00:00+08:00", "/accepted_at": papers.DROP})
    await still.progress(case, "accepted", "2026-10-08T10:00:00+08:00")
    gateway.clock.skip((moment("2026-10-23T08:00") - START).total_seconds())
    assert await deadlines() == {("deadline_near", case)}
    gateway.clock.skip(86_400)
    for _ in range(3):
        await deadlines()
    assert await deadlines() == {("deadline_missed", case)}
    await still.progress(case, "failed", "2026-10-24T07:00:00+08:00")
    assert await deadlines() == set()


# ------------------------------------------------------------------------------------------------ keys, certificates


async def test_a_clients_last_key_that_ends_soon(still: Stage, gateway: Gateways) -> None:
    house, day = still.house, 86_400_000
    now = gateway.clock.ms()

    async def key(prefix: str, client: str, ends: int | None) -> None:
        await house.store.write("add_client", (prefix, client, client, b"h", "[]", "[]", ends))

    await key("k1", "soon", now + 12 * day)
    await key("k2", "rotated", now + 1 * day)
    await key("k3", "rotated", None)
    await key("k4", "later", now + 31 * day)
    await key("k5", "over", now - 2 * day)
    await key("k6", "long_gone", now - 40 * day)
    await key("k7", "off", now + 2 * day)
    await house.store.write("disable_key", ("k7",))
    loop = loop_of(house)
    await loop.turn()
    assert await standing(house) == {("key_expiring", "soon"), ("key_expiring", "over")}
    figures = {row["about"]: row["figure"] for row in await house.store.rows("open_alerts")}
    assert figures["soon"] == "12 d"
    await key("k8", "soon", None)
    gateway.clock.skip(301)
    await loop.turn()
    assert await standing(house) == {("key_expiring", "over")}


async def test_certificates_are_read_from_the_handshake(still: Stage, gateway: Gateways) -> None:
    authority = trustme.CA()
    trust = trusting()
    authority.configure_trust(trust)

    async def server(ends: datetime) -> asyncio.Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", not_after=ends).configure_cert(context)

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(-1)
            writer.close()

        return await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)

    ends = datetime(2035, 5, 4, 3, 2, 1, tzinfo=UTC)
    good, expired = await server(ends), await server(datetime(2020, 1, 1, tzinfo=UTC))
    try:
        places = {"good": good, "expired": expired}
        at = {name: ("localhost", one.sockets[0].getsockname()[1]) for name, one in places.items()}
        clock = [0.0]
        looked = Certificates(at | {"away": ("localhost", 9)}, trust, lambda: clock[0])
        assert await looked.ends() == {}, "not in the first minute"
        clock[0] = 61.0
        assert await looked.ends() == {"good": round(ends.timestamp() * 1000), "expired": 0}
    finally:
        for one in places.values():
            one.close()
            await one.wait_closed()
        await asyncio.sleep(0.05)
    loop = loop_of(still.house, certificates=looked.ends)
    await loop.turn()
    assert await standing(still.house) == {("certificate_expiring", "expired")}


async def test_only_https_addresses_have_certificates(still: Stage) -> None:
    assert certificates.addresses(still.house.endpoints, "http://gw.example.cn") == {}
    own = certificates.addresses(still.house.endpoints, "https://gw.example.cn:8443/x")
    assert own == {"gw.example.cn": ("gw.example.cn", 8443)}


# ------------------------------------------------------------------------------------------------ clocks and machines


def answer(at: datetime | None, name: str = "Date") -> Reply:
    """An answer with a date."""
    return Reply(200, () if at is None else ((name, format_datetime(at, usegmt=True)),), b"")


def test_a_platforms_clock_is_known_from_its_answers() -> None:
    skew, now = Skew(), datetime(2026, 10, 10, 4, 0, tzinfo=UTC)
    ms = round(now.timestamp() * 1000)
    for _ in range(2):
        skew.heard(answer(now + timedelta(seconds=10), "date"), ms, ms + 100)
    early = skew.ms
    assert early is None, "too few"
    skew.heard(answer(now + timedelta(seconds=10)), ms, ms + 100)
    assert skew.ms == 10_450
    before = skew.ms
    skew.heard(answer(None), ms, ms)
    skew.heard(Reply(200, (("Date", "yesterday"),), b""), ms, ms)
    skew.heard(Reply(200, (("Date", "x" * 1000),), b""), ms, ms)
    skew.heard(answer(now - timedelta(hours=1)), ms, ms + 5000)  # too slow to tell
    assert skew.ms == before
    for _ in range(9):
        skew.heard(answer(now), ms, ms)
    assert skew.ms == 500


async def test_a_clock_that_is_off_and_a_loop_that_ended(still: Stage) -> None:
    skew, stuck = {HR: -4_200}, ["relay"]
    loop = loop_of(still.house, skew=lambda: skew, stuck=lambda: stuck)
    await loop.turn()
    assert await standing(still.house) == {("clock", HR), ("loop_stuck", this_machine())}
    assert {row["figure"] for row in await still.house.store.rows("open_alerts")} >= {"-4.2 s", "relay"}
    skew[HR] = 1_900
    stuck.clear()
    await loop.turn()
    assert await standing(still.house) == set()


async def test_another_machines_troubles_are_its_own_to_end(still: Stage, gateway: Gateways) -> None:
    store = still.house.store
    await store.write("open_alert", ("alt_1", "disk", "node-2", "91%"))
    await store.write("set_mark", ("alive:node-2", gateway.clock.ms()))
    loop = loop_of(still.house)

    async def there() -> bool:
        return any(row["about"] == "node-2" for row in await store.rows("open_alerts"))

    await loop.turn()
    assert await there()
    gateway.clock.skip(601)
    await loop.turn()
    assert not await there(), "a machine that is gone leaves nothing standing"


async def test_a_full_disk(still: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    used = [0.81]

    def usage(_: Path) -> float:
        return used[0]

    monkeypatch.setattr("gateway.flow.alerting.alerts._usage", usage)
    loop = loop_of(still.house)
    await loop.turn()
    assert [(row["rule"], row["figure"]) for row in await still.house.store.rows("open_alerts")] == [("disk", "81%")]
    used[0] = 0.80
    await loop.turn()
    assert await still.house.store.rows("open_alerts") == []


# ----------------------------------------------------------------------------------------------------- what has failed


async def test_more_than_ten_failures_in_ten_minutes(still: Stage, gateway: Gateways) -> None:
    house, now = still.house, gateway.clock.ms()
    minute = now - now % 60_000
    loop = loop_of(house)
    await house.store.write(
        "add_tally",
        (MINUTE, minute - 9 * 60_000, f"out|{HR}|dead", 6),
        (MINUTE, minute - 60_000, f"out|{HR}|rejected", 4),
        (MINUTE, minute - 12 * 60_000, f"out|{HR}|dead", 50),
        (MINUTE, minute, f"out|{HR}|delivered", 50),
    )
    await loop.turn()
    assert await standing(house) == set()
    await house.store.write("add_tally", (MINUTE, minute, f"out|{HR}|expired", 1))
    await loop.turn()
    assert await standing(house) == {("dead_burst", HR)}
    gateway.clock.skip(700)
    await loop.turn()
    assert ("dead_burst", HR) not in await standing(house)


async def test_a_backlog_of_half_an_hour(still: Stage, gateway: Gateways) -> None:
    await still.case()
    loop = loop_of(still.house)
    await loop.turn()
    assert ("backlog_old", HR) not in await standing(still.house)
    gateway.clock.skip(31 * 60)
    await loop.turn()
    assert ("backlog_old", HR) in await standing(still.house)


async def test_an_orphan_callback_of_an_hour(still: Stage, gateway: Gateways) -> None:
    await still.say(still.word("confirmation", "confirmed", ("reference", "ZZ-1", "platform_no")))
    (call,) = await still.house.store.rows("newest_callbacks", "stored", "zzz", 1)
    await still.house.store.write("move_callback", (call["id"], "orphan", None, 0))
    loop = loop_of(still.house)
    gateway.clock.skip(3500)
    await loop.turn()
    assert await standing(still.house) == set()
    gateway.clock.skip(200)
    await loop.turn()
    assert await standing(still.house) == {("callback_orphan", "callbacks")}


# ------------------------------------------------------------------------------------------------------ who is unheard


async def test_polls_that_bring_no_answer_for_an_hour(
    still: Stage, gateway: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted from the last answer, or from the first failure; a paused platform is not missed."""
    house = still.house
    loop, poller = loop_of(house), Poller(house.store, house.lines[ONE_STOP])

    async def unheard() -> bool:
        await loop.turn()
        return ("poll_failing", ONE_STOP) in await standing(house)

    async def poll(cursor: str | None, exchange: Exchange) -> Polled:
        if broken:
            raise RetryableError("unreadable")
        return Polled((), "0", more=False)

    broken = True
    monkeypatch.setattr(still.puppet(ONE_STOP), "poll", poll)
    await poller.turn()
    assert not await unheard()
    gateway.clock.skip(3700)
    await poller.turn()
    assert await unheard()
    await house.store.write("pause_endpoint", (ONE_STOP, "operator", "x"))
    assert not await unheard()
    await house.store.write("resume_endpoint", (ONE_STOP,))
    assert await unheard()
    broken = False
    gateway.clock.skip(1000)
    await poller.turn()
    assert not await unheard()


async def test_events_that_the_broker_does_not_take(still: Stage, gateway: Gateways) -> None:
    house = still.house
    loop = loop_of(house)
    await still.case()
    await house.store.run(journal.number, 100)
    await house.store.write("set_mark", (BROKER, 0))
    await loop.turn()
    assert ("bus_behind", "events") not in await standing(house)
    gateway.clock.skip(700)
    await loop.turn()
    assert ("bus_behind", "events") in await standing(house)
    row = await house.store.row("log_position")
    assert row is not None
    await house.store.write("set_mark", (BROKER, row["position"]))
    await loop.turn()
    assert ("bus_behind", "events") not in await standing(house)
