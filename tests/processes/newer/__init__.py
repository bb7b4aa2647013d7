"""The next release of the package, as far as its tables go."""

from gateway.store.migrate import newest

BEFORE = newest()
"""The newest revision of today's package: read before the next one's are put beside it."""
