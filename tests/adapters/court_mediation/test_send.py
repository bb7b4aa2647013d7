"""Filing: uploads before the form, exactly one effect, what the platform refuses, and asking after a lost answer."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from adapters.court_mediation import CourtMediation
from adapters.court_mediation.translate import translate
from contracts.adapter import AttachmentInfo, DeliveryClass, Reply, Wire
from contracts.document import Document
from contracts.errors import EndpointError, PermanentError, Reason, RetryableError
from contracts.messages import MessageType as M
from contracts.referral import ReferralResult
from contracts.update import Reference, StatusUpdate
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import (
    URL,
    Attachments,
    Clock,
    Memory,
    Platform,
    adapter,
    answer,
    form_of,
    html,
    login_page,
    push,
    raw,
    refused,
    reset,
    settings,
)

DATA = {number: f"%PDF-1.7 {number}".encode() for number in docs.ATTACHMENTS}


def _info(number: str) -> AttachmentInfo:
    known = docs.ATTACHMENTS[number]
    digest = hashlib.sha256(DATA[number]).hexdigest().upper()
    return AttachmentInfo(number, known.kind, known.name, known.media_type, len(DATA[number]), digest)


INFOS = {number: _info(number) for number in docs.ATTACHMENTS}


def _attachments() -> Attachments:
    return Attachments((INFOS[number], DATA[number]) for number in INFOS)


def _wire(kind: M, document: Document, about: str = docs.CONFIRMATION_ID, **changes: Any) -> Wire:
    context = docs.context(attachments=INFOS, referral=docs.REFERRAL, **changes)
    return translate(docs.message(kind, document, about), context, settings())


def _application(**changes: Any) -> Wire:
    return _wire(M.CONFIRMATION_REQUESTED, docs.REQUEST_WITH_PAPERS, **changes)


def _answer() -> Wire:
    return _wire(M.REFERRAL_ANSWERED, docs.ANSWER, docs.REFERRAL_ID)


def _court(platform: Platform, **changes: Any) -> CourtMediation:
    return adapter(platform.clock, **({"attachments": _attachments()} | changes))


def test_what_the_adapter_declares() -> None:
    info = CourtMediation.info
    assert (info.name, info.version, info.mapping) == ("court_mediation", "1.0.0", "1")
    assert info.delivery_class is DeliveryClass.QUERYABLE
    assert info.lookup_lag.total_seconds() == 10
    assert (info.connect_s, info.rate_per_s, info.calls_back, info.polls, info.relayed) == (5, 5, True, False, False)


async def test_files_go_first_and_their_ids_into_the_form() -> None:
    platform = Platform()
    wire = _application()
    receipt = await _court(platform).send(wire, platform)
    assert platform.path() == ["login", *["file/upload"] * 4, "sfqr/add"]
    assert [step.filing for step in platform.steps] == [False] * 5 + [True]
    assert {step.within for step in platform.served("file/upload")} == {120}
    assert platform.steps[-1].within == 40
    sent = form_of(platform.steps[-1].request)
    assert sent | {"docList": None} == wire.payload | {"docList": None}
    for entry, planned in zip(sent["docList"], wire.payload["docList"], strict=True):
        file_class, name, media_type, data = platform.files[entry["fileId"]]
        assert (file_class, name, media_type) == (planned["fjlx"], planned["wjmc"], "application/pdf")
        assert data == DATA[planned["attachment"]]
    assert receipt.reference == platform.ledger[0]["uuid"]
    assert receipt.references == (Reference("platform_no", receipt.reference or ""),)


async def test_a_refused_form_brings_the_findings_to_its_sender() -> None:
    platform = Platform()
    finding = {"zd": "applicantPartyList[0].applicantName", "yy": "必填"}
    platform.script("sfqr/add", answer("400", {"errors": [finding]}))
    with pytest.raises(PermanentError) as rejected:
        await _court(platform).send(_application(), platform)
    assert rejected.value.reasons == (Reason("400", "必填", "applicantPartyList[0].applicantName"),)
    assert len(platform.files) == 4, "the uploads stay for the next attempt"


def test_the_adapter_translates_and_reads_with_its_own_settings() -> None:
    court = adapter(configured={"court_codes": {"370102": "鲁0109"}})
    message = docs.message(M.AGREEMENT_PERFORMED, docs.PERFORMANCE, docs.AGREEMENT_ID)
    assert court.translate(message, docs.context()).payload["fydm"] == "鲁0109"
    (found,) = court.parse_callback(push("rwcx", {"rwbh": "WP1"}))
    assert isinstance(found, StatusUpdate)
    assert found.status == "recalled"


async def test_the_wire_stays_as_it_was() -> None:
    platform = Platform()
    wire = _application()
    before = repr(wire)
    await _court(platform).send(wire, platform)
    assert repr(wire) == before


@pytest.mark.parametrize(
    ("kind", "document", "opens"),
    [
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, True),
        (M.CONFIRMATION_REQUESTED, docs.REQUEST_WITH_PAPERS, True),
        (M.TRANSFER_REQUESTED, docs.TRANSFER, True),
        (M.MEDIATOR_LISTED, docs.MEDIATOR, True),
        (M.AGREEMENT_PERFORMED, docs.PERFORMANCE, False),
        (M.CONFIRMATION_SUPPLEMENTED, docs.SUPPLEMENT, False),
        (M.CONFIRMATION_WITHDRAWAL_REQUESTED, docs.WITHDRAWAL, False),
        (M.REFERRAL_ANSWERED, docs.ANSWER, False),
        (M.REFERRAL_RETURNED, docs.RESULT, False),
    ],
)
async def test_every_service_is_filed_at_its_address(kind: M, document: Document, opens: bool) -> None:
    platform = Platform()
    wire = _wire(kind, document)
    receipt = await _court(platform).send(wire, platform)
    assert [step.filing for step in platform.steps].count(True) == 1
    assert platform.steps[-1].request.url == f"http://127.0.0.1:9102/fayuan/a/{wire.operation}"
    assert bool(receipt.references) is opens
    assert [entry["fwlx"] for entry in platform.ledger] == [wire.operation]


async def test_an_over_long_text_is_uploaded_whole() -> None:
    platform = Platform()
    report = "经过：" + "𠮷" * 6000
    result = docs.made(ReferralResult, outcome="failed", at="2026-10-12T17:00:00+08:00", report=report)
    await _court(platform).send(_wire(M.REFERRAL_RETURNED, result, docs.REFERRAL_ID), platform)
    sent = form_of(platform.steps[-1].request)
    file_class, name, media_type, data = platform.files[sent["docList"][0]["fileId"]]
    assert (file_class, name, media_type) == ("12", "qkbg.txt", "text/plain; charset=utf-8")
    assert data.decode("utf-8") == report
    assert sent["qkbg"] == report[:4980] + "（全文见附件）"


# -------------------------------------------------------------------------------------------------------------- uploads


async def test_an_upload_series_goes_on_after_a_login_page_in_its_middle() -> None:
    platform = Platform()
    platform.script("file/upload", None, login_page())
    await _court(platform).send(_application(), platform)
    assert platform.path() == [
        "login",
        "file/upload",
        "file/upload",
        "login",
        "file/upload",
        "file/upload",
        "file/upload",
        "sfqr/add",
    ]
    assert len(platform.files) == 4


async def test_the_next_attempt_goes_on_from_the_uploads_done() -> None:
    platform, attachments = Platform(), _attachments()
    court = _court(platform, attachments=attachments)
    platform.script("file/upload", None, None, reset)
    with pytest.raises(RetryableError) as lost:
        await court.send(_application(), platform)
    assert not lost.value.maybe_accepted, "an upload has no business effect"
    await court.send(_application(), platform)
    assert len(platform.served("file/upload")) == 5
    assert len(platform.files) == 4
    assert attachments.reads == [docs.APPLICATION, docs.PROOF, docs.IDENTITY, docs.IDENTITY, docs.PAPER]


async def test_one_file_under_two_names_is_uploaded_once() -> None:
    platform = Platform()
    copy = "att_01JB2Z9K7Q4NEEEEEEEEEEEEEE"
    same = AttachmentInfo(copy, "other", "b.pdf", "application/pdf", len(DATA[docs.PAPER]), INFOS[docs.PAPER].sha256)
    files = Attachments([(INFOS[docs.PAPER], DATA[docs.PAPER]), (same, DATA[docs.PAPER])])
    papers = [docs.attachment(docs.PAPER, "other"), docs.attachment(copy, "evidence")]
    wire = _wire(M.TRANSFER_REQUESTED, docs.transfer(attachments=papers), docs.TRANSFER_ID)
    await _court(platform, attachments=files).send(wire, platform)
    assert len(platform.files) == 1
    ids = [entry["fileId"] for entry in form_of(platform.steps[-1].request)["docList"]]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_ids_are_remembered_for_less_than_the_platform_keeps_them() -> None:
    platform = Platform()
    court = _court(platform)
    await court.send(_application(delivery="dlv_1"), platform)
    platform.clock.wait(19 * 3600)
    await court.send(_application(delivery="dlv_2"), platform)
    assert len(platform.served("file/upload")) == 4
    platform.clock.wait(2 * 3600)
    await court.send(_application(delivery="dlv_3"), platform)
    assert len(platform.served("file/upload")) == 8


async def test_a_forgotten_upload_is_forgotten_here_too_and_nothing_was_done() -> None:
    platform = Platform()
    memory = Memory(platform.clock)
    court = _court(platform, memory=memory)
    await court.send(_application(delivery="dlv_1"), platform)
    platform.files.clear()
    with pytest.raises(RetryableError) as lost:
        await court.send(_application(delivery="dlv_2"), platform)
    assert (lost.value.code, lost.value.maybe_accepted) == ("1002", False)
    assert not any(key.startswith("file:") for key in memory.kept)
    await court.send(_application(delivery="dlv_2"), platform)
    assert [entry["tjbh"] for entry in platform.ledger] == ["dlv_1", "dlv_2"]


async def test_fresh_uploads_that_are_unknown_are_a_refusal() -> None:
    platform = Platform()
    memory = Memory(platform.clock)
    platform.script("sfqr/add", answer("1002"))
    with pytest.raises(PermanentError) as rejected:
        await _court(platform, memory=memory).send(_application(), platform)
    assert rejected.value.code == "1002"
    assert not any(key.startswith("file:") for key in memory.kept)


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (answer("1001", msg="文件类型不符"), PermanentError, "1001"),
        (answer("413"), PermanentError, "413"),
        (answer("429"), RetryableError, "429"),
        (answer("503"), RetryableError, "503"),
        (html(b"-1"), RetryableError, "minus_one"),
        (raw(b"", 500), RetryableError, "http_500"),
        (answer("200", {"fileId": "a" * 32, "wjdx": "1", "sha256": "0" * 64}), RetryableError, "upload_differs"),
        (answer("403"), EndpointError, "403"),
    ],
)
async def test_a_failed_upload_files_nothing(reply: Reply, kind: type[Exception], code: str) -> None:
    platform = Platform()
    platform.script("file/upload", reply)
    with pytest.raises(kind) as failed:
        await _court(platform).send(_application(), platform)
    assert getattr(failed.value, "code", "") == code
    assert not getattr(failed.value, "maybe_accepted", False)
    assert platform.path() == ["login", "file/upload"]


async def test_a_file_that_is_larger_than_told_is_not_sent() -> None:
    platform = Platform()
    court = adapter(platform.clock, configured={"file_limit": 10}, attachments=_attachments())
    with pytest.raises(PermanentError, match="file_too_large"):
        await court.send(_application(), platform)
    assert platform.path() == []


# -------------------------------------------------------------------------------------------------- the lost answer


@pytest.mark.parametrize(
    ("lost", "filed"),
    [(reset, False), (html(b"-1"), False), (raw(b"", 502), False), (html(b"<html/>"), False), (answer("500"), False)],
)
async def test_a_lost_answer_leaves_the_doubt(lost: Any, filed: bool) -> None:
    platform = Platform()
    platform.script("task/answer", lost)
    with pytest.raises(RetryableError) as doubt:
        await _court(platform).send(_answer(), platform)
    assert doubt.value.maybe_accepted
    assert bool(platform.ledger) is filed


async def test_what_never_left_leaves_none() -> None:
    platform = Platform()
    platform.script("task/answer", refused)
    with pytest.raises(RetryableError) as lost:
        await _court(platform).send(_answer(), platform)
    assert not lost.value.maybe_accepted


async def test_the_query_finds_what_was_filed_once_the_index_has_it() -> None:
    platform = Platform()
    court = _court(platform)
    wire = _answer()
    receipt = await court.send(wire, platform)
    assert await court.lookup(wire, platform) is None, "the index lags"
    platform.clock.wait(10)
    found = await court.lookup(wire, platform)
    assert found is not None
    assert found.reference == receipt.reference
    assert not found.filed_twice
    query = platform.served("query/byTjbh")[-1]
    assert form_of(query.request) == {"tjbh": docs.DELIVERY}
    assert not query.filing
    assert query.within == 40


async def test_a_repeat_that_the_platform_filed_twice_is_told() -> None:
    platform = Platform()
    court = _court(platform)
    wire = _application()
    first = await court.send(wire, platform)
    platform.clock.wait(60)
    await court.send(wire, platform)
    platform.clock.wait(10)
    found = await court.lookup(wire, platform)
    assert found is not None
    assert (found.filed_twice, found.reference) == (True, first.reference)
    assert found.references == (Reference("platform_no", first.reference or ""),)


async def test_the_query_logs_in_again_too() -> None:
    platform = Platform()
    court = _court(platform)
    platform.script("query/byTjbh", login_page())
    assert await court.lookup(_answer(), platform) is None
    assert platform.path() == ["login", "query/byTjbh", "login", "query/byTjbh"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer("400"), EndpointError),
        (answer("403"), EndpointError),
        (answer("500"), RetryableError),
        (html(b"-1"), RetryableError),
        (answer("200"), RetryableError),
    ],
)
async def test_a_query_that_fails_is_no_word_about_the_document(reply: Reply, kind: type[Exception]) -> None:
    platform = Platform()
    platform.script("query/byTjbh", reply)
    with pytest.raises(kind) as failed:
        await _court(platform).lookup(_answer(), platform)
    assert not getattr(failed.value, "maybe_accepted", False)


# ---------------------------------------------------------------------------------------------------------------- probe


async def test_the_probe_needs_no_session() -> None:
    platform = Platform()
    await _court(platform).probe(platform)
    assert platform.path() == ["ping"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (html("<html>门户</html>".encode()), RetryableError),
        (raw(b"", 404), EndpointError),
        (raw(b"", 503), RetryableError),
        (raw(b"", 500), RetryableError),
    ],
)
async def test_a_probe_that_finds_something_else(reply: Reply, kind: type[Exception]) -> None:
    platform = Platform()
    platform.script("ping", reply)
    with pytest.raises(kind) as failed:
        await _court(platform).probe(platform)
    assert not getattr(failed.value, "maybe_accepted", False)


async def test_no_personal_data_in_addresses() -> None:
    """An address is one of the page's own, whatever the documents hold: nothing of them is behind it, plain or encoded."""
    platform = Platform(clock=Clock())
    told = _court(platform)
    for wire in (_application(), _answer()):
        await told.send(wire, platform)
        platform.clock.wait(10)
        await told.lookup(wire, platform)
    await told.probe(platform)
    services = {"login", "file/upload", "sfqr/add", "task/answer", "query/byTjbh", "ping"}
    assert {step.request.url for step in platform.steps} == {f"{URL}/fayuan/a/{service}" for service in services}
