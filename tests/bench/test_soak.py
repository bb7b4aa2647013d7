"""The short form of the long run: nothing of a gateway process grows with the cases that have passed, and none is lost."""

from __future__ import annotations

import pytest

from tests.bench.ground import Ground
from tests.bench.soak import Look, Soaked, soak

RATE, SECONDS = 60.0, 12.0


@pytest.mark.timeout(180)
def test_nothing_grows_with_what_has_passed() -> None:
    with Ground() as ground:
        sink = ground.receiver()
        soaked = soak(ground.gateway(sink.url, logs="warning"), sink, SECONDS, RATE)
    assert soaked.faults() == []
    assert len(soaked.looks) >= SECONDS / 2, "too few looks to tell"


def looked(mib: float = 0.0, files: float = 0.0, tasks: float = 0.0, lost: int = 0, doubled: int = 0) -> Soaked:
    """A run of 20 looks, in which so much more is held at each."""
    looks = [Look(100 * n, 150 + mib * n, round(40 + files * n), round(45 + tasks * n)) for n in range(20)]
    return Soaked(looks, 2000, 2000 - lost, doubled, 1.0)


@pytest.mark.parametrize(
    ("soaked", "told"),
    [
        (looked(mib=0.24), "memory grows by 2.40 MiB"),  # the document of each case
        (looked(files=2), "more open files"),
        (looked(tasks=2), "more tasks"),
        (looked(lost=1), "1999 arrived"),
        (looked(doubled=1), "1 doubled"),
    ],
)
def test_what_grows_is_told(soaked: Soaked, told: str) -> None:
    assert [told in fault for fault in soaked.faults()] == [True]


def test_what_holds_still_is_not() -> None:
    assert looked().faults() == []
