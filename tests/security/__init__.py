"""Tests of the rules and ciphers."""
