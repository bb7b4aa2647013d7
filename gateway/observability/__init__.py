"""How the gateway is watched from outside: figures for Prometheus, traces for OpenTelemetry, a board and rules as files."""
