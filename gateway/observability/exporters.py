"""Which tracer the OTEL_… variables ask for. The library is looked for here, and imported only where they ask for one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec

import structlog

from gateway.observability.traces import QUIET, Tracer

log = structlog.get_logger("gateway.traces")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the OTEL_… variables name an exporter of traces."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    named = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if named:
        return named != "none"
    return any(environment.get(f"OTEL_EXPORTER_OTLP_{part}ENDPOINT") for part in ("", "TRACES_"))


def installed() -> bool:
    """Whether the extra ``otel`` is there; imports nothing of it."""
    try:
        return find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:
        return False


def from_environment(environment: Mapping[str, str] = os.environ) -> Tracer:
    """The tracer that the OTEL_… variables ask for, ``QUIET`` where they ask for none or the extra is not installed."""
    if not wanted(environment):
        return QUIET
    try:
        from gateway.observability.otel import configured
    except ImportError as error:
        log.warning("traces_missing", error=type(error).__name__, reason="pip install mediation-gateway[otel]")
        return QUIET
    return configured(environment)
