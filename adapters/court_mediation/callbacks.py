"""The platform's pushes (page §5) in canonical words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from adapters.beijing import local
from adapters.court_mediation import drafts, wire
from adapters.court_mediation.drafts import day_of, moment_of, word
from adapters.http import NotJson, read_json_object
from contracts.adapter import InboundCall, Json
from contracts.errors import Reason, UnreadableCallback
from contracts.update import About, DocumentLink, Inbound, Key, KeyKind, Reference, ReferralOffered, StatusUpdate

UNKNOWN = "unknown"

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NUMBER, _TEXT, _LINK, _NAME = 200, 1000, 2048, 100
_PROMPT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Push:
    """One push, read: its event number, kind, court, content, the time of the fact, and who hears it."""

    event_id: str
    kind: str
    court: str
    filing_no: str
    content: Json
    at: datetime
    endpoint: str

    def text(self, key: str, limit: int = _NUMBER) -> str:
        """The text under a key of the content, bounded; ``""`` where there is none."""
        return wire.text_of(self.content, key)[:limit]


def parse(call: InboundCall, endpoint: str) -> tuple[Inbound, ...]:
    """Read a stored push. Keys in excess are passed over, an unknown kind stays unknown with its raw value.

    Raises:
        UnreadableCallback: no JSON object, no number or kind (``tsbh``, ``tslx``: page §5), nothing that says which matter it
            means, or a task that nobody could answer.
    """
    try:
        found = read_json_object(call.body, limit=max(len(call.body), 1), depth=wire.DEPTH)
    except NotJson as error:
        raise UnreadableCallback(error.code) from None
    content = found.get("content")
    push = Push(
        event_id=wire.text_of(found, "tsbh"),
        kind=wire.text_of(found, "tslx")[:100],
        court=wire.text_of(found, "fydm"),
        filing_no=wire.text_of(found, "tjbh")[:_NUMBER],
        content=content if isinstance(content, dict) else {},
        at=_time_of_fact(wire.text_of(found, "tssj"), call.received_at),
        endpoint=endpoint,
    )
    if not push.event_id or not push.kind:
        raise UnreadableCallback("no_number_or_kind")
    return (_KINDS.get(push.kind, _unknown)(push),)


def _time_of_fact(text: str, received_at: datetime) -> datetime:
    """``tssj`` tells the minute alone. Of a push that came promptly we know more: the fact lies in that minute and
    before the push came, so the later end of both is taken. A word of the same minute as the supplement that it answers
    would otherwise look older than it."""
    told = moment_of(text)
    if told is None:
        return received_at
    if told < received_at < told + _PROMPT:
        return min(local(received_at), told + timedelta(seconds=59))
    return told


# ------------------------------------------------------------------------------------------------------- confirmations


def _confirmation(status: str) -> Callable[[Push], Inbound]:
    def read(push: Push) -> Inbound:
        return _update(push, About.CONFIRMATION, _own(push, KeyKind.CONFIRMATION, "sqbh"), status)

    return read


def _transfer(status: str) -> Callable[[Push], Inbound]:
    def read(push: Push) -> Inbound:
        return _update(push, About.TRANSFER, _own(push, KeyKind.TRANSFER, "ysbh"), status)

    return read


# ----------------------------------------------------------------------------------------------------------- referrals


def _offered(push: Push) -> Inbound:
    """rwxd 任务下达."""
    return ReferralOffered(push.event_id, drafts.referral(push.content, push.court, push.endpoint), push.at)


def _recalled(push: Push) -> Inbound:
    """rwcx 任务撤回."""
    return _update(push, About.REFERRAL, _own(push, KeyKind.REFERENCE, "rwbh", "task_no"), "recalled")


def _unknown(push: Push) -> Inbound:
    """A kind that the page does not have: about whatever its numbers name, else about the case they lie in."""
    for key, kind, about in (
        ("sqbh", KeyKind.CONFIRMATION, About.CONFIRMATION),
        ("ysbh", KeyKind.TRANSFER, About.TRANSFER),
    ):
        if push.text(key):
            return _update(push, about, _own(push, kind, key), UNKNOWN)
    if push.text("rwbh"):
        return _update(push, About.REFERRAL, _own(push, KeyKind.REFERENCE, "rwbh", "task_no"), UNKNOWN)
    return _update(push, About.CASE, None, UNKNOWN)


_KINDS: Mapping[str, Callable[[Push], Inbound]] = MappingProxyType(
    {
        "rwxd": _offered,
        "rwcx": _recalled,
        "sqys": _confirmation("requested"),
        "sqbz": _confirmation("correction_required"),
        "sqsl": _confirmation("accepted"),
        "sqbysl": _confirmation("not_accepted"),
        "cdyx": _confirmation("confirmed"),
        "cdbh": _confirmation("rejected"),
        "zych": _confirmation("withdrawn"),
        "acch": _confirmation("deemed_withdrawn"),
        "yysl": _confirmation("objected"),
        "ssla": _transfer("filed"),
        "ssbl": _transfer("refused"),
        "ssbz": _transfer("correction_required"),
    }
)
"""The kinds of page §5."""


# -------------------------------------------------------------------------------------------------------------- shared


def _update(push: Push, about: About, own: Key | None, status: str) -> StatusUpdate:
    """An update with its keys: our own numbers first, then the platform's; one of them must be there."""
    uuid = push.text("uuid")
    keys = (
        Key(KeyKind.DELIVERY, push.filing_no) if push.filing_no else None,
        own,
        Key(KeyKind.REFERENCE, uuid, "platform_no") if uuid else None,
    )
    known = tuple(key for key in keys if key is not None)
    if not known:
        raise UnreadableCallback("no_key")
    documents = _documents(push)
    return StatusUpdate(
        event_id=push.event_id,
        about=about,
        keys=known,
        status=status,
        raw_status=push.kind,
        at=push.at,
        reasons=_reasons(push),
        due_at=_due(push),
        references=_references(push, documents),
        documents=documents,
        note=_note(push) or None,
    )


