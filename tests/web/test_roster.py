"""The roster of mediators (调解员名册): read back by its organisation, under the certificate's number as it is."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest

from tests.web.site import Site, accepted
from tests.web.test_revisions import MEDIATOR


@pytest.mark.parametrize("number", ["LDTJ-3701-2023-0456", "鲁人社/调解/2023/12", "a/../b", "50%/?#", "//"])
async def test_a_mediator_is_read_where_it_was_listed(site: Site, number: str) -> None:
    await site.case()
    body = MEDIATOR | {"certificate_no": number}
    path = f"/v1/mediators/{quote(number, safe='')}"
    taken = await site.put(path, body)
    identifier = accepted(taken)
    home = urlsplit(taken.headers["Location"]).path
    assert home == path
    read = await site.up.get(home)
    assert (read.status_code, read.headers["ETag"]) == (200, '"1"'), read.text
    told = read.json()
    assert (told["id"], told["certificate_no"], told["status"]) == (identifier, number, "active")
    assert (told["document"]["name"], told["links"]["self"]) == ("李明", taken.headers["Location"])
    assert (await site.put(path, body | {"active": False}, headers={"If-Match": '"1"'})).status_code == 202
    left = await site.up.get(home)
    assert (left.json()["status"], left.headers["ETag"]) == ("left", '"2"')


async def test_the_document_is_its_organisations_alone(site: Site) -> None:
    await site.case()
    path = f"/v1/mediators/{MEDIATOR['certificate_no']}"
    accepted(await site.put(path, MEDIATOR))
    assert (await site.stranger.get(path)).status_code == 404
    assert (await site.nobody.get(path)).status_code == 401
    for never in ("/v1/mediators/LDTJ-0", "/v1/mediators/a/b", "/v1/mediators/"):
        refused = await site.up.get(never)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), never
        assert refused.json()["instance"] == "/v1/mediators/{id}"
    listed = (await site.up.get("/v1/mediators")).json()["items"]
    assert [one["certificate_no"] for one in listed] == [MEDIATOR["certificate_no"]]


async def test_a_number_that_is_not_the_documents_is_told(site: Site) -> None:
    await site.case()
    refused = await site.put("/v1/mediators/a%2Fb", MEDIATOR)
    assert (refused.status_code, refused.json()["code"]) == (422, "certificate_no_differs")


async def test_a_mediator_of_another_organisation_is_told_with_its_place(site: Site) -> None:
    await site.case()
    path = f"/v1/mediators/{MEDIATOR['certificate_no']}"
    foreign = await site.put(path, MEDIATOR | {"organization_code": "SD-QD-SN-002"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "organization_foreign")
    assert [one["pointer"] for one in foreign.json()["errors"]] == ["/organization_code"]
