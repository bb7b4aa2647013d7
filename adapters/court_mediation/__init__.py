"""court_mediation: the people's courts' mediation platform (人民法院调解平台). See README.md in this room."""

from adapters.court_mediation.adapter import CourtMediation
from adapters.court_mediation.settings import CourtMediationSettings

__all__ = ["CourtMediation", "CourtMediationSettings"]
