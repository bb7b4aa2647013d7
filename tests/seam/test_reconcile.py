"""Reconciliation with platforms that list, that can be asked, and that offer neither: what it tells, and what mends it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from contracts.messages import MessageType
from gateway.flow.moving.acts import ActRefused
from gateway.flow.reconciling.comparing import Method
from gateway.flow.reconciling.reconciliations import NOT_COMPARABLE, Reconciliations
from gateway.store import journal, reconciliations
from gateway.store.engine import Row, StoreUnavailable
from tests.seam.scene import ASKED, BYTES, IDS, LAG_S, OPERATOR, Scene, until

HOUR_MS = 3_600_000
POLLED = (0.05, 0.1)
FAST = {"daily": False, "share": 1.0}
PEOPLE = ("王建国", "370102199003071238", "13853100001")


def desk(scene: Scene) -> Reconciliations:
    """Where reconciliations are asked for."""
    return Reconciliations(scene.house.store, scene.house.endpoints, scene.house.bells.committed)


async def over(scene: Scene, identifier: str) -> Row:
    """Wait until it neither runs nor heals."""

    async def there() -> Row | None:
        row = await scene.house.store.row("reconciliation", identifier)
        assert row is not None
        return row if row["state"] in ("done", "stopped") else None

    found: Row = await until(there, "the reconciliation ends", 15.0)
    return found


async def reconcile(scene: Scene, endpoint: str, hours: int = 24) -> tuple[str, Row]:
    """Compare the last hours, to this moment."""
    scene.gateway.clock.skip(1)  # what was just said is the poll's, what was just filed is the index's
    await asyncio.sleep(LAG_S)  # the toys' index lags by the machine's clock
    now = scene.house.store.now_ms()
    identifier = await desk(scene).ask(OPERATOR, endpoint, now - hours * HOUR_MS, now)
    return identifier, await over(scene, identifier)


async def differences(scene: Scene, identifier: str) -> list[Row]:
    return list(await scene.house.store.rows("differences_of", identifier, "", 1000))


async def told(scene: Scene, identifier: str) -> list[tuple[str, str]]:
    """Kind and code of every difference."""
    return [(row["kind"], row["code"]) for row in await differences(scene, identifier)]


async def heal(scene: Scene, identifier: str, *kinds: str) -> dict[str, tuple[str, str]]:
    """Have it mended; state and outcome of every difference, by its code."""
    await desk(scene).heal(OPERATOR, identifier, "核对后修复", *([kinds] if kinds else []))
    await over(scene, identifier)
    rows = await differences(scene, identifier)
    return {f"{row['kind']}/{row['code']}": (row["state"], row["outcome"]) for row in rows}


async def acts(scene: Scene) -> list[str]:
    """The audit trail's acts; and that its chain holds."""
    assert (await scene.house.store.runner.read(journal.verify_audit)).sound
    return [row["act"] for row in await scene.house.store.rows("audit_after", 0, 1000)]


async def booked(scene: Scene, case: str, endpoint: str = IDS) -> int:
    """The place in the platform's ledger of what was filed for the case."""
    row = await scene.reaches("delivered", case, endpoint)
    return next(place for place, one in enumerate(scene.platforms[endpoint].booked) if one.id == row.id)


