"""The seam between engine and adapters: three toy platforms, their adapters, and the port's suite run against them."""
