"""电子台账, 统计, 评查指标: the ledger, its statistics and the appraisal's indicators, as JSON, CSV and XLSX.

Masked for everybody by default: a stolen key must not yield a list of people. An upstream system may take its own
organisations' lines plain (it posted them and reads each case whole anyway) with ``plain=true`` and a reason, audited; the
reason comes in ``X-Reason``, percent-encoded, since addresses end up in the logs of proxies. An operator may not: a plain
export is a matter of two persons.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from gateway.flow.house import House
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Principal, Refused
from gateway.report import sheets
from gateway.report.definitions import Basis, definitions
from gateway.report.entry import Entry
from gateway.report.indicators import Appraisal, Measured, versions
from gateway.report.ledger import Ledger, Scope
from gateway.report.line import COLUMNS, Line, Style, line_of, missing
from gateway.report.period import Period, PeriodRefused, day_of_ms, period_of, quarter
from gateway.report.statistics import Figure, Share, Statistics, success
from gateway.store.journal import AuditEntry
from gateway.texts import console_text
from gateway.web.accepts import representation
from gateway.web.api.answers import answer, iso
from gateway.web.api.parameters import bad_parameter, only_its_own, pack_cursor, page_limit, unpack_cursor, word
from gateway.web.auth import Door
from gateway.web.bodies import reason_in
from gateway.web.problems import wants_chinese

_SCOPE: Final = "ledger:read"
_JSON: Final = "application/json"
_OFFERED: Final = (_JSON, sheets.CSV, sheets.XLSX)
_AT_ONCE: Final = 2
"""Files and statistics that are made at the same time; others wait their turn."""
_LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for: whose cases, of which period, by which of their days, how written."""

    principal: Principal
    scope: Scope
    organization: str | None
    period: Period
    chinese: bool
    form: str

    @property
    def told(self) -> dict[str, str]:
        """The filter, for people."""
        told = {"from": self.period.start.isoformat(), "to": self.period.end.isoformat()}
        return told | ({} if self.organization is None else {"organization": self.organization})


