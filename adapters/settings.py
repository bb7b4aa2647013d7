"""What the settings of several platforms share: the waits between two polls, and organisations that are named once."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self, TypeVar

from pydantic import Field, model_validator

from contracts.adapter import AdapterSettings

_T = TypeVar("_T")


class PolledSettings(AdapterSettings):
    """Settings of a platform whose page names the waits between polls: the engine's own follow them, unless they are given."""

    rests_s: ClassVar[float] = math.inf
    """No wait between two polls is longer, whatever is configured: for a platform that wants to hear from us oftener."""

    poll_min_s: float = Field(5.0, gt=0, description="Shortest wait between two polls")
    poll_max_s: float = Field(900.0, gt=0, description="Longest wait between two polls")

    @model_validator(mode="before")
    @classmethod
    def _paced(cls, values: Any) -> Any:  # Any: whatever stands in the configuration, judged field by field later
        if not isinstance(values, dict):
            return values
        shortest, longest = (values.get(name, cls.model_fields[name].default) for name in ("poll_min_s", "poll_max_s"))
        if not isinstance(shortest, int | float) or not isinstance(longest, int | float):
            return values
        return {"poll_every_s": (shortest, max(shortest, min(longest, cls.rests_s)))} | values

    @model_validator(mode="after")
    def _polls(self) -> Self:
        if self.poll_min_s > self.poll_max_s:
            raise ValueError("poll_min_s is longer than poll_max_s")
        return self


def distinct(names: tuple[_T, ...]) -> tuple[_T, ...]:
    """The organisations, each named once.

    Raises:
        ValueError: one is named twice.
    """
    if len(set(names)) != len(names):
        raise ValueError("an organisation is named twice")
    return names
