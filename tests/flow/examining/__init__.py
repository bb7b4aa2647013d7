"""What speaks against a document."""
