"""Sending a refused document anew with other codes, where the gateway itself chose them (更正代码).

What may be edited, and what not. The document belongs to the organisation that sent it: an operator never changes what a party
said, claimed or signed, so no field of a document can be edited here. What is wrong in a document goes back to its sender, who
corrects it by ``PUT`` (``messages.md`` §2). A new mapping or code table needs no editing either: the document is translated
again (``replay``). What is left are codes that the gateway put where the document has nothing to carry over: a value without a
row in the platform's table that went as "other" (``coded``), and what the platform demands and no document has
(``defaulted``). Each such place of the loss report that names one short value of the wire may be given another code.

As any new translation it gets a message of its own around the same document, hence new ids: platforms refuse other content
under an id that they know. One person asks, another one does it (双人复核).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import structlog

from contracts.adapter import Json, LossKind, Wire
from contracts.errors import PermanentError
from contracts.messages import MessageType
from gateway.flow.delivering import wires
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.documents import message_of
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Principal
from gateway.flow.moving.rounds import Round, decided
from gateway.flow.operating.replay import STATES, Replayer, ReplayKind
from gateway.registry import Endpoint
from gateway.store.casefile import CaseFile, DeliveryRow
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.places import of_changes, of_wire
from gateway.store.store import Store
from gateway.store.unit import Committed, Unit

log = structlog.get_logger("gateway.correction")

CORRECTED: Final = frozenset(STATES[ReplayKind.RETRANSLATE])
"""States from which a document may be sent anew."""

LONGEST: Final = 40
"""Characters of a code at the most; longer values are no codes."""

_OPEN_KINDS: Final = frozenset({LossKind.CODED, LossKind.DEFAULTED})
_CODE: Final = re.compile(r"[\w.\-]{1,40}")
_STEPS: Final = re.compile(r"[\w.\-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the wire whose code the gateway chose: pointer into the payload, its name there, the code that went."""

    pointer: str
    name: str
    code: str
    kind: str
    note: str


def places(wire: Wire) -> list[Place]:
    """The places that may be given another code: each named by one loss and by one short value of the wire."""
    leaves = list(_leaves(wire.payload, ""))
    found: dict[str, Place] = {}
    for loss in wire.losses:
        if loss.kind not in _OPEN_KINDS or not loss.place:
            continue
        wanted = _STEPS.findall(loss.place)
        named = [(pointer, value) for pointer, value in leaves if _ends(pointer, wanted)]
        if len(named) == 1 and _CODE.fullmatch(named[0][1]):
            pointer, value = named[0]
            found.setdefault(pointer, Place(pointer, loss.place, value, loss.kind.value, loss.note))
    return sorted(found.values(), key=lambda place: place.pointer)


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _leaves(below, f"{pointer}/{number}")
    elif isinstance(value, str):
        yield pointer, value


def _ends(pointer: str, wanted: list[str]) -> bool:
    """Whether a pointer's last steps are those of a place's name (``ryxx/0/lx`` of ``/ajxx/ryxx/0/lx``)."""
    steps = pointer.split("/")[1:]
    return bool(wanted) and steps[-len(wanted) :] == wanted


def patched(wire: Wire, changes: Mapping[str, str]) -> Wire:
    """The wire with these codes.

    Raises:
        ActRefused: ``place``: the new translation leaves no such place open.
    """
    allowed = {place.pointer for place in places(wire)}
    if not changes.keys() <= allowed:
        raise ActRefused("correction.place")
    payload: Json = copy.deepcopy(wire.payload)
    for pointer, code in changes.items():
        *way, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
        at: Any = payload
        for step in way:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[int(last) if isinstance(at, list) else last] = code
    return replace(wire, payload=payload)


