"""The typed client for upstream systems: documents in, attachments, reading, events by cursor. Knows the contract alone."""

from gateway.client.answers import CallRefused, Event, EventPage, GatewayUnreachable, Owed, Taken, Uploaded
from gateway.client.client import GatewayClient, fresh_key
from gateway.client.credentials import ClientCredentials

__all__ = [
    "CallRefused",
    "ClientCredentials",
    "Event",
    "EventPage",
    "GatewayClient",
    "GatewayUnreachable",
    "Owed",
    "Taken",
    "Uploaded",
    "fresh_key",
]
