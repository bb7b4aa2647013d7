"""What ledger and statistics read: pages in the order of ids, only what a period can hold, organisations one by one."""

from __future__ import annotations

from gateway.store import reports
from gateway.store.engine import many
from gateway.store.store import Store


def row(number: int, organization: str = "ORG-1", status: str = "received") -> tuple[object, ...]:
    identifier = f"case_{number:026}"
    return (
        identifier,
        "case",
        identifier,
        None,
        organization,
        f"{organization}|{number}",
        None,
        status,
        None,
        1,
        "msg_x",
    )


async def fill(store: Store, *rows: tuple[object, ...]) -> None:
    await store.runner.run(many, "open_matter", rows)


async def seen(store: Store, organizations: tuple[str, ...] | None, since: int, most: int) -> list[int]:
    """The numbers of all cases that the pages give."""
    found: list[int] = []
    after: str | None = ""
    while after is not None:
        page = await store.runner.read(reports.case_page, organizations, after, since, most, False)
        assert len(page.cases) <= most
        found += [int(case["id"][5:]) for case in page.cases]
        after = page.after
    return found


async def test_pages_hold_every_case_once_in_order(store: Store) -> None:
    await fill(store, *(row(number, f"ORG-{number % 3}") for number in range(10)))
    for most in (1, 2, 3, 5, 10, 11):
        assert await seen(store, None, 0, most) == list(range(10)), most
        assert await seen(store, ("ORG-0", "ORG-2"), 0, most) == [n for n in range(10) if n % 3 != 1], most
    assert await seen(store, ("ORG-9",), 0, 5) == []


async def test_what_was_over_before_the_period_is_passed_by(store: Store) -> None:
    """Open cases are looked at whenever they were written last: they may be open at the period's end."""
    statuses = ("received", "accepted", "mediating", "failed", "transferred", "closed", "declined")
    await fill(store, *(row(number, status=status) for number, status in enumerate(statuses)))
    later = store.now_ms() + 86_400_000
    assert await seen(store, None, later, 2) == [0, 1, 2]
    assert await seen(store, ("ORG-1",), 0, 2) == list(range(7))


async def test_organizations_are_named_once(store: Store) -> None:
    await fill(store, *(row(number, f"ORG-{number % 4}") for number in range(12)))
    assert await store.runner.read(reports.organizations) == ["ORG-0", "ORG-1", "ORG-2", "ORG-3"]
    assert await store.runner.read(reports.organizations, 2) == ["ORG-0", "ORG-1"]
