"""An exchange directory as these tests make it, from the page alone, and the platform's hand in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.beijing import SECONDS
from adapters.enterprise_confederation import EnterpriseConfederation, EnterpriseConfederationSettings
from adapters.enterprise_confederation.account import SftpAccount
from adapters.enterprise_confederation.wire import list_bytes
from contracts import gm
from contracts.adapter import Tools, Wire
from contracts.conformance.stand_ins import tools
from contracts.document import Document
from contracts.errors import AdapterError, EndpointError, RetryableError
from contracts.messages import MessageType

from . import documents as d

NOW = datetime(2026, 9, 17, 2, 0, 30, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
COLUMNS = ("行号", "业务主键", "结果", "平台编号", "错误码", "错误说明", "处理时间")


def settings(root: Path | str, **changes: Any) -> EnterpriseConfederationSettings:
    """Sound settings; at the page's rate of one a second the tests would wait."""
    sound = {"root": str(root), "sender": "SDGW", "rate_per_s": 1000.0}
    return EnterpriseConfederationSettings.model_validate(sound | changes)


def tooled(now: Callable[[], datetime] = lambda: NOW, data: bytes = PDF) -> Tools:
    """Tools with the one paper."""
    return tools(now, {d.PAPER: (d.file(size=len(data)), data)})


def adapter(root: Path, now: Callable[[], datetime] = lambda: NOW, **changes: Any) -> EnterpriseConfederation:
    """The adapter before a directory."""
    return EnterpriseConfederation("confederation", settings(root, **changes), tooled(now))


@dataclass
class Share:
    """The directory, and what the platform does in it. ``reached``: the settings by which we come to it, where it is not
    mounted."""

    root: Path
    reached: dict[str, Any] = field(default_factory=dict)
    adapters: list[EnterpriseConfederation] = field(default_factory=list)

    def adapter(self, now: Callable[[], datetime] = lambda: NOW, **changes: Any) -> EnterpriseConfederation:
        """The adapter before it."""
        told = settings(**({"root": self.root} | self.reached | changes))
        self.adapters.append(EnterpriseConfederation("confederation", told, tooled(now)))
        return self.adapters[-1]

    async def leave(self) -> None:
        """Nobody is before it any more."""
        for one in self.adapters:
            if isinstance(one.medium, SftpAccount):
                await one.medium.close()

    @classmethod
    def made(cls, root: Path) -> Share:
        """The layout of the page, its reader running."""
        for name in ("up", "down", "done", "bad"):
            (root / name).mkdir(parents=True)
        share = cls(root)
        share.beat()
        return share

    @property
    def when_gone(self) -> tuple[type[AdapterError], str]:
        """What a root that is not there means: not mounted yet, or not the account that it was."""
        return (EndpointError, "folder_missing") if self.reached else (RetryableError, "share_gone")

    @property
    def up(self) -> Path:
        return self.root / "up"

    @property
    def down(self) -> Path:
        return self.root / "down"

    def beat(self, at: datetime = NOW, **changes: Any) -> None:
        """The platform's heart."""
        told = {"at": SECONDS.write(at), "state": "RUN", "until": None, "period_s": 60} | changes
        (self.root / "heartbeat.json").write_text(json.dumps(told), "utf-8")

    def batch(self, base: str, ending: str, data: bytes, op: str = "REPLY", rows: int = 1) -> None:
        """One batch in ``down/``, whole."""
        name = f"{base}{ending}"
        (self.down / name).write_bytes(data)
        entry = {"name": name, "size": len(data), "sm3": gm.sm3(data).hex()}
        told = {"stem": base, "op": op, "rows": rows, "created_at": "2026-09-17 10:01:00", "files": [entry]}
        manifest = json.dumps(told, ensure_ascii=False).encode()
        (self.down / f"{base}.manifest.json").write_bytes(manifest)
        (self.down / f"{base}.ok").write_text(gm.sm3(manifest).hex() + "\n", "ascii")

    def reply(self, *rows: Mapping[str, str], stem: str = d.STEM, number: int = 1) -> str:
        """A reply; the name of its batch."""
        base = f"{stem}.R{number:02d}"
        self.batch(base, ".csv", list_bytes(COLUMNS, rows), rows=len(rows))
        return base

    def status(self, number: int, items: Sequence[Mapping[str, Any]]) -> str:
        """A status file; the name of its batch."""
        base = f"QLST_20260917_{number:06d}"
        self.batch(base, ".json", json.dumps({"stem": base, "items": items}, ensure_ascii=False).encode(), "STAT")
        return base

    def names(self, folder: str) -> list[str]:
        """What stands in a folder."""
        return sorted(path.name for path in (self.root / folder).iterdir())


def row(result: str = "受理", **changes: str) -> dict[str, str]:
    """One row of a reply to the example."""
    number = "QL20260917000009" if result == "受理" else ""
    found = {"行号": "1", "业务主键": d.MESSAGE, "结果": result, "平台编号": number, "处理时间": "2026-09-17 10:01:00"}
    return found | changes


def wire_of(
    root: Path, kind: MessageType = MessageType.CASE_SUBMITTED, document: Document | None = None, **changes: Any
) -> Wire:
    """The wire of a message; of the example, where none is given."""
    sent, context = d.SENT[kind]
    known = d.context(**({"registered_version": context.registered_version} | changes))
    return adapter(root).translate(d.message(kind, document or sent), known)
