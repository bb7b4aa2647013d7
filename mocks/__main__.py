"""Start mock platforms: ``python -m mocks`` all of them, ``python -m mocks court_mediation --port 9102`` one or some."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from mocks.server import PLATFORMS, MockServer, load

_HELP = """
Each mock speaks its platform's protocol on a port of its own and keeps its state below --data:
  DIR/<platform>/config.json     addresses, keys, limits; written with fresh keys when it is not there
  DIR/<platform>/journal.ndjson  what was received and done, on disk before the answer
Settings of one meaning have one name: rate_per_s, clock_tolerance_s, nonce_memory_s, callback_waits_s, callback_timeout_s,
request_limit, file_limit (bytes). The gateway's endpoint gets the same values as the config.json of its mock. A start with
the same DIR goes on where the last one ended; give its ports again by --ports. Every limit and period is a key of
config.json, changed by --set.

On standard output: one JSON line per mock {"mock": name, "url": …, "config": path}, then {"ready": true}. Where
enterprise_confederation serves its directory by SFTP, its line has "root", "host_key" and "private_key_file" too.
SIGTERM or SIGINT ends it. A tester drives a mock under its own URL, from loopback:
  GET  /_mock/journal?after=N   GET /_mock/records   GET /_mock/requests   GET /_mock/pushes
  POST /_mock/faults [{op, action, times, …}]   GET, DELETE /_mock/faults
  POST /_mock/decide {ref, decision}   POST /_mock/refer {…}   POST /_mock/lose {message_id}
  POST /_mock/autopilot {seed, delay_ms, jitter_ms, mix}   POST /_mock/clock {at} | {shift_s} | {}
  beside: court_mediation GET /_mock/tasks, webhook POST /_mock/trust {endpoint_id, secrets, public_keys},
          enterprise_confederation GET /_mock/sftp

examples:
  python -m mocks --data ./mock-data --callbacks http://127.0.0.1:8080/callbacks
  python -m mocks --ports hr_arbitration=9101,one_stop=9103 --set one_stop.pull_interval_s=0.5
  python -m mocks hr_arbitration --port 9101 --config hr.json
  python -m mocks hr_arbitration one_stop --parent $$
  python -m mocks enterprise_confederation --set enterprise_confederation.root=sftp://gateway@127.0.0.1:0/
  python -m mocks --list
"""
_PARENT_LOOK_S = 0.2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="python -m mocks",
        description="Mock platforms for the integration gateway: real servers, strict checks, failures on command.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("platforms", nargs="*", metavar="PLATFORM", help=f"some of {', '.join(PLATFORMS)}; none = all")
    result.add_argument("--list", action="store_true", help='print {"mocks": [names]} and end')
    result.add_argument(
        "--parent", type=int, metavar="PID", help="end as soon as this process is no longer the parent (it was killed)"
    )
    result.add_argument("--port", type=int, help="port of the one PLATFORM (default: a free one)")
    result.add_argument("--ports", default="", metavar="NAME=PORT,…", help="ports by name (default: free ones)")
    result.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    result.add_argument(
        "--data", type=Path, metavar="DIR", help="where state is kept (default: a new temporary directory)"
    )
    result.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration of the one PLATFORM, used as it stands"
    )
    result.add_argument(
        "--callbacks",
        default="http://127.0.0.1:8080/callbacks",
        metavar="URL",
        help="the gateway's address for callbacks, without the endpoint's name (default: %(default)s)",
    )
    result.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME.KEY=VALUE",
        help="change one key of a configuration (repeatable); VALUE is JSON, or a text",
    )
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code."""
    command = parser()
    options = command.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    names = list(dict.fromkeys(options.platforms)) or list(PLATFORMS)
    if unknown := [name for name in names if name not in PLATFORMS]:
        command.error(f"unknown platform {unknown[0]!r}; known: {', '.join(PLATFORMS)}")
    if options.list:
        _say({"mocks": names})
        return 0
    if len(options.platforms) != 1 and (options.port is not None or options.config is not None):
        command.error("--port and --config need the name of one PLATFORM")
    try:
        ports = _ports(options.ports, names)
        settings = _settings(options.set, names)
    except ValueError as error:
        command.error(str(error))
    if options.port is not None:
        ports[names[0]] = options.port
    data = options.data or Path(tempfile.mkdtemp(prefix="mocks-"))
    servers: list[MockServer] = []
    for name in names:
        try:
            kind = load(name)
        except ImportError as error:
            command.error(f"{name} cannot be loaded: {error}")
        servers.append(
            MockServer(
                kind,
                data / name,
                host=options.host,
                port=ports.get(name),
                config=options.config,
                callbacks=options.callbacks.rstrip("/"),
                settings=settings.get(name),
            )
        )
    try:
        asyncio.run(_serve(servers, options.parent))
    except (OSError, ValueError) as error:
        print(f"mocks: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(servers: list[MockServer], parent: int | None) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    watch = asyncio.create_task(_outlive(parent, end)) if parent is not None else None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    started: list[MockServer] = []
    try:
        for server in servers:
            await server.start()
            started.append(server)
            line = {"mock": server.platform.name, "url": server.url, "config": str(server.config_path)}
            _say(line | server.platform.told())
        _say({"ready": True})
        await end.wait()
    finally:
        if watch is not None:
            watch.cancel()
        for server in reversed(started):
            await server.stop()


async def _outlive(parent: int, end: asyncio.Event) -> None:
    """Ring the end when the parent is gone: a killed process cannot end its children itself."""
    while os.getppid() == parent:  # noqa: ASYNC110 -- a killed parent sets no event
        await asyncio.sleep(_PARENT_LOOK_S)
    end.set()


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _ports(text: str, names: list[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        name, _, port = part.partition("=")
        if name not in PLATFORMS:
            raise ValueError(f"--ports: unknown platform {name!r}; known: {', '.join(PLATFORMS)}")
        if not port.isdigit() or int(port) > 65535:
            raise ValueError(f"--ports: {part!r} is not NAME=PORT")
        if name in names:
            ports[name] = int(port)
    return ports


def _settings(parts: list[str], names: list[str]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    for part in parts:
        target, equals, text = part.partition("=")
        name, dot, key = target.partition(".")
        if not equals or not dot or not key:
            raise ValueError(f"--set: {part!r} is not NAME.KEY=VALUE")
        if name not in names:
            raise ValueError(f"--set: {name!r} is not a platform started here")
        try:
            value: Any = json.loads(text)
        except ValueError:
            value = text
        settings.setdefault(name, {})[key] = value
    return settings


if __name__ == "__main__":
    sys.exit(main())
