"""The operators' console: server-rendered pages that need no script to be read, live where a script runs (运维控制台)."""
