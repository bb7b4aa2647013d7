"""Tests of the common law."""
