"""The configured values of the platform: the page's names and, for every limit and period, the page's value."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
MIB: Final = 1024 * 1024


class Settings(BaseModel):
    """One site's values. ``period_s`` is real time; the waits, minutes and days are the platform's clock's.

    ``root``: the exchange directory, or ``sftp://user@host:port/path``: this mock serves it there (port 0 = any), and
    tells the address, ``host_key`` and ``private_key_file`` in its configuration. ``directory``: where it lies then, empty
    = beside the configuration. ``authorized_key``: the gateway's public key in the OpenSSH form; empty = that of
    ``private_key_file``, which is made where there is none.
    ``organizations``: codes that are bound; empty = every one is refused (E30).
    ``missing_wait_s``: how long a batch under its marker may lack a file (B03). ``marker_wait_s``: how long files may lie
    without a marker (B06).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = ""
    root: Text
    directory: str = ""
    authorized_key: str = ""
    sender: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,12}$")] = "SDGW"
    host_key: str = ""
    private_key_file: str = ""
    organizations: tuple[Text, ...]
    period_s: Annotated[float, Field(gt=0)] = 60
    poll_min_s: Seconds = 5
    poll_max_s: Seconds = 900

    rows_limit: Count = 500
    files_limit: Count = 200
    unpacked_limit: Count = 200 * MIB
    file_limit: Count = 20 * MIB
    csv_limit: Count = 5 * MIB
    json_limit: Count = MIB
    manifest_limit: Count = 256 * 1024
    batches_per_minute: Count = 60
    loose_files: Count = 20
    loose_limit: Count = 5 * MIB
    ratio_limit: Count = 100
    missing_wait_s: Seconds = 600
    marker_wait_s: Seconds = 86400
    kept_days: Seconds = 30
    taken_days: Seconds = 7


def fresh(address: str) -> dict[str, Any]:
    """A configuration with every number of the page; the directory lies beside it, named once that is known."""
    settings = Settings(base_url=address, root="-", organizations=("SD-WF-QL-002",))
    return settings.model_dump(mode="json") | {"root": ""}
