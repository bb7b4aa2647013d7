"""What follows numbered events."""
