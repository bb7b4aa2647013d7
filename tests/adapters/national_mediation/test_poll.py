"""What comes in: cases that are handed over and changes, where the lists stand, and what stored items say (page §6)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.national_mediation import codes
from adapters.national_mediation.pulling import Places
from adapters.tables import Losses
from contracts.adapter import InboundCall, Origin, Polled, Reply
from contracts.causes import matters
from contracts.errors import EndpointError, RetryableError, UnreadableCallback
from contracts.lists import CauseTable
from contracts.update import About, DocumentLink, Inbound, Key, KeyKind, ReferralOffered, StatusUpdate

from . import documents as d
from .platform import NOW, Platform, adapter, answer, problem

CHANGE: dict[str, Any] = {
    "changeId": "CH1",
    "seq": 1,
    "at": "2026-09-30T00:00:00.000Z",
    "kind": "CASE_STATUS",
    "caseId": d.THEIR_CASE,
    "externalNo": "370102-LX001-2026-00123",
    "status": "5",
    "rawStatus": "调解中",
}
OFFER: dict[str, Any] = {
    "referralId": d.THEIR_REFERRAL,
    "referralNo": d.TASK_NO,
    "state": "OFFERED",
    "orgCode": "SD-JN-LX-001",
    "regionCode": "370102",
    "causeCode": "20505",
    "offeredAt": "2026-09-15T01:30:00.000Z",
    "dueAt": "2026-09-18T01:30:00.000Z",
}
WHOLE: dict[str, Any] = OFFER | {
    "case": {
        "facts": "拖欠工资三个月。",
        "causeCode": "20505",
        "sourceChannel": "4",
        "amountFen": 1860050,
        "claims": [{"kind": "01", "text": "支付工资", "amountFen": 1860050}],
        "workerCount": 12,
        "collectiveMajor": False,
        "parties": [
            {
                "role": "1",
                "kind": "1",
                "name": "王建国",
                "idType": "01",
                "idNumber": "370102199003071238",
                "sex": "1",
                "birthDate": "1990-03-07",
                "phone": "13853100001",
                "address": {"regionCode": "370102", "detail": "文化东路1号"},
                "serviceAddress": {"regionCode": "370102", "detail": "文化东路1号", "eConsent": True},
                "agents": [{"name": "赵敏", "phone": "13853100002"}],
            },
            {
                "role": "2",
                "kind": "2",
                "name": "某公司",
                "legalName": "孙立",
                "contactName": "周芳",
                "contactPhone": "1",
            },
        ],
        "mediators": [{"certNo": "L1", "name": "李明"}],
    },
    "docs": [{"fileId": "F1", "kind": "01", "name": "申请书.pdf"}, {"fileId": "F1"}, {"name": "x"}, "y"],
}


@pytest.fixture
def platform() -> Platform:
    found = Platform()
    found.say("poll", page(), page())
    return found


def page(*items: dict[str, Any], cursor: str = "c1", more: bool = False, **headers: str) -> Reply:
    """One page of a list."""
    return answer(200, {"items": list(items), "nextCursor": cursor, "hasMore": more}, **headers)


def read(polled: Polled, platform: Platform) -> list[Inbound]:
    """What the items of a poll say."""
    one = adapter(platform)
    return [word for item in polled.items for word in one.parse_callback(call(item.body))]


def call(body: bytes) -> InboundCall:
    """A stored item."""
    return InboundCall("", "", (), body, NOW, origin=Origin.POLL)


def said(**changes: Any) -> StatusUpdate:
    """What one change says."""
    change = {key: value for key, value in (CHANGE | changes).items() if value is not None}
    (word,) = adapter(Platform()).parse_callback(call(json.dumps({"change": change}).encode()))
    assert isinstance(word, StatusUpdate)
    return word


# -------------------------------------------------------------------------------------------------------------- polling


async def test_the_first_poll_looks_back_a_week(platform: Platform) -> None:
    polled = await adapter(platform).poll(None, platform)
    assert polled.items == ()
    assert not polled.more
    assert platform.query("poll") == {"since": "2026-09-23T01:05:00.000Z", "limit": "100"}


async def test_both_lists_go_on_from_their_own_cursors(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("poll", page(cursor="r1"), page(CHANGE, cursor="c1", more=True))
    first = await one.poll(None, platform)
    assert first.more
    platform.say("poll", page(cursor="c2"), page(cursor="r2"), page(cursor="c3"))
    second = await one.poll(first.cursor, platform)
    third = await one.poll(second.cursor, platform)
    asked = [request.url.partition("/v1")[2] for step, request, _ in platform.calls if step == "poll"][2:]
    # A list that has more is asked again at once, and alone: the other one wants its rest.
    assert asked == ["/changes?cursor=c1&limit=100", "/referrals?cursor=r1&limit=10", "/changes?cursor=c2&limit=100"]
    assert Places.read(third.cursor).changes.cursor == "c3"


async def test_an_unchanged_page_is_asked_for_with_its_tag(platform: Platform) -> None:
    one = adapter(platform)
    platform.say(
        "poll", page(cursor="r1"), page(cursor="c1"), page(cursor="r1", ETag='"a"'), page(cursor="c1", ETag='"b"')
    )
    cursor = (await one.poll((await one.poll(None, platform)).cursor, platform)).cursor
    platform.say("poll", Reply(304), Reply(304))
    polled = await one.poll(cursor, platform)
    assert (polled.items, polled.cursor, polled.more) == ((), cursor, False)
    assert dict(platform.request("poll").headers)["If-None-Match"] == '"b"'


async def test_a_tag_belongs_to_its_address_alone(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("poll", page(cursor="r1", ETag='"a"'), page(CHANGE, cursor="c1", ETag='"b"'), page(), page())
    await one.poll((await one.poll(None, platform)).cursor, platform)
    asked = [dict(request.headers) for step, request, _ in platform.calls if step == "poll"]
    assert all("If-None-Match" not in headers for headers in asked)


async def test_a_forgotten_cursor_begins_ten_minutes_before_the_newest_change(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("poll", page(cursor="r1"), page(CHANGE, cursor="c1"))
    cursor = (await one.poll(None, platform)).cursor
    platform.say("poll", page(cursor="r1"), problem(410, "CURSOR_EXPIRED"), page(cursor="r1"), page(cursor="c9"))
    cursor = (await one.poll(cursor, platform)).cursor
    await one.poll(cursor, platform)
    assert platform.query("poll") == {"since": "2026-09-29T23:50:00.000Z", "limit": "100"}


async def test_a_time_to_come_is_nobodys_newest(platform: Platform) -> None:
    one = adapter(platform)
    strange = CHANGE | {"changeId": "CH2", "at": "2099-01-01T00:00:00.000Z"}
    platform.say("poll", page(cursor="r1"), page(CHANGE, strange, cursor="c1"))
    cursor = (await one.poll(None, platform)).cursor
    platform.say("poll", page(cursor="r1"), problem(410, "CURSOR_EXPIRED"), page(cursor="r1"), page(cursor="c9"))
    await one.poll((await one.poll(cursor, platform)).cursor, platform)
    assert platform.query("poll")["since"] == "2026-09-29T23:50:00.000Z"


@pytest.mark.parametrize(
    "at",
    ["9999-12-31T23:59:59.999-08:00", "0001-01-01T00:00:00.000+08:00", "0026-09-30T00:00:00.000Z", "2206-01-01T00:00Z"],
)
async def test_a_time_that_no_document_can_hold_is_none(platform: Platform, at: str) -> None:
    one = adapter(platform)
    platform.say("poll", page(OFFER | {"offeredAt": at}), page(CHANGE | {"at": at}))
    platform.say("referral", answer(200, WHOLE | {"offeredAt": at}))
    offered, changed = read(await one.poll(None, platform), platform)
    assert isinstance(offered, ReferralOffered)
    assert (offered.at, changed.at) == (offered.referral.due_at, NOW)
    with pytest.raises(UnreadableCallback):
        one.parse_callback(call(json.dumps({"referral": WHOLE | {"dueAt": at}}).encode()))


async def test_an_offer_is_lost_to_nobody_before_the_platform(platform: Platform) -> None:
    for reply in (Reply(404, (), b"<html>no such page</html>"), problem(404, "PATH_UNKNOWN")):
        platform.say("poll", page(OFFER), page())
        platform.say("referral", reply)
        with pytest.raises(EndpointError):
            await adapter(platform).poll(None, platform)


@pytest.mark.parametrize("identifier", [None, "国转 3", "..", "R/1"])
async def test_an_offer_that_cannot_be_asked_for_comes_before_a_person(
    platform: Platform, identifier: str | None
) -> None:
    platform.say("poll", page(OFFER | {"referralId": identifier}), page())
    (item,) = (await adapter(platform).poll(None, platform)).items
    assert "referral" not in platform.steps()
    with pytest.raises(UnreadableCallback):
        adapter(platform).parse_callback(call(item.body))


async def test_a_case_handed_over_is_fetched_whole(platform: Platform) -> None:
    taken = OFFER | {"referralId": "R2", "state": "ACCEPTED"}
    platform.say("poll", page(OFFER, taken, OFFER | {"referralId": "R3"}), page())
    platform.say("referral", answer(200, WHOLE), problem(404, "REFERRAL_UNKNOWN"))
    polled = await adapter(platform).poll(None, platform)
    assert [item.event_id for item in polled.items] == [f"offer-{d.THEIR_REFERRAL}"]
    (word,) = read(polled, platform)
    assert isinstance(word, ReferralOffered)
    referral = word.referral
    assert (referral.kind, referral.task_no, referral.organization_code) == (
        "national_platform",
        d.TASK_NO,
        "SD-JN-LX-001",
    )
    assert referral.due_at == datetime(2026, 9, 18, 1, 30, tzinfo=UTC)
    assert [(number.kind, number.value) for number in referral.external_refs] == [
        ("referral_id", d.THEIR_REFERRAL),
        ("file_no", "F1"),
    ], "the papers that came with it are told by their numbers"
    case = referral.case
    assert (case.facts, case.amount, case.channel) == ("拖欠工资三个月。", Decimal("18600.50"), "app")
    assert case.cause is not None
    assert case.cause.path == ("劳动争议", "劳动合同纠纷", "追索劳动报酬纠纷")
    person, unit = case.parties
    assert (person.name, person.sex, person.birth_date) == ("王建国", "male", date(1990, 3, 7))
    assert person.service_address is not None
    assert person.service_address.electronic_consent is True
    assert (unit.kind, unit.credit_code) == ("employer", None)
    assert case.collective is not None
    assert (case.collective.worker_count, case.collective.major) == (12, False)


async def test_little_is_enough_and_nothing_is_invented(platform: Platform) -> None:
    small = {
        "facts": "拖欠工资。",
        "parties": [{"role": "1", "kind": "1", "name": "王建国"}, {"role": "7", "name": "x"}],
    }
    platform.say("poll", page(OFFER), page())
    platform.say("referral", answer(200, OFFER | {"case": small}))
    (word,) = read(await adapter(platform).poll(None, platform), platform)
    assert isinstance(word, ReferralOffered)
    case = word.referral.case
    assert (case.cause, case.amount, case.channel, case.collective, case.claims) == (None, None, None, None, ())
    assert [party.name for party in case.parties] == ["王建国"]
    assert case.parties[0].id_number is None


@pytest.mark.parametrize(
    "reply", [answer(200, {"items": [], "hasMore": False}), Reply(200, (), b"<html>"), problem(503, "BUSY"), Reply(500)]
)
async def test_a_page_that_cannot_be_used_is_asked_for_again(platform: Platform, reply: Reply) -> None:
    platform.say("poll", reply)
    with pytest.raises(RetryableError) as found:
        await adapter(platform).poll(None, platform)
    assert not found.value.maybe_accepted


async def test_a_refused_question_is_for_the_operator(platform: Platform) -> None:
    platform.say("poll", problem(422, "VALIDATION_FAILED"))
    with pytest.raises(EndpointError):
        await adapter(platform).poll(None, platform)


async def test_a_page_that_moves_nothing_ends(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("poll", page(cursor="r1"), page(cursor="c1", more=True), page(cursor="c1", more=True))
    first = await one.poll(None, platform)
    assert first.more
    assert not (await one.poll(first.cursor, platform)).more


async def test_rows_without_number_and_twice_the_same_are_kept_apart(platform: Platform) -> None:
    nameless = {key: value for key, value in CHANGE.items() if key != "changeId"}
    platform.say("poll", page(), page(CHANGE, CHANGE, nameless, {"changeId": "CH2", "amount": 1.5}))
    polled = await adapter(platform).poll(None, platform)
    assert [item.event_id[:4] for item in polled.items] == ["CH1", "raw-", "CH2"]
    assert len({item.digest for item in polled.items}) == 3


@given(st.text())
def test_any_stored_text_leads_somewhere(stored: str) -> None:
    places = Places.read(stored)
    assert Places.read(places.write()) == places


# ---------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("status", "result", "expected"),
    [
        ("1", None, "received"),
        ("2", None, "accepted"),
        ("10", None, "declined"),
        ("7", None, "correction_required"),
        ("5", None, "mediating"),
        ("6", "1", "agreed"),
        ("6", "2", "partly_agreed"),
        ("6", "3", "failed"),
        ("6", "4", "withdrawn"),
        ("6", "5", "terminated"),
        ("6", None, "unknown"),
        ("6", "9", "unknown"),
        ("8", None, "transferred"),
        ("11", None, "transferred"),
        ("99", None, "closed"),
        ("12", None, "unknown"),
        ("77", None, "unknown"),
    ],
)
def test_statuses(status: str, result: str | None, expected: str) -> None:
    word = said(status=status, result=result)
    assert (word.about, word.status, word.raw_status) == (About.CASE, expected, "调解中")


def test_a_case_is_named_by_our_number_and_theirs() -> None:
    assert said().keys == (
        Key(KeyKind.CASE_NO_OF_SOURCE, "370102-LX001-2026-00123"),
        Key(KeyKind.REFERENCE, d.THEIR_CASE, "platform_no"),
    )
    assert said(externalNo=None).keys == (Key(KeyKind.REFERENCE, d.THEIR_CASE, "platform_no"),)


def test_a_correction_says_what_to_supply() -> None:
    word = said(kind="CORRECTION", status=None, reason="补充身份证明")
    assert word.status == "correction_required"
    assert [reason.text for reason in word.reasons] == ["补充身份证明"]


@pytest.mark.parametrize(("kind", "status"), [("REFERRAL_RECALLED", "recalled"), ("REFERRAL_EXPIRED", "expired")])
def test_referrals_end(kind: str, status: str) -> None:
    word = said(kind=kind, referralId=d.THEIR_REFERRAL, reason="当事人撤回")
    assert (word.about, word.status, word.note) == (About.REFERRAL, status, "当事人撤回")
    assert word.keys == (Key(KeyKind.REFERENCE, d.THEIR_REFERRAL, "referral_id"),)


def test_a_report_is_returned() -> None:
    word = said(kind="STAT_RETURNED", externalNo=None, caseId="SD-JN-LX-001/2026Q3", reason="合计不符")
    assert (word.about, word.note) == (About.REPORT, "合计不符")
    assert word.keys == (Key(KeyKind.REFERENCE, "SD-JN-LX-001/2026Q3", "platform_no"),)


def test_an_unknown_kind_is_kept() -> None:
    word = said(kind="NEW_KIND", rawStatus=None, status=None, at="yesterday")
    assert (word.status, word.raw_status, word.at) == ("unknown", "NEW_KIND", NOW)
    word = said(kind="REFERRAL_EXTENDED", status=None, referralId=d.THEIR_REFERRAL)
    assert (word.about, word.status, word.raw_status) == (About.REFERRAL, "unknown", "调解中")
    assert word.keys == (Key(KeyKind.REFERENCE, d.THEIR_REFERRAL, "referral_id"),)


def test_documents_are_links() -> None:
    listed = [
        {"fileId": "F1", "kind": "03", "name": "笔录.pdf", "sha256": "A" * 64, "size": 5},
        {"fileId": "F2", "sha256": "nothing", "size": -1},
        {"name": "x"},
        "y",
    ]
    assert said(docs=listed).documents == (
        DocumentLink("F1", "mediation_record", "笔录.pdf", size=5, sha256="a" * 64),
        DocumentLink("F2", "other", "其他"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"change":[]}',
        b'{"change":{"kind":"CASE_STATUS"}}',
        b'{"change":{"changeId":"a b"}}',
        b'{"change":{"changeId":"CH1","caseId":"C1"}}',
        b'{"change":{"changeId":"CH1","kind":"CASE_STATUS","status":"5"}}',
        b'{"change":{"changeId":"CH1","kind":"REFERRAL_RECALLED","caseId":"C1"}}',
        json.dumps({"referral": OFFER}).encode(),
        json.dumps({"referral": WHOLE | {"orgCode": "SD-OTHER"}}).encode(),
        json.dumps({"referral": WHOLE | {"dueAt": "soon"}}).encode(),
        json.dumps({"referral": WHOLE | {"case": {"facts": " "}}}).encode(),
    ],
)
def test_what_nobody_can_read(body: bytes) -> None:
    with pytest.raises(UnreadableCallback):
        adapter(Platform()).parse_callback(call(body))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*WHOLE, *WHOLE["case"], *WHOLE["case"]["parties"][0]]), inner, max_size=6
            )
        ),
        max_leaves=30,
    )
)
def test_a_hostile_draft_is_read_or_refused(value: object) -> None:
    one = adapter(Platform())
    for body in ({"referral": value}, {"referral": WHOLE | {"case": value}}, {"change": CHANGE | {"docs": value}}):
        try:
            one.parse_callback(call(json.dumps(body).encode()))
        except UnreadableCallback:
            continue


# ------------------------------------------------------------------------------------------------------------- download


async def test_a_document_is_checked(platform: Platform) -> None:
    one = adapter(platform)
    data = b"%PDF-1.7 record"
    digest = hashlib.sha256(data).hexdigest()
    platform.say("download", Reply(200, (("Content-Type", "application/pdf"),), data))
    assert await one.download(DocumentLink("F1", "other", "x", size=len(data), sha256=digest), platform) == data
    for wrong in (DocumentLink("F1", "other", "x", size=3), DocumentLink("F1", "other", "x", sha256="0" * 64)):
        with pytest.raises(RetryableError):
            await one.download(wrong, platform)
    platform.say("download", problem(404, "FILE_NOT_READY"))
    with pytest.raises(RetryableError):
        await one.download(DocumentLink("F1", "other", "x"), platform)


# --------------------------------------------------------------------------------------------------------------- causes


@pytest.mark.parametrize(
    ("table", "path", "code"),
    [
        (CauseTable.COURT_2025, ("劳动争议", "劳动合同纠纷", "确认劳动关系纠纷"), "20501"),
        (CauseTable.COURT_2025, ("劳动争议", "劳动合同纠纷"), "20500"),
        (CauseTable.COURT_2020, ("劳动争议", "劳动合同纠纷", "追索劳动报酬纠纷"), "20505"),
        (CauseTable.COURT_2025, ("劳动争议",), "99999"),
        (CauseTable.ARBITRATION, ("工作时间、休息休假、社会保险、福利、培训以及劳动保护", "社会保险"), "20600"),
        (CauseTable.ARBITRATION, ("工作时间、休息休假、社会保险、福利、培训以及劳动保护", "培训"), "20500"),
    ],
)
def test_causes(table: CauseTable, path: tuple[str, ...], code: str) -> None:
    assert codes.cause_code(table, path, Losses(), "/cause", "causeCode") == code


def test_every_national_number_leads_back() -> None:
    tried = 0
    for matter in matters():
        path = matter.paths.get(CauseTable.COURT_2025)
        if path is None:
            continue
        code = codes.cause_code(CauseTable.COURT_2025, path, Losses(), "/cause", "causeCode")
        if code != codes.NO_CAUSE:
            tried += 1
            assert codes.cause_path(code) == path
    assert tried == 27
