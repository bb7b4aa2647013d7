"""Ledger, statistics and indicators (台账、统计、评查指标), made from the store alone."""
