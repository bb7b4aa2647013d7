"""The rivals as processes: their environment, their servers, their web and worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.ground import Ground, Receiver
from tests.servers.process import Child, answers, free_port

_ROOM = Path(__file__).parent / "rivals"
_ROOT = Path(__file__).parents[2]
ENVIRONMENT = Path(os.environ.get("GATEWAY_BENCH_RIVALS", _ROOM / ".venv"))
"""Where the rivals' virtual environment lies; made at the first use."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One rival: what prepares its database, and its worker's command, after the environment's ``bin``."""

    name: str
    module: str
    engine: str
    worker: tuple[str, ...]
    prepare: tuple[str, ...] = ()


RIVALS = (
    Rival(
        "Celery + Redis",
        "celery_redis",
        "redis",
        ("celery", "-A", "tests.bench.rivals.celery_redis:app", "worker", "-c", "2", "-l", "ERROR", "--without-gossip"),
    ),
    Rival(
        "taskiq + Redis",
        "taskiq_redis",
        "redis",
        ("taskiq", "worker", "tests.bench.rivals.taskiq_redis:broker", "--workers", "1", "--max-async-tasks", "64"),
    ),
    Rival("PgQueuer", "pgqueuer", "postgresql", ("python", "-m", "tests.bench.rivals.pgqueuer"), ("pgq", "install")),
    Rival(
        "Procrastinate",
        "procrastinate_pg",
        "postgresql",
        ("procrastinate", "--app=tests.bench.rivals.procrastinate_pg.app", "worker", "--concurrency", "32", "-q", "d"),
        ("procrastinate", "--app=tests.bench.rivals.procrastinate_pg.app", "schema", "--apply"),
    ),
    Rival(
        "Huey",
        "huey_sqlite",
        "sqlite",
        ("huey_consumer", "tests.bench.rivals.huey_sqlite.huey", "-k", "thread", "-w", "8", "-q"),
    ),
)


@dataclass(slots=True)
class Running:
    """A rival at work."""

    port: int
    children: tuple[Child, ...]


def installed() -> Path:
    """The environment's ``bin``; made where it is missing.

    Raises:
        subprocess.CalledProcessError: it could not be made.
    """
    if not (ENVIRONMENT / "bin" / "celery").exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        pip = [str(ENVIRONMENT / "bin" / "pip"), "install", "-q", "-r", str(_ROOM / "requirements.txt")]
        subprocess.run(pip, check=True)
    return ENVIRONMENT / "bin"


def redis(ground: Ground) -> tuple[Child, int] | None:
    """A Redis that syncs every write, as durable as a commit; ``None`` where the machine has none."""
    if shutil.which("redis-server") is None:
        return None
    port = free_port()
    options = (
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--save",
        "",
    )
    return ground.run(["redis-server", "--dir", str(ground.directory), *options], port), port


@contextmanager
def running(ground: Ground, rival: Rival, sink: Receiver) -> Iterator[Running | None]:
    """The rival on a server of its own; ``None`` where that server is not installed."""
    bins = installed()
    found = redis(ground) if rival.engine == "redis" else None
    if rival.engine == "redis" and found is None:
        yield None
        return
    server = ground.postgres() if rival.engine == "postgresql" else None
    env = {"SINK": sink.url, "DIRECTORY": str(ground.directory), "PYTHONPATH": str(_ROOT)}
    children: list[Child] = []
    if found is not None:
        env["REDIS"] = f"redis://127.0.0.1:{found[1]}/0"
    if server is not None:
        env |= {"POSTGRES": server.dsn(), "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres"}
        env["PGDATABASE"] = "postgres"
    if rival.prepare:
        command = [str(bins / rival.prepare[0]), *rival.prepare[1:]]
        subprocess.run(command, check=True, env={**os.environ, **env}, stdout=subprocess.DEVNULL, cwd=_ROOT)
    port = free_port()
    serve = ["python", "-m", "uvicorn", f"tests.bench.rivals.{rival.module}:web", "--port", str(port)]
    serve += ["--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    try:
        for command in (serve, list(rival.worker)):
            children.append(ground.run(["env", *_set(env), str(bins / command[0]), *command[1:]], cwd=_ROOT))
        children[0].until(lambda: answers(port), 60.0)
        beside = [] if found is None else [found[0]]
        yield Running(port, (*children, *beside, *([] if server is None or server.child is None else [server.child])))
    finally:
        ground.end(*children)
        if found is not None:
            ground.end(found[0])
        if server is not None:
            server.stop()


def _set(env: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in env.items()]
