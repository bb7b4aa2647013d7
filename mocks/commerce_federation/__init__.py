"""The mock of 工商联 商会调解服务平台: exchange tables (前置机) in a shared database, and the reader behind them."""

from mocks.commerce_federation.platform import CommerceFederation

__all__ = ["CommerceFederation"]