class Desk:
    """Answers the three calls."""

    def __init__(self, house: House, door: Door) -> None:
        self._house = house
        self._door = door
        self._ledger = Ledger(house.store)
        adapters = {name: endpoint.adapter.info.name for name, endpoint in house.endpoints.items()}
        self._appraisal = Appraisal(house.store, adapters)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    # ---- what is asked

    async def asked(self, request: Request) -> Asked:
        """The parameters that the three calls share.

        Raises:
            Refused: 401, 403, 400 for a parameter, 404 for an organisation that is not the caller's.
        """
        principal = await self._door.principal(request, _SCOPE)
        only_its_own(request)
        query = request.query_params
        organization = query.get("organization") or None
        scope = Scope(None if "*" in principal.organizations else tuple(sorted(principal.organizations)))
        if organization is not None:
            if len(organization) > 32:
                raise bad_parameter("organization")
            if not principal.acts_for(organization):
                raise Refused(404, "not_found")
            scope = scope.narrowed(organization)
        return Asked(
            principal,
            scope,
            organization,
            self._period(request),
            wants_chinese(request),
            representation(request, _OFFERED),
        )

    def _period(self, request: Request) -> Period:
        query = request.query_params
        try:
            if "period" in query:
                if "from" in query or "to" in query:
                    raise PeriodRefused("period")
                return quarter(query["period"])
            return period_of(query.get("from"), query.get("to"), self._today())
        except PeriodRefused as refused:
            raise bad_parameter(refused.name) from None

    def _today(self) -> date:
        return day_of_ms(self._house.store.now_ms())

    async def _reason(self, request: Request, asked: Asked) -> str | None:
        """Why the lines are to be plain; ``None``: they are masked.

        Raises:
            Refused: 403 for who may not, 422 without a reason.
        """
        if word(request, "plain", "false") == "false":
            return None
        if asked.scope.organizations is None or "*" in asked.principal.organizations:
            raise Refused(403, "plain_refused")
        if "cases:read" not in asked.principal.scopes:
            raise Refused(403, "forbidden", extra={"scope": "cases:read"})
        reason = reason_in({"reason": unquote(request.headers.get("x-reason", ""), errors="replace")})
        if reason is None or len(reason) > _LONGEST_REASON:
            raise Refused(422, "reason_missing", extra={"header": "X-Reason", "limit": _LONGEST_REASON})
        return reason

    async def _noted(self, asked: Asked, act: str, reason: str | None, **facts: str) -> None:
        data = compact({**asked.told, **facts})
        await self._house.store.audit(AuditEntry(asked.principal.client, act, "ledger", reason, data))

    # ---- ledger

    async def ledger(self, request: Request) -> Response:
        """``GET /v1/ledger``."""
        asked = await self.asked(request)
        basis = Basis(word(request, "basis", Basis.RECEIVED))
        reason = await self._reason(request, asked)
        style = Style(asked.chinese, self._today(), plain=reason is not None)
        if asked.form == _JSON:
            if reason is not None:
                await self._noted(asked, "ledger.plain", reason, kind="json", basis=basis)
            return await self._page(request, asked, basis, style)
        kind = "csv" if asked.form == sheets.CSV else "xlsx"
        await self._noted(asked, "ledger.plain" if style.plain else "ledger.export", reason, kind=kind, basis=basis)
        language = "zh" if asked.chinese else "en"
        titles = [console_text(f"ledger.{name}", language) for name in COLUMNS]

        async def rows() -> AsyncIterator[list[str]]:
            async with aclosing(self._ledger.entries(asked.scope, asked.period, (basis,))) as entries:
                async for entry in entries:
                    line = line_of(entry, style)
                    yield [getattr(line, name) for name in COLUMNS]

        return await self._file(asked, f"ledger-{asked.period.start}-{asked.period.end}", titles, rows(), basis)

    async def _page(self, request: Request, asked: Asked, basis: Basis, style: Style) -> Response:
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        if cursor is not None and not isinstance(cursor[0], str):
            raise bad_parameter("cursor")
        after = "" if cursor is None else cursor[0]
        items: list[dict[str, Any]] = []
        more = False
        async with aclosing(self._ledger.entries(asked.scope, asked.period, (basis,), after)) as entries:
            async for entry in entries:
                if len(items) == limit:
                    more = True
                    break
                items.append(_item(entry, style))
        page: dict[str, Any] = {
            **asked.told,
            "basis": basis,
            "masked": not style.plain,
            "definition_version": definitions().version,
            "items": items,
        }
        if more:
            page["cursor"] = pack_cursor([items[-1]["id"]])
        return answer(page)

    async def _file(
        self, asked: Asked, name: str, titles: list[str], rows: AsyncIterator[list[str]], basis: str
    ) -> Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if asked.form == sheets.CSV:
            headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
            return StreamingResponse(
                sheets.csv_stream(titles, rows), headers=headers, media_type="text/csv; charset=utf-8; header=present"
            )
        language = "zh" if asked.chinese else "en"
        notes = [
            (console_text("audit.who", language), asked.principal.client),
            (console_text("col.time", language), iso(self._house.store.now_ms()) or ""),
            ("filter", orjson.dumps({**asked.told, "basis": basis}).decode()),
            ("definition_version", definitions().version),
        ]
        try:
            async with self._turn:
                file = await sheets.xlsx_file(titles, rows, notes)
        except sheets.TooManyRows:
            raise Refused(422, "ledger_too_long", extra={"limit": sheets.MOST_ROWS}) from None
        headers["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
        return StreamingResponse(sheets.pieces(file), headers=headers, media_type=sheets.XLSX)

    # ---- statistics

    async def statistics(self, request: Request) -> Response:
        """``GET /v1/statistics``."""
        asked = await self.asked(request)
        async with self._turn:
            made = await self._ledger.statistics(asked.scope, asked.period)
        if asked.form == _JSON:
            return answer(self._statistics(asked, made))
        chinese = asked.chinese
        titles = ["代码", "统计项", "数值", "口径"] if chinese else ["code", "figure", "value", "definition"]

        async def rows() -> AsyncIterator[list[str]]:
            for item, value in made.items():
                title, rule = (item.zh, item.rule_zh) if chinese else (item.en, item.rule_en)
                yield [item.code, title, _shown(value), rule]
            rate, share = definitions().rate, self._success(made)
            yield [
                "success_rate",
                rate.zh if chinese else rate.en,
                "" if share.percent is None else f"{share.percent}%",
                rate.formula_zh if chinese else rate.formula_en,
            ]

        name = f"statistics-{asked.period.quarter or f'{asked.period.start}-{asked.period.end}'}"
        return await self._file(asked, name, titles, rows(), "")

    def _success(self, made: Statistics) -> Share:
        settings = self._house.settings.report
        return success(made, settings.success_items, settings.success_threshold)

    def _statistics(self, asked: Asked, made: Statistics) -> dict[str, Any]:
        base, rate, share = self._house.publisher.public_base, definitions().rate, self._success(made)
        query = "".join(f"&{name}={value}" for name, value in asked.told.items())
        return {
            **asked.told,
            **({"period": asked.period.quarter} if asked.period.quarter else {}),
            "generated_at": iso(self._house.store.now_ms()),
            "definition_version": definitions().version,
            "items": [
                {
                    "code": item.code,
                    "title_zh": item.zh,
                    "title_en": item.en,
                    "value": _shown(value) if isinstance(value, Decimal) else value,
                    "basis": item.basis,
                    "definition_zh": item.rule_zh,
                    "definition_en": item.rule_en,
                    "ledger": f"{base}/v1/ledger?basis={item.basis}{query}",
                }
                for item, value in made.items()
            ],
            "success_rate": {
                **_share(share),
                "items": list(self._house.settings.report.success_items),
                "formula_zh": rate.formula_zh,
                "formula_en": rate.formula_en,
                "source": rate.source,
            },
        }

    # ---- indicators

    async def indicators(self, request: Request) -> Response:
        """``GET /v1/indicators``."""
        asked = await self.asked(request)
        settings = self._house.settings.report
        async with self._turn:
            _, measured = await self._appraisal.measure(
                asked.scope, asked.period, settings.success_items, settings.success_threshold
            )
        if asked.form == _JSON:
            page = {**asked.told, "generated_at": iso(self._house.store.now_ms()), **versions()}
            return answer(page | {"items": [_indicator(one) for one in measured]})
        chinese = asked.chinese
        titles = (
            ["指标", "数值", "单位", "达标", "口径"] if chinese else ["indicator", "value", "unit", "met", "definition"]
        )

        async def rows() -> AsyncIterator[list[str]]:
            for one in measured:
                told = one.indicator
                yield [
                    told.zh if chinese else told.en,
                    "" if one.value is None else str(one.value),
                    told.unit,
                    _verdict(one.met, chinese),
                    told.rule_zh if chinese else told.rule_en,
                ]

        return await self._file(asked, f"indicators-{asked.period.start}-{asked.period.end}", titles, rows(), "")


def _item(entry: Entry, style: Style) -> dict[str, Any]:
    """A line of the ledger with the classes that the statistics count it by."""
    line = line_of(entry, style)
    columns = {field.name: getattr(line, field.name) for field in fields(Line) if field.name != "lacks"}
    return {
        "id": entry.id,
        **{name: value for name, value in columns.items() if value != ""},
        "status_code": entry.status,
        "classes": [code for code in (entry.dispute, entry.organization_class, entry.result) if code is not None],
        "late": entry.late(style.today),
        "missing": list(missing(entry)),
    }


def _shown(value: Figure) -> str:
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def _share(share: Share) -> dict[str, Any]:
    return {
        "numerator": share.numerator,
        "denominator": share.denominator,
        "percent": share.percent,
        "threshold": share.threshold,
        "met": share.met,
    }


def _verdict(met: bool | None, chinese: bool) -> str:
    if met is None:
        return "–"
    return ("是" if met else "否") if chinese else ("yes" if met else "no")


def _indicator(one: Measured) -> dict[str, Any]:
    told = one.indicator
    made: dict[str, Any] = {
        "code": told.code,
        "group_zh": told.group_zh,
        "group_en": told.group_en,
        "title_zh": told.zh,
        "title_en": told.en,
        "item": told.item,
        "value": one.value,
        "unit": told.unit,
        "met": one.met,
        "definition_zh": told.rule_zh,
        "definition_en": told.rule_en,
    }
    if one.share is not None:
        made |= {"numerator": one.share.numerator, "denominator": one.share.denominator}
        made["threshold"] = one.share.threshold
    elif told.threshold is not None:
        made["threshold"] = told.threshold
    return made


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["台账与统计 Ledger and statistics"])
    desk = Desk(house, door)
    files = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _OFFERED if kind != _JSON}
    forms: dict[int | str, dict[str, Any]] = {200: {"content": {_JSON: {}, **files}}}
    for path, call, summary in (
        ("/v1/ledger", desk.ledger, "电子台账 Ledger"),
        ("/v1/statistics", desk.statistics, "统计 Statistics"),
        ("/v1/indicators", desk.indicators, "评查指标 Indicators"),
    ):
        routes.add_api_route(path, call, methods=["GET"], summary=summary, responses=forms)
    return routes
