"""webhook: upstream systems that are told events (事件通知). See README.md in this room."""

from adapters.webhook.adapter import Webhook
from adapters.webhook.settings import WebhookSettings

__all__ = ["Webhook", "WebhookSettings"]
