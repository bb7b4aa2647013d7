"""The interpreter of the national platform (全国劳动人事争议在线调解服务平台)."""

from adapters.national_mediation.adapter import NationalMediation
from adapters.national_mediation.settings import NationalMediationSettings

__all__ = ["NationalMediation", "NationalMediationSettings"]
