"""The samples of the contract, and how a test takes one and changes it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.transfer import Transfer

ROOM: Final = Path(__file__).parent.parent / "data" / "samples"

SAMPLES: Final[dict[str, tuple[str, type[Document]]]] = {
    "wages": ("POST cases - wages", Case),
    "collective": ("POST cases - collective, dispatch and using unit", Case),
    "failed": ("POST cases {id} progress - failed", CaseProgress),
    "alert": ("POST cases {id} alerts - collective", CollectiveAlert),
    "agreement": ("POST cases {id} agreements - wages", Agreement),
    "performed": ("POST agreements {id} performances - performed", Performance),
    "judicial": ("POST agreements {id} confirmations - judicial confirmation", ConfirmationRequest),
    "arbitration": ("POST agreements {id} confirmations - arbitration review", ConfirmationRequest),
    "transfer": ("POST cases {id} transfers - to arbitration", Transfer),
}

NOW: Final = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

Body = dict[str, Any]


def sample_bytes(name: str) -> bytes:
    """The sample as the contract ships it."""
    return (ROOM / f"{SAMPLES[name][0]}.json").read_bytes()


@pytest.fixture(scope="session")
def now() -> datetime:
    """A fixed moment after everything that the samples tell."""
    return NOW


@pytest.fixture
def raw_sample() -> Callable[[str], bytes]:
    """The bytes of a sample by its short name."""
    return sample_bytes


@pytest.fixture
def sample() -> Callable[[str], Body]:
    """A sample by its short name, free to be changed."""
    return lambda name: copy.deepcopy(json.loads(sample_bytes(name)))


@pytest.fixture
def kind_of() -> Callable[[str], type[Document]]:
    """The document that a sample is."""
    return lambda name: SAMPLES[name][1]


@pytest.fixture
def wages() -> Case:
    """The wages case."""
    return Case.model_validate_json(sample_bytes("wages"))


@pytest.fixture
def collective() -> Case:
    """The collective case."""
    return Case.model_validate_json(sample_bytes("collective"))


@pytest.fixture
def agreement() -> Agreement:
    """The agreement on the wages case."""
    return Agreement.model_validate_json(sample_bytes("agreement"))
