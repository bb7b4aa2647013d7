"""Tests of the mock platforms, each spoken to by a client of its own that was written from the page alone."""
