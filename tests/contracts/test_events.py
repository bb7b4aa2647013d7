"""The events: table, data, envelope, filters, and that nothing personal gets in."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from contracts.event_values import FORBIDDEN_KEYS, KEYS, forbidden_keys
from contracts.events import (
    EVENT_NOUNS,
    EVENT_TYPES,
    WITHOUT_CURSOR,
    CaseBound,
    CloudEvent,
    data_problems,
    envelope_schema,
    event_schema,
    is_filter,
    matches,
)
from contracts.status import Noun

unhurried = settings(deadline=None)
"""The machine may be busy: how long one example takes is not what is tested."""

PAGE = """
case.received .revised .accepted .declined .correction_required .mediating .agreed .partly_agreed .failed .withdrawn
.terminated .transferred .closed .alerted .followed_up .noted .unknown_status
agreement.concluded .effective
confirmation.requested .accepted .not_accepted .correction_required .reviewing .confirmed .rejected .withdrawn
.deemed_withdrawn .objected .supplemented .withdrawal_requested .unknown_status
transfer.requested .filed .refused .correction_required .unknown_status
referral.offered .accepted .declined .recalled .expired .returned .unknown_status
fulfilment.performing .performed .partly_performed .breached
clock.started .approaching .expired .suspended .resumed .extended
delivery.delivered .rejected .dead .in_doubt .cancelled .superseded .expired
endpoint.paused .resumed .verification .test .unhealthy .recovered .disabled .secret_rotated
task.opened .resolved
"""
"""The page's table, and beside it what becomes of a clock that stops, goes on or is prolonged."""

EXAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "evt_01K6EXAMPLE0000000000000W",
    "source": "urn:mediation-gateway:sd",
    "type": "confirmation.accepted",
    "subject": "cnf_01K6EXAMPLE0000000000000D",
    "time": "2026-09-28T11:20:00+08:00",
    "datacontenttype": "application/json",
    "dataschema": "https://gateway.example/v1/schemas/event.confirmation.accepted",
    "sequence": "00000000000000000012",
    "partitionkey": "case_01K6EXAMPLE0000000000000B",
    "cursor": "0000000000004711",
    "data": {
        "case": "case_01K6EXAMPLE0000000000000B",
        "source_case_no": "370102-LX001-2026-00123",
        "organization": {"code": "SD-JN-LX-001"},
        "confirmation": "cnf_01K6EXAMPLE0000000000000D",
        "agreement": "agr_01K6EXAMPLE0000000000000C",
        "route": "arbitration_review",
        "status": "accepted",
        "state_before": "requested",
        "at": "2026-09-28T11:20:00+08:00",
        "endpoint": "hr_arbitration",
        "external_refs": [{"endpoint": "hr_arbitration", "kind": "case_no", "value": "历下劳人仲审〔2026〕第45号"}],
        "clocks": [{"rule": "D06", "due": "2026-10-08", "state": "running"}],
        "links": {
            "self": "https://gateway.example/v1/confirmations/cnf_01K6EXAMPLE0000000000000D",
            "case": "https://gateway.example/v1/cases/case_01K6EXAMPLE0000000000000B",
            "timeline": "https://gateway.example/v1/cases/case_01K6EXAMPLE0000000000000B/timeline",
        },
    },
}

VALUES: dict[str, Any] = {
    **{key: EXAMPLE["data"][key] for key in ("case", "source_case_no", "organization", "links", "clocks", "agreement")},
    **{key: EXAMPLE["data"][key] for key in ("confirmation", "route", "at", "endpoint", "external_refs")},
    "transfer": "trf_01K6EXAMPLE0000000000000E",
    "referral": "ref_01K6EXAMPLE0000000000000F",
    "delivery": "dlv_01K6EXAMPLE0000000000000G",
    "message": "msg_01K6EXAMPLE0000000000000H",
    "task": "42",
    "webhook_endpoint": "whe_1",
    "status": "received",
    "state_before": "received",
    "raw_status": "99",
    "reason_code": "large_divergence",
    "level": "major",
    "clock": {
        "rule": "D04",
        "start": "2026-09-25",
        "due": "2026-10-10",
        "latest_safe_time": "2026-10-10T20:00:00+08:00",
        "state": "running",
        "provisional": False,
    },
    "percent": 75,
    "article": "《人民法院在线调解规则》第24条",
    "article_en": "Online Mediation Rules of the People's Courts, art. 24",
    "extended_by": 15,
    "settled_claims": "all",
    "effect_rule": "labor_law",
    "effective_at": "2026-09-25T09:00:00+08:00",
    "to": "arbitration",
    "kind": "court_delegated",
    "task_no": "WP20260928000123",
    "due_at": "2026-10-08",
    "term_no": 1,
    "attempts": 3,
    "code": "4010",
    "challenge": "A" * 43,
    "requested_at": "2026-09-28T11:20:00Z",
    "reason": "gone",
}


