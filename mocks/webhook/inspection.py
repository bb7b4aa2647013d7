"""What the receiver finds wrong with one request, before anything is kept of it (webhook page §1, §2, §8)."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mocks.webhook import event as events
from mocks.webhook.catalogue import TYPES
from mocks.webhook.signatures import SignatureForm, read_header, uses_retired
from mocks.webhook.trust import Trust

Json = dict[str, Any]

_STANDARD = frozenset(
    {"host", "content-type", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "accept"}
    | {"accept-encoding", "accept-language", "accept-charset", "user-agent", "date", "expect", "via"}
    | {"cache-control", "pragma", "traceparent", "webhook-id", "webhook-timestamp", "webhook-signature"}
)
_OURS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_AGENT = re.compile(r"mediation-gateway/[0-9A-Za-z.+_-]{1,64}")
_UNSIGNED = frozenset({"header_missing", "header_twice", "header_form", "signature", "signature_kind", "retired_key"})


@dataclass(slots=True)
class Finding:
    """One request as it was judged."""

    digest: str
    webhook_id: str = ""
    timestamp: str = ""
    endpoint: str | None = None
    """Name of the endpoint in the receiver's trust; None where no key fits."""
    event: Json | None = None
    raw: str = ""
    """What came in place of an event, at most 2,000 characters."""
    breaches: list[str] = field(default_factory=list)
    untrusted: bool = False
    """No key is in force at all: nothing can be judged (not the sender's fault)."""

    @property
    def type(self) -> str:
        """The event's type where it is one of §4, else empty."""
        name = self.event.get("type") if self.event is not None else None
        return name if isinstance(name, str) and name in TYPES else ""

    @property
    def data(self) -> Json:
        """The event's data, empty where there is none."""
        value = self.event.get("data") if self.event is not None else None
        return value if isinstance(value, dict) else {}

    def text(self, name: str) -> str:
        """An attribute that is a text, else empty."""
        value = self.event.get(name) if self.event is not None else None
        return value if isinstance(value, str) else ""

    @property
    def status(self) -> int:
        """401 for signature and time, 400 for every other breach, 0 for none (§8)."""
        if self.untrusted:
            return 401
        names = {breach.partition(":")[0] for breach in self.breaches}
        if names & _UNSIGNED or "timestamp" in names:
            return 401
        return 400 if names else 0


def inspect(
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    trust: Trust,
    now: datetime,
    tolerance_s: int,
    limit: int,
) -> Finding:
    """Judge one request by itself. ``headers`` as received, in order, any case; never raises, whatever came in."""
    finding = Finding(digest=hashlib.sha256(body).hexdigest())
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    _standing(values, finding)
    if len(body) > limit:
        finding.breaches.append("size")
    finding.event, found = events.read(body)
    if finding.event is None:
        finding.raw = body[:2000].decode("utf-8", "backslashreplace")
    finding.breaches += found
    _signature(values, body, finding, trust)
    if finding.timestamp and abs(now.timestamp() - int(finding.timestamp)) > tolerance_s:
        finding.breaches.append("timestamp")
    if finding.event is not None:
        finding.breaches += events.breaches(finding.event, finding.webhook_id, now.date())
    return finding


def _standing(values: Mapping[str, list[str]], finding: Finding) -> None:
    """Headers of §1: content type, agent, nothing of the sender's own."""
    media, *parameters = (part.strip().lower() for part in ",".join(values.get("content-type", [])).split(";"))
    if media != "application/cloudevents+json" or parameters != ["charset=utf-8"]:
        finding.breaches.append("content_type")
    if _AGENT.fullmatch(",".join(values.get("user-agent", []))) is None:
        finding.breaches.append("user_agent")
    finding.breaches += [f"header_unexpected:{_safe(name)}" for name in values if name not in _STANDARD]


def _safe(name: str) -> str:
    return re.sub(r"[^a-z0-9-]", "?", name)[:40]


def _signature(values: Mapping[str, list[str]], body: bytes, finding: Finding, trust: Trust) -> None:
    given: dict[str, str] = {}
    for name in _OURS:
        lines = values.get(name, [])
        if len(lines) == 1:
            given[name] = lines[0]
        else:
            finding.breaches.append(f"header_twice:{name}" if lines else f"header_missing:{name}")
    forms = {"webhook-id": events.EVENT_ID, "webhook-timestamp": re.compile(r"[1-9][0-9]{0,11}")}
    for name, form in forms.items():
        if name in given and form.fullmatch(given[name]) is None:
            finding.breaches.append(f"header_form:{name}")
            del given[name]
    finding.webhook_id = given.get("webhook-id", "")
    finding.timestamp = given.get("webhook-timestamp", "")
    if len(given) != len(_OURS):
        return
    try:
        signatures = read_header(given["webhook-signature"])
    except SignatureForm:
        finding.breaches.append("header_form:webhook-signature")
        return
    if not trust.known():
        finding.untrusted = True
        return
    signed = f"{finding.webhook_id}.{finding.timestamp}.".encode() + body
    if any(uses_retired(signed, signatures, keys) for keys in trust.all()):
        finding.breaches.append("retired_key")
    found = trust.find(signed, signatures)
    if found is None:
        finding.breaches.append("signature")
        return
    finding.endpoint, keys, fitting = found
    finding.breaches += [f"signature_kind:{kind}" for kind in sorted(keys.kinds - fitting)]
