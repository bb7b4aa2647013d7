"""What documents change."""
