"""Places of sealed columns: what a seal is bound to (``table.column:id``), where more than one room opens it."""

from __future__ import annotations


def place_of(message_id: str) -> str:
    """The seal's place of a message's document."""
    return f"messages.document:{message_id}"
