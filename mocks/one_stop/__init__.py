"""The mock of "一站式"矛盾纠纷多元化解线上平台: SOAP, gateway headers, changes that are pulled."""

from mocks.one_stop.platform import OneStop

__all__ = ["OneStop"]
