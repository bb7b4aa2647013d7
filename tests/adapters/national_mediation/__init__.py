"""The national platform's adapter, tested against its protocol page."""
