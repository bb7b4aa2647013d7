"""Measurements: ratios within one run, CPU per operation beside every rate. ``python -m tests.bench --help``."""
