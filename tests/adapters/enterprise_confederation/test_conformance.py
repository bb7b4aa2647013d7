"""The confederations' platform's adapter passes the port's one suite, before a directory of its page, mounted and as the root
of an SFTP account, and before that of its mock."""

from __future__ import annotations

from contracts.conformance import AdapterConformance, Stage

from .stage import SFTP, AccountStage, ConfederationStage, MockStage


class TestEnterpriseConfederation(AdapterConformance):
    """See ``contracts.conformance``."""

    def set_up(self) -> Stage:
        return ConfederationStage()


class TestOverSftp(AdapterConformance):
    """The same, by an SFTP account."""

    def set_up(self) -> Stage:
        return AccountStage()


class TestBeforeTheMock(AdapterConformance):
    """The same, in the directory that the mock made."""

    def set_up(self) -> Stage:
        return MockStage()


class TestBeforeTheMockOverSftp(AdapterConformance):
    """The same, by the SFTP account that the mock serves."""

    def set_up(self) -> Stage:
        return MockStage(SFTP)
