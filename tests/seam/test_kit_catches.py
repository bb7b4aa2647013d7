"""The port's suite fails for every broken adapter, and no check of it is one that cannot fail."""

from __future__ import annotations

import inspect

import pytest

from contracts.conformance import AdapterConformance, Fault, Stage
from tests.seam import broken, broken_senders
from tests.seam.broken import Defect

DEFECTS = (*broken.DEFECTS, *broken_senders.DEFECTS)
CAUGHT = (AssertionError, pytest.fail.Exception)


class Kit(AdapterConformance):
    """The checks, called one by one on stages of their own."""

    def set_up(self) -> Stage:
        raise NotImplementedError


async def run(defect: Defect) -> None:
    """The one check of the kit that the defect is made for, as pytest would run it."""
    check = getattr(Kit(), defect.check)
    async with defect.stage(defect.adapter) as stage:
        result = check(stage, Fault(defect.fault)) if defect.fault is not None else check(stage)
        if inspect.isawaitable(result):
            await result


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.adapter.__name__}-{defect.check}")
async def test_a_broken_adapter_is_caught(defect: Defect) -> None:
    with pytest.raises(CAUGHT):
        await run(defect)


def test_there_are_broken_adapters_enough() -> None:
    assert len({defect.adapter for defect in DEFECTS}) >= 12


def test_every_check_can_fail() -> None:
    checks = {name for name in dir(AdapterConformance) if name.startswith("test_")}
    assert {defect.check for defect in DEFECTS} == checks
