"""The webhook adapter: conformance, bytes and signatures, statuses."""
