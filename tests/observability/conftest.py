"""The fixtures of the rooms that are watched."""

from __future__ import annotations

from tests.flow.conftest import stage, still
from tests.web.conftest import busy

__all__ = ["busy", "stage", "still"]