class Corrections:
    """Asks for and does corrections."""

    def __init__(
        self,
        store: Store,
        endpoints: Mapping[str, Endpoint],
        contexts: Contexts,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._contexts = contexts
        self._changed = changed
        self._replayer = Replayer(store, None, changed)

    def changes(self, row: Row) -> dict[str, str]:
        """What a correction asks for: pointer → code."""
        kept: dict[str, str] = orjson.loads(self._store.unseal(row["changes_sealed"], of_changes(row["id"])))
        return kept

    async def ask(self, principal: Principal, delivery: str, changes: Mapping[str, str], reason: str) -> str:
        """Ask for other codes (pointer → code). Returns the correction's id.

        Raises:
            ActRefused: ``not_found``, ``state``, ``kind`` (owed to a webhook, or nothing of ours to translate),
                ``nothing`` (no other code), ``place`` or ``code`` (what is no open place, or no code), ``asked`` (one waits).
        """
        row = await self._refused_row(delivery)
        wire = self._wire(row)
        known = {place.pointer: place.code for place in places(wire)} if wire is not None else {}
        wanted = {pointer: code for pointer, code in changes.items() if known.get(pointer) != code}
        if not wanted:
            raise ActRefused("correction.nothing")
        if not wanted.keys() <= known.keys():
            raise ActRefused("correction.place")
        if not all(_CODE.fullmatch(code) for code in wanted.values()):
            raise ActRefused("correction.code")
        identifier = self._store.ids.new("correction")
        sealed = self._store.seal(orjson.dumps(wanted), of_changes(identifier))
        entry = AuditEntry(
            principal.client, "delivery.correct_ask", delivery, reason, compact({"places": sorted(wanted)})
        )
        asked = (identifier, delivery, principal.client, reason, sealed)
        if not await self._store.audited("ask_correction", asked, entry):
            raise ActRefused("correction.asked")
        return identifier

    async def refuse(self, principal: Principal, identifier: str, reason: str) -> None:
        """Do not do it; whoever asked may also take it back.

        Raises:
            ActRefused: ``not_found``, ``over``.
        """
        row = await self._store.row("correction", identifier)
        if row is None:
            raise ActRefused("correction.not_found")
        entry = AuditEntry(principal.client, "delivery.correct_refuse", row["delivery"], reason)
        ended = (identifier, "refused", principal.client, None)
        if not await self._store.audited("end_correction", ended, entry):
            raise ActRefused("correction.over")

    async def do(self, principal: Principal, identifier: str) -> str:
        """Do it, as the second person; returns the new delivery's id.

        Raises:
            ActRefused: ``not_found``, ``over``, ``second`` (nobody approves what he asked for himself), ``state``,
                ``newer_version``, ``words_unread``, ``place``, or ``translation``: it cannot be translated today either.
        """
        row = await self._store.row("correction", identifier)
        if row is None:
            raise ActRefused("correction.not_found")
        if row["state"] != "asked":
            raise ActRefused("correction.over")
        if row["actor"] == principal.client:
            raise ActRefused("correction.second")
        changes = self.changes(row)
        passed = (await self._replayer.overtaken([row["delivery"]])).get(row["delivery"])
        if passed is not None and passed.why == "newer_version":
            raise ActRefused("correction.newer_version")
        if await self._replayer.unread(row["delivery"]):
            raise ActRefused("correction.words_unread")

        async def decide() -> Round[tuple[str, str]]:
            held, file = await self._held(row["delivery"])
            unit = await self._unit(file, held, changes, principal)
            made = unit.deliveries[0].id
            facts = {"correction": identifier, "delivery": made, "places": sorted(changes), "asked_by": row["actor"]}
            entry = AuditEntry(principal.client, "delivery.correct", held.id, row["reason"], compact(facts))
            unit.audited = (entry, self._store.now_ms())
            return Round((made, held.endpoint), unit)

        ended = await decided(decide, self._store.commit)
        if not isinstance(ended.outcome, Committed):
            raise ActRefused("correction.state")
        made, endpoint = ended.said
        await self._store.write("end_correction", (identifier, "done", principal.client, made))
        log.info("corrected", delivery=row["delivery"], made=made, endpoint=endpoint)
        self._changed()
        return made

    async def _refused_row(self, delivery: str) -> Row:
        row = await self._store.row("delivery", delivery)
        if row is None:
            raise ActRefused("correction.not_found")
        if row["type"] not in set(MessageType) or row["endpoint"] not in self._endpoints:
            raise ActRefused("correction.kind")
        if row["state"] not in CORRECTED or row["doubt_at"] is not None:
            raise ActRefused("correction.state")
        return row

    def _wire(self, row: Row) -> Wire | None:
        if row["wire_sealed"] is None:
            return None
        return wires.unpack(self._store.unseal(row["wire_sealed"], of_wire(row["id"])))

    async def _held(self, delivery: str) -> tuple[DeliveryRow, CaseFile]:
        row = await self._refused_row(delivery)
        file = await self._store.load(row["subject"])
        held = None if file is None else next(found for found in file.deliveries if found.id == delivery)
        if file is None or held is None or held.state not in CORRECTED:
            raise ActRefused("correction.state")
        return held, file

    async def _unit(self, file: CaseFile, held: DeliveryRow, changes: Mapping[str, str], principal: Principal) -> Unit:
        """The new message as a plain new translation makes it, with its wire beside it."""
        kept = await self._store.row("message", held.message)
        if kept is None:
            raise ActRefused("correction.not_found")
        unit = self._replayer.anew(file, held, kept, principal)
        made = unit.deliveries[0].id
        message = replace(message_of(self._store, kept), id=unit.messages[0].id)
        rows = await self._store.rows("messages_of", file.subject)
        earlier = [found for found in rows if found["sequence"] <= kept["sequence"]]
        context = await self._contexts.compose(message, file, earlier, made, held.endpoint)
        try:
            wire = patched(self._endpoints[held.endpoint].adapter.translate(message, context), changes)
        except PermanentError as error:
            log.warning("not_translated", delivery=held.id, code=error.code)
            raise ActRefused("correction.translation") from None
        sealed = self._store.seal(wires.pack(wire), of_wire(made))
        unit.wires.append((made, wire.operation, wire.mapping, sealed))
        return unit
