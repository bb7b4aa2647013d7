"""Mock of an upstream system that receives webhooks, written from the page alone."""

from mocks.webhook.receiver import Webhook

__all__ = ["Webhook"]