def page_types() -> set[str]:
    noun, found = "", set()
    for word in PAGE.split():
        noun = word.partition(".")[0] or noun
        found.add(f"{noun}.{word.partition('.')[2]}")
    return found


def sound_data(event_type: str, *, optional: bool = False) -> dict[str, Any]:
    kind = EVENT_TYPES[event_type]
    data = {key: copy.deepcopy(VALUES[key]) for key in (*kind.required_keys, *(kind.optional if optional else ()))}
    if kind.status:
        data["status"] = kind.status
    if kind.noun is Noun.TASK:
        data["kind"] = "in_doubt"
    return data


def sound_event(event_type: str) -> dict[str, Any]:
    data = sound_data(event_type)
    if EVENT_TYPES[event_type].noun is Noun.CLOCK:
        data["agreement"] = VALUES["agreement"]
    event = {
        **EXAMPLE,
        "type": event_type,
        "data": data,
        "subject": next(data[key] for key in EVENT_TYPES[event_type].subject if key in data),
        "dataschema": f"https://gateway.example/v1/schemas/event.{event_type}",
    }
    if "case" not in data:
        del event["sequence"], event["partitionkey"]
    if event_type in WITHOUT_CURSOR:
        del event["cursor"]
    return event


def refused(event: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        CloudEvent.model_validate(event)
    return str(caught.value)


ALL = sorted(EVENT_TYPES)


# ---------------------------------------------------------------------------------------------------------------- table


def test_the_types_are_those_of_the_page() -> None:
    assert set(EVENT_TYPES) == page_types()


def test_each_type_begins_with_its_noun_and_has_titles() -> None:
    for name, kind in EVENT_TYPES.items():
        assert name == kind.type
        assert name.startswith(f"{kind.noun}.")
        assert "：" in kind.zh
        assert kind.en.isascii()
    assert len({kind.zh for kind in EVENT_TYPES.values()}) == len(EVENT_TYPES)


def test_every_key_of_the_table_has_a_form_and_every_form_is_used() -> None:
    used = {key for kind in EVENT_TYPES.values() for key in (*kind.required_keys, *kind.optional, *kind.subject)}
    assert used | {"task_kind"} == set(KEYS)
    assert not FORBIDDEN_KEYS.intersection(KEYS)


@pytest.mark.parametrize(
    ("event_type", "required"),
    [
        ("case.accepted", {"status", "at"}),
        ("case.alerted", {"level", "at"}),
        ("case.followed_up", {"at"}),
        ("case.noted", {"at", "endpoint"}),
        ("agreement.effective", {"agreement", "settled_claims", "effect_rule"}),
        ("confirmation.supplemented", {"confirmation", "agreement", "route", "status", "at"}),
        ("transfer.unknown_status", {"transfer", "to", "status", "at"}),
        ("fulfilment.breached", {"agreement", "term_no", "status", "at"}),
    ],
)
def test_required_keys_with_a_case(event_type: str, required: set[str]) -> None:
    assert set(EVENT_TYPES[event_type].required_keys) == required | {"case", "source_case_no", "organization", "links"}


@pytest.mark.parametrize(
    ("event_type", "required"),
    [
        ("referral.offered", {"referral", "kind", "task_no", "status", "at"}),
        ("clock.approaching", {"clock"}),
        ("delivery.dead", {"delivery", "message", "endpoint", "status", "at"}),
        ("endpoint.paused", {"endpoint", "at"}),
        ("endpoint.verification", {"webhook_endpoint", "challenge"}),
        ("endpoint.test", {"webhook_endpoint", "requested_at"}),
        ("endpoint.disabled", {"webhook_endpoint", "at", "reason"}),
        ("task.opened", {"task", "kind", "at"}),
    ],
)
def test_required_keys_where_there_may_be_no_case(event_type: str, required: set[str]) -> None:
    assert set(EVENT_TYPES[event_type].required_keys) == required


# ----------------------------------------------------------------------------------------------------------------- data


@pytest.mark.parametrize("event_type", ALL)
def test_sound_data_has_no_problem_and_fits_its_schema(event_type: str) -> None:
    schema = event_schema(event_type)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for optional in (False, True):
        data = sound_data(event_type, optional=optional)
        assert data_problems(event_type, data) == ()
        validator.validate(data)


@pytest.mark.parametrize("event_type", ALL)
def test_a_missing_key_is_found_by_check_and_schema(event_type: str) -> None:
    validator = Draft202012Validator(event_schema(event_type))
    for key in EVENT_TYPES[event_type].required_keys:
        data = sound_data(event_type)
        del data[key]
        assert f"missing:{key}" in data_problems(event_type, data)
        assert not validator.is_valid(data)


@pytest.mark.parametrize("event_type", ALL)
def test_null_is_never_a_value(event_type: str) -> None:
    validator = Draft202012Validator(event_schema(event_type))
    for key in (*EVENT_TYPES[event_type].required_keys, *EVENT_TYPES[event_type].optional):
        data = {**sound_data(event_type, optional=True), key: None}
        assert f"null:{key}" in data_problems(event_type, data)
        assert not validator.is_valid(data)


@pytest.mark.parametrize("key", sorted(FORBIDDEN_KEYS))
def test_no_personal_key_gets_in_at_any_depth(key: str) -> None:
    validator = Draft202012Validator(event_schema("confirmation.accepted"))
    for place in ((), ("organization",), ("clocks", 0), ("external_refs", 0), ("links",)):
        data = copy.deepcopy(EXAMPLE["data"])
        target = data
        for step in place:
            target = target[step]
        target[key] = "x"
        assert f"forbidden:{key}" in data_problems("confirmation.accepted", data)
        assert not validator.is_valid(data)
        assert "forbidden" in refused({**EXAMPLE, "data": data})


def test_the_keys_that_the_receiver_refuses_are_forbidden() -> None:
    theirs = {"name", "id_number", "phone", "detail", "facts", "text", "amount", "note", "account_no"}
    assert theirs <= FORBIDDEN_KEYS


@unhurried
@given(st.recursive(st.none() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_a_forbidden_key_is_found_below_unknown_ones(filling: Any) -> None:
    deep: Any = {"phone": filling}
    for _ in range(2000):
        deep = [{"later": deep}]
    assert list(forbidden_keys(deep)) == ["phone"]


def test_unknown_keys_are_let_pass() -> None:
    data = {**sound_data("case.accepted"), "added_later": {"at": 1}}
    assert data_problems("case.accepted", data) == ()
    Draft202012Validator(event_schema("case.accepted")).validate(data)


@pytest.mark.parametrize("event_type", [name for name in ALL if EVENT_TYPES[name].case is CaseBound.WHERE_KNOWN])
def test_a_case_brings_its_keys_with_it(event_type: str) -> None:
    data = {**sound_data(event_type), "case": VALUES["case"]}
    assert "missing:organization" in data_problems(event_type, data)
    assert not Draft202012Validator(event_schema(event_type)).is_valid(data)
    data |= {key: VALUES[key] for key in ("source_case_no", "organization", "links")}
    assert data_problems(event_type, data) == ()


def test_links_name_the_case_and_its_timeline() -> None:
    data = {**sound_data("case.accepted"), "links": {"self": "https://gateway.example/v1/cases/x"}}
    assert data_problems("case.accepted", data) == ("missing:links.case", "missing:links.timeline")


@pytest.mark.parametrize(
    ("event_type", "key", "value"),
    [
        ("case.accepted", "status", "declined"),
        ("case.unknown_status", "status", "accepted"),
        ("case.accepted", "at", "2026-09-28T11:20:00"),
        ("case.accepted", "at", "2026-13-28T11:20:00Z"),
        ("case.accepted", "at", 1790565605),
        ("case.accepted", "case", "agr_01K6EXAMPLE0000000000000C"),
        ("case.accepted", "organization", {"code": ""}),
        ("case.accepted", "clocks", [{"rule": "D06", "due": "2026-02-30", "state": "running"}]),
        ("case.unknown_status", "raw_status", "x" * 65),
        ("clock.approaching", "percent", 60),
        ("fulfilment.performed", "term_no", "1"),
        ("endpoint.verification", "challenge", "short"),
        ("endpoint.disabled", "reason", "bored"),
        ("task.opened", "kind", "court_delegated"),
        ("referral.offered", "kind", "in_doubt"),
        ("confirmation.requested", "route", "notary"),
    ],
)
def test_a_value_of_another_form_is_a_problem(event_type: str, key: str, value: Any) -> None:
    data = {**sound_data(event_type, optional=True), key: value}
    assert data_problems(event_type, data) == (f"form:{key}",)


def test_problems_repeat_no_value() -> None:
    data = {**sound_data("case.accepted"), "at": "secret-value", "organization": {"code": 1, "name": "secret-name"}}
    assert "secret" not in "".join(data_problems("case.accepted", data))
    assert "secret" not in refused({**EXAMPLE, "data": data, "subject": "secret value"})


def test_schemas_carry_both_titles() -> None:
    for event_type in ALL:
        schema: dict[str, Any] = event_schema(event_type)
        assert schema["title"] == EVENT_TYPES[event_type].en
        assert schema["x-title-zh"] == EVENT_TYPES[event_type].zh
        parts = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]
        for part in parts:
            for key, field in part["properties"].items():
                assert field["title"].isascii(), key
                assert field["x-title-zh"], key


def test_a_schema_is_a_copy() -> None:
    event_schema("case.accepted")["required"] = []
    assert event_schema("case.accepted")["required"]


# ------------------------------------------------------------------------------------------------------------- envelope


def test_the_example_of_the_page_is_valid_and_comes_out_as_it_went_in() -> None:
    event = CloudEvent.model_validate(EXAMPLE)
    assert list(event.model_dump(exclude_none=True).items()) == list(EXAMPLE.items())
    assert json.loads(event.model_dump_json(exclude_none=True)) == EXAMPLE


@pytest.mark.parametrize("event_type", ALL)
def test_every_type_has_a_valid_envelope_that_fits_its_schema(event_type: str) -> None:
    event = sound_event(event_type)
    CloudEvent.model_validate(event)
    schema = envelope_schema(event_type)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(event)
    other = sound_event("case.noted" if event_type != "case.noted" else "case.alerted")
    assert not Draft202012Validator(schema).is_valid(other)


@pytest.mark.parametrize("attribute", [name for name in EXAMPLE if name != "cursor"])
def test_every_attribute_is_needed(attribute: str) -> None:
    event = {name: value for name, value in EXAMPLE.items() if name != attribute}
    assert refused(event)
    assert not Draft202012Validator(envelope_schema("confirmation.accepted")).is_valid(event)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("id", "evt.1"),
        ("source", "urn:mediation-gateway:SD"),
        ("type", "confirmation.granted"),
        ("subject", "cnf_01K6EXAMPLE0000000000000X"),
        ("subject", "agr_01K6EXAMPLE0000000000000C"),
        ("time", "2026-09-28 11:20"),
        ("time", "2026-09-28T11:20:00"),
        ("datacontenttype", "text/json"),
        ("dataschema", "https://gateway.example/v1/schemas/event.confirmation.rejected"),
        ("sequence", "12"),
        ("sequence", "٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠١٢"),
        ("sequence", None),
        ("partitionkey", "case_01K6EXAMPLE0000000000000X"),
        ("cursor", ""),
        ("traceparent", "00-1"),
        ("data_base64", "e30="),
    ],
)
def test_an_unsound_attribute_is_refused(attribute: str, value: Any) -> None:
    refused({**EXAMPLE, attribute: value})


