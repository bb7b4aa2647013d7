"""The interpreter of the confederations' platform (企联/企协 调解组织)."""

from adapters.enterprise_confederation.adapter import EnterpriseConfederation
from adapters.enterprise_confederation.settings import EnterpriseConfederationSettings

__all__ = ["EnterpriseConfederation", "EnterpriseConfederationSettings"]
