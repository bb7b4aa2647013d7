"""The interpreter of the one-stop platform (“一站式”矛盾纠纷多元化解线上平台)."""

from adapters.one_stop.adapter import OneStop
from adapters.one_stop.settings import OneStopSettings

__all__ = ["OneStop", "OneStopSettings"]
