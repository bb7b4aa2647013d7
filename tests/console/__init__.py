"""The operators' console, over a real house."""
