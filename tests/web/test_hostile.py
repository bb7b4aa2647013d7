"""Queries, paths, headers and bodies that somebody sends to find out what breaks: refused, never an error of ours."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.web.site import Site

NUL = "a\x00b"


async def test_the_character_that_databases_refuse(site: Site) -> None:
    """U+0000 in every place of an address: found nothing, or refused; PostgreSQL would take it for a broken text."""
    found = {}
    for path in (
        "/v1/cases/{}",
        "/v1/cases/{}/timeline",
        "/v1/attachments/{}",
        "/v1/webhook-endpoints/{}",
        "/v1/cases?source_case_no={}",
        "/v1/cases?external_ref={}",
        "/v1/clocks?case={}",
        "/v1/ledger?organization={}",
        "/v1/events?type={}",
    ):
        found[path] = (await site.up.get(path.format(quote(NUL)))).status_code
    for path in (
        "/v1/ops/deliveries/{}",
        "/v1/ops/deliveries?case={}",
        "/v1/ops/deliveries?endpoint={}",
        "/v1/ops/tasks?kind={}",
        "/v1/ops/reconciliations?endpoint={}",
        "/v1/ops/reports/{}",
        "/v1/ops/redrives/{}",
    ):
        found[path] = (await site.op.get(path.format(quote(NUL)))).status_code
    assert {path: status for path, status in found.items() if status not in (200, 400, 404)} == {}


async def test_a_key_and_a_client_with_that_character(site: Site) -> None:
    form = {"grant_type": "client_credentials", "client_id": NUL, "client_secret": NUL}
    assert (await site.nobody.post("/v1/oauth2/token", data=form)).status_code == 401


async def test_reasons_are_text(site: Site) -> None:
    """What is kept in the audit trail holds no control characters, whichever way it comes."""
    plain = await site.up.get("/v1/ledger?plain=true", headers={"X-Reason": quote(NUL)})
    assert (plain.status_code, plain.json()["code"]) == (422, "reason_missing")
    for path, body in (
        ("/v1/ops/reports", {"organization": "SD-JN-LX-001", "period": "2026Q1"}),
        ("/v1/ops/clocks/clk_x/suspend", {}),
        ("/v1/ops/reconciliations/rec_x/heal", {}),
        ("/v1/ops/deliveries/dlv_x/redrive", {}),
        ("/v1/ops/redrives", {"filter": {"state": "dead"}, "bound": "zzz"}),
    ):
        refused = await site.op.post(path, json={**body, "reason": NUL})
        assert refused.status_code == 422, path


@pytest.mark.parametrize("side", [[], {}, 1, None, "elsewhere"])
async def test_a_side_that_is_none(site: Site, side: object) -> None:
    body = {"side": side, "pointer": "/a", "reason": "look"}
    refused = await site.op.post("/v1/ops/deliveries/dlv_x/wire/reveal", json=body)
    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, ["/side"])


@pytest.mark.parametrize("path", ["/v1/ops/deliveries", "/v1/ops/tasks", "/v1/ops/orphans"])
async def test_a_state_that_is_none_is_told(site: Site, path: str) -> None:
    refused = await site.op.get(f"{path}?state=deaad")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "state")


@pytest.mark.parametrize(
    "query",
    [
        "tasks?kind=rejectd",
        "tasks?kind=*",
        "deliveries?endpoint=hr",
        "deliveries?endpoint=*",
        "reconciliations?endpoint=hr",
    ],
)
async def test_a_kind_or_endpoint_that_is_none_is_told(site: Site, query: str) -> None:
    refused = await site.op.get(f"/v1/ops/{query}")
    name = query.partition("?")[2].partition("=")[0]
    assert (refused.status_code, refused.json()["code"], refused.json()["parameter"]) == (400, "parameter", name)


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/clocks", "/v1/ops/tasks"])
async def test_a_number_of_thousands_of_digits(site: Site, path: str) -> None:
    for digits in (f"{'0' * 8}1{'9' * 5000}", "9" * 5000, f"{'0' * 5000}1"):
        refused = await site.op.get(f"{path}?limit={digits}")
        assert (refused.status_code, refused.json()["parameter"]) == (400, "limit")
    assert (await site.op.get(f"{path}?limit=000000001")).status_code == 200


SECRET = "张秘密13811112222"


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/v1/clocks/clk_x/suspend", {SECRET: 1}, {""}),
        ("/v1/ops/redrives", {"filter": {SECRET: 1, "13811112222": 1}, SECRET: 1}, {"", "/filter"}),
        ("/v1/cases?dry_run=true", {SECRET: [0] * 1001}, {""}),
    ],
)
async def test_an_unknown_name_is_not_repeated(
    site: Site, path: str, body: dict[str, object], pointers: set[str]
) -> None:
    caller = site.op if "/ops/" in path else site.up
    refused = await site.post(path, body, by=caller)
    told = refused.json()
    assert refused.status_code in (400, 422)
    assert "张" not in refused.text
    assert "1381111" not in refused.text
    assert pointers <= {one["pointer"] for one in told["errors"] if one["code"] in ("unknown_field", "too_long")}


async def test_an_unknown_name_that_is_a_word_is_told(site: Site) -> None:
    """Who misspells finds it in the answer."""
    refused = await site.post("/v1/clocks/clk_x/suspend", {"artikel": 1})
    assert "/artikel" in {one["pointer"] for one in refused.json()["errors"]}
    refused = await site.post("/v1/ops/redrives", {"filter": {"plattform": 1}}, by=site.op)
    assert "/filter/plattform" in {one["pointer"] for one in refused.json()["errors"]}


@pytest.mark.parametrize(
    ("method", "path", "instance"),
    [
        ("GET", f"/v1/cases/{SECRET}", "/v1/cases/{id}"),
        ("GET", f"/v1/cases/{SECRET}/timeline", "/v1/cases/{id}/timeline"),
        ("POST", f"/v1/cases/{SECRET}/progress", "/v1/cases/{id}/progress"),
        ("PUT", f"/v1/mediators/{SECRET}", "/v1/mediators/{id}"),
        ("DELETE", f"/v1/cases/{SECRET}", "/v1/cases/{id}"),
        ("GET", "/v1/cases/case_01K6ABCDEFGHJKMNPQRSTVWXYZ", "/v1/cases/case_01K6ABCDEFGHJKMNPQRSTVWXYZ"),
        (
            "POST",
            "/v1/cases/case_01K6ABCDEFGHJKMNPQRSTVWXYZ/alerts",
            "/v1/cases/case_01K6ABCDEFGHJKMNPQRSTVWXYZ/alerts",
        ),
        ("GET", "/v1/cases?limit=x", "/v1/cases"),
        ("POST", "/callbacks/nobody/" + SECRET, "/callbacks/{endpoint}/{rest}"),
        ("GET", f"/v1/{SECRET}", None),
        ("GET", f"/{SECRET}", None),
        ("GET", f"/v1/cases/%00{SECRET}", None),
    ],
)
async def test_the_place_of_a_refusal_repeats_ids_of_ours_alone(
    site: Site, method: str, path: str, instance: str | None
) -> None:
    headers = {"Content-Type": "application/json"}
    refused = await site.up.request(method, path, content=b"{}", headers=headers)
    assert refused.status_code in (400, 404, 405, 422), refused.text
    assert refused.json().get("instance") == instance
    assert "张" not in refused.text


@pytest.mark.parametrize(("day", "status"), [("2026-W02-1", 200), ("20260105", 200), ("2026-13-01", 400)])
async def test_a_day_is_compared_as_a_day(site: Site, day: str, status: int) -> None:
    """Other spellings of ISO 8601 are days too: clocks that end in March are not due before January."""
    await site.case()
    found = await site.up.get(f"/v1/clocks?due_before={day}")
    assert found.status_code == status
    assert found.json().get("items", []) == []


@pytest.mark.parametrize("path", ["/v1/cases/", "/docs/", "/console", "/"])
async def test_nobody_is_led_to_the_host_that_a_header_names(site: Site, path: str) -> None:
    answered = await site.up.get(path, headers={"Host": "elsewhere.example"})
    assert answered.status_code in (303, 404)
    assert "elsewhere" not in answered.headers.get("location", "")


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "null", "javascript:1", "\xff"])
async def test_an_origin_that_is_none(site: Site, origin: str) -> None:
    headers = {b"Origin": origin.encode("latin-1")}
    refused = await site.nobody.post("/console/login", data={"name": "a", "password": "b"}, headers=headers)
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "parameter"),
    [
        ("reconciliations", {"endpoint": NUL, "from": "2026-01-01", "to": "2026-01-02"}, "endpoint"),
        ("reports", {"organization": NUL, "period": "2026Q1", "reason": "look"}, "organization"),
        ("tasks/tsk_x/assign", {"assignee": NUL, "reason": "look"}, "assignee"),
        ("tasks/tsk_x/resolve", {"cases": [NUL], "reason": "look"}, "cases"),
    ],
)
async def test_a_body_with_that_character(site: Site, path: str, body: dict[str, object], parameter: str) -> None:
    refused = await site.op.post(f"/v1/ops/{path}", json=body)
    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, [f"/{parameter}"])
