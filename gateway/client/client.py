"""Calls over HTTP. What carries an Idempotency-Key may be sent again, so the client does that itself while it has patience."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import JsonValue

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, FollowUp
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.mediator import Mediator
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.transfer import Transfer
from gateway.client.answers import CallRefused, Event, EventPage, GatewayUnreachable, Taken, Uploaded
from gateway.client.credentials import ClientCredentials

Query = list[tuple[str, str | int | float | bool | None]]
"""Query parameters as httpx takes them."""

_AGAIN = frozenset({429, 502, 503, 504})
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0
_SILENCE_S = 45.0
"""A stream that is silent for three heartbeats is dead."""

_HOMES = {
    "case_": "cases",
    "agr_": "agreements",
    "cnf_": "confirmations",
    "trf_": "transfers",
    "ref_": "referrals",
}


def fresh_key() -> str:
    """An ``Idempotency-Key`` that nobody has: one for each act that somebody means, the same for its repeats."""
    return uuid.uuid4().hex


class GatewayClient:
    """One upstream system's connection: an async context manager over one pool of connections.

    Args:
        base_url: such as ``https://gateway.example``; the calls are below ``/v1``.
        key: the API key ``<prefix>.<secret>``.
        patience_s: how long a call that may be repeated (a reading one, or one with a key) is repeated after a lost
            connection, 429, 502, 503, 504 or ``busy``; 0 = never.
        timeout_s: seconds for one try.
        transport: another way out than the network (tests).
        tokens: the key is exchanged for tokens of ten minutes (OAuth2 client credentials); no call carries the key itself.

    Every call raises ``CallRefused`` (with all findings) or ``GatewayUnreachable``.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        patience_s: float = 0.0,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        tokens: bool = False,
    ) -> None:
        self._patience_s = patience_s
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            auth=ClientCredentials(base_url, key) if tokens else None,
            headers={"Accept-Language": "zh-CN"} | ({} if tokens else {"Authorization": f"Bearer {key}"}),
            timeout=httpx.Timeout(timeout_s),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
            transport=transport,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    # ---- documents in

    async def submit_case(self, case: Case, *, key: str | None = None) -> Taken:
        """Post a case (案件报送)."""
        return await self._put_in("/v1/cases", case, key)

    async def revise_case(self, case_id: str, case: Case, version: int, *, key: str | None = None) -> Taken:
        """Replace a case by its complete new version (案件更正); ``version`` is the one it was made from."""
        return await self.send("PUT", f"/v1/cases/{case_id}", case.to_json(), key=key, version=version)

    async def report_progress(self, case_id: str, progress: CaseProgress, *, key: str | None = None) -> Taken:
        """A step of a case (案件进展)."""
        return await self._put_in(f"/v1/cases/{case_id}/progress", progress, key)

    async def raise_alert(self, case_id: str, alert: CollectiveAlert, *, key: str | None = None) -> Taken:
        """A grave collective dispute (重大集体争议预警)."""
        return await self._put_in(f"/v1/cases/{case_id}/alerts", alert, key)

    async def record_follow_up(self, case_id: str, visit: FollowUp, *, key: str | None = None) -> Taken:
        """A visit after the mediation (回访)."""
        return await self._put_in(f"/v1/cases/{case_id}/follow-ups", visit, key)

    async def report_agreement(self, case_id: str, agreement: Agreement, *, key: str | None = None) -> Taken:
        """A mediation agreement (调解协议报送)."""
        return await self._put_in(f"/v1/cases/{case_id}/agreements", agreement, key)

    async def report_performance(self, agreement_id: str, performance: Performance, *, key: str | None = None) -> Taken:
        """How a term was performed (履行情况)."""
        return await self._put_in(f"/v1/agreements/{agreement_id}/performances", performance, key)

    async def request_confirmation(
        self, agreement_id: str, request: ConfirmationRequest, *, key: str | None = None
    ) -> Taken:
        """Arbitration review or judicial confirmation (仲裁审查确认, 司法确认)."""
        return await self._put_in(f"/v1/agreements/{agreement_id}/confirmations", request, key)

    async def supplement(
        self, confirmation_id: str, supplement: ConfirmationSupplement, *, key: str | None = None
    ) -> Taken:
        """What the authority asked for (补正)."""
        return await self._put_in(f"/v1/confirmations/{confirmation_id}/supplements", supplement, key)

    async def withdraw(
        self, confirmation_id: str, withdrawal: ConfirmationWithdrawal, *, key: str | None = None
    ) -> Taken:
        """Take an application for confirmation back (撤回)."""
        return await self._put_in(f"/v1/confirmations/{confirmation_id}/withdrawal", withdrawal, key)

    async def request_transfer(self, case_id: str, transfer: Transfer, *, key: str | None = None) -> Taken:
        """The case goes on elsewhere (移送)."""
        return await self._put_in(f"/v1/cases/{case_id}/transfers", transfer, key)

    async def answer_referral(self, referral_id: str, answer: ReferralAnswer, *, key: str | None = None) -> Taken:
        """Accept or decline what a platform handed over (委派委托答复)."""
        return await self._put_in(f"/v1/referrals/{referral_id}/answer", answer, key)

    async def return_result(self, referral_id: str, result: ReferralResult, *, key: str | None = None) -> Taken:
        """The outcome of what a platform handed over (结果反馈)."""
        return await self._put_in(f"/v1/referrals/{referral_id}/result", result, key)

    async def list_mediator(self, mediator: Mediator, *, key: str | None = None) -> Taken:
        """A mediator on the roster (调解员名册)."""
        number = quote(mediator.certificate_no, safe="")  # it may hold a slash
        return await self.send("PUT", f"/v1/mediators/{number}", mediator.to_json(), key=key)

    async def send(
        self, method: str, path: str, document: bytes, *, key: str | None = None, version: int | None = None
    ) -> Taken:
        """A document's JSON as it stands to an address of the contract.

        Args:
            key: the ``Idempotency-Key``; the same key with the same bytes has one effect.
            version: ``If-Match``, where a document is revised.
        """
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        reply = await self._call(method, path, repeatable=key is not None, headers=headers, content=document)
        replayed = reply.headers.get("Idempotency-Replayed") == "true"
        return Taken.model_validate({**_body(reply), "replayed": replayed})

    async def _put_in(self, path: str, document: Document, key: str | None) -> Taken:
        return await self.send("POST", path, document.to_json(), key=key)

    # ---- attachments

    async def upload(self, kind: str, name: str, data: bytes) -> Uploaded:
        """Keep a file (附件): PDF, OFD, JPEG or PNG by content. A repeat keeps it again under another id."""
        reply = await self._call(
            "POST", "/v1/attachments", repeatable=True, files={"file": (name, data)}, data={"kind": kind}
        )
        return Uploaded.model_validate(_body(reply))

    async def download(self, attachment_id: str) -> bytes:
        """The bytes of an attachment, decision documents of platforms included."""
        return (await self._call("GET", f"/v1/attachments/{attachment_id}", repeatable=True)).content

    # ---- reading

    async def read(self, identifier: str) -> dict[str, JsonValue]:
        """One thing by its id: case, agreement, confirmation, transfer or referral, with deliveries, clocks and next steps; in
        the form that the API's description names (``CaseView``, ``AgreementView`` …).

        Raises:
            LookupError: an id of no kind that can be read.
        """
        home = next((home for prefix, home in _HOMES.items() if identifier.startswith(prefix)), None)
        if home is None:
            raise LookupError(identifier.partition("_")[0])
        return await self.get(f"/v1/{home}/{identifier}")

    async def find_cases(self, **criteria: str) -> list[dict[str, JsonValue]]:
        """Cases by ``source_case_no``, ``external_ref`` (any platform's 案号 or 流水号, in whatever spelling), ``status``,
        ``updated_after``: the first page."""
        items = (await self.get("/v1/cases", criteria))["items"]
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    async def timeline(self, case_id: str) -> list[dict[str, JsonValue]]:
        """Everything that happened to a case, in order, over all platforms."""
        items = (await self.get(f"/v1/cases/{case_id}/timeline"))["items"]
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, *, reason: str | None = None
    ) -> dict[str, JsonValue]:
        """Any reading call of the contract that answers a JSON object, in the form that the API's description names.
        ``reason``: for what is read with one."""
        headers = {} if reason is None else {"X-Reason": quote(reason)}
        return _body(await self._call("GET", path, repeatable=True, params=dict(query or {}), headers=headers))

    async def post(self, path: str, body: Mapping[str, JsonValue], *, key: str | None = None) -> dict[str, JsonValue]:
        """Any act of the contract that takes a JSON object and answers one. ``key``: its ``Idempotency-Key``, where the act
        takes one (``fresh_key`` makes one); without it nothing is repeated by itself."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return _body(await self._call("POST", path, repeatable=key is not None, headers=headers, json=dict(body)))

    # ---- ledger and statistics

    async def report(
        self, name: str, media_type: str, query: Mapping[str, str] | None = None, *, reason: str | None = None
    ) -> AsyncIterator[bytes]:
        """``ledger``, ``statistics`` or ``indicators`` (台账, 统计, 评查指标) in a media type, piece by piece.

        Args:
            query: ``organization``, ``from``, ``to``, ``period``, ``basis``, ``plain``.
            reason: why the lines are to be plain (``plain=true``), for the audit.
        """
        headers = {"Accept": media_type} | ({} if reason is None else {"X-Reason": quote(reason)})
        try:
            async with self._http.stream("GET", f"/v1/{name}", params=dict(query or {}), headers=headers) as reply:
                if not reply.is_success:
                    await reply.aread()
                    raise _refusal(reply)
                async for piece in reply.aiter_bytes():
                    yield piece
        except httpx.TransportError as error:
            raise GatewayUnreachable(type(error).__name__) from None

    # ---- operating

    async def resolve(self, delivery_id: str, *, arrived: bool, evidence: str, key: str | None = None) -> None:
        """A person's word on a delivery in doubt (operators alone): it arrived, or it is to go again."""
        order: dict[str, JsonValue] = {"arrived": arrived, "evidence": evidence}
        await self.post(f"/v1/ops/deliveries/{delivery_id}/resolve", order, key=key or fresh_key())

    async def reconcile(self, endpoint: str, since: str, until: str, *, key: str | None = None) -> dict[str, JsonValue]:
        """Compare a period with what a platform holds (对账; operators alone): days in Beijing, both included, or times. What
        is answered is its beginning; ``get`` its address until ``state`` is ``done`` or ``stopped``."""
        order: dict[str, JsonValue] = {"endpoint": endpoint, "from": since, "to": until}
        return await self.post("/v1/ops/reconciliations", order, key=key or fresh_key())

    async def heal_reconciliation(
        self, reconciliation_id: str, reason: str, kinds: Sequence[str], *, key: str | None = None
    ) -> dict[str, JsonValue]:
        """Have what a reconciliation found mended (operators alone), of these kinds."""
        order: dict[str, JsonValue] = {"reason": reason, "kinds": list(kinds)}
        path = f"/v1/ops/reconciliations/{reconciliation_id}/heal"
        return await self.post(path, order, key=key or fresh_key())

    # ---- events

    async def events(self, after: str = "0", *, types: Sequence[str] = (), limit: int | None = None) -> EventPage:
        """The own events after a cursor, oldest first; going on from ``EventPage.cursor`` misses nothing.

        Args:
            types: exact types or ``<noun>.*``; empty = all.
        """
        query: Query = [("after", after), *(("type", each) for each in types)]
        if limit is not None:
            query.append(("limit", str(limit)))
        return EventPage.model_validate(_body(await self._call("GET", "/v1/events", repeatable=True, params=query)))

    async def follow(self, after: str | None = None, *, types: Sequence[str] = ()) -> AsyncIterator[Event]:
        """The own events as they come (SSE), without end; after a lost connection it goes on behind the last one, unless the
        gateway stays away for longer than the patience.

        Args:
            after: a cursor; ``None`` = from now on.
        """
        wait_s, heard = _FIRST_WAIT_S, time.monotonic()
        while True:
            query: Query = [("type", each) for each in types]
            if after is not None:
                query.append(("after", after))
            try:
                async for event in self._stream(query):
                    wait_s, heard = _FIRST_WAIT_S, time.monotonic()
                    if event is not None:
                        after = event.cursor
                        yield event
            except GatewayUnreachable:
                if time.monotonic() - heard >= self._patience_s:
                    raise
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    async def _stream(self, query: Query) -> AsyncIterator[Event | None]:
        """Events, and ``None`` for every other sign of life."""
        timeout = httpx.Timeout(10.0, read=_SILENCE_S)
        try:
            async with self._http.stream("GET", "/v1/events/stream", params=query, timeout=timeout) as reply:
                if reply.status_code != 200:
                    await reply.aread()
                    raise _refusal(reply)
                async for line in reply.aiter_lines():
                    data = line.removeprefix("data:")
                    yield Event.model_validate_json(data) if data != line else None
        except httpx.TransportError as error:
            raise GatewayUnreachable(type(error).__name__) from None

    # ---- one call

    async def _call(self, method: str, path: str, *, repeatable: bool, **parts: Any) -> httpx.Response:
        """One answer of success. ``parts`` are httpx's own (headers, params, content, files, data)."""
        until = time.monotonic() + (self._patience_s if repeatable else 0.0)
        wait_s = _FIRST_WAIT_S
        while True:
            failed: CallRefused | GatewayUnreachable
            try:
                reply = await self._http.request(method, path, **parts)
                if reply.is_success:
                    return reply
                failed = _refusal(reply)
                if failed.status not in _AGAIN and failed.code != "busy":
                    raise failed
            except httpx.TransportError as error:
                failed = GatewayUnreachable(type(error).__name__)
            pause = wait_s * random.uniform(0.5, 1.0)
            if isinstance(failed, CallRefused) and failed.retry_after_s is not None:
                pause = max(pause, failed.retry_after_s)
            if time.monotonic() + pause > until:
                raise failed
            await asyncio.sleep(pause)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


def _body(reply: httpx.Response) -> dict[str, JsonValue]:
    try:
        found = reply.json()
    except ValueError:
        raise GatewayUnreachable("the answer is not JSON: is this a gateway?") from None
    if not isinstance(found, dict):
        raise GatewayUnreachable("the answer is no JSON object: is this a gateway?")
    return found


def _refusal(reply: httpx.Response) -> CallRefused:
    try:
        problem = reply.json()
    except ValueError:
        problem = {}
    after = reply.headers.get("Retry-After", "")
    seconds = float(after) if after.isascii() and after.isdigit() and len(after) < 7 else None
    return CallRefused(reply.status_code, problem if isinstance(problem, dict) else {}, seconds)
