"""The mock of 企联/企协 调解组织: an exchange directory, and the reader behind it."""

from mocks.enterprise_confederation.platform import EnterpriseConfederation

__all__ = ["EnterpriseConfederation"]
