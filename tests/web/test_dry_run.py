"""A dry run stores nothing, and whoever asks for one is never taken for one who does not."""

from __future__ import annotations

import pytest

from tests.web.site import Site


@pytest.mark.parametrize("wish", ["true", "True", "1"])
async def test_a_dry_run_stores_nothing(site: Site, wish: str) -> None:
    before = await site.counts()
    response = await site.post(f"/v1/cases?dry_run={wish}", site.case_body())
    assert response.status_code == 200, response.text
    assert response.json()["dry_run"] is True
    assert await site.counts() == before


@pytest.mark.parametrize("wish", ["yes", "", "maybe", "true "])
async def test_a_wish_that_is_not_understood_is_refused(site: Site, wish: str) -> None:
    before = await site.counts()
    response = await site.up.post("/v1/cases", params={"dry_run": wish}, json=site.case_body())
    assert (response.status_code, response.json()["parameter"]) == (400, "dry_run")
    assert await site.counts() == before


async def test_a_dry_run_misses_the_files_that_the_real_one_would(site: Site) -> None:
    unknown = {"id": "att_01M7Q5CQG057N683VPG2HEWAGG", "kind": "evidence", "name": "证据.pdf"}
    body = site.case_body({"/attachments": [unknown]})
    for path in ("/v1/cases?dry_run=true", "/v1/cases"):
        refused = await site.post(path, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "attachment_unknown")
        assert [one["pointer"] for one in refused.json()["errors"]] == ["/attachments/0/id"]


async def test_there_is_no_dry_run_of_anything_else(site: Site) -> None:
    case = await site.case()
    body = {"schema_version": "1.0", "status": "mediating", "at": "2026-09-20T09:00:00+08:00"}
    response = await site.post(f"/v1/cases/{case}/progress?dry_run=true", body)
    assert (response.status_code, response.json()["parameter"]) == (400, "dry_run")


async def test_no_dry_run_is_no_dry_run(site: Site) -> None:
    assert (await site.post("/v1/cases?dry_run=false", site.case_body())).status_code == 202


async def test_refusals_carry_what_http_wants(site: Site) -> None:
    assert (await site.nobody.get("/v1/cases")).headers["WWW-Authenticate"] == "Bearer"
    refused = await site.up.delete("/v1/cases")
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].replace(" ", "").split(",")) <= {"GET", "POST"}
