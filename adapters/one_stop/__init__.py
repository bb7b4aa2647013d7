"""one_stop: the one-stop platform (“一站式”矛盾纠纷多元化解线上平台). See README.md in this room."""

from adapters.one_stop.adapter import OneStop
from adapters.one_stop.settings import OneStopSettings

__all__ = ["OneStop", "OneStopSettings"]
