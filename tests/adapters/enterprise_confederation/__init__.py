"""Tests of the adapter of the confederations' platform."""