async def test_nothing_differs(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    for number in range(5):
        await booked(scene, await scene.case(f"370102-LX001-2026-{number:05}"))
    identifier, row = await reconcile(scene, IDS)
    assert (row["state"], row["method"], row["held"], row["compared"], row["found"]) == ("done", "listing", 5, 5, 0)
    assert await told(scene, identifier) == []
    assert (await scene.house.store.rows("seen_filings", identifier, scene.ids.ids()[0])) == []


async def test_a_list_tells_missing_foreign_and_differing_and_healing_mends(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    ids = scene.ids
    cases = [await scene.case(f"370102-LX001-2026-{number:05}") for number in range(4)]
    lost, changed, spoken, _ = [await booked(scene, case) for case in cases]
    ids.booked[changed] = replace(ids.booked[changed], number="N90001")
    ids.booked[spoken] = replace(ids.booked[spoken], word={"about": "case", "word": "TALKS"})
    missing = ids.booked.pop(lost)
    ids.book("someone-elses-filing", ("T1", {"text": "王建国 370102199003071238"}))
    identifier, row = await reconcile(scene, IDS)
    assert (row["held"], row["compared"], row["found"]) == (4, 4, 4)
    assert sorted(await told(scene, identifier)) == [
        ("differing", "reference"),
        ("differing", "status"),
        ("foreign", "not_ours"),
        ("missing", "absent"),
    ]
    shown = {f"{one['kind']}/{one['code']}": one for one in await differences(scene, identifier)}
    assert shown["missing/absent"]["delivery"] == missing.id
    assert shown["foreign/not_ours"]["reference"] == "N00005"
    assert (shown["differing/reference"]["ours"], shown["differing/reference"]["theirs"]) == ("N00002", "N90001")
    assert (shown["differing/status"]["ours"], shown["differing/status"]["theirs"]) == ("accepted", "mediating")

    assert await heal(scene, identifier) == {
        "missing/absent": ("healed", "filed_again"),
        "foreign/not_ours": ("person", "task"),
        "differing/reference": ("healed", "applied"),
        "differing/status": ("healed", "applied"),
    }
    await scene.reaches("delivered", cases[0], IDS)
    assert ids.ids().count(missing.id) == 1
    assert (await scene.file(cases[2])).matters[cases[2]].status == "mediating"
    found = await scene.house.store.rows("find_reference", IDS, "platform_no", "N90001")
    assert [one["about"] for one in found] == [cases[1]]
    (task,) = await scene.tasks("contradiction")
    assert (task["code"], task["endpoint"], task["subject"]) == ("not_ours", IDS, identifier)
    trail = await acts(scene)
    assert trail[:2] == ["reconciliation.ask", "reconciliation.heal"]
    assert sorted(trail[2:]) == [
        "delivery.refile",
        "reconciliation.hear",
        "reconciliation.hear",
        "reconciliation.task",
    ]

    again, _ = await reconcile(scene, IDS)
    assert await told(scene, again) == [("foreign", "not_ours")], "what a person must settle stays"


async def test_a_filing_that_a_list_names_twice_is_a_persons(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    for number in range(3):
        await booked(scene, await scene.case(f"370102-LX001-2026-{number:05}"))
    twice = scene.ids.booked[0]
    scene.ids.book(twice.id, twice.content)
    identifier, _ = await reconcile(scene, IDS)
    assert await told(scene, identifier) == [("differing", "filed_twice")]
    assert await heal(scene, identifier) == {"differing/filed_twice": ("person", "task")}
    assert [task["about"] for task in await scene.tasks("filed_twice")] == [twice.id]


async def test_another_version_is_a_persons(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    place = await booked(scene, await scene.case())
    operation, document = scene.ids.booked[place].content
    scene.ids.booked[place] = replace(scene.ids.booked[place], content=(operation, document | {"version": 7}))
    identifier, _ = await reconcile(scene, IDS)
    (one,) = await differences(scene, identifier)
    assert (one["code"], one["ours"], one["theirs"]) == ("version", "1", "7")
    assert await heal(scene, identifier) == {"differing/version": ("person", "task")}


async def test_what_is_dead_here_and_found_there_is_settled_with_its_number(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST, retry=Scene.retry(standard=()))
    scene.ids.fail("reset_after", times=5)
    case = await scene.case()
    dead = await scene.reaches("dead", case, IDS)
    scene.ids.heal()
    identifier, _ = await reconcile(scene, IDS)
    assert await told(scene, identifier) == [("undecided", "found")]
    assert await heal(scene, identifier) == {"undecided/found": ("healed", "delivered")}
    row = await scene.delivery(case, IDS)
    assert (row.state, row.id) == ("delivered", dead.id)
    stored = await scene.house.store.row("delivery", dead.id)
    assert stored is not None
    assert stored["reference"] == scene.ids.booked[0].number
    assert await scene.tasks("dead") == []
    assert "delivery.found" in await acts(scene)


async def test_asking_tells_what_is_missing_and_what_is_there(scene: Scene) -> None:
    await scene.stand(ASKED, poll_every_s=POLLED)
    await scene.open(reconcile=FAST)
    asked = scene.asked
    cases = [await scene.case(f"370102-LX001-2026-{number:05}") for number in range(7)]
    places = [await booked(scene, case, ASKED) for case in cases]
    missing = asked.booked[places[0]]
    twice = asked.booked[places[1]]
    asked.booked.remove(missing)
    asked.book(twice.id, twice.content)
    identifier, row = await reconcile(scene, ASKED)
    assert (row["method"], row["compared"], row["unasked"]) == ("asking_words", 7, 0)
    assert sorted(await told(scene, identifier)) == [("differing", "filed_twice"), ("missing", "absent")]
    outcome = await heal(scene, identifier, "missing")
    assert outcome == {"missing/absent": ("healed", "filed_again"), "differing/filed_twice": ("open", None)}
    await scene.reaches("delivered", cases[0], ASKED)
    assert asked.ids().count(missing.id) == 1


async def test_what_came_in_the_meantime_is_not_filed_again(scene: Scene) -> None:
    await scene.stand(ASKED, poll_every_s=POLLED)
    await scene.open(reconcile=FAST)
    place = await booked(scene, await scene.case(), ASKED)
    gone = scene.asked.booked.pop(place)
    identifier, _ = await reconcile(scene, ASKED)
    scene.asked.booked.append(gone)
    assert await heal(scene, identifier) == {"missing/absent": ("moot", "found")}
    assert scene.asked.count("file") == 1


async def test_a_missed_word_is_heard_by_the_ordinary_way(scene: Scene) -> None:
    await scene.stand(ASKED, poll_every_s=POLLED)
    await scene.open(reconcile=FAST)
    case = await scene.case()
    place = await booked(scene, case, ASKED)
    scene.asked.happen("HEARD", about="case", id=scene.asked.booked[place].id)
    await until(lambda: scene.callbacks("applied"), "the first word is applied")
    # The poll's cursor has run past words that it never brought.
    await scene.house.store.write("set_cursor", (ASKED, "100"))
    scene.asked.happen("TALKS", about="case", number=scene.asked.booked[place].number)
    scene.asked.happen("TALKS", about="case", number="N77777")
    identifier, row = await reconcile(scene, ASKED)
    assert row["held"] == 3
    assert sorted(await told(scene, identifier)) == [("differing", "unheard"), ("foreign", "not_ours")]
    assert await heal(scene, identifier) == {
        "differing/unheard": ("healed", "heard"),
        "foreign/not_ours": ("person", "task"),
    }

    async def mediating() -> bool:
        return (await scene.file(case)).matters[case].status == "mediating"

    await until(mediating, "the case is being mediated")
    assert len(await scene.callbacks("applied")) == 2


async def test_a_list_of_words_goes_on_where_an_earlier_one_ended(scene: Scene) -> None:
    await scene.stand(ASKED, poll_every_s=POLLED)
    await scene.open(reconcile=FAST)
    await booked(scene, await scene.case(), ASKED)
    for number in range(3):
        scene.asked.happen("HEARD", about="case", id=scene.asked.booked[0].id, event=f"E1000{number}")
    _, first = await reconcile(scene, ASKED)
    scene.gateway.clock.skip(3 * 3600)
    scene.asked.happen("TALKS", about="case", id=scene.asked.booked[0].id)
    _, second = await reconcile(scene, ASKED, hours=2)
    assert (first["held"], second["held"]) == (3, 1)
    queries = [one.query["after"] for one in scene.asked.seen if one.operation == "news"]
    assert first["cursor"] in queries


async def test_a_platform_that_cannot_be_asked_is_said_to_be_so(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open(reconcile=FAST)
    case = await scene.case()
    await scene.reaches("relayed", case, BYTES)
    identifier, row = await reconcile(scene, BYTES)
    assert (row["state"], row["code"], row["method"]) == ("done", NOT_COMPARABLE, "nothing")
    assert Method(row["method"]).sees == ()
    assert await told(scene, identifier) == []


async def test_deliveries_go_first(scene: Scene) -> None:
    """While every slot is taken, and while the endpoint is paused, nothing is asked."""
    await scene.stand(ASKED, slots=1, poll_every_s=POLLED)
    await scene.open(reconcile=FAST)
    await booked(scene, await scene.case(), ASKED)
    await scene.operator.pause(OPERATOR, ASKED, "维护")
    scene.gateway.clock.skip(1)
    now = scene.house.store.now_ms()
    before = scene.asked.count()
    identifier = await desk(scene).ask(OPERATOR, ASKED, now - HOUR_MS, now)

    async def waits() -> bool:
        row = await scene.house.store.row("reconciliation", identifier)
        assert row is not None
        return bool(row["due_at"] > scene.house.store.now_ms() + 1000 and row["state"] == "running")

    await until(waits, "it waits for room")
    assert scene.asked.count() == before
    await scene.operator.resume(OPERATOR, ASKED, "完成")
    scene.gateway.clock.skip(10)
    assert (await over(scene, identifier))["compared"] == 1


async def test_it_goes_on_after_a_restart(scene: Scene) -> None:
    await scene.stand(ASKED, poll_every_s=POLLED)
    await scene.open(reconcile=FAST)
    for number in range(12):
        await booked(scene, await scene.case(f"370102-LX001-2026-{number:05}"), ASKED)
    scene.asked.booked.pop(3)
    scene.gateway.clock.skip(1)
    await asyncio.sleep(LAG_S)
    now = scene.house.store.now_ms()
    identifier = await desk(scene).ask(OPERATOR, ASKED, now - HOUR_MS, now)

    async def began() -> bool:
        row = await scene.house.store.row("reconciliation", identifier)
        assert row is not None
        return bool(row["compared"])

    await until(began, "the first page is written")
    await scene.reopen(reconcile=FAST)
    scene.gateway.clock.skip(3600)
    row = await over(scene, identifier)
    assert (row["state"], row["compared"]) == ("done", 12)
    assert await told(scene, identifier) == [("missing", "absent")]


async def test_a_wrong_key_ends_it_and_says_so(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    await booked(scene, await scene.case())
    scene.ids.fail("deny", operation="ledger")
    _, row = await reconcile(scene, IDS)
    assert (row["state"], row["code"]) == ("stopped", "KEY")


async def test_a_failing_list_is_tried_again(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    await booked(scene, await scene.case())
    scene.ids.fail("http", operation="ledger", status=503)
    scene.gateway.clock.skip(1)
    now = scene.house.store.now_ms()
    identifier = await desk(scene).ask(OPERATOR, IDS, now - HOUR_MS, now)

    async def tried() -> bool:
        row = await scene.house.store.row("reconciliation", identifier)
        assert row is not None
        return bool(row["tries"] == 1)

    await until(tried, "it has failed once")
    scene.gateway.clock.skip(60)
    row = await over(scene, identifier)
    assert (row["state"], row["held"], row["found"]) == ("done", 1, 0)


async def test_a_day_is_compared_by_itself_once_and_told_as_an_alert(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    await booked(scene, await scene.case())
    scene.ids.booked.clear()
    scene.gateway.clock.skip(24 * 3600)
    await scene.reopen(reconcile={"daily": True, "share": 1.0})

    async def made() -> Row | None:
        rows = await scene.house.store.rows("newest_reconciliations_of", IDS, "z", 10)
        return rows[0] if rows and rows[0]["state"] == "done" else None

    row: Row = await until(made, "the daily one is done", 15.0)
    assert (row["actor"], row["day"], row["found"]) == ("gateway", "2026-10-10", 1)

    async def alerted() -> list[Any]:
        return [one for one in await scene.house.store.rows("open_alerts") if one["rule"] == "reconciliation"]

    (alert,) = await until(alerted, "the alert", 25.0)
    assert (alert["about"], alert["figure"]) == (IDS, "1")
    await scene.reopen(reconcile={"daily": True, "share": 1.0})
    assert len(await scene.house.store.rows("newest_reconciliations_of", IDS, "z", 10)) == 1


async def test_a_daily_one_that_the_store_did_not_take_is_made_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    await booked(scene, await scene.case())
    scene.gateway.clock.skip(24 * 3600)
    await scene.reopen(start=False, reconcile={"daily": True, "share": 1.0})
    store = scene.house.store
    run, away = store.run, [StoreUnavailable("SQLITE_FULL")]

    async def not_at_once(operation: Any, *arguments: object) -> Any:
        if operation is reconciliations.ask and away:
            raise away.pop()
        return await run(operation, *arguments)

    monkeypatch.setattr(store, "run", not_at_once)
    scene.house.start()

    async def made() -> list[Row]:
        return list(await store.rows("newest_reconciliations_of", IDS, "z", 10))

    (row,) = await until(made, "the daily one", 15.0)
    assert (row["actor"], away) == ("gateway", [])


async def test_an_endpoint_that_is_left_out_and_what_is_old(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    await booked(scene, await scene.case())
    old, _ = await reconcile(scene, IDS)
    scene.gateway.clock.skip(30 * 24 * 3600)
    scene.endpoints[IDS]["reconcile"] = False
    await scene.reopen(reconcile={"daily": True, "keep_days": 7})

    async def gone() -> bool:
        return await scene.house.store.row("reconciliation", old) is None

    await until(gone, "the old one is dropped")
    await asyncio.sleep(1.2)
    assert list(await scene.house.store.rows("newest_reconciliations", "z", 10)) == []


@pytest.mark.parametrize("since", [-1, 0])
async def test_a_period_that_cannot_be_is_refused(scene: Scene, since: int) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    now = scene.house.store.now_ms()
    with pytest.raises(ActRefused, match="period"):
        await desk(scene).ask(OPERATOR, IDS, since, now)
    with pytest.raises(ActRefused, match="period"):
        await desk(scene).ask(OPERATOR, IDS, now + 1000, now + 2000)
    with pytest.raises(ActRefused, match="not_found"):
        await desk(scene).ask(OPERATOR, "nobody", now - 1000, now)


async def test_nobody_stands_in_what_is_kept(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    place = await booked(scene, await scene.case())
    scene.ids.booked[place] = replace(scene.ids.booked[place], number="370102199003071238")
    scene.ids.book("370102199003071238 13853100001", ("T1", {"text": "x"}))
    scene.ids.booked[-1] = replace(scene.ids.booked[-1], number="王建国")
    identifier, _ = await reconcile(scene, IDS)
    assert len(await differences(scene, identifier)) == 2
    kept = [str(value) for row in await differences(scene, identifier) for value in dict(row).values()]
    assert not [text for text in kept for person in PEOPLE if person in text]


async def test_what_belongs_to_another_kind_of_message_is_compared_too(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open(reconcile=FAST)
    case = await scene.case()
    await scene.progress(case)
    row = await scene.reaches("delivered", case, IDS, MessageType.CASE_PROGRESSED)
    scene.ids.booked[:] = [one for one in scene.ids.booked if one.id != row.id]
    identifier, _ = await reconcile(scene, IDS)
    (one,) = await differences(scene, identifier)
    assert (one["kind"], one["delivery"]) == ("missing", row.id)
