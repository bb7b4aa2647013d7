"""A list that is asked for by a word that does not exist says so."""

from __future__ import annotations

import pytest

from tests.web.site import Site


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("/v1/cases?status=acepted", "status"),
        ("/v1/referrals?status=accepted%20", "status"),
        ("/v1/clocks?state=late", "state"),
        ("/v1/mediators?status=received", "status"),
    ],
)
async def test_a_word_that_is_not_in_the_list(site: Site, address: str, parameter: str) -> None:
    response = await site.up.get(address)
    assert (response.status_code, response.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    "address",
    ["/v1/cases?status=accepted", "/v1/referrals?status=offered", "/v1/clocks?state=met", "/v1/mediators?status=left"],
)
async def test_a_word_that_is(site: Site, address: str) -> None:
    assert (await site.up.get(address)).status_code == 200


async def test_a_page_of_one_kind_of_events_ends_where_the_feed_ends(busy: Site) -> None:
    """With a filter and small pages nothing looks like the end that is not."""
    for _ in range(3):
        await busy.case()
    await busy.stage.numbered()
    found, after = 0, "0"
    while items := (page := (await busy.up.get(f"/v1/events?type=case.accepted&limit=1&after={after}")).json())[
        "items"
    ]:
        found, after = found + len(items), page["cursor"]
        assert len(items) == 1
    assert found == 3
