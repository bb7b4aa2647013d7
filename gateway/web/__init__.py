"""The front door: the HTTP surface of the canonical contract, callbacks of platforms, operating calls."""
