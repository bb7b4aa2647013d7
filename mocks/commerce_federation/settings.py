"""The configured values of the platform: the page's names and, for every limit and period, the page's value."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = "postgresql://"

Text = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """One site's values. ``period_s``, ``watch_s`` are real time; days, minutes and waits are the platform's clock's.

    ``organizations``: 机构编码 that are bound; empty = every one is refused (E30). ``period_s``: between two runs of the
    reader. ``watch_s``: between two looks at the gateway's conduct (0 = at every run). ``retake_s``: how long a row stands
    at 1 before it is taken again. ``postpone_s``: how soon a row with E8x may come again, ``resends`` times at most.
    ``server_url``: PostgreSQL itself, where ``database_url`` is to be a front of this mock before it; else empty.
    ``gateway_account``: PostgreSQL role that gets the rights of the page's §1 (and is locked by ``expire_session``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = ""
    database_url: Text
    db_schema: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$"), Field(alias="schema")] = "tjex"
    organizations: tuple[Text, ...]
    period_s: Annotated[float, Field(gt=0)] = 30
    poll_min_s: Seconds = 5
    poll_max_s: Seconds = 900

    server_url: str = ""
    gateway_account: Annotated[str, StringConstraints(pattern=r"^([a-z_][a-z0-9_]{0,62})?$")] = ""
    watch_s: Seconds = 60
    batch_limit: Count = 200
    retake_s: Seconds = 600
    postpone_s: Seconds = 600
    resends: Annotated[int, Field(ge=0)] = 5
    rows_per_minute: Count = 500
    nr_limit: Count = 256 * 1024
    file_limit: Count = 10 * 1024 * 1024
    files_limit: Count = 20
    chunk_size: Count = 524288
    memory_days: Seconds = 365
    done_days: Seconds = 7
    failed_days: Seconds = 30
    stray_files_h: Seconds = 24
    read_days: Seconds = 7
    busy_timeout_ms: Annotated[int, Field(ge=0)] = 5000
    statement_timeout_ms: Annotated[int, Field(ge=0)] = 5000
    lock_timeout_ms: Annotated[int, Field(ge=0)] = 2000
    idle_timeout_ms: Annotated[int, Field(ge=0)] = 10000


def fresh(address: str) -> dict[str, Any]:
    """A configuration with every number of the page; the database is a file beside it, named once that is known."""
    settings = Settings(base_url=address, database_url="-", organizations=("SD-QD-SH-003",))
    return settings.model_dump(mode="json", by_alias=True) | {"database_url": ""}
