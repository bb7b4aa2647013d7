"""The interpreter of the chambers' platform (工商联 商会调解服务平台)."""

from adapters.commerce_federation.adapter import CommerceFederation
from adapters.commerce_federation.settings import CommerceFederationSettings

__all__ = ["CommerceFederation", "CommerceFederationSettings"]
