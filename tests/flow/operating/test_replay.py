"""The kinds of replay, and what has been overtaken: told before, and sent on a second word alone."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.adapter import Receipt
from contracts.errors import PermanentError, RetryableError
from contracts.messages import HR, ONE_STOP, UNION, MessageType
from gateway.flow.moving.documents import reopen
from gateway.flow.operating.replay import Replayer, ReplayKind
from gateway.store.casefile import DeliveryRow
from tests.flow import papers
from tests.flow.stage import OPERATOR, Stage, until

SUBMITTED, PROGRESSED = "case.submitted", "case.progressed"
LOST = RetryableError("timeout", maybe_accepted=True)


def replayer(stage: Stage) -> Replayer:
    return Replayer(stage.house.store, stage.house.lines, stage.house.bells.committed)


async def rows(stage: Stage, case: str, endpoint: str = HR, kind: str = "") -> list[DeliveryRow]:
    return [row for row in (await stage.file(case)).deliveries if row.endpoint == endpoint and kind in ("", row.type)]


async def reaches(stage: Stage, state: str, case: str, endpoint: str = HR, kind: str = SUBMITTED) -> DeliveryRow:
    async def there() -> DeliveryRow | None:
        return next((row for row in await rows(stage, case, endpoint, kind) if row.state == state), None)

    found: DeliveryRow = await until(there, f"{kind} at {endpoint} is {state}")
    return found


async def trail(stage: Stage) -> list[tuple[str, str, str | None]]:
    found = await stage.house.store.rows("audit_after", 0, 1000)
    return [(row["act"], row["target"], row["reason"]) for row in found]


# ------------------------------------------------------------------------------------------------------ translated anew


async def test_translated_anew_it_goes_under_new_ids_and_the_old_one_gives_way(stage: Stage) -> None:
    stage.puppet().acts[SUBMITTED].append(PermanentError("4002"))
    case = await stage.case()
    old = await reaches(stage, "rejected", case)
    agreement = await stage.agreement(case)
    (waiting,) = await rows(stage, case, HR, "agreement.concluded")
    assert (waiting.state, waiting.requires) == ("pending", old.id)
    contexts = len(stage.puppet().contexts)

    standing = await replayer(stage).replay(OPERATOR, old.id, "代码表已更新", ReplayKind.RETRANSLATE)
    assert (standing.refused, standing.state, standing.extra) == (None, "pending", {"replaces": old.id})
    made = await reaches(stage, "delivered", case)
    assert (made.id, made.message != old.message, made.type, made.about) == (standing.id, True, SUBMITTED, case)
    assert (await reaches(stage, "superseded", case)).id == old.id
    assert [wire.id for wire in stage.puppet().sent][:1] == [made.id], "the platform sees a new id"
    assert len(stage.puppet().contexts) > contexts, "it was translated again, not sent as it was"

    store = stage.house.store
    first, second = [await store.row("message", one) for one in (old.message, made.message)]
    assert first is not None
    assert second is not None
    assert reopen(store, first) == reopen(store, second)
    for name in ("type", "about", "version", "source", "correlation", "schema", "subject"):
        assert first[name] == second[name], name
    assert (await reaches(stage, "delivered", case, HR, "agreement.concluded")).about == agreement
    assert await stage.tasks() == []
    assert ("delivery.retranslate", old.id, "代码表已更新") in await trail(stage)
    told = [event for event in await stage.history(case, old.id) if event["type"] == "delivery.superseded"]
    assert [(event["state_before"], event["by"]) for event in told] == [("rejected", made.id)]


async def test_another_platforms_delivery_stays_as_it_is(stage: Stage) -> None:
    stage.puppet().acts[SUBMITTED].append(PermanentError("4002"))
    case = await stage.case()
    old = await reaches(stage, "rejected", case)
    other = await reaches(stage, "delivered", case, ONE_STOP)
    await replayer(stage).replay(OPERATOR, old.id, "x", ReplayKind.RETRANSLATE)
    await reaches(stage, "delivered", case)
    assert [(row.id, row.state) for row in await rows(stage, case, ONE_STOP)] == [(other.id, "delivered")]
    assert len([wire for wire in stage.puppet(ONE_STOP).sent if wire.operation == SUBMITTED]) == 1


async def test_what_the_platform_may_have_is_never_given_a_new_id(stage: Stage) -> None:
    stage.puppet().acts[SUBMITTED].extend([LOST] * 13)
    case = await stage.case()
    dead = await reaches(stage, "dead", case)
    assert dead.doubt_at is not None
    standing = await replayer(stage).replay(OPERATOR, dead.id, "x", ReplayKind.RETRANSLATE, anyway=True)
    assert (standing.refused, standing.extra) == ("doubt", {"state": "dead"})
    assert [row.id for row in await rows(stage, case)] == [dead.id]
    assert (await replayer(stage).replay(OPERATOR, dead.id, "x")).refused is None
    assert (await reaches(stage, "delivered", case)).id == dead.id


@pytest.mark.parametrize("kind", [ReplayKind.SAME, ReplayKind.RETRANSLATE])
async def test_what_arrived_is_not_replayed(stage: Stage, kind: ReplayKind) -> None:
    case = await stage.case()
    row = await reaches(stage, "delivered", case)
    standing = await replayer(stage).replay(OPERATOR, row.id, "x", kind)
    assert (standing.refused, standing.extra) == ("state", {"state": "delivered"})
    assert (await replayer(stage).replay(OPERATOR, "dlv_none", "x", kind)).found is False


# ------------------------------------------------------------------------------------------------------------ overtaken


async def overtaken(stage: Stage) -> tuple[str, DeliveryRow, DeliveryRow]:
    """A step that was refused, and a later one that arrived."""
    case = await stage.case()
    await reaches(stage, "delivered", case)
    stage.puppet().acts[PROGRESSED].append(PermanentError("4002"))
    await stage.progress(case, "mediating")
    old = await reaches(stage, "rejected", case, kind=PROGRESSED)
    await stage.progress(case, "failed", "2026-10-09T11:00:00+08:00")
    return case, old, await reaches(stage, "delivered", case, kind=PROGRESSED)


@pytest.mark.parametrize("kind", [ReplayKind.SAME, ReplayKind.RETRANSLATE])
async def test_what_a_later_one_overtook_needs_a_second_word(stage: Stage, kind: ReplayKind) -> None:
    case, old, later = await overtaken(stage)
    standing = await replayer(stage).replay(OPERATOR, old.id, "x", kind)
    assert (standing.refused, standing.extra) == ("overtaken", {"state": "rejected", "by": later.id})
    assert (await reaches(stage, "rejected", case, kind=PROGRESSED)).id == old.id
    standing = await replayer(stage).replay(OPERATOR, old.id, "x", kind, anyway=True)
    assert standing.refused is None

    async def both() -> bool:
        return {row.state for row in await rows(stage, case, kind=PROGRESSED)} <= {"delivered", "superseded"}

    await until(both, "it goes all the same")


async def test_an_alert_that_arrived_says_nothing_about_the_rest(stage: Stage) -> None:
    case = await stage.case(name="collective")
    await reaches(stage, "delivered", case)
    stage.puppet().acts[PROGRESSED].append(PermanentError("4002"))
    await stage.progress(case, "mediating")
    old = await reaches(stage, "rejected", case, kind=PROGRESSED)
    await stage.post(MessageType.CASE_ALERTED, papers.body("alert"), case)
    await reaches(stage, "delivered", case, kind="case.alerted")
    assert (await replayer(stage).replay(OPERATOR, old.id, "x")).refused is None


async def newer(stage: Stage) -> tuple[str, DeliveryRow, DeliveryRow]:
    """A first version that died in doubt, so that the second one did not supersede it."""
    stage.puppet().acts[SUBMITTED].extend([LOST] * 12)
    body = papers.body("wages", {"/source_case_no": "370102-LX001-2026-00777"})
    case = (await stage.post(MessageType.CASE_SUBMITTED, body)).about

    async def doubtful() -> bool:
        (row,) = await rows(stage, case)
        return row.doubt_at is not None

    await until(doubtful, "its answer was lost")
    stage.puppet().acts[SUBMITTED].extend([LOST])
    changed = body | {"facts": body["facts"] + "更正。"}
    await stage.post(MessageType.CASE_REVISED, changed, case, revises=True, if_match=1)
    old = await reaches(stage, "dead", case)
    return case, old, await reaches(stage, "pending", case, kind="case.revised")


async def test_an_older_version_is_never_translated_anew(stage: Stage) -> None:
    case, old, fresh = await newer(stage)
    for kind, anyway in ((ReplayKind.SAME, False), (ReplayKind.RETRANSLATE, False), (ReplayKind.RETRANSLATE, True)):
        standing = await replayer(stage).replay(OPERATOR, old.id, "x", kind, anyway=anyway)
        assert (standing.refused, standing.extra["by"]) == ("newer_version", fresh.message), (kind, anyway)
    found = await replayer(stage).overtaken([old.id, fresh.id])
    assert {one: passed.why for one, passed in found.items()} == {old.id: "newer_version"}
    assert (await replayer(stage).replay(OPERATOR, old.id, "x", anyway=True)).refused is None
    assert (await reaches(stage, "delivered", case)).id == old.id


# ------------------------------------------------------------------------------------------------------------- asked for


def arrives_unheard(wire: Any) -> Any:
    raise RetryableError("timeout", maybe_accepted=True)


async def in_doubt(stage: Stage, act: Any) -> tuple[str, DeliveryRow]:
    stage.puppet(UNION).acts[SUBMITTED].append(act)
    case = await stage.case(name="collective")
    return case, await reaches(stage, "in_doubt", case, UNION)


async def test_a_look_up_finds_what_arrived_unheard(stage: Stage) -> None:
    case, row = await in_doubt(stage, arrives_unheard)
    sent = len(stage.puppet(UNION).sent)
    standing = await replayer(stage).replay(OPERATOR, row.id, "核对", ReplayKind.LOOKUP)
    assert (standing.refused, standing.state, standing.extra) == (
        None,
        "delivered",
        {"found": True, "reference": f"{UNION}-1"},
    )
    after = await reaches(stage, "delivered", case, UNION)
    assert (after.id, after.reference) == (row.id, f"{UNION}-1")
    assert len(stage.puppet(UNION).sent) == sent, "nothing is sent"
    assert await stage.tasks("in_doubt") == []
    assert ("delivery.found", row.id, "核对") in await trail(stage)


async def test_a_look_up_that_finds_nothing_changes_nothing(stage: Stage) -> None:
    case, row = await in_doubt(stage, LOST)
    standing = await replayer(stage).replay(OPERATOR, row.id, "核对", ReplayKind.LOOKUP)
    assert (standing.refused, standing.state, standing.extra) == (
        None,
        "in_doubt",
        {"found": False, "conclusive": True},
    )
    assert (await reaches(stage, "in_doubt", case, UNION)).attempts == row.attempts
    assert stage.puppet(UNION).sent == []
    assert ("delivery.lookup", row.id, "核对") in await trail(stage)


@pytest.mark.parametrize("error", [RetryableError("http_503"), RuntimeError("a bug of the adapter")])
async def test_a_question_without_an_answer_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    case, row = await in_doubt(stage, LOST)

    async def lookup(*_: Any) -> None:
        raise error

    monkeypatch.setattr(stage.puppet(UNION), "lookup", lookup)
    standing = await replayer(stage).replay(OPERATOR, row.id, "核对", ReplayKind.LOOKUP)
    assert (standing.refused, standing.state) == ("unanswered", "in_doubt")
    assert (await reaches(stage, "in_doubt", case, UNION)).id == row.id
    assert await trail(stage) == []


async def test_who_cannot_be_asked_is_not(stage: Stage) -> None:
    _, row = await in_doubt(stage, LOST)
    blind = Replayer(stage.house.store, {}, stage.house.bells.committed)
    assert (await blind.replay(OPERATOR, row.id, "x", ReplayKind.LOOKUP)).refused == "cannot_be_asked"
    case = await stage.case()
    delivered = await reaches(stage, "delivered", case)
    assert (await replayer(stage).replay(OPERATOR, delivered.id, "x", ReplayKind.LOOKUP)).refused == "state"


async def test_filed_twice_is_before_a_person(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, row = await in_doubt(stage, LOST)

    async def lookup(*_: Any) -> Receipt:
        return Receipt("U1", filed_twice=True)

    monkeypatch.setattr(stage.puppet(UNION), "lookup", lookup)
    standing = await replayer(stage).replay(OPERATOR, row.id, "核对", ReplayKind.LOOKUP)
    assert standing.extra == {"found": True, "reference": "U1"}
    assert [(task["about"], task["organization"]) for task in await stage.tasks("filed_twice")] == [
        (row.id, "SD-LY-LS-007")
    ]
