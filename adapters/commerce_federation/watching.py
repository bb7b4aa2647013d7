"""The platform's side as a probe sees it: tables, columns, and the heart of its reader (page §1, §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from adapters.beijing import SECONDS
from adapters.commerce_federation.replies import in_maintenance
from adapters.commerce_federation.wire import Ask, Row, Work
from contracts.errors import EndpointError

_CLOCK = timedelta(seconds=120)
_STOPPED_AFTER = 10
"""Periods without a beat after which the reader does not run."""

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "TJ_OUT": "OUT_ID, BIZ_TYPE, OPERATE_TYPE, CASE_KEY, SEQ_NO, ORG_CODE, NR, FILE_COUNT, DIGEST, CREATED_AT,"
        " UPLOAD_STATUS, RESEND_COUNT, BATCH_NO, TAKEN_AT, DONE_AT, PLAT_NO, FAIL_CODE, FAIL_REASON",
        "TJ_FILE": "OUT_ID, FILE_NO, CHUNK_NO, CHUNK_COUNT, FILE_KIND, FILE_NAME, FILE_SIZE, FILE_SM3, CHUNK_SM3, CHUNK",
        "TJ_IN": "IN_ID, KIND, OUT_ID, CASE_KEY, PLAT_NO, ZT, FAIL_CODE, REASON, HAPPENED_AT, DIGEST, CREATED_AT,"
        " READ_STATUS, READ_AT, READ_NOTE",
        "TJ_HEART": "NODE, BEAT_AT, PERIOD_S, STATE, UNTIL_AT",
        "TJ_DICT": "DICT_TYPE, CODE, NAME, VALID",
    }
)


def look(now: datetime, period: timedelta) -> Work[None]:
    """Tables and columns are there, the reader runs, and its clock is ours.

    Raises:
        EndpointError: ``reader_missing``, ``reader_stopped`` (no beat for ten periods), ``clock``.
        RetryableError: ``MAINTENANCE``, with what is left of it.
    """
    for table, columns in TABLES.items():
        yield Ask(f"SELECT {columns} FROM {table} WHERE 1 = 0")  # noqa: S608 -- names of ours alone, no value
    rows: Sequence[Row] = yield Ask("SELECT BEAT_AT, PERIOD_S, STATE, UNTIL_AT FROM TJ_HEART WHERE NODE = 'READER'")
    if not rows:
        raise EndpointError("reader_missing", "the platform's reader has no heart here")
    beat, seconds, state, until = rows[0]
    if state == "MAINT" and (waits := in_maintenance(until, now, period)) is not None:
        raise waits
    if isinstance(seconds, int) and 0 < seconds <= 86_400:
        period = timedelta(seconds=seconds)
    try:
        age = now - SECONDS.read(str(beat))
    except ValueError:
        raise EndpointError("reader_stopped", "the beat of the platform's reader is no time") from None
    if age > _STOPPED_AFTER * period:
        raise EndpointError("reader_stopped", "the platform's reader has not run for ten periods")
    if abs(age) > _CLOCK + period:
        raise EndpointError("clock", "the platform's clock and ours differ, or its reader is late")
