"""What carries the exchange directory (介质): a mounted share or an SFTP account. The layout and the rules above it are one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

Work: TypeAlias = Callable[[], Coroutine[Any, Any, T]]
"""One step of file work over a medium."""

MOST_LOOKED_AT = 50_000
"""Names of one folder that are looked at: more is somebody's mischief."""


class Unsound(Exception):
    """A file that is none, or larger than it may be."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands under a name, itself and not what it may point to. ``plain``: a file, no link, folder or pipe."""

    plain: bool
    size: int
    changed: float


class Medium(Protocol):
    """File work under the root. Paths are relative to it, their parts joined by ``/``; links are never followed.

    Every operation is bounded in time and bytes, and raises what page §5 makes of its failure: ``RetryableError`` where time
    heals it, ``EndpointError`` where the operator does.
    """

    async def run(self, work: Work[T], *, filing: bool = False) -> T:
        """What one step of file work returned. ``filing``: it has the business effect.

        Raises:
            RetryableError, EndpointError: page §5.
        """
        ...

    async def stands(self) -> None:
        """Raises:
        RetryableError: the root is out of reach.
        EndpointError: ``folder_missing``, ``up/`` and ``down/`` are not both there.
        """
        ...

    async def permitted(self) -> None:
        """Raises:
        EndpointError: ``share_right_missing``, as far as the medium can tell without writing.
        """
        ...

    async def names(
        self, folder: str, wanted: Callable[[str], bool], most: int = 1000, *, plain: bool = False
    ) -> list[str]:
        """Names of a folder, sorted, the first ``most``; no folder, no names. However many stand there, no more are kept.
        ``plain``: files alone, no links, no folders."""
        ...

    async def facts(self, path: str) -> Facts | None:
        """What stands there; ``None`` where nothing does."""
        ...

    async def present(self, paths: Sequence[str]) -> list[str]:
        """Those of the paths under which something stands, in their order."""
        ...

    async def read(self, path: str, limit: int) -> bytes | None:
        """A plain file; ``None`` where there is none.

        Raises:
            Unsound: a link, a pipe, a folder, or larger than its limit.
        """
        ...

    async def create(self, path: str, data: bytes) -> None:
        """A new file, whole and flushed to disk. One that stands there is an error."""
        ...

    async def give_name(self, path: str, name: str) -> bool:
        """Rename without overwriting; ``False`` where something stands under the new path already."""
        ...

    async def replace(self, path: str, name: str) -> bool:
        """Rename over what stands there; ``False`` where nothing happened: that is no file, or not ours to take away, or the
        file to be renamed has gone."""
        ...

    async def remove(self, path: str) -> None:
        """It goes; one that is not there has gone."""
        ...

    async def flush(self, folder: str) -> None:
        """The folder's entries to disk, where the medium can be told to."""
        ...

    async def compute(self, function: Callable[..., T], /, *arguments: object) -> T:
        """Slow computing in the midst of a step, off the event loop."""
        ...
