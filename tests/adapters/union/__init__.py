"""Tests of the union's interpreter."""
