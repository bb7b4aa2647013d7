"""Finds the adapters that the configuration names, and fails at start, not at the first case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import structlog
from pydantic import ValidationError

from contracts.adapter import CONTRACT, Adapter, AdapterSettings, Tools
from contracts.messages import MessageType
from gateway.settings import Settings, SettingsRefused

GROUP = "mediation_gateway.adapters"
WEBHOOK = "webhook"
"""The entry point of the adapter that tells events to upstream systems."""

AnyAdapter = Adapter[Any]
Loaders = Mapping[str, Callable[[], type[AnyAdapter]]]
"""Adapters by entry point name; each is loaded when it is wanted."""

log = structlog.get_logger("gateway.registry")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One configured connection with its adapter, made once at start."""

    name: str
    adapter: AnyAdapter
    slots: int
    organizations: frozenset[str] | None


def installed() -> Loaders:
    """Every installed adapter.

    Raises:
        SettingsRefused: two packages offer one name.
    """
    found: dict[str, Callable[[], type[AnyAdapter]]] = {}
    doubled = []
    for point in entry_points(group=GROUP):
        if point.name in found:
            doubled.append(f"adapter {point.name}: two installed packages offer it; remove one")
        found[point.name] = point.load
    if doubled:
        raise SettingsRefused(doubled)
    return found


def connect(
    settings: Settings,
    tools: Callable[[str], Tools],
    adapters: Loaders | None = None,
) -> dict[str, Endpoint]:
    """Every configured endpoint with its adapter. ``tools`` makes what an adapter is handed, by endpoint name.

    Raises:
        SettingsRefused: all findings at once: unknown adapters, foreign contract, refused settings, impossible routes.
    """
    loaders = installed() if adapters is None else adapters
    reasons: list[str] = []
    endpoints: dict[str, Endpoint] = {}
    for name, wanted in settings.endpoints.items():
        loader = loaders.get(wanted.adapter)
        if loader is None:
            reasons.append(
                f"endpoints.{name}.adapter: {wanted.adapter!r} is not installed (there are: {', '.join(sorted(loaders))})"
            )
            continue
        kind = loader()
        if kind.info.contract != CONTRACT:
            reasons.append(
                f"endpoints.{name}: adapter {wanted.adapter} speaks port {kind.info.contract}, not {CONTRACT}"
            )
            continue
        if kind.info.events:
            reasons.append(
                f"endpoints.{name}: {wanted.adapter} is subscribed to (POST /v1/webhook-endpoints), not configured"
            )
            continue
        own = _settings_of(name, kind, wanted.settings, reasons)
        if own is None:
            continue
        organizations = None if wanted.organizations is None else frozenset(wanted.organizations)
        try:
            endpoints[name] = Endpoint(name, kind(name, own, tools(name)), wanted.slots, organizations)
        except ValueError as error:  # a key or envelope that is well-formed and yet cannot be opened
            reasons.append(f"endpoints.{name}.settings: {error}")
    reasons += _impossible_routes(settings, endpoints)
    if reasons:
        raise SettingsRefused(reasons)
    return endpoints


def webhook_kind(adapters: Loaders | None = None) -> type[AnyAdapter] | None:
    """The adapter of the clients' webhooks, which are subscribed to and not configured; ``None`` where none is installed."""
    loader = (installed() if adapters is None else adapters).get(WEBHOOK)
    kind = None if loader is None else loader()
    return kind if kind is not None and kind.info.contract == CONTRACT and kind.info.events else None


def personal_fields(
    connected: Iterable[Endpoint],
    earlier: Iterable[str],
    adapters: Loaders | None = None,
) -> frozenset[str]:
    """Names of wire fields whose codes tell of a person: of the connected platforms and of the adapters that were connected
    ``earlier``, since a wire outlives the endpoint it went to."""
    known = {endpoint.adapter.info.name: endpoint.adapter.info.personal_fields for endpoint in connected}
    loaders = installed() if adapters is None else adapters
    for name in (set(earlier) - known.keys()) & loaders.keys():
        try:
            known[name] = loaders[name]().info.personal_fields
        except Exception as error:  # a stranger's package that cannot be loaded is the concern of whoever configures it
            log.warning("adapter_not_loaded", adapter=name, error=type(error).__name__)
    return frozenset().union(*known.values())


def _settings_of(
    name: str, kind: type[AnyAdapter], given: dict[str, Any], reasons: list[str]
) -> AdapterSettings | None:
    try:
        return kind.settings_type.model_validate(given)
    except ValidationError as error:
        reasons.extend(
            f"endpoints.{name}.settings.{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()
        )
    except ValueError as error:
        reasons.append(f"endpoints.{name}.settings: {error}")
    return None


def _impossible_routes(settings: Settings, endpoints: dict[str, Endpoint]) -> list[str]:
    reasons = []
    for place, route in enumerate(settings.routes):
        endpoint = endpoints.get(route.endpoint)
        if route.type not in set(MessageType):
            reasons.append(f"routes.{place}.type: there is no message type {route.type!r}")
        elif endpoint is None:
            if route.endpoint not in settings.endpoints:
                reasons.append(f"routes.{place}.endpoint: there is no endpoint {route.endpoint!r}")
        elif not route.never and not endpoint.adapter.info.takes(MessageType(route.type)):
            reasons.append(f"routes.{place}: {route.endpoint} does not take {route.type}")
    return reasons
