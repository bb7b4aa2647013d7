"""Our ledger against theirs."""
