"""hr_arbitration: the "智慧人社" 一体化系统 with arbitration (仲裁) inside. See README.md in this room."""

from adapters.hr_arbitration.adapter import HrArbitration
from adapters.hr_arbitration.settings import HrArbitrationSettings

__all__ = ["HrArbitration", "HrArbitrationSettings"]
