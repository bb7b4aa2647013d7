"""Reconciliation (对账): our ledger against the platforms' own, page by page, and the mending of what differs."""