def _own(push: Push, kind: KeyKind, key: str, scope: str = "") -> Key | None:
    value = push.text(key)
    return Key(kind, value, scope) if value else None


def _references(push: Push, documents: tuple[DocumentLink, ...]) -> tuple[Reference, ...]:
    told = [("platform_no", push.text("uuid")), ("case_no", push.text("ah")), ("task_no", push.text("rwbh"))]
    told += [("document_no", document.ref) for document in documents]
    return tuple(Reference(kind, value) for kind, value in told if value)


def _reasons(push: Push) -> tuple[Reason, ...]:
    """``bznr``: what has to be supplemented (补正内容); ``yy``: why not (理由)."""
    listed = push.content.get("bznr")
    texts = [one for one in listed if isinstance(one, str) and one] if isinstance(listed, list) else []
    found = [Reason(push.kind, text[:_TEXT], f"bznr[{number}]") for number, text in enumerate(texts[:100])]
    if why := push.text("yy", _TEXT):
        found.append(Reason(push.kind, why, "yy"))
    return tuple(found)


def _due(push: Push) -> date | datetime | None:
    """``bzqx``: the day until which it has to be supplemented (补正期限)."""
    text = push.text("bzqx")
    return day_of(text) or moment_of(text)


_NOTES = (
    ("larq", "立案日期"),
    ("cbr", "承办人"),
    ("cdrq", "裁定日期"),
    ("yyr", "异议人"),
    ("yyrq", "异议日期"),
    ("yy", "理由"),
)


def _note(push: Push) -> str:
    """What has no field of its own, as one note: ``title：value`` joined by ``；``."""
    parts = []
    for key, title in _NOTES:
        if value := push.text(key, _TEXT):
            day = day_of(value) if title.endswith("日期") else None
            parts.append(f"{title}：{day.isoformat() if day else value}")
    return "；".join(parts)


def _documents(push: Push) -> tuple[DocumentLink, ...]:
    """``wslist``: the court's documents, each with a link that ends soon and its number, which brings a new one."""
    found = []
    for row in wire.rows_of(push.content, "wslist", 100):
        ref, link = wire.text_of(row, "c_wsbh"), wire.text_of(row, "wjlj")
        if not ref or len(ref) > _NUMBER:
            continue
        size, sha256 = wire.text_of(row, "wjdx"), wire.text_of(row, "sha256")
        found.append(
            DocumentLink(
                ref=ref,
                kind="decision",
                name=word(row, "c_wsmc", _NAME, cut=True) or "裁判文书",
                link=link if 0 < len(link) <= _LINK else None,
                expires_at=moment_of(wire.text_of(row, "wjyxq")),
                size=int(size) if size.isascii() and size.isdigit() and len(size) < 12 else None,
                sha256=sha256.lower() if _SHA256.fullmatch(sha256) else None,
            )
        )
    return tuple(found)
