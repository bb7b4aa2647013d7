"""The mock of 全国劳动人事争议在线调解服务平台: REST with OAuth2 tokens, signed receipts and cursor pages."""

from mocks.national_mediation.platform import NationalMediation

__all__ = ["NationalMediation"]
