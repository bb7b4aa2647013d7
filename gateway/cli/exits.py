"""How a command ends: exit codes that a script can rely on, and errors as sentences instead of tracebacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from gateway.client import CallRefused, GatewayUnreachable
from gateway.demo.workspace import PlatformUnknown, StageRefused
from gateway.flow.moving.acts import ActRefused
from gateway.security.passwords import SHORTEST
from gateway.settings import SettingsRefused
from gateway.store.engine import StoreLocked, StoreUnavailable
from gateway.texts import console_text

out = Console(soft_wrap=True, highlight=False)
"""Results: standard output."""

err = Console(stderr=True, soft_wrap=True, highlight=False)
"""Errors and what goes on: standard error."""


class Exit(IntEnum):
    """Exit codes; those from 64 on are of sysexits.h."""

    OK = 0
    FAILED = 1
    """A check found something: the verdict, the doctor."""
    USAGE = 2
    """The command line itself is wrong."""
    NOT_COMPARABLE = 3
    """The platform offers nothing to compare with."""
    NOT_FOUND = 4
    """Nothing goes by that number."""
    REFUSED = 65
    """The gateway refused a document; its findings are told."""
    NO_INPUT = 66
    """A file cannot be read."""
    UNREACHABLE = 69
    """The gateway does not answer."""
    CANNOT_CREATE = 73
    """A file is there already."""
    BUSY = 75
    """Another process has it; later."""
    NO_RIGHT = 77
    """The key is unknown or lacks the scope."""
    CONFIG = 78
    """The configuration cannot be used; all reasons are told."""


CODES_TEXT = (
    "退出码 exit codes: 0 成功 ok · 1 检查未通过 a check failed · 2 用法错误 usage · 3 无法对账 not comparable · "
    "4 未找到 not found · 65 文书被拒 refused · 66 文件不可读 no input · 69 网关不可达 unreachable · 73 文件已存在 exists · "
    "75 被占用 busy · 77 无权限 no right · 78 配置错误 configuration"
)


def leave(code: Exit, *lines: str, machine: bool = False, **facts: object) -> NoReturn:
    """End with sentences on standard error; for a machine also with ``{"error": …}`` on standard output."""
    for line in lines:
        err.print(escape(line))
    if machine:
        typer.echo(orjson.dumps({"error": {"exit": int(code), "messages": list(lines), **facts}}).decode())
    raise typer.Exit(int(code))


def say_json(value: object) -> None:
    """One JSON value as one line on standard output."""
    typer.echo(orjson.dumps(value).decode())


@contextmanager
def explained(machine: bool = False) -> Iterator[None]:
    """Turn what can go wrong into sentences and exit codes."""
    try:
        yield
    except SettingsRefused as error:
        leave(
            Exit.CONFIG,
            "配置不可用，全部原因如下 The configuration cannot be used, all reasons:",
            *(f"  - {reason}" for reason in error.reasons),
            machine=machine,
            reasons=error.reasons,
        )
    except StoreLocked:
        leave(
            Exit.BUSY,
            "数据库正被另一个进程使用：SQLite 只供一个进程。请先停止 gateway serve。",
            "Another process has the database: SQLite carries one process. Stop gateway serve first.",
            machine=machine,
        )
    except StoreUnavailable as error:
        leave(
            Exit.UNREACHABLE,
            f"数据库连不上 The database cannot be reached: {type(error.__cause__ or error).__name__}",
            "核对 database 的地址、账号与权限 check its address, account and rights: gateway doctor",
            machine=machine,
        )
    except StageRefused as error:
        leave(Exit.USAGE if isinstance(error, PlatformUnknown) else Exit.BUSY, str(error), machine=machine)
    except GatewayUnreachable as error:
        leave(
            Exit.UNREACHABLE,
            f"网关没有应答（{error}）。地址对吗？gateway serve 在运行吗？",
            "The gateway does not answer. Is the address right (--to), is gateway serve running?",
            machine=machine,
        )
    except ActRefused as refusal:
        lines = (console_text(refusal.text, language, shortest=SHORTEST) for language in ("zh", "en"))
        leave(Exit.NOT_FOUND if refusal.status == 404 else Exit.USAGE, *lines, machine=machine)
    except CallRefused as error:
        _refused(error, machine)


_TOLD = frozenset({"type", "title", "status", "detail", "instance", "code", "link"})
"""What a problem holds beside its own members: which parameter, which limit, which scope."""


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _refused(error: CallRefused, machine: bool) -> NoReturn:
    code = Exit.REFUSED
    if error.status in (401, 403):
        code = Exit.NO_RIGHT
    elif error.status == 404:
        code = Exit.NOT_FOUND
    elif error.status in (429, 503) or error.code == "busy":
        code = Exit.BUSY
    lines = [f"{error.status} {error.code} {error.title}", *([error.detail] if error.detail else [])]
    lines += [f"  {name}: {told}" for name, told in error.problem.items() if name not in _TOLD and _is_plain(told)]
    lines += [f"  - {found.pointer or '/'}  {found.code}  {found.message_zh} {found.message}" for found in error.errors]
    if error.link is not None:
        lines.append(f"  见 see {error.link}")
    leave(code, *lines, machine=machine, problem=error.problem)