def test_only_the_feeds_events_have_a_cursor() -> None:
    assert {"endpoint.verification", "endpoint.test"} == WITHOUT_CURSOR
    assert "cursor" in refused({**sound_event("endpoint.test"), "cursor": "1"})
    published = {name: value for name, value in EXAMPLE.items() if name != "cursor"}
    assert "cursor" in refused(published)


def test_a_frozen_event_cannot_be_changed() -> None:
    event = CloudEvent.model_validate(EXAMPLE)
    with pytest.raises(ValidationError):
        event.subject = "cnf_x"  # type: ignore[misc]  # frozen is what is tested


# -------------------------------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize("pattern", ["*", "case.*", "clock.approaching", "endpoint.*", *ALL])
def test_known_filters(pattern: str) -> None:
    assert is_filter(pattern)


@pytest.mark.parametrize(
    "pattern", ["", "**", "case", "case.", "case.**", "*.accepted", "cases.*", "case.granted", ".*"]
)
def test_unknown_filters(pattern: str) -> None:
    assert not is_filter(pattern)
    assert not matches([pattern], "case.accepted")


@unhurried
@given(st.sampled_from(ALL), st.sampled_from(ALL))
def test_an_exact_filter_takes_its_type_alone(event_type: str, other: str) -> None:
    unfiltered = EVENT_TYPES[other].unfiltered
    assert matches([event_type], other) == (event_type == other or unfiltered)


@unhurried
@given(st.sampled_from(sorted(EVENT_NOUNS)), st.sampled_from(ALL))
def test_a_noun_filter_takes_its_noun_alone(noun: str, event_type: str) -> None:
    kind = EVENT_TYPES[event_type]
    assert matches([f"{noun}.*"], event_type) == (kind.noun == noun or kind.unfiltered)
    assert matches(["*"], event_type)


def test_news_about_webhooks_ignore_filters_and_news_about_platforms_do_not() -> None:
    unfiltered = {name for name, kind in EVENT_TYPES.items() if kind.unfiltered}
    assert unfiltered == {
        f"endpoint.{name}" for name in ("verification", "test", "unhealthy", "recovered", "disabled", "secret_rotated")
    }
    assert not matches(["case.*"], "endpoint.paused")
    assert not matches([], "case.accepted")
    with pytest.raises(KeyError):
        matches(["*"], "case.granted")
