"""Strict checks of a body against the page: every wrong field is found, none of its values is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from mocks import numbers
from mocks.national_mediation import moments, tables
from mocks.national_mediation.problems import Finding
from mocks.national_mediation.reading import Json
from mocks.national_mediation.shape import (
    AGREEMENT,
    ANSWER,
    CASE,
    DISPUTES,
    MOST_FEN,
    ORGANIZATIONS,
    OUTCOMES,
    PERFORMANCE,
    PROGRESS,
    RESULT,
    STATISTICS,
    Entry,
    Form,
    Group,
    Leaf,
    Rows,
)

_REGION = re.compile(r"[0-9]{6}", re.ASCII)
_TOWN = re.compile(r"[0-9]{9}(?:[0-9]{3})?", re.ASCII)
_PHONE = re.compile(r"[0-9+-]{1,20}", re.ASCII)
_PHONE_SIGNS = re.compile(r"[0-9+-]+", re.ASCII)
#: Money is bound by the page, other numbers by what a counter can hold.
_MOST: Final = {Form.FEN: MOST_FEN, Form.COUNT: 2**63 - 1}
#: Of a case that was handed over, these alone are sure (§6).
_SURE: Final = frozenset(("facts", "parties", "name", "role", "kind"))


class Checker:
    """Collects what is wrong with one body.

    ``has_file`` tells whether a file was uploaded. A draft (``whole`` false) must have :data:`_SURE` alone.
    """

    def __init__(self, has_file: Callable[[str], bool], *, whole: bool = True) -> None:
        self._has_file = has_file
        self._whole = whole
        self.findings: list[Finding] = []

    def add(self, field: str, code: str) -> None:
        """One more finding, once for each field and code."""
        finding = Finding(field, code)
        if finding not in self.findings:
            self.findings.append(finding)

    def walk(self, entries: tuple[Entry, ...], value: Json, path: str = "") -> None:
        """Check an object with these entries and no others."""
        known = {entry.name for entry in entries}
        for name in value:
            if name not in known:
                # The name itself is the sender's text: a long or strange one is not repeated.
                shown = name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name, re.ASCII) else "?"
                self.add(f"{path}{shown}", "FIELD_UNKNOWN")
        for entry in entries:
            found = value.get(entry.name)
            place = f"{path}{entry.name}"
            if found is None:
                if entry.required and (self._whole or entry.name in _SURE):
                    self.add(place, "FIELD_MISSING")
            elif isinstance(entry, Leaf):
                self._leaf(entry, found, place)
            elif isinstance(entry, Group):
                self._group(entry, found, place)
            else:
                self._rows(entry, found, place)

    def _group(self, group: Group, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            self.add(place, "FORMAT")
            return
        self.walk(group.entries, value, f"{place}.")

    def _rows(self, rows: Rows, value: Any, place: str) -> None:
        if not isinstance(value, list):
            self.add(place, "FORMAT")
            return
        if rows.required and not value:
            self.add(place, "FIELD_MISSING")
        if rows.most and len(value) > rows.most:
            self.add(place, "FIELD_TOO_LONG")
        for number, row in enumerate(value):
            where = f"{place}[{number}]"
            if rows.leaf is not None:
                self._leaf(rows.leaf, row, where)
            elif isinstance(row, dict):
                kind = row.get("kind")
                more = rows.by_kind.get(kind, ()) if isinstance(kind, str) else ()
                if rows.by_kind and not more:
                    # What else such a row may have is not known: its kind alone is told.
                    self.add(f"{where}.kind", "FIELD_MISSING" if kind is None else "CODE_UNKNOWN")
                    continue
                self.walk((*rows.entries, *more), row, f"{where}.")
            else:
                self.add(where, "FORMAT")

    def _leaf(self, leaf: Leaf, value: Any, place: str) -> None:
        match leaf.form:
            case Form.FLAG:
                if not isinstance(value, bool):
                    self.add(place, "FORMAT")
            case Form.FEN | Form.COUNT:
                whole = isinstance(value, int) and not isinstance(value, bool)
                if not whole or not leaf.least <= value <= _MOST[leaf.form]:
                    self.add(place, "FORMAT")
            case _:
                if not isinstance(value, str) or not value:
                    self.add(place, "FORMAT")
                else:
                    self._text(leaf, value, place)

    def _text(self, leaf: Leaf, value: str, place: str) -> None:
        match leaf.form:
            case Form.CODE:
                if value not in leaf.codes:
                    self.add(place, "CODE_UNKNOWN")
            case Form.FILE:
                if not self._has_file(value):
                    self.add(place, "CODE_UNKNOWN")
            case Form.CREDIT_CODE:
                if not numbers.is_credit_code(value):
                    self.add(place, "CHECKSUM")
            case Form.PHONE if _PHONE_SIGNS.fullmatch(value) and len(value) > 20:
                self.add(place, "FIELD_TOO_LONG")
            case Form.TEXT:
                if leaf.limit and len(value) > leaf.limit:
                    self.add(place, "FIELD_TOO_LONG")
            case _:
                if not _FORMS[leaf.form](value):
                    self.add(place, "FORMAT")


_FORMS: Final[Mapping[Form, Callable[[str], bool]]] = {
    Form.TIME: lambda value: moments.read(value) is not None,
    Form.DATE: moments.is_date,
    Form.REGION: lambda value: _REGION.fullmatch(value) is not None,
    Form.TOWN: lambda value: _TOWN.fullmatch(value) is not None,
    Form.PHONE: lambda value: _PHONE.fullmatch(value) is not None,
}


def check_case(checker: Checker, case: Json, latest: datetime) -> None:
    """A whole case; ``latest`` is the last moment at which it can have been received."""
    checker.walk(CASE, case)
    received, accepted = _moment(case, "receivedAt"), _moment(case, "acceptedAt")
    if received is not None and received > latest:
        checker.add("receivedAt", "ORDER")
    if received is not None and accepted is not None and accepted < received:
        checker.add("acceptedAt", "ORDER")
    for one, other in (("workerCount", "collectiveMajor"), ("collectiveMajor", "workerCount")):
        if one in case and other not in case:
            checker.add(other, "FIELD_MISSING")
    region, town = case.get("regionCode"), case.get("townCode")
    if isinstance(region, str) and isinstance(town, str) and town[:6] != region:
        checker.add("townCode", "ORDER")
    files = case.get("fileIds")
    if isinstance(files, list):
        for number, file in enumerate(files):
            if file in files[:number]:
                checker.add(f"fileIds[{number}]", "FORMAT")
    _check_people(checker, case, whole=True)


def check_draft(checker: Checker, case: Json) -> None:
    """A case that is handed over: what is there must be right, little must be there."""
    checker.walk(CASE, case)
    _check_people(checker, case, whole=False)


def _check_people(checker: Checker, case: Json, *, whole: bool) -> None:
    parties = case.get("parties")
    for number, party in enumerate(parties if isinstance(parties, list) else []):
        if not isinstance(party, dict) or party.get("kind") != tables.PERSON:
            continue
        place = f"parties[{number}]"
        if whole and party.get("role") == tables.APPLICANT and "phone" not in party:
            checker.add(f"{place}.phone", "FIELD_MISSING")
        identity, kind = party.get("idNumber"), party.get("idType")
        if not isinstance(identity, str) or not identity:
            continue
        if isinstance(kind, str) and kind in tables.ID_CHECKED:
            if not numbers.is_resident_id(identity):
                checker.add(f"{place}.idNumber", "CHECKSUM")
        elif "*" in identity:
            checker.add(f"{place}.idNumber", "FORMAT")  # whole numbers alone


def check_progress(checker: Checker, progress: Json) -> None:
    """A step of a case, or a status of its confirmation or transfer."""
    checker.walk(PROGRESS, progress)
    status = progress.get("status")
    if isinstance(status, str) and status in tables.STATUS:
        for name, belongs in (("result", status == tables.ENDED), ("route", status in tables.ROUTED)):
            if belongs and name not in progress:
                checker.add(name, "FIELD_MISSING")
            elif not belongs and name in progress:
                checker.add(name, "FIELD_UNKNOWN")
    _check_end_reason(checker, progress)
    session = progress.get("session")
    if isinstance(session, dict):
        begins, ends = _moment(session, "from"), _moment(session, "to")
        if begins is not None and ends is not None and ends < begins:
            checker.add("session.to", "ORDER")


def _check_end_reason(checker: Checker, body: Json) -> None:
    result = body.get("result")
    unsettled = isinstance(result, str) and result in tables.RESULT and result not in tables.AGREED
    if unsettled and "endReason" not in body:
        checker.add("endReason", "FIELD_MISSING")


def check_agreement(checker: Checker, agreement: Json) -> None:
    """An agreement; the numbers of its terms are distinct."""
    checker.walk(AGREEMENT, agreement)
    terms = agreement.get("terms")
    seen: set[int] = set()
    for number, term in enumerate(terms if isinstance(terms, list) else []):
        no = term.get("no") if isinstance(term, dict) else None
        if isinstance(no, int):
            if no in seen:
                checker.add(f"terms[{number}].no", "FORMAT")
            seen.add(no)


def check_performance(checker: Checker, performance: Json, terms_of: Callable[[str], frozenset[int] | None]) -> None:
    """A fulfilment; ``terms_of`` gives the terms of an agreement filed for this case."""
    checker.walk(PERFORMANCE, performance)
    agreement, term = performance.get("agreementId"), performance.get("termNo")
    if not isinstance(agreement, str) or not agreement:
        return
    terms = terms_of(agreement)
    if terms is None:
        checker.add("agreementId", "ORDER")
    elif isinstance(term, int) and term > 0 and term not in terms:
        checker.add("termNo", "CODE_UNKNOWN")


def check_answer(checker: Checker, answer: Json) -> None:
    """An answer to a referral; to decline needs a reason."""
    checker.walk(ANSWER, answer)
    if answer.get("accept") is False and "reason" not in answer:
        checker.add("reason", "FIELD_MISSING")


def check_result(checker: Checker, result: Json, is_filed: Callable[[str], bool]) -> None:
    """A result of a referral; ``is_filed`` tells whether an agreement was filed for its case."""
    checker.walk(RESULT, result)
    agreement = result.get("agreementId")
    if result.get("result") in ("1", "2") and agreement is None:
        checker.add("agreementId", "FIELD_MISSING")
    if isinstance(agreement, str) and agreement and not is_filed(agreement):
        checker.add("agreementId", "ORDER")
    _check_end_reason(checker, result)


def check_statistics(checker: Checker, report: Json, organization: str) -> None:
    """The quarter's figures and their sums; ``organization`` is the one of the address."""
    checker.walk(STATISTICS, report)
    if isinstance(report.get("orgCode"), str) and report["orgCode"] != organization:
        checker.add("orgCode", "ORDER")
    items = report.get("items")
    if not isinstance(items, dict):
        return
    for whole, parts in (("A01", DISPUTES), ("A01", ORGANIZATIONS), ("R0", OUTCOMES)):
        figures = [_figure(items, name) for name in (whole, *parts)]
        known = [figure for figure in figures if figure is not None]
        if len(known) == len(figures) and known[0] != sum(known[1:]):
            checker.add(f"items.{whole}", "SUM_MISMATCH")
    cases, persons = _figure(items, "C1"), _figure(items, "C2")
    if cases is not None and persons is not None and persons < 10 * cases:
        checker.add("items.C2", "SUM_MISMATCH")


def _figure(items: Mapping[str, Any], name: str) -> int | None:
    value = items.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(body: Mapping[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    return moments.read(value) if isinstance(value, str) else None
