"""The commit: many units in one transaction, each whole or not at all (group commit of intake and apply alike)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contracts.deliveries import BARRING_STATES
from gateway.store.engine import Operation, Row
from gateway.store.ids import Ids, predates
from gateway.store.inbox import wake
from gateway.store.journal import append_audit
from gateway.store.pauses import pause
from gateway.store.unit import (
    AlreadyApplied,
    Committed,
    DeliveryMove,
    InFlight,
    Key,
    KeyConflict,
    MatterConflict,
    Moved,
    NewClock,
    NewDelivery,
    NewMatter,
    NewMessage,
    NewTask,
    Outcome,
    Replayed,
    Unit,
)


def commit(units: list[Unit], ids: Ids) -> Operation[list[Outcome]]:
    """Write the units; the outcome of each, in order. Expected conflicts are outcomes, not errors.

    A group never holds two units of one subject that both win: the second sees that the subject moved.
    """
    outcomes: dict[int, Outcome] = {}
    leaning: dict[int, int] = {}
    at = yield from _lock_subjects(units, outcomes)
    yield from _reserve_keys(units, outcomes, leaning)
    yield from _mark_applied(units, outcomes, leaning)
    yield from _refuse_in_flight(units, outcomes)
    yield from _open_matters(units, outcomes)
    live = [(place, unit) for place, unit in enumerate(units) if place not in outcomes]
    touched: set[tuple[str, str]] = set()
    if live:
        yield from _write([unit for _, unit in live], at, touched)
        for place, unit in live:
            at[unit.subject] = at.get(unit.subject, 0) + len(unit.events)
            outcomes[place] = Committed(at[unit.subject])
        moved = {unit.subject: at[unit.subject] for _, unit in live if unit.expected is not None}
        if moved:
            yield "move_subject", sorted(moved.items())
        moves = [move for _, unit in live for move in unit.delivery_moves]
        yield from free_successors([move.id for move in moves if move.after == "delivered"], touched)
        born = [delivery.id for _, unit in live for delivery in unit.deliveries if delivery.requires is not None]
        yield from open_blocked_tasks([move.id for move in moves if move.after in BARRING_STATES], ids, born)
        if touched:
            yield "rehead", sorted(touched)
            yield "notify_due", [()]
    for place, first in leaning.items():
        if not isinstance(outcomes[first], Committed):
            outcomes[place] = Moved()  # what it would repeat is not there: decide again
    pauses = [row for _, unit in live for row in unit.pauses]
    if pauses:
        yield from pause(pauses, ids)
    for _, unit in live:
        if unit.audited is not None:
            entry, moment = unit.audited
            yield from append_audit([entry], moment)
    return [outcomes[place] for place in range(len(units))]


def is_durable(units: list[Unit], outcomes: list[Outcome]) -> Operation[bool]:
    """Whether a commit whose answer was lost holds: its events are there, or it had changed nothing."""
    won = [unit for unit, outcome in zip(units, outcomes, strict=True) if isinstance(outcome, Committed)]
    if not won:
        return True
    # Whoever still writes about these subjects is waited for.
    yield "lock_subject", [(subject,) for subject in sorted({unit.subject for unit in won})]
    events = [(event.id,) for unit in won for event in unit.events[:1]]
    found = (yield "known_events", events) if events else []
    return bool(found)


def _lock_subjects(units: list[Unit], outcomes: dict[int, Outcome]) -> Operation[dict[str, int]]:
    read = {subject for unit in units for subject, _ in unit.beside}
    wanted = sorted({unit.subject for unit in units if unit.expected is not None} | read)
    at: dict[str, int] = {}
    if wanted:
        found = yield "lock_subject", [(subject,) for subject in wanted]
        at = {row["id"]: row["sequence"] for row in found}
    taken: set[str] = set()
    for place, unit in enumerate(units):
        if any(subject in taken or at.get(subject) != seen for subject, seen in unit.beside):
            outcomes[place] = Moved()
            continue
        if unit.expected is None:
            continue
        if unit.subject in taken or at.get(unit.subject) != unit.expected:
            outcomes[place] = Moved()
        else:
            taken.add(unit.subject)
    return at


def _alive(units: list[Unit], outcomes: dict[int, Outcome]) -> list[tuple[int, Unit]]:
    return [(place, unit) for place, unit in enumerate(units) if place not in outcomes]


def _reserve_keys(units: list[Unit], outcomes: dict[int, Outcome], leaning: dict[int, int]) -> Operation[None]:
    """A unit wins if it is the first of its group with each of its keys, and each is new. ``leaning``: a unit whose outcome
    repeats another's of this group, and that one's place."""
    wanting = [(place, unit) for place, unit in _alive(units, outcomes) if unit.keys]
    if not wanting:
        return
    rows = [(key.client, key.key, key.digest, key.about, key.answer) for _, unit in wanting for key in unit.keys]
    owner: dict[tuple[str, str], int] = {}
    for place, unit in wanting:
        for key in unit.keys:
            owner.setdefault((key.client, key.key), place)
    won = {(row["client"], row["key"]) for row in (yield "reserve_key", sorted(rows, key=lambda row: row[:2]))}
    forget: list[tuple[object, ...]] = []
    ask: list[tuple[int, Unit]] = []
    for place, unit in wanting:
        names = [(key.client, key.key) for key in unit.keys]
        if not all(name in won and owner[name] == place for name in names):
            ask.append((place, unit))
            forget += [name for name in names if name in won and owner[name] == place]
    if forget:
        yield "forget_key", forget
    if ask:
        found = yield "read_key", [(key.client, key.key) for _, unit in ask for key in unit.keys]
        kept = {(row["client"], row["key"]): row for row in found}
        for place, unit in ask:
            repeated = next((key for key in unit.keys if (key.client, key.key) in kept), None)
            if repeated is None:
                outcomes[place] = Moved()  # its keys were given back by one of this group that lost: decide again
                continue
            name = (repeated.client, repeated.key)
            outcomes[place] = _repeat(repeated, kept[name])
            if name in won:
                leaning[place] = owner[name]


def _repeat(key: Key, row: Row) -> Outcome:
    if row["digest"] == key.digest:
        return Replayed(row["answer"], row["about"])
    return KeyConflict(row["about"], business=key.client == "")


def _mark_applied(units: list[Unit], outcomes: dict[int, Outcome], leaning: dict[int, int]) -> Operation[None]:
    first: dict[tuple[str, str], int] = {}
    for place, unit in _alive(units, outcomes):
        if not unit.applied:
            continue
        fresh = yield "add_applied", list(unit.applied)
        if not fresh:
            outcomes[place] = AlreadyApplied()
            known = next((first[word] for word in unit.applied if word in first), None)
            if known is not None:
                leaning[place] = known
        for word in unit.applied:
            first.setdefault(word, place)


def _refuse_in_flight(units: list[Unit], outcomes: dict[int, Outcome]) -> Operation[None]:
    for place, unit in _alive(units, outcomes):
        if not unit.delivery_moves:
            continue
        lanes = sorted({(move.endpoint, unit.subject) for move in unit.delivery_moves})
        locked = yield "lock_lane", lanes
        flying = {row["head"] for row in locked if row["in_flight"]}
        if any(move.id in flying for move in unit.delivery_moves):
            outcomes[place] = InFlight()
            yield from _give_back(unit)


def _open_matters(units: list[Unit], outcomes: dict[int, Outcome]) -> Operation[None]:
    opening = [(place, unit) for place, unit in _alive(units, outcomes) if unit.matters]
    if not opening:
        return
    rows = [_matter_row(unit, matter) for _, unit in opening for matter in unit.matters]
    opened = {row["id"] for row in (yield "open_matter", rows)}
    for place, unit in opening:
        lost = next((matter for matter in unit.matters if matter.id not in opened), None)
        if lost is None:
            continue
        found = yield "find_matter", [(lost.kind, lost.business_key)]
        mine = sorted(matter.id for matter in unit.matters if matter.id in opened)
        if mine:
            yield "drop_matter", [(identifier,) for identifier in mine]
        yield from _give_back(unit)
        # Nobody has the key any more where another of this group had it and lost: decide again.
        outcomes[place] = MatterConflict(lost.kind, found[0]["id"]) if found else Moved()


def _matter_row(unit: Unit, matter: NewMatter) -> tuple[object, ...]:
    return (
        matter.id,
        matter.kind,
        unit.subject,
        matter.parent,
        unit.organization,
        matter.business_key,
        matter.facet,
        matter.status,
        matter.since,
        matter.version,
        matter.message,
    )


def _give_back(unit: Unit) -> Operation[None]:
    if unit.keys:
        yield "forget_key", [(key.client, key.key) for key in unit.keys]
    if unit.applied:
        yield "forget_applied", list(unit.applied)


def _write(units: list[Unit], at: Mapping[str, int], touched: set[tuple[str, str]]) -> Operation[None]:
    """One statement of each kind for all units: they are of different subjects, so that nothing depends on their order."""
    batches: dict[str, list[tuple[object, ...]]] = {}
    for unit in units:
        if len(unit.events) < len(unit.messages):
            raise ValueError("every message needs an event of its own: its sequence is the event's")
        if any(predates(message.id, unit.subject) for message in unit.messages):
            raise ValueError("a message older than its subject: whoever looks from there on would not find it")
        if unit.expected is None:
            batches.setdefault("open_subject", []).append((unit.subject, unit.subject_kind, len(unit.events)))
    moves = [(unit.subject, move) for unit in units for move in unit.delivery_moves]
    numbered: list[tuple[str, str]] = []
    for unit in units:
        for name, rows in _rows(unit, at.get(unit.subject, 0)):
            batches.setdefault(name, []).extend(rows)
        touched.update((delivery.endpoint, unit.subject) for delivery in unit.deliveries)
    for name in _ORDER:
        if name == "move_delivery":
            yield from _move_deliveries(moves, touched)
        rows = batches.pop(name, [])
        if rows:
            found = yield name, rows
            if name == "add_reference":
                numbered = [(row["endpoint"], row["about"]) for row in found]
    yield from wake(numbered)
    if batches:
        raise LookupError(f"statements without a place in the order: {sorted(batches)}")


_ORDER = (
    "open_subject",
    "move_matter",
    "amend_matter",
    "add_holder",
    "add_message",
    "add_delivery",
    "freeze_wire",
    "add_reference",
    "close_task",
    "open_task",
    "tell_task",
    "start_clock",
    "move_clock",
    "set_alarm",
    "add_paper",
    "add_person",
    "move_delivery",
    "repoint",
    "add_event",
    "add_trace",
)
"""The order of the statements of a commit: what stands for a delivery is there before what waits for it is turned to it."""


def _rows(unit: Unit, base: int) -> Iterable[tuple[str, list[tuple[object, ...]]]]:
    subject, organization = unit.subject, unit.organization
    places = {message.id: base + place for place, message in enumerate(unit.messages, 1)}
    yield "move_matter", [(m.id, m.status, m.since, m.version, m.message, m.active) for m in unit.matter_moves]
    yield "amend_matter", [(m.id, m.facet, m.organization) for m in unit.matter_moves if m.facet or m.organization]
    yield "add_holder", [(subject, endpoint) for endpoint in unit.holders]
    yield "add_message", [_message_row(message, subject, places[message.id]) for message in unit.messages]
    yield "add_delivery", [_delivery_row(d, subject, places.get(d.message, base)) for d in unit.deliveries]
    yield "freeze_wire", list(unit.wires)
    yield "add_reference", [(r.endpoint, r.kind, r.value, r.about, subject, r.folded) for r in unit.references]
    yield "close_task", [(kind, about, resolution) for kind, about, resolution in unit.closed_tasks]
    yield "open_task", [task.row(subject, organization) for task in unit.tasks]
    yield "tell_task", list(unit.told_tasks)
    yield "start_clock", [_clock_row(clock, subject, organization) for clock in unit.clocks]
    yield "move_clock", list(unit.clock_moves)
    yield "set_alarm", list(unit.clock_alarms)
    yield "add_paper", [(p.id, p.endpoint, subject, p.about, p.ref, p.link_sealed) for p in unit.papers]
    yield "add_person", [(blind, subject, role) for blind, role in unit.people]
    yield "repoint", list(unit.repointed)
    yield (
        "add_event",
        [
            (subject, base + place, event.id, event.type, event.about, organization, event.data)
            for place, event in enumerate(unit.events, 1)
        ],
    )
    if unit.trace is not None:
        things = [*(message.id for message in unit.messages), *(event.id for event in unit.events)]
        yield "add_trace", [(thing, unit.trace) for thing in things]


def _message_row(message: NewMessage, subject: str, sequence: int) -> tuple[object, ...]:
    return (
        message.id,
        subject,
        sequence,
        message.type,
        message.about,
        message.version,
        message.source,
        message.correlation,
        message.schema,
        message.document_sealed,
    )


def _clock_row(clock: NewClock, subject: str, organization: str) -> tuple[object, ...]:
    return (
        clock.id,
        subject,
        clock.about,
        clock.rule,
        organization,
        clock.started_on,
        clock.due_on,
        clock.safe_at,
        clock.state,
        clock.provisional,
        clock.calendar,
        clock.alarm_at,
        clock.given,
        clock.extended_by,
        clock.pauses,
    )


def _delivery_row(delivery: NewDelivery, subject: str, sequence: int) -> tuple[object, ...]:
    return (
        delivery.id,
        delivery.message,
        delivery.type,
        delivery.about,
        delivery.endpoint,
        subject,
        sequence,
        int(delivery.overtakes),
        delivery.retry_class,
        delivery.requires,
        delivery.safe_at,
    )


def _move_deliveries(moves: list[tuple[str, DeliveryMove]], touched: set[tuple[str, str]]) -> Operation[None]:
    if not moves:
        return
    lanes = sorted({(move.endpoint, subject) for subject, move in moves})
    yield "note_crash", lanes
    moved = yield "move_delivery", [_move_row(move) for _, move in moves]
    if len(moved) != len(moves):
        raise LookupError("a delivery was not in the state that its subject's sequence promised")
    yield "clear_lane", lanes
    touched.update(lanes)


def _move_row(move: DeliveryMove) -> tuple[object, ...]:
    return (move.id, move.before, move.after, move.code, move.reasons_sealed, move.reference, move.wait_ms, move.fresh)


def free_successors(delivered: list[str], touched: set[tuple[str, str]]) -> Operation[None]:
    """Add the lanes whose deliveries waited for these to be delivered."""
    if delivered:
        waiting = yield "waiting_on", [(identifier,) for identifier in sorted(delivered)]
        touched.update((row["endpoint"], row["subject"]) for row in waiting)


def open_blocked_tasks(ended: list[str], ids: Ids, born: Sequence[str] = ()) -> Operation[None]:
    """A statutory successor of a delivery that ended undelivered is before a person at once, in whatever lane it waits; so is
    one that is ``born`` behind such a delivery."""
    blocked = (yield "blocked_by", [(identifier,) for identifier in sorted(ended)]) if ended else []
    if born:
        blocked = [*blocked, *(yield "born_blocked", [(identifier,) for identifier in sorted(born)])]
    tasks = [
        NewTask(ids.new("task"), "blocked", row["id"], row["endpoint"]).row(row["subject"], row["organization"] or "")
        for row in blocked
    ]
    if tasks:
        yield "open_task", tasks
