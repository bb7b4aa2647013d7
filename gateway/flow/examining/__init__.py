"""What step 1 is made of: what speaks against a document, which decision it leads to, what is written of it (审查、受理)."""
