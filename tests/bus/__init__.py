"""The buses under one suite, and the topics in and out."""
