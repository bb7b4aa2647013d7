"""Mock of hr_arbitration: the "智慧人社" exchange (SM2, SM4), arbitration inside."""

from mocks.hr_arbitration.platform import HrArbitration

__all__ = ["HrArbitration"]
