"""``python -m contracts.schemas`` writes the schema files; with ``--check`` it only says which are not fresh."""

from __future__ import annotations

import sys
from pathlib import Path

from contracts.schemas import DOCUMENTS, text

ROOM = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Write or check every schema file. Returns 1 where ``--check`` found one stale, missing or left over."""
    wanted = {f"{name}.json": text(name) for name in DOCUMENTS}
    if arguments == ["--check"]:
        held = {path.name: path.read_text(encoding="utf-8") for path in ROOM.glob("*.json")}
        stale = sorted(name for name in wanted.keys() | held.keys() if wanted.get(name) != held.get(name))
        for name in stale:
            sys.stderr.write(f"not fresh: {name}\n")
        return 1 if stale else 0
    if arguments:
        sys.stderr.write("usage: python -m contracts.schemas [--check]\n")
        return 2
    for name, content in wanted.items():
        (ROOM / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
