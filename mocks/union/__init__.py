"""Mock of the union platform (工会劳动争议调解平台), written from its page alone."""

from mocks.union.platform import Union

__all__ = ["Union"]
