"""Mock of 人民法院调解平台 ("总对总"), written from its page alone."""

from mocks.court_mediation.court import CourtMediation

__all__ = ["CourtMediation"]
