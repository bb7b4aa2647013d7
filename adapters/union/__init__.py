"""union: the unions' mediation platform (工会劳动争议调解平台). See README.md in this room."""

from adapters.union.adapter import UnionPlatform
from adapters.union.settings import UnionSettings

__all__ = ["UnionPlatform", "UnionSettings"]
