"""The chambers' platform's adapter, tested against its protocol page."""
