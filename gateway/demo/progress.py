"""What the watcher sees while cases live: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from contracts.deliveries import DeliveryState
from contracts.status import ConfirmationStatus
from gateway.demo.ledgers import Standing

_LINE_EVERY_S = 3.0
_COLUMNS = (
    DeliveryState.PENDING,
    DeliveryState.RELAYED,
    DeliveryState.DELIVERED,
    DeliveryState.REJECTED,
    DeliveryState.IN_DOUBT,
    DeliveryState.DEAD,
)


class Progress(AbstractContextManager["Progress"]):
    """Shows where things stand."""

    def __init__(self, console: Console, endpoints: list[str]) -> None:
        self._console = console
        self._endpoints = endpoints
        self._live = Live(console=console, refresh_per_second=4, transient=False) if console.is_terminal else None
        self._last = 0.0
        self._shown = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, started: int, finished: int, cases: int, now: Standing) -> None:
        """Show a standing; on a terminal always, elsewhere every few seconds where something changed."""
        if self._live is not None:
            self._live.update(Group(_head(started, finished, cases, now), self._table(now)))
            return
        line = _line(finished, cases, now)
        if line != self._shown and time.monotonic() - self._last >= _LINE_EVERY_S:
            self._last, self._shown = time.monotonic(), line
            self._console.print(line, soft_wrap=True, highlight=False, markup=False)

    def _table(self, now: Standing) -> Table:
        table = Table(show_edge=False, header_style="bold")
        table.add_column("平台 platform", no_wrap=True)
        for state in _COLUMNS:
            table.add_column(state.zh.partition("，")[0], justify="right", no_wrap=True)
        for endpoint in sorted({*now.deliveries, *self._endpoints}):
            states = now.deliveries.get(endpoint, {})
            table.add_row(endpoint, *(str(states.get(state.value, "")) for state in _COLUMNS))
        return table


def _head(started: int, finished: int, cases: int, now: Standing) -> Text:
    told = (
        f"案件 cases {finished}/{cases}（进行中 {started - finished}）  消息 messages {now.messages}  {_decisions(now)}"
    )
    return Text(told, style="cyan")


def _line(finished: int, cases: int, now: Standing) -> str:
    parts = [
        f"{endpoint}: " + " ".join(f"{state}={many}" for state, many in states.items())
        for endpoint, states in now.deliveries.items()
    ]
    return " | ".join([f"cases {finished}/{cases}", *parts, _decisions(now)])


def _decisions(now: Standing) -> str:
    found: dict[str, int] = {}
    for statuses in now.confirmations.values():
        for status, many in statuses.items():
            found[status] = found.get(status, 0) + many
    told = (f"{ConfirmationStatus(status).zh} {many}" for status, many in found.items())
    return "确认 confirmations " + ("、".join(told) or "–")
