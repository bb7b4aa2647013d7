"""What stands by endpoint and state, as operators read it."""

from __future__ import annotations

from typing import Any

from gateway.store.standing import Standing
from gateway.web.api.answers import iso


def flow_items(found: Standing) -> list[dict[str, Any]]:
    """By endpoint: deliveries that are open, that failed (as they stand) and that are there (ever delivered); calls that wait;
    since when the oldest waits. Webhooks are one."""
    items: dict[str, dict[str, Any]] = {}

    def item(endpoint: str) -> dict[str, Any]:
        return items.setdefault(endpoint, {"endpoint": endpoint, "deliveries": {}})

    for (endpoint, _, state), many in found.deliveries.items():
        counts = item(endpoint)["deliveries"]
        counts[state] = counts.get(state, 0) + many
    for (endpoint, word), many in found.ended.items():
        if word == "delivered":
            item(endpoint)["deliveries"]["delivered"] = many
    for endpoint in {endpoint for endpoint, _ in found.oldest}:
        at = min(at for (name, _), at in found.oldest.items() if name == endpoint)
        item(endpoint)["oldest_pending_at"] = iso(at)
    for (endpoint, state), many in found.callbacks.items():
        item(endpoint).setdefault("callbacks", {})[state] = many
    return [items[name] for name in sorted(items)]
