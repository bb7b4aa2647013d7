"""Lists that a caller pages through forward: by id, which is by time."""

from __future__ import annotations

from itertools import product

from contracts.deliveries import DeliveryState
from gateway.store.engine import Operation, Rows


def list_deliveries(state: str, endpoint: str, after: str, most: int) -> Operation[Rows]:
    """The oldest ``most`` deliveries behind ``after`` in this state at this endpoint; either may be empty: any."""
    if not state and not endpoint:
        everything = yield "list_deliveries", [(after, most)]
        return everything
    endpoints = [endpoint] if endpoint else [row["name"] for row in (yield "all_endpoints", [()])]
    asked = [(one, name, after, most) for one, name in product([state] if state else DeliveryState, endpoints)]
    rows = (yield "list_deliveries_in", asked) if asked else []
    return sorted(rows, key=lambda row: str(row["id"]))[:most]
