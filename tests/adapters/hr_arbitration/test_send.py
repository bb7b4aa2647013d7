"""Filing against a small platform: uploads first, one filing call, duplicates, lost answers, look-ups, documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from adapters.hr_arbitration import HrArbitration
from adapters.hr_arbitration.translate import translate
from contracts.adapter import AttachmentInfo, DeliveryClass, Reply, Wire
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError
from contracts.messages import MessageType
from contracts.update import DocumentLink, Reference
from tests.adapters.hr_arbitration import documents as docs
from tests.adapters.hr_arbitration import platform as site
from tests.adapters.hr_arbitration.platform import Attachments, Memory, Platform, lost_reply, settings, tools

_PAPERS = {docs.PAPER: b"%PDF-1.7 agreement", docs.APPLICATION: b"%PDF-1.7 application", docs.IDENTITY: b"%PDF-1.7 id"}
_FILES = [
    (AttachmentInfo(number, "kind", "name", "application/pdf", len(data), hashlib.sha256(data).hexdigest()), data)
    for number, data in _PAPERS.items()
]


class Bench:
    """An adapter and the platform it speaks to."""

    def __init__(self, **changes: Any) -> None:
        self.memory = Memory()
        self.attachments = Attachments(_FILES)
        self.platform = Platform(**changes)
        self.adapter = HrArbitration("hr", settings(), tools(memory=self.memory, attachments=self.attachments))


def _progress() -> Wire:
    return translate(docs.message(MessageType.CASE_PROGRESSED, docs.PROGRESS), docs.context())


def _review() -> Wire:
    sent = docs.message(MessageType.CONFIRMATION_REQUESTED, docs.REQUEST, docs.CONFIRMATION_ID)
    return translate(sent, docs.context(case=docs.CASE_WITH_PAPERS))


def test_the_declaration() -> None:
    info = HrArbitration.info
    assert (info.name, info.version, info.delivery_class) == ("hr_arbitration", "1.0.0", DeliveryClass.IDEMPOTENT)
    assert (info.rate_per_s, info.at_once, info.connect_s, info.deadline_s) == (20.0, 8, 5.0, 60.0)
    assert info.calls_back
    assert not info.polls
    assert not info.relayed


@pytest.mark.parametrize("lower_case", [False, True])
async def test_a_message_is_filed_once_and_recognised_when_repeated(lower_case: bool) -> None:
    bench = Bench(lower_case=lower_case)
    first = await bench.adapter.send(_progress(), bench.platform)
    assert first.reference == "90071992547409930000"
    assert first.references == (Reference("platform_no", first.reference),)
    assert not first.duplicate
    assert first.at is not None
    assert first.at.isoformat() == "2026-09-30T17:05:04+08:00"
    again = await bench.adapter.send(_progress(), bench.platform)
    assert (again.reference, again.duplicate) == (first.reference, True)
    assert bench.platform.filed == [("TJ1003", docs.DELIVERY, _progress().payload)]
    one, other = bench.platform.heads
    assert one["serialno"] == other["serialno"] == docs.DELIVERY
    assert one["nonce"] != other["nonce"]


async def test_files_go_first_and_only_the_filing_files() -> None:
    bench = Bench()
    await bench.adapter.send(_review(), bench.platform)
    assert bench.platform.steps == [
        ("upload", "TJ9002", False),
        ("upload", "TJ9002", False),
        ("upload", "TJ9002", False),
        ("file", "TJ2001", True),
    ]
    ids = {data: number for number, data in bench.platform.files.items()}
    (_, _, payload) = bench.platform.filed[0]
    assert payload["BZF000"] == [
        {"BZF001": ids[_PAPERS[docs.APPLICATION]], "BZF005": "01"},
        {"BZF001": ids[_PAPERS[docs.IDENTITY]], "BZF005": "02"},
        {"BZF001": ids[_PAPERS[docs.PAPER]], "BZF005": "05"},
    ]


async def test_the_next_attempt_goes_on_from_the_uploads_done() -> None:
    bench = Bench()
    bench.platform.next_replies = [None, None, lost_reply]  # type: ignore[list-item]  # None: as always
    with pytest.raises(RetryableError):
        await bench.adapter.send(_review(), bench.platform)
    bench.platform.steps.clear()
    bench.attachments.reads.clear()
    await bench.adapter.send(_review(), bench.platform)
    assert bench.platform.steps == [("upload", "TJ9002", False), ("file", "TJ2001", True)]
    assert bench.attachments.reads == [docs.PAPER]


async def test_a_known_upload_gives_the_same_id() -> None:
    bench = Bench()
    await bench.adapter.send(_review(), bench.platform)
    for key in list(bench.memory):
        await bench.memory.forget(key)
    await bench.adapter.send(_review(), bench.platform)
    assert len(bench.platform.files) == 3


async def test_a_file_that_the_platform_lost_is_uploaded_again() -> None:
    bench = Bench()
    await bench.adapter.send(_review(), bench.platform)
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "4050")]
    with pytest.raises(PermanentError) as refused:
        await bench.adapter.send(_review(), bench.platform)
    assert refused.value.code == "4050"
    bench.platform.steps.clear()
    await bench.adapter.send(_review(), bench.platform)
    assert [step for step, _, _ in bench.platform.steps] == ["upload", "upload", "upload", "file"]


async def test_another_refusal_keeps_the_uploads() -> None:
    bench = Bench()
    await bench.adapter.send(_review(), bench.platform)
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "4021")]
    with pytest.raises(PermanentError):
        await bench.adapter.send(_review(), bench.platform)
    assert len(bench.memory) == 3


async def test_an_answer_lost_on_the_way_is_found_again() -> None:
    bench = Bench()
    await bench.adapter.send(_progress(), bench.platform)
    bench.platform.next_replies = [lost_reply]
    with pytest.raises(RetryableError) as lost:
        await bench.adapter.send(_progress(), bench.platform)
    assert lost.value.maybe_accepted
    found = await bench.adapter.lookup(_progress(), bench.platform)
    assert found is not None
    assert found.reference == "90071992547409930000"
    assert not found.duplicate
    assert len(bench.platform.filed) == 1


async def test_what_was_never_filed_is_not_found() -> None:
    bench = Bench()
    assert await bench.adapter.lookup(_progress(), bench.platform) is None
    assert bench.platform.steps == [("lookup", "TJ9001", False)]


async def test_two_look_ups_are_two_questions() -> None:
    bench = Bench()
    await bench.adapter.lookup(_progress(), bench.platform)
    await bench.adapter.lookup(_progress(), bench.platform)
    assert len({head["serialno"] for head in bench.platform.heads}) == 2


async def test_other_content_under_a_known_id_is_refused() -> None:
    bench = Bench()
    await bench.adapter.send(_progress(), bench.platform)
    wire = _progress()
    other = Wire(wire.id, wire.operation, wire.payload | {"AAE013": "另"})
    with pytest.raises(PermanentError) as refused:
        await bench.adapter.send(other, bench.platform)
    assert refused.value.code == "4009"


async def test_the_probe() -> None:
    bench = Bench(lower_case=True)
    await bench.adapter.probe(bench.platform)
    assert bench.platform.steps == [("probe", "TJ0001", False)]
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "0000", {"BZR002": "PING"})]
    with pytest.raises(RetryableError, match="no_pong"):
        await bench.adapter.probe(bench.platform)


async def test_a_used_nonce_is_repeated_at_once_where_nothing_is_filed() -> None:
    bench = Bench()
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "3005")]
    await bench.adapter.probe(bench.platform)
    assert len({head["nonce"] for head in bench.platform.heads}) == 2
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "3005")]
    with pytest.raises(RetryableError) as again:
        await bench.adapter.send(_progress(), bench.platform)
    assert again.value.retry_after == timedelta(0)
    assert len(bench.platform.heads) == 3


@pytest.mark.parametrize(
    ("reply", "kind", "code", "maybe"),
    [
        (Reply(502, (), b"<html>"), RetryableError, "http_502", True),
        (Reply(503, (("Retry-After", "600"),), "停机维护".encode("gb18030")), RetryableError, "http_503", False),
        (Reply(504, (), b""), RetryableError, "http_504", True),
        (Reply(200, (), b""), RetryableError, "not_json", True),
        (Reply(200, (), b"<html>ok</html>"), RetryableError, "not_json", True),
        (Reply(400, (), b"not json"), EndpointError, "http_400", None),
        (Reply(403, (), b"<html>"), EndpointError, "http_403", None),
        (Reply(404, (), b""), EndpointError, "http_404", None),
        (Reply(413, (), b""), EndpointError, "http_413", None),
        (Reply(302, (("Location", "http://elsewhere/"),), b""), EndpointError, "http_302", None),
    ],
)
async def test_the_transport(reply: Reply, kind: type[AdapterError], code: str, maybe: bool | None) -> None:
    bench = Bench()
    bench.platform.next_replies = [lambda _: reply]
    with pytest.raises(kind) as judged:
        await bench.adapter.send(_progress(), bench.platform)
    assert judged.value.code == code
    if isinstance(judged.value, RetryableError):
        assert judged.value.maybe_accepted is maybe
        assert judged.value.retry_after == (timedelta(seconds=600) if reply.status == 503 else None)


async def test_a_success_without_reference_is_garbage() -> None:
    bench = Bench()
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "0000")]
    with pytest.raises(RetryableError) as judged:
        await bench.adapter.send(_progress(), bench.platform)
    assert judged.value.code == "no_reference"
    assert judged.value.maybe_accepted


async def test_a_reference_without_its_time_is_enough() -> None:
    bench = Bench()
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "0000", {"BZR001": "1", "AAE036": "soon"})]
    receipt = await bench.adapter.send(_progress(), bench.platform)
    assert (receipt.reference, receipt.at) == ("1", None)


def _garbage(_: dict[str, str]) -> Reply:
    return Reply(200, (), b"garbage")


async def test_three_unreadable_replies_in_a_row_go_to_the_operator() -> None:
    bench = Bench()
    wrong: list[Callable[[dict[str, str]], Reply]] = [
        _garbage,
        lambda head: bench.platform.reply(head, "0000"),
        lambda head: bench.platform.reply(head, "0000", {"BZR001": "1"}, reqnonce="0" * 32),
    ]
    bench.platform.next_replies = list(wrong)
    for _ in range(2):
        with pytest.raises(RetryableError):
            await bench.adapter.send(_progress(), bench.platform)
    with pytest.raises(EndpointError, match="three unreadable"):
        await bench.adapter.send(_progress(), bench.platform)


async def test_a_readable_reply_between_starts_the_count_again() -> None:
    bench = Bench()
    bench.platform.next_replies = [_garbage, _garbage]
    for _ in range(2):
        with pytest.raises(RetryableError):
            await bench.adapter.send(_progress(), bench.platform)
    await bench.adapter.send(_progress(), bench.platform)
    bench.platform.next_replies = [_garbage, _garbage]
    for _ in range(2):
        with pytest.raises(RetryableError):
            await bench.adapter.send(_progress(), bench.platform)


async def test_the_count_outlives_a_restart() -> None:
    bench = Bench()
    bench.platform.next_replies = [_garbage, _garbage]
    for _ in range(2):
        with pytest.raises(RetryableError):
            await bench.adapter.send(_progress(), bench.platform)
    bench.adapter = HrArbitration("hr", settings(), tools(memory=bench.memory))
    bench.platform.next_replies = [_garbage]
    with pytest.raises(EndpointError):
        await bench.adapter.probe(bench.platform)


async def test_a_document_is_fetched_and_proven() -> None:
    bench = Bench()
    data = b"%PDF-1.7 decision" * 1000
    bench.platform.files["FILE1"] = data
    link = DocumentLink("FILE1", "decision", "仲裁调解书")
    assert await bench.adapter.download(link, bench.platform) == data
    sound = DocumentLink("FILE1", "decision", "仲裁调解书", sha256=hashlib.sha256(data).hexdigest().upper())
    assert await bench.adapter.download(sound, bench.platform) == data
    other = DocumentLink("FILE1", "decision", "仲裁调解书", sha256="0" * 64)
    with pytest.raises(RetryableError, match="wrong_digest"):
        await bench.adapter.download(other, bench.platform)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"BZF002": "0" * 64, "BZF006": "JVBERg=="}, "wrong_digest"),
        ({"BZF002": hashlib.sha256(b"").hexdigest(), "BZF006": ""}, "no_file"),
        ({"BZF002": "0" * 64, "BZF006": "no base64"}, "wrong_digest"),
        ({}, "no_file"),
    ],
)
async def test_a_damaged_document_is_not_taken(body: dict[str, str], code: str) -> None:
    bench = Bench()
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "0000", body)]
    with pytest.raises(RetryableError) as judged:
        await bench.adapter.download(DocumentLink("FILE1", "decision", "x"), bench.platform)
    assert judged.value.code == code
    assert not judged.value.maybe_accepted


async def test_a_message_too_large_for_the_platform_does_not_leave() -> None:
    bench = Bench()
    wire = Wire(docs.DELIVERY, "TJ1003", {"AAE013": "x" * (2 * 1024 * 1024)})
    with pytest.raises(PermanentError, match="too_large"):
        await bench.adapter.send(wire, bench.platform)
    assert bench.platform.heads == []


async def test_a_look_up_without_finding_proves_nothing() -> None:
    bench = Bench()
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "0000", {"BZR001": "1"})]
    with pytest.raises(RetryableError, match="no_finding"):
        await bench.adapter.lookup(_progress(), bench.platform)


async def test_an_upload_without_id_proves_nothing() -> None:
    bench = Bench()
    bench.platform.next_replies = [lambda head: bench.platform.reply(head, "0000", {"BZR001": "1"})]
    with pytest.raises(RetryableError, match="no_file_id") as judged:
        await bench.adapter.send(_review(), bench.platform)
    assert not judged.value.maybe_accepted
    assert bench.memory.keys() == {"unreadable"}


async def test_nothing_personal_is_in_an_address_or_error() -> None:
    bench = Bench()
    bench.platform.next_replies = [
        lambda head: bench.platform.reply(head, "4002", {"BZR003": [{"BZR004": "AAC147", "BZR006": "王建国"}]})
    ]
    with pytest.raises(PermanentError) as refused:
        await bench.adapter.send(_progress(), bench.platform)
    assert "王建国" not in f"{refused.value} {refused.value.text}"
    assert site.APPID in bench.platform.heads[0].values()
