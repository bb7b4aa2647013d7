"""What an operator configures for one endpoint of this platform, checked before the first exchange."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from adapters.settings import PolledSettings, distinct

_SFTP = (
    "暂不支持 SFTP，请先将交换目录挂载到本机，再填写其绝对路径 "
    "SFTP is not supported yet; mount the exchange directory on this machine and give its absolute path"
)
_WANTED = (
    "须为已挂载交换目录的绝对路径，不含 .. the absolute path of the mounted exchange directory is needed, without .."
)

Code = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[^|\s]+$")]


class EnterpriseConfederationSettings(PolledSettings):
    """Configured values of the page, same names as on the platform's side. Periods in seconds."""

    root: str = Field(description="Absolute path of the mounted exchange directory (交换目录的绝对路径)")
    sender: str = Field(pattern=r"^[A-Z0-9]{2,12}$", description="Our name in the names of batches (发送方代码)")
    organizations: Annotated[tuple[Code, ...], AfterValidator(distinct)] = Field(
        (), description="Organisations bound to us; none named: whatever the routes send (调解组织代码)"
    )
    period_s: float = Field(60.0, gt=0, description="How often the platform's reader runs (读取周期)")
    operation_s: float = Field(30.0, gt=0, description="Longest wait for one step of file work (文件操作超时)")
    late_s: float = Field(600.0, ge=0, description="How long a file that a manifest names may be late (缺文件等待)")
    file_limit: int = Field(20 * 1024 * 1024, gt=0, description="Most bytes of one file")

    @field_validator("root")
    @classmethod
    def _mounted(cls, value: str) -> str:
        if value.lower().startswith("sftp:"):
            raise ValueError(_SFTP)
        path = PurePosixPath(value)
        if not path.is_absolute() or ".." in path.parts or "\0" in value or path == PurePosixPath("/"):
            raise ValueError(_WANTED)
        return value
