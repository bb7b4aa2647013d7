"""Writing (page §3): files in chunks, then the one row; and what a row that stands there already means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.beijing import SECONDS
from adapters.commerce_federation.files import Chunk
from adapters.commerce_federation.replies import code_of, in_maintenance, is_failed, is_postponed, reason_of
from adapters.commerce_federation.wire import Ask, OutRow, Row, Work, text_of, whole
from contracts.adapter import Receipt
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.status import ReferenceKind
from contracts.update import Reference

NEW, TAKEN, DONE, FAILED = range(4)
"""``UPLOAD_STATUS``."""

_STANDING = (
    "SELECT DIGEST, UPLOAD_STATUS, PLAT_NO, FAIL_CODE, substr(FAIL_REASON, 1, 2000), DONE_AT FROM TJ_OUT"
    " WHERE OUT_ID = ?"
)
_SEQUENCE = "SELECT COALESCE(MAX(SEQ_NO), 0) + 1 FROM TJ_OUT WHERE CASE_KEY = ?"
_INSERT = (
    "INSERT INTO TJ_OUT (OUT_ID, BIZ_TYPE, OPERATE_TYPE, CASE_KEY, SEQ_NO, ORG_CODE, NR, FILE_COUNT, DIGEST, CREATED_AT)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (OUT_ID) DO NOTHING RETURNING OUT_ID"
)
_AGAIN = (
    "UPDATE TJ_OUT SET UPLOAD_STATUS = 0, RESEND_COUNT = RESEND_COUNT + 1, FAIL_CODE = NULL, FAIL_REASON = NULL,"
    " DONE_AT = NULL WHERE OUT_ID = ? AND UPLOAD_STATUS = 3 RETURNING OUT_ID"
)
_READER = "SELECT STATE, UNTIL_AT FROM TJ_HEART WHERE NODE = 'READER'"
_CHUNKS = "SELECT FILE_NO, CHUNK_NO, CHUNK_SM3 FROM TJ_FILE WHERE OUT_ID = ?"
_CHUNK = (
    "INSERT INTO TJ_FILE (OUT_ID, FILE_NO, CHUNK_NO, CHUNK_COUNT, FILE_KIND, FILE_NAME, FILE_SIZE, FILE_SM3, CHUNK_SM3,"
    " CHUNK) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How our row stands there."""

    digest: str
    status: int
    plat_no: str | None
    fail_code: str | None
    fail_reason: str | None
    done_at: str | None

    @property
    def may_go_again(self) -> bool:
        """A failed row that step 5 takes: E8x and E9x."""
        return self.status == FAILED and (is_postponed(self.fail_code) or is_failed(self.fail_code))

    def is_due(self, now: datetime, postpone: timedelta) -> bool:
        """Whether a postponed row may go again already. A time of the platform's that is ahead of ours holds nothing."""
        if not is_postponed(self.fail_code):
            return True
        try:
            since = now - SECONDS.read(self.done_at or "")
        except ValueError:
            return True
        return not timedelta(0) <= since < postpone

    def receipt(self, out_id: str) -> Receipt:
        """What the row says of our filing: taken in, or accepted under the platform's number.

        Raises:
            PermanentError: the platform refused it.
        """
        if self.status == FAILED:
            code = self.fail_code or "refused"
            reasons = (reason_of(code, self.fail_reason),)
            raise PermanentError(code, "the platform refused the document", reasons=reasons)
        accepted = self.status == DONE and self.plat_no is not None
        numbers = () if self.plat_no is None else (Reference(ReferenceKind.PLATFORM_NO, self.plat_no),)
        return Receipt(self.plat_no or out_id, numbers, duplicate=True, relayed=not accepted)


def file(row: OutRow, now: datetime, period: timedelta, postpone: timedelta) -> Work[Receipt]:
    """Insert the row; where it stands already, say how, and let one that failed there go again once it is due.

    Raises:
        EndpointError: ``other_content``, the database holds another row under our id.
        PermanentError: the platform refused it for good.
        RetryableError: ``MAINTENANCE``, ``postponed``.
    """
    found = yield from standing(row.out_id)
    if found is None:
        yield from _not_in_maintenance(now, period)
        ((number,),) = yield Ask(_SEQUENCE, (row.case_key,))
        inserted = yield Ask(_INSERT, _values(row, whole(number), now))
        if inserted:
            return Receipt(row.out_id, relayed=True)
        found = yield from standing(row.out_id)
    if found is None:
        raise RetryableError("database_busy", "a row under our id came and went")
    proven(row, found)
    if not found.may_go_again:
        return found.receipt(row.out_id)
    if not found.is_due(now, postpone):
        raise RetryableError("postponed", "the platform takes the row later")
    yield from _not_in_maintenance(now, period)
    yield Ask(_AGAIN, (row.out_id,))
    return Receipt(row.out_id, duplicate=True, relayed=True)


def standing(out_id: str) -> Work[Standing | None]:
    """Our row as it stands; ``None``: it is not there (or no longer)."""
    rows: Sequence[Row] = yield Ask(_STANDING, (out_id,))
    if not rows:
        return None
    digest, status, plat_no, code, reason, done_at = rows[0]
    return Standing(
        str(digest),
        whole(status),
        text_of(plat_no) or None,
        code_of(code),
        text_of(reason),
        text_of(done_at),
    )


def proven(row: OutRow, found: Standing) -> None:
    """Raise ``EndpointError`` (``other_content``) where the row under our id is not ours."""
    if found.digest != row.digest:
        raise EndpointError("other_content", "the database holds another row under our id")


def _not_in_maintenance(now: datetime, period: timedelta) -> Work[None]:
    rows: Sequence[Row] = yield Ask(_READER)
    if rows and rows[0][0] == "MAINT" and (waits := in_maintenance(rows[0][1], now, period)) is not None:
        raise waits


def _values(row: OutRow, number: int, now: datetime) -> tuple[str | int, ...]:
    before = (row.out_id, row.biz_type, row.operate_type, row.case_key, number, row.org_code)
    return (*before, row.nr, row.file_count, row.digest, SECONDS.write(now))


def chunks_there(out_id: str) -> Work[dict[tuple[int, int], str] | None]:
    """The chunks that stand there already with their digests; ``None`` where the row itself does: no more are needed."""
    if (yield from standing(out_id)) is not None:
        return None
    rows: Sequence[Row] = yield Ask(_CHUNKS, (out_id,))
    return {(whole(file_no), whole(number)): str(sm3) for file_no, number, sm3 in rows}


def put_chunk(out_id: str, chunk: Chunk) -> Work[None]:
    """One chunk; a repeat changes nothing."""
    yield Ask(_CHUNK, chunk.values(out_id))
