"""Tests of the journey's rooms."""
